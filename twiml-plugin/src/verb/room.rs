//! `<Dial>` with `<Conference>` or `<Queue>` in it, and `<Enqueue>`.

use std::time::Duration;

use jackfield_guest::{
    Beep, ConferenceCallback, ConferenceOptions, ConferenceRecording, ConferenceTerms,
    ConferenceTopic, HttpMethod, RecordingCallback, RecordingTurn, StatusCallback, WaitSound,
};

use super::attribute::{at_least_one, boolean};
use super::{Link, Reading, TalkRecording};
use crate::fault::{
    CONFERENCE_END, CONFERENCE_MUTED, CONFERENCE_START, CONFERENCE_WAIT_METHOD,
    DIAL_HANGUP_ON_STAR, DIAL_METHOD, DIAL_NESTED, DIAL_RECORD, DIAL_TIMEOUT, NOT_IN_SCHEMA,
};
use crate::parse::{Element, Node};

/// Being with others until it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomDial {
    pub(crate) room: Room,
    /// None: the document goes on.
    pub(crate) action: Option<Link>,
    pub(crate) hangup_on_star: bool,
    /// How long nobody may come to one who serves a queue.
    pub(crate) timeout: Duration,
    /// How long it may last: in a conference from the joining, at a queue from when the two hear each other.
    pub(crate) limit: Duration,
    /// The conversation with one who waited is recorded.
    pub(crate) recording: Option<TalkRecording>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Room {
    Conference {
        name: String,
        options: Box<ConferenceOptions>,
        terms: Box<ConferenceTerms>,
        wait: Wait,
    },
    /// The one who waits longest there, who may hear something first.
    Queue { name: String, whisper: Option<Link> },
}

/// Waiting in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Enqueue {
    pub(crate) name: String,
    /// None: the document goes on.
    pub(crate) action: Option<Link>,
    pub(crate) wait: Wait,
    pub(crate) max_size: Option<u32>,
}

/// What is heard by one who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wait {
    /// As the host has it.
    Music,
    Silence,
    /// A sound, or a document.
    Url(Link),
}

impl Wait {
    /// What the host plays meanwhile.
    pub(crate) fn sound(&self) -> WaitSound {
        match self {
            Self::Music => WaitSound::Music,
            Self::Silence | Self::Url(_) => WaitSound::Silence,
        }
    }
}

const DIAL: [&str; 5] = ["action", "hangupOnStar", "method", "timeLimit", "timeout"];

/// Of a `<Dial>`, for what is recorded of a conversation.
const RECORDING: [&str; 6] = [
    "record",
    "recordingStatusCallback",
    "recordingStatusCallbackEvent",
    "recordingStatusCallbackMethod",
    "recordingTrack",
    "trim",
];

const CONFERENCE: [&str; 19] = [
    "beep",
    "coach",
    "endConferenceOnExit",
    "eventCallbackUrl",
    "maxParticipants",
    "muted",
    "participantLabel",
    "record",
    "recordingStatusCallback",
    "recordingStatusCallbackEvent",
    "recordingStatusCallbackMethod",
    "startConferenceOnEnter",
    "statusCallback",
    "statusCallbackEvent",
    "statusCallbackMethod",
    "trim",
    "waitMethod",
    "waitUrl",
    "jitterBufferSize",
];

/// Of `statusCallbackEvent`: who begins and who ceases to speak.
const SPEAKER: &str = "speaker";

/// Twilio's that change nothing yet.
const CONFERENCE_LATER: [&str; 3] = ["region", "recordingConfigurationId", "recordingTrack"];

/// The conference or the queue that a `<Dial>` dials.
fn noun(dial: &Element) -> Option<&Element> {
    dial.elements()
        .find(|inner| matches!(inner.name.as_str(), "Conference" | "Queue"))
}

/// Whether a `<Dial>` dials a conference or a queue.
pub(super) fn is_room(dial: &Element) -> bool {
    noun(dial).is_some()
}

impl Reading {
    /// None where it has no name.
    pub(super) fn room_dial(&mut self, element: &Element) -> Option<RoomDial> {
        let noun = noun(element)?;
        self.know(element, &[&DIAL[..], &RECORDING].concat());
        self.no_elements(noun);
        self.nothing_beside(noun, element);
        let recording = match noun.name.as_str() {
            "Queue" => self.talk_recording(element),
            _ => {
                self.no_recording(element);
                None
            }
        };
        let room = match noun.name.as_str() {
            "Queue" => self.queue(noun),
            _ => self.conference(noun),
        };
        let star = DIAL_HANGUP_ON_STAR;
        let timeout = self.value(element, "timeout", 30, DIAL_TIMEOUT, at_least_one);
        Some(RoomDial {
            room: room?,
            action: self.action(element, DIAL_METHOD),
            hangup_on_star: self.value(element, "hangupOnStar", false, star, boolean),
            timeout: Duration::from_secs(u64::from(timeout)),
            limit: self.time_limit(element),
            recording,
        })
    }

