//! A prompt or speech that is under way.

use std::time::Duration;

use crate::inbox::Inbox;
use crate::{
    Answer, Call, CallError, Digits, Listening, ListeningRequest, PlaybackEnd, PlaybackId,
};

/// A prompt or speech that was queued by [`Call::play`] or [`Call::say`].
///
/// It plays whether or not the story waits for it; drop it to let it play on. Of a playback that fails (no such file, no
/// speech provider) nothing is heard; the cause is logged as a warning, and the story goes on.
#[derive(Debug)]
pub struct Playback<'a> {
    call: &'a Call,
    id: PlaybackId,
}

impl<'a> Playback<'a> {
    pub(crate) fn new(call: &'a Call, id: PlaybackId) -> Self {
        Self { call, id }
    }

    /// Waits for its end. Keys pressed meanwhile are kept for the next gather.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn finish(self) -> Result<PlaybackEnd, CallError> {
        self.call.wait_for(|inbox| inbox.take_end(self.id))
    }

    /// Waits for its end or for a key, whichever comes first; a key stops it.
    ///
    /// True when a key did. The key is kept: the next gather begins with it. A key that was typed ahead counts too.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn until_key(self) -> Result<bool, CallError> {
        self.end_before_key().map(|end| end.is_none())
    }

    /// As [`until_key`](Self::until_key), and says how it ended: none where a key came first, which stopped it.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn end_before_key(self) -> Result<Option<PlaybackEnd>, CallError> {
        self.end_before(Inbox::has_key)
    }

    /// Plays the question and collects the answer: the first key stops the prompt, and `timeout` begins at its end.
    ///
    /// See [`Call::gather`].
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn gather(self, digits: Digits, timeout: Duration) -> Result<String, CallError> {
        let call = self.call;
        self.until_key()?;
        call.gather(digits, timeout)
    }

    /// Waits for its end or for an answer, a key or somebody who speaks, whichever comes first; an answer stops it.
    ///
    /// True when one did. It is kept for [`Listening::answer`].
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn until_answer(self, listening: &Listening<'_>) -> Result<bool, CallError> {
        self.end_before_answer(listening).map(|end| end.is_none())
    }

    /// As [`until_answer`](Self::until_answer), and says how it ended: none where an answer came first, which stopped it.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn end_before_answer(
        self,
        listening: &Listening<'_>,
    ) -> Result<Option<PlaybackEnd>, CallError> {
        self.end_before(|inbox| listening.is_answered(inbox))
    }

    /// How it ended; none where something else came first, which stops it.
    pub(crate) fn end_before(
        self,
        comes: impl Fn(&Inbox) -> bool,
    ) -> Result<Option<PlaybackEnd>, CallError> {
        let end = self.call.wait_for(|inbox| match comes(inbox) {
            true => Some(None),
            false => inbox.take_end(self.id).map(Some),
        })?;
        if end.is_none() {
            self.stop()?;
        }
        Ok(end)
    }

    /// Plays the question and takes the answer, in words or by keys: the first of either stops the prompt, and `timeout` begins at its
    /// end.
    ///
    /// See [`Call::ask`].
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first; [`CallError::InvalidArgument`] for a request that is out of range.
    pub fn ask(
        self,
        request: ListeningRequest,
        digits: Digits,
        timeout: Duration,
    ) -> Result<Answer, CallError> {
        let call = self.call;
        let Some(listening) = call.listen_if_possible(request)? else {
            let digits = self.gather(digits, timeout)?;
            return Ok(Answer::of_keys(digits));
        };
        self.until_answer(&listening)?;
        listening.answer(digits, timeout, |_| {})
    }

    /// Stops it, or takes it off the queue. Not an error when it has ended already.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call is over.
    pub fn stop(self) -> Result<(), CallError> {
        match self.call.host().stop_playback(self.id) {
            Err(CallError::UnknownId) => Ok(()),
            outcome => outcome,
        }
    }
}
