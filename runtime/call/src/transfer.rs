//! Whoever was dialled asks that the caller be sent on (REFER: RFC 3515, RFC 5589).

use serde::{Deserialize, Serialize};

use crate::{CallSid, DialId};

/// What whoever was dialled asks for. Mirrors `jackfield:transfers/transfers@0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The URI that the caller is to be sent to.
    pub target: String,
    /// `Referred-By`, `User-to-User` and what begins with `X-`: names and values.
    pub fields: Vec<(String, String)>,
    /// The call of whoever asks.
    pub call_sid: CallSid,
}

/// What a story says of such wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferCommand {
    /// Whoever answers this dial may ask.
    Allow(DialId),
    /// What became of the wish by which this dial ended. Who asked is told, and let go.
    Conclude {
        /// The dial.
        dial: DialId,
        /// The caller was sent on.
        is_taken: bool,
    },
}
