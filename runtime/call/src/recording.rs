//! Recordings of a call: what is asked for, and what comes of it. Mirrors `jackfield:call/recording@0.1.0`.

use std::fmt;

pub use media::{
    PauseBehavior, RecordingChannels, RecordingEnd, RecordingOptions, RecordingTracks,
};
use serde::{Deserialize, Serialize};

use crate::{CallSid, ConferenceSid, RecordingId, RecordingSid, StatusCallback};

/// What a story, or the API, asks of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordingCommand {
    /// Begin one.
    Start(StartRecording),
    /// Record nothing for now.
    Pause(RecordingId, PauseBehavior),
    /// Record again.
    Resume(RecordingId),
    /// End it.
    Stop(RecordingId),
}

/// To the leg that records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingOrder {
    /// Record nothing for now.
    Pause(RecordingId, PauseBehavior),
    /// Record again.
    Resume(RecordingId),
    /// End it, for this reason.
    Stop(RecordingId, RecordingEnd),
}

/// A recording that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Its name in the API.
    pub sid: RecordingSid,
    /// Where it is fetched from.
    pub url: String,
    /// Why it ended; or why it could not go on, in words for the tenant.
    pub end: Result<RecordingEnd, String>,
    /// Of what is in the file; 0 when nothing is kept.
    pub duration_ms: u64,
    /// Somebody spoke.
    pub heard_voice: bool,
}

/// A recording that is to begin: how, and whom it is told to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRecording {
    /// What it is to be like.
    pub options: RecordingOptions,
    /// Who begins it.
    pub source: RecordingSource,
    /// Who is told of it; nobody in most cases.
    pub callback: Option<RecordingCallback>,
}

impl From<RecordingOptions> for StartRecording {
    /// A message, of which nobody is told.
    fn from(options: RecordingOptions) -> Self {
        Self {
            options,
            source: RecordingSource::RecordVerb,
            callback: None,
        }
    }
}

/// Who began a recording, in the words of Twilio's `RecordingSource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordingSource {
    /// A story that takes a message; with `TwiML`, `<Record>`.
    RecordVerb,
    /// The API.
    StartCallRecordingApi,
    /// A story that dials; with `TwiML`, `<Dial record>`.
    DialVerb,
    /// A story, for as long as it likes; with `TwiML`, `<Start><Recording>`.
    StartCallRecordingTwiml,
    /// The order for an outbound call.
    OutboundApi,
    /// A conference that is recorded from its beginning.
    Conference,
}

/// What is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordingOf {
    /// A call.
    Call(CallSid),
    /// A conference.
    Conference(ConferenceSid),
}

impl RecordingOf {
    /// The call, if it is one.
    #[must_use]
    pub const fn call(self) -> Option<CallSid> {
        match self {
            Self::Call(sid) => Some(sid),
            Self::Conference(_) => None,
        }
    }

    /// The conference, if it is one.
    #[must_use]
    pub const fn conference(self) -> Option<ConferenceSid> {
        match self {
            Self::Conference(sid) => Some(sid),
            Self::Call(_) => None,
        }
    }
}

impl From<CallSid> for RecordingOf {
    fn from(call: CallSid) -> Self {
        Self::Call(call)
    }
}

impl From<ConferenceSid> for RecordingOf {
    fn from(conference: ConferenceSid) -> Self {
        Self::Conference(conference)
    }
}

impl fmt::Display for RecordingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RecordVerb => "RecordVerb",
            Self::StartCallRecordingApi => "StartCallRecordingAPI",
            Self::DialVerb => "DialVerb",
            Self::StartCallRecordingTwiml => "StartCallRecordingTwiML",
            Self::OutboundApi => "OutboundAPI",
            Self::Conference => "Conference",
        })
    }
}

/// A turn of a recording that its account's server may be told of: Twilio's `RecordingStatusCallbackEvent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RecordingTurn {
    /// It has begun.
    InProgress,
    /// Its file can be fetched; or it failed.
    Completed,
    /// Nothing was heard: there is no file.
    Absent,
}

impl RecordingTurn {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::InProgress, Self::Completed, Self::Absent];

    /// Twilio's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Absent => "absent",
        }
    }
}

/// Who is told of a recording, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingCallback {
    /// Where, and how.
    pub to: StatusCallback,
    /// Of which turns.
    pub on: Vec<RecordingTurn>,
}

impl RecordingCallback {
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
