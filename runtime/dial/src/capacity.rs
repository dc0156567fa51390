//! What a trunk, a part of one, or an account may carry: calls at once, and starts in a second.

use std::collections::BTreeMap;
use std::time::Instant;

use store::{ChannelsByPrefix, Trunk};

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

/// Calls at once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Channels {
    max: u32,
    held: u32,
}

impl Channels {
    pub(crate) const fn has_one(self) -> bool {
        self.held < self.max
    }

    const fn hold(&mut self) {
        self.held += 1;
    }

    const fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Capacity {
    channels: Channels,
    bucket: TokenBucket,
}

impl Capacity {
    pub(crate) fn new(max_channels: u32, calls_per_second: f32) -> Self {
        Self {
            channels: Channels {
                max: max_channels,
                held: 0,
            },
            bucket: TokenBucket::new(calls_per_second),
        }
    }

    /// Changes the limits. Calls that are up stay up, even if they now are too many.
    pub(crate) fn set_limits(&mut self, max_channels: u32, calls_per_second: f32) {
        self.channels.max = max_channels;
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
        self.channels.has_one()
    }

    pub(crate) const fn held(&self) -> u32 {
        self.channels.held
    }

    /// Takes a channel for a call that the rate does not govern.
    pub(crate) const fn hold(&mut self) {
        self.channels.hold();
    }

    /// Takes a channel for an outbound call that begins now.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.bucket.take(now);
        self.hold();
    }

    pub(crate) const fn release(&mut self) {
        self.channels.release();
    }
}

/// A trunk as a whole, and its parts: the lines of each operator behind it, told by the beginning of the called number.
#[derive(Debug, Clone)]
pub(crate) struct TrunkCapacity {
    pub(crate) whole: Capacity,
    parts: BTreeMap<String, Channels>,
}

impl TrunkCapacity {
    pub(crate) fn new(trunk: &Trunk) -> Self {
        let mut capacity = Self {
            whole: Capacity::new(trunk.max_channels, trunk.calls_per_second),
            parts: BTreeMap::new(),
        };
        capacity.set_parts(&trunk.channels_by_prefix);
        capacity
    }

    /// Changes the limits. Calls that are up stay up, even if they now are too many.
    pub(crate) fn set_limits(&mut self, trunk: &Trunk) {
        self.whole
            .set_limits(trunk.max_channels, trunk.calls_per_second);
        self.set_parts(&trunk.channels_by_prefix);
    }

    /// A part that is no more is forgotten once its calls are over.
    fn set_parts(&mut self, limits: &ChannelsByPrefix) {
        for part in self.parts.values_mut() {
            part.max = 0;
        }
        for (prefix, channels) in limits.iter() {
            self.parts.entry(prefix.to_owned()).or_default().max = channels;
        }
        self.parts.retain(|_, part| part.max > 0 || part.held > 0);
    }

    /// Whether the part has a channel; a call that belongs to none needs none.
    pub(crate) fn part_has_channel(&self, part: Option<&str>) -> bool {
        part.and_then(|prefix| self.parts.get(prefix))
            .is_none_or(|part| part.has_one())
    }

    /// Takes a channel of a part.
    pub(crate) fn hold_part(&mut self, part: Option<&str>) {
        if let Some(part) = part.and_then(|prefix| self.parts.get_mut(prefix)) {
            part.hold();
        }
    }

    /// A call of this part is over.
    pub(crate) fn release(&mut self, part: Option<&str>) {
        self.whole.release();
        if let Some(part) = part.and_then(|prefix| self.parts.get_mut(prefix)) {
            part.release();
        }
    }
}
