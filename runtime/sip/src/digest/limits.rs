//! What the server remembers, in tables of bounded size: nonce counts that were used, and proofs that failed.

use std::collections::BTreeMap;

use super::User;
use super::nonce::Nonce;

/// The most uses of nonces that are remembered. Only proofs that are right make one, so a thousand a second for the life of
/// a nonce are room enough.
const MAX_USES: usize = 32_768;

/// The last count each user gave with each nonce. The nonce goes first, so that the oldest can be forgotten.
#[derive(Debug, Default)]
pub(super) struct Uses {
    last: BTreeMap<(Nonce, User), u32>,
    /// Nonces made up to this second are not taken any more.
    too_old: Option<u32>,
}

impl Uses {
    /// Takes a count for a nonce. False for one that is not higher than the last: the request is a replay. A nonce that had
    /// to be forgotten for want of room counts as replayed, too.
    pub(super) fn take(&mut self, nonce: Nonce, user: User, count: u32) -> bool {
        if self.too_old.is_some_and(|second| nonce.second <= second) {
            return false;
        }
        let key = (nonce, user);
        let last = self.last.get(&key).copied().unwrap_or(0);
        if count <= last {
            return false;
        }
        if last == 0 && self.last.len() >= MAX_USES {
            let oldest = self.last.first_key_value();
            let oldest = oldest.map_or(0, |((nonce, _), _)| nonce.second);
            self.forget(oldest);
            if nonce.second <= oldest {
                return false;
            }
        }
        self.last.insert(key, count);
        true
    }

    /// Forgets the uses of nonces made up to a second; they are not taken any more.
    pub(super) fn forget(&mut self, second: u32) {
        self.too_old = self.too_old.max(Some(second));
        while let Some(oldest) = self.last.first_entry() {
            if oldest.key().0.second > second {
                break;
            }
            oldest.remove();
        }
    }
}

/// Failures of one name within [`WINDOW_SECONDS`] after which its proofs are not looked at any more.
const MAX_FAILURES: u8 = 5;

/// How long failures count, from the first on.
const WINDOW_SECONDS: u32 = 60;

/// How many counters there are. Names share them by hash: an array cannot be made to forget one name by flooding it with
/// others, and has one size.
const COUNTERS: usize = 16_384;

#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    first: u32,
    failures: u8,
}

/// Failed proofs by name, whether or not there is such a user.
pub(super) struct Failures {
    counters: Box<[Counter]>,
}

impl Default for Failures {
    fn default() -> Self {
        Self {
            counters: vec![Counter::default(); COUNTERS].into(),
        }
    }
}

impl Failures {
    /// Whether a name failed so often that it has to wait.
    pub(super) fn is_blocked(&mut self, slot: u32, now: u32) -> bool {
        self.counter(slot, now).failures >= MAX_FAILURES
    }

    /// Counts a failure.
    pub(super) fn count(&mut self, slot: u32, now: u32) {
        let counter = self.counter(slot, now);
        counter.failures = counter.failures.saturating_add(1);
    }

    fn counter(&mut self, slot: u32, now: u32) -> &mut Counter {
        let counter = &mut self.counters[slot as usize % COUNTERS];
        if now.saturating_sub(counter.first) >= WINDOW_SECONDS || counter.failures == 0 {
            *counter = Counter {
                first: now,
                failures: 0,
            };
        }
        counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::nonce::Mint;

    fn nonce(second: u32, call: u32) -> Nonce {
        let mint = Mint::new([1; 32]);
        let source = "192.0.2.7".parse().unwrap();
        let text = mint.make(second, source, &[&call.to_be_bytes()]);
        mint.read(text.as_bytes(), source).unwrap()
    }

    fn user(name: &str) -> User {
        User {
            realm: "r".into(),
            name: name.into(),
        }
    }

    #[test]
    fn counts_grow_for_each_nonce_and_user() {
        let mut uses = Uses::default();
        for (second, name, count, is_taken) in [
            (1, "a", 1, true),
            (1, "a", 1, false),
            (1, "b", 1, true),
            (2, "a", 1, true),
            (1, "a", 5, true),
            (1, "a", 4, false),
            (1, "a", u32::MAX, true),
            (1, "a", 0, false),
            (3, "a", 0, false),
        ] {
            let taken = uses.take(nonce(second, 0), user(name), count);
            assert_eq!(taken, is_taken, "{second} {name} {count}");
        }
        uses.forget(1);
        assert_eq!(uses.last.len(), 1);
        assert!(!uses.take(nonce(1, 0), user("b"), 2));
        assert!(uses.take(nonce(2, 0), user("a"), 2));
    }

    #[test]
    fn a_full_table_forgets_old_nonces_and_does_not_take_them_again() {
        let mut uses = Uses::default();
        let half = u32::try_from(MAX_USES / 2).unwrap();
        for call in 0..2 * half {
            assert!(uses.take(nonce(1 + call / half, call), user("a"), 1));
        }
        assert_eq!(uses.last.len(), MAX_USES);
        assert!(uses.take(nonce(3, 0), user("a"), 1));
        assert_eq!(uses.last.len(), MAX_USES / 2 + 1);
        assert!(!uses.take(nonce(1, 0), user("a"), 1), "it was used");
        assert!(!uses.take(nonce(2, half), user("a"), 1), "so was this");
        assert!(uses.take(nonce(2, half), user("a"), 2));
    }

    #[test]
    fn failures_block_for_a_minute_from_the_first() {
        let mut failures = Failures::default();
        for second in 10..15 {
            assert!(!failures.is_blocked(7, second));
            failures.count(7, second);
        }
        for (slot, second, is_blocked) in
            [(7, 15, true), (8, 15, false), (7, 69, true), (7, 70, false)]
        {
            assert_eq!(failures.is_blocked(slot, second), is_blocked, "{second}");
        }
        for _ in 0..300 {
            failures.count(7, 71);
        }
        assert!(failures.is_blocked(7, 130) && !failures.is_blocked(7, 131));
    }
}
