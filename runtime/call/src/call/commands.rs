//! What a story may ask for, and when; and what it has playing.

use std::time::Instant;

use super::{Call, State};
use crate::playlist::{MAX_QUEUED, Playlist, Stopped};
use crate::{
    CallError, Command, Effect, Event, HangUpCause, MediaCommand, PlaybackEnd, PlaybackId,
    PromptSource, Reply, RequestId, Speech,
};

/// HTTP requests of one call that may be under way at a time.
const MAX_HTTP: usize = 8;
/// Playbacks are repeated at most this often (Twilio's `loop="0"` means as much).
const MAX_LOOPS: u32 = 1_000;
/// Characters in one speech (Twilio error 13521).
const MAX_SPEECH: usize = 4_096;
/// Bytes of one speech with its markup.
const MAX_SPEECH_BYTES: usize = 64 * 1024;

/// Keys that one command may press.
const MAX_KEYS: usize = 64;

impl Call {
    /// Accepts or refuses one command of the story.
    pub(super) fn obey(&mut self, now: Instant, command: Command) -> Result<Reply, CallError> {
        self.check_whisper(&command)?;
        match (self.state, command) {
            (_, Command::Http(request)) => {
                if self.requests.len() >= MAX_HTTP {
                    return Err(CallError::LimitReached(format!(
                        "{MAX_HTTP} HTTP requests at a time"
                    )));
                }
                self.last_request += 1;
                let id = RequestId(self.last_request);
                self.requests.insert(id);
                self.emit(Effect::Http(id, request));
                Ok(Reply::Request(id))
            }
            (State::Over, _) => Err(CallError::HungUp),
            _ if self.story.says_goodbye() => Err(CallError::HungUp),
            (State::Incoming, Command::Answer) => {
                self.answer(now);
                self.ring();
                Ok(Reply::Done)
            }
            (State::Up, Command::Answer) => Ok(Reply::Done),
            (State::Incoming, Command::Reject(reason)) => {
                self.reject(now, reason);
                Ok(Reply::Done)
            }
            (State::Up, Command::Reject(_)) => Err(CallError::AlreadyAnswered),
            (_, Command::HangUp) => {
                self.hang_up(now, HangUpCause::Local);
                Ok(Reply::Done)
            }
            (State::Up, Command::Play { source, loops }) => {
                self.queue(loops, PromptSource::Media(source))
            }
            (State::Up, Command::Say { speech, loops }) => {
                check_length(&speech)?;
                self.queue(loops, PromptSource::Speech(speech))
            }
            (State::Up, Command::Press(keys)) => self.press(&keys),
            (State::Up, Command::StopPlayback(id)) => self.stop_playback(now, id),
            (State::Up, Command::Echo(on)) => {
                self.emit(Effect::Media(MediaCommand::Echo(on)));
                Ok(Reply::Done)
            }
            (State::Up, Command::Conference(command)) => self.obey_conference(command),
            (State::Up, Command::Queue(command)) => self.obey_queue(command),
            (State::Incoming | State::Up, Command::Dial(request)) => self.dial(request, Vec::new()),
            (State::Incoming | State::Up, Command::DialWith { request, terms }) => {
                self.dial(request, terms)
            }
            (State::Incoming | State::Up, Command::StopDial(id)) => self.stop_dial(id),
            (State::Incoming | State::Up, Command::Transfer(command)) => {
                self.obey_transfer(command)
            }
            (State::Up, Command::StartStream(request)) => self.start_stream(request),
            (State::Up, Command::StopStream(id)) => self.stop_stream(id),
            (State::Up, Command::DetectMachine(request)) => self.detect_machine(request),
            (State::Up, Command::Recording(command)) => self.obey_recording(command),
            (State::Up, Command::Refer(request)) => self.refer(now, request),
            (State::Up, Command::Listen(request)) => self.listen(request),
            (State::Up, Command::StopListening(id)) => self.stop_listening(id),
            (State::Incoming, Command::ContinueWith(next))
            | (State::Up, Command::ContinueWith(next)) => self.continue_with(next),
            (State::Incoming | State::Calling | State::Cancelling(_), _) => {
                Err(CallError::NotAnswered)
            }
        }
    }

    pub(super) fn queue(&mut self, loops: u32, source: PromptSource) -> Result<Reply, CallError> {
        if !(1..=MAX_LOOPS).contains(&loops) {
            return Err(CallError::InvalidArgument(format!(
                "loops is {loops}: give 1 to {MAX_LOOPS}"
            )));
        }
        let id = self.playlist.push(loops).ok_or_else(too_many)?;
        self.hush();
        self.emit(Effect::Fetch(id, source));
        Ok(Reply::Playback(id))
    }

    fn press(&mut self, keys: &str) -> Result<Reply, CallError> {
        let is_key = |key| "0123456789ABCD*#wW".contains(key);
        if !(1..=MAX_KEYS).contains(&keys.len()) || !keys.chars().all(is_key) {
            return Err(CallError::InvalidArgument(format!(
                "{keys:?} are no keys: give 1 to {MAX_KEYS} of 0-9, A-D, *, #, and w or W to wait"
            )));
        }
        let id = self.playlist.push_keys(keys).ok_or_else(too_many)?;
        self.hush();
        self.play_ready();
        Ok(Reply::Playback(id))
    }

    pub(super) fn play_ready(&mut self) {
        while let Some(command) = self.playlist.next_ready() {
            self.story.heard = true;
            self.emit(Effect::Media(command));
        }
    }

    pub(super) fn stop_playback(
        &mut self,
        now: Instant,
        id: PlaybackId,
    ) -> Result<Reply, CallError> {
        match self.playlist.stop(id) {
            Stopped::Playing => self.emit(Effect::Media(MediaCommand::Stop(id))),
            Stopped::Removed => {
                self.playback_ended(now, id, PlaybackEnd::Stopped);
                self.play_ready();
            }
            Stopped::Unknown => return Err(CallError::UnknownId),
        }
        Ok(Reply::Done)
    }

    pub(super) fn playback_ended(&mut self, now: Instant, id: PlaybackId, end: PlaybackEnd) {
        if Playlist::is_sound(id) {
            self.sound_ended(id, &end);
        } else if self.announcement_ended(id, &end) {
            // The story did not ask for it.
        } else if self.story.apology == Some(id) {
            self.hang_up(now, HangUpCause::Local);
        } else {
            self.story.missed |= matches!(end, PlaybackEnd::Failed(_));
            self.tell(Event::PlaybackEnded(id, end));
        }
        self.sound();
    }
}

fn too_many() -> CallError {
    CallError::LimitReached(format!("{MAX_QUEUED} playbacks at a time"))
}

/// What goes with one text to who speaks it.
fn check_length(speech: &Speech) -> Result<(), CallError> {
    let (characters, bytes) = (speech.characters(), speech.text.len());
    if characters > MAX_SPEECH {
        return Err(CallError::InvalidArgument(format!(
            "the text has {characters} characters, at most {MAX_SPEECH} are spoken"
        )));
    }
    if bytes > MAX_SPEECH_BYTES {
        return Err(CallError::InvalidArgument(format!(
            "the text has {bytes} bytes with its markup, at most {MAX_SPEECH_BYTES} are read"
        )));
    }
    Ok(())
}
