//! Recordings of a call: what is asked for, and what comes of it. Mirrors `jackfield:call/recording@0.1.0`.

pub use media::{
    PauseBehavior, RecordingChannels, RecordingEnd, RecordingOptions, RecordingTracks,
};
use serde::{Deserialize, Serialize};

use crate::{RecordingId, RecordingSid};

/// What a story, or the API, asks of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordingCommand {
    /// Begin one.
    Start(RecordingOptions),
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
