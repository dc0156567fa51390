//! `<Record>`: what is recorded, and where it is sent.

use std::time::Duration;

use jackfield_guest::{RecordingChannels, RecordingOptions, RecordingTracks};

use super::attribute::{at_least_one, boolean};
use super::dial::track;
use super::{Link, Reading};
use crate::fault::{
    NOT_IN_SCHEMA, RECORD_FINISH_ON_KEY, RECORD_MAX_LENGTH, RECORD_METHOD, RECORD_PLAY_BEEP,
    RECORD_TIMEOUT, RECORD_TRANSCRIBE,
};
use crate::parse::Element;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) options: RecordingOptions,
    pub(crate) action: Link,
}

const ATTRIBUTES: [&str; 12] = [
    "action",
    "finishOnKey",
    "maxLength",
    "method",
    "playBeep",
    "recordingStatusCallback",
    "recordingStatusCallbackEvent",
    "recordingStatusCallbackMethod",
    "timeout",
    "transcribe",
    "transcribeCallback",
    "trim",
];

const WHOLE_ATTRIBUTES: [&str; 6] = [
    "channels",
    "recordingStatusCallback",
    "recordingStatusCallbackEvent",
    "recordingStatusCallbackMethod",
    "track",
    "trim",
];

impl Reading {
    pub(super) fn record(&mut self, element: &Element) -> Record {
        self.know(element, &ATTRIBUTES);
        self.no_elements(element);
        self.without_transcription(element);
        let timeout = self.value(element, "timeout", 5, RECORD_TIMEOUT, |text| {
            text.parse::<u32>().ok()
        });
        let length = self.value(element, "maxLength", 3_600, RECORD_MAX_LENGTH, at_least_one);
        let (default, code) = ("1234567890*#", RECORD_FINISH_ON_KEY);
        let keys = self.value(element, "finishOnKey", default.to_owned(), code, |keys| {
            let is_key = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#');
            keys.chars().all(is_key).then(|| keys.to_owned())
        });
        let beep = self.value(element, "playBeep", true, RECORD_PLAY_BEEP, boolean);
        let trim = self.value(element, "trim", true, NOT_IN_SCHEMA, |trim| match trim {
            "trim-silence" => Some(true),
            "do-not-trim" => Some(false),
            _ => None,
        });
        let seconds = |number: u32| Duration::from_secs(number.into());
        let options = RecordingOptions::of_message()
            .until_silence((timeout > 0).then(|| seconds(timeout)))
            .at_most(seconds(length))
            .until_keys(keys)
            .beep(beep)
            .trim_silence(trim);
        Record {
            options: RecordingOptions {
                status_callback: self.recording_callback(element),
                ..options
            },
            action: Link {
                url: element
                    .attribute("action")
                    .unwrap_or_default()
                    .trim()
                    .to_owned(),
                method: self.method(element, RECORD_METHOD),
            },
        }
    }

    /// `<Recording>` of `<Start>`: the call from now on.
    pub(super) fn whole_recording(&mut self, noun: &Element) -> RecordingOptions {
        self.know(noun, &WHOLE_ATTRIBUTES);
        let dual = RecordingChannels::Dual;
        let channels = self.value(noun, "channels", dual, NOT_IN_SCHEMA, |word| match word {
            "mono" => Some(RecordingChannels::Mono),
            "dual" => Some(RecordingChannels::Dual),
            _ => None,
        });
        let both = RecordingTracks::Both;
        let tracks = self.value(noun, "track", both, NOT_IN_SCHEMA, track);
        let trim = self.value(noun, "trim", false, NOT_IN_SCHEMA, |trim| match trim {
            "trim-silence" => Some(true),
            "do-not-trim" => Some(false),
            _ => None,
        });
        RecordingOptions {
            channels,
            tracks,
            status_callback: self.recording_callback(noun),
            ..RecordingOptions::of_call().trim_silence(trim)
        }
    }

    /// Warns of what would be found missing only after the call.
    fn without_transcription(&mut self, element: &Element) {
        let transcribe = self.value(element, "transcribe", false, RECORD_TRANSCRIBE, boolean);
        let asks = [
            ("transcribe", transcribe),
            (
                "transcribeCallback",
                element.attribute("transcribeCallback").is_some(),
            ),
        ];
        for (name, _) in asks.into_iter().filter(|(_, asks)| *asks) {
            let message =
                format!("Record: {name} has no effect: recordings are not transcribed yet");
            self.warn(RECORD_TRANSCRIBE, message);
        }
    }
}
