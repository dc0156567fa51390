//! Who is told of a conference.

use serde::{Deserialize, Serialize};

use crate::StatusCallback;

/// What of a conference a server may be told: Twilio's `statusCallbackEvent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConferenceTopic {
    /// It begins.
    Start,
    /// It is over.
    End,
    /// Somebody comes.
    Join,
    /// Somebody goes.
    Leave,
    /// Somebody is muted, or no longer.
    Mute,
    /// Somebody is on hold, or no longer.
    Hold,
    /// Something else of somebody is changed.
    Modify,
    /// An announcement was heard, or could not be.
    Announcement,
    /// Somebody begins or ceases to speak.
    Speaker,
}

impl ConferenceTopic {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Start,
        Self::End,
        Self::Join,
        Self::Leave,
        Self::Mute,
        Self::Hold,
        Self::Modify,
        Self::Announcement,
        Self::Speaker,
    ];

    /// Twilio's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Mute => "mute",
            Self::Hold => "hold",
            Self::Modify => "modify",
            Self::Announcement => "announcement",
            Self::Speaker => "speaker",
        }
    }
}

/// Who is told of a conference, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceCallback {
    /// Where, and how.
    pub to: StatusCallback,
    /// Of what.
    pub topics: Vec<ConferenceTopic>,
}
