//! What happens in a rehearsal, and when.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::callee::{Callee, Rehearsed};
use super::listener::Listener;
use super::recordings::Recording;
use super::referee::Referee;
use super::rooms::Rooms;
use super::transfer::Wishes;
use crate::{
    AnsweredBy, CallError, CallInfo, DialId, Event, HangUpCause, HttpError, ListeningId,
    PlaybackEnd, PlaybackId, RecordingEnd, RecordingId, RehearsedFiles, RehearsedPairs,
    RehearsedPeople, RehearsedPins, Request, Response, Signals, StreamId, Target,
};

type Server = dyn Fn(&Request) -> Result<Response, HttpError>;

/// The scene as it is now, what is still to come, and what the story did.
pub(super) struct Stage {
    pub(super) info: CallInfo,
    pub(super) settings: BTreeMap<String, String>,
    /// Of the final responses of those who are dialled.
    pub(super) own_fields: BTreeMap<String, Vec<(String, String)>>,
    /// With whoever the last dial ended by.
    pub(super) signalled: Option<Signals>,
    pub(super) pairs: RehearsedPairs,
    pub(super) people: RehearsedPeople,
    pub(super) files: RehearsedFiles,
    pub(super) pins: RehearsedPins,
    pub(super) missing: BTreeSet<String>,
    pub(super) speech: Result<(), CallError>,
    pub(super) server: Box<Server>,
    /// How long it takes to answer.
    pub(super) server_takes: Duration,
    pub(super) callees: BTreeMap<String, Callee>,
    pub(super) wishes: Wishes,

    pub(super) now: Duration,
    /// What will happen when; what happens at the same moment happens in this order.
    pub(super) script: Vec<(Duration, Event)>,
    pub(super) playing: VecDeque<Playing>,
    pub(super) answered: bool,
    pub(super) over: Option<HangUpCause>,
    pub(super) playbacks: PlaybackId,
    pub(super) rooms: Rooms,
    pub(super) dial: Option<Rehearsed>,
    pub(super) dials: DialId,
    pub(super) streams: StreamId,
    /// Who answered, and how long it takes to know.
    pub(super) answered_by: (AnsweredBy, Duration),
    /// How long the caller speaks to each recording.
    pub(super) voice: Duration,
    pub(super) referee: Referee,
    pub(super) is_referring: bool,
    /// There is a recogniser.
    pub(super) listens: bool,
    pub(super) listening: Option<Listener>,
    pub(super) listenings: ListeningId,
    pub(super) recordings: Vec<Recording>,
    pub(super) recordings_begun: RecordingId,

    pub(super) transcript: Vec<String>,
    pub(super) dialled: Vec<Target>,
    pub(super) requests: Vec<Request>,
    pub(super) request_times: Vec<Duration>,
    pub(super) log: Vec<String>,
}

/// One playback of the queue; the first is what is heard.
pub(super) struct Playing {
    pub(super) id: PlaybackId,
    pub(super) left: Duration,
    pub(super) failure: Option<String>,
}

