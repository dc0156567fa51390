//! What a call that waited in a queue hears before the one that serves it: a story beside its own, which waits meanwhile.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use call::{
    CallError, Command, Event, Grants, Input, ListeningId, PlaybackId, RecordingId, Reply,
    RequestId, StoryChoice, StoryOutcome,
};
use plugin_host::{Stop, StoryEnd};
use tokio::sync::mpsc;
use tracing::{Instrument, info};

use super::{CallActor, Message, Running};
use crate::children;
use crate::mailbox::{Request, mailbox};
use crate::rooms::QueueWhisper;

/// Such a story, as it runs.
pub(super) struct Whispering {
    /// One that no other of its call has.
    number: u32,
    pub(super) running: Running,
    /// What it asked for: what becomes of that is told to it.
    playbacks: HashSet<PlaybackId>,
    requests: HashSet<RequestId>,
    listenings: HashSet<ListeningId>,
    recordings: HashSet<RecordingId>,
    /// It gave the command in hand.
    is_heard: bool,
}

impl Whispering {
    /// Whether an event is for this story, and not for the one that waits.
    fn hears(&self, event: &Event) -> bool {
        match event {
            Event::PlaybackEnded(id, _) => self.playbacks.contains(id),
            Event::HttpResponse(id, _) => self.requests.contains(id),
            Event::Speech(id, _) => self.listenings.contains(id),
            Event::RecordingEnded(id, _) => self.recordings.contains(id),
            Event::Digit(_) => true,
            _ => false,
        }
    }
}

impl CallActor {
    /// Begins to tell it. Where it cannot be told nothing is heard.
    pub(super) fn whisper(&mut self, whisper: QueueWhisper) {
        self.stop_whisper();
        let mut story = children::told(whisper.whisper.story, whisper.whisper.settings);
        let told = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(whisper.told)
            .finish();
        let yes = || "true".to_owned();
        let own = [
            ("parameters", told),
            ("is-answered", yes()),
            ("is-whisper", yes()),
        ];
        story
            .settings
            .extend(own.map(|(name, value)| (name.to_owned(), value)));
        let services = &self.services;
        let found =
            services
                .flows
                .find(&self.account, &story, StoryChoice::Flow, self.info.call_sid);
        let with_share = found.and_then(|begun| {
            let share = services.shares.take(self.account.sid, begun.flow.class())?;
            Ok((begun, share))
        });
        let (begun, share) = match with_share {
            Ok(found) => found,
            Err(error) => {
                info!(target: "tenant", "nothing is said to who waited: {error}");
                return self.has_heard_whisper();
            }
        };
        let (mailbox, desk) = mailbox(self.account_desks());
        let stop = Stop::new();
        let memory = share.memory.clone();
        let setup = services.story_setup(&self.info, &begun, memory, stop.clone());
        let (inbox, grants) = (self.inbox.clone(), Arc::clone(&setup.grants));
        self.whispers += 1;
        let number = self.whispers;
        let telling = async move {
            let end = begun.flow.start(setup, mailbox).await;
            drop(share);
            // The actor may have ended with the call.
            let _ = inbox.send(Message::WhisperOver(number, end)).await;
        };
        tokio::spawn(telling.in_current_span());
        self.whispering = Some(Whispering {
            number,
            running: Running { desk, grants, stop },
            playbacks: HashSet::new(),
            requests: HashSet::new(),
            listenings: HashSet::new(),
            recordings: HashSet::new(),
            is_heard: false,
        });
    }

    /// It is over. However that came, the two may hear each other.
    pub(super) fn whisper_over(&mut self, number: u32, end: StoryEnd) {
        self.journals.push(end.journal);
        let outcome = StoryOutcome::from(end.outcome);
        self.log_outcome(&outcome, None);
        if let Some(whispering) = self.whispering.take_if(|one| one.number == number) {
            self.clear_away(&whispering);
            self.drain();
            self.has_heard_whisper();
        }
    }

    /// What it left behind is not heard by whom it is joined to, and holds up nothing that comes later.
    fn clear_away(&mut self, whispering: &Whispering) {
        let playbacks = whispering.playbacks.iter();
        let listenings = whispering.listenings.iter();
        let stops = playbacks.map(|id| Command::StopPlayback(*id));
        let stops = stops.chain(listenings.map(|id| Command::StopListening(*id)));
        for stop in stops {
            self.call.handle(Instant::now(), Input::Command(stop));
        }
    }

    /// Nobody is there any more for whom it is said.
    pub(super) fn stop_whisper(&mut self) {
        if let Some(whispering) = self.whispering.take() {
            whispering.running.stop.stop();
            self.clear_away(&whispering);
        }
    }

    /// Where its commands come from.
    pub(super) fn whispered_requests(
        whispering: Option<&mut Whispering>,
    ) -> Option<&mut mpsc::Receiver<Request>> {
        whispering.map(|whispering| &mut whispering.running.desk.requests)
    }

    /// What the call is to do of what such a story asks; none where that is not for it.
    pub(super) fn take_whispered(&mut self, request: Request) -> Option<Input> {
        let Request { command, reply } = request;
        let refused = match &command {
            Command::ContinueWith(_) => Err(CallError::InvalidArgument(
                "a whisper hands nobody over: return to be joined".to_owned(),
            )),
            command => command.check_whispered(),
        };
        if let Err(refusal) = refused {
            // A story that was stopped does not listen any more.
            let _ = reply.send(Err(refusal));
            return None;
        }
        if let Some(whispering) = &mut self.whispering {
            whispering.is_heard = true;
        }
        self.reply = Some(reply);
        Some(Input::Command(command))
    }

    /// Notes what the call gives back to the story whose command is in hand.
    pub(super) fn note_whispered(&mut self, result: &Result<Reply, CallError>) {
        let Some(whispering) = &mut self.whispering else {
            return;
        };
        if std::mem::take(&mut whispering.is_heard) {
            match result {
                Ok(Reply::Playback(id)) => drop(whispering.playbacks.insert(*id)),
                Ok(Reply::Request(id)) => drop(whispering.requests.insert(*id)),
                Ok(Reply::Listening(id)) => drop(whispering.listenings.insert(*id)),
                Ok(Reply::Recording(id)) => drop(whispering.recordings.insert(*id)),
                _ => {}
            }
        }
    }

    /// What the story may ask for whose command is in hand.
    pub(super) fn grants_in_hand(&self) -> Arc<Grants> {
        let whispering = self.whispering.as_ref().filter(|one| one.is_heard);
        let running = whispering.map_or(self.running.as_ref(), |one| Some(&one.running));
        running.map_or_else(Arc::default, |running| Arc::clone(&running.grants))
    }

    /// The stories that are to hear of this: the one that is told beside, or the call's own, or both.
    pub(super) fn hearers(&self, event: &Event) -> impl Iterator<Item = &Running> {
        let is_last = matches!(event, Event::HungUp(_) | Event::TakenFromQueue(_));
        let beside = self
            .whispering
            .as_ref()
            .filter(|one| is_last || one.hears(event));
        let own = self
            .running
            .as_ref()
            .filter(|_| is_last || beside.is_none());
        own.into_iter().chain(beside.map(|one| &one.running))
    }
}
