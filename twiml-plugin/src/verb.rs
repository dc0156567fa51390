//! Elements to verbs, with Twilio's defaults and its warnings for what does not fit.

mod application;
mod attribute;
mod callback;
mod callees;
mod dial;
mod gather;
mod message;
mod record;
mod refer;
mod room;
mod say;
mod speech_input;
mod stream;

use std::time::Duration;

use jackfield_guest::{HttpMethod, RecordingOptions, RejectReason, Speech};

use crate::fault::{
    Fault, NOT_IN_SCHEMA, PAUSE_LENGTH, PLAY_DIGITS, PLAY_LOOP, REDIRECT_METHOD, REJECT_REASON,
    WRONG_ROOT,
};
use crate::parse::{Element, Node};
pub(crate) use dial::{Dial, TalkRecording};
pub(crate) use gather::Gather;
pub(crate) use message::Message;
pub(crate) use record::Record;
pub(crate) use refer::Refer;
pub(crate) use room::{Enqueue, Room, RoomDial, Wait};
pub(crate) use speech_input::SpeechInput;
pub(crate) use stream::Stream;

/// What a document asks for, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    Prompt(Prompt),
    Gather(Gather),
    Dial(Dial),
    Record(Record),
    Refer(Refer),
    /// `<Sms>` and `<Message>`.
    Message(Message),
    Redirect(Link),
    Reject(RejectReason),
    Hangup,
    /// The caller hears itself until it hangs up.
    Echo,
    /// Of `<Start>`.
    StartStream(Stream),
    /// Of `<Start>`: the call is recorded from now on.
    StartRecording(RecordingOptions),
    /// Of `<Stop>`: the latest recording that `<Start>` began.
    StopRecording,
    /// Of `<Stop>`: the stream of this name.
    StopStream(String),
    /// A stream both ways that has the word; then the action, if there is one, or the next verb.
    Connect {
        stream: Stream,
        action: Option<Link>,
    },
    /// `<Dial>` with a conference or a queue in it.
    Room(RoomDial),
    Enqueue(Enqueue),
    /// Out of a queue, in a document for those who wait; else it hangs up.
    Leave,
    /// A verb of Twilio's that is not there yet.
    Unsupported(String),
}

/// Keys that one `<Play>` may press: what the host takes at a time.
const MAX_KEYS: usize = 64;

impl Verb {
    /// What is heard; none of a verb that does something.
    pub(crate) fn prompt(&self) -> Option<&Prompt> {
        match self {
            Self::Prompt(prompt) => Some(prompt),
            _ => None,
        }
    }
}

/// What can be heard, or its absence; in a document, or in a `<Gather>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prompt {
    Say {
        speech: Speech,
        loops: u32,
    },
    Play {
        url: String,
        loops: u32,
    },
    /// Of `<Play digits>`.
    Keys(String),
    Pause(Duration),
}

/// Where the next document is, as written: relative to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) url: String,
    pub(crate) method: HttpMethod,
}

/// Twilio's verbs that this interpreter does not run.
const UNSUPPORTED: [&str; 3] = ["Pay", "Prompt", "Queue"];

/// Twilio's longest loop, and what `0` (until the call ends) stands for.
const MOST_LOOPS: u32 = 1_000;

/// The verbs of a document, and what is odd about them.
///
/// # Errors
/// 12102 when the root is not `<Response>`.
pub(crate) fn read(root: &Element) -> Result<(Vec<Verb>, Vec<Fault>), Fault> {
    if root.name != "Response" {
        let message = format!("the root element is <{}>, not <Response>", root.name);
        return Err(Fault::new(WRONG_ROOT, message));
    }
    let mut reading = Reading::default();
    reading.know(root, &[]);
    if !root.text().is_empty() {
        reading.warn(NOT_IN_SCHEMA, "text outside of a verb is ignored");
    }
    let verbs = root.elements().filter_map(|element| reading.verb(element));
    let verbs = verbs.collect();
    Ok((verbs, reading.warnings))
}

/// Collects warnings while the verbs are read.
#[derive(Default)]
struct Reading {
    warnings: Vec<Fault>,
}

