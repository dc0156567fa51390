//! One side of a dial asks that the other be sent on.

use crate::bindings::jackfield::transfers::transfers;
use crate::{Call, CallError, Continuation, DialId, Dialed, Dialing, Transfer};

/// What a story does about such wishes in a rehearsal.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RehearsedTransfer<'a> {
    /// They may ask.
    Allow(DialId),
    /// So may the caller.
    AllowOwn(DialId),
    /// Did they?
    Asked(DialId),
    /// What became of it.
    Conclude(DialId, bool),
    /// Whoever was dialled goes on alone.
    HandOver(DialId, &'a Continuation),
}

impl<'a> Dialing<'a> {
    /// Whoever answers may ask that the caller be sent on (SIP REFER), which ends the dial; [`finish_or_transfer`](Self::finish_or_transfer)
    /// tells. Without it they are refused. Not an error when it has ended already.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use jackfield_guest::{Call, CallError, Callee, Rehearsal};
    ///
    /// /// Whoever answers may put the caller through to somebody else.
    /// fn run(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     let dialing = call.dial("+85510000001")?;
    ///     dialing.allow_transfer()?;
    ///     if let (_, Some(asked)) = dialing.finish_or_transfer()? {
    ///         let to = asked.wish().target.clone();
    ///         asked.conclude(true)?;
    ///         call.dial(to)?.finish()?;
    ///     }
    ///     call.hang_up()
    /// }
    ///
    /// let desk = Callee::answers(Duration::from_secs(1)).talks_for(Duration::from_secs(9));
    /// let caller = Rehearsal::new()
    ///     .callee("+85510000001", desk)
    ///     .transfer("+85510000001", "sip:ward@192.0.2.7");
    /// assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    /// assert_eq!(
    ///     caller.transcript(),
    ///     ["answer", "dial +85510000001", "transfer granted", "dial sip:ward@192.0.2.7", "hang up"],
    /// );
    /// ```
    ///
    /// # Errors
    /// [`CallError::HungUp`] when this call is over.
    pub fn allow_transfer(&self) -> Result<(), CallError> {
        let (call, dial) = (self.call(), self.id());
        let rehearsed = call
            .host()
            .rehearsed_transfer(RehearsedTransfer::Allow(dial));
        // From here, so that a component imports it only where its story asks.
        let allowed = match rehearsed {
            Some(allowed) => allowed.map(drop),
            None => transfers::allow(dial),
        };
        match allowed {
            Err(CallError::UnknownId) => Ok(()),
            allowed => allowed,
        }
    }

    /// The caller may ask, too: that whoever answers be sent on. Who allows that [hands over](Transferring::hand_over) whoever was dialled, and ends this call.
    /// Not an error when the dial has ended already.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use jackfield_guest::{Call, CallError, Callee, Continuation, Rehearsal};
    ///
    /// /// The caller may leave whoever answers to the desk.
    /// fn run(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     let dialing = call.dial("+85510000001")?;
    ///     dialing.allow_own_transfer()?;
    ///     if let (_, Some(asked)) = dialing.finish_or_transfer()? {
    ///         asked.hand_over(Continuation::component("desk"))?;
    ///     }
    ///     call.hang_up()
    /// }
    ///
    /// let ward = Callee::answers(Duration::from_secs(1)).talks_for(Duration::from_secs(9));
    /// let caller = Rehearsal::new()
    ///     .callee("+85510000001", ward)
    ///     .own_transfer("+85510000001", "sip:desk@192.0.2.7");
    /// assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    /// assert_eq!(caller.transcript(), ["answer", "dial +85510000001", "hand over to desk", "hang up"]);
    /// ```
    ///
    /// # Errors
    /// [`CallError::HungUp`] when this call is over.
    pub fn allow_own_transfer(&self) -> Result<(), CallError> {
        let (call, dial) = (self.call(), self.id());
        let rehearsed = call
            .host()
            .rehearsed_transfer(RehearsedTransfer::AllowOwn(dial));
        let allowed = match rehearsed {
            Some(allowed) => allowed.map(drop),
            None => transfers::allow_own(dial),
        };
        match allowed {
            Err(CallError::UnknownId) => Ok(()),
            allowed => allowed,
        }
    }

    /// As [`finish`](Self::finish), with what one side asked for, where that ended it.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when this call ends first.
    pub fn finish_or_transfer(self) -> Result<(Dialed, Option<Transferring<'a>>), CallError> {
        let (call, dial) = (self.call(), self.id());
        let over = self.finish()?;
        let rehearsed = call
            .host()
            .rehearsed_transfer(RehearsedTransfer::Asked(dial));
        let wish = match rehearsed {
            Some(asked) => asked?,
            None => transfers::asked(dial),
        };
        let asked = wish.map(|wish| Transferring { call, dial, wish });
        Ok((over, asked))
    }
}

/// A wish that the other side be sent on. Whoever has it waits until they are told what became of it.
#[derive(Debug)]
pub struct Transferring<'a> {
    call: &'a Call,
    dial: DialId,
    wish: Transfer,
}

impl Transferring<'_> {
    /// What they ask for.
    #[must_use]
    pub fn wish(&self) -> &Transfer {
        &self.wish
    }

    /// The caller has it, and not whoever was dialled.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.wish.call_sid == self.call.info().call_sid
    }

    /// Grants a wish of the caller: whoever was dialled leaves this call, and goes on with another story. Where they have hung up meanwhile, the caller
    /// is told that nothing came of it. This call is to be ended then.
    ///
    /// # Errors
    /// [`CallError::UnknownId`] for a wish of whoever was dialled; [`CallError::InvalidArgument`] for a story that cannot be begun;
    /// [`CallError::HungUp`] when this call is over.
    pub fn hand_over(self, next: Continuation) -> Result<(), CallError> {
        let deed = RehearsedTransfer::HandOver(self.dial, &next);
        match self.call.host().rehearsed_transfer(deed) {
            Some(done) => done.map(drop),
            None => transfers::hand_over(self.dial, &next),
        }
    }

    /// Tells them whether it was granted, and lets whoever was dialled go.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when this call is over.
    pub fn conclude(self, is_taken: bool) -> Result<(), CallError> {
        let deed = RehearsedTransfer::Conclude(self.dial, is_taken);
        match self.call.host().rehearsed_transfer(deed) {
            Some(done) => done.map(drop),
            None => transfers::conclude(self.dial, is_taken),
        }
    }
}
