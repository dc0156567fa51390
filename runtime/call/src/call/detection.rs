//! Who answered: asked by the story, known by the leg.

use super::Call;
use crate::{CallError, Detection, DetectionRequest, Effect, Event, MediaCommand, Reply};

impl Call {
    pub(super) fn detect_machine(&mut self, request: DetectionRequest) -> Result<Reply, CallError> {
        request.check().map_err(CallError::InvalidArgument)?;
        if self.detecting.is_some() {
            return Err(CallError::LimitReached(
                "one detection at a time".to_owned(),
            ));
        }
        self.emit(Effect::Media(MediaCommand::DetectMachine(request.options)));
        self.detecting = Some(request);
        Ok(Reply::Done)
    }

    /// News of a detection that nobody waits for any more come too late.
    pub(super) fn machine_detected(&mut self, detection: Detection) {
        let Some(request) = self.detecting.take() else {
            return;
        };
        self.answered_by = Some(detection.answered_by);
        if let Some(callback) = request.status_callback {
            self.emit(Effect::TellDetection(callback, detection));
        }
        self.tell(Event::MachineDetected(detection));
    }
}
