//! What a call runs on.

use std::time::Duration;

use crate::{
    CallError, CallInfo, Event, Level, MediaSource, PlaybackId, RejectReason, Request, RequestId,
    Speech,
};

/// What a [`Call`](crate::Call) runs on.
///
/// One method for each import of the `call-flow` world, in its words; `wit/call@0.1.0/control.wit` says what each does.
/// A story never sees it. Implement it to run a story natively in a unit test:
///
/// ```
/// use std::cell::RefCell;
/// use std::time::Duration;
///
/// use jackfield_guest::*;
///
/// /// A caller who presses the same key whenever the story listens.
/// struct Impatient(char);
///
/// impl Host for Impatient {
///     fn next_event(&self, _timeout: Option<Duration>) -> Option<Event> {
///         Some(Event::Digit(self.0))
///     }
///     fn elapsed(&self) -> Duration {
///         Duration::ZERO
///     }
///     // ...
/// #   fn info(&self) -> CallInfo { unimplemented!() }
/// #   fn setting(&self, _: &str) -> Option<String> { None }
/// #   fn log(&self, _: Level, _: &str) {}
/// #   fn answer(&self) -> Result<(), CallError> { Ok(()) }
/// #   fn reject(&self, _: RejectReason) -> Result<(), CallError> { Ok(()) }
/// #   fn hang_up(&self) -> Result<(), CallError> { Ok(()) }
/// #   fn play(&self, _: &MediaSource, _: u32) -> Result<PlaybackId, CallError> { Ok(1) }
/// #   fn say(&self, _: &Speech, _: u32) -> Result<PlaybackId, CallError> { Ok(1) }
/// #   fn stop_playback(&self, _: PlaybackId) -> Result<(), CallError> { Ok(()) }
/// #   fn echo(&self, _: bool) -> Result<(), CallError> { Ok(()) }
/// #   fn send_request(&self, _: &Request) -> Result<RequestId, CallError> { Ok(1) }
/// }
///
/// let call = Call::on(Impatient('7'));
/// assert_eq!(call.gather(Digits::exactly(3), Duration::from_secs(5))?, "777");
/// # Ok::<(), CallError>(())
/// ```
#[allow(missing_docs)]
pub trait Host {
    fn info(&self) -> CallInfo;
    fn setting(&self, name: &str) -> Option<String>;
    fn log(&self, level: Level, message: &str);
    fn answer(&self) -> Result<(), CallError>;
    fn reject(&self, reason: RejectReason) -> Result<(), CallError>;
    fn hang_up(&self) -> Result<(), CallError>;
    fn play(&self, source: &MediaSource, loops: u32) -> Result<PlaybackId, CallError>;
    fn say(&self, speech: &Speech, loops: u32) -> Result<PlaybackId, CallError>;
    fn stop_playback(&self, playback: PlaybackId) -> Result<(), CallError>;
    fn echo(&self, on: bool) -> Result<(), CallError>;
    fn send_request(&self, request: &Request) -> Result<RequestId, CallError>;

    /// The next event in order, or none when `timeout` is over; without one it waits for as long as it takes.
    fn next_event(&self, timeout: Option<Duration>) -> Option<Event>;

    /// The time since some moment that stays the same during the call. It may stand still between two events.
    fn elapsed(&self) -> Duration;
}
