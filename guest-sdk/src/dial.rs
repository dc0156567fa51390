//! Others on the line.

use std::time::Duration;

use crate::{Call, CallError, DialId, DialRequest, Dialed, Target};

/// How long one rings when nothing else is said.
const RING_TIMEOUT: Duration = Duration::from_secs(30);

/// Whom to call, and how. Give it to [`Call::dial`].
///
/// ```
/// use std::time::Duration;
///
/// use jackfield_guest::Dial;
///
/// let anyone = Dial::to("+85510000001")
///     .or_to("sip:night@192.0.2.7")
///     .in_turn()
///     .ring_for(Duration::from_secs(15));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial(DialRequest);

impl Dial {
    /// A telephone number or a SIP URI, which rings for 30 seconds at most; a [`Target`] where they hear something first.
    #[must_use]
    pub fn to(target: impl Into<Target>) -> Self {
        Self(DialRequest {
            targets: vec![target.into()],
            in_turn: false,
            caller_id: None,
            ring_timeout_s: whole_seconds(RING_TIMEOUT),
            time_limit_s: None,
            answer_on_bridge: false,
            hang_up_on_star: false,
            ring_tone: None,
        })
    }

    /// One more, at the same time: the first to answer is joined. At most 10.
    #[must_use]
    pub fn or_to(mut self, target: impl Into<Target>) -> Self {
        self.0.targets.push(target.into());
        self
    }

    /// One after the other instead of all at once.
    #[must_use]
    pub fn in_turn(mut self) -> Self {
        self.0.in_turn = true;
        self
    }

    /// How long each may ring: 1 to 600 seconds.
    #[must_use]
    pub fn ring_for(mut self, time: Duration) -> Self {
        self.0.ring_timeout_s = whole_seconds(time);
        self
    }

    /// How long the conversation may last: up to a day.
    #[must_use]
    pub fn talk_for(mut self, time: Duration) -> Self {
        self.0.time_limit_s = Some(whole_seconds(time));
        self
    }

    /// Shows this number of the account, in place of the one that this call is to or from.
    #[must_use]
    pub fn caller_id(mut self, number: impl Into<String>) -> Self {
        self.0.caller_id = Some(number.into());
        self
    }

    /// Answers the caller only when somebody has answered.
    #[must_use]
    pub fn answer_on_bridge(mut self) -> Self {
        self.0.answer_on_bridge = true;
        self
    }

    /// Lets the caller end the conversation with `*`, and the story go on.
    #[must_use]
    pub fn hang_up_on_star(mut self) -> Self {
        self.0.hang_up_on_star = true;
        self
    }

    /// The country whose ringing tone the caller hears, such as `uk`; `us` without it.
    #[must_use]
    pub fn ring_tone(mut self, country: impl Into<String>) -> Self {
        self.0.ring_tone = Some(country.into());
        self
    }
}

impl From<DialRequest> for Dial {
    fn from(request: DialRequest) -> Self {
        Self(request)
    }
}

impl From<Dial> for DialRequest {
    fn from(dial: Dial) -> Self {
        dial.0
    }
}

impl From<&str> for Dial {
    fn from(target: &str) -> Self {
        Self::to(target)
    }
}

impl From<String> for Dial {
    fn from(target: String) -> Self {
        Self::to(target)
    }
}

/// Others who are being called, or are on the line.
///
/// They are called whether or not the story waits for it; the end of this call ends it in any case.
#[derive(Debug)]
pub struct Dialing<'a> {
    call: &'a Call,
    id: DialId,
}

impl<'a> Dialing<'a> {
    pub(crate) fn new(call: &'a Call, id: DialId) -> Self {
        Self { call, id }
    }

    pub(crate) fn call(&self) -> &'a Call {
        self.call
    }

    pub(crate) fn id(&self) -> DialId {
        self.id
    }

    /// Waits until somebody has answered and is on the line: the SID of their call. None when it came to nothing, which
    /// [`finish`](Self::finish) explains.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when this call ends first.
    pub fn answered(&self) -> Result<Option<String>, CallError> {
        self.call.wait_for(|inbox| {
            let joined = inbox.joined(self.id).map(str::to_owned);
            (joined.is_some() || inbox.has_dialed(self.id)).then_some(joined)
        })
    }

    /// Waits until it is over: the other side hung up, or nobody answered. Keys pressed meanwhile are kept for the next gather.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when this call ends first.
    pub fn finish(self) -> Result<Dialed, CallError> {
        self.call.wait_for(|inbox| inbox.take_dialed(self.id))
    }

    /// Ends it, whether somebody has answered or not. Not an error when it has ended already.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when this call is over.
    pub fn stop(self) -> Result<Dialed, CallError> {
        match self.call.host().stop_dial(self.id) {
            Ok(()) | Err(CallError::UnknownId) => self.finish(),
            Err(error) => Err(error),
        }
    }
}

