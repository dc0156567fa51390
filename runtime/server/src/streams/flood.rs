//! How much a far end may send.

use std::time::Duration;

use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(1);
/// Some 400 s of audio in Base64.
const BYTES: usize = 4 << 20;
const MESSAGES: u32 = 2_000;

/// What came within the second. Who sends more waits: nothing more is read until the next one.
#[derive(Debug)]
pub(super) struct Flood {
    since: Instant,
    bytes: usize,
    messages: u32,
}

impl Flood {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            bytes: 0,
            messages: 0,
        }
    }

    /// A message came.
    pub(super) fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.messages += 1;
    }

    /// Whether more may be read now.
    pub(super) fn may_read(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= WINDOW {
            *self = Self::new(now);
        }
        self.bytes < BYTES && self.messages < MESSAGES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_too_much_waits_for_the_next_second() {
        let now = Instant::now();
        for (messages, bytes, expected) in [
            (1_999, 1, true),
            (2_000, 1, false),
            (3, 1 << 20, true),
            (4, 1 << 20, false),
        ] {
            let mut flood = Flood::new(now);
            for _ in 0..messages {
                flood.take(bytes);
            }
            let later = now + Duration::from_millis(999);
            assert_eq!(flood.may_read(later), expected, "{messages} of {bytes}");
            assert!(flood.may_read(now + WINDOW));
        }
    }
}
