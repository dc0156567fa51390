//! What the caller does and expects, and what the world around the call is like.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use call::{
    AnsweredBy, Command, ConferenceCommand, Grants, HttpError, HttpRequest, HttpResponse,
    KeyValueError, KeyValueWrite, KeyValues, MediaSource, People, PeopleCommand, PeopleError,
    Person, QueueCommand, RecordingCommand, StoryFlow, StreamEnd, StreamError,
};

use crate::callee::{Callee, CalleeDoes};
use crate::far_ends::Answer;
use crate::referee::Referee;
use crate::rooms::Other;
use crate::web::Web;

/// Between two keys of one [`Script::press`].
pub(crate) const BETWEEN_KEYS: Duration = Duration::from_millis(200);
/// A prompt that [`Script::prompt`] does not know.
const PROMPT: Duration = Duration::from_secs(2);
/// One character of speech: about 15 in a second.
const SPOKEN_CHARACTER: Duration = Duration::from_millis(66);

/// What a caller does and expects, step after step, and what prompts and web servers the call finds.
///
/// What the story does is compared step by step: from the beginning to the last step of the script each of its
/// commands that the caller notices (answer, play, say, press, echo, record, dial, refer, join, enqueue, serve, stream, reject, hang up)
/// must be expected, in this order. After
/// the last step the caller listens to whatever comes. The caller, and whoever else is in the script, acts when the story waits.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub(crate) steps: VecDeque<Planned>,
    /// How many steps its author wrote.
    authored: usize,
    pub(crate) kind: Kind,
    /// The other side, and ours, where the script says who they are.
    pub(crate) parties: [Option<String>; 2],
    /// In milliseconds since 1970; a moment in 2026 where nothing is said.
    pub(crate) starts_unix_ms: Option<u64>,
    pub(crate) settings: BTreeMap<String, String>,
    /// Everything, where it is none.
    pub(crate) grants: Option<Arc<Grants>>,
    /// The account's key-value pairs when the call comes in.
    pub(crate) pairs: KeyValues,
    /// The account's people when the call comes in.
    pub(crate) people: People,
    /// The account's secrets that are PINs, by name.
    pub(crate) pins: BTreeMap<String, String>,
    /// For how many seconds no PIN is looked at.
    pub(crate) pin_locked: Option<u32>,
    /// How many are in every conference before the caller, and in every queue.
    pub(crate) others: Others,
    pub(crate) prompts: BTreeMap<String, Duration>,
    missing: Vec<String>,
    responses: Vec<Answers>,
    web: Option<Web>,
    pub(crate) callees: BTreeMap<String, Callee>,
    pub(crate) referee: Option<Referee>,
    pub(crate) far_ends: Vec<Answer>,
    pub(crate) answered_by: Option<(AnsweredBy, Duration)>,
    /// Nobody is there who understands speech.
    pub(crate) no_recogniser: bool,
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    #[default]
    Inbound,
    Outbound,
    /// Of somebody who was dialled by another call's story.
    Whisper,
}

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

/// Who else is there when the caller comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Others {
    pub(crate) in_conference: u8,
    pub(crate) in_queue: u8,
}