impl Reading {
    fn verb(&mut self, element: &Element) -> Option<Verb> {
        match element.name.as_str() {
            "Gather" => Some(Verb::Gather(self.gather(element))),
            "Record" => Some(Verb::Record(self.record(element))),
            "Refer" => self.refer(element).map(Verb::Refer),
            "Sms" | "Message" => self.message(element).map(Verb::Message),
            "Redirect" => Some(self.redirect(element)),
            "Reject" => Some(self.reject(element)),
            "Hangup" => {
                self.know(element, &[]);
                self.no_elements(element);
                Some(Verb::Hangup)
            }
            "Echo" => {
                self.know(element, &[]);
                Some(Verb::Echo)
            }
            "Enqueue" => self.enqueue(element).map(Verb::Enqueue),
            "Leave" => {
                self.know(element, &[]);
                Some(Verb::Leave)
            }
            "Dial" if room::is_room(element) => self.room_dial(element).map(Verb::Room),
            "Dial" => self.dial(element),
            "Start" => self.start(element),
            "Stop" => self.stop(element),
            "Connect" => self.connect(element),
            name if UNSUPPORTED.contains(&name) => Some(Verb::Unsupported(name.to_owned())),
            _ => match self.prompt(element) {
                Some(prompt) => prompt.map(Verb::Prompt),
                None => {
                    let message = format!("<{}> is not a verb, and is ignored", element.name);
                    self.warn(NOT_IN_SCHEMA, message);
                    None
                }
            },
        }
    }

    /// None when it is not a prompt; an empty one when it is a prompt with nothing to be heard.
    fn prompt(&mut self, element: &Element) -> Option<Option<Prompt>> {
        match element.name.as_str() {
            "Say" => Some(self.say(element)),
            "Play" => Some(self.play(element)),
            "Pause" => Some(Some(self.pause(element))),
            _ => None,
        }
    }

    fn play(&mut self, element: &Element) -> Option<Prompt> {
        self.know(element, &["loop", "digits"]);
        self.no_elements(element);
        let loops = self.loops(element, PLAY_LOOP);
        if let Some(digits) = element.attribute("digits") {
            return self.keys("Play", digits, PLAY_DIGITS).map(Prompt::Keys);
        }
        let url = element.text();
        if url.is_empty() {
            self.warn(NOT_IN_SCHEMA, "Play: there is no URL in it");
            return None;
        }
        Some(Prompt::Play { url, loops })
    }

    /// Keys that are pressed; none, with a warning of that code, of what cannot be.
    fn keys(&mut self, element: &str, keys: &str, code: u16) -> Option<String> {
        let is_key = |key: char| key.is_ascii_digit() || "ABCD*#wW".contains(key);
        if !(1..=MAX_KEYS).contains(&keys.len()) || !keys.chars().all(is_key) {
            let message = format!(
                "{element}: invalid digits {keys:?}: none are sent; give 1 to {MAX_KEYS} of 0-9, A-D, *, #, w, W"
            );
            self.warn(code, message);
            return None;
        }
        Some(keys.to_owned())
    }

    fn pause(&mut self, element: &Element) -> Prompt {
        self.know(element, &["length"]);
        let length = self.value(element, "length", 1, PAUSE_LENGTH, attribute::at_least_one);
        Prompt::Pause(Duration::from_secs(u64::from(length)))
    }

    fn redirect(&mut self, element: &Element) -> Verb {
        self.know(element, &["method"]);
        self.no_elements(element);
        Verb::Redirect(Link {
            url: element.text(),
            method: self.method(element, REDIRECT_METHOD),
        })
    }

    fn reject(&mut self, element: &Element) -> Verb {
        self.know(element, &["reason"]);
        self.no_elements(element);
        let (default, code) = (RejectReason::Declined, REJECT_REASON);
        Verb::Reject(
            self.value(element, "reason", default, code, |reason| match reason {
                "rejected" => Some(RejectReason::Declined),
                "busy" => Some(RejectReason::Busy),
                _ => None,
            }),
        )
    }

    fn warn(&mut self, code: u16, message: impl Into<String>) {
        self.warnings.push(Fault::new(code, message));
    }

    /// Warns of every attribute that is not among those. Namespaces declare themselves as attributes, and mean nothing.
    fn know(&mut self, element: &Element, known: &[&str]) {
        for (name, _) in &element.attributes {
            let is_namespace = name == "xmlns" || name.contains(':');
            if !is_namespace && !known.contains(&name.as_str()) {
                let message = format!("{}: the attribute {name} is unknown", element.name);
                self.warn(NOT_IN_SCHEMA, message);
            }
        }
    }

    /// Warns of those attributes, which change nothing here.
    fn without_effect(&mut self, element: &Element, names: &[&str]) {
        for name in names {
            if element.attribute(name).is_some() {
                let message = format!("{}: {name} has no effect", element.name);
                self.warn(NOT_IN_SCHEMA, message);
            }
        }
    }

    fn no_elements(&mut self, element: &Element) {
        for inner in element.elements() {
            let message = format!("<{}> in <{}> is ignored", inner.name, element.name);
            self.warn(NOT_IN_SCHEMA, message);
        }
    }
}

#[cfg(test)]
mod tests;
