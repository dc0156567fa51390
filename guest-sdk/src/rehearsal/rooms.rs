//! Conferences and queues in a rehearsal.

use std::time::Duration;

use super::Rehearsal;
use super::stage::Stage;
use crate::{
    Beep, CallError, ConferenceEnd, ConferenceEvent, ConferenceOptions, ConferencePlace,
    ConferenceTerms, Departure, Event, HangUpCause, MediaSource, QueueBridge, QueueEvent,
    QueueExit, QueueOutcome, QueuePlace, RehearsedQueue, WaitSound,
};

/// Where the call is, and since when.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    place: Place,
    since: Duration,
    /// Seconds until somebody came.
    waited_s: Option<u32>,
    /// The API takes the call away by the script.
    is_redirected: bool,
    /// Somebody comes into the conference by the script.
    begins_later: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Nowhere,
    Conference,
    Waiting,
    Serving,
}

impl Rehearsal {
    /// Nobody is in a conference before that time, `seconds` after the beginning. Without it somebody is there already.
    #[must_use]
    pub fn conference_begins(self, seconds: f32) -> Self {
        self.stage_mut().rooms.begins_later = true;
        self.happens(seconds, Event::Conference(ConferenceEvent::Began));
        self
    }

    /// The API orders something of the call in the conference ([`ConferenceEvent::Muted`], [`ConferenceEvent::Held`],
    /// [`ConferenceEvent::WaitsWith`]), `seconds` after the beginning.
    #[must_use]
    pub fn conference_orders(self, seconds: f32, order: ConferenceEvent) -> Self {
        self.happens(seconds, Event::Conference(order));
        self
    }

    /// Somebody ends the conference, `seconds` after the beginning.
    #[must_use]
    pub fn conference_ends(self, seconds: f32) -> Self {
        let left = ConferenceEvent::Left(ConferenceEnd::Ended);
        self.happens(seconds, Event::Conference(left));
        self
    }

    /// Somebody comes for the call that is at a queue, `seconds` after the beginning. Without it nobody does.
    #[must_use]
    pub fn queue_answers(self, seconds: f32) -> Self {
        let bridge = QueueBridge {
            queue_sid: queue_sid(),
            call_sid: format!("CA{}", "3".repeat(32)),
            waited_s: 0,
        };
        self.happens(seconds, Event::Queue(QueueEvent::Bridged(bridge)));
        self
    }

    /// The API gives the call another story, `seconds` after the beginning. To this one it is over; at a queue it can tell.
    #[must_use]
    pub fn redirected(self, seconds: f32) -> Self {
        self.stage_mut().rooms.is_redirected = true;
        self.happens(seconds, Event::HungUp(HangUpCause::Api));
        self
    }

    /// The other one of the queue goes, `seconds` after the beginning.
    #[must_use]
    pub fn queue_ends(self, seconds: f32) -> Self {
        let left = QueueEvent::Left(exit(QueueOutcome::Bridged, 0));
        self.happens(seconds, Event::Queue(left));
        self
    }
}

impl Stage {
    pub(super) fn join_conference(
        &mut self,
        name: &str,
        options: &ConferenceOptions,
        terms: &ConferenceTerms,
    ) -> Result<(), CallError> {
        self.enter(Place::Conference)?;
        let words = words_of(options, terms);
        self.note(match words.as_str() {
            "" => format!("join conference {name}"),
            words => format!("join conference {name} [{words}]"),
        });
        let begins_later = self.rooms.begins_later;
        let place = ConferencePlace {
            conference_sid: format!("CF{}", "4".repeat(32)),
            participants: if begins_later { 1 } else { 2 },
        };
        let now = self.now;
        self.happens(now, Event::Conference(ConferenceEvent::Joined(place)));
        if !begins_later {
            self.happens(now, Event::Conference(ConferenceEvent::Began));
        }
        Ok(())
    }

    pub(super) fn in_conference(&mut self, line: &str) -> Result<(), CallError> {
        self.up()?;
        if self.rooms.place != Place::Conference {
            return Err(CallError::InvalidArgument("no conference".to_owned()));
        }
        self.note(line);
        Ok(())
    }

    pub(super) fn leave_conference(&mut self) -> Result<(), CallError> {
        self.in_conference("leave conference")?;
        let (now, left) = (self.now, ConferenceEvent::Left(ConferenceEnd::Left));
        self.happens(now, Event::Conference(left));
        Ok(())
    }

    pub(super) fn wait_in_queue(
        &mut self,
        name: &str,
        sound: &WaitSound,
        max_size: Option<u32>,
    ) -> Result<(), CallError> {
        self.enter(Place::Waiting)?;
        let mut line = format!("wait in queue {name}");
        if let Some(most) = max_size {
            line.push_str(&format!(" of at most {most}"));
        }
        if *sound != WaitSound::Music {
            line.push_str(&format!(" with {}", sound.words()));
        }
        self.note(line);
        let place = QueuePlace {
            queue_sid: queue_sid(),
            position: 1,
            size: 1,
            average_wait_s: 0,
        };
        let now = self.now;
        self.happens(now, Event::Queue(QueueEvent::Waiting(place)));
        Ok(())
    }

