//! What somebody who is dialled hears alone, before they are joined.

use crate::{
    CallCallback, CallTurn, DetectionRequest, HttpMethod, StatusCallback, StoryFlow, Target,
    Whisper,
};

impl Target {
    /// A telephone number or a SIP URI.
    #[must_use]
    pub fn new(to: impl Into<String>) -> Self {
        Self {
            to: to.into(),
            whisper: None,
            status_callback: None,
            detection: None,
        }
    }

    /// The host tells this server of these turns of their call, signed as a webhook of the account, until it takes it.
    #[must_use]
    pub fn status_callback(
        mut self,
        to: StatusCallback,
        turns: impl IntoIterator<Item = CallTurn>,
    ) -> Self {
        let turns = turns.into_iter().collect();
        self.status_callback = Some(CallCallback { to, turns });
        self
    }

    /// The host listens for who answers, and tells the status callback of the request.
    #[must_use]
    pub fn detect(mut self, request: DetectionRequest) -> Self {
        self.detection = Some(request);
        self
    }

    /// What they hear first when they answer, alone. The caller hears it ring meanwhile.
    ///
    /// ```
    /// use jackfield_guest::{Dial, Target, Whisper};
    ///
    /// let doctor = Target::new("+85510000001").whisper(Whisper::component("screening").setting("ward", "7"));
    /// let dial = Dial::to(doctor).or_to("+85510000002");
    /// ```
    #[must_use]
    pub fn whisper(mut self, whisper: Whisper) -> Self {
        self.whisper = Some(whisper);
        self
    }
}

impl From<&str> for Target {
    fn from(to: &str) -> Self {
        Self::new(to)
    }
}

impl From<String> for Target {
    fn from(to: String) -> Self {
        Self::new(to)
    }
}

/// A whisper is an ordinary story of the call of whoever answers, and this crate tells it like any other: a story that returns puts them
/// through, one that ends with [`Call::hang_up`](crate::Call::hang_up) does not. [`Rehearsal::whisper`](crate::Rehearsal::whisper) is such a
/// call for tests.
///
/// ```
/// use std::time::Duration;
///
/// use jackfield_guest::{Call, CallError, Digits, Rehearsal};
///
/// fn screening(call: &Call) -> Result<(), CallError> {
///     let question = call.say("A call from the ward. Press 1 to take it.")?;
///     match question.gather(Digits::up_to(1), Duration::from_secs(5))?.as_str() {
///         "1" => Ok(()),
///         _ => call.hang_up(),
///     }
/// }
///
/// let doctor = Rehearsal::whisper().press(1.0, "1");
/// screening(&Call::on(doctor.clone())).unwrap();
/// assert_eq!(doctor.transcript(), ["say A call from the ward. Press 1 to take it.", "stop"]);
/// ```
impl Whisper {
    /// Told by a component of the account, or a bundled one.
    #[must_use]
    pub fn component(name: impl Into<String>) -> Self {
        Self::told_by(StoryFlow::Component(name.into()))
    }

    /// Told by the `TwiML` document at this URL, asked for by GET or POST.
    #[must_use]
    pub fn voice_url(url: impl Into<String>, method: HttpMethod) -> Self {
        let url = url.into();
        Self::told_by(StoryFlow::VoiceUrl(StatusCallback { url, method }))
    }

    /// Told by this `TwiML` document.
    #[must_use]
    pub fn twiml(document: impl Into<String>) -> Self {
        Self::told_by(StoryFlow::Twiml(document.into()))
    }

    /// Gives it a setting, over those of the account.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    const fn told_by(story: StoryFlow) -> Self {
        Self {
            story,
            settings: Vec::new(),
        }
    }
}
