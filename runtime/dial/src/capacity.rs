//! What a trunk or an account may carry: calls at once, and starts in a second.

use std::time::Instant;

use crate::token_bucket::TokenBucket;

/// Whether one more outbound call may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Now,
    /// Not before this time, for the rate's sake.
    At(Instant),
    /// Not before a call ends.
    WhenOneEnds,
}

#[derive(Debug, Clone)]
pub(crate) struct Capacity {
    max_channels: u32,
    held: u32,
    bucket: TokenBucket,
}

impl Capacity {
    pub(crate) fn new(max_channels: u32, calls_per_second: f32) -> Self {
        Self {
            max_channels,
            held: 0,
            bucket: TokenBucket::new(calls_per_second),
        }
    }

    /// Changes the limits. Calls that are up stay up, even if they now are too many.
    pub(crate) fn set_limits(&mut self, max_channels: u32, calls_per_second: f32) {
        self.max_channels = max_channels;
        self.bucket.set_rate(calls_per_second);
    }

    pub(crate) fn room(&self, now: Instant) -> Room {
        if !self.has_channel() {
            Room::WhenOneEnds
        } else if self.bucket.is_ready(now) {
            Room::Now
        } else {
            self.bucket.ready_at().map_or(Room::Now, Room::At)
        }
    }

    pub(crate) const fn has_channel(&self) -> bool {
        self.held < self.max_channels
    }

    pub(crate) const fn held(&self) -> u32 {
        self.held
    }

    /// Takes a channel for a call that the rate does not govern.
    pub(crate) const fn hold(&mut self) {
        self.held += 1;
    }

    /// Takes a channel for an outbound call that begins now.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.bucket.take(now);
        self.hold();
    }

    pub(crate) const fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
    }
}
