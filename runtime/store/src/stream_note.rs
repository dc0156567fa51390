//! What an account's server is told of media streams.

use call::{CallSid, StatusCallback, StreamEnd, StreamSid};
use serde::{Deserialize, Serialize};

/// Something that happened to a media stream of which somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamNote {
    /// The call whose audio it carries.
    pub call: CallSid,
    /// Which.
    pub stream: StreamSid,
    /// Who is told.
    pub told: StreamTold,
    /// What happened.
    pub turn: StreamTurn,
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
}

/// Who is told of a media stream, and by which name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamTold {
    /// The stream's name, if it has one.
    pub name: Option<String>,
    /// Whose server is asked, and how.
    pub to: StatusCallback,
}

/// A turn of a media stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamTurn {
    /// The server takes what it is sent.
    Started,
    /// It is over, or could not begin.
    Ended(StreamEnd),
}
