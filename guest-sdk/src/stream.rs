//! The call's audio over a WebSocket.

use std::fmt;

use crate::{
    Call, CallError, HttpMethod, StatusCallback, StreamEnd, StreamError, StreamId, StreamRequest,
    StreamTracks,
};

impl StreamRequest {
    /// A stream of what the other side says, to this `wss` URL.
    ///
    /// ```
    /// use jackfield_guest::{StreamRequest, StreamTracks};
    ///
    /// let recogniser = StreamRequest::to("wss://example.net/listen")
    ///     .tracks(StreamTracks::Both)
    ///     .parameter("language", "km-KH")
    ///     .named("recogniser");
    /// let agent = StreamRequest::to("wss://example.net/agent").both_ways();
    /// ```
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tracks: StreamTracks::Inbound,
            both_ways: false,
            parameters: Vec::new(),
            name: None,
            status_callback: None,
        }
    }

    /// What is sent.
    #[must_use]
    pub fn tracks(mut self, tracks: StreamTracks) -> Self {
        self.tracks = tracks;
        self
    }

    /// The far end speaks too: its audio is said to the other side where no prompt and no key is due.
    #[must_use]
    pub fn both_ways(mut self) -> Self {
        self.both_ways = true;
        self
    }

    /// A parameter for the far end, in `start.customParameters`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// A name of which no other stream of the call has the same.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where the host tells of the stream's begin and end: GET or POST.
    #[must_use]
    pub fn status_callback(mut self, method: HttpMethod, url: impl Into<String>) -> Self {
        let url = url.into();
        self.status_callback = Some(StatusCallback { url, method });
        self
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted(why) => write!(formatter, "not granted: {why}"),
            Self::Unreachable(why) => write!(formatter, "unreachable: {why}"),
            Self::Refused(why) => write!(formatter, "refused: {why}"),
            Self::TimedOut(why) => write!(formatter, "timed out: {why}"),
            Self::TooLarge(why) => write!(formatter, "too large: {why}"),
            Self::Protocol(why) => write!(formatter, "protocol error: {why}"),
            Self::Lost(why) => write!(formatter, "connection lost: {why}"),
        }
    }
}

impl std::error::Error for StreamError {}

/// A media stream that was begun by [`Call::stream`].
///
/// It goes on whether or not the story waits for it, until the far end closes it, the story stops it, or the call is over. Of
/// one that fails, the cause is logged as a warning, and the story goes on.
#[derive(Debug)]
pub struct Stream<'a> {
    call: &'a Call,
    id: StreamId,
    sid: String,
}

impl Call {
    /// Sends the call's audio to a WebSocket, in the messages of Twilio's Media Streams; it is connected in the background.
    ///
    /// ```no_run
    /// # use jackfield_guest::{Call, CallError, StreamRequest};
    /// # fn story(call: &Call) -> Result<(), CallError> {
    /// // A listener, while the story goes on.
    /// let ear = call.stream(StreamRequest::to("wss://example.net/listen"))?;
    /// call.say("How can we help?")?.finish()?;
    /// ear.stop()?;
    /// // An agent that has the word until it is done.
    /// call.stream(StreamRequest::to("wss://example.net/agent").both_ways())?.finish()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer), [`CallError::LimitReached`] beyond 4 streams, or a second one both
    /// ways, [`CallError::InvalidArgument`] for a request that cannot be.
    pub fn stream(&self, request: StreamRequest) -> Result<Stream<'_>, CallError> {
        let started = self.host().start_stream(request)?;
        Ok(Stream {
            call: self,
            id: started.id,
            sid: started.sid,
        })
    }
}

impl Stream<'_> {
    /// How the far end and its callbacks know it: `MZ` and 32 hexadecimal digits.
    #[must_use]
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Waits until the far end has accepted it; false when that does not come about.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn started(&self) -> Result<bool, CallError> {
        self.call.wait_for(|inbox| inbox.stream_started(self.id))
    }

    /// Waits for its end. Keys pressed meanwhile are kept for the next gather.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn finish(self) -> Result<StreamEnd, CallError> {
        self.call.wait_for(|inbox| inbox.take_stream_end(self.id))
    }

    /// Ends it. Not an error when it has ended already.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call is over.
    pub fn stop(self) -> Result<(), CallError> {
        match self.call.host().stop_stream(self.id) {
            Err(CallError::UnknownId) => Ok(()),
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rehearsal;

    fn answered(caller: &Rehearsal) -> Call {
        let call = Call::on(caller.clone());
        call.answer().unwrap();
        call
    }

    #[test]
    fn a_story_waits_for_the_end_of_a_stream_or_stops_it() {
        let caller = Rehearsal::new()
            .press(1.0, "7")
            .stream_ends(30.0, 2, StreamEnd::Closed);
        let call = answered(&caller);
        let ear = StreamRequest::to("wss://a/")
            .tracks(StreamTracks::Both)
            .named("ear");
        let ear = call.stream(ear).unwrap();
        assert_eq!(ear.sid().len(), 34);
        assert_eq!(ear.started(), Ok(true));
        let agent = call
            .stream(StreamRequest::to("wss://b/").both_ways())
            .unwrap();
        assert_eq!(agent.finish(), Ok(StreamEnd::Closed));
        assert_eq!(call.elapsed().as_secs(), 30);
        assert_eq!(call.key(), Ok('7'), "keys are kept");
        ear.stop().unwrap();
        assert_eq!(
            caller.transcript(),
            [
                "answer",
                "stream both tracks to wss://a/ as ear",
                "stream both ways to wss://b/",
                "stop stream 1"
            ]
        );
    }

    #[test]
    fn one_that_fails_is_logged_and_the_story_goes_on() {
        let refused = StreamError::Refused("status 403".to_owned());
        let end = StreamEnd::Failed(refused);
        let caller = Rehearsal::new().stream_ends(0.0, 1, end.clone());
        let call = answered(&caller);
        let stream = call.stream(StreamRequest::to("wss://a/")).unwrap();
        assert_eq!(stream.started(), Ok(false));
        assert_eq!(stream.finish(), Ok(end));
        assert_eq!(caller.log(), ["warn: stream 1 failed: refused: status 403"]);
    }

    #[test]
    fn a_hang_up_ends_the_wait() {
        let caller = Rehearsal::new().hang_up(5.0);
        let call = answered(&caller);
        let stream = call.stream(StreamRequest::to("wss://a/")).unwrap();
        assert_eq!(stream.finish(), Err(CallError::HungUp));
    }
}
