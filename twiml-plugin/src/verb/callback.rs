//! Attributes that say who is told of a call, or of a recording. URLs are as written.

use jackfield_guest::{
    CallCallback, CallTurn, DetectionMode, DetectionRequest, RecordingCallback, RecordingTurn,
    StatusCallback,
};

use super::Reading;
use crate::fault::NOT_IN_SCHEMA;
use crate::parse::Element;

/// The attributes of [`Reading::call_callback`].
pub(super) const OF_CALL: [&str; 3] = [
    "statusCallback",
    "statusCallbackEvent",
    "statusCallbackMethod",
];

/// The attributes of [`Reading::detection`].
pub(super) const OF_DETECTION: [&str; 7] = [
    "machineDetection",
    "machineDetectionTimeout",
    "machineDetectionSpeechThreshold",
    "machineDetectionSpeechEndThreshold",
    "machineDetectionSilenceTimeout",
    "amdStatusCallback",
    "amdStatusCallbackMethod",
];

impl Reading {
    /// Who is told of the call to somebody; without `statusCallbackEvent` of its end.
    pub(super) fn call_callback(&mut self, noun: &Element) -> Option<CallCallback> {
        let to = self.told(noun, "statusCallback")?;
        let turns = self.turns(noun, "statusCallbackEvent", |word| {
            Some(match word {
                "initiated" => CallTurn::Initiated,
                "ringing" => CallTurn::Ringing,
                "answered" => CallTurn::Answered,
                "completed" => CallTurn::Completed,
                _ => return None,
            })
        });
        let turns = turns.unwrap_or_else(|| vec![CallTurn::Completed]);
        Some(CallCallback { to, turns })
    }

    /// Who is told of a recording; without `recordingStatusCallbackEvent` of its end.
    pub(super) fn recording_callback(&mut self, element: &Element) -> Option<RecordingCallback> {
        let to = self.told(element, "recordingStatusCallback")?;
        let turns = self.turns(element, "recordingStatusCallbackEvent", |word| {
            Some(match word {
                "in-progress" => RecordingTurn::InProgress,
                "completed" => RecordingTurn::Completed,
                "absent" => RecordingTurn::Absent,
                _ => return None,
            })
        });
        let turns = turns.unwrap_or_else(|| vec![RecordingTurn::Completed]);
        Some(RecordingCallback { to, turns })
    }

    /// What is to be known of who answers.
    pub(super) fn detection(&mut self, noun: &Element) -> Option<DetectionRequest> {
        let mode = self.value(
            noun,
            "machineDetection",
            None,
            NOT_IN_SCHEMA,
            |word| match word {
                "Enable" => Some(Some(DetectionMode::Enable)),
                "DetectMessageEnd" => Some(Some(DetectionMode::DetectMessageEnd)),
                _ => None,
            },
        )?;
        let default = DetectionRequest::new();
        let mut number = |name: &str, default: u32, least: u32, most: u32| {
            self.value(noun, name, default, NOT_IN_SCHEMA, |text| {
                let number = text.parse().ok();
                number.filter(|number| (least..=most).contains(number))
            })
        };
        let timeout_s = number("machineDetectionTimeout", 30, 3, 60);
        let [speech, end, silence] = [
            ("SpeechThreshold", default.speech_threshold_ms, 1_000, 6_000),
            (
                "SpeechEndThreshold",
                default.speech_end_threshold_ms,
                500,
                5_000,
            ),
            ("SilenceTimeout", default.silence_timeout_ms, 2_000, 10_000),
        ]
        .map(|(what, or, least, most)| number(&format!("machineDetection{what}"), or, least, most));
        Some(DetectionRequest {
            mode,
            timeout_ms: timeout_s * 1_000,
            speech_threshold_ms: speech,
            speech_end_threshold_ms: end,
            silence_timeout_ms: silence,
            status_callback: self.told(noun, "amdStatusCallback"),
        })
    }

    /// A URL, and how it is asked. `{name}Method` and `{name}Event` alone have no effect.
    fn told(&mut self, element: &Element, name: &str) -> Option<StatusCallback> {
        let method = self.method_named(element, &format!("{name}Method"), NOT_IN_SCHEMA);
        let url = element
            .attribute(name)
            .unwrap_or_default()
            .trim()
            .to_owned();
        if !url.is_empty() {
            return Some(StatusCallback { url, method });
        }
        let idle = ["Method", "Event"].map(|what| format!("{name}{what}"));
        for idle in idle.iter().filter(|idle| element.attribute(idle).is_some()) {
            let message = format!("{}: {idle} has no effect without {name}", element.name);
            self.warn(NOT_IN_SCHEMA, message);
        }
        None
    }

    /// Words between spaces; none where there is no such attribute, or nothing in it that can be read.
    fn turns<T: PartialEq>(
        &mut self,
        element: &Element,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut turns = Vec::new();
        for word in element.attribute(name)?.split_whitespace() {
            match read(word) {
                Some(turn) if turns.contains(&turn) => {}
                Some(turn) => turns.push(turn),
                None => {
                    let message = format!("{}: {name} {word:?} is unknown", element.name);
                    self.warn(NOT_IN_SCHEMA, message);
                }
            }
        }
        (!turns.is_empty()).then_some(turns)
    }
}
