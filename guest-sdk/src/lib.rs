//! A phone call as a story that runs from top to bottom.
//!
//! A Jackfield plugin is a WebAssembly component that runs one call. This crate is all that its author imports. The
//! story is an ordinary function: where it waits (for a prompt to end, for keys, for a web server) the host suspends it,
//! and when the caller hangs up, whatever it waits in returns [`CallError::HungUp`], so that `?` ends it.
//!
//! # The classic menu
//!
//! ```
//! use std::time::Duration;
//!
//! use jackfield_guest::{Call, CallError, Digits};
//!
//! jackfield_guest::flow!(run);
//!
//! fn run(call: &Call) -> Result<(), CallError> {
//!     call.answer()?;
//!     let menu = call.play("prompts/menu.wav")?;
//!     match menu.gather(Digits::up_to(1), Duration::from_secs(5))?.as_str() {
//!         "1" => call.play("prompts/sales.wav")?.finish()?,
//!         "2" => call.say("All our engineers are asleep.")?.finish()?,
//!         _ => call.play("prompts/goodbye.wav")?.finish()?,
//!     };
//!     call.hang_up()
//! }
//! ```
//!
//! Put it in a library crate with `crate-type = ["cdylib"]` and build it with
//! `cargo build --target wasm32-wasip2 --release`: the file is the component.
//!
//! # What a story may do
//!
//! | to | call |
//! |---|---|
//! | pick up, or turn away | [`Call::answer`], [`Call::reject`] |
//! | be heard | [`Call::play`], [`Call::say`], then [`Playback::finish`], [`Playback::gather`] or [`Playback::stop`] |
//! | hear keys | [`Playback::gather`], [`Call::gather`], [`Call::key`] |
//! | hear words, or keys | [`Playback::ask`], [`Call::ask`]; [`Call::listen`] for words as they are said |
//! | stream its audio to a server, and be spoken for by it | [`Call::stream`] |
//! | record | [`Call::record`]; [`Call::start_recording`], then [`Recording::pause`] or [`Recording::stop`] |
//! | let time pass | [`Call::pause`] |
//! | have somebody else on the line | [`Call::dial`], then [`Dialing::finish`] |
//! | send the other side on to somebody else | [`Call::refer`], then [`Referring::finish`] |
//! | ask a web server | [`Call::http`] |
//! | be together with others | [`Call::conference`], then [`Conference::finish`] or [`Conference::until_key`] |
//! | wait for somebody, or serve who waits | [`Call::enqueue`], [`Call::serve`] |
//! | remember something beyond the call | [`Call::key_value`] |
//! | register people, who are called in an emergency | [`Call::people`] |
//! | keep what was recorded, for broadcasts and flows to play | [`Call::files`] |
//! | know by a PIN who calls, without hearing it | [`Call::conceal_keys`] |
//! | know what it is about | [`Call::info`], [`Call::setting`] |
//! | tell the operator | [`debug!`], [`info!`], [`warn!`], [`error!`] |
//! | end | [`Call::hang_up`], or return |
//!
//! # Keys
//!
//! Keys that come while nobody gathers are kept in order, and the next [`Call::gather`] begins with them: who knows the
//! menu by heart types ahead. [`Call::clear_digits`] forgets them where an answer must follow its question.
//!
//! # Time and chance
//!
//! `std::time` and the random numbers of the standard library work, and come from the host: time stands still between two
//! waits, and both are written to the call's journal, so that a call can be run again exactly.
//!
//! # Tests
//!
//! A story is an ordinary function, so an ordinary unit test runs it: [`Rehearsal`] is a caller that follows a script, on a
//! clock that never makes you wait.
//!
//! ```
//! # use jackfield_guest::{Call, CallError};
//! use jackfield_guest::Rehearsal;
//! # fn run(call: &Call) -> Result<(), CallError> { call.answer()?; call.play("prompts/menu.wav")?.gather(jackfield_guest::Digits::up_to(1), std::time::Duration::from_secs(5))?; call.play("prompts/sales.wav")?.finish()?; call.hang_up() }
//!
//! let caller = Rehearsal::new().press(0.5, "1");
//! assert_eq!(run(&Call::on(caller.clone())), Ok(()));
//! assert_eq!(
//!     caller.transcript(),
//!     ["answer", "play prompts/menu.wav", "stop", "play prompts/sales.wav", "hang up"],
//! );
//! ```

mod call;
mod component;
mod conference;
mod context;
mod detection;
mod dial;
mod dial_terms;
mod digits;
mod files;
mod hand_over;
mod host;
mod http;
mod inbox;
mod key_value;
mod log;
mod media;
mod people;
mod pin;
mod playback;
mod queue;
mod queue_whisper;
mod recording;
mod referral;
mod rehearsal;
pub mod retry;
pub mod routing;
mod signalling;
mod speech_input;
mod stream;
mod transfer;
mod whisper;

