//! Recordings: begun, dealt with, waited for.

use std::time::Duration;

use crate::{
    Call, CallError, PauseBehavior, Recorded, RecordingCallback, RecordingChannels, RecordingId,
    RecordingOptions, RecordingSource, RecordingTracks, RecordingTurn, StatusCallback,
};

impl RecordingOptions {
    /// A message that the caller leaves: after a beep, until five seconds of silence or any key, at most an hour, with the
    /// silence around it left out. As Twilio's `<Record>` has it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use jackfield_guest::RecordingOptions;
    ///
    /// let options = RecordingOptions::of_message().until_keys("#").at_most(Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn of_message() -> Self {
        Self {
            tracks: RecordingTracks::Caller,
            channels: RecordingChannels::Mono,
            beep: true,
            silence_timeout_ms: Some(5_000),
            finish_keys: "1234567890*#".to_owned(),
            max_length_ms: Some(3_600_000),
            trim_silence: true,
            source: RecordingSource::RecordVerb,
            status_callback: None,
        }
    }

    /// The whole call from now on: the caller in the left channel, what is said to them in the right one.
    #[must_use]
    pub fn of_call() -> Self {
        Self {
            tracks: RecordingTracks::Both,
            channels: RecordingChannels::Dual,
            beep: false,
            silence_timeout_ms: None,
            finish_keys: String::new(),
            max_length_ms: None,
            trim_silence: false,
            source: RecordingSource::StartVerb,
            status_callback: None,
        }
    }

    /// With a beep first, or without.
    #[must_use]
    pub fn beep(self, beep: bool) -> Self {
        Self { beep, ..self }
    }

    /// Until so much silence; none: silence does not end it.
    #[must_use]
    pub fn until_silence(self, timeout: Option<Duration>) -> Self {
        Self {
            silence_timeout_ms: timeout.map(whole_milliseconds),
            ..self
        }
    }

    /// Until one of these keys; empty: no key ends it.
    #[must_use]
    pub fn until_keys(self, keys: impl Into<String>) -> Self {
        Self {
            finish_keys: keys.into(),
            ..self
        }
    }

    /// No longer than this.
    #[must_use]
    pub fn at_most(self, length: Duration) -> Self {
        Self {
            max_length_ms: Some(whole_milliseconds(length)),
            ..self
        }
    }

    /// Listed and told of as this.
    #[must_use]
    pub fn source(self, source: RecordingSource) -> Self {
        Self { source, ..self }
    }

    /// The host tells this server of these turns, signed as a webhook of the account, until it takes it.
    ///
    /// ```
    /// use jackfield_guest::{HttpMethod, RecordingOptions, RecordingTurn, StatusCallback};
    ///
    /// let server = StatusCallback { url: "https://app.example/recorded".to_owned(), method: HttpMethod::Post };
    /// let options = RecordingOptions::of_message().status_callback(server, [RecordingTurn::Completed]);
    /// ```
    #[must_use]
    pub fn status_callback(
        self,
        to: StatusCallback,
        turns: impl IntoIterator<Item = RecordingTurn>,
    ) -> Self {
        let turns = turns.into_iter().collect();
        Self {
            status_callback: Some(RecordingCallback { to, turns }),
            ..self
        }
    }

    /// With the silence at its beginning and end, or without.
    #[must_use]
    pub fn trim_silence(self, trim_silence: bool) -> Self {
        Self {
            trim_silence,
            ..self
        }
    }
}

impl Call {
    /// Records, and waits until that has ended: by silence, by a key, by its length, or with the call.
    ///
    /// A caller who hangs up ends their message so: it is given back all the same, and the next wait fails with
    /// [`CallError::HungUp`]. The key that ends it is in [`Recorded::end`], and not among those that the next gather takes.
    ///
    /// ```no_run
    /// # use jackfield_guest::{Call, CallError, RecordingOptions, info};
    /// # fn story(call: &Call) -> Result<(), CallError> {
    /// call.say("Leave a message, and press hash.")?.finish()?;
    /// let message = call.record(RecordingOptions::of_message().until_keys("#"))?;
    /// if message.heard_voice {
    ///     info!(call, "{} ms at {}", message.duration_ms, message.url);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`start_recording`](Self::start_recording).
    pub fn record(&self, options: RecordingOptions) -> Result<Recorded, CallError> {
        self.start_recording(options)?.finish()
    }

    /// Begins a recording, which goes on whatever the story does, until it is stopped or the call ends.
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer), [`CallError::InvalidArgument`] for lengths below 100 ms and
    /// what is no key, [`CallError::LimitReached`] when four go on.
    pub fn start_recording(&self, options: RecordingOptions) -> Result<Recording<'_>, CallError> {
        let id = self.host().start_recording(options)?;
        Ok(Recording { call: self, id })
    }
}

/// A recording that goes on, whether or not the story holds it.
#[derive(Debug)]
pub struct Recording<'a> {
    call: &'a Call,
    id: RecordingId,
}

impl Recording<'_> {
    /// Records nothing until [`resume`](Self::resume).
    ///
    /// # Errors
    /// [`CallError::UnknownId`] when it has ended, [`CallError::HungUp`] when the call has.
    pub fn pause(&self, behavior: PauseBehavior) -> Result<(), CallError> {
        self.call.host().pause_recording(self.id, behavior)
    }

    /// Records again.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub fn resume(&self) -> Result<(), CallError> {
        self.call.host().resume_recording(self.id)
    }

    /// Ends it, and waits for its file. One that has ended already is given back as it is.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ended and took what was told of it along.
    pub fn stop(self) -> Result<Recorded, CallError> {
        match self.call.host().stop_recording(self.id) {
            Ok(()) | Err(CallError::UnknownId | CallError::HungUp) => self.finish(),
            Err(error) => Err(error),
        }
    }

    /// Waits until it has ended, also beyond the end of the call.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ended and nothing more is told of it.
    pub fn finish(self) -> Result<Recorded, CallError> {
        self.call.wait_for_recording(self.id)
    }
}

fn whole_milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