    pub(super) fn enqueue(&mut self, element: &Element) -> Option<Enqueue> {
        let known = [
            "action",
            "maxQueueSize",
            "method",
            "waitUrl",
            "waitUrlMethod",
        ];
        self.know(element, &known);
        self.no_elements(element);
        Some(Enqueue {
            name: self.name(element)?,
            action: self.action(element, NOT_IN_SCHEMA),
            wait: self.wait(element, "waitUrlMethod"),
            max_size: self.value(element, "maxQueueSize", None, NOT_IN_SCHEMA, |size| {
                at_least_one(size).map(Some)
            }),
        })
    }

    /// Whoever is in a conference or at a queue dials nobody else meanwhile.
    fn nothing_beside(&mut self, noun: &Element, dial: &Element) {
        for node in &dial.children {
            let other = match node {
                Node::Element(element) if std::ptr::eq(element, noun) => continue,
                Node::Text(text) if text.trim().is_empty() => continue,
                Node::Element(element) => format!("<{}>", element.name),
                Node::Text(_) => "the text".to_owned(),
            };
            let message = format!("Dial: {other} beside <{}> is ignored", noun.name);
            self.warn(DIAL_NESTED, message);
        }
    }

    /// A conference is recorded as a whole, by its own attributes.
    fn no_recording(&mut self, dial: &Element) {
        for name in RECORDING {
            if dial.attribute(name).is_some() {
                let message = format!(
                    "Dial: {name} has no effect with a conference: its <Conference> has `record`"
                );
                self.warn(DIAL_RECORD, message);
            }
        }
    }

    fn queue(&mut self, element: &Element) -> Option<Room> {
        let later = ["postWorkActivitySid", "reservationSid"];
        self.later(element, &later);
        self.know(element, &[&later[..], &["url", "method"]].concat());
        let method = self.method(element, NOT_IN_SCHEMA);
        let url = element.attribute("url").map(str::trim);
        let whisper = url.filter(|url| !url.is_empty()).map(|url| Link {
            url: url.to_owned(),
            method,
        });
        Some(Room::Queue {
            name: self.name(element)?,
            whisper,
        })
    }

    fn conference(&mut self, element: &Element) -> Option<Room> {
        self.later(element, &CONFERENCE_LATER);
        self.know(element, &[&CONFERENCE[..], &CONFERENCE_LATER].concat());
        self.without_effect(element, &["jitterBufferSize"]); // ours follows the jitter
        let mut flag = |name, default, code| self.value(element, name, default, code, boolean);
        let options = ConferenceOptions {
            muted: flag("muted", false, CONFERENCE_MUTED),
            start_on_enter: flag("startConferenceOnEnter", true, CONFERENCE_START),
            end_on_exit: flag("endConferenceOnExit", false, CONFERENCE_END),
            beep: self.value(element, "beep", Beep::Always, NOT_IN_SCHEMA, beep),
            coach: element.attribute("coach").map(ToOwned::to_owned),
            max_participants: self.value(
                element,
                "maxParticipants",
                None,
                NOT_IN_SCHEMA,
                max_participants,
            ),
            label: element.attribute("participantLabel").map(ToOwned::to_owned),
            status_callback: self.conference_callback(element),
            ..ConferenceOptions::default()
        };
        let terms = ConferenceTerms {
            recording: self.conference_recording(element),
            speakers: options.status_callback.is_some() && tells_of_speakers(element),
        };
        let wait = self.wait(element, "waitMethod");
        Some(Room::Conference {
            name: self.name(element)?,
            options: Box::new(ConferenceOptions {
                wait_sound: wait.sound(),
                ..options
            }),
            terms: Box::new(terms),
            wait,
        })
    }

    /// How the conference is recorded, where it is.
    fn conference_recording(&mut self, element: &Element) -> Option<ConferenceRecording> {
        let recorded = self.value(element, "record", false, NOT_IN_SCHEMA, |word| match word {
            "record-from-start" | "true" => Some(true),
            "do-not-record" | "false" => Some(false),
            _ => None,
        });
        let trim_silence = self.value(element, "trim", true, NOT_IN_SCHEMA, |trim| match trim {
            "trim-silence" => Some(true),
            "do-not-trim" => Some(false),
            _ => None,
        });
        let status_callback = self
            .recording_callback(element)
            .or_else(|| earlier_callback(element));
        recorded.then_some(ConferenceRecording {
            trim_silence,
            status_callback,
        })
    }

