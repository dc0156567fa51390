//! What the API asks of the media streams of calls that are up.

use call::{AccountSid, CallSid, StreamRequest, StreamSid};

use crate::Done;

/// The media streams of calls that are up. None of these blocks.
pub trait LiveStreams: Send + Sync {
    /// Begins a stream of a call that is up. Resolves once it is being connected.
    fn begin_stream(
        &self,
        account: AccountSid,
        call: CallSid,
        request: StreamRequest,
    ) -> Done<Result<LiveStream, StreamRefusal>>;

    /// Ends a stream of a call that is up, whoever began it.
    fn stop_stream(
        &self,
        account: AccountSid,
        call: CallSid,
        stream: StreamName,
    ) -> Done<Result<LiveStream, StreamRefusal>>;
}

/// What a path calls a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamName {
    /// Its SID.
    Sid(StreamSid),
    /// The name that it was given.
    Name(String),
}

/// A stream that was begun or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveStream {
    /// How the far end and the callbacks know it.
    pub sid: StreamSid,
    /// The name that it was given.
    pub name: Option<String>,
}

/// Why nothing was done to a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamRefusal {
    /// The call is not up.
    #[error("the call is not in progress")]
    NotInProgress,
    /// No such stream of the call goes on.
    #[error("no such stream of the call goes on")]
    Unknown,
    /// The request is wrong, or the call has too many, in words.
    #[error("{0}")]
    Refused(String),
}
