//! Whether a gateway behind a NAT is still there, and the way to it open.
//!
//! The registrar asks over UDP with OPTIONS instead of sending empty lines: a NAT need not keep a mapping open for what
//! comes in (RFC 4787 §4.3, REQ-6), but it does for the answer that goes out; and the answer says that somebody is there.
//! Connections are kept open by who holds them.

use std::time::{Duration, Instant};

use crate::Hop;

/// So many questions in a row without an answer end a binding, if there ever was an answer: a gateway that knows no
/// OPTIONS and says nothing is kept.
const MOST_SILENCE: u8 = 3;

/// What is known of one binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Liveness {
    /// None: not over UDP.
    every: Option<Duration>,
    /// None: the last question is open.
    next_at: Option<Instant>,
    has_answered: bool,
    unanswered: u8,
}

impl Liveness {
    pub(super) fn new(now: Instant, hop: Hop, every: Duration) -> Self {
        let every = (!hop.transport.is_reliable()).then_some(every);
        Self {
            every,
            next_at: every.map(|every| now + every),
            has_answered: false,
            unanswered: 0,
        }
    }

    /// A REGISTER came: a sign of life as good as an answer.
    pub(super) fn refreshed(self, now: Instant, hop: Hop, every: Duration) -> Self {
        let new = Self::new(now, hop, every);
        let is_open = self.every.is_some() && self.next_at.is_none();
        Self {
            next_at: if is_open { None } else { new.next_at },
            has_answered: self.has_answered,
            ..new
        }
    }

    /// When the next question is due.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.next_at
    }

    /// A question was sent.
    pub(super) fn asked(&mut self) {
        self.next_at = None;
    }

    /// A question was answered, with whatever status, or not. False when the gateway is given up.
    pub(super) fn heard(&mut self, now: Instant, is_alive: bool) -> bool {
        self.next_at = self.every.map(|every| now + every);
        self.has_answered |= is_alive;
        self.unanswered = if is_alive {
            0
        } else {
            self.unanswered.saturating_add(1)
        };
        !self.has_answered || self.unanswered < MOST_SILENCE
    }
}
