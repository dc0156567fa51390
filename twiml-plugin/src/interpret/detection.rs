//! Who answered a call that was placed through the API, where that was asked.

use jackfield_guest::{AnsweredBy, CallError, DetectionMode, DetectionRequest, HttpMethod, warn};

use super::Interpreter;
use crate::fetch::Parameter;

impl Interpreter<'_> {
    /// What the first request tells of who answered. Waits for it, unless its server is told later.
    pub(super) fn who_answered(&self) -> Result<Vec<Parameter>, CallError> {
        let Some(request) = self.detection_request() else {
            return Ok(Vec::new());
        };
        let is_async = self.call.setting("async-amd").is_some();
        let answered_by = match self.call.detect_machine(request) {
            Ok(_) if is_async => return Ok(Vec::new()),
            Ok(detecting) => detecting.finish()?.answered_by,
            Err(CallError::HungUp) => return Err(CallError::HungUp),
            Err(error) => {
                warn!(self.call, "nobody listens for who answers: {error}");
                AnsweredBy::Unknown
            }
        };
        Ok(vec![("AnsweredBy", answered_by.as_str().to_owned())])
    }

    /// The API has checked what it says.
    fn detection_request(&self) -> Option<DetectionRequest> {
        let mode = match self.call.setting("machine-detection")?.as_str() {
            "DetectMessageEnd" => DetectionMode::DetectMessageEnd,
            _ => DetectionMode::Enable,
        };
        let number = |what: &str, or: u32| {
            let setting = self.call.setting(&format!("machine-detection-{what}"));
            setting.and_then(|text| text.parse().ok()).unwrap_or(or)
        };
        let default = DetectionRequest::new();
        let request = DetectionRequest {
            mode,
            timeout_ms: number("timeout", default.timeout_ms / 1_000).saturating_mul(1_000),
            speech_threshold_ms: number("speech-threshold", default.speech_threshold_ms),
            speech_end_threshold_ms: number(
                "speech-end-threshold",
                default.speech_end_threshold_ms,
            ),
            silence_timeout_ms: number("silence-timeout", default.silence_timeout_ms),
            status_callback: None,
        };
        let method = match self.call.setting("async-amd-status-callback-method") {
            Some(method) if method == "GET" => HttpMethod::Get,
            _ => HttpMethod::Post,
        };
        Some(match self.call.setting("async-amd-status-callback") {
            Some(url) => request.status_callback(url, method),
            None => request,
        })
    }
}
