//! What is kept of one recording, beside its file.

use std::fmt;

use call::{AccountSid, CallSid, RecordingSid};
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

/// Who began a recording, in the words of Twilio's `RecordingSource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordingSource {
    /// The call's story; with `TwiML`, `<Record>`.
    RecordVerb,
    /// The API.
    StartCallRecordingApi,
}

impl fmt::Display for RecordingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RecordVerb => "RecordVerb",
            Self::StartCallRecordingApi => "StartCallRecordingAPI",
        })
    }
}

/// A recording that is about to be kept for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecording {
    /// Its SID, such as [`random_recording_sid`] makes.
    pub sid: RecordingSid,
    /// The call that is recorded.
    pub call: CallSid,
    /// Who began it.
    pub source: RecordingSource,
    /// 1 or 2.
    pub channels: u16,
    /// Samples a second of each channel.
    pub rate_hz: u32,
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
    /// The call that was recorded.
    pub call: CallSid,
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
}

impl RecordingRow {
    /// There is a file to be fetched.
    #[must_use]
    pub const fn has_media(&self) -> bool {
        self.status.is_final() && self.duration_ms > 0
    }
}

/// Which of an account's recordings to list. The default lists all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Only recordings of this call.
    pub call: Option<CallSid>,
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
