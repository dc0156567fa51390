//! Conferences and queues: what is heard while one waits, and what is told of it afterwards.

use std::time::Duration;

use jackfield_guest::{
    CallError, Conference, ConferenceEnd, ConferenceTerms, ConferenceTurn, Departure, Playback,
    Queue, QueueExit, QueueOutcome, Recording, StatusCallback, WaitSound, Whisper, warn,
};

use super::record::recording_parameters;
use super::waiting::Asked;
use super::{Interpreter, Next};
use crate::document::Document;
use crate::documents::Stop;
use crate::fault::CONFERENCE_WAIT_VERB;
use crate::fetch::{CallStatus, Parameter};
use crate::reference::{is_web_url, resolve};
use crate::verb::{Enqueue, Link, Prompt, Room, RoomDial, Verb, Wait};

/// Between two rounds of a document that is heard over and over, at least.
const ROUND: Duration = Duration::from_secs(1);

/// Ends of paths that are sounds: the host plays these over and over by itself. All else is asked for, and may be a document.
const SOUNDS: [&str; 7] = [".mp3", ".wav", ".ogg", ".flac", ".aac", ".m4a", ".mp4"];

/// Where somebody is waited for.
enum Place<'a> {
    Conference(&'a Conference<'a>),
    /// In a conference, on hold by order of the API.
    Hold(&'a Conference<'a>),
    Queue(&'a Queue<'a>),
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waited {
    /// Somebody is there, or it is over.
    ForSomebody,
    /// The document said `<Leave>`, or it may last no longer.
    Enough,
    /// The document said `<Hangup>`.
    HungUp,
}

impl Place<'_> {
    /// False when the waiting was over first; the playback is stopped then.
    fn hear(&self, playback: Playback<'_>) -> Result<bool, CallError> {
        match self {
            Self::Conference(conference) => conference.hear(playback),
            Self::Hold(conference) => conference.hear_held(playback),
            Self::Queue(queue) => queue.hear(playback),
        }
    }

    fn still_waits(&self, after: Duration) -> Result<bool, CallError> {
        match self {
            Self::Conference(conference) => conference.still_waits(after),
            Self::Hold(conference) => conference.still_held(after),
            Self::Queue(queue) => queue.still_waits(after),
        }
    }

    /// What a document is asked for with.
    fn parameters(&self, waited: Duration) -> Vec<Parameter> {
        let Self::Queue(queue) = self else {
            return Vec::new();
        };
        let mut parameters = vec![("QueueTime", waited.as_secs().to_string())];
        if let Some(place) = queue.place() {
            parameters.push(("QueueSid", place.queue_sid));
            parameters.push(("QueuePosition", place.position.to_string()));
            parameters.push(("CurrentQueueSize", place.size.to_string()));
            parameters.push(("AvgQueueTime", place.average_wait_s.to_string()));
        }
        parameters
    }
}

