//! A step, and what the caller expects of the story.

use std::fmt;
use std::time::Duration;

use call::{Command, ConferenceCommand, MediaSource, QueueCommand, RecordingCommand, StoryFlow};

use crate::callee::CalleeDoes;
use crate::rooms::Other;

/// A step, and where its author put it: one that was written may be several here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Counts from 1.
    pub(crate) number: usize,
    pub(crate) step: Step,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Expect(Expectation),
    Press(char),
    Speak(Duration),
    /// These words.
    Says(String),
    Wait(Duration),
    HangUp,
    Other(Other),
    /// Who was dialled by this number or URI.
    Callee(String, CalleeDoes),
    /// The API ends the call.
    ApiHangsUp,
}

/// What the caller expects of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expectation {
    Answer,
    /// A prompt whose path or URL ends with this.
    Play(String),
    /// Speech that contains this.
    Say(String),
    Press(String),
    Echo(bool),
    /// A conference of this name.
    Join(String),
    /// A queue of this name.
    Enqueue(String),
    /// A queue of this name.
    Serve(String),
    /// These, with commas between them.
    Dial(String),
    /// To a URL that ends with this.
    Stream(String),
    Record,
    /// This target.
    Refer(String),
    /// The component's name, the URL's end, or words of the document.
    ContinueWith(String),
    /// With this SIP status.
    Reject(u16),
    HangUp,
    PutThrough,
}

impl Expectation {
    /// What a caller who expects just this command would expect; none of a command of which the caller notices nothing.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        Some(match command {
            Command::Answer => Self::Answer,
            Command::Reject(reason) => Self::Reject(reason.status()),
            Command::HangUp => Self::HangUp,
            Command::Play {
                source: MediaSource::Url(name) | MediaSource::File(name),
                ..
            } => Self::Play(name.clone()),
            Command::Say { speech, .. } => Self::Say(speech.text.clone()),
            Command::Press(keys) => Self::Press(keys.clone()),
            Command::Echo(on) => Self::Echo(*on),
            Command::Conference(
                ConferenceCommand::Join { name, .. } | ConferenceCommand::JoinWith { name, .. },
            ) => Self::Join(name.clone()),
            Command::Queue(QueueCommand::Wait { name, .. }) => Self::Enqueue(name.clone()),
            Command::Queue(QueueCommand::Serve { name } | QueueCommand::ServeWith { name, .. }) => {
                Self::Serve(name.clone())
            }
            Command::Recording(RecordingCommand::Start(_)) => Self::Record,
            Command::Dial(request) | Command::DialWith { request, .. } => {
                let targets: Vec<&str> = request.targets.iter().map(|target| &*target.to).collect();
                Self::Dial(targets.join(", "))
            }
            Command::StartStream(request) => Self::Stream(request.url.clone()),
            Command::StopPlayback(_)
            | Command::Http(_)
            | Command::Recording(_)
            | Command::Conference(_)
            | Command::Queue(_)
            | Command::StopDial(_)
            | Command::StopStream(_)
            | Command::DetectMachine(_)
            | Command::Listen(_)
            | Command::StopListening(_)
            | Command::Transfer(_) => return None,
            Command::Refer(request) => Self::Refer(request.target.clone()),
            Command::ContinueWith(next) => Self::ContinueWith(match &next.story {
                StoryFlow::Component(name) => name.clone(),
                StoryFlow::VoiceUrl(link) => link.url.clone(),
                StoryFlow::Twiml(document) => document.clone(),
            }),
        })
    }

    /// What was done is what was expected.
    pub(crate) fn is_met_by(&self, done: &Self) -> bool {
        match (self, done) {
            (Self::ContinueWith(words), Self::ContinueWith(story)) => {
                story.contains(words.as_str())
            }
            (Self::Play(end), Self::Play(name)) | (Self::Stream(end), Self::Stream(name)) => {
                name.ends_with(end.as_str())
            }
            (Self::Say(words), Self::Say(text)) => text.contains(words.as_str()),
            (expected, done) => expected == done,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expect(expectation) => expectation.fmt(f),
            Self::Press(key) => write!(f, "the caller presses {key}"),
            Self::Speak(duration) => write!(f, "the caller speaks {} ms", duration.as_millis()),
            Self::Says(words) => write!(f, "the caller says \"{words}\""),
            Self::Wait(duration) => write!(f, "the caller waits {} ms", duration.as_millis()),
            Self::HangUp => f.write_str("the caller hangs up"),
            Self::Other(other) => write!(f, "somebody {}", other.words()),
            Self::Callee(target, does) => write!(f, "{target} {}", does.words()),
            Self::ApiHangsUp => f.write_str("the API hangs up"),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => f.write_str("answer"),
            Self::Play(name) => write!(f, "play …{name}"),
            Self::Say(words) => write!(f, "say \"…{words}…\""),
            Self::Press(keys) => write!(f, "press {keys}"),
            Self::Echo(true) => f.write_str("echo on"),
            Self::Echo(false) => f.write_str("echo off"),
            Self::Join(name) => write!(f, "join conference {name}"),
            Self::Enqueue(name) => write!(f, "wait in queue {name}"),
            Self::Serve(name) => write!(f, "serve queue {name}"),
            Self::Dial(targets) => write!(f, "dial {targets}"),
            Self::Stream(name) => write!(f, "stream to …{name}"),
            Self::Record => f.write_str("record"),
            Self::Refer(target) => write!(f, "refer to {target}"),
            Self::ContinueWith(story) => write!(f, "continue with {story}"),
            Self::Reject(status) => write!(f, "reject with {status}"),
            Self::HangUp => f.write_str("hang up"),
            Self::PutThrough => f.write_str("put through"),
        }
    }
}
