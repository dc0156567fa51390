//! What a call runs on.

use std::time::Duration;

use crate::{
    CallError, CallInfo, ConferenceOptions, ConferenceTerms, Continuation, Departure,
    DetectionRequest, DialId, DialRequest, Event, Level, ListeningId, ListeningRequest,
    MediaSource, PauseBehavior, PlaybackId, RecordingId, RecordingOptions, ReferRequest,
    RehearsedFiles, RehearsedPairs, RehearsedPeople, RehearsedPins, RehearsedQueue,
    RehearsedTransfer, RejectReason, Request, RequestId, Signals, Speech, StartedStream, StreamId,
    StreamRequest, TargetTerms, Transfer, WaitSound,
};

/// What a [`Call`](crate::Call) runs on.
///
/// One method for each import of the `call-flow` world, in its words; `wit/call@0.1.0` says what each does.
/// A story never sees it. [`Rehearsal`](crate::Rehearsal) is one for native tests.
#[allow(missing_docs)]
pub trait Host {
    fn info(&self) -> CallInfo;
    fn setting(&self, name: &str) -> Option<String>;
    fn log(&self, level: Level, message: &str);
    fn answer(&self) -> Result<(), CallError>;
    fn reject(&self, reason: RejectReason) -> Result<(), CallError>;
    fn hang_up(&self) -> Result<(), CallError>;
    fn play(&self, source: MediaSource, loops: u32) -> Result<PlaybackId, CallError>;
    fn say(&self, speech: Speech, loops: u32) -> Result<PlaybackId, CallError>;
    fn stop_playback(&self, playback: PlaybackId) -> Result<(), CallError>;
    fn press(&self, keys: String) -> Result<PlaybackId, CallError>;
    fn echo(&self, on: bool) -> Result<(), CallError>;
    fn continue_with(&self, next: Continuation) -> Result<(), CallError>;
    fn start_recording(&self, options: RecordingOptions) -> Result<RecordingId, CallError>;
    fn pause_recording(
        &self,
        recording: RecordingId,
        behavior: PauseBehavior,
    ) -> Result<(), CallError>;
    fn resume_recording(&self, recording: RecordingId) -> Result<(), CallError>;
    fn stop_recording(&self, recording: RecordingId) -> Result<(), CallError>;
    fn send_request(&self, request: Request) -> Result<RequestId, CallError>;
    fn join_conference(&self, name: String, options: ConferenceOptions) -> Result<(), CallError>;
    fn leave_conference(&self) -> Result<(), CallError>;
    fn mute(&self, muted: bool) -> Result<(), CallError>;
    fn hold(&self, sound: Option<WaitSound>) -> Result<(), CallError>;
    fn wait_in_queue(
        &self,
        name: String,
        sound: WaitSound,
        max_size: Option<u32>,
    ) -> Result<(), CallError>;
    fn serve_queue(&self, name: String) -> Result<(), CallError>;
    fn leave_queue(&self) -> Result<(), CallError>;
    fn dial(&self, request: DialRequest) -> Result<DialId, CallError>;
    fn stop_dial(&self, dial: DialId) -> Result<(), CallError>;
    fn start_stream(&self, request: StreamRequest) -> Result<StartedStream, CallError>;
    fn stop_stream(&self, stream: StreamId) -> Result<(), CallError>;
    fn detect_machine(&self, request: DetectionRequest) -> Result<(), CallError>;
    fn refer(&self, request: ReferRequest) -> Result<(), CallError>;
    fn listen(&self, request: ListeningRequest) -> Result<ListeningId, CallError>;
    fn stop_listening(&self, listening: ListeningId) -> Result<(), CallError>;

    /// The next event in order, or none when `timeout` is over; without one it waits for as long as it takes.
    fn next_event(&self, timeout: Option<Duration>) -> Option<Event>;

    /// The time since the story began. It may stand still between two events.
    fn elapsed(&self) -> Duration;

    /// The pairs of a rehearsal; none where a component's imports have them. Not called through this trait, lest every component import
    /// what few of them use.
    #[doc(hidden)]
    fn rehearsed_pairs(&self) -> Option<RehearsedPairs> {
        None
    }

    /// What a rehearsal says of joining a conference on terms, in the same way.
    #[doc(hidden)]
    fn rehearsed_conference(
        &self,
        _name: &str,
        _options: &ConferenceOptions,
        _terms: &ConferenceTerms,
    ) -> Option<Result<(), CallError>> {
        None
    }

    /// What a rehearsal says of a dial on terms, in the same way.
    #[doc(hidden)]
    fn rehearsed_dial(
        &self,
        _request: &DialRequest,
        _terms: &[TargetTerms],
    ) -> Option<Result<DialId, CallError>> {
        None
    }

    /// What a rehearsal says of whoever asks that the caller be sent on, in the same way.
    #[doc(hidden)]
    fn rehearsed_transfer(
        &self,
        _deed: RehearsedTransfer<'_>,
    ) -> Option<Result<Option<Transfer>, CallError>> {
        None
    }

    /// What a rehearsal says of a whisper for who waits, and of a call that is taken away from its queue, in the same way.
    #[doc(hidden)]
    fn rehearsed_queue(
        &self,
        _deed: RehearsedQueue<'_>,
    ) -> Option<Result<Option<Departure>, CallError>> {
        None
    }

    /// What a rehearsal says of SIP with whoever the last dial ended by, in the same way.
    #[doc(hidden)]
    fn rehearsed_signals(&self) -> Option<Option<Signals>> {
        None
    }

    /// The people of a rehearsal, in the same way.
    #[doc(hidden)]
    fn rehearsed_people(&self) -> Option<RehearsedPeople> {
        None
    }

    /// The account's own audio in a rehearsal, in the same way.
    #[doc(hidden)]
    fn rehearsed_files(&self) -> Option<RehearsedFiles> {
        None
    }

    /// The PINs of a rehearsal, in the same way.
    #[doc(hidden)]
    fn rehearsed_pins(&self) -> Option<RehearsedPins> {
        None
    }
}