impl Interpreter<'_> {
    /// Where the call goes after a conference or a queue that was dialled; none: the document goes on.
    pub(super) fn dial_room(
        &mut self,
        dial: &RoomDial,
        document: &Document,
    ) -> Result<Option<Next>, Stop> {
        let parameters = match &dial.room {
            Room::Conference {
                name,
                options,
                terms,
                wait,
            } => {
                let (mut options, mut terms) = ((**options).clone(), (**terms).clone());
                options.wait_sound = sound(wait, document);
                if let (Some(callback), Some(base)) = (&mut options.status_callback, &document.url)
                {
                    callback.to.url = resolve(base, &callback.to.url);
                }
                let recording = terms.recording.as_mut();
                let told = recording.and_then(|recording| recording.status_callback.as_mut());
                if let (Some(callback), Some(base)) = (told, &document.url) {
                    callback.to.url = resolve(base, &callback.to.url);
                }
                let began = self.call.elapsed();
                let joined = match terms == ConferenceTerms::default() {
                    true => self.call.conference(name, options),
                    false => self.call.conference_with(name, options, terms),
                };
                let conference = match joined {
                    Ok(conference) => conference,
                    Err(error) => return self.no_room(dial, &error, "conference"),
                };
                let until = began + dial.limit;
                self.wait_in(&Place::Conference(&conference), wait, document, Some(until))?;
                let end = self.stay(conference, dial.hangup_on_star, until, document)?;
                let status = match &end {
                    ConferenceEnd::Left | ConferenceEnd::Ended | ConferenceEnd::Removed => {
                        "answered"
                    }
                    ConferenceEnd::Refused(why) => {
                        warn!(self.call, "no conference {name}: {why}");
                        "failed"
                    }
                };
                let duration = self.call.elapsed().saturating_sub(began);
                vec![
                    ("DialCallStatus", status.to_owned()),
                    ("DialCallDuration", duration.as_secs().to_string()),
                ]
            }
            Room::Queue { name, whisper } => {
                let served = match whisper {
                    Some(link) => self.call.serve_after(name, said_first(link, document)),
                    None => self.call.serve(name),
                };
                match served {
                    Ok(queue) => self.serve(queue, dial, document)?,
                    Err(error) => return self.no_room(dial, &error, "queue"),
                }
            }
        };
        Ok(follow(dial.action.as_ref(), parameters))
    }

    /// Stays in a conference until it is over, and lets be heard what the API orders meanwhile.
    fn stay(
        &mut self,
        conference: Conference<'_>,
        hangup_on_star: bool,
        until: Duration,
        document: &Document,
    ) -> Result<ConferenceEnd, Stop> {
        let key = hangup_on_star.then_some('*');
        loop {
            let place = Place::Conference(&conference);
            let left = until.saturating_sub(self.call.elapsed());
            match conference.turn_within(key, left)? {
                Some(ConferenceTurn::Over(end)) => return Ok(end),
                Some(ConferenceTurn::Key) | None => return Ok(conference.leave()?),
                Some(ConferenceTurn::WaitsWith(heard)) => {
                    self.wait_in(&place, &ordered(heard), document, Some(until))?;
                }
                Some(ConferenceTurn::HeldWith(heard)) => {
                    conference.hold(WaitSound::Silence)?; // between what the document says
                    let place = Place::Hold(&conference);
                    self.wait_in(&place, &ordered(heard), document, Some(until))?;
                }
            }
        }
    }

    /// Waits in a queue; where the call goes after that, none: the document goes on.
    pub(super) fn enqueue(
        &mut self,
        enqueue: &Enqueue,
        document: &Document,
    ) -> Result<Option<Next>, Stop> {
        let began = self.call.elapsed();
        let exit = self.wait_for_server(enqueue, document);
        let parameters = match exit {
            Ok(Some(exit)) => {
                let result = match exit.outcome {
                    QueueOutcome::Bridged => "bridged",
                    QueueOutcome::Left => "leave",
                    QueueOutcome::Full => "queue-full",
                    QueueOutcome::Failed => "system-error",
                };
                queue_parameters(result, Some(exit.queue_sid), exit.waited_s.into())
            }
            Ok(None) => queue_parameters("error", None, 0),
            Err(Stop::Call(CallError::HungUp)) => {
                let waited = self.call.elapsed().saturating_sub(began);
                if let Some(departure) = self.call.taken_from_queue() {
                    self.tell_of_departure(departure, enqueue, document);
                } else if let Some(action) = &enqueue.action {
                    // It is sent, and fails for the call that is over.
                    let parameters = queue_parameters("hangup", None, waited.as_secs());
                    let (base, status) = (document.url.as_deref(), self.status());
                    self.documents.follow(action, base, parameters, status)?;
                }
                return Err(CallError::HungUp.into());
            }
            Err(stop) => return Err(stop),
        };
        Ok(follow(enqueue.action.as_ref(), parameters))
    }

    /// The API took the call away. Other documents go on with it, so that nobody waits for what this request brings.
    fn tell_of_departure(&self, departure: Departure, enqueue: &Enqueue, document: &Document) {
        let Some(action) = &enqueue.action else {
            return;
        };
        let result = match departure.was_bridged {
            true => "redirected-from-bridged",
            false => "redirected",
        };
        let (sid, waited_s) = (Some(departure.queue_sid), departure.waited_s.into());
        let parameters = queue_parameters(result, sid, waited_s);
        let (base, status) = (document.url.as_deref(), CallStatus::InProgress);
        self.documents.tell(action, base, parameters, status);
    }

    /// None where the host refuses the queue.
    fn wait_for_server(
        &mut self,
        enqueue: &Enqueue,
        document: &Document,
    ) -> Result<Option<QueueExit>, Stop> {
        let sound = sound(&enqueue.wait, document);
        let queue = match enqueue.max_size {
            Some(most) => self.call.enqueue_of(&enqueue.name, sound, most),
            None => self.call.enqueue(&enqueue.name, sound),
        };
        let queue = match queue {
            Ok(queue) => queue,
            Err(CallError::HungUp) => return Err(CallError::HungUp.into()),
            Err(error) => {
                warn!(self.call, "no queue {}: {error}", enqueue.name);
                return Ok(None);
            }
        };
        let waited = self.wait_in(&Place::Queue(&queue), &enqueue.wait, document, None)?;
        Ok(Some(match waited {
            Waited::HungUp => {
                self.call.hang_up()?;
                return Err(CallError::HungUp.into());
            }
            Waited::Enough => queue.leave()?,
            Waited::ForSomebody => queue.finish()?,
        }))
    }

    /// Serves a queue until one of the two goes, or nobody comes in time.
    fn serve(
        &self,
        queue: Queue<'_>,
        dial: &RoomDial,
        document: &Document,
    ) -> Result<Vec<Parameter>, CallError> {
        let bridge = queue.bridged(dial.timeout)?;
        let Some(bridge) = bridge else {
            queue.leave()?;
            return Ok(vec![("DialCallStatus", "no-answer".to_owned())]);
        };
        let began = self.call.elapsed();
        let recording = match &dial.recording {
            Some(wanted) => self.begin_recording(wanted, document)?,
            None => None,
        };
        queue.finish_within(dial.hangup_on_star.then_some('*'), dial.limit)?;
        let duration = self.call.elapsed().saturating_sub(began);
        let recorded = recording.map(Recording::stop).transpose()?;
        let mut parameters = vec![
            ("DialCallStatus", "completed".to_owned()),
            ("DialCallSid", bridge.call_sid),
            ("DialCallDuration", duration.as_secs().to_string()),
            ("DialBridged", "true".to_owned()),
            ("QueueSid", bridge.queue_sid),
            ("QueueTime", bridge.waited_s.to_string()),
        ];
        if let Some(recorded) = recorded {
            parameters.extend(recording_parameters(recorded));
        }
        Ok(parameters)
    }

    /// Plays a wait document over and over until somebody is there, or no round may begin any more.
    fn wait_in(
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
            match self.hear_round(place, &heard)? {
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

    fn hear_round(&mut self, place: &Place<'_>, heard: &Document) -> Result<Round, Stop> {
        for verb in &heard.verbs {
            let still_waits = match (verb, place) {
                (Verb::Prompt(Prompt::Pause(length)), _) => place.still_waits(*length)?,
                (Verb::Prompt(prompt), _) => match self.queue(prompt, heard)? {
                    Some(playback) => place.hear(playback)?,
                    None => true,
                },
                (Verb::Redirect(link), _) => return Ok(Round::Redirected(link.clone())),
                (Verb::Leave, _) => return Ok(Round::Over(Waited::Enough)),
                (Verb::Hangup, Place::Queue(_)) => return Ok(Round::Over(Waited::HungUp)),
                (Verb::Gather(gather), Place::Queue(queue)) => {
                    match self.gather_waiting(queue, gather, heard)? {
                        Asked::Answered(answer) => {
                            return Ok(Round::Answered(gather.action.clone(), answer));
                        }
                        Asked::Nothing => true,
                        Asked::Over => false,
                    }
                }
                _ => {
                    warn!(
                        self.call,
                        "{CONFERENCE_WAIT_VERB} a document for those who wait has Say, Play, Pause and Redirect, in a queue Gather, Leave and Hangup too: \
                         the rest is ignored"
                    );
                    true
                }
            };
            if !still_waits {
                return Ok(Round::Over(Waited::ForSomebody));
            }
        }
        Ok(Round::Again)
    }

    /// The host refuses what was dialled.
    fn no_room(
        &self,
        dial: &RoomDial,
        error: &CallError,
        what: &str,
    ) -> Result<Option<Next>, Stop> {
        if *error == CallError::HungUp {
            return Err(CallError::HungUp.into());
        }
        warn!(self.call, "no {what}: {error}");
        let parameters = vec![("DialCallStatus", "failed".to_owned())];
        Ok(follow(dial.action.as_ref(), parameters))
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
fn ordered(document: StatusCallback) -> Wait {
    Wait::Url(Link {
        url: document.url,
        method: document.method,
    })
}

/// What one who waited hears before who serves them.
fn said_first(link: &Link, document: &Document) -> Whisper {
    let url = match &document.url {
        Some(base) => resolve(base, &link.url),
        None => link.url.clone(),
    };
    Whisper::voice_url(url, link.method)
}

/// What the host plays while the call waits.
fn sound(wait: &Wait, document: &Document) -> WaitSound {
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

fn follow(action: Option<&Link>, parameters: Vec<Parameter>) -> Option<Next> {
    action.map(|link| Next::Fetch(link.clone(), parameters))
}

fn queue_parameters(result: &str, sid: Option<String>, waited_s: u64) -> Vec<Parameter> {
    let mut parameters = vec![
        ("QueueResult", result.to_owned()),
        ("QueueTime", waited_s.to_string()),
    ];
    parameters.extend(sid.map(|sid| ("QueueSid", sid)));
    parameters
}
