//! What is kept of one recording, beside its file.

use std::fmt;

use call::{
    AccountSid, RecordingCallback, RecordingOf, RecordingSid, RecordingSource, RecordingTracks,
};
use serde::{Deserialize, Serialize};

use crate::seal::random_bytes;
use crate::{Cursor, Page};

/// A SID for a new recording, with 128 random bits.
#[must_use]
pub fn random_recording_sid() -> RecordingSid {
    RecordingSid::from_bytes(random_bytes())
}

/// How far a recording has come, in the words of Twilio's `Recordings` resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordingStatus {
    /// It goes on.
    InProgress,
    /// It goes on, and records nothing for now.
    Paused,
    /// It has ended; its file is being made whole.
    Processing,
    /// Its file can be fetched.
    Completed,
    /// Nothing was heard: there is no file.
    Absent,
    /// It could not go on. What was recorded before can be fetched, if its duration is not zero.
    Failed,
}

impl RecordingStatus {
    /// No status follows this one.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Absent | Self::Failed)
    }
}

impl fmt::Display for RecordingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProgress => "in-progress",
            Self::Paused => "paused",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Absent => "absent",
            Self::Failed => "failed",
        })
    }
}

/// Who is told of a recording, and where they find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingTold {
    /// Who is told, and of which turns.
    pub callback: RecordingCallback,
    /// Where its file will be fetched from.
    pub url: String,
}

/// A recording that is about to be kept for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecording {
    /// Its SID, such as [`random_recording_sid`] makes.
    pub sid: RecordingSid,
    /// What is recorded.
    pub of: RecordingOf,
    /// Who began it.
    pub source: RecordingSource,
    /// 1 or 2.
    pub channels: u16,
    /// Samples a second of each channel.
    pub rate_hz: u32,
    /// Whose voice is recorded.
    pub tracks: RecordingTracks,
    /// Who is told of it; nobody in most cases.
    pub callback: Option<RecordingCallback>,
    /// Where its file will be fetched from.
    pub url: String,
    /// When it began.
    pub created_unix_ms: u64,
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingEnding {
    /// A final one.
    pub status: RecordingStatus,
    /// Of what is in the file.
    pub duration_ms: u64,
    /// Length of the file; 0 where there is none.
    pub file_bytes: u64,
}

/// One recording. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingRow {
    /// Its SID.
    pub sid: RecordingSid,
    /// Whose recording it is.
    pub account: AccountSid,
    /// What was recorded.
    pub of: RecordingOf,
    /// Who began it.
    pub source: RecordingSource,
    /// 1 or 2.
    pub channels: u16,
    /// Samples a second of each channel.
    pub rate_hz: u32,
    /// How far it has come.
    pub status: RecordingStatus,
    /// Of what is in the file; 0 while it goes on.
    pub duration_ms: u64,
    /// Length of the file; 0 while it goes on.
    pub file_bytes: u64,
    /// When it began.
    pub created_unix_ms: u64,
    /// When anything of it was last written.
    pub updated_unix_ms: u64,
    /// Whose voice is recorded.
    pub tracks: RecordingTracks,
    /// Who is told of it; nobody in most cases.
    pub told: Option<RecordingTold>,
}

impl RecordingRow {
    /// There is a file to be fetched.
    #[must_use]
    pub const fn has_media(&self) -> bool {
        self.status.is_final() && self.duration_ms > 0
    }

    /// Whole seconds, to the nearest; what is there at all is one at least.
    #[must_use]
    pub const fn duration_s(&self) -> u64 {
        let rounded = self.duration_ms.saturating_add(500) / 1_000;
        match (self.duration_ms, rounded) {
            (0, _) => 0,
            (_, 0) => 1,
            (_, rounded) => rounded,
        }
    }
}

/// Which of an account's recordings to list. The default lists all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Only recordings of this call or conference.
    pub of: Option<RecordingOf>,
    /// Only recordings begun at this time or later, in milliseconds since the Unix epoch.
    pub created_from_unix_ms: Option<u64>,
    /// Only recordings begun before this time, in milliseconds since the Unix epoch.
    pub created_before_unix_ms: Option<u64>,
}

impl RecordingFilter {
    /// The times of beginning that may fit: from the first, and before the second.
    pub(crate) fn created(&self) -> (u64, u64) {
        (
            self.created_from_unix_ms.unwrap_or(0),
            self.created_before_unix_ms.unwrap_or(u64::MAX),
        )
    }
}

/// Where the next page of recordings begins.
pub type RecordingCursor = Cursor<RecordingSid>;

/// A page of recordings.
pub type RecordingPage = Page<RecordingRow, RecordingSid>;

impl RecordingCursor {
    pub(crate) const fn of(row: &RecordingRow) -> Self {
        Self {
            created_unix_ms: row.created_unix_ms,
            sid: row.sid,
        }
    }
}

#[cfg(test)]
mod tests {
    use call::CallSid;

    use super::*;

    #[test]
    fn seconds_are_the_nearest_and_something_is_one() {
        for (duration_ms, expected) in [(0, 0), (20, 1), (1_499, 1), (1_500, 2), (59_999, 60)] {
            let row = RecordingRow {
                sid: RecordingSid::from_bytes([1; 16]),
                account: AccountSid::from_bytes([2; 16]),
                of: CallSid::from_bytes([3; 16]).into(),
                source: RecordingSource::RecordVerb,
                channels: 1,
                rate_hz: 8_000,
                status: RecordingStatus::Completed,
                duration_ms,
                file_bytes: 0,
                created_unix_ms: 0,
                updated_unix_ms: 0,
                tracks: RecordingTracks::Both,
                told: None,
            };
            assert_eq!(row.duration_s(), expected, "{duration_ms}");
        }
    }
}
