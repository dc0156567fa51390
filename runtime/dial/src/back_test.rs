//! What other rules would have made of calls that are over: the same people, called at other times.
//!
//! The model: whoever is called at some time ends that call as they ended the really made one that is nearest to that time, after as long. So somebody
//! who was reached is reachable from half-way between the call before and that one on, and somebody who never was cannot be reached. Every call goes out
//! when it is due: there is a channel for it.

use crate::retry::{Attempt, Decision, Wish, next};

/// One person, called by other rules. The first call is the real one.
#[derive(Debug, Clone)]
pub struct Replay<'p> {
    past: &'p [Attempt],
    made: Vec<Attempt>,
}

impl<'p> Replay<'p> {
    /// Begins with the first of the calls that were really made; none where there is none. `past`: those that were made, the first in front.
    #[must_use]
    pub fn new(past: &'p [Attempt]) -> Option<Self> {
        let made = vec![past.first()?.clone()];
        Some(Self { past, made })
    }

    /// The calls by the other rules so far, all over.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.made
    }

    /// Whether the last one reached them.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.made.last().is_some_and(Attempt::reached)
    }

    /// When the last one was over, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_unix_ms(&self) -> u64 {
        self.made.last().map_or(0, |last| last.ended_unix_ms)
    }

    /// They are called at this time, in milliseconds since the Unix epoch.
    pub fn call(&mut self, at_unix_ms: u64) {
        let mut pairs = self.past.windows(2).rev();
        let is_nearer = |pair: &&[Attempt]| {
            let (end, begin) = (pair[0].ended_unix_ms, pair[1].started_unix_ms);
            at_unix_ms >= end.midpoint(begin)
        };
        let later = pairs.find(is_nearer).map(|pair| &pair[1]);
        let Some(as_then) = later.or(self.past.first()) else {
            return;
        };
        let took = as_then
            .ended_unix_ms
            .saturating_sub(as_then.started_unix_ms);
        self.made.push(Attempt {
            started_unix_ms: at_unix_ms,
            ended_unix_ms: at_unix_ms.saturating_add(took),
            ..as_then.clone()
        });
    }
}

/// A person by the usual rules; none who was never called.
#[must_use]
pub fn by_usual_rules<'p>(past: &'p [Attempt], wish: &Wish) -> Option<Replay<'p>> {
    let mut replay = Replay::new(past)?;
    while let Decision::Again { at_unix_ms, .. } =
        next(replay.attempts(), wish, replay.now_unix_ms())
    {
        replay.call(at_unix_ms);
    }
    Some(replay)
}

/// What calls to many came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Who was called.
    pub people: u64,
    /// Who was reached.
    pub reached: u64,
    /// Calls.
    pub attempts: u64,
    /// How long they held a channel together, in milliseconds.
    pub channel_ms: u64,
    /// When the first one began, in milliseconds since the Unix epoch.
    began_unix_ms: Option<u64>,
    /// When the last one was over, in milliseconds since the Unix epoch.
    ended_unix_ms: u64,
}

impl Totals {
    /// One person more.
    pub fn add(&mut self, attempts: &[Attempt]) {
        self.people += 1;
        self.reached += u64::from(attempts.iter().any(Attempt::reached));
        for attempt in attempts {
            self.attempts += 1;
            self.channel_ms += attempt
                .ended_unix_ms
                .saturating_sub(attempt.started_unix_ms);
            let began = self.began_unix_ms.unwrap_or(u64::MAX);
            self.began_unix_ms = Some(began.min(attempt.started_unix_ms));
            self.ended_unix_ms = self.ended_unix_ms.max(attempt.ended_unix_ms);
        }
    }

    /// From the beginning of the first call to the end of the last, in milliseconds.
    #[must_use]
    pub fn took_ms(&self) -> u64 {
        let began = self.began_unix_ms.unwrap_or(self.ended_unix_ms);
        self.ended_unix_ms.saturating_sub(began)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use call::{CallRecord, CallStatus};
    use store::TrunkId;

    use super::*;

    const MINUTE: u64 = 60_000;

    /// Calls that began at these minutes and took one.
    fn past(ends: &[(u64, CallStatus)]) -> Vec<Attempt> {
        let made = ends.iter().map(|(at, status)| Attempt {
            started_unix_ms: at * MINUTE,
            ended_unix_ms: (at + 1) * MINUTE,
            trunk: Some(TrunkId("north".to_owned())),
            record: CallRecord::new(*status, ""),
        });
        made.collect()
    }

    #[track_caller]
    fn check(ends: &[(u64, CallStatus)], gap_min: u64, reached: bool, starts: &[u64]) {
        let past = past(ends);
        let wish = Wish {
            gap: Some(Duration::from_secs(gap_min * 60)),
            ..Wish::default()
        };
        let replay = by_usual_rules(&past, &wish).unwrap();
        let minutes = replay.attempts().iter();
        let minutes: Vec<u64> = minutes.map(|one| one.started_unix_ms / MINUTE).collect();
        assert_eq!((replay.is_reached(), minutes.as_slice()), (reached, starts));
    }

    #[test]
    fn whoever_was_reached_is_reachable_from_about_then_on() {
        use CallStatus::{Busy, Completed};
        let real = [(10, Busy), (20, Completed)];
        check(&real, 1, false, &[10, 12, 14]); // all too early
        check(&real, 2, true, &[10, 13, 16]); // nearer to the second
        check(&real, 9, true, &[10, 20]);
        check(&real, 30, true, &[10, 41]);
        check(&[(10, Completed)], 2, true, &[10]);
    }

    #[test]
    fn whoever_was_never_reached_stays_so() {
        use CallStatus::{Busy, NoAnswer};
        check(&[(10, Busy), (20, NoAnswer)], 15, false, &[10, 26, 42]);
        assert!(by_usual_rules(&[], &Wish::default()).is_none());
    }

    #[test]
    fn totals_have_people_calls_and_time() {
        let mut totals = Totals::default();
        assert_eq!(totals.took_ms(), 0);
        totals.add(&past(&[
            (10, CallStatus::Busy),
            (20, CallStatus::Completed),
        ]));
        totals.add(&past(&[(5, CallStatus::Busy)]));
        let Totals {
            people,
            reached,
            attempts,
            channel_ms,
            ..
        } = totals;
        assert_eq!(
            (people, reached, attempts, channel_ms),
            (2, 1, 3, 3 * MINUTE)
        );
        assert_eq!(totals.took_ms(), 16 * MINUTE);
    }
}
