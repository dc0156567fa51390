//! What came of each trunk's outbound calls in the last quarter of an hour.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use call::Outcome;
use plugin_host::routing::Recent;
use store::TrunkId;

const MINUTE_MS: u64 = 60_000;
const MINUTES: u64 = 15;

/// Counts by trunk and minute; minutes that are over are forgotten as new ones come.
#[derive(Debug, Default)]
pub(crate) struct RecentCalls(Mutex<HashMap<TrunkId, VecDeque<(u64, Recent)>>>);

impl RecentCalls {
    /// A call that was dialled over the trunk is over.
    pub(crate) fn note(&self, trunk: &TrunkId, outcome: Outcome, now_unix_ms: u64) {
        let minute = now_unix_ms / MINUTE_MS;
        let mut trunks = self.lock();
        let minutes = trunks.entry(trunk.clone()).or_default();
        while minutes
            .front()
            .is_some_and(|(at, _)| at + MINUTES <= minute)
        {
            minutes.pop_front();
        }
        if minutes.back().is_none_or(|(at, _)| *at < minute) {
            minutes.push_back((minute, Recent::default()));
        }
        if let Some((_, counts)) = minutes.back_mut() {
            counts.attempted += 1;
            counts.answered += u32::from(outcome == Outcome::Answered);
            counts.congested += u32::from(outcome == Outcome::Congestion);
        }
    }

    /// What came of the trunk's calls, to the minute.
    pub(crate) fn of(&self, trunk: &TrunkId, now_unix_ms: u64) -> Recent {
        let minute = now_unix_ms / MINUTE_MS;
        let trunks = self.lock();
        let minutes = trunks.get(trunk).into_iter().flatten();
        let recent = minutes.filter(|(at, _)| at + MINUTES > minute);
        recent.fold(Recent::default(), |sum, (_, counts)| Recent {
            attempted: sum.attempted + counts.attempted,
            answered: sum.answered + counts.answered,
            congested: sum.congested + counts.congested,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TrunkId, VecDeque<(u64, Recent)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_an_hour_is_counted() {
        let recent = RecentCalls::default();
        let north = TrunkId("north".to_owned());
        let counts = |minute: u64| {
            let Recent {
                attempted,
                answered,
                congested,
            } = recent.of(&north, minute * MINUTE_MS);
            [attempted, answered, congested]
        };
        recent.note(&north, Outcome::Answered, 0);
        recent.note(&north, Outcome::Congestion, MINUTE_MS);
        recent.note(&north, Outcome::Busy, MINUTE_MS);
        assert_eq!(counts(1), [3, 1, 1]);
        assert_eq!(counts(14), [3, 1, 1]);
        assert_eq!(counts(15), [2, 0, 1]);
        assert_eq!(counts(16), [0, 0, 0]);
        recent.note(&north, Outcome::Answered, 20 * MINUTE_MS);
        assert_eq!(counts(20), [1, 1, 0]);
        let south = TrunkId("south".to_owned());
        assert_eq!(recent.of(&south, MINUTE_MS), Recent::default());
    }
}
