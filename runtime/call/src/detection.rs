//! Who answered a call. Mirrors `jackfield:call/machine-detection@0.1.0`.

use media::{AnsweredBy, MachineDetectionOptions};
use serde::{Deserialize, Serialize};

use crate::StatusCallback;

/// What a story wants to know of who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectionRequest {
    /// What counts as whom, and when an answer is wanted.
    pub options: MachineDetectionOptions,
    /// Where the host tells of the answer.
    pub status_callback: Option<StatusCallback>,
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Who.
    pub answered_by: AnsweredBy,
    /// How long was listened, in milliseconds.
    pub duration_ms: u32,
}
