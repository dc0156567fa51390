//! What is kept of one queue. Who waits at it is known to the running host alone.

use call::{AccountSid, QueueSid};
use serde::{Deserialize, Serialize};

use crate::seal::random_bytes;
use crate::{Cursor, Page};

/// Queues that an account may keep.
pub const MAX_QUEUES: usize = 1_000;

/// A SID for a new queue, with 128 random bits.
#[must_use]
pub fn random_queue_sid() -> QueueSid {
    QueueSid::from_bytes(random_bytes())
}

/// A queue that is about to be kept for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQueue {
    /// Its SID, such as [`random_queue_sid`] makes.
    pub sid: QueueSid,
    /// 1 to 64 characters, which no other queue of the account has.
    pub name: String,
    /// 1 to 5,000.
    pub max_size: u32,
    /// When it was begun, in milliseconds since the Unix epoch.
    pub created_unix_ms: u64,
}

/// What is to be different about a queue. The default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueChange {
    /// Its name.
    pub name: Option<String>,
    /// How many may wait.
    pub max_size: Option<u32>,
}

/// One queue. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// Its SID.
    pub sid: QueueSid,
    /// Whose queue it is.
    pub account: AccountSid,
    /// What the account calls it.
    pub name: String,
    /// How many may wait.
    pub max_size: u32,
    /// When it was begun.
    pub created_unix_ms: u64,
    /// When anything of it was last written.
    pub updated_unix_ms: u64,
}

/// Where the next page of queues begins.
pub type QueueCursor = Cursor<QueueSid>;

/// A page of queues.
pub type QueuePage = Page<QueueRow, QueueSid>;

impl QueueCursor {
    pub(crate) const fn of_queue(row: &QueueRow) -> Self {
        Self {
            created_unix_ms: row.created_unix_ms,
            sid: row.sid,
        }
    }
}
