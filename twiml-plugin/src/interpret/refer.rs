//! The other side is sent on, and what the application hears of it.

use jackfield_guest::{CallError, Referral, warn};

use super::{Interpreter, Next};
use crate::document::Document;
use crate::documents::Stop;
use crate::fetch::Parameter;
use crate::verb::Refer;

impl Interpreter<'_> {
    /// Sends the other side on, and waits until it is known what came of it. Where to go then; none when the document goes on.
    pub(super) fn refer(
        &mut self,
        refer: &Refer,
        document: &Document,
    ) -> Result<Option<Next>, Stop> {
        let parameters = match self.call.refer(refer.target.as_str()) {
            Ok(referring) => match referring.finish() {
                Ok(over) => {
                    if !over.is_transferred() {
                        warn!(self.call, "referred in vain: {}", over.reason);
                    }
                    let status = status(&over);
                    parameters(status, Some(over))
                }
                Err(CallError::HungUp) => {
                    if let Some(action) = &refer.action {
                        // It is sent, and fails for the call that is over.
                        let known = referring.known();
                        let parameters = parameters(Some("canceled"), known);
                        let (base, status) = (document.url.as_deref(), self.status());
                        self.documents.follow(action, base, parameters, status)?;
                    }
                    return Err(CallError::HungUp.into());
                }
                Err(error) => return Err(error.into()),
            },
            Err(CallError::HungUp) => return Err(CallError::HungUp.into()),
            Err(error) => {
                warn!(self.call, "not referred: {error}");
                parameters(Some("failed"), None)
            }
        };
        Ok(refer
            .action
            .clone()
            .map(|action| Next::Fetch(action, parameters)))
    }
}

/// Twilio's `ReferCallStatus`; none where the order was accepted and nothing was reported.
fn status(over: &Referral) -> Option<&'static str> {
    Some(match (over.call_status, over.is_accepted()) {
        (Some(200..=299), _) => "in-progress",
        (Some(486 | 600), _) => "busy",
        (Some(408 | 480 | 487 | 603), _) => "no-answer",
        (Some(_), _) | (None, false) => "failed",
        (None, true) => return None,
    })
}

fn parameters(status: Option<&'static str>, known: Option<Referral>) -> Vec<Parameter> {
    let code = |name, status: Option<u16>| status.map(|status| (name, status.to_string()));
    let known = known.as_ref();
    let answer = known.and_then(|known| known.refer_status);
    let report = known.and_then(|known| known.call_status);
    let status = status.map(|status| ("ReferCallStatus", status.to_owned()));
    status
        .into_iter()
        .chain(code("ReferSipResponseCode", answer))
        .chain(code("NotifySipResponseCode", report))
        .collect()
}