/// Rounded up, so that nothing becomes zero.
fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Callee, DialStatus, HangUpCause, Rehearsal, Whisper};

    const SECOND: Duration = Duration::from_secs(1);

    fn answered(caller: Rehearsal) -> (Call, Rehearsal) {
        let call = Call::on(caller.clone());
        call.answer().unwrap();
        (call, caller)
    }

    #[track_caller]
    fn check(dial: Dial, status: DialStatus, talked_s: u32, after: Duration) {
        let (call, caller) = answered(
            Rehearsal::new()
                .callee("a", Callee::answers(2 * SECOND).talks_for(7 * SECOND))
                .callee("b", Callee::answers(SECOND).talks_for(3 * SECOND))
                .callee("busy", Callee::busy())
                .callee("never", Callee::never()),
        );
        let over = call.dial(dial.clone()).unwrap().finish().unwrap();
        assert_eq!(
            (over.status, over.duration_s),
            (status, talked_s),
            "{dial:?}"
        );
        assert_eq!(caller.elapsed(), after, "{dial:?}");
    }

    #[test]
    fn what_a_dial_comes_to() {
        use DialStatus::{Busy, Completed, Failed, NoAnswer};
        let brief = |dial: Dial| dial.ring_for(5 * SECOND);
        check(Dial::to("a"), Completed, 7, 9 * SECOND);
        check(Dial::to("a").or_to("b"), Completed, 3, 4 * SECOND);
        check(Dial::to("a").or_to("b").in_turn(), Completed, 7, 9 * SECOND);
        check(Dial::to("a").talk_for(4 * SECOND), Completed, 4, 6 * SECOND);
        check(Dial::to("busy"), Busy, 0, SECOND);
        check(Dial::to("nobody"), Failed, 0, Duration::ZERO);
        check(brief(Dial::to("never")), NoAnswer, 0, 5 * SECOND);
        check(
            brief(Dial::to("busy").or_to("never")),
            NoAnswer,
            0,
            5 * SECOND,
        );
        let in_turn = Dial::to("busy").or_to("never").or_to("b").in_turn();
        check(brief(in_turn), Completed, 3, 10 * SECOND);
    }

    #[test]
    fn a_whisper_is_heard_before_the_two_are_joined() {
        use DialStatus::{Completed, NoAnswer};
        let whispered = |to: &str| Target::new(to).whisper(Whisper::component("screening"));
        let stage = || {
            Rehearsal::new()
                .callee("a", Callee::answers(2 * SECOND).talks_for(7 * SECOND))
                .callee(
                    "b",
                    Callee::answers(SECOND).listens_for(5 * SECOND).declines(),
                )
        };
        for (dial, status, talked_s, after) in [
            (Dial::to(whispered("a")), Completed, 7, 11 * SECOND),
            (Dial::to(whispered("b")), NoAnswer, 0, 6 * SECOND),
            (
                Dial::to(whispered("b")).or_to("a").in_turn(),
                Completed,
                7,
                15 * SECOND,
            ),
            (Dial::to("b").talk_for(SECOND), Completed, 1, 2 * SECOND),
        ] {
            let (call, caller) = answered(stage());
            let over = call.dial(dial.clone()).unwrap().finish().unwrap();
            assert_eq!(
                (over.status, over.duration_s),
                (status, talked_s),
                "{dial:?}"
            );
            assert_eq!(caller.elapsed(), after, "{dial:?}");
        }
    }

    #[test]
    fn a_star_ends_it_and_the_story_goes_on() {
        let callee = Callee::answers(SECOND);
        let caller = Rehearsal::new().callee("a", callee).press(4.0, "1*2");
        let (call, caller) = answered(caller);
        let dialing = call.dial(Dial::to("a").hang_up_on_star()).unwrap();
        assert!(dialing.answered().unwrap().is_some());
        assert_eq!(dialing.finish().unwrap().duration_s, 3);
        assert_eq!(caller.elapsed(), 4 * SECOND);
        assert_eq!((call.key(), call.key()), (Ok('1'), Ok('2')));
    }

    #[test]
    fn it_can_be_stopped_and_ends_with_the_call() {
        let caller = Rehearsal::new().callee("a", Callee::answers(SECOND));
        let (call, _) = answered(caller);
        let over = call.dial("a").unwrap().stop().unwrap();
        assert_eq!(over.status, DialStatus::Canceled);
        let dialing = call.dial("a").unwrap();
        assert!(dialing.answered().unwrap().is_some());
        assert!(matches!(call.dial("a"), Err(CallError::LimitReached(_))));
        call.pause(2 * SECOND).unwrap();
        let over = dialing.stop().unwrap();
        assert_eq!((over.status, over.duration_s), (DialStatus::Completed, 2));

        let caller = Rehearsal::new()
            .callee("a", Callee::answers(SECOND))
            .hang_up(3.0);
        let (call, _) = answered(caller);
        assert_eq!(call.dial("a").unwrap().finish(), Err(CallError::HungUp));
        assert_eq!(call.hang_up_cause(), Some(HangUpCause::Remote));
    }

    #[test]
    fn a_call_that_rings_is_answered_with_the_other_side() {
        let caller = Rehearsal::new().callee("a", Callee::answers(SECOND).talks_for(SECOND));
        let call = Call::on(caller.clone());
        assert!(matches!(call.dial("a"), Err(CallError::NotAnswered)));
        let dial = Dial::to("a").answer_on_bridge();
        call.dial(dial).unwrap().finish().unwrap();
        call.play("bye.wav").unwrap();
        assert_eq!(caller.transcript(), ["dial a", "play bye.wav"]);
    }
}
