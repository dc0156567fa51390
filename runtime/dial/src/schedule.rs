//! Which calls wait for a time, and when calls that wait give up.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use call::CallSid;
use store::QueueTerms;

use crate::dialer::Now;

/// How long at most until the clock on the wall is looked at again: somebody may have set it.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// The clock on the wall is slower than the other by less than this while it is only being adjusted.
const SET_BACK_MS: u64 = 500;

/// Times by the clock on the wall, in milliseconds since the Unix epoch.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    due: BTreeSet<(u64, CallSid)>,
    ends: BTreeSet<(u64, CallSid)>,
    looked_at: Option<Now>,
}

impl Schedule {
    /// Notes when a call is due, where it waits for that, and when it gives up.
    pub(crate) fn add(&mut self, call: CallSid, due_unix_ms: Option<u64>, terms: &QueueTerms) {
        self.due.extend(due_unix_ms.map(|at| (at, call)));
        self.ends.extend(terms.expires_unix_ms.map(|at| (at, call)));
    }

    /// Forgets what [`Self::add`] noted.
    pub(crate) fn remove(&mut self, call: CallSid, due_unix_ms: Option<u64>, terms: &QueueTerms) {
        if let Some(at) = due_unix_ms {
            self.due.remove(&(at, call));
        }
        if let Some(at) = terms.expires_unix_ms {
            self.ends.remove(&(at, call));
        }
    }

    /// Whether somebody has set the clock on the wall back since this was last asked.
    pub(crate) fn is_set_back(&mut self, now: Now) -> bool {
        let before = self.looked_at.replace(now);
        before.is_some_and(|before| {
            let passed = now.instant.saturating_duration_since(before.instant);
            let passed = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
            now.unix_ms.saturating_add(SET_BACK_MS) < before.unix_ms.saturating_add(passed)
        })
    }

    /// A call that is due.
    pub(crate) fn next_due(&self, unix_ms: u64) -> Option<CallSid> {
        next(&self.due, unix_ms)
    }

    /// A call whose time is over.
    pub(crate) fn next_expired(&self, unix_ms: u64) -> Option<CallSid> {
        next(&self.ends, unix_ms)
    }

    /// When to look again; none where nobody waits for a time.
    pub(crate) fn deadline(&self, now: Now) -> Option<Instant> {
        let first = [self.due.first(), self.ends.first()];
        let (at, _) = first.into_iter().flatten().min()?;
        let wait = Duration::from_millis(at.saturating_sub(now.unix_ms));
        Some(now.instant + wait.min(LOOK_AGAIN))
    }
}

fn next(times: &BTreeSet<(u64, CallSid)>, unix_ms: u64) -> Option<CallSid> {
    let (at, call) = times.first()?;
    (*at <= unix_ms).then_some(*call)
}
