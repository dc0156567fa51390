//! How many calls may begin in a second.

use std::time::{Duration, Instant};

/// How far a start may come before its time. Wide enough that a timer which fires late does not lower the rate, and narrow
/// enough that starts stay evenly spaced: there is no window whose beginning lets a burst through.
const TOLERANCE: Duration = Duration::from_millis(50);

/// A token bucket in the form of the generic cell rate algorithm (ITU-T I.371): exact, and one instant of state.
///
/// In any span of `w` seconds at most `1 + rate * (w + 0.05)` starts are let through.
#[derive(Debug, Clone)]
pub(crate) struct TokenBucket {
    interval: Duration,
    /// When the next start would be exactly on time. None before the first.
    due: Option<Instant>,
    /// When the last start was counted.
    last: Option<Instant>,
}

impl TokenBucket {
    /// `per_second` is above 0.
    pub(crate) fn new(per_second: f32) -> Self {
        Self {
            interval: interval(per_second),
            due: None,
            last: None,
        }
    }

    /// Changes the rate; the time since the last start still counts.
    pub(crate) fn set_rate(&mut self, per_second: f32) {
        let interval = interval(per_second);
        self.due = self.due.map(|due| {
            due.checked_sub(self.interval)
                .map_or(due, |last| last + interval)
        });
        self.interval = interval;
    }

    /// When the next start may be; none if it may be at any time.
    pub(crate) fn ready_at(&self) -> Option<Instant> {
        self.due
            .map(|due| due.checked_sub(TOLERANCE).unwrap_or(due))
    }

    pub(crate) fn is_ready(&self, now: Instant) -> bool {
        self.ready_at().is_none_or(|at| at <= now)
    }

    /// Counts one start, which [`Self::is_ready`] allowed.
    pub(crate) fn take(&mut self, now: Instant) {
        self.due = Some(self.due.map_or(now, |due| due.max(now)) + self.interval);
        self.last = Some(now);
    }

    /// Lets no start be before this.
    pub(crate) fn not_before(&mut self, at: Instant) {
        self.due = self.due.max(Some(at + TOLERANCE));
    }

    /// A start that was counted at `begun` has not been made. One whose time has passed is lost: given back late, many would leave together.
    pub(crate) fn give_back(&mut self, begun: Instant, now: Instant) {
        if begun + self.interval <= now {
            return;
        }
        let others = self.last.filter(|last| *last != begun);
        let soonest = others.map(|last| last + self.interval);
        self.due = self.due.and_then(|due| due.checked_sub(self.interval));
        self.due = self.due.max(soonest);
    }
}

fn interval(per_second: f32) -> Duration {
    Duration::try_from_secs_f64(1.0 / f64::from(per_second)).unwrap_or(Duration::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(
        clippy::disallowed_methods,
        reason = "an instant to count from; only differences matter"
    )]
    fn origin() -> Instant {
        Instant::now()
    }

    /// Starts, in milliseconds, of a caller that asks each millisecond for `seconds`.
    fn starts(bucket: &mut TokenBucket, from: Instant, seconds: u64) -> Vec<u64> {
        let mut starts = Vec::new();
        for ms in 0..seconds * 1_000 {
            let now = from + Duration::from_millis(ms);
            while bucket.is_ready(now) {
                bucket.take(now);
                starts.push(ms);
            }
        }
        starts
    }

    #[track_caller]
    fn check(per_second: f32, seconds: u64, expected: usize) {
        let mut bucket = TokenBucket::new(per_second);
        let starts = starts(&mut bucket, origin(), seconds);
        assert_eq!(
            starts.len(),
            expected,
            "{per_second} a second for {seconds} s"
        );
        let most = 1.0 + per_second * 1.05;
        for (at, first) in starts.iter().enumerate() {
            let in_window = starts[at..]
                .iter()
                .take_while(|start| **start < first + 1_000)
                .count();
            assert!(
                in_window as f32 <= most,
                "{in_window} starts in the second from {first} ms"
            );
        }
    }

    #[test]
    fn the_rate_is_kept_and_no_second_has_a_burst() {
        check(0.1, 30, 4); // at 0, and 50 ms before 10, 20 and 30 s
        check(1.0, 10, 11);
        check(10.0, 10, 101);
        check(100.0, 10, 1_005);
        check(1_000.0, 10, 10_050);
        check(10_000.0, 2, 20_491);
    }

    #[test]
    fn a_timer_that_is_late_does_not_lower_the_rate() {
        let origin = origin();
        let mut bucket = TokenBucket::new(20.0);
        let mut now = origin;
        for _ in 0..200 {
            assert!(bucket.is_ready(now));
            bucket.take(now);
            now = now.max(bucket.ready_at().unwrap()) + Duration::from_millis(3);
        }
        assert!(
            now - origin <= Duration::from_secs(10),
            "{:?}",
            now - origin
        );
    }

    #[test]
    fn a_long_pause_saves_nothing_up() {
        let origin = origin();
        let mut bucket = TokenBucket::new(1.0);
        bucket.take(origin);
        let later = origin + Duration::from_secs(3_600);
        assert_eq!(starts(&mut bucket, later, 3), [0, 950, 1_950, 2_950]);
    }

    #[test]
    fn a_start_that_was_not_made_is_given_back_in_its_time() {
        let origin = origin();
        let at = |ms| origin + Duration::from_millis(ms);
        let mut bucket = TokenBucket::new(10.0);
        bucket.take(at(0));
        assert!(!bucket.is_ready(at(40)));
        bucket.give_back(at(0), at(40));
        assert!(bucket.is_ready(at(40)), "as if it had not been");

        let mut bucket = TokenBucket::new(10.0);
        bucket.take(at(0));
        bucket.take(at(100));
        bucket.give_back(at(0), at(110));
        assert!(!bucket.is_ready(at(149)), "its time has passed");

        let mut bucket = TokenBucket::new(10.0);
        bucket.take(at(0));
        bucket.take(at(60));
        bucket.give_back(at(0), at(70));
        assert_eq!(bucket.ready_at(), Some(at(110)), "one has left since");
    }

    #[test]
    fn a_new_rate_counts_from_the_last_start() {
        let origin = origin();
        let mut bucket = TokenBucket::new(1.0);
        bucket.take(origin);
        bucket.set_rate(4.0);
        assert_eq!(bucket.ready_at(), Some(origin + Duration::from_millis(200)));
        bucket.set_rate(0.5);
        assert_eq!(
            bucket.ready_at(),
            Some(origin + Duration::from_millis(1_950))
        );
    }
}
