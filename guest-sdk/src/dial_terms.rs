//! What is said of one target of a dial alone.

use crate::bindings::jackfield::dial::terms;
use crate::{Call, CallError, Credentials, Dial, DialRequest, Dialing, TargetTerms};

impl Call {
    /// As [`dial`](Self::dial), with the terms of each target in their order; those without any are dialled as there.
    ///
    /// ```
    /// use jackfield_guest::{Call, CallError, Dial, Rehearsal, TargetTerms};
    ///
    /// fn run(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     let password = call.setting("ward-password").unwrap_or_default();
    ///     let terms = TargetTerms::proving("ward-7", password);
    ///     call.dial_with(Dial::to("sip:ward@192.0.2.7"), vec![terms])?.finish()?;
    ///     call.hang_up()
    /// }
    ///
    /// let caller = Rehearsal::new().setting("ward-password", "hush");
    /// assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    /// assert_eq!(caller.transcript(), ["answer", "dial sip:ward@192.0.2.7 as ward-7", "hang up"]);
    /// ```
    ///
    /// # Errors
    /// As [`dial`](Self::dial); [`CallError::InvalidArgument`] for credentials of a target that is no SIP URI, or that have not 1 to 255 bytes each.
    pub fn dial_with(
        &self,
        whom: impl Into<Dial>,
        terms: Vec<TargetTerms>,
    ) -> Result<Dialing<'_>, CallError> {
        let whom: Dial = whom.into();
        let request = DialRequest::from(whom);
        let rehearsed = self.host().rehearsed_dial(&request, &terms);
        // From here, so that a component imports it only where its story asks.
        let id = rehearsed.unwrap_or_else(|| terms::dial(&request, &terms))?;
        Ok(Dialing::new(self, id))
    }
}

impl Default for TargetTerms {
    /// Dialled as any other.
    fn default() -> Self {
        Self { credentials: None }
    }
}

impl TargetTerms {
    /// The server of a SIP URI that asks is proved these, in place of what its trunk has.
    #[must_use]
    pub fn proving(username: impl Into<String>, password: impl Into<String>) -> Self {
        let credentials = Credentials {
            username: username.into(),
            password: password.into(),
        };
        Self {
            credentials: Some(credentials),
        }
    }
}
