//! One side of a dial asks that the other be sent on: the application says what becomes of them.

use jackfield_guest::{CallError, Continuation, Transfer, Transferring};

use super::{Interpreter, Next};
use crate::document::Document;
use crate::documents::{SIP_HEADER, Stop};
use crate::fault::{Fault, INVALID_URL};
use crate::fetch::{Parameter, append, form};
use crate::reference::{is_web_url, resolve};
use crate::verb::Link;

impl Interpreter<'_> {
    /// Asks for the document that the caller goes on with. Whoever wanted it is told whether there is one.
    pub(super) fn transfer(
        &mut self,
        asked: Transferring<'_>,
        link: &Link,
        document: &Document,
    ) -> Result<Next, Stop> {
        let parameters = parameters(asked.wish());
        let fields = asked.wish().fields.iter();
        let fields = fields.map(|(name, value)| (format!("{SIP_HEADER}{name}"), value.as_str()));
        self.documents.tell_with_next(fields);
        let (base, status) = (document.url.as_deref(), self.status());
        let followed = self.documents.follow(link, base, parameters, status);
        match asked.conclude(followed.is_ok()) {
            Ok(()) | Err(CallError::UnknownId) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Next::Perform(followed?))
    }

    /// The caller wanted it: the call of whoever was dialled asks for the document, and goes on with it.
    pub(super) fn hand_over_to_application(
        &mut self,
        asked: Transferring<'_>,
        link: &Link,
        document: &Document,
    ) -> Result<Option<Next>, Stop> {
        self.answered = true; // with the other side, if not before
        let base = document.url.as_deref();
        let url = base.map_or_else(|| link.url.clone(), |base| resolve(base, &link.url));
        if !is_web_url(&url) {
            asked.conclude(false)?;
            let message = format!("{url:?} is not an http or https URL");
            return Err(Fault::new(INVALID_URL, message).into());
        }
        let mut told = form(&parameters(asked.wish()));
        for (name, value) in &asked.wish().fields {
            append(&format!("{SIP_HEADER}{name}"), value, &mut told);
        }
        let mut next = Continuation::voice_url(url, link.method).setting("parameters", told);
        for name in ["fallback-url", "fallback-method"] {
            if let Some(value) = self.call.setting(name) {
                next = next.setting(name, value);
            }
        }
        asked.hand_over(next)?;
        Ok(Some(Next::HangUp))
    }
}

/// What the application is told of a wish, besides the header fields of its request.
fn parameters(wish: &Transfer) -> Vec<Parameter> {
    vec![
        ("ReferTransferTarget", wish.target.clone()),
        ("ReferCallSid", wish.call_sid.clone()),
    ]
}
