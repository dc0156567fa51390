//! One side of a dial asks that the other be sent on: the application says what becomes of them.

use jackfield_guest::{CallError, Continuation, Transferring};

use super::{Interpreter, Next};
use crate::document::Document;
use crate::documents::{SIP_HEADER, Stop};
use crate::fetch::{append, form};
use crate::reference::resolve;
use crate::verb::Link;

impl Interpreter<'_> {
    /// Asks for the document that the caller goes on with. Whoever wanted it is told whether there is one. Where the caller wanted it, the call of
    /// whoever was dialled asks for it, and goes on with it.
    pub(super) fn transfer(
        &mut self,
        asked: Transferring<'_>,
        link: &Link,
        document: &Document,
    ) -> Result<Next, Stop> {
        let wish = asked.wish();
        let parameters = vec![
            ("ReferTransferTarget", wish.target.clone()),
            ("ReferCallSid", wish.call_sid.clone()),
        ];
        let fields = wish.fields.iter();
        let fields = fields.map(|(name, value)| (format!("{SIP_HEADER}{name}"), value.as_str()));
        let base = document.url.as_deref();
        if asked.is_own() {
            let mut told = form(&parameters);
            for (name, value) in fields {
                append(&name, value, &mut told);
            }
            let url = base.map_or_else(|| link.url.clone(), |base| resolve(base, &link.url));
            let next = Continuation::voice_url(url, link.method).setting("parameters", told);
            asked.hand_over(next)?;
            return Ok(Next::HangUp);
        }
        self.documents.tell_with_next(fields);
        let status = self.status();
        let followed = self.documents.follow(link, base, parameters, status);
        match asked.conclude(followed.is_ok()) {
            Ok(()) | Err(CallError::UnknownId) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Next::Perform(followed?))
    }
}
