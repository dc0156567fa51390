//! `jackfield:call/machine-detection`: who answered.

use std::time::Duration;

use call::{AnsweredBy, Command, MachineDetection, MachineDetectionOptions};

use crate::bindings::{control, machine_detection};
use crate::state::StoryState;

impl machine_detection::Host for StoryState {
    async fn detect_machine(
        &mut self,
        request: machine_detection::DetectionRequest,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::DetectMachine(request.into())).await
    }
}

impl From<machine_detection::DetectionRequest> for call::DetectionRequest {
    fn from(request: machine_detection::DetectionRequest) -> Self {
        let length = |ms: u32| Duration::from_millis(ms.into());
        Self {
            options: MachineDetectionOptions {
                mode: match request.mode {
                    machine_detection::DetectionMode::Enable => MachineDetection::Enable,
                    machine_detection::DetectionMode::DetectMessageEnd => {
                        MachineDetection::DetectMessageEnd
                    }
                },
                timeout: length(request.timeout_ms),
                speech_threshold: length(request.speech_threshold_ms),
                speech_end_threshold: length(request.speech_end_threshold_ms),
                silence_timeout: length(request.silence_timeout_ms),
            },
            status_callback: request.status_callback.map(Into::into),
        }
    }
}

impl From<call::Detection> for control::Detection {
    fn from(detection: call::Detection) -> Self {
        Self {
            answered_by: match detection.answered_by {
                AnsweredBy::Human => control::AnsweredBy::Human,
                AnsweredBy::MachineStart => control::AnsweredBy::MachineStart,
                AnsweredBy::MachineEndBeep => control::AnsweredBy::MachineEndBeep,
                AnsweredBy::MachineEndSilence => control::AnsweredBy::MachineEndSilence,
                AnsweredBy::MachineEndOther => control::AnsweredBy::MachineEndOther,
                AnsweredBy::Fax => control::AnsweredBy::Fax,
                AnsweredBy::Unknown => control::AnsweredBy::Unknown,
            },
            duration_ms: detection.duration_ms,
        }
    }
}
