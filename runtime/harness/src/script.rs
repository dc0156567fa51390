//! What the caller does and expects, and what the world around the call is like.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use crate::far_ends::Answer;
use call::{
    AnsweredBy, Command, ConferenceCommand, HttpError, HttpResponse, MediaSource, QueueCommand,
    RecordingCommand, StreamEnd, StreamError,
};

use crate::callee::Callee;

/// Between two keys of one [`Script::press`].
const BETWEEN_KEYS: Duration = Duration::from_millis(200);
/// A prompt that [`Script::prompt`] does not know.
const PROMPT: Duration = Duration::from_secs(2);
/// One character of speech: about 15 in a second.
const SPOKEN_CHARACTER: Duration = Duration::from_millis(66);

/// What a caller does and expects, step after step, and what prompts and web servers the call finds.
///
/// What the story does is compared step by step: from the beginning to the last step of the script each of its
/// commands that the caller notices (answer, play, say, press, echo, record, dial, join, enqueue, serve, stream, reject, hang up)
/// must be expected, in this order. After
/// the last step the caller listens to whatever comes. The caller acts when the story waits.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub(crate) steps: VecDeque<Step>,
    pub(crate) outbound: bool,
    /// In milliseconds since 1970; a moment in 2026 where nothing is said.
    pub(crate) starts_unix_ms: Option<u64>,
    pub(crate) settings: BTreeMap<String, String>,
    /// How many are in every conference before the caller.
    pub(crate) others: u8,
    prompts: BTreeMap<String, Duration>,
    missing: Vec<String>,
    responses: Vec<(String, Result<HttpResponse, HttpError>)>,
    pub(crate) callees: BTreeMap<String, Callee>,
    pub(crate) far_ends: Vec<Answer>,
    pub(crate) answered_by: Option<(AnsweredBy, Duration)>,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Expect(Expectation),
    Press(char),
    Speak(Duration),
    Wait(Duration),
    HangUp,
    Other(Other),
}

/// What somebody else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    /// Joins the caller's conference.
    Joins,
    /// Ends it.
    EndsConference,
    /// Serves the caller's queue, or waits in it where the caller serves.
    ComesToQueue,
    /// Hangs up on the caller.
    LeavesQueue,
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
    /// With this SIP status.
    Reject(u16),
    HangUp,
}

impl Script {
    /// An inbound call that rings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A call that was placed through the API; the other side answers it before the story begins.
    #[must_use]
    pub fn outbound() -> Self {
        Self {
            outbound: true,
            ..Self::default()
        }
    }

    /// Expects the story to answer.
    #[must_use]
    pub fn expect_answer(self) -> Self {
        self.step(Step::Expect(Expectation::Answer))
    }

