//! What a callback is about.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CallSid, ConferenceSid, RecordingSid, StreamSid};

/// What a callback of the outbox tells of. Those of one subject are tried in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CallbackSubject {
    /// A call's turns.
    Call(CallSid),
    /// A recording's.
    Recording(RecordingSid),
    /// A conference's, and of who is in it.
    Conference(ConferenceSid),
    /// A media stream's.
    Stream(StreamSid),
    /// Who answered a call, which waits for nothing else that is told of it.
    Detection(CallSid),
    /// A call to a device that is to be woken; it too waits for nothing else that is told.
    Notification(CallSid),
}

impl fmt::Display for CallbackSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(sid) | Self::Detection(sid) | Self::Notification(sid) => sid.fmt(f),
            Self::Stream(sid) => sid.fmt(f),
            Self::Recording(sid) => sid.fmt(f),
            Self::Conference(sid) => sid.fmt(f),
        }
    }
}
