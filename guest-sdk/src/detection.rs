//! Who answered.

use std::fmt;

use crate::{
    AnsweredBy, Call, CallError, Detection, DetectionMode, DetectionRequest, HttpMethod,
    StatusCallback,
};

impl DetectionRequest {
    /// Wants to know as soon as it can be told who answered; with Twilio's times, to be changed by `..`.
    ///
    /// ```
    /// use jackfield_guest::DetectionRequest;
    ///
    /// let patient = DetectionRequest {
    ///     silence_timeout_ms: 8_000,
    ///     ..DetectionRequest::new()
    /// };
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            mode: DetectionMode::Enable,
            timeout_ms: 30_000,
            speech_threshold_ms: 2_400,
            speech_end_threshold_ms: 1_200,
            silence_timeout_ms: 5_000,
            status_callback: None,
        }
    }

    /// Wants to know of a machine when its message is over: what is said from then on is recorded by it.
    #[must_use]
    pub fn to_message_end(mut self) -> Self {
        self.mode = DetectionMode::DetectMessageEnd;
        self
    }

    /// The host tells this server too, signed as a webhook of the account.
    #[must_use]
    pub fn status_callback(mut self, url: impl Into<String>, method: HttpMethod) -> Self {
        let url = url.into();
        self.status_callback = Some(StatusCallback { url, method });
        self
    }
}

impl Default for DetectionRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl AnsweredBy {
    /// An answering machine, whether its message is over or not.
    #[must_use]
    pub const fn is_machine(self) -> bool {
        matches!(
            self,
            Self::MachineStart
                | Self::MachineEndBeep
                | Self::MachineEndSilence
                | Self::MachineEndOther
        )
    }

    /// As Twilio's `AnsweredBy` says it, such as `machine_end_beep`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::MachineStart => "machine_start",
            Self::MachineEndBeep => "machine_end_beep",
            Self::MachineEndSilence => "machine_end_silence",
            Self::MachineEndOther => "machine_end_other",
            Self::Fax => "fax",
            Self::Unknown => "unknown",
        }
    }
}

/// A detection that is under way. Made by [`Call::detect_machine`]. Dropping it changes nothing: the host goes on, and tells the
/// `status_callback`.
pub struct Detecting<'a> {
    call: &'a Call,
}

impl Detecting<'_> {
    /// Waits until it is known who answered. Keys pressed meanwhile are kept for the next gather.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn finish(self) -> Result<Detection, CallError> {
        self.call.wait_for(crate::inbox::Inbox::take_detection)
    }
}

impl fmt::Debug for Detecting<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Detecting").finish_non_exhaustive()
    }
}

impl Call {
    /// Listens for who answered, and waits until that is known: see [`DetectionRequest`] for how long that may take.
    ///
    /// ```
    /// # use jackfield_guest::{AnsweredBy, Call, CallError, DetectionRequest, Rehearsal};
    /// # fn story(call: &Call) -> Result<(), CallError> {
    /// match call.answered_by(DetectionRequest::new().to_message_end())? {
    ///     AnsweredBy::Fax => return call.hang_up(),
    ///     who if who.is_machine() => call.say("Please call us back: 1294.")?.finish()?,
    ///     _ => call.say("Good morning. Water will rise tonight.")?.finish()?,
    /// };
    /// # Ok(()) }
    /// # let machine = Rehearsal::outbound().answered_by(AnsweredBy::MachineEndBeep, 6.0);
    /// # story(&Call::on(machine.clone())).unwrap();
    /// # assert_eq!(machine.transcript(), ["detect who answered, to the end of a message", "say Please call us back: 1294."]);
    /// # assert_eq!(machine.elapsed().as_secs(), 8);
    /// ```
    ///
    /// # Errors
    /// Those of [`detect_machine`](Self::detect_machine), and [`CallError::HungUp`] when the call ends first.
    pub fn answered_by(&self, request: DetectionRequest) -> Result<AnsweredBy, CallError> {
        let detection = self.detect_machine(request)?.finish()?;
        Ok(detection.answered_by)
    }

    /// Begins to listen for who answered. The story may go on meanwhile.
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer), [`CallError::InvalidArgument`] for a time out of its range,
    /// [`CallError::LimitReached`] while another detection is under way.
    pub fn detect_machine(&self, request: DetectionRequest) -> Result<Detecting<'_>, CallError> {
        self.inbox().take_detection(); // of a detection that nobody waited for
        self.host().detect_machine(request)?;
        Ok(Detecting { call: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rehearsal;

    #[test]
    fn the_story_may_go_on_meanwhile() {
        let caller = Rehearsal::outbound()
            .answered_by(AnsweredBy::Human, 3.0)
            .press(1.0, "5");
        let call = Call::on(caller.clone());
        let detecting = call.detect_machine(DetectionRequest::new()).unwrap();
        call.say("Hello?").unwrap().finish().unwrap();
        let detection = detecting.finish().unwrap();
        assert_eq!(
            (detection.answered_by, detection.duration_ms),
            (AnsweredBy::Human, 3_000)
        );
        assert_eq!(call.elapsed().as_secs(), 3);
        assert_eq!(call.key(), Ok('5'), "keys are kept");
        assert_eq!(caller.transcript(), ["detect who answered", "say Hello?"]);
    }

    #[test]
    fn an_answer_that_nobody_waited_for_is_not_that_of_the_next_question() {
        let caller = Rehearsal::outbound().answered_by(AnsweredBy::Fax, 1.0);
        let call = Call::on(caller);
        call.detect_machine(DetectionRequest::new()).unwrap();
        call.pause(std::time::Duration::from_secs(5)).unwrap();
        assert_eq!(
            call.answered_by(DetectionRequest::new()),
            Ok(AnsweredBy::Fax)
        );
        assert_eq!(call.elapsed().as_secs(), 6);
    }

    #[test]
    fn it_ends_with_its_time_or_with_the_call() {
        let slow = || Rehearsal::outbound().answered_by(AnsweredBy::Human, 40.0);
        let call = Call::on(slow());
        assert_eq!(
            call.answered_by(DetectionRequest::new()),
            Ok(AnsweredBy::Unknown)
        );
        assert_eq!(call.elapsed().as_secs(), 30);
        let call = Call::on(slow().hang_up(2.0));
        assert_eq!(
            call.answered_by(DetectionRequest::new()),
            Err(CallError::HungUp)
        );
        let call = Call::on(Rehearsal::new());
        assert_eq!(
            call.answered_by(DetectionRequest::new()),
            Err(CallError::NotAnswered)
        );
    }
}
