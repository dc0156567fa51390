//! A story hands its call over to another one.

use std::convert::Infallible;

use crate::{Call, CallError, Continuation, HttpMethod, StatusCallback, StoryFlow};

impl Continuation {
    /// A component of the account, or a bundled one.
    #[must_use]
    pub fn component(name: impl Into<String>) -> Self {
        Self::told_by(StoryFlow::Component(name.into()))
    }

    /// The `TwiML` document at this URL, asked for by GET or POST.
    #[must_use]
    pub fn voice_url(url: impl Into<String>, method: HttpMethod) -> Self {
        let url = url.into();
        Self::told_by(StoryFlow::VoiceUrl(StatusCallback { url, method }))
    }

    /// This `TwiML` document.
    #[must_use]
    pub fn twiml(document: impl Into<String>) -> Self {
        Self::told_by(StoryFlow::Twiml(document.into()))
    }

    /// Gives it a setting, over those that the call began with.
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

impl Call {
    /// Hands the call over to another component, or to `TwiML`, and ends this story: `?` carries it out.
    ///
    /// The other one finds the call as it is, ringing or answered. What plays is stopped, and who was dialled is let go.
    ///
    /// ```
    /// # use jackfield_guest::{Call, CallError, Continuation, Rehearsal};
    /// fn reception(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     match call.say("For the survey, press 1.")?.gather(jackfield_guest::Digits::up_to(1), std::time::Duration::from_secs(5))?.as_str() {
    ///         "1" => call.continue_with(Continuation::component("survey").setting("language", "km"))?,
    ///         _ => call.continue_with(Continuation::voice_url("https://app.example/voice", jackfield_guest::HttpMethod::Post))?,
    ///     };
    ///     Ok(())
    /// }
    /// # let caller = Rehearsal::new().press(0.5, "1");
    /// # reception(&Call::on(caller.clone())).unwrap_err();
    /// # assert_eq!(caller.transcript().last().unwrap(), "continue with survey");
    /// ```
    ///
    /// # Errors
    /// [`CallError::HungUp`] always where it was accepted, which is the ordinary end of a story; [`CallError::InvalidArgument`] for a component
    /// without a name and a URL that is none, [`CallError::NotGranted`] for a host that is not granted, [`CallError::LimitReached`] after a
    /// hundred times in one call.
    pub fn continue_with(&self, next: Continuation) -> Result<Infallible, CallError> {
        self.host().continue_with(next)?;
        Err(CallError::HungUp)
    }
}
