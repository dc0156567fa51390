//! One side of a conversation asks that the other be sent on (REFER: RFC 3515, RFC 5589).

use serde::{Deserialize, Serialize};

use crate::{CallSid, Continuation, DialId};

/// What one side asks for. Mirrors `jackfield:transfers/transfers@0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The URI that the other side is to be sent to.
    pub target: String,
    /// `Referred-By`, `User-to-User` and what begins with `X-`: names and values.
    pub fields: Vec<(String, String)>,
    /// The call of whoever was dialled, where they ask; none where the caller does.
    pub call_sid: Option<CallSid>,
}

/// What a story says of such wishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferCommand {
    /// Whoever answers this dial may ask.
    Allow(DialId),
    /// The other side of this call may ask, too.
    AllowOwn(DialId),
    /// What became of the wish by which this dial ended. Who asked is told, and let go.
    Conclude {
        /// The dial.
        dial: DialId,
        /// It was granted.
        is_taken: bool,
    },
    /// The wish of this call's other side is granted: whoever was dialled leaves the call, and goes on with another story.
    HandOver {
        /// The dial.
        dial: DialId,
        /// The story.
        next: Continuation,
    },
}
