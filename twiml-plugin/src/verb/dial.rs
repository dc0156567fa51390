//! `<Dial>`: whom to call, and where to go afterwards.

use std::time::Duration;

use jackfield_guest::{
    Dial as Whom, RecordingChannels, RecordingOptions, RecordingSource, RecordingTracks,
    TargetTerms,
};

use super::attribute::{at_least_one, boolean};
use super::callees::{is_dialable, plain_number};
use super::{Link, Reading, Verb};
use crate::fault::{
    DIAL_ANSWER_ON_BRIDGE, DIAL_CALLER_ID, DIAL_HANGUP_ON_STAR, DIAL_METHOD, DIAL_NESTED,
    DIAL_RECORD, DIAL_RING_TONE, DIAL_SEQUENTIAL, DIAL_TIME_LIMIT, DIAL_TIMEOUT, NOT_IN_SCHEMA,
};
use crate::parse::Element;

/// Others on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dial {
    pub(crate) whom: Whom,
    /// Of those whom it calls, in their order; empty where nothing is said of any.
    pub(crate) terms: Vec<TargetTerms>,
    /// The call is answered only when somebody has answered.
    pub(crate) answers_late: bool,
    /// Both sides are recorded.
    pub(crate) recording: Option<TalkRecording>,
    /// Without one the document goes on.
    pub(crate) action: Option<Link>,
    /// Asked where the other side wants the caller to be sent on; without it that is refused.
    pub(crate) refer: Option<Link>,
}

/// How the conversation is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TalkRecording {
    /// The ringing too, where the caller was answered before.
    pub(crate) from_ringing: bool,
    pub(crate) options: RecordingOptions,
}

const ATTRIBUTES: [&str; 17] = [
    "action",
    "answerOnBridge",
    "callerId",
    "hangupOnStar",
    "method",
    "record",
    "recordingStatusCallback",
    "recordingStatusCallbackEvent",
    "recordingStatusCallbackMethod",
    "recordingTrack",
    "referMethod",
    "referUrl",
    "ringTone",
    "sequential",
    "timeLimit",
    "timeout",
    "trim",
];

/// Twilio's bounds of a ringing, in seconds.
const SHORTEST_RINGING: u32 = 5;
const LONGEST_RINGING: u32 = 600;

/// The longest conversation that the host takes, in seconds.
const LONGEST_TALK: u32 = 86_400;

/// Whose ringing tones there are.
const RING_TONES: [&str; 38] = [
    "at", "au", "be", "bg", "br", "ch", "cl", "cn", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr",
    "hu", "il", "in", "it", "jp", "lt", "mx", "my", "nl", "no", "nz", "ph", "pl", "pt", "ru", "se",
    "sg", "th", "tw", "uk", "us", "us-old",
];

impl Reading {
    /// None when there is nobody in it.
    pub(super) fn dial(&mut self, element: &Element) -> Option<Verb> {
        self.know(element, &ATTRIBUTES);
        let callees = match self.callees(element) {
            Ok(callees) => callees,
            Err(unsupported) => return Some(Verb::Unsupported(unsupported)),
        };
        let mut targets = callees.targets.into_iter();
        let Some(first) = targets.next() else {
            self.warn(DIAL_NESTED, "Dial: there is nobody in it");
            return None;
        };
        let mut whom = targets.fold(Whom::to(first), Whom::or_to);
        if callees.in_turn {
            whom = whom.in_turn();
        }
        let answers_late = self.value(
            element,
            "answerOnBridge",
            false,
            DIAL_ANSWER_ON_BRIDGE,
            boolean,
        );
        let action = element.attribute("action").map(|url| Link {
            url: url.trim().to_owned(),
            method: self.method(element, DIAL_METHOD),
        });
        Some(Verb::Dial(Dial {
            whom: self.manner(element, whom, answers_late),
            terms: callees.terms,
            answers_late,
            recording: self.talk_recording(element),
            action,
            refer: self.refer_link(element),
        }))
    }

    fn refer_link(&mut self, element: &Element) -> Option<Link> {
        let method = self.method_named(element, "referMethod", NOT_IN_SCHEMA);
        let url = element.attribute("referUrl")?.trim().to_owned();
        (!url.is_empty()).then_some(Link { url, method })
    }

    pub(super) fn talk_recording(&mut self, element: &Element) -> Option<TalkRecording> {
        use RecordingChannels::{Dual, Mono};
        let (from_ringing, channels) = self.value(
            element,
            "record",
            None,
            DIAL_RECORD,
            |record| match record {
                "do-not-record" | "false" => Some(None),
                "record-from-answer" | "true" => Some(Some((false, Mono))),
                "record-from-answer-dual" => Some(Some((false, Dual))),
                "record-from-ringing" => Some(Some((true, Mono))),
                "record-from-ringing-dual" => Some(Some((true, Dual))),
                _ => None,
            },
        )?;
        let trim = self.value(element, "trim", false, NOT_IN_SCHEMA, |trim| match trim {
            "trim-silence" => Some(true),
            "do-not-trim" => Some(false),
            _ => None,
        });
        let tracks = self.tracks(element);
        let options = RecordingOptions {
            channels,
            tracks,
            source: RecordingSource::DialVerb,
            status_callback: self.recording_callback(element),
            ..RecordingOptions::of_call().trim_silence(trim)
        };
        Some(TalkRecording {
            from_ringing,
            options,
        })
    }

    /// How long a conversation may last.
    pub(super) fn time_limit(&mut self, element: &Element) -> Duration {
        let limit = self.value(element, "timeLimit", 14_400, DIAL_TIME_LIMIT, at_least_one);
        Duration::from_secs(limit.min(LONGEST_TALK).into())
    }

    /// Whose voice is recorded.
    pub(super) fn tracks(&mut self, element: &Element) -> RecordingTracks {
        let both = RecordingTracks::Both;
        self.value(element, "recordingTrack", both, NOT_IN_SCHEMA, track)
    }

    fn manner(&mut self, element: &Element, mut whom: Whom, answers_late: bool) -> Whom {
        let seconds = |number: u32| Duration::from_secs(number.into());
        let timeout = self.value(element, "timeout", 30, DIAL_TIMEOUT, at_least_one);
        let timeout = timeout.clamp(SHORTEST_RINGING, LONGEST_RINGING);
        whom = whom
            .ring_for(seconds(timeout))
            .talk_for(self.time_limit(element));
        if answers_late {
            whom = whom.answer_on_bridge();
        }
        if self.value(element, "sequential", false, DIAL_SEQUENTIAL, boolean) {
            whom = whom.in_turn();
        }
        if self.value(element, "hangupOnStar", false, DIAL_HANGUP_ON_STAR, boolean) {
            whom = whom.hang_up_on_star();
        }
        if let Some(number) = element.attribute("callerId").map(plain_number) {
            if is_dialable(&number) {
                whom = whom.caller_id(number);
            } else {
                let message = format!("Dial: invalid callerId {number:?}: the default is used");
                self.warn(DIAL_CALLER_ID, message);
            }
        }
        let tone = self.value(element, "ringTone", None, DIAL_RING_TONE, |country| {
            let country = country.to_ascii_lowercase();
            RING_TONES
                .contains(&country.as_str())
                .then_some(Some(country))
        });
        match tone {
            Some(country) => whom.ring_tone(country),
            None => whom,
        }
    }
}

pub(super) fn track(word: &str) -> Option<RecordingTracks> {
    match word {
        "both" => Some(RecordingTracks::Both),
        "inbound" => Some(RecordingTracks::Caller),
        "outbound" => Some(RecordingTracks::Callee),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
