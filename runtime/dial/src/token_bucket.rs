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
}

impl TokenBucket {
    /// `per_second` is above 0.
    pub(crate) fn new(per_second: f32) -> Self {
        Self {
            interval: interval(per_second),
            due: None,
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
    }
}

fn interval(per_second: f32) -> Duration {
    Duration::try_from_secs_f64(1.0 / f64::from(per_second)).unwrap_or(Duration::MAX / 4)
}
