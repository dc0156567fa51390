//! The story of a call: begun, told, and replaced when it fails.

use std::time::{Duration, Instant};

use super::dial::check_story;
use super::{Call, State};
use crate::{
    CallError, Continuation, Effect, Event, HangUpCause, MediaCommand, PlaybackId, PromptSource,
    Reply, StoryChoice, StoryOutcome,
};

/// Times that stories may hand one call over, so that two of them do not play with it for ever.
const MAX_HAND_OVERS: u32 = 100;

/// A story whose call is taken away from its queue has this long to say so elsewhere.
const GOODBYE: Duration = Duration::from_secs(2);

/// What is known of a call's story.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// The one that runs now.
    pub(super) running: Option<StoryChoice>,
    /// It broke and was begun again.
    pub(super) restarted: bool,
    /// Some prompt went to the leg, or a stream to its far end: a second story would repeat itself to the caller.
    pub(super) heard: bool,
    /// Another one takes its place as soon as it has ended.
    pub(super) replaced: bool,
    /// Until when it may make requests before that, and nothing else.
    goodbye: Option<Instant>,
    /// What the one that runs hands the call over to.
    pub(super) next: Option<Continuation>,
    /// How often stories have handed the call over.
    pub(super) handed_over: u32,
    /// The fallback has taken the flow's place.
    pub(super) fell_back: bool,
    /// Something that it asked for was not heard.
    pub(super) missed: bool,
    /// The playback after which a failed call is hung up.
    pub(super) apology: Option<PlaybackId>,
}

impl Story {
    /// To it the call is over; another one is about to go on.
    pub(super) const fn says_goodbye(&self) -> bool {
        self.goodbye.is_some()
    }

    /// When it is broken off.
    pub(super) const fn goodbye_ends(&self) -> Option<Instant> {
        self.goodbye
    }
}

impl Call {
    pub(super) fn start_story(&mut self, choice: StoryChoice) {
        self.story.running = Some(choice);
        self.emit(Effect::StartStory(choice));
    }

    pub(super) fn story_ended(&mut self, now: Instant, outcome: &StoryOutcome) {
        let Some(choice) = self.story.running.take() else {
            return;
        };
        if self.state == State::Over {
            self.deadline = None;
            return;
        }
        self.close_streams_of_story();
        self.forget_listening();
        if self.detect_at_answer.is_none() {
            self.detecting = None;
        }
        self.forget_referral();
        self.story.goodbye = None;
        if std::mem::take(&mut self.story.replaced) {
            self.story.next = None;
            return self.start_story(StoryChoice::Flow);
        }
        if let Some(next) = self.story.next.take()
            && matches!(
                outcome,
                StoryOutcome::Returned(Ok(()) | Err(CallError::HungUp))
            )
        {
            return self.go_on_with(next);
        }
        match outcome {
            StoryOutcome::Returned(Ok(())) if self.whispers() => self.put_through(now),
            StoryOutcome::Returned(Ok(()) | Err(CallError::HungUp)) => {
                self.hang_up(now, HangUpCause::Local);
            }
            StoryOutcome::Broke(_) if !self.story.heard && !self.story.restarted => {
                self.story.restarted = true;
                self.leave_room();
                self.playlist.clear();
                self.start_story(choice);
            }
            StoryOutcome::Broke(_) | StoryOutcome::Returned(Err(_))
                if self.has_fallback() && choice == StoryChoice::Flow =>
            {
                self.silence();
                self.story.fell_back = true;
                self.start_story(StoryChoice::Fallback);
            }
            StoryOutcome::Broke(_) | StoryOutcome::Returned(Err(_)) => self.apologise(now),
        }
    }

    /// That of the account knows nothing of whispers.
    const fn has_fallback(&self) -> bool {
        self.limits.has_fallback && self.dialled.is_none()
    }

    /// The story is broken off, and its place is another's: at once where it has ended, and else when it has. One that is at a queue is told
    /// first, and may say so elsewhere. A call that was dialled leaves whoever dialled it.
    pub(super) fn redirect(&mut self, now: Instant) {
        if self.state != State::Up {
            return;
        }
        self.leave_parent(now);
        let is_at_queue = self.is_at_queue();
        self.silence();
        self.stop_messages();
        self.story.restarted = false;
        self.story.apology = None;
        if self.story.running.is_some() {
            self.story.replaced = true;
            match is_at_queue {
                true => self.story.goodbye = Some(now + GOODBYE),
                false => self.break_off(),
            }
        } else {
            self.start_story(StoryChoice::Flow);
        }
    }

    /// Ends a goodbye that takes too long.
    pub(super) fn goodbye_is_over(&mut self, now: Instant) {
        if self.story.goodbye.is_some_and(|until| now >= until) {
            self.break_off();
        }
    }

    fn break_off(&mut self) {
        self.story.goodbye = None;
        self.emit(Effect::StopStory);
    }

    /// Another story is to go on with the call. The last word counts.
    pub(super) fn continue_with(&mut self, next: Continuation) -> Result<Reply, CallError> {
        check_story("the next story", &next.story, &next.settings)?;
        if self.story.handed_over >= MAX_HAND_OVERS {
            return Err(CallError::LimitReached(format!(
                "{MAX_HAND_OVERS} stories that hand a call over"
            )));
        }
        self.story.next = Some(next);
        Ok(Reply::Done)
    }

    /// What the story before it left behind is taken away; the recording of the whole call goes on.
    fn go_on_with(&mut self, next: Continuation) {
        self.silence();
        self.stop_messages();
        self.story.handed_over += 1;
        self.story.restarted = false;
        self.story.heard = false;
        self.emit(Effect::ChangeFlow(next));
        self.start_story(StoryChoice::Flow);
    }

    /// The caller is told that something went wrong, then the call ends.
    pub(super) fn apologise(&mut self, now: Instant) {
        if self.state == State::Incoming {
            self.answer(now);
        }
        self.silence();
        match self.playlist.push(1) {
            Some(id) => {
                self.story.apology = Some(id);
                self.emit(Effect::Fetch(id, PromptSource::Apology));
            }
            None => self.hang_up(now, HangUpCause::Local),
        }
    }

    /// Stops all that plays or waits to be played, leaves the others, and ends those who were dialled.
    pub(super) fn silence(&mut self) {
        self.leave_room();
        self.drop_dial();
        for command in self.playlist.stop_all() {
            self.emit(Effect::Media(command));
        }
        self.emit(Effect::Media(MediaCommand::Echo(false)));
    }

    pub(super) fn tell(&mut self, event: Event) {
        if self.story.running.is_some() {
            self.emit(Effect::Tell(event));
        }
    }
}
