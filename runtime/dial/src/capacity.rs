//! What a trunk, a part of one, or an account may carry: calls at once, and starts in a second.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use store::{ChannelsByPrefix, Trunk};

use crate::learned::Learned;
use crate::pace::Pace;

/// Whether one more outbound call may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Now,
    /// Not before this time, for the rate's sake.
    At(Instant),
    /// Not before a call ends, or this time.
    WhenOneEnds {
        or_at: Option<Instant>,
    },
}

impl Room {
    /// When to ask again, if not before a call ends.
    pub(crate) const fn at(self) -> Option<Instant> {
        match self {
            Self::Now => None,
            Self::At(at) => Some(at),
            Self::WhenOneEnds { or_at } => or_at,
        }
    }
}

/// Calls at once: the configured limit, and below it the one that the far end taught.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Channels {
    max: u32,
    /// How many of them calls that begin here leave free.
    reserved: u32,
    held: u32,
    learned: Learned,
}

impl Channels {
    /// Whether one more call may be up, whatever was learned: one that comes in has its channel.
    pub(crate) const fn has_one(self) -> bool {
        self.held < self.max
    }

    fn room(&self, now: Instant) -> Room {
        if self.taken() < self.max {
            // What was learned is what the far end carried: nothing of that is reserved.
            self.learned.room(now, self.held)
        } else {
            Room::WhenOneEnds { or_at: None }
        }
    }

    /// What a call that begins here may not have.
    const fn taken(&self) -> u32 {
        self.held.saturating_add(self.reserved)
    }

    const fn hold(&mut self) {
        self.held += 1;
    }

    fn begin(&mut self, now: Instant) {
        self.learned.begin(now, self.held);
        self.hold();
    }

    /// How many more calls may begin here before one ends.
    fn free(&self) -> u32 {
        let configured = self.max.saturating_sub(self.taken());
        let learned = self
            .learned
            .limit()
            .map(|limit| limit.saturating_sub(self.held));
        learned.map_or(configured, |learned| learned.min(configured))
    }

    /// A call that began has not been dialled.
    const fn take_back(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    /// How many may be up: what is configured, or less where that was learned.
    fn limit(&self) -> u32 {
        self.learned().unwrap_or(self.max)
    }

    const fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
        self.learned.got_through();
    }

    fn refuse(&mut self, now: Instant, retry_after: Option<Duration>) {
        self.held = self.held.saturating_sub(1);
        self.learned.congested(now, self.held, retry_after);
    }