    /// Expects a prompt whose path or URL ends with `name`.
    #[must_use]
    pub fn expect_play(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Play(name.to_owned())))
    }

    /// Expects speech with `words` in it.
    #[must_use]
    pub fn expect_say(self, words: &str) -> Self {
        self.step(Step::Expect(Expectation::Say(words.to_owned())))
    }

    /// Expects the story to press these keys.
    #[must_use]
    pub fn expect_press(self, keys: &str) -> Self {
        self.step(Step::Expect(Expectation::Press(keys.to_owned())))
    }

    /// Expects the story to switch the echo on or off.
    #[must_use]
    pub fn expect_echo(self, on: bool) -> Self {
        self.step(Step::Expect(Expectation::Echo(on)))
    }

    /// Expects the story to join the conference of this name.
    #[must_use]
    pub fn expect_join(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Join(name.to_owned())))
    }

    /// Expects the story to wait in the queue of this name.
    #[must_use]
    pub fn expect_enqueue(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Enqueue(name.to_owned())))
    }

    /// Expects the story to serve the queue of this name.
    #[must_use]
    pub fn expect_serve(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Serve(name.to_owned())))
    }

    /// So many others are in a conference that the story joins, 100 at most. Nobody, where nothing is said.
    #[must_use]
    pub fn others_in_conference(mut self, others: u8) -> Self {
        self.others = others;
        self
    }

    /// Somebody else joins the conference.
    #[must_use]
    pub fn other_joins(self) -> Self {
        self.step(Step::Other(Other::Joins))
    }

    /// Somebody else ends the conference.
    #[must_use]
    pub fn other_ends_conference(self) -> Self {
        self.step(Step::Other(Other::EndsConference))
    }

    /// Somebody else serves the queue in which the caller waits, or comes to wait where the caller serves.
    #[must_use]
    pub fn other_comes_to_queue(self) -> Self {
        self.step(Step::Other(Other::ComesToQueue))
    }

    /// The other one of the queue hangs up.
    #[must_use]
    pub fn other_leaves_queue(self) -> Self {
        self.step(Step::Other(Other::LeavesQueue))
    }

    /// Expects the story to dial these targets, in this order.
    #[must_use]
    pub fn expect_dial(self, targets: &[&str]) -> Self {
        self.step(Step::Expect(Expectation::Dial(targets.join(", "))))
    }

    /// Whoever is dialled by this number or URI. Others cannot be reached: dialling them fails at once.
    #[must_use]
    pub fn callee(mut self, target: &str, callee: Callee) -> Self {
        self.callees.insert(target.to_owned(), callee);
        self
    }

    /// Expects the story to begin a media stream to a URL that ends with `name`.
    #[must_use]
    pub fn expect_stream(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Stream(name.to_owned())))
    }

    /// Expects the story to begin a recording.
    #[must_use]
    pub fn expect_record(self) -> Self {
        self.step(Step::Expect(Expectation::Record))
    }

    /// Expects the story to turn the call away with this SIP status.
    #[must_use]
    pub fn expect_reject(self, status: u16) -> Self {
        self.step(Step::Expect(Expectation::Reject(status)))
    }

    /// Expects the story to hang up. A story that returns while the call is up does so too.
    #[must_use]
    pub fn expect_hang_up(self) -> Self {
        self.step(Step::Expect(Expectation::HangUp))
    }

    /// Presses these keys, 200 ms apart.
    #[must_use]
    pub fn press(mut self, keys: &str) -> Self {
        for (position, key) in keys.chars().enumerate() {
            if position > 0 {
                self = self.wait(BETWEEN_KEYS);
            }
            self = self.step(Step::Press(key));
        }
        self
    }

    /// Speaks for so long: recordings hear it.
    #[must_use]
    pub fn speak(self, duration: Duration) -> Self {
        self.step(Step::Speak(duration)).wait(duration)
    }

    /// Does nothing for so long, counted from the step before.
    #[must_use]
    pub fn wait(self, duration: Duration) -> Self {
        self.step(Step::Wait(duration))
    }

    /// The caller hangs up, or gives up before an answer.
    #[must_use]
    pub fn hang_up(self) -> Self {
        self.step(Step::HangUp)
    }

    /// What the clocks say when the call comes in, in milliseconds since 1970. Where nothing is said, it is a moment in 2026.
    #[must_use]
    pub fn starts_at(mut self, unix_ms: u64) -> Self {
        self.starts_unix_ms = Some(unix_ms);
        self
    }

    /// A setting of the flow.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The prompt with this path or URL takes so long. Others take two seconds.
    #[must_use]
    pub fn prompt(mut self, source: &str, duration: Duration) -> Self {
        self.prompts.insert(source.to_owned(), duration);
        self
    }

    /// The prompt with this path or URL does not exist.
    #[must_use]
    pub fn without_prompt(mut self, source: &str) -> Self {
        self.missing.push(source.to_owned());
        self
    }

    /// The next request to a URL that begins with `url` gets this answer, 100 ms later. Each answer is given once;
    /// where none is left nobody answers.
    #[must_use]
    pub fn respond(mut self, url: &str, response: Result<HttpResponse, HttpError>) -> Self {
        self.responses.push((url.to_owned(), response));
        self
    }

    /// Who answered, and how long it takes to know. Somebody after 2 seconds, where nothing is said.
    #[must_use]
    pub fn answered_by(mut self, who: AnsweredBy, after: Duration) -> Self {
        self.answered_by = Some((who, after));
        self
    }

    /// The far end of media streams to URLs that begin with `url` closes them after so long. Others stay open.
    #[must_use]
    pub fn stream_closes(self, url: &str, after: Duration) -> Self {
        self.stream_ends(url, after, StreamEnd::Closed)
    }

    /// Media streams to URLs that begin with `url` fail: they do not come about, or are lost after so long.
    #[must_use]
    pub fn stream_fails(self, url: &str, after: Duration, error: StreamError) -> Self {
        self.stream_ends(url, after, StreamEnd::Failed(error))
    }

    fn stream_ends(mut self, url: &str, after: Duration, end: StreamEnd) -> Self {
        let url = url.to_owned();
        self.far_ends.push(Answer { url, after, end });
        self
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push_back(step);
        self
    }

    /// How long the prompt takes, or why it cannot be had.
    pub(crate) fn length_of(&self, source: &MediaSource) -> Result<Duration, String> {
        let (MediaSource::Url(name) | MediaSource::File(name)) = source;
        if self.missing.contains(name) {
            return Err(format!("no such prompt: {name}"));
        }
        Ok(self.prompts.get(name).copied().unwrap_or(PROMPT))
    }

    /// How long the text takes to be spoken.
    pub(crate) fn length_of_speech(speech: &call::Speech) -> Duration {
        let characters = u32::try_from(speech.characters()).unwrap_or(u32::MAX);
        SPOKEN_CHARACTER.saturating_mul(characters.max(1))
    }

    /// The answer to a request; takes it away.
    pub(crate) fn response_to(&mut self, url: &str) -> Result<HttpResponse, HttpError> {
        match self
            .responses
            .iter()
            .position(|(served, _)| url.starts_with(served.as_str()))
        {
            Some(position) => self
                .responses
                .remove(position)
                .1
                .map(|response| HttpResponse {
                    url: url.to_owned(),
                    ..response
                }),
            None => Err(HttpError::Unreachable(format!(
                "the script has no answer left for {url}"
            ))),
        }
    }
}

