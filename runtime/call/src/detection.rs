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

impl DetectionRequest {
    /// Whether it can be obeyed.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.options.check().map_err(|error| error.to_string())?;
        let mut callback = self.status_callback.iter();
        callback.try_for_each(StatusCallback::check)
    }
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Who.
    pub answered_by: AnsweredBy,
    /// How long was listened, in milliseconds.
    pub duration_ms: u32,
}
