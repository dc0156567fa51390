//! Routing policies: over which trunks an outbound call is tried, and in which order.
//!
//! A policy is a function from a call and the trunks, as they stand now, to a [`Decision`]. It computes alone: no call, no HTTP, no files; its
//! clock stands still, and the same question has the same answer. [`routing_policy!`](crate::routing_policy) exports it.
//!
//! ```
//! use jackfield_guest::Context;
//! use jackfield_guest::routing::{Decision, Health, Request, Trunk};
//!
//! jackfield_guest::routing_policy!(route);
//!
//! /// Every trunk that serves the number and has room, the emptiest first.
//! fn route(request: &Request, trunks: &[Trunk], _: &Context) -> Result<Decision, String> {
//!     let called = &request.call.callee;
//!     let mut fit: Vec<&Trunk> = trunks
//!         .iter()
//!         .filter(|trunk| trunk.health != Health::Down && trunk.serves(called))
//!         .collect();
//!     if fit.is_empty() {
//!         return Ok(Decision::refuse(format!("no trunk serves {called}")));
//!     }
//!     fit.retain(|trunk| trunk.has_room(called, request.now_unix_ms));
//!     fit.sort_by_key(|trunk| trunk.channels.used);
//!     Ok(match fit.is_empty() {
//!         true => Decision::wait("every trunk is full"),
//!         false => Decision::Attempts(fit.iter().map(|trunk| trunk.attempt("the emptiest")).collect()),
//!     })
//! }
//!
//! # use jackfield_guest::routing::{Channels, OutboundCall};
//! // A test is an ordinary function call.
//! let request = Request::new(OutboundCall::new("1294", "+85512345678"), 1_795_377_600_000);
//! let busy = Trunk { channels: Channels { used: 20, limit: 30 }, ..Trunk::new("north") };
//! let full = Trunk { channels: Channels { used: 30, limit: 30 }, ..Trunk::new("south") };
//! let idle = Trunk::new("west");
//! let decision = route(&request, &[busy.clone(), full.clone(), idle], &Context::new()).unwrap();
//! assert_eq!(decision.trunks(), ["west", "north"]);
//! assert_eq!(route(&request, &[full], &Context::new()), Ok(Decision::wait("every trunk is full")));
//! ```

use std::time::Duration;

/// What `wit-bindgen` makes of the `routing-policy` world. Not an interface: use what the module re-exports.
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
            "../wit/routing@0.1.0",
        ],
        world: "jackfield:routing/routing-policy@0.1.0",
        with: {
            "jackfield:types/attempts@0.1.0": generate,
            "wasi:config/store@0.2.0-rc.1": crate::bindings::wasi::config::store,
            "wasi:logging/logging@0.1.0-draft": crate::bindings::wasi::logging::logging,
        },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        default_bindings_module: "jackfield_guest::routing::bindings",
    });
}

#[doc(inline)]
pub use bindings::exports::jackfield::routing::policy::{
    Channels, Decision, Health, Pause, PlannedAttempt, PrefixChannels, Price, Recent, Request,
    Trunk,
};
#[doc(inline)]
pub use bindings::jackfield::types::attempts::{
    Attempt, Operator, OutboundCall, Outcome, Priority, Status,
};

impl OutboundCall {
    /// An ordinary call between these numbers, with made-up SIDs: for tests.
    #[must_use]
    pub fn new(caller: &str, callee: &str) -> Self {
        Self {
            call_sid: format!("CA{:032x}", 1),
            account_sid: format!("AC{:032x}", 1),
            caller: caller.to_owned(),
            callee: callee.to_owned(),
            operator: None,
            priority: Priority::Ordinary,
            purpose: None,
        }
    }
}

impl Attempt {
    /// An attempt over `trunk` that came to `outcome` between these times, in milliseconds since 1970: for tests.
    #[must_use]
    pub fn new(trunk: &str, outcome: Outcome, started_unix_ms: u64, ended_unix_ms: u64) -> Self {
        let status = match outcome {
            Outcome::Answered => Status::Completed,
            Outcome::Busy => Status::Busy,
            Outcome::NoAnswer => Status::NoAnswer,
            Outcome::Canceled => Status::Canceled,
            Outcome::Congestion
            | Outcome::Unreachable
            | Outcome::Rejected
            | Outcome::Unallocated
            | Outcome::Failed => Status::Failed,
        };
        Self {
            trunk: trunk.to_owned(),
            started_unix_ms,
            ended_unix_ms,
            status,
            outcome,
            sip_code: None,
            retry_after_s: None,
            duration_s: 0,
            answered_by_machine: None,
        }
    }
}

