//! `<Dial>`: whom to call, and where to go afterwards.

use std::time::Duration;

use jackfield_guest::{
    Dial as Whom, RecordingChannels, RecordingOptions, RecordingSource, RecordingTracks,
    TargetTerms,
};

use super::attribute::{at_least_one, boolean};
use super::callees::plain_number;
use super::{Link, Reading, Verb};
use crate::fault::{
    DIAL_ANSWER_ON_BRIDGE, DIAL_HANGUP_ON_STAR, DIAL_METHOD, DIAL_NESTED, DIAL_RECORD,
    DIAL_RING_TONE, DIAL_SEQUENTIAL, DIAL_TIME_LIMIT, DIAL_TIMEOUT, NOT_IN_SCHEMA,
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

    fn talk_recording(&mut self, element: &Element) -> Option<TalkRecording> {
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

    /// Whose voice is recorded.
    pub(super) fn tracks(&mut self, element: &Element) -> RecordingTracks {
        let both = RecordingTracks::Both;
        self.value(element, "recordingTrack", both, NOT_IN_SCHEMA, track)
    }

    fn manner(&mut self, element: &Element, mut whom: Whom, answers_late: bool) -> Whom {
        let seconds = |number: u32| Duration::from_secs(number.into());
        let timeout = self.value(element, "timeout", 30, DIAL_TIMEOUT, at_least_one);
        let timeout = timeout.clamp(SHORTEST_RINGING, LONGEST_RINGING);
        let limit = self.value(element, "timeLimit", 14_400, DIAL_TIME_LIMIT, at_least_one);
        whom = whom
            .ring_for(seconds(timeout))
            .talk_for(seconds(limit.min(LONGEST_TALK)));
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
            whom = whom.caller_id(number);
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
pub(super) mod tests {
    use jackfield_guest::{HttpMethod, Target, Whisper};

    use super::super::tests::{check, check_ignored};
    use super::*;

    /// As Twilio's defaults have it.
    pub(in crate::verb) fn usual(whom: Whom) -> Whom {
        whom.ring_for(Duration::from_secs(30))
            .talk_for(Duration::from_secs(14_400))
    }

    pub(in crate::verb) fn dial(whom: Whom) -> Verb {
        Verb::Dial(Dial {
            whom,
            terms: Vec::new(),
            answers_late: false,
            recording: None,
            action: None,
            refer: None,
        })
    }

    #[test]
    fn reads_dial() {
        let one = || dial(usual(Whom::to("+85510000001")));
        for text in [
            "+85510000001",
            " +855 (10) 000-001\n",
            "<Number>+855.10000001</Number>",
        ] {
            check(&format!("<Dial>{text}</Dial>"), one(), &[]);
        }
        check(
            "<Dial><Number>+1</Number><Sip>sip:a@192.0.2.1;transport=tcp</Sip></Dial>",
            dial(usual(Whom::to("+1").or_to("sip:a@192.0.2.1;transport=tcp"))),
            &[],
        );
        check(
            "<Dial timeout='3' timeLimit='60' callerId='+855 23' hangupOnStar='true' sequential='true' ringTone='UK' record='do-not-record'>1294</Dial>",
            dial(
                Whom::to("1294")
                    .ring_for(Duration::from_secs(5))
                    .talk_for(Duration::from_secs(60))
                    .caller_id("+85523")
                    .hang_up_on_star()
                    .in_turn()
                    .ring_tone("uk"),
            ),
            &[],
        );
        check(
            "<Dial action='/done' method='get' answerOnBridge='true'>+1</Dial>",
            Verb::Dial(Dial {
                whom: usual(Whom::to("+1")).answer_on_bridge(),
                terms: Vec::new(),
                answers_late: true,
                recording: None,
                action: Some(Link {
                    url: "/done".to_owned(),
                    method: HttpMethod::Get,
                }),
                refer: None,
            }),
            &[],
        );
    }

    #[test]
    fn where_a_transfer_is_asked_for_is_read() {
        for (attributes, method, warnings) in [
            ("referUrl=' /to '", HttpMethod::Post, &[][..]),
            ("referUrl='/to' referMethod='GET'", HttpMethod::Get, &[]),
            (
                "referUrl='/to' referMethod='PUT'",
                HttpMethod::Post,
                &["12200 Dial: invalid referMethod \"PUT\": the default is used"],
            ),
        ] {
            let Verb::Dial(usual) = dial(usual(Whom::to("+1"))) else {
                unreachable!("it is a dial");
            };
            let refer = Some(Link {
                url: "/to".to_owned(),
                method,
            });
            let expected = Verb::Dial(Dial { refer, ..usual });
            check(&format!("<Dial {attributes}>+1</Dial>"), expected, warnings);
        }
        check(
            "<Dial referUrl=''>+1</Dial>",
            dial(usual(Whom::to("+1"))),
            &[],
        );
    }

    #[test]
    fn odd_values_are_warned_of() {
        let odd = |name: &str, value: &str, code| {
            let warning = format!("{code} Dial: invalid {name} {value:?}: the default is used");
            let inner = format!("<Dial {name}='{value}'>+1</Dial>");
            check(&inner, dial(usual(Whom::to("+1"))), &[&warning]);
        };
        odd("timeout", "soon", 13212);
        odd("timeLimit", "0", 13216);
        odd("hangupOnStar", "maybe", 13213);
        odd("record", "yes", 13217);
        odd("sequential", "1", 13218);
        odd("ringTone", "gb", 13220);
        check(
            "<Dial><Say>x</Say><Number byoc='x'>+1</Number></Dial>",
            dial(usual(Whom::to("+1"))),
            &[
                "13215 Dial: <Say> cannot be in it, and is ignored",
                "12200 Number: byoc is not supported yet, and is ignored",
            ],
        );
        check_ignored("<Dial/>", &["13215 Dial: there is nobody in it"]);
        let eleven = "<Number>+1</Number>".repeat(11);
        let ten = (1..10).fold(Whom::to("+1"), |whom, _| whom.or_to("+1"));
        check(
            &format!("<Dial>{eleven}</Dial>"),
            dial(usual(ten)),
            &["13250 Dial: only the first 10 are dialled"],
        );
    }

    #[test]
    fn what_is_heard_first_is_read() {
        let whispered = |to: &str, whisper| dial(usual(Whom::to(Target::new(to).whisper(whisper))));
        let url = |method| Whisper::voice_url("/w?a=1", method);
        for (noun, expected) in [
            (
                "<Number url=' /w?a=1'>+1</Number>",
                whispered("+1", url(HttpMethod::Post)),
            ),
            (
                "<Sip url='/w?a=1' method='GET'>sip:a@b</Sip>",
                whispered("sip:a@b", url(HttpMethod::Get)),
            ),
            (
                "<Number sendDigits='ww12#'>+1</Number>",
                whispered(
                    "+1",
                    Whisper::twiml("<Response><Play digits=\"ww12#\"/></Response>"),
                ),
            ),
            (
                "<Number url='/w?a=1' sendDigits='ww12#'>+1</Number>",
                whispered("+1", url(HttpMethod::Post).setting("send-digits", "ww12#")),
            ),
        ] {
            check(&format!("<Dial>{noun}</Dial>"), expected, &[]);
        }
        check(
            "<Dial><Number sendDigits='x'>+1</Number></Dial>",
            dial(usual(Whom::to("+1"))),
            &[
                "13430 Play: invalid digits \"x\": none are sent; give 1 to 64 of 0-9, A-D, *, #, w, W",
            ],
        );
    }

    #[test]
    fn what_is_not_there_yet_is_named() {
        let expected = Verb::Unsupported("Application".to_owned());
        let inner = "<Dial><Application>AP1</Application></Dial>";
        check(inner, expected, &[]);
    }

    #[test]
    fn what_is_recorded_of_the_conversation() {
        let recorded = |from_ringing, channels, trim| {
            let options = RecordingOptions {
                channels,
                source: RecordingSource::DialVerb,
                ..RecordingOptions::of_call().trim_silence(trim)
            };
            Verb::Dial(Dial {
                whom: usual(Whom::to("+1")),
                terms: Vec::new(),
                answers_late: false,
                recording: Some(TalkRecording {
                    from_ringing,
                    options,
                }),
                action: None,
                refer: None,
            })
        };
        use RecordingChannels::{Dual, Mono};
        for (attributes, expected) in [
            ("record='true'", recorded(false, Mono, false)),
            ("record='record-from-answer'", recorded(false, Mono, false)),
            (
                "record='record-from-answer-dual'",
                recorded(false, Dual, false),
            ),
            (
                "record='record-from-ringing' trim='trim-silence'",
                recorded(true, Mono, true),
            ),
            (
                "record='record-from-ringing-dual'",
                recorded(true, Dual, false),
            ),
        ] {
            check(&format!("<Dial {attributes}>+1</Dial>"), expected, &[]);
        }
    }

    #[test]
    fn who_is_told_of_their_call_is_read() {
        use jackfield_guest::{CallTurn, DetectionMode, DetectionRequest, StatusCallback};
        let told = |url: &str, method| StatusCallback {
            url: url.to_owned(),
            method,
        };
        let target = Target::new("+1").status_callback(
            told("/s", HttpMethod::Get),
            [CallTurn::Initiated, CallTurn::Answered],
        );
        check(
            "<Dial><Number statusCallback='/s' statusCallbackMethod='GET' statusCallbackEvent='initiated answered initiated'>+1</Number></Dial>",
            dial(usual(Whom::to(target))),
            &[],
        );
        let target = Target::new("sip:a@b")
            .status_callback(told("/s", HttpMethod::Post), [CallTurn::Completed])
            .detect(DetectionRequest {
                mode: DetectionMode::DetectMessageEnd,
                timeout_ms: 20_000,
                status_callback: Some(told("/amd", HttpMethod::Post)),
                ..DetectionRequest::new()
            });
        check(
            "<Dial><Sip statusCallback='/s' statusCallbackEvent='busy' machineDetection='DetectMessageEnd' machineDetectionTimeout='20' machineDetectionSilenceTimeout='1' amdStatusCallback='/amd'>sip:a@b</Sip></Dial>",
            dial(usual(Whom::to(target))),
            &[
                "12200 Sip: statusCallbackEvent \"busy\" is unknown",
                "12200 Sip: invalid machineDetectionSilenceTimeout \"1\": the default is used",
            ],
        );
    }

    #[test]
    fn who_is_told_of_the_recording_is_read() {
        use jackfield_guest::{RecordingTurn, StatusCallback};
        let told = StatusCallback {
            url: "/r".to_owned(),
            method: HttpMethod::Post,
        };
        let options = RecordingOptions {
            channels: RecordingChannels::Mono,
            tracks: RecordingTracks::Callee,
            ..RecordingOptions::of_call()
                .source(RecordingSource::DialVerb)
                .status_callback(told, [RecordingTurn::Absent, RecordingTurn::InProgress])
        };
        check(
            "<Dial record='true' recordingTrack='outbound' recordingStatusCallback='/r' recordingStatusCallbackEvent='absent in-progress'>+1</Dial>",
            Verb::Dial(Dial {
                whom: usual(Whom::to("+1")),
                terms: Vec::new(),
                answers_late: false,
                recording: Some(TalkRecording {
                    from_ringing: false,
                    options,
                }),
                action: None,
                refer: None,
            }),
            &[],
        );
    }
}
