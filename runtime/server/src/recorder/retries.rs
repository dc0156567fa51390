//! Which files could not be sent to the bucket, and when each is tried again.

use std::collections::HashMap;
use std::time::Duration;

use call::RecordingSid;
use tokio::time::Instant;

/// After a failure; doubled with each further one.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(5);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Each file has a pause of its own, so that one which never arrives holds up no other.
#[derive(Debug, Default)]
pub(super) struct Retries(HashMap<RecordingSid, Retry>);

#[derive(Debug, Clone, Copy)]
struct Retry {
    due: Instant,
    pause: Duration,
}

impl Retries {
    /// The files of these that may be tried now: those that failed least come first. What is not among them is forgotten.
    pub(super) fn due<T>(
        &mut self,
        mut files: Vec<(T, RecordingSid)>,
        now: Instant,
    ) -> Vec<(T, RecordingSid)> {
        let before = std::mem::take(&mut self.0);
        let kept = files
            .iter()
            .filter_map(|(_, sid)| Some((*sid, *before.get(sid)?)));
        self.0 = kept.collect();
        files.retain(|(_, sid)| self.0.get(sid).is_none_or(|retry| retry.due <= now));
        files.sort_by_key(|(_, sid)| self.0.get(sid).map(|retry| (retry.pause, retry.due)));
        files
    }

    /// It could not be sent: how long it waits now.
    pub(super) fn failed(&mut self, sid: RecordingSid, now: Instant) -> Duration {
        let before = self.0.get(&sid);
        let pause = before.map_or(FIRST_PAUSE, |retry| (retry.pause * 2).min(LONGEST_PAUSE));
        let due = now + pause;
        self.0.insert(sid, Retry { due, pause });
        pause
    }

    /// It was sent.
    pub(super) fn sent(&mut self, sid: RecordingSid) {
        self.0.remove(&sid);
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|retry| retry.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_waits_longer_with_each_failure_and_new_ones_go_first() {
        let [bad, worse, new] = [1, 2, 3].map(|byte| RecordingSid::from_bytes([byte; 16]));
        let mut now = Instant::now();
        let mut retries = Retries::default();
        let files = || vec![((), worse), ((), bad), ((), new)];
        assert_eq!(retries.due(files(), now), files(), "as they come");
        assert_eq!(retries.next(), None);
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            let pause = retries.failed(worse, now);
            assert_eq!(pause, Duration::from_secs(seconds));
            assert_eq!(retries.next(), Some(now + pause));
            assert_eq!(retries.due(files(), now), [((), bad), ((), new)]);
            now += pause;
        }
        retries.failed(bad, now);
        now += LONGEST_PAUSE;
        assert_eq!(
            retries.due(files(), now),
            [((), new), ((), bad), ((), worse)]
        );
        retries.sent(bad);
        // Deleted, and then a file again: it begins anew.
        assert_eq!(retries.due(vec![((), bad), ((), new)], now).len(), 2);
        assert_eq!(retries.next(), None);
        assert_eq!(retries.failed(worse, now), FIRST_PAUSE);
    }
}
