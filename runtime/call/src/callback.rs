//! Who is told of a call.

use serde::{Deserialize, Serialize};

use crate::StatusCallback;

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
}

/// Who is told of a call, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCallback {
    /// Where, and how.
    pub to: StatusCallback,
    /// Of which turns.
    pub on: Vec<ProgressEvent>,
}

impl CallCallback {
    /// Whether it can be told.
    ///
    /// # Errors
    /// In words that say what would be right.
    pub fn check(&self) -> Result<(), String> {
        match self.on.is_empty() {
            true => Err("a callback tells of no turn: name some".to_owned()),
            false => self.to.check(),
        }
    }
}
