//! What a story hears. Mirrors `jackfield:call/control@0.1.0`.

use serde::{Deserialize, Serialize};

use crate::{
    CallSid, CallStatus, ConferenceEvent, Detection, DialId, ListeningId, PlaybackId, QueueEvent,
    QueueExit, Recording, RecordingId, Referral, RequestId, Signalled, SpeechEvent, StreamEnd,
    StreamId, Transfer,
};

/// One event of a call, in the order the story sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The call is up: media flows both ways.
    Answered,
    /// The other side pressed a key: one of `0123456789*#ABCD`.
    Digit(char),
    /// A playback came to its end.
    PlaybackEnded(PlaybackId, PlaybackEnd),
    /// An HTTP request got its answer, or none.
    HttpResponse(RequestId, Result<HttpResponse, HttpError>),
    /// What becomes of the call in a conference.
    Conference(ConferenceEvent),
    /// What becomes of the call at a queue.
    Queue(QueueEvent),
    /// Somebody who was dialled answered, and is joined to this call.
    DialAnswered(DialId, CallSid),
    /// A dial came to its end.
    DialEnded(DialId, DialEnd),
    /// The far end of a media stream accepted it.
    StreamStarted(StreamId),
    /// A media stream is over, or did not come about.
    StreamEnded(StreamId, StreamEnd),
    /// It is known who answered, or that nobody can tell.
    MachineDetected(Detection),
    /// A recording ended, and its file is complete. Comes even after [`Self::HungUp`].
    RecordingEnded(RecordingId, Recording),
    /// What is known of a referral, each time that changes.
    Referred(Referral),
    /// The call is over; the last event but for the answers and recordings that are still to come.
    HungUp(HangUpCause),
    /// What becomes of a listening.
    Speech(ListeningId, SpeechEvent),
    /// A dial came to its end because whoever answered asked that the caller be sent on.
    DialTransferred(DialId, DialEnd, Transfer),
    /// The API takes the call away from its queue, and from this story: to that it is the end of the call.
    TakenFromQueue(QueueExit),
    /// A dial came to its end, and this passed in SIP with whoever it ended by.
    DialEndedBy(DialId, DialEnd, Signalled),
}

/// How a playback came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlaybackEnd {
    /// Played to its last sample.
    Finished,
    /// Stopped by the story. The end of the call is told by [`Event::HungUp`] alone.
    Stopped,
    /// Could not be fetched, decoded or spoken; says why.
    Failed(String),
}

/// How a dial came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialEnd {
    /// A final one.
    pub status: CallStatus,
    /// The call that was made; none where it was refused before it was one.
    pub call_sid: Option<CallSid>,
    /// Seconds from its answer to its end, rounded up; zero without an answer.
    pub duration_s: u32,
    /// Its final SIP status code; none where there was none.
    pub sip_status: Option<u16>,
    /// In words, for the log.
    pub reason: String,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HangUpCause {
    /// The other side hung up (BYE).
    Remote,
    /// The caller gave up before an answer (CANCEL).
    Cancelled,
    /// The story itself hung up, or turned the call away.
    Local,
    /// The API ended the call.
    Api,
    /// The call or its account reached a limit.
    Limit,
    /// The other side could not be reached any longer, or never confirmed the answer.
    Lost,
    /// The runtime is stopping.
    Shutdown,
}

/// An HTTP response after redirects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// 100 to 599.
    pub status: u16,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// At most 256 KiB.
    pub body: Vec<u8>,
    /// Where the body came from after redirects.
    pub url: String,
}

/// Why no response came. The text is for the tenant's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum HttpError {
    /// The URL is not one, or not `http` or `https`.
    #[error("invalid URL: {0}")]
    InvalidUrl(String),
    /// The address is not granted to this tenant; names the setting that would allow it.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// No such host, or nobody answers there.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The time was over.
    #[error("timed out: {0}")]
    TimedOut(String),
    /// Larger than allowed.
    #[error("too large: {0}")]
    TooLarge(String),
    /// More than 10 redirects.
    #[error("too many redirects: {0}")]
    TooManyRedirects(String),
    /// TLS or HTTP itself went wrong.
    #[error("protocol error: {0}")]
    Protocol(String),
}
