//! Retry strategies: whether, and when, a call is tried again.
//!
//! A strategy is a function from a call, its attempts so far and the window in which it may be dialled to a [`Decision`]. It computes alone: no
//! call, no HTTP, no files; its clock stands still, and the same question has the same answer.
//! [`retry_strategy!`](crate::retry_strategy) exports it.
//!
//! ```
//! use std::time::Duration;
//!
//! use jackfield_guest::Context;
//! use jackfield_guest::retry::{Decision, Outcome, Request};
//!
//! jackfield_guest::retry_strategy!(next);
//!
//! /// Three attempts; a quarter of an hour between them, less where there was no room.
//! fn next(request: &Request, context: &Context) -> Result<Decision, String> {
//!     let most: usize = context.number("attempts", 3)?;
//!     if request.attempts.len() >= most {
//!         return Ok(Decision::stop(format!("{most} attempts")));
//!     }
//!     Ok(match request.last_outcome() {
//!         Outcome::Answered => Decision::stop("somebody answered"),
//!         Outcome::Unallocated => Decision::stop("nobody has that number"),
//!         Outcome::Congestion => request.again_in(Duration::from_secs(30), "there was no room"),
//!         _ => request.again_in(Duration::from_secs(15 * 60), "nobody was reached"),
//!     })
//! }
//!
//! # use jackfield_guest::retry::{Attempt, OutboundCall};
//! // A test is an ordinary function call.
//! let tried = [Attempt::new("north", Outcome::Busy, 1_000, 5_000)];
//! let request = Request::new(OutboundCall::new("1294", "+85512345678"), tried.into());
//! let decision = next(&request, &Context::new()).unwrap();
//! assert_eq!(decision.at_unix_ms(), Some(5_000 + 15 * 60 * 1_000));
//! let once = Context::new().with_setting("attempts", "1");
//! assert_eq!(next(&request, &once), Ok(Decision::stop("1 attempts")));
//! ```

use std::time::Duration;

/// What `wit-bindgen` makes of the `retry-strategy` world. Not an interface: use what the module re-exports.
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
            "../wit/deps/wasi-logging@0.1.0-draft",
            "../wit/retry@0.1.0",
        ],
        world: "jackfield:retry/retry-strategy@0.1.0",
        with: {
            "jackfield:types/attempts@0.1.0": crate::routing::bindings::jackfield::types::attempts,
            "wasi:config/store@0.2.0-rc.1": crate::bindings::wasi::config::store,
            "wasi:logging/logging@0.1.0-draft": crate::bindings::wasi::logging::logging,
        },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        default_bindings_module: "jackfield_guest::retry::bindings",
    });
}

#[doc(inline)]
pub use crate::routing::{Attempt, Operator, OutboundCall, Outcome, Priority, Status};
#[doc(inline)]
pub use bindings::exports::jackfield::retry::strategy::{Decision, NextAttempt, Request, Window};

impl Request {
    /// A call after these attempts, when the last of them has just ended: for tests.
    #[must_use]
    pub fn new(call: OutboundCall, attempts: Vec<Attempt>) -> Self {
        let now_unix_ms = attempts.last().map_or(0, |attempt| attempt.ended_unix_ms);
        Self {
            call,
            attempts,
            window: Window {
                from_unix_ms: None,
                until_unix_ms: None,
            },
            max_attempts: None,
            now_unix_ms,
        }
    }

    /// What the last attempt came to.
    #[must_use]
    pub fn last_outcome(&self) -> Outcome {
        let last = self.attempts.last();
        last.map_or(Outcome::Failed, |attempt| attempt.outcome)
    }

    /// The call is tried again, so long after now.
    #[must_use]
    pub fn again_in(&self, pause: Duration, reason: impl Into<String>) -> Decision {
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        Decision::again_at(self.now_unix_ms.saturating_add(pause_ms), reason)
    }
}

impl Decision {
    /// The call is tried again at this time, in milliseconds since 1970.
    #[must_use]
    pub fn again_at(at_unix_ms: u64, reason: impl Into<String>) -> Self {
        Self::Again(NextAttempt {
            at_unix_ms,
            reason: reason.into(),
        })
    }

    /// The call is not tried again.
    #[must_use]
    pub fn stop(reason: impl Into<String>) -> Self {
        Self::Stop(reason.into())
    }

    /// When the call is tried again, if it is.
    #[must_use]
    pub const fn at_unix_ms(&self) -> Option<u64> {
        match self {
            Self::Again(next) => Some(next.at_unix_ms),
            Self::Stop(_) => None,
        }
    }
}

/// Makes a function the retry strategy of this component.
///
/// It takes a path to a `fn(&Request, &Context) -> Result<Decision, String>` (see [`retry`](crate::retry)). An error is for settings
/// that make no sense and the like: it goes to the account's log, and the host's own rule is used. Natively the macro only
/// checks the type. A component may be a call flow and a routing policy too.
#[macro_export]
macro_rules! retry_strategy {
    ($next:path) => {
        const _: () = {
            const _: fn(
                &$crate::retry::Request,
                &$crate::Context,
            )
                -> ::core::result::Result<$crate::retry::Decision, ::std::string::String> = $next;

            #[cfg(target_arch = "wasm32")]
            struct Strategy;

            #[cfg(target_arch = "wasm32")]
            impl $crate::retry::bindings::exports::jackfield::retry::strategy::Guest for Strategy {
                fn next(
                    request: $crate::retry::Request,
                ) -> ::core::result::Result<$crate::retry::Decision, ::std::string::String>
                {
                    $next(&request, &$crate::Context::of_component())
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::retry::bindings::export!(Strategy with_types_in $crate::retry::bindings);
        };
    };
}