    /// Who is told of the conference. Its URL may be relative to the document still.
    fn conference_callback(&mut self, element: &Element) -> Option<ConferenceCallback> {
        let method = self.method_named(element, "statusCallbackMethod", NOT_IN_SCHEMA);
        let words = element.attribute("statusCallbackEvent");
        let mut topics = Vec::new();
        for word in words.unwrap_or("start end").split_ascii_whitespace() {
            match topic(word) {
                Some(topic) if !topics.contains(&topic) => topics.push(topic),
                Some(_) => {}
                None if word == SPEAKER => {}
                None => self.warn(
                    NOT_IN_SCHEMA,
                    format!("Conference: nobody is told of {word:?} (statusCallbackEvent)"),
                ),
            }
        }
        let url = element.attribute("statusCallback")?.trim().to_owned();
        let to = StatusCallback { url, method };
        let tells = !topics.is_empty() || tells_of_speakers(element);
        (!to.url.is_empty() && tells).then_some(ConferenceCallback { to, topics })
    }

    /// The text of an element that must have one.
    fn name(&mut self, element: &Element) -> Option<String> {
        let name = element.text();
        if name.is_empty() {
            self.warn(
                NOT_IN_SCHEMA,
                format!("{}: there is no name in it: it is ignored", element.name),
            );
            return None;
        }
        Some(name)
    }

    fn wait(&mut self, element: &Element, method: &str) -> Wait {
        let code = CONFERENCE_WAIT_METHOD;
        let method = self.value(
            element,
            method,
            HttpMethod::Post,
            code,
            |method| match method.to_ascii_uppercase().as_str() {
                "GET" => Some(HttpMethod::Get),
                "POST" => Some(HttpMethod::Post),
                _ => None,
            },
        );
        match element.attribute("waitUrl").map(str::trim) {
            None => Wait::Music,
            Some("") => Wait::Silence,
            Some(url) => Wait::Url(Link {
                url: url.to_owned(),
                method,
            }),
        }
    }

    fn action(&mut self, element: &Element, code: u16) -> Option<Link> {
        let method = self.method(element, code);
        element.attribute("action").map(|url| Link {
            url: url.trim().to_owned(),
            method,
        })
    }

    /// Warns of attributes that change nothing yet.
    fn later(&mut self, element: &Element, names: &[&str]) {
        for name in names {
            if element.attribute(name).is_some() {
                let verb = &element.name;
                let message = format!("{verb}: {name} is not supported yet, and is ignored");
                self.warn(NOT_IN_SCHEMA, message);
            }
        }
    }
}

/// Twilio's older attribute: whoever it names is told of the recording's end.
fn earlier_callback(element: &Element) -> Option<RecordingCallback> {
    let url = element.attribute("eventCallbackUrl")?.trim().to_owned();
    let method = HttpMethod::Post;
    (!url.is_empty()).then(|| RecordingCallback {
        to: StatusCallback { url, method },
        turns: vec![RecordingTurn::Completed],
    })
}

fn tells_of_speakers(element: &Element) -> bool {
    let words = element.attribute("statusCallbackEvent").unwrap_or_default();
    words.split_ascii_whitespace().any(|word| word == SPEAKER)
}

fn topic(word: &str) -> Option<ConferenceTopic> {
    Some(match word {
        "start" => ConferenceTopic::Start,
        "end" => ConferenceTopic::End,
        "join" => ConferenceTopic::Join,
        "leave" => ConferenceTopic::Leave,
        "mute" => ConferenceTopic::Mute,
        "hold" => ConferenceTopic::Hold,
        "modify" => ConferenceTopic::Modify,
        "announcement" => ConferenceTopic::Announcement,
        _ => return None,
    })
}

fn beep(text: &str) -> Option<Beep> {
    match text {
        "true" => Some(Beep::Always),
        "false" => Some(Beep::Never),
        "onEnter" => Some(Beep::OnEnter),
        "onExit" => Some(Beep::OnExit),
        _ => None,
    }
}

fn max_participants(text: &str) -> Option<Option<u32>> {
    let number = at_least_one(text)?;
    (2..=250).contains(&number).then_some(Some(number))
}