impl Stage {
    pub(super) fn new(info: CallInfo) -> Self {
        Self {
            info,
            settings: BTreeMap::new(),
            own_fields: BTreeMap::new(),
            signalled: None,
            pairs: RehearsedPairs::default(),
            people: RehearsedPeople::default(),
            files: RehearsedFiles::default(),
            pins: RehearsedPins::default(),
            missing: BTreeSet::new(),
            speech: Ok(()),
            server: Box::new(|request| Err(HttpError::Unreachable(request.url.clone()))),
            server_takes: Duration::from_millis(100),
            callees: BTreeMap::new(),
            wishes: Wishes::default(),
            now: Duration::ZERO,
            script: Vec::new(),
            playing: VecDeque::new(),
            answered: false,
            over: None,
            playbacks: 0,
            rooms: Rooms::default(),
            dial: None,
            dials: 0,
            streams: 0,
            answered_by: (AnsweredBy::Human, Duration::from_secs(2)),
            voice: Duration::from_secs(3),
            referee: Referee::refuses(405),
            is_referring: false,
            listens: true,
            listening: None,
            listenings: 0,
            recordings: Vec::new(),
            recordings_begun: 0,
            transcript: Vec::new(),
            dialled: Vec::new(),
            requests: Vec::new(),
            request_times: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Puts an event into the script.
    pub(super) fn happens(&mut self, at: Duration, event: Event) {
        let place = self.script.partition_point(|(other, _)| *other <= at);
        self.script.insert(place, (at, event));
    }

    pub(super) fn note(&mut self, line: impl Into<String>) {
        self.transcript.push(line.into());
    }

    pub(super) fn up(&self) -> Result<(), CallError> {
        match self.over {
            Some(_) => Err(CallError::HungUp),
            None => Ok(()),
        }
    }

    pub(super) fn queue(
        &mut self,
        line: String,
        loops: u32,
        failure: Option<String>,
    ) -> Result<PlaybackId, CallError> {
        self.up()?;
        if !self.answered {
            return Err(CallError::NotAnswered);
        }
        if !(1..=1_000).contains(&loops) {
            return Err(CallError::InvalidArgument("loops: 1 to 1,000".to_owned()));
        }
        self.note(match loops {
            1 => line,
            loops => format!("{line} x{loops}"),
        });
        self.playbacks += 1;
        self.playing.push_back(Playing {
            id: self.playbacks,
            left: match failure {
                Some(_) => Duration::ZERO,
                None => Duration::from_secs(2) * loops,
            },
            failure,
        });
        Ok(self.playbacks)
    }

    pub(super) fn end(&mut self, cause: HangUpCause) {
        self.playing.clear();
        self.over = Some(cause);
        self.end_recordings(|_| Some(RecordingEnd::HungUp));
    }

    /// Lets time pass.
    fn advance(&mut self, duration: Duration) {
        self.now += duration;
        if let Some(first) = self.playing.front_mut() {
            first.left = first.left.saturating_sub(duration);
        }
    }

    pub(super) fn next_event(&mut self, timeout: Option<Duration>) -> Option<Event> {
        if let Some(cause) = self.over {
            return Some(self.take_recorded().unwrap_or(Event::HungUp(cause)));
        }
        if let Some(recorded) = self.take_recorded() {
            return Some(recorded);
        }
        let scripted = self.script.first();
        let scripted = scripted.map(|(at, _)| at.saturating_sub(self.now));
        let played = self.playing.front().map(|first| first.left);
        let recorded = self.next_recording_end();
        let ends = played.into_iter().chain(recorded);
        let Some(wait) = scripted.into_iter().chain(ends).chain(timeout).min() else {
            self.end(HangUpCause::Limit);
            return Some(Event::HungUp(HangUpCause::Limit));
        };
        self.advance(wait);
        if scripted == Some(wait) {
            let (_, event) = self.script.remove(0);
            let event = self.in_room(event);
            let Some(event) = self.in_listening(event) else {
                return self.next_event(timeout.map(|timeout| timeout - wait));
            };
            match event {
                Event::HungUp(cause) => self.end(cause),
                Event::Digit(key) if self.ends_a_recording(key) => return self.take_recorded(),
                _ => {}
            }
            self.in_referral(&event);
            return Some(self.in_dial(event));
        }
        if played == Some(wait) {
            let ended = self.playing.pop_front()?;
            let end = match ended.failure {
                Some(why) => PlaybackEnd::Failed(why),
                None => PlaybackEnd::Finished,
            };
            return Some(Event::PlaybackEnded((ended.id, end)));
        }
        if recorded == Some(wait) {
            let now = self.now;
            self.end_recordings(|recording| recording.ended_by(now));
            return self.take_recorded();
        }
        None
    }
}
