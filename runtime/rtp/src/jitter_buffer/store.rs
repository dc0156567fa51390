//! The packets that wait, in order.

use std::collections::VecDeque;

use crate::Format;

/// Bytes of payload that wait at most: 500 ms of G.711.
const ARENA_BYTES: usize = 4_096;

/// Packets that wait at most: 480 ms of the shortest usual ones.
const MAX_PACKETS: usize = 48;

/// Payloads in a ring of bytes and their places in order of time. Fixed size: when it is full, the oldest make room.
#[derive(Debug, Clone)]
pub(super) struct Store {
    arena: Box<[u8; ARENA_BYTES]>,
    /// Where the next payload goes; counts on, and wraps in the arena only.
    written: u64,
    waiting: VecDeque<Waiting>,
}

/// A packet that waits, or what is left of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) timestamp: u32,
    pub(super) ticks: u32,
    pub(super) sequence: u16,
    bytes: u32,
    at: u64,
}

impl Waiting {
    pub(super) const fn end(&self) -> u32 {
        self.timestamp.wrapping_add(self.ticks)
    }
}

/// What became of a packet in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// It waits; so many others made room.
    Waits { dropped: u32 },
    /// One of its time waits already.
    Duplicate,
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            arena: Box::new([0; ARENA_BYTES]),
            written: 0,
            waiting: VecDeque::with_capacity(MAX_PACKETS),
        }
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn front(&self) -> Option<&Waiting> {
        self.waiting.front()
    }

    pub(super) fn front_payload(&self) -> Option<&[u8]> {
        let front = self.waiting.front()?;
        let offset = front.at as usize % ARENA_BYTES;
        Some(&self.arena[offset..offset + front.bytes as usize])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a payload of at most [`ARENA_BYTES`].
    pub(super) fn insert(
        &mut self,
        timestamp: u32,
        ticks: u32,
        sequence: u16,
        payload: &[u8],
    ) -> Stored {
        let is_before =
            |waiting: &Waiting| timestamp.wrapping_sub(waiting.timestamp).cast_signed() > 0;
        let place = self
            .waiting
            .iter()
            .rposition(is_before)
            .map_or(0, |before| before + 1);
        if self
            .waiting
            .get(place)
            .is_some_and(|waiting| waiting.timestamp == timestamp)
        {
            return Stored::Duplicate;
        }
        let mut dropped = 0;
        let at = self.allocate(payload.len(), &mut dropped);
        if self.waiting.len() == MAX_PACKETS {
            self.waiting.pop_front();
            dropped += 1;
        }
        let offset = at as usize % ARENA_BYTES;
        self.arena[offset..offset + payload.len()].copy_from_slice(payload);
        // As many are gone from before its place as were dropped, or it is the oldest now.
        let place = place
            .saturating_sub(dropped as usize)
            .min(self.waiting.len());
        let bytes = payload.len() as u32;
        self.waiting.insert(
            place,
            Waiting {
                timestamp,
                ticks,
                sequence,
                bytes,
                at,
            },
        );
        Stored::Waits { dropped }
    }

    /// Takes the beginning of the front packet out, as much of it as the format cuts at `max_ticks`.
    pub(super) fn take(&mut self, format: Format, max_ticks: u32) -> Option<(&[u8], Waiting)> {
        let front = self.waiting.front_mut()?;
        let (bytes, ticks) = format.cut(front.bytes, front.ticks, max_ticks);
        let taken = Waiting {
            bytes,
            ticks,
            ..*front
        };
        if ticks < front.ticks {
            front.timestamp = front.timestamp.wrapping_add(ticks);
            front.ticks -= ticks;
            front.bytes -= bytes;
            front.at += u64::from(bytes);
        } else {
            self.waiting.pop_front();
        }
        let offset = taken.at as usize % ARENA_BYTES;
        Some((&self.arena[offset..offset + bytes as usize], taken))
    }

    pub(super) fn drop_front(&mut self) {
        self.waiting.pop_front();
    }

    /// A place in the arena, in one piece. Packets whose bytes it overwrites are dropped.
    fn allocate(&mut self, bytes: usize, dropped: &mut u32) -> u64 {
        let left = ARENA_BYTES - self.written as usize % ARENA_BYTES;
        if left < bytes {
            self.written += left as u64;
        }
        let at = self.written;
        self.written += bytes as u64;
        let oldest = self.written.saturating_sub(ARENA_BYTES as u64);
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.at >= oldest);
        *dropped += (before - self.waiting.len()) as u32;
        at
    }
}
