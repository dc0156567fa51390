//! Whoever was dialled asks that the caller be sent on: the application says what becomes of the caller.

use jackfield_guest::{CallError, Transferring};

use super::{Interpreter, Next};
use crate::document::Document;
use crate::documents::{SIP_HEADER, Stop};
use crate::verb::Link;

impl Interpreter<'_> {
    /// Asks for the document that the caller goes on with. Whoever wanted it is told whether there is one.
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
        self.documents.tell_with_next(fields);
        let (base, status) = (document.url.as_deref(), self.status());
        let followed = self.documents.follow(link, base, parameters, status);
        match asked.conclude(followed.is_ok()) {
            Ok(()) | Err(CallError::UnknownId) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Next::Perform(followed?))
    }
}
