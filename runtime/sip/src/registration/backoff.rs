//! How long to wait before the next try (RFC 5626 §4.5).

use std::time::{Duration, Instant};

use crate::jitter::Jitter;

/// The longest time between two tries.
pub(super) const MOST: Duration = Duration::from_mins(30);

/// A registration that held for so long worked: what failed before it is forgotten.
const WORKED: Duration = Duration::from_mins(2);

/// Why a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nobody was there or able to answer, which may end soon.
    Absent,
    /// The answer was no. It will be the same again until somebody changes an account, and providers lock out those who ask
    /// often with a wrong password.
    Refused,
}

impl Fault {
    /// What doubles with each failure.
    fn base(self) -> Duration {
        match self {
            Self::Absent => Duration::from_secs(30),
            Self::Refused => Duration::from_secs(150),
        }
    }
}

/// Failures in a row.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    /// A connection broke, and a new one was made at once.
    has_reconnected: bool,
    worked_since: Option<Instant>,
    jitter: Jitter,
}

impl Backoff {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self {
            failures: 0,
            has_reconnected: false,
            worked_since: None,
            jitter: Jitter::new(seed),
        }
    }

    pub(super) fn succeeded(&mut self, now: Instant) {
        self.worked_since.get_or_insert(now);
    }

    /// How long to wait: a random time from half the base times 2 to the number of failures up to all of it.
    pub(super) fn failed(&mut self, now: Instant, fault: Fault) -> Duration {
        self.settle(now);
        self.failures = self.failures.saturating_add(1);
        let doubled = 2u32.saturating_pow(self.failures);
        let upper = fault.base().saturating_mul(doubled).min(MOST);
        self.jitter.between(upper / 2, upper)
    }

    /// Whether to make a connection that broke anew at once: the first time, and whenever the last one held.
    pub(super) fn reconnects(&mut self, now: Instant) -> bool {
        self.settle(now);
        !std::mem::replace(&mut self.has_reconnected, true)
    }

    fn settle(&mut self, now: Instant) {
        if self
            .worked_since
            .take()
            .is_some_and(|since| now >= since + WORKED)
        {
            self.failures = 0;
            self.has_reconnected = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    #[test]
    fn times_double_up_to_the_most() {
        for (fault, uppers) in [
            (Fault::Absent, [60, 120, 240, 480, 960, 1800, 1800]),
            (Fault::Refused, [300, 600, 1200, 1800, 1800, 1800, 1800]),
        ] {
            for seed in 0..20 {
                let mut backoff = Backoff::new([seed; 32]);
                for upper in uppers {
                    let wait = backoff.failed(origin(), fault).as_secs_f64();
                    let upper = f64::from(upper);
                    assert!(
                        (upper / 2.0..upper).contains(&wait),
                        "{fault:?} {upper} {wait}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_worked_for_two_minutes_starts_anew() {
        let start = origin();
        for (held, lowest) in [(119, 120), (120, 30)] {
            let mut backoff = Backoff::new([1; 32]);
            backoff.failed(start, Fault::Absent);
            backoff.failed(start, Fault::Absent);
            backoff.succeeded(start);
            backoff.succeeded(start + Duration::from_secs(held));
            let wait = backoff.failed(start + Duration::from_secs(held), Fault::Absent);
            let lowest = Duration::from_secs(lowest);
            assert!((lowest..2 * lowest).contains(&wait), "{held} {wait:?}");
        }
    }

    #[test]
    fn a_connection_that_breaks_again_and_again_is_not_made_at_once() {
        let mut now = origin();
        let mut backoff = Backoff::new([1; 32]);
        backoff.succeeded(now);
        assert!(backoff.reconnects(now));
        backoff.succeeded(now);
        assert!(!backoff.reconnects(now));
        backoff.succeeded(now);
        now += Duration::from_secs(120);
        assert!(backoff.reconnects(now));
    }
}
