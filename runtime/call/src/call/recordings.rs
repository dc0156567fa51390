//! The recordings of a call that go on.

use std::time::Duration;

use super::Call;
use crate::{
    CallError, Effect, Event, MediaCommand, MediaPath, Recording, RecordingCommand, RecordingEnd,
    RecordingId, RecordingOptions, RecordingOrder, Reply, StartRecording,
};

/// Recordings of one call that go on at a time.
const MAX_RECORDINGS: usize = 4;
/// The shortest silence or length that can end one: some frames.
const MIN_LENGTH: Duration = Duration::from_millis(100);
/// What the other side can press.
const KEYS: &str = "0123456789*#ABCD";

/// Those that began and have not ended.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    going_on: Vec<GoingOn>,
    last: u32,
}

/// One that goes on.
#[derive(Debug, Clone, Copy)]
struct GoingOn {
    id: RecordingId,
    /// Silence or a key ends it: somebody leaves a message, and the story waits for that.
    is_message: bool,
}

impl Call {
    /// Accepts or refuses a command of an answered call.
    pub(super) fn obey_recording(&mut self, command: RecordingCommand) -> Result<Reply, CallError> {
        match command {
            RecordingCommand::Start(start) => return self.start_recording(start),
            RecordingCommand::Pause(id, behavior) => {
                self.order_recording(id, RecordingOrder::Pause(id, behavior))?;
            }
            RecordingCommand::Resume(id) => {
                self.order_recording(id, RecordingOrder::Resume(id))?;
            }
            RecordingCommand::Stop(id) => {
                self.order_recording(id, RecordingOrder::Stop(id, RecordingEnd::Stopped))?;
            }
        }
        Ok(Reply::Done)
    }

    pub(super) fn start_recording(&mut self, start: StartRecording) -> Result<Reply, CallError> {
        let options = &start.options;
        check(options)?;
        if let Some(callback) = &start.callback {
            callback.check().map_err(CallError::InvalidArgument)?;
        }
        if self.recordings.going_on.len() >= MAX_RECORDINGS {
            return Err(CallError::LimitReached(format!(
                "{MAX_RECORDINGS} recordings of a call at a time"
            )));
        }
        self.recordings.last += 1;
        let id = RecordingId(self.recordings.last);
        self.recordings.going_on.push(GoingOn {
            id,
            is_message: options.silence_timeout.is_some() || !options.finish_keys.is_empty(),
        });
        let path = self.path.or(self.unconfirmed);
        let codec = path.map_or(media::Codec::Pcmu, |path| MediaPath::media_codec(&path));
        self.emit(Effect::StartRecording { id, start, codec });
        Ok(Reply::Recording(id))
    }

    fn order_recording(&mut self, id: RecordingId, order: RecordingOrder) -> Result<(), CallError> {
        let is_known = self.recordings.going_on.iter().any(|own| own.id == id);
        if !is_known {
            return Err(CallError::UnknownId);
        }
        self.emit(Effect::Media(MediaCommand::Recording(order)));
        Ok(())
    }

    /// A recording is complete.
    pub(super) fn recorded(&mut self, id: RecordingId, recording: Recording) {
        let before = self.recordings.going_on.len();
        self.recordings.going_on.retain(|other| other.id != id);
        if self.recordings.going_on.len() < before {
            self.tell(Event::RecordingEnded(id, recording));
        }
    }

    /// The call is over: its recordings end with it.
    pub(super) fn stop_recordings(&mut self) {
        self.stop_those(RecordingEnd::HungUp, |_| true);
    }

    /// The story that waits for a message is broken off. What records the whole call goes on.
    pub(super) fn stop_messages(&mut self) {
        self.stop_those(RecordingEnd::Stopped, |recording| recording.is_message);
    }

    fn stop_those(&mut self, end: RecordingEnd, which: impl Fn(&GoingOn) -> bool) {
        for at in 0..self.recordings.going_on.len() {
            let recording = self.recordings.going_on[at];
            if which(&recording) {
                let order = RecordingOrder::Stop(recording.id, end);
                self.emit(Effect::Media(MediaCommand::Recording(order)));
            }
        }
    }
}

fn check(options: &RecordingOptions) -> Result<(), CallError> {
    let lengths = [
        ("the silence timeout", options.silence_timeout),
        ("the longest length", options.max_length),
    ];
    for (what, length) in lengths {
        if length.is_some_and(|length| length < MIN_LENGTH) {
            return Err(CallError::InvalidArgument(format!(
                "{what} is too short: give at least {} ms",
                MIN_LENGTH.as_millis()
            )));
        }
    }
    if let Some(key) = options.finish_keys.chars().find(|key| !KEYS.contains(*key)) {
        return Err(CallError::InvalidArgument(format!(
            "{key:?} is no key that can end a recording: give some of {KEYS}"
        )));
    }
    Ok(())
}