impl Request {
    /// A call that was not tried yet, at this time in milliseconds since 1970: for tests.
    #[must_use]
    pub const fn new(call: OutboundCall, now_unix_ms: u64) -> Self {
        Self {
            call,
            attempts: Vec::new(),
            now_unix_ms,
        }
    }
}

impl Trunk {
    /// A trunk that is up, idle, serves every number and has 30 channels: for tests.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            prefixes: Vec::new(),
            health: Health::Up,
            channels: Channels { used: 0, limit: 30 },
            prefix_channels: Vec::new(),
            starts_left: 100,
            closed_until_unix_ms: None,
            recent: Recent {
                attempted: 0,
                answered: 0,
                congested: 0,
            },
            prices: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// The length of the longest of its prefixes that the number begins with: 0 where it serves all, none where it does not serve
    /// this one.
    #[must_use]
    pub fn prefix_len(&self, number: &str) -> Option<usize> {
        if self.prefixes.is_empty() {
            return Some(0);
        }
        longest(&self.prefixes, String::as_str, number).map(|prefix| prefix.len())
    }

    /// Whether it serves this number.
    #[must_use]
    pub fn serves(&self, number: &str) -> bool {
        self.prefix_len(number).is_some()
    }

    /// Whether one more call to this number may begin now: it was not asked to be left alone, its rate allows one, and there is a
    /// channel of the trunk and of the part that the number belongs to.
    #[must_use]
    pub fn has_room(&self, number: &str, now_unix_ms: u64) -> bool {
        let closed = self
            .closed_until_unix_ms
            .is_some_and(|until| until > now_unix_ms);
        let part = longest(&self.prefix_channels, |part| part.prefix.as_str(), number);
        !closed
            && self.starts_left > 0
            && self.channels.has_one()
            && part.is_none_or(|part| part.channels.has_one())
    }

    /// What a minute to this number costs, where that is known.
    #[must_use]
    pub fn price(&self, number: &str) -> Option<&Price> {
        longest(&self.prices, |price| price.prefix.as_str(), number)
    }

    /// What the operator wrote on it under this name.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        let mut labels = self.labels.iter();
        let (_, value) = labels.find(|(label, _)| label == name)?;
        Some(value)
    }

    /// An attempt over it: the called number in the trunk's form, the caller and the patience of the call.
    #[must_use]
    pub fn attempt(&self, reason: impl Into<String>) -> PlannedAttempt {
        PlannedAttempt {
            trunk: self.id.clone(),
            dialled: None,
            caller_id: None,
            ring_timeout_s: None,
            reason: reason.into(),
        }
    }
}

/// The item with the longest prefix that the number begins with; the first of several.
fn longest<'a, T>(items: &'a [T], prefix: impl Fn(&T) -> &str, number: &str) -> Option<&'a T> {
    let fit = items.iter().filter(|item| number.starts_with(prefix(item)));
    fit.rev().max_by_key(|item| prefix(item).len())
}

impl Channels {
    /// Whether one is free.
    #[must_use]
    pub const fn has_one(&self) -> bool {
        self.used < self.limit
    }
}

impl Recent {
    /// The answer-seizure ratio in percent, 0 to 100; none where nothing was attempted.
    #[must_use]
    pub fn answered_percent(&self) -> Option<u32> {
        let percent = u64::from(self.answered) * 100 / u64::from(self.attempted).max(1);
        (self.attempted > 0).then(|| u32::try_from(percent).unwrap_or(100))
    }
}

impl PlannedAttempt {
    /// The number as it is dialled, such as `012345678` where a trunk wants it in the national form.
    #[must_use]
    pub fn dialling(mut self, number: impl Into<String>) -> Self {
        self.dialled = Some(number.into());
        self
    }

    /// Shows this number of the account.
    #[must_use]
    pub fn showing(mut self, caller_id: impl Into<String>) -> Self {
        self.caller_id = Some(caller_id.into());
        self
    }

    /// Rings for so long, in whole seconds.
    #[must_use]
    pub fn ring_for(mut self, patience: Duration) -> Self {
        self.ring_timeout_s = Some(u32::try_from(patience.as_secs()).unwrap_or(u32::MAX));
        self
    }
}

impl Decision {
    /// The call is not dialled at all.
    #[must_use]
    pub fn refuse(reason: impl Into<String>) -> Self {
        Self::Refuse(reason.into())
    }

