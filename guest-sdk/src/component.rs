//! The host behind a component's imports.

use std::time::{Duration, Instant};

use crate::bindings::jackfield::call::{
    conference, control, dial, machine_detection, queue, recording, referral, speech_input, streams,
};
use crate::bindings::wasi::{config, logging};
use crate::{
    CallError, CallInfo, ConferenceOptions, Continuation, DetectionRequest, DialId, DialRequest,
    Event, Host, Level, ListeningId, ListeningRequest, MediaSource, PauseBehavior, PlaybackId,
    RecordingId, RecordingOptions, ReferRequest, RejectReason, Request, RequestId, Speech,
    StartedStream, StreamId, StreamRequest, WaitSound,
};

/// The imports of the component that this crate is linked into.
#[derive(Debug, Clone, Copy)]
pub struct Component;

thread_local! {
    /// When this component first looked at the clock.
    static BEGINNING: Instant = Instant::now();
}

impl Host for Component {
    fn info(&self) -> CallInfo {
        control::info()
    }

    fn setting(&self, name: &str) -> Option<String> {
        config::store::get(name).unwrap_or_else(|error| {
            self.log(
                Level::Error,
                &format!("the setting {name} cannot be read: {error}"),
            );
            None
        })
    }

    fn log(&self, level: Level, message: &str) {
        logging::logging::log(level, "", message);
    }

    fn answer(&self) -> Result<(), CallError> {
        control::answer()
    }

    fn reject(&self, reason: RejectReason) -> Result<(), CallError> {
        control::reject(reason)
    }

    fn hang_up(&self) -> Result<(), CallError> {
        control::hang_up()
    }

    fn play(&self, source: MediaSource, loops: u32) -> Result<PlaybackId, CallError> {
        control::play(&source, loops)
    }

    fn say(&self, speech: Speech, loops: u32) -> Result<PlaybackId, CallError> {
        control::say(&speech, loops)
    }

    fn stop_playback(&self, playback: PlaybackId) -> Result<(), CallError> {
        control::stop_playback(playback)
    }

    fn press(&self, keys: String) -> Result<PlaybackId, CallError> {
        control::press(&keys)
    }

    fn continue_with(&self, next: Continuation) -> Result<(), CallError> {
        control::continue_with(&next)
    }

    fn echo(&self, on: bool) -> Result<(), CallError> {
        control::echo(on)
    }

    fn start_recording(&self, options: RecordingOptions) -> Result<RecordingId, CallError> {
        recording::start(&options)
    }

    fn pause_recording(&self, id: RecordingId, behavior: PauseBehavior) -> Result<(), CallError> {
        recording::pause(id, behavior)
    }

    fn resume_recording(&self, id: RecordingId) -> Result<(), CallError> {
        recording::resume(id)
    }

    fn stop_recording(&self, id: RecordingId) -> Result<(), CallError> {
        recording::stop(id)
    }

    fn send_request(&self, request: Request) -> Result<RequestId, CallError> {
        control::send_request(&request)
    }

    fn join_conference(&self, name: String, options: ConferenceOptions) -> Result<(), CallError> {
        conference::join(&name, &options)
    }

    fn leave_conference(&self) -> Result<(), CallError> {
        conference::leave()
    }

    fn mute(&self, muted: bool) -> Result<(), CallError> {
        conference::mute(muted)
    }

    fn hold(&self, sound: Option<WaitSound>) -> Result<(), CallError> {
        conference::hold(sound.as_ref())
    }

    fn wait_in_queue(
        &self,
        name: String,
        sound: WaitSound,
        max_size: Option<u32>,
    ) -> Result<(), CallError> {
        queue::wait(&name, &sound, max_size)
    }

    fn serve_queue(&self, name: String) -> Result<(), CallError> {
        queue::serve(&name)
    }

    fn leave_queue(&self) -> Result<(), CallError> {
        queue::leave()
    }

    fn dial(&self, request: DialRequest) -> Result<DialId, CallError> {
        dial::dial(&request)
    }

    fn stop_dial(&self, dial: DialId) -> Result<(), CallError> {
        dial::stop_dial(dial)
    }

    fn start_stream(&self, request: StreamRequest) -> Result<StartedStream, CallError> {
        streams::start_stream(&request)
    }

    fn stop_stream(&self, stream: StreamId) -> Result<(), CallError> {
        streams::stop_stream(stream)
    }

    fn detect_machine(&self, request: DetectionRequest) -> Result<(), CallError> {
        machine_detection::detect_machine(&request)
    }

    fn refer(&self, request: ReferRequest) -> Result<(), CallError> {
        referral::refer(&request)
    }

    fn listen(&self, request: ListeningRequest) -> Result<ListeningId, CallError> {
        speech_input::listen(&request)
    }

    fn stop_listening(&self, id: ListeningId) -> Result<(), CallError> {
        speech_input::stop_listening(id)
    }

    fn next_event(&self, timeout: Option<Duration>) -> Option<Event> {
        control::next_event(timeout.map(whole_milliseconds))
    }

    fn elapsed(&self) -> Duration {
        BEGINNING.with(Instant::elapsed)
    }
}

/// Rounded up, so that a wait is never cut short and a last fraction never spins.
fn whole_milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_rounded_up_to_whole_milliseconds() {
        let check =
            |duration, expected| assert_eq!(whole_milliseconds(duration), expected, "{duration:?}");
        check(Duration::ZERO, 0);
        check(Duration::from_nanos(1), 1);
        check(Duration::from_millis(20), 20);
        check(Duration::from_micros(20_001), 21);
        check(Duration::from_secs(4_294_967), 4_294_967_000);
        check(Duration::from_secs(4_294_968), u32::MAX);
        check(Duration::MAX, u32::MAX);
    }
}