/// A 200 response with an XML document, as a voice URL gives.
#[must_use]
pub fn xml(body: &str) -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/xml".to_owned())],
        body: body.as_bytes().to_vec(),
        url: String::new(),
    }
}

impl Expectation {
    /// The command is what was expected; none when the caller notices nothing of such a command.
    pub(crate) fn is_met_by(&self, command: &Command) -> Option<bool> {
        Some(match command {
            Command::Answer => *self == Self::Answer,
            Command::Reject(reason) => *self == Self::Reject(reason.status()),
            Command::HangUp => *self == Self::HangUp,
            Command::Play {
                source: MediaSource::Url(name) | MediaSource::File(name),
                ..
            } => {
                matches!(self, Self::Play(end) if name.ends_with(end.as_str()))
            }
            Command::Say { speech, .. } => {
                matches!(self, Self::Say(words) if speech.text.contains(words.as_str()))
            }
            Command::Press(keys) => *self == Self::Press(keys.clone()),
            Command::Echo(on) => *self == Self::Echo(*on),
            Command::Conference(ConferenceCommand::Join { name, .. }) => {
                *self == Self::Join(name.clone())
            }
            Command::Queue(QueueCommand::Wait { name, .. }) => *self == Self::Enqueue(name.clone()),
            Command::Queue(QueueCommand::Serve { name }) => *self == Self::Serve(name.clone()),
            Command::Recording(RecordingCommand::Start(_)) => *self == Self::Record,
            Command::StopPlayback(_)
            | Command::Http(_)
            | Command::Recording(_)
            | Command::Conference(_)
            | Command::Queue(_)
            | Command::StopDial(_)
            | Command::StopStream(_)
            | Command::DetectMachine(_) => return None,
            Command::Dial(request) => *self == Self::Dial(request.targets.join(", ")),
            Command::StartStream(request) => {
                matches!(self, Self::Stream(end) if request.url.ends_with(end.as_str()))
            }
        })
    }
}

impl Other {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Joins => "joins the conference",
            Self::EndsConference => "ends the conference",
            Self::ComesToQueue => "comes to the queue",
            Self::LeavesQueue => "hangs up on the caller",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expect(expectation) => expectation.fmt(f),
            Self::Press(key) => write!(f, "the caller presses {key}"),
            Self::Speak(duration) => write!(f, "the caller speaks {} ms", duration.as_millis()),
            Self::Wait(duration) => write!(f, "the caller waits {} ms", duration.as_millis()),
            Self::HangUp => f.write_str("the caller hangs up"),
            Self::Other(other) => write!(f, "somebody {}", other.words()),
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
            Self::Reject(status) => write!(f, "reject with {status}"),
            Self::HangUp => f.write_str("hang up"),
        }
    }
}
