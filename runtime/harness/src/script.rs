//! What the caller does and expects, and what the world around the call is like.

mod step;
mod steps;
mod world;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use call::{
    AnsweredBy, Grants, HttpError, HttpRequest, HttpResponse, KeyValues, MediaSource, People,
};

use crate::callee::Callee;
use crate::far_ends::Answer;
use crate::referee::Referee;
use crate::web::Web;

pub(crate) use self::step::{Expectation, Planned, Step};

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
