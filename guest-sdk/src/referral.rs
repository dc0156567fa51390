//! Sending the other side on.

use std::time::Duration;

use crate::{Call, CallError, ReferRequest, Referral};

/// How long the last report is waited for when nothing else is said.
const PATIENCE_S: u32 = 120;

/// Whom the other side is to call. Give it to [`Call::refer`].
///
/// ```
/// use std::time::Duration;
///
/// use jackfield_guest::Refer;
///
/// let desk = Refer::to("sip:desk@pbx.example.net").wait_for(Duration::from_secs(45));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refer(ReferRequest);

impl Refer {
    /// A telephone number or a SIP URI; its last report is waited for two minutes.
    #[must_use]
    pub fn to(target: impl Into<String>) -> Self {
        Self(ReferRequest {
            target: target.into(),
            timeout_s: PATIENCE_S,
        })
    }

    /// How long the last report is waited for: 1 to 600 seconds.
    #[must_use]
    pub fn wait_for(mut self, time: Duration) -> Self {
        self.0.timeout_s = u32::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        self
    }
}

impl From<&str> for Refer {
    fn from(target: &str) -> Self {
        Self::to(target)
    }
}

impl From<String> for Refer {
    fn from(target: String) -> Self {
        Self::to(target)
    }
}

impl Referral {
    /// Somebody has answered the call that the other side made: this one has done its work.
    #[must_use]
    pub const fn is_transferred(&self) -> bool {
        matches!(self.call_status, Some(200..=299))
    }

    /// The other side does as it was asked.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self.refer_status, Some(200..=299))
    }
}

/// A referral that is under way. Made by [`Call::refer`].
#[derive(Debug)]
pub struct Referring<'a> {
    call: &'a Call,
}

impl Referring<'_> {
    /// Waits until the other side has said whether it does as it was asked.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn accepted(&self) -> Result<bool, CallError> {
        self.call.wait_for(|inbox| {
            let known = inbox.referral()?;
            let is_known = known.is_over || known.refer_status.is_some();
            is_known.then(|| known.is_accepted())
        })
    }

    /// Waits for the last report: the other side was sent on, or it came to nothing. Keys pressed meanwhile are kept for the next
    /// gather.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first, as it does where the other side hangs up before its last report:
    /// [`known`](Self::known) says how far it had come.
    pub fn finish(&self) -> Result<Referral, CallError> {
        self.call.wait_for(|inbox| {
            let known = inbox.referral()?;
            known.is_over.then(|| known.clone())
        })
    }

    /// What is known up to now, without a wait; none where nothing is.
    #[must_use]
    pub fn known(&self) -> Option<Referral> {
        self.call.inbox().referral().cloned()
    }
}

impl Call {
    /// Asks the other side to call somebody else itself, and to leave this call (SIP REFER): a number, a SIP URI, or a [`Refer`] that
    /// says more. Gateways and telephone exchanges often do so; where they do not, [`dial`](Self::dial) joins the two instead.
    ///
    /// ```
    /// # use jackfield_guest::{Call, CallError, Dial, Referee, Rehearsal};
    /// # use std::time::Duration;
    /// # fn story(call: &Call) -> Result<(), CallError> {
    /// call.answer()?;
    /// if !call.refer("+85510000001")?.finish()?.is_transferred() {
    ///     call.dial("+85510000001")?.finish()?;
    /// }
    /// call.hang_up()
    /// # }
    /// # let moved = Rehearsal::new().referee(Referee::reports(Duration::from_secs(4), 200));
    /// # story(&Call::on(moved.clone())).unwrap();
    /// # assert_eq!(moved.transcript(), ["answer", "refer to +85510000001", "hang up"]);
    /// # assert_eq!(moved.elapsed(), Duration::from_secs(4));
    /// # let deaf = Rehearsal::new().referee(Referee::refuses(405));
    /// # story(&Call::on(deaf.clone())).unwrap();
    /// # assert_eq!(deaf.transcript()[1..3], ["refer to +85510000001", "dial +85510000001"]);
    /// ```
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer), [`CallError::InvalidArgument`] for a time out of its range,
    /// [`CallError::LimitReached`] while another referral is under way.
    pub fn refer(&self, whom: impl Into<Refer>) -> Result<Referring<'_>, CallError> {
        self.inbox().forget_referral();
        self.host().refer(whom.into().0)?;
        Ok(Referring { call: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HangUpCause, Referee, Rehearsal};

    const SECOND: Duration = Duration::from_secs(1);

    fn answered(caller: Rehearsal) -> (Call, Rehearsal) {
        let call = Call::on(caller.clone());
        call.answer().unwrap();
        (call, caller)
    }

    #[test]
    fn what_a_referral_comes_to() {
        for (referee, accepted, statuses, after) in [
            (
                Referee::reports(3 * SECOND, 200),
                true,
                (Some(202), Some(200)),
                3 * SECOND,
            ),
            (
                Referee::reports(SECOND, 486),
                true,
                (Some(202), Some(486)),
                SECOND,
            ),
            (
                Referee::refuses(603),
                false,
                (Some(603), None),
                Duration::ZERO,
            ),
            (Referee::silent(), true, (Some(202), None), 20 * SECOND),
        ] {
            let (call, caller) = answered(Rehearsal::new().referee(referee));
            let referring = call.refer(Refer::to("+1").wait_for(20 * SECOND)).unwrap();
            assert_eq!(referring.accepted(), Ok(accepted), "{referee:?}");
            let over = referring.finish().unwrap();
            assert_eq!(
                (over.refer_status, over.call_status),
                statuses,
                "{referee:?}"
            );
            assert_eq!(
                over.is_transferred(),
                statuses.1 == Some(200),
                "{referee:?}"
            );
            assert_eq!(caller.elapsed(), after, "{referee:?}");
        }
    }

    #[test]
    fn it_ends_with_the_call_and_one_is_under_way_at_a_time() {
        let caller = Rehearsal::new().hang_up(2.0);
        let call = Call::on(caller.clone());
        assert_eq!(call.refer("+1").unwrap_err(), CallError::NotAnswered);
        call.answer().unwrap();
        let caller = caller.referee(Referee::silent());
        let referring = call.refer("+1").unwrap();
        assert!(matches!(call.refer("+1"), Err(CallError::LimitReached(_))));
        assert_eq!(referring.finish(), Err(CallError::HungUp));
        assert_eq!(call.hang_up_cause(), Some(HangUpCause::Remote));
        assert_eq!(caller.transcript(), ["answer", "refer to +1"]);
        let known = referring.known().unwrap();
        assert_eq!((known.refer_status, known.is_over), (Some(202), false));
    }
}