    /// The call waits until a call of its trunks ends.
    #[must_use]
    pub fn wait(reason: impl Into<String>) -> Self {
        Self::Wait(Pause {
            until_unix_ms: None,
            reason: reason.into(),
        })
    }

    /// The trunks that are tried, in their order.
    #[must_use]
    pub fn trunks(&self) -> Vec<&str> {
        match self {
            Self::Attempts(attempts) => attempts
                .iter()
                .map(|attempt| attempt.trunk.as_str())
                .collect(),
            Self::Wait(_) | Self::Refuse(_) => Vec::new(),
        }
    }
}

/// Makes a function the routing policy of this component.
///
/// It takes a path to a `fn(&Request, &[Trunk], &Context) -> Result<Decision, String>` (see [`routing`](crate::routing)). An error
/// is for settings that make no sense and the like: it goes to the account's log, and the host's own order of trunks is used.
/// Natively the macro only checks the type. A component may be a call flow and a retry strategy too.
#[macro_export]
macro_rules! routing_policy {
    ($route:path) => {
        const _: () = {
            const _: fn(
                &$crate::routing::Request,
                &[$crate::routing::Trunk],
                &$crate::Context,
            ) -> ::core::result::Result<
                $crate::routing::Decision,
                ::std::string::String,
            > = $route;

            #[cfg(target_arch = "wasm32")]
            struct Policy;

            #[cfg(target_arch = "wasm32")]
            impl $crate::routing::bindings::exports::jackfield::routing::policy::Guest for Policy {
                fn route(
                    request: $crate::routing::Request,
                    trunks: ::std::vec::Vec<$crate::routing::Trunk>,
                ) -> ::core::result::Result<$crate::routing::Decision, ::std::string::String>
                {
                    $route(&request, &trunks, &$crate::Context::of_component())
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::routing::bindings::export!(Policy with_types_in $crate::routing::bindings);
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_counts() {
        let trunk = Trunk {
            prefixes: ["+855", "+85510"].map(str::to_owned).into(),
            prices: [("", 9), ("+855", 5), ("+85510", 3)]
                .map(|(prefix, micros_per_minute)| Price {
                    prefix: prefix.to_owned(),
                    micros_per_minute,
                    currency: "USD".to_owned(),
                })
                .into(),
            ..Trunk::new("a")
        };
        for (number, prefix_len, price) in [
            ("+85510123456", Some(6), 3),
            ("+85512345678", Some(4), 5),
            ("+2521234567", None, 9),
        ] {
            assert_eq!(trunk.prefix_len(number), prefix_len, "{number}");
            assert_eq!(
                trunk.price(number).map(|price| price.micros_per_minute),
                Some(price),
                "{number}"
            );
        }
        assert_eq!(Trunk::new("b").prefix_len("1294"), Some(0));
        assert_eq!(Trunk::new("b").price("1294"), None);
    }

    #[test]
    fn room_is_that_of_the_trunk_and_of_the_part() {
        let part = |used| PrefixChannels {
            prefix: "+85510".to_owned(),
            channels: Channels { used, limit: 2 },
        };
        let with = |change: fn(&mut Trunk)| {
            let mut trunk = Trunk::new("a");
            change(&mut trunk);
            trunk
        };
        for (trunk, room) in [
            (Trunk::new("a"), true),
            (with(|trunk| trunk.channels.used = 30), false),
            (with(|trunk| trunk.starts_left = 0), false),
            (
                with(|trunk| trunk.closed_until_unix_ms = Some(1_001)),
                false,
            ),
            (with(|trunk| trunk.closed_until_unix_ms = Some(1_000)), true),
            (
                Trunk {
                    prefix_channels: vec![part(1)],
                    ..Trunk::new("a")
                },
                true,
            ),
            (
                Trunk {
                    prefix_channels: vec![part(2)],
                    ..Trunk::new("a")
                },
                false,
            ),
        ] {
            assert_eq!(trunk.has_room("+85510123456", 1_000), room, "{trunk:?}");
        }
        let full_part = Trunk {
            prefix_channels: vec![part(2)],
            ..Trunk::new("a")
        };
        assert!(full_part.has_room("+85512345678", 1_000));
    }

    #[test]
    fn the_share_of_answers() {
        for (attempted, answered, percent) in [(0, 0, None), (3, 2, Some(66)), (10, 10, Some(100))]
        {
            let recent = Recent {
                attempted,
                answered,
                congested: 0,
            };
            assert_eq!(recent.answered_percent(), percent);
        }
    }
}