    pub(super) fn serve_queue(&mut self, name: &str) -> Result<(), CallError> {
        self.enter(Place::Serving)?;
        self.note(format!("serve queue {name}"));
        Ok(())
    }

    pub(super) fn more_of_queue(
        &mut self,
        deed: RehearsedQueue<'_>,
    ) -> Result<Option<Departure>, CallError> {
        match deed {
            RehearsedQueue::Serve(name, _) => {
                self.enter(Place::Serving)?;
                self.note(format!("serve queue {name} after a whisper"));
                Ok(None)
            }
            RehearsedQueue::TakenAway => {
                let waited = self.now.saturating_sub(self.rooms.since).as_secs();
                let waited = u32::try_from(waited).unwrap_or(u32::MAX);
                let is_taken = self.rooms.is_redirected && self.rooms.place == Place::Waiting;
                Ok(is_taken.then(|| Departure {
                    queue_sid: queue_sid(),
                    waited_s: self.rooms.waited_s.unwrap_or(waited),
                    was_bridged: self.rooms.waited_s.is_some(),
                }))
            }
        }
    }

    pub(super) fn leave_queue(&mut self) -> Result<(), CallError> {
        self.up()?;
        if !matches!(self.rooms.place, Place::Waiting | Place::Serving) {
            return Err(CallError::InvalidArgument("no queue".to_owned()));
        }
        self.note("leave queue");
        let outcome = match self.rooms.waited_s {
            Some(_) => QueueOutcome::Bridged,
            None => QueueOutcome::Left,
        };
        let (now, left) = (self.now, QueueEvent::Left(exit(outcome, 0)));
        self.happens(now, Event::Queue(left));
        Ok(())
    }

    /// An event with what only its time tells: how long the call has waited.
    pub(super) fn in_room(&mut self, mut event: Event) -> Event {
        let waited = self.now.saturating_sub(self.rooms.since);
        let waited_s = match self.rooms.place {
            Place::Waiting => u32::try_from(waited.as_secs()).unwrap_or(u32::MAX),
            _ => 0,
        };
        match &mut event {
            Event::Queue(QueueEvent::Bridged(bridge)) => {
                bridge.waited_s = waited_s;
                self.rooms.waited_s = Some(waited_s);
            }
            Event::Queue(QueueEvent::Left(exit)) => {
                exit.waited_s = self.rooms.waited_s.unwrap_or(waited_s);
                self.rooms.place = Place::Nowhere;
            }
            Event::Conference(ConferenceEvent::Left(_)) => self.rooms.place = Place::Nowhere,
            _ => {}
        }
        event
    }

    fn enter(&mut self, place: Place) -> Result<(), CallError> {
        self.up()?;
        if !self.answered {
            return Err(CallError::NotAnswered);
        }
        if self.rooms.place != Place::Nowhere {
            let message = "the call is in a conference or at a queue: leave it first";
            return Err(CallError::InvalidArgument(message.to_owned()));
        }
        self.rooms.place = place;
        self.rooms.since = self.now;
        self.rooms.waited_s = None;
        Ok(())
    }
}

impl WaitSound {
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Music => "music",
            Self::Silence => "silence",
            Self::Prompt(MediaSource::Url(name) | MediaSource::File(name)) => name,
        }
    }
}

/// What is not as it is when nothing is said.
fn words_of(options: &ConferenceOptions, terms: &ConferenceTerms) -> String {
    let mut words = Vec::new();
    words.extend(options.muted.then(|| "muted".to_owned()));
    words.extend((!options.start_on_enter).then(|| "does not begin it".to_owned()));
    words.extend(options.end_on_exit.then(|| "ends it".to_owned()));
    words.extend(match options.beep {
        Beep::Always => None,
        Beep::Never => Some("no beep".to_owned()),
        Beep::OnEnter => Some("beep on entering".to_owned()),
        Beep::OnExit => Some("beep on leaving".to_owned()),
    });
    if options.wait_sound != WaitSound::Music {
        words.push(format!("waits with {}", options.wait_sound.words()));
    }
    words.extend(options.coach.as_ref().map(|sid| format!("coaches {sid}")));
    words.extend(
        options
            .max_participants
            .map(|most| format!("at most {most}")),
    );
    words.extend(options.label.as_ref().map(|label| format!("as {label}")));
    if let Some(recording) = &terms.recording {
        words.push("recorded".to_owned());
        words.extend(recording.trim_silence.then(|| "trimmed".to_owned()));
        let told = recording.status_callback.as_ref();
        words.extend(told.map(|told| format!("tells {} of the recording", told.to.url)));
    }
    words.extend(terms.speakers.then(|| "tells who speaks".to_owned()));
    words.join(", ")
}

fn queue_sid() -> String {
    format!("QU{}", "5".repeat(32))
}

fn exit(outcome: QueueOutcome, waited_s: u32) -> QueueExit {
    QueueExit {
        queue_sid: queue_sid(),
        outcome,
        waited_s,
    }
}
