//! Documents that are heard over and over while a call waits for others.

use std::time::Duration;

use jackfield_guest::{
    CallError, Conference, Playback, PlaybackEnd, Queue, StatusCallback, WaitSound, warn,
};

use super::Interpreter;
use super::prompts::fault_of_end;
use super::waiting::Asked;
use crate::document::Document;
use crate::documents::Stop;
use crate::fault::{CONFERENCE_WAIT_VERB, Fault};
use crate::fetch::Parameter;
use crate::reference::{is_web_url, resolve};
use crate::verb::{Link, Prompt, Verb, Wait};

/// Between two rounds of a document that is heard over and over, at least.
const ROUND: Duration = Duration::from_secs(1);

/// Ends of paths that are sounds: the host plays these over and over by itself. All else is asked for, and may be a document.
const SOUNDS: [&str; 7] = [".mp3", ".wav", ".ogg", ".flac", ".aac", ".m4a", ".mp4"];

/// Warnings of one wait, at most.
const MOST_WARNINGS: usize = 50;

/// Where somebody is waited for.
pub(super) enum Place<'a> {
    Conference(&'a Conference<'a>),
    /// In a conference, on hold by order of the API.
    Hold(&'a Conference<'a>),
    /// With the most that may wait there, where the document says it.
    Queue(&'a Queue<'a>, Option<u32>),
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// Somebody is there, or it is over.
    ForSomebody,
    /// The document said `<Leave>`, or it may last no longer.
    Enough,
    /// The document said `<Hangup>`.
    HungUp,
}

impl Place<'_> {
    /// How it ended; none when the waiting was over first, which stops it.
    fn hear(&self, playback: Playback<'_>) -> Result<Option<PlaybackEnd>, CallError> {
        match self {
            Self::Conference(conference) => conference.hear(playback),
            Self::Hold(conference) => conference.hear_held(playback),
            Self::Queue(queue, _) => queue.hear(playback),
        }
    }

    fn still_waits(&self, after: Duration) -> Result<bool, CallError> {
        match self {
            Self::Conference(conference) => conference.still_waits(after),
            Self::Hold(conference) => conference.still_held(after),
            Self::Queue(queue, _) => queue.still_waits(after),
        }
    }

    /// What a document is asked for with.
    fn parameters(&self, waited: Duration) -> Vec<Parameter> {
        let Self::Queue(queue, most) = self else {
            return Vec::new();
        };
        let mut parameters = vec![("QueueTime", waited.as_secs().to_string())];
        if let Some(place) = queue.place() {
            parameters.push(("QueueSid", place.queue_sid));
            parameters.push(("QueuePosition", place.position.to_string()));
            parameters.push(("CurrentQueueSize", place.size.to_string()));
            parameters.push(("AvgQueueTime", place.average_wait_s.to_string()));
        }
        parameters.extend(most.map(|most| ("MaxQueueSize", most.to_string())));
        parameters
    }
}

/// What a call that waits was warned of: each once, however often it is met.
#[derive(Default)]
pub(super) struct Warned(Vec<Fault>);

