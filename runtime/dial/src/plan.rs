//! What a routing policy is asked, and what it plans.

use std::time::Instant;

use store::TrunkId;

/// An attempt that was planned for a call, in place of the built-in choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAttempt {
    /// Over which trunk.
    pub trunk: TrunkId,
    /// The number as it is dialled; without it the called number in the trunk's own form.
    pub dialled: Option<String>,
    /// The number that is shown; without it the call's own.
    pub caller_id: Option<String>,
    /// Seconds that it may ring; without it what the call asks for.
    pub ring_timeout_s: Option<u32>,
}

/// A trunk that may carry a call, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkState {
    /// The trunk.
    pub trunk: TrunkId,
    /// Its targets do not answer.
    pub is_down: bool,
    /// Calls that it carries, both directions together, and how many it may: what is configured, or less where its far end taught so.
    pub channels: (u32, u32),
    /// The same by the beginning of the called number, where that has a limit of its own.
    pub parts: Vec<(String, u32, u32)>,
    /// Outbound calls that may begin at once; a call begins after the other, so it is one or none.
    pub starts_left: u32,
    /// Its far end wants to be left alone until then.
    pub closed_until: Option<Instant>,
}

impl PlannedAttempt {
    /// An attempt as the call asks for it.
    #[must_use]
    pub const fn over(trunk: TrunkId) -> Self {
        Self {
            trunk,
            dialled: None,
            caller_id: None,
            ring_timeout_s: None,
        }
    }
}