/// What `wit-bindgen` makes of the `call-flow` world. Not an interface: use what the crate re-exports.
#[doc(hidden)]
#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    rust_2018_idioms,
    clippy::all
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: [
            "../wit/types@0.1.0",
            "../wit/deps/wasi-config@0.2.0-rc.1",
            "../wit/deps/wasi-keyvalue@0.2.0-draft",
            "../wit/deps/wasi-logging@0.1.0-draft",
            "../wit/call@0.1.0",
            "../wit/rooms@0.1.0",
            "../wit/dial@0.1.0",
            "../wit/transfers@0.1.0",
            "../wit/queues@0.1.0",
            "../wit/dialled@0.1.0",
        ],
        inline: "
            package jackfield:sdk;
            world flow {
                include jackfield:call/call-flow@0.1.0;
                import jackfield:rooms/conferences@0.1.0;
                import jackfield:dial/terms@0.1.0;
                import jackfield:transfers/transfers@0.1.0;
                import jackfield:queues/queues@0.1.0;
                import jackfield:dialled/signalling@0.1.0;
            }
        ",
        world: "jackfield:sdk/flow",
        generate_all,
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        default_bindings_module: "jackfield_guest::bindings",
    });
}

#[doc(inline)]
pub use bindings::jackfield::call::conference::{
    Beep, ConferenceCallback, ConferenceOptions, ConferenceTopic,
};
#[doc(inline)]
pub use bindings::jackfield::call::control::{
    AnsweredBy, CallCallback, CallError, CallTurn, ConferenceEnd, ConferenceEvent, ConferencePlace,
    Continuation, Detection, DialEnd as Dialed, DialId, DialStatus, Event, HttpError, HttpMethod,
    HttpRequest as Request, HttpResponse as Response, ListeningId, MediaSource, OrderedSound,
    PartialWords, PlaybackEnd, PlaybackId, QueueBridge, QueueEvent, QueueExit, QueueOutcome,
    QueuePlace, Recorded, RecordingEnd, RecordingId, Referral, RejectReason, RequestId, Speech,
    SpeechEnd, SpeechEvent, StatusCallback, StoryFlow, StreamEnd, StreamError, StreamId, WaitSound,
    Words,
};
#[doc(inline)]
pub use bindings::jackfield::call::dial::{DialRequest, Target, Whisper};
#[doc(inline)]
pub use bindings::jackfield::call::machine_detection::{DetectionMode, DetectionRequest};
#[doc(inline)]
pub use bindings::jackfield::call::recording::{
    PauseBehavior, RecordingCallback, RecordingChannels, RecordingOptions, RecordingSource,
    RecordingTracks, RecordingTurn,
};
#[doc(inline)]
pub use bindings::jackfield::call::referral::ReferRequest;
#[doc(inline)]
pub use bindings::jackfield::call::speech_input::ListeningRequest;
#[doc(inline)]
pub use bindings::jackfield::call::streams::{StartedStream, StreamRequest, StreamTracks};
#[doc(inline)]
pub use bindings::jackfield::dial::terms::{Credentials, TargetTerms};
#[doc(inline)]
pub use bindings::jackfield::dialled::signalling::Signals;
#[doc(inline)]
pub use bindings::jackfield::queues::queues::Departure;
#[doc(inline)]
pub use bindings::jackfield::rooms::conferences::{ConferenceRecording, ConferenceTerms};
#[doc(inline)]
pub use bindings::jackfield::transfers::transfers::Transfer;
#[doc(inline)]
pub use bindings::jackfield::types::types::{CallInfo, Direction, HangUpCause};
#[doc(inline)]
pub use bindings::wasi::logging::logging::Level;
pub use call::Call;
#[doc(hidden)]
pub use component::Component;
pub use conference::{Conference, ConferenceTurn};
pub use context::Context;
pub use detection::Detecting;
pub use dial::{Dial, Dialing};
pub use digits::Digits;
#[doc(hidden)]
pub use files::RehearsedFiles;
pub use files::{Files, Prepared};
pub use host::Host;
pub use key_value::KeyValue;
#[doc(hidden)]
pub use key_value::RehearsedPairs;
#[doc(hidden)]
pub use people::RehearsedPeople;
pub use people::{People, Person, PersonChange};
pub use pin::{Pin, Verdict};
#[doc(hidden)]
pub use pin::{Pins, RehearsedPins};
pub use playback::Playback;
pub use queue::Queue;
#[doc(hidden)]
pub use queue_whisper::RehearsedQueue;
pub use recording::Recording;
pub use referral::{Refer, Referring};
pub use rehearsal::{Callee, Referee, Rehearsal};
pub use speech_input::{Answer, Listening};
pub use stream::Stream;
#[doc(hidden)]
pub use transfer::RehearsedTransfer;
pub use transfer::Transferring;

/// Makes a function the story of this component.
///
/// It takes a path to a `fn(&Call) -> Result<(), CallError>`. When that returns, the host hangs up, if the call still is
/// up; an error other than [`CallError::HungUp`] is logged for the tenant. Natively the macro only checks the type, so
/// that a plugin compiles, and is tested, like any other crate.
///
/// ```
/// use jackfield_guest::{Call, CallError, RejectReason};
///
/// jackfield_guest::flow!(nobody_home);
///
/// fn nobody_home(call: &Call) -> Result<(), CallError> {
///     call.reject(RejectReason::Unavailable)
/// }
/// ```
#[macro_export]
macro_rules! flow {
    ($run:path) => {
        const _: () = {
            const _: fn(&$crate::Call) -> ::core::result::Result<(), $crate::CallError> = $run;

            #[cfg(target_arch = "wasm32")]
            struct Flow;

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::exports::jackfield::call::story::Guest for Flow {
                fn run() -> ::core::result::Result<(), $crate::CallError> {
                    $run(&$crate::Call::on($crate::Component))
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::export!(Flow with_types_in $crate::bindings);
        };
    };
}
