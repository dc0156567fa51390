//! What passed in SIP with whoever was dialled.

use crate::bindings::jackfield::dialled::signalling;
use crate::{Call, Signals};

impl Call {
    /// What passed in SIP with whoever the dial ended by that ended last: for an application beside theirs. None where no INVITE left, and where
    /// it ended by a transfer.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use jackfield_guest::{Call, CallError, Callee, Rehearsal};
    ///
    /// fn run(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     call.dial("+85510000001")?.finish()?;
    ///     let signals = call.signals_of_last_dial();
    ///     let ward = signals.iter().flat_map(|signals| &signals.fields);
    ///     for (name, value) in ward.filter(|(name, _)| name == "X-Ward") {
    ///         call.say(format!("{name} {value}"))?.finish()?;
    ///     }
    ///     call.hang_up()
    /// }
    ///
    /// let desk = Callee::answers(Duration::from_secs(1)).talks_for(Duration::from_secs(9));
    /// let caller = Rehearsal::new()
    ///     .callee("+85510000001", desk)
    ///     .answering_with("+85510000001", "X-Ward", "7");
    /// assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    /// assert_eq!(caller.transcript(), ["answer", "dial +85510000001", "say X-Ward 7", "hang up"]);
    /// ```
    #[must_use]
    pub fn signals_of_last_dial(&self) -> Option<Signals> {
        // From here, so that a component imports it only where its story asks.
        match self.host().rehearsed_signals() {
            Some(signals) => signals,
            None => signalling::last(),
        }
    }
}
