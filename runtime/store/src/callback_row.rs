//! What an account's server is to be told, and what it has not been told yet.

use call::{AccountSid, CallStatus, CallbackSubject, StatusCallback};
use serde::{Deserialize, Serialize};

use crate::CallEventKind;

/// A turn of a call that its account's server may be told of: Twilio's `StatusCallbackEvent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProgressEvent {
    /// Its INVITE leaves.
    Initiated,
    /// It rings.
    Ringing,
    /// Somebody answered.
    Answered,
    /// It is over, however that came.
    Completed,
}

impl ProgressEvent {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 4] = [
        Self::Initiated,
        Self::Ringing,
        Self::Answered,
        Self::Completed,
    ];

    /// Twilio's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Completed => "completed",
        }
    }

    /// What an event of a call means to who is told; none where they are not told of such.
    pub(crate) const fn of(kind: &CallEventKind) -> Option<Self> {
        match kind {
            CallEventKind::Attempted(_) => Some(Self::Initiated),
            CallEventKind::Status(CallStatus::Ringing) => Some(Self::Ringing),
            CallEventKind::Status(CallStatus::InProgress) => Some(Self::Answered),
            CallEventKind::Ended(_) => Some(Self::Completed),
            CallEventKind::Accepted | CallEventKind::CameIn(_) | CallEventKind::Status(_) => None,
        }
    }
}

/// Who is told of a call, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCallback {
    /// Where, and how.
    pub to: StatusCallback,
    /// Of which turns.
    pub on: Vec<ProgressEvent>,
}

/// What a call still has to tell, as its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallbackState {
    pub(crate) callback: CallCallback,
    /// How many were put into the outbox, which is the sequence number of the next.
    pub(crate) told: u32,
}

/// A callback in the outbox. Times are in milliseconds since the Unix epoch.
///
/// It holds all that is sent: what it tells of may be gone before it is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRow {
    /// Counts up from 1 in the store.
    pub id: u64,
    /// Whose server is told.
    pub account: AccountSid,
    /// Of what.
    pub subject: CallbackSubject,
    /// Of which turn, in Twilio's word for it.
    pub event: String,
    /// Counts up from 0 within the subject.
    pub sequence: u32,
    /// Where, and how.
    pub to: StatusCallback,
    /// What is said: the names and values of a form.
    pub parameters: Vec<(String, String)>,
    /// The same in every attempt, so that who is told twice can tell.
    pub token: [u8; 16],
    /// When it happened.
    pub created_unix_ms: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; none once it is given up.
    pub due_unix_ms: Option<u64>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl CallbackRow {
    /// The value of one parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let (_, value) = parameters.find(|(known, _)| known == name)?;
        Some(value)
    }
}

/// How an attempt to deliver a callback ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// The server took it. The row goes.
    Delivered,
    /// It did not.
    Failed {
        /// How often it was tried.
        attempts: u32,
        /// When it is tried again; none if nobody tries it any more.
        due_unix_ms: Option<u64>,
        /// Why.
        error: String,
    },
}
