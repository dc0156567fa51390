//! Conferences and queues: what is heard while one waits, and what is told of it afterwards.

use std::time::Duration;

use fault_codes::of_refused_conference;
use jackfield_guest::{
    CallError, Conference, ConferenceEnd, ConferenceOptions, ConferenceTerms, ConferenceTurn,
    Departure, Queue, QueueExit, QueueOutcome, Recording, WaitSound, Whisper, error, warn,
};

use super::record::recording_parameters;
use super::wait_document::{Place, Waited, ordered, sound};
use super::{Interpreter, Next};
use crate::document::Document;
use crate::documents::Stop;
use crate::fault::{Fault, LABEL_WRONG};
use crate::fetch::{CallStatus, Parameter};
use crate::reference::resolve;
use crate::verb::{Enqueue, Link, Room, RoomDial, Wait};

/// Characters of a `participantLabel` (Twilio's bound).
const MAX_LABEL: usize = 128;

impl<'c> Interpreter<'c> {
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
                if let Some(fault) = wrong_label(options) {
                    error!(self.call, "{fault}");
                    return Ok(follow(dial.action.as_ref(), not_dialled()));
                }
                let began = self.call.elapsed();
                let (options, terms) = (options.as_ref().clone(), terms.as_ref().clone());
                let conference = match self.join(name, options, terms, wait, document) {
                    Ok(conference) => conference,
                    Err(error) => return self.no_room(dial, &error, "conference"),
                };
                let until = began + dial.limit;
                self.wait_in(&Place::Conference(&conference), wait, document, Some(until))?;
                let end = self.stay(conference, dial.hangup_on_star, until, document)?;
                let duration = self.call.elapsed().saturating_sub(began);
                vec![
                    ("DialCallStatus", self.status_after(name, &end).to_owned()),
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

    /// Asks to be in a conference. What its document names by relative URLs is found from there.
    fn join(
        &self,
        name: &str,
        mut options: ConferenceOptions,
        mut terms: ConferenceTerms,
        wait: &Wait,
        document: &Document,
    ) -> Result<Conference<'c>, CallError> {
        options.wait_sound = sound(wait, document);
        if let (Some(callback), Some(base)) = (&mut options.status_callback, &document.url) {
            callback.to.url = resolve(base, &callback.to.url);
        }
        let recording = terms.recording.as_mut();
        let told = recording.and_then(|recording| recording.status_callback.as_mut());
        if let (Some(callback), Some(base)) = (told, &document.url) {
            callback.to.url = resolve(base, &callback.to.url);
        }
        match terms == ConferenceTerms::default() {
            true => self.call.conference(name, options),
            false => self.call.conference_with(name, options, terms),
        }
    }

    /// The `DialCallStatus` after a conference. Why the call was not let in is logged.
    fn status_after(&self, name: &str, end: &ConferenceEnd) -> &'static str {
        let ConferenceEnd::Refused(why) = end else {
            return "answered";
        };
        match of_refused_conference(why) {
            Some(code) => error!(self.call, "{code} Conference {name}: {why}"),
            None => warn!(self.call, "no conference {name}: {why}"),
        }
        "failed"
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
        let mut queue_sid = None;
        let exit = self.wait_for_server(enqueue, document, &mut queue_sid);
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
                    let parameters = queue_parameters("hangup", queue_sid, waited.as_secs());
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

    /// None where the host refuses the queue. Its SID is told before the call waits.
    fn wait_for_server(
        &mut self,
        enqueue: &Enqueue,
        document: &Document,
        queue_sid: &mut Option<String>,
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
        *queue_sid = queue.place().map(|place| place.queue_sid);
        let waited = self.wait_in(
            &Place::Queue(&queue, enqueue.max_size),
            &enqueue.wait,
            document,
            None,
        )?;
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
        Ok(follow(dial.action.as_ref(), not_dialled()))
    }
}

/// What is wrong with the label that a document gives a participant; none if nothing is, or it has none.
fn wrong_label(options: &ConferenceOptions) -> Option<Fault> {
    let label = options.label.as_deref()?;
    let has_slash = ["/", "%2F", "%2f"]
        .iter()
        .any(|slash| label.contains(slash));
    let is_wrong = label.chars().count() > MAX_LABEL || has_slash || is_call_sid(label);
    is_wrong.then(|| {
        let message = format!(
            "Conference: participantLabel must have at most {MAX_LABEL} characters, no `/`, and be no call's SID"
        );
        Fault::new(LABEL_WRONG, message)
    })
}

fn is_call_sid(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let digits = text.strip_prefix("CA").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(is_digit)
}

/// What an action is told where nobody was dialled.
fn not_dialled() -> Vec<Parameter> {
    vec![("DialCallStatus", "failed".to_owned())]
}

/// What one who waited hears before who serves them.
fn said_first(link: &Link, document: &Document) -> Whisper {
    let url = match &document.url {
        Some(base) => resolve(base, &link.url),
        None => link.url.clone(),
    };
    Whisper::voice_url(url, link.method)
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
