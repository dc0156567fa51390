//! Others on the line, and what the application hears of it.

use jackfield_guest::{CallError, DialStatus, Dialed, warn};

use super::{Interpreter, Next};
use crate::fetch::Parameter;
use crate::verb::Dial;

impl Interpreter<'_> {
    /// Dials, and waits until it is over. Where to go then; none when the document goes on.
    pub(super) fn dial(&mut self, dial: &Dial) -> Result<Option<Next>, CallError> {
        if !dial.answers_late {
            self.answer()?;
        }
        let over = self.call.dial(dial.whom.clone())?.finish()?;
        if over.status == DialStatus::Completed {
            self.answered = true; // with the other side, if not before
        } else {
            warn!(self.call, "dialled in vain: {}", over.reason);
        }
        Ok(dial
            .action
            .clone()
            .map(|action| Next::Fetch(action, parameters(over))))
    }
}

fn parameters(over: Dialed) -> Vec<Parameter> {
    let status = match over.status {
        DialStatus::Completed => "completed",
        DialStatus::Busy => "busy",
        DialStatus::NoAnswer => "no-answer",
        DialStatus::Failed => "failed",
        DialStatus::Canceled => "canceled",
    };
    let is_bridged = over.status == DialStatus::Completed;
    let mut parameters = vec![
        ("DialCallStatus", status.to_owned()),
        ("DialBridged", is_bridged.to_string()),
    ];
    parameters.extend(over.call_sid.map(|sid| ("DialCallSid", sid)));
    if is_bridged {
        parameters.push(("DialCallDuration", over.duration_s.to_string()));
    }
    parameters.extend(
        over.sip_status
            .map(|status| ("DialSipResponseCode", status.to_string())),
    );
    parameters
}
