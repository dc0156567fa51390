//! Timer values of RFC 3261 §17 and the timers of one core.

use std::time::{Duration, Instant};

/// The timers' base values (RFC 3261 table 4). The defaults are the RFC's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Estimate of a round trip: 500 ms.
    pub t1: Duration,
    /// Longest interval between retransmissions of non-INVITE requests and INVITE answers: 4 s.
    pub t2: Duration,
    /// Longest time a message stays in the network: 5 s.
    pub t4: Duration,
}

impl Timing {
    /// The same with nothing shorter than a millisecond: a machine whose timers fire at once never rests.
    pub(crate) fn at_least_a_millisecond(self) -> Self {
        let floor = Duration::from_millis(1);
        Self {
            t1: self.t1.max(floor),
            t2: self.t2.max(floor),
            t4: self.t4.max(floor),
        }
    }

    /// How long to try before giving up: 64 × T1, the value of timers B, F, H, J, L and M.
    #[must_use]
    pub fn give_up(&self) -> Duration {
        64 * self.t1
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
        }
    }
}

/// The running timers of one core. No machine of RFC 3261 runs more than two at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timers<T> {
    running: [Option<(T, Instant)>; 2],
}

impl<T: Copy + PartialEq> Timers<T> {
    pub(crate) fn new() -> Self {
        Self { running: [None; 2] }
    }

    /// Starts a timer, or moves one that runs.
    pub(crate) fn set(&mut self, timer: T, at: Instant) {
        self.clear(timer);
        let free = self.running.iter_mut().find(|slot| slot.is_none());
        *free.expect("no machine runs more than two timers") = Some((timer, at));
    }

    /// Stops one timer.
    pub(crate) fn clear(&mut self, timer: T) {
        for slot in &mut self.running {
            if slot.is_some_and(|(running, _)| running == timer) {
                *slot = None;
            }
        }
    }

    /// Stops all.
    pub(crate) fn clear_all(&mut self) {
        self.running = [None; 2];
    }

    /// When the next one fires.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.running.iter().flatten().map(|(_, at)| *at).min()
    }

    /// Takes the earliest timer that is due.
    pub(crate) fn due(&mut self, now: Instant) -> Option<T> {
        let due = self.running.iter().flatten().filter(|(_, at)| *at <= now);
        let (timer, _) = *due.min_by_key(|(_, at)| *at)?;
        self.clear(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    #[test]
    fn the_earliest_comes_first() {
        let now = origin();
        let second = Duration::from_secs(1);
        let mut timers = Timers::new();
        timers.set('a', now + 2 * second);
        timers.set('b', now + second);
        assert_eq!(timers.deadline(), Some(now + second));
        assert_eq!(timers.due(now), None);
        assert_eq!(timers.due(now + 3 * second), Some('b'));
        assert_eq!(timers.due(now + 3 * second), Some('a'));
        assert_eq!(timers.deadline(), None);
    }

    #[test]
    fn setting_again_moves() {
        let now = origin();
        let mut timers = Timers::new();
        timers.set('a', now);
        timers.set('a', now + Duration::from_secs(1));
        assert_eq!(timers.due(now), None);
        timers.clear('a');
        assert_eq!(timers.deadline(), None);
    }
}