impl Interpreter<'_> {
    /// Warns, if it is for the first time in this wait.
    pub(super) fn warn_once(&self, warned: &mut Warned, fault: Fault) {
        if warned.0.len() < MOST_WARNINGS && !warned.0.contains(&fault) {
            warn!(self.call, "{fault}");
            warned.0.push(fault);
        }
    }

    /// Says why nothing was heard of a `<Play>`.
    pub(super) fn warn_of_end(&self, warned: &mut Warned, end: &PlaybackEnd, prompt: &Prompt) {
        if let Some(fault) = fault_of_end(end, prompt) {
            self.warn_once(warned, fault);
        }
    }

    /// Plays a wait document over and over until somebody is there, or no round may begin any more.
    pub(super) fn wait_in(
        &mut self,
        place: &Place<'_>,
        wait: &Wait,
        document: &Document,
        until: Option<Duration>,
    ) -> Result<Waited, Stop> {
        let Wait::Url(link) = wait else {
            return Ok(Waited::ForSomebody);
        };
        if sound_url(link, document).is_some() {
            return Ok(Waited::ForSomebody);
        }
        let began = self.call.elapsed();
        let mut warned = Warned::default();
        let mut link = link.clone();
        let mut base = document.url.clone();
        // Where an answer was sent, its document is heard once.
        let mut answered: Option<(Link, Vec<Parameter>, Option<String>)> = None;
        while place.still_waits(Duration::ZERO)? {
            let round = self.call.elapsed();
            if until.is_some_and(|until| round >= until) {
                return Ok(Waited::Enough);
            }
            let mut parameters = place.parameters(round.saturating_sub(began));
            let (link_now, base_now) = match answered.take() {
                Some((action, answer, base)) => {
                    parameters.extend(answer);
                    (action, base)
                }
                None => (link.clone(), base.clone()),
            };
            let status = self.status();
            let heard = self
                .documents
                .follow(&link_now, base_now.as_deref(), parameters, status);
            self.documents.heard_a_key(); // whoever waits may do so for long
            let heard = match heard {
                Ok(heard) => heard,
                Err(Stop::Fault(fault)) => {
                    warn!(self.call, "nothing is heard while waiting: {fault}");
                    return Ok(Waited::ForSomebody);
                }
                Err(stop) => return Err(stop),
            };
            for warning in &heard.warnings {
                self.warn_once(&mut warned, warning.clone());
            }
            match self.hear_round(place, &heard, &mut warned)? {
                Round::Over(waited) => return Ok(waited),
                Round::Again => {}
                Round::Answered(action, answer) => {
                    answered = Some((action, answer, heard.url.clone()));
                    continue;
                }
                Round::Redirected(next) => {
                    link = next;
                    base.clone_from(&heard.url);
                }
            }
            let rest = ROUND.saturating_sub(self.call.elapsed().saturating_sub(round));
            if !place.still_waits(rest)? {
                return Ok(Waited::ForSomebody);
            }
        }
        Ok(Waited::ForSomebody)
    }

    fn hear_round(
        &mut self,
        place: &Place<'_>,
        heard: &Document,
        warned: &mut Warned,
    ) -> Result<Round, Stop> {
        for verb in &heard.verbs {
            let still_waits = match (verb, place) {
                (Verb::Prompt(Prompt::Pause(length)), _) => place.still_waits(*length)?,
                (Verb::Prompt(prompt), _) => match self.queue(prompt, heard)? {
                    Some(playback) => match place.hear(playback)? {
                        Some(end) => {
                            self.warn_of_end(warned, &end, prompt);
                            true
                        }
                        None => false,
                    },
                    None => true,
                },
                (Verb::Redirect(link), _) => return Ok(Round::Redirected(link.clone())),
                (Verb::Leave, _) => return Ok(Round::Over(Waited::Enough)),
                (Verb::Hangup, Place::Queue(..)) => return Ok(Round::Over(Waited::HungUp)),
                (Verb::Gather(gather), Place::Queue(queue, _)) => {
                    match self.gather_waiting(queue, gather, heard, warned)? {
                        Asked::Answered(answer) => {
                            return Ok(Round::Answered(gather.action.clone(), answer));
                        }
                        Asked::Nothing => true,
                        Asked::Over => false,
                    }
                }
                _ => {
                    let message = "a document for those who wait has Say, Play, Pause and Redirect, in a queue Gather, Leave and Hangup too: \
                                   the rest is ignored";
                    self.warn_once(warned, Fault::new(CONFERENCE_WAIT_VERB, message));
                    true
                }
            };
            if !still_waits {
                return Ok(Round::Over(Waited::ForSomebody));
            }
        }
        Ok(Round::Again)
    }
}

/// How one round of a wait document ended.
enum Round {
    Over(Waited),
    Again,
    /// A question was answered: this is asked for next.
    Answered(Link, Vec<Parameter>),
    Redirected(Link),
}

/// A document that the API orders to be heard.
pub(super) fn ordered(document: StatusCallback) -> Wait {
    Wait::Url(Link {
        url: document.url,
        method: document.method,
    })
}

/// What the host plays while the call waits.
pub(super) fn sound(wait: &Wait, document: &Document) -> WaitSound {
    match wait {
        Wait::Url(link) => match sound_url(link, document) {
            Some(url) => WaitSound::from(url.as_str()),
            None => WaitSound::Silence,
        },
        other => other.sound(),
    }
}

/// The URL of a link that is a sound by its name.
fn sound_url(link: &Link, document: &Document) -> Option<String> {
    let url = match &document.url {
        Some(base) => resolve(base, &link.url),
        None => link.url.clone(),
    };
    let path = url.split(['?', '#']).next()?.to_ascii_lowercase();
    let is_sound = is_web_url(&url) && SOUNDS.iter().any(|end| path.ends_with(end));
    is_sound.then_some(url)
}
