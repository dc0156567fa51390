//! A call: one leg (our end of one SIP dialog), its media as seen from control, its story, its record.
//!
//! [`Call`] is a core: it takes `(now, input)` and returns effects. It knows the types of `sip`, `sdp` and `media`, and
//! nobody above it. [`Command`] and [`Event`] are the plugin interface in Rust's words; `wit/call@0.1.0` is their source.

mod call;
mod command;
mod event;
mod ids;
mod io;
mod leg;
mod outcome;
mod playlist;
mod quality;
mod record;
mod signalled_digit;

pub use call::{Call, Limits};
pub use command::{
    CallError, Command, HttpMethod, HttpRequest, MediaSource, RejectReason, Reply, Speech,
};
pub use event::{Event, HangUpCause, HttpError, HttpResponse, PlaybackEnd};
pub use ids::{AccountSid, CallSid, InvalidSid, PlaybackId, RequestId};
pub use io::{
    Effect, Input, MediaCommand, MediaEvent, MediaPath, PromptSource, StoryChoice, StoryOutcome,
    media_codec,
};
pub use leg::{InboundLeg, OutboundLeg};
pub use outcome::{Outcome, Outcomes};
pub use quality::CallQuality;
pub use record::{CallInfo, CallRecord, CallStatus, Direction};
