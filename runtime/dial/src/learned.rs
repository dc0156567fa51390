//! How many calls the far end really carries, learned from what it refuses.

use std::time::{Duration, Instant};

use crate::capacity::Room;

/// How long a limit that was just learned is believed before one call more is tried.
const FIRST_PATIENCE: Duration = Duration::from_secs(30);
/// The longest, after trying in vain again and again.
const LONGEST_PATIENCE: Duration = Duration::from_secs(3_600);
/// From one call more that is not refused to the next.
const STEP: Duration = Duration::from_secs(1);
/// How long nothing is tried after a refusal while nothing else was up; twice as long after the next.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest `Retry-After` that is believed.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// A limit below the configured one: none until the far end first refuses a call for want of room.
///
/// A refusal says how many calls fit: those that were up beside it. After a while one call more is tried. Where that is
/// refused, the next try comes after twice the time; where it is not, the limit rises by one each second until one is. So a
/// limit that stays is met seldom, and one that has risen is found soon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Learned {
    limit: Option<Limit>,
    patience: Duration,
    pause: Duration,
    /// The far end asked to be left alone until then, or has no room for a single call.
    not_before: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Limit {
    channels: u32,
    /// When one call more may be tried.
    probe_at: Instant,
    /// It was raised, and nothing has been refused since.
    is_rising: bool,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            limit: None,
            patience: FIRST_PATIENCE,
            pause: FIRST_PAUSE,
            not_before: None,
        }
    }
}

impl Learned {
    /// How many calls at once; none while nothing was learned.
    pub(crate) fn limit(&self) -> Option<u32> {
        self.limit.map(|limit| limit.channels)
    }

    /// Until when the far end asked to be left alone, or has no room for a single call.
    pub(crate) const fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    /// Whether one call more may begin beside `held` others.
    pub(crate) fn room(&self, now: Instant, held: u32) -> Room {
        let probe_at = self
            .limit
            .filter(|limit| held >= limit.channels)
            .map(|limit| limit.probe_at);
        let at = [self.not_before, probe_at].into_iter().flatten().max();
        match at {
            Some(at) if now < at => Room::WhenOneEnds { or_at: Some(at) },
            _ => Room::Now,
        }
    }

    /// A call begins beside `held` others, for which there was room.
    pub(crate) fn begin(&mut self, now: Instant, held: u32) {
        if let Some(limit) = &mut self.limit
            && held >= limit.channels
        {
            if limit.is_rising {
                self.patience = (self.patience / 2).max(FIRST_PATIENCE);
            }
            *limit = Limit {
                channels: held + 1,
                probe_at: now + STEP,
                is_rising: true,
            };
        }
    }

    /// A call was refused for want of room while `others` were up.
    pub(crate) fn congested(&mut self, now: Instant, others: u32, retry_after: Option<Duration>) {
        let is_rising = self.limit.is_some_and(|limit| limit.is_rising);
        if is_rising {
            self.patience = (self.patience * 2).min(LONGEST_PATIENCE);
        }
        let known = self.limit().unwrap_or(u32::MAX);
        // One more was tried, in vain: as many fit as before, even where some have ended since it was refused.
        let fit = if is_rising {
            known - 1
        } else {
            known.min(others)
        };
        self.limit = Some(Limit {
            channels: fit.max(1),
            probe_at: now + self.patience,
            is_rising: false,
        });
        let asked = retry_after.map(|wait| wait.min(LONGEST_RETRY_AFTER));
        let pause = (others == 0).then(|| {
            let pause = self.pause;
            self.pause = (pause * 2).min(LONGEST_PAUSE);
            pause
        });
        if let Some(wait) = asked.max(pause) {
            self.not_before = self.not_before.max(Some(now + wait));
        }
    }

    /// A call ended that was not refused for want of room.
    pub(crate) const fn got_through(&mut self) {
        self.pause = FIRST_PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit after a refusal beside 20 others, and one of the next call half a minute later, which is heard of when `others` are up.
    #[allow(clippy::disallowed_methods, reason = "only differences matter")]
    fn after_a_probe(others: u32) -> Option<u32> {
        let begun = Instant::now();
        let mut learned = Learned::default();
        learned.congested(begun, 20, None);
        assert_eq!(learned.limit(), Some(20));
        let later = begun + FIRST_PATIENCE;
        assert_ne!(learned.room(begun, 20), Room::Now);
        assert_eq!(learned.room(later, 20), Room::Now);
        learned.begin(later, 20);
        assert_eq!(learned.limit(), Some(21));
        learned.congested(later, others, None);
        learned.limit()
    }

    #[test]
    fn who_ended_while_a_refusal_was_on_its_way_is_no_line_less() {
        for others in [20, 19, 12, 0] {
            assert_eq!(after_a_probe(others), Some(20), "{others}");
        }
    }
}
