//! What the call asks of the world, done by the simulated one.

use std::sync::Arc;
use std::time::Duration;

use call::{
    AnsweredBy, CallStatus, ChildNews, Detection, Effect, Event, HttpError, Input, MediaCommand,
    MediaEvent, PromptSource,
};
use media::{Prompt, Rate};

use super::legs::local;
use super::{APOLOGY, Arriving, MUSIC, SERVER_LATENCY, SOMEBODY, Stage};
use crate::callee::Callee;
use crate::script::Script;
use crate::transcript::Who;

impl Stage {
    pub(super) fn perform_effects(&mut self) {
        loop {
            let input = match self.call.poll() {
                Some(effect) => self.perform(effect),
                None => match self.rooms.news() {
                    None => return,
                    news => news,
                },
            };
            if let Some(input) = input {
                self.call.handle(self.instant(), input);
            }
        }
    }

    /// Does what the call asks for; gives what comes of it at once.
    pub(super) fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Refer(target) => Some(Input::ReferTo(Ok(match target.contains(':') {
                true => target,
                false => format!("sip:{target}@harness.invalid"),
            }))),
            Effect::Sip(sip::Command::Refer { .. }) => {
                self.reports.begin(self.now, self.script.referee);
                None
            }
            Effect::Sip(command) => peer(command).map(Input::Sip),
            Effect::Media(MediaCommand::Recording(order)) => self
                .recordings
                .obey(self.now, order)
                .map(|(id, recording)| Input::Recorded(id, recording)),
            Effect::Media(command) => self.media(command).map(Input::Media),
            Effect::StartRecording { id, start, .. } => {
                self.recordings.start(self.now, id, start.options);
                None
            }
            Effect::Reply(reply) => {
                self.reply = Some(reply);
                None
            }
            Effect::Tell(event) => {
                if let Event::HungUp(cause) = event {
                    self.over = Some(cause);
                    self.leg.silence();
                }
                self.told.push_back(event);
                None
            }
            Effect::Fetch(id, source) => Some(Input::Fetched(id, self.prompt(&source))),
            Effect::Http(id, request) => {
                let result = match self.grants().check_request(&request) {
                    Ok(()) => self.script.response_to(&request),
                    Err(why) => Err(HttpError::NotGranted(why)),
                };
                let at = self.now + SERVER_LATENCY;
                self.responses.push_back(Arriving { at, id, result });
                None
            }
            Effect::Stream(id, order) => {
                self.far_ends.order(self.now, id, order);
                None
            }
            Effect::Listen(id, order) => {
                self.listener.order(id, order);
                None
            }
            Effect::StopStory => {
                self.stop.stop();
                None
            }
            Effect::Status(status) => {
                self.answered |= status == CallStatus::InProgress;
                None
            }
            Effect::Conference(request) => {
                self.rooms.conference(self.info().call_sid, request);
                None
            }
            Effect::Queue(request) => {
                self.rooms
                    .queue(self.instant(), self.info().call_sid, request);
                None
            }
            Effect::PlaceChild(child, call) => {
                let rings = self.table.as_ref().map(|_| &Callee::RINGS);
                let callee = self.script.callees.get(&call.target.to).or(rings);
                self.callees.place(self.now, child, &call, callee);
                None
            }
            Effect::HangUpChild(child) => {
                let news = self.callees.hang_up(self.now, child)?;
                Some(Input::Child(child, news))
            }
            Effect::TellParent(ChildNews::Answered(_)) => {
                self.is_put_through = true;
                self.note(Who::Call, "joined to the caller");
                None
            }
            // Another component is not played.
            Effect::ChangeFlow(_) => None,
            // Begun once more, the same story would do the same.
            Effect::StartStory(_) => self.ended.clone().map(Input::StoryEnded),
            Effect::Bridge(_)
            | Effect::StreamDone(_)
            | Effect::Unbridge
            | Effect::TakeTransfer(_)
            | Effect::ConcludeTransfer(..)
            | Effect::HandOver(..)
            | Effect::RingBack(_)
            | Effect::TellParent(_)
            | Effect::TellDetection(..) => None,
        }
    }

    pub(super) fn media(&mut self, command: MediaCommand) -> Option<MediaEvent> {
        match command {
            MediaCommand::Play { id, prompt, loops } => {
                let frames = u32::try_from(prompt.frames()).unwrap_or(u32::MAX);
                let length = Duration::from_millis(media::FRAME_MS.into()) * frames;
                self.leg.play(self.now, id, length.saturating_mul(loops));
                None
            }
            MediaCommand::Press { id, keys } => {
                let length = keys.chars().map(length_of_key).sum();
                self.leg.play(self.now, id, length);
                None
            }
            MediaCommand::Stop(id) => self
                .leg
                .stop(self.now, id)
                .then_some(MediaEvent::PlaybackEnded { id, stopped: true }),
            MediaCommand::DetectMachine(options) => {
                let (answered_by, after) = self.script.answered_by.unwrap_or(SOMEBODY);
                let (answered_by, after) = match after < options.timeout {
                    true => (answered_by, after),
                    false => (AnsweredBy::Unknown, options.timeout),
                };
                let duration_ms = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
                let detection = Detection {
                    answered_by,
                    duration_ms,
                };
                self.detected = Some((self.now + after, detection));
                None
            }
            MediaCommand::Connect(_)
            | MediaCommand::Echo(_)
            | MediaCommand::Background(_)
            | MediaCommand::Recording(_)
            | MediaCommand::Signalled(_) => None,
        }
    }

    /// A silent prompt of the right length.
    pub(super) fn prompt(&self, source: &PromptSource) -> Result<Arc<Prompt>, String> {
        let length = match source {
            PromptSource::Media(source) => self.script.length_of(source)?,
            PromptSource::Speech(speech) => Script::length_of_speech(speech),
            PromptSource::Apology => APOLOGY,
            PromptSource::Music => MUSIC,
        };
        let samples = usize::try_from(length.as_millis() * 8).unwrap_or(usize::MAX);
        // Nobody hears it: it is coded for nobody.
        Ok(Arc::new(Prompt::new(&vec![0; samples], Rate::Narrow, &[])))
    }
}

/// What the other side does at once.
fn peer(command: sip::Command) -> Option<sip::Event> {
    match command {
        sip::Command::Answer { .. } => Some(sip::Event::Acked { sdp: None }),
        sip::Command::Bye { .. } => Some(sip::Event::Terminated),
        sip::Command::Invite { invite, .. } => Some(sip::Event::Answered {
            sdp: sdp::answer(&invite.sdp, &local(2))
                .ok()
                .map(|negotiated| negotiated.description),
        }),
        _ => None,
    }
}

/// How long a key takes with the silence after it.
fn length_of_key(key: char) -> Duration {
    Duration::from_millis(match key {
        'W' => 1_000,
        'w' => 500,
        _ => 200,
    })
}