    /// The learned limit, where it is below the configured one.
    fn learned(&self) -> Option<u32> {
        self.learned.limit().filter(|limit| *limit < self.max)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Capacity {
    channels: Channels,
    pub(crate) pace: Pace,
    /// Calls that came in to an account: as many as it may make, and counted for themselves.
    inbound: u32,
}

impl Capacity {
    pub(crate) fn new(max_channels: u32, calls_per_second: f32) -> Self {
        Self {
            channels: Channels {
                max: max_channels,
                ..Channels::default()
            },
            pace: Pace::new(calls_per_second),
            inbound: 0,
        }
    }

    /// Takes a channel for a call that came in to an account; false where it has as many as it may. What it dials leaves these alone.
    pub(crate) const fn hold_inbound(&mut self) -> bool {
        let has_one = self.inbound < self.channels.max;
        self.inbound += has_one as u32;
        has_one
    }

    /// The same for one that had its channel already, even if they now are too many.
    pub(crate) const fn hold_lost_inbound(&mut self) {
        self.inbound += 1;
    }

    pub(crate) const fn release_inbound(&mut self) {
        self.inbound = self.inbound.saturating_sub(1);
    }

    /// Changes the limits. Calls that are up stay up, even if they now are too many.
    pub(crate) fn set_limits(&mut self, max_channels: u32, calls_per_second: f32) {
        self.channels.max = max_channels;
        self.pace.set_rate(calls_per_second);
    }

    pub(crate) fn room(&self, now: Instant) -> Room {
        match self.channels.room(now) {
            Room::Now if !self.pace.begins.is_ready(now) => {
                self.pace.begins.ready_at().map_or(Room::Now, Room::At)
            }
            room => room,
        }
    }

    pub(crate) const fn has_channel(&self) -> bool {
        self.channels.has_one()
    }

    pub(crate) const fn held(&self) -> u32 {
        self.channels.held
    }

    /// How many calls may be up.
    pub(crate) fn limit(&self) -> u32 {
        self.channels.limit()
    }

    /// Takes a channel for a call that the rate does not govern.
    pub(crate) const fn hold(&mut self) {
        self.channels.hold();
    }

    /// Takes a channel for an outbound call that begins now.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.pace.begins.take(now);
        self.channels.begin(now);
    }

    pub(crate) const fn release(&mut self) {
        self.channels.release();
    }

    /// Undoes [`Self::begin`], which was at `begun`: the call has not been dialled.
    pub(crate) fn take_back(&mut self, begun: Instant, now: Instant) {
        self.pace.begins.give_back(begun, now);
        self.channels.take_back();
    }

    /// Whether the rate lets a call begin now.
    pub(crate) fn is_ready(&self, now: Instant) -> bool {
        self.pace.begins.is_ready(now)
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
        capacity.set_limits(trunk);
        capacity
    }

    /// Changes the limits. Calls that are up stay up, even if they now are too many.
    pub(crate) fn set_limits(&mut self, trunk: &Trunk) {
        self.whole
            .set_limits(trunk.max_channels, trunk.calls_per_second);
        self.whole.channels.reserved = trunk.reserved.channels;
        self.set_parts(&trunk.channels_by_prefix, &trunk.reserved.by_prefix);
    }

    /// A part that is no more is forgotten once its calls are over.
    fn set_parts(&mut self, limits: &ChannelsByPrefix, reserved: &ChannelsByPrefix) {
        for part in self.parts.values_mut() {
            part.max = 0;
        }
        for (prefix, channels) in limits.iter() {
            let part = self.parts.entry(prefix.to_owned()).or_default();
            part.max = channels;
            part.reserved = reserved.of(prefix).unwrap_or(0);
        }
        self.parts.retain(|_, part| part.max > 0 || part.held > 0);
    }

    /// Whether the part has room; a call that belongs to none needs none.
    pub(crate) fn part_room(&self, now: Instant, part: Option<&str>) -> Room {
        part.and_then(|prefix| self.parts.get(prefix))
            .map_or(Room::Now, |part| part.room(now))
    }

    /// Takes a channel, and one of the part, for an outbound call that begins now.
    pub(crate) fn begin(&mut self, now: Instant, part: Option<&str>) {
        self.whole.begin(now);
        if let Some(part) = self.part(part) {
            part.begin(now);
        }
    }

    /// Takes a channel, and one of the part, for a call that came in.
    pub(crate) fn hold(&mut self, part: Option<&str>) {
        self.whole.hold();
        if let Some(part) = self.part(part) {
            part.hold();
        }
    }

    /// A call of this part is over.
    pub(crate) fn release(&mut self, part: Option<&str>) {
        self.whole.release();
        if let Some(part) = self.part(part) {
            part.release();
        }
    }

    /// Undoes [`Self::begin`], which was at `begun`: the call has not been dialled.
    pub(crate) fn take_back(&mut self, part: Option<&str>, begun: Instant, now: Instant) {
        self.whole.take_back(begun, now);
        if let Some(part) = self.part(part) {
            part.take_back();
        }
    }

    /// How many calls of this part may be up.
    pub(crate) fn limit(&self, part: Option<&str>) -> u32 {
        let part = part.and_then(|prefix| self.parts.get(prefix));
        let whole = self.whole.limit();
        part.map_or(whole, |part| part.limit().min(whole))
    }

    /// How many more calls of this part may begin before one ends.
    pub(crate) fn free(&self, part: Option<&str>) -> u32 {
        let part = part.and_then(|prefix| self.parts.get(prefix));
        let whole = self.whole.channels.free();
        part.map_or(whole, |part| part.free().min(whole))
    }

    /// Calls that are up, and how many may be.
    pub(crate) fn channels(&self) -> (u32, u32) {
        let channels = &self.whole.channels;
        (channels.held, channels.limit())
    }

    /// The same of each part, by prefix.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        let parts = self.parts.iter();
        parts.map(|(prefix, part)| (prefix.as_str(), part.held, part.limit()))
    }

    /// Until when the far end wants to be left alone.
    pub(crate) const fn closed_until(&self) -> Option<Instant> {
        self.whole.channels.learned.not_before()
    }

    /// The far end had no room for a call of this part: the part's own lines are full, or where it has none, the trunk.
    pub(crate) fn refuse(
        &mut self,
        now: Instant,
        part: Option<&str>,
        retry_after: Option<Duration>,
    ) {
        if let Some(part) = self.part(part) {
            part.refuse(now, retry_after);
            self.whole.release();
        } else {
            self.whole.channels.refuse(now, retry_after);
        }
    }

    /// The learned limits that are below configured ones, by prefix; none for the whole trunk's.
    pub(crate) fn learned(&self) -> impl Iterator<Item = (Option<&str>, u32)> {
        let whole = self.whole.channels.learned().map(|limit| (None, limit));
        let parts = self.parts.iter().filter_map(|(prefix, part)| {
            part.learned().map(|limit| (Some(prefix.as_str()), limit))
        });
        whole.into_iter().chain(parts)
    }

    fn part(&mut self, part: Option<&str>) -> Option<&mut Channels> {
        part.and_then(|prefix| self.parts.get_mut(prefix))
    }
}