/// What a web server says to requests for URLs that begin with `url`.
#[derive(Debug, Clone)]
struct Answers {
    url: String,
    response: Result<HttpResponse, HttpError>,
    /// Each time; else once.
    always: bool,
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
            kind: Kind::Outbound,
            ..Self::default()
        }
    }

    /// The call of somebody who was dialled and has just answered, and who hears a whisper before they are joined to the caller.
    #[must_use]
    pub fn whisper() -> Self {
        Self {
            kind: Kind::Whisper,
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

    /// So many others are in a conference that the story joins. Nobody, where nothing is said.
    #[must_use]
    pub fn others_in_conference(mut self, others: u8) -> Self {
        self.others.in_conference = others;
        self
    }

    /// So many others wait already in a queue that the story waits in. Nobody, where nothing is said.
    #[must_use]
    pub fn others_in_queue(mut self, others: u8) -> Self {
        self.others.in_queue = others;
        self
    }

    /// Somebody else joins the conference.
    #[must_use]
    pub fn other_joins(self) -> Self {
        self.step(Step::Other(Other::Joins))
    }

    /// The one who joined the conference last leaves it.
    #[must_use]
    pub fn other_leaves_conference(self) -> Self {
        self.step(Step::Other(Other::LeavesConference))
    }

    /// Somebody else ends the conference.
    #[must_use]
    pub fn other_ends_conference(self) -> Self {
        self.step(Step::Other(Other::EndsConference))
    }

    /// Somebody else serves the queue in which the caller waits, and gets whoever waits longest; or comes to wait where the caller
    /// serves.
    #[must_use]
    pub fn other_comes_to_queue(self) -> Self {
        self.step(Step::Other(Other::ComesToQueue))
    }

    /// The other one of the queue hangs up.
    #[must_use]
    pub fn other_leaves_queue(self) -> Self {
        self.step(Step::Other(Other::LeavesQueue))
    }

    /// Somebody who waits before the caller in the queue gives up.
    #[must_use]
    pub fn other_gives_up(self) -> Self {
        self.step(Step::Other(Other::GivesUp))
    }

    /// Whoever is dialled by this number or URI, and rings, answers now. Without a [`Self::callee`] they ring until then.
    #[must_use]
    pub fn callee_answers(self, target: &str) -> Self {
        self.callee_does(target, CalleeDoes::Answers)
    }

    /// Whoever is dialled by this number or URI, and rings, turns the call away as busy.
    #[must_use]
    pub fn callee_is_busy(self, target: &str) -> Self {
        self.callee_does(target, CalleeDoes::IsBusy)
    }

    /// Whoever was dialled by this number or URI, and has answered, hangs up.
    #[must_use]
    pub fn callee_hangs_up(self, target: &str) -> Self {
        self.callee_does(target, CalleeDoes::HangsUp)
    }

    fn callee_does(mut self, target: &str, does: CalleeDoes) -> Self {
        let callee = self.callees.entry(target.to_owned());
        callee.or_insert(Callee::never());
        self.step(Step::Callee(target.to_owned(), does))
    }

    /// The API ends the call, as an operator would.
    #[must_use]
    pub fn api_hangs_up(self) -> Self {
        self.step(Step::ApiHangsUp)
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

    /// Expects the story to send the caller on to this target.
    #[must_use]
    pub fn expect_refer(self, target: &str) -> Self {
        self.step(Step::Expect(Expectation::Refer(target.to_owned())))
    }

    /// Expects the flow to hand the call over: to a component of this name, or a document at a URL or in words that these are in. The other
    /// story is not played; the call ends there.
    #[must_use]
    pub fn expect_continue_with(self, story: &str) -> Self {
        self.step(Step::Expect(Expectation::ContinueWith(story.to_owned())))
    }

    /// What the caller does when the story sends them on. They refuse with 405, where nothing is said.
    #[must_use]
    pub fn referee(mut self, referee: Referee) -> Self {
        self.referee = Some(referee);
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

    /// Expects the whisper to return, so that the one who hears it is joined to the caller.
    #[must_use]
    pub fn expect_put_through(self) -> Self {
        self.step(Step::Expect(Expectation::PutThrough))
    }

    /// Presses these keys, 200 ms apart.
    #[must_use]
    pub fn press(self, keys: &str) -> Self {
        let mut steps = Vec::new();
        for key in keys.chars() {
            if !steps.is_empty() {
                steps.push(Step::Wait(BETWEEN_KEYS));
            }
            steps.push(Step::Press(key));
        }
        self.all(steps)
    }

    /// Speaks for so long: recordings hear it.
    #[must_use]
    pub fn speak(self, duration: Duration) -> Self {
        self.all([Step::Speak(duration), Step::Wait(duration)])
    }

    /// Says these words, 66 ms a character: recordings hear a voice, and who listens hears the words.
    #[must_use]
    pub fn says(self, words: &str) -> Self {
        let length = length_of_words(words);
        self.all([Step::Says(words.to_owned()), Step::Wait(length)])
    }

    /// No recogniser is configured: a flow that wants to listen is refused.
    #[must_use]
    pub fn without_recogniser(mut self) -> Self {
        self.no_recogniser = true;
        self
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

    /// A setting of the flow, where the script does not have it.
    #[must_use]
    pub fn default_setting(mut self, name: &str, value: &str) -> Self {
        let setting = self.settings.entry(name.to_owned());
        setting.or_insert_with(|| value.to_owned());
        self
    }

    /// The number of the other side: who calls in, or who was called. `+15550100` where nothing is said.
    #[must_use]
    pub fn with(mut self, number: &str) -> Self {
        self.parties[0] = Some(number.to_owned());
        self
    }

    /// The number of our side. `+15550199` where nothing is said.
    #[must_use]
    pub fn at(mut self, number: &str) -> Self {
        self.parties[1] = Some(number.to_owned());
        self
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

    /// The account grants the story this and nothing else. Everything, where nothing is said.
    #[must_use]
    pub fn granting(mut self, grants: Grants) -> Self {
        self.grants = Some(Arc::new(grants));
        self
    }

    /// A key-value pair that the account has when the call comes in. Otherwise it has none.
    ///
    /// # Errors
    /// When it is none that can be kept.
    pub fn pair(mut self, key: &str, value: &[u8]) -> Result<Self, KeyValueError> {
        let (key, value) = (key.to_owned(), value.to_vec());
        self.pairs.write(KeyValueWrite::Set { key, value })?;
        Ok(self)
    }

    /// Somebody whom the account knows when the call comes in. Otherwise it knows nobody.
    ///
    /// # Errors
    /// When they are none that can be kept.
    pub fn person(mut self, person: Person) -> Result<Self, PeopleError> {
        self.people.obey(PeopleCommand::Save(person.into()))?;
        Ok(self)
    }

    /// A secret of the account that is a PIN. One that the script does not know is never right.
    #[must_use]
    pub fn pin(mut self, name: &str, digits: &str) -> Self {
        self.pins.insert(name.to_owned(), digits.to_owned());
        self
    }

    /// Too many wrong PINs were typed before this call: none is looked at, for so many seconds.
    #[must_use]
    pub fn pin_locked(mut self, seconds: u32) -> Self {
        self.pin_locked = Some(seconds);
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
    pub fn respond(self, url: &str, response: Result<HttpResponse, HttpError>) -> Self {
        self.answers(url, response, false)
    }

    /// Each request to a URL that begins with `url`, and for which no [`Self::respond`] is left before it, gets this answer.
    #[must_use]
    pub fn always_respond(self, url: &str, response: Result<HttpResponse, HttpError>) -> Self {
        self.answers(url, response, true)
    }

    fn answers(
        mut self,
        url: &str,
        response: Result<HttpResponse, HttpError>,
        always: bool,
    ) -> Self {
        self.responses.push(Answers {
            url: url.to_owned(),
            response,
            always,
        });
        self
    }

    /// Requests for which the script has no answer are answered by this. It may take its time: that is none of the call's.
    #[must_use]
    pub fn web(
        mut self,
        answer: impl Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
    ) -> Self {
        self.web = Some(Web::new(answer));
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

    fn step(self, step: Step) -> Self {
        self.all([step])
    }

    /// What is one step to its author.
    fn all(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.authored += 1;
        let number = self.authored;
        let planned = steps.into_iter().map(|step| Planned { number, step });
        self.steps.extend(planned);
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
        spoken(speech.characters())
    }

    /// The answer to a request; takes it away if it is given once.
    pub(crate) fn response_to(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = &request.url;
        let fits = |answers: &Answers| url.starts_with(&answers.url);
        let Some(position) = self.responses.iter().position(fits) else {
            return match &self.web {
                Some(web) => web.answer(request).map(|response| at(url, response)),
                None => Err(HttpError::Unreachable(format!(
                    "the script has no answer left for {url}"
                ))),
            };
        };
        let response = match self.responses[position].always {
            true => self.responses[position].response.clone(),
            false => self.responses.remove(position).response,
        };
        response.map(|response| HttpResponse {
            url: url.clone(),
            ..response
        })
    }
}

/// How long a caller takes to say this.
pub(crate) fn length_of_words(words: &str) -> Duration {
    spoken(words.chars().count())
}

/// How long so many characters take.
pub(crate) fn spoken(characters: usize) -> Duration {
    let characters = u32::try_from(characters).unwrap_or(u32::MAX);
    SPOKEN_CHARACTER.saturating_mul(characters.max(1))
}

/// A response that says nothing else came from the URL that was asked.
fn at(url: &str, mut response: HttpResponse) -> HttpResponse {
    if response.url.is_empty() {
        url.clone_into(&mut response.url);
    }
    response
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
            Command::Queue(QueueCommand::Serve { name }) => Self::Serve(name.clone()),
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
