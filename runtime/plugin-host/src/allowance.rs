//! Memory that several stories have together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a story's memory comes from, beside its own limit. Clones are the same allowance.
#[derive(Debug, Clone, Default)]
pub struct Allowance(Option<Arc<Kind>>);

#[derive(Debug)]
enum Kind {
    Shared {
        limit_bytes: u64,
        taken_bytes: AtomicU64,
    },
    /// What was refused in a journal, in its order: how much a memory had, and how much it was to have.
    Recorded(Mutex<VecDeque<(u64, u64)>>),
}

impl Allowance {
    /// A story's own limit is the only one.
    #[must_use]
    pub const fn unbounded() -> Self {
        Self(None)
    }

    /// So many bytes of linear memory for all stories together that have a clone of this.
    #[must_use]
    pub fn of(limit_bytes: u64) -> Self {
        Self(Some(Arc::new(Kind::Shared {
            limit_bytes,
            taken_bytes: AtomicU64::new(0),
        })))
    }

    /// Refuses what a journal says was refused, whatever refused it then.
    pub(crate) fn recorded(refused: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let refused = refused.into_iter().collect();
        Self(Some(Arc::new(Kind::Recorded(Mutex::new(refused)))))
    }

    /// What is taken now, in bytes.
    #[must_use]
    pub fn taken_bytes(&self) -> u64 {
        match self.0.as_deref() {
            Some(Kind::Shared { taken_bytes, .. }) => taken_bytes.load(Ordering::Relaxed),
            Some(Kind::Recorded(_)) | None => 0,
        }
    }

    /// Whether one memory may grow from `current` to `desired` bytes; then the difference is taken.
    pub(crate) fn take(&self, current: u64, desired: u64) -> bool {
        let Some(Kind::Shared {
            limit_bytes,
            taken_bytes,
        }) = self.0.as_deref()
        else {
            return true;
        };
        let more = desired.saturating_sub(current);
        let within = |taken: u64| {
            let taken = taken.checked_add(more)?;
            (taken <= *limit_bytes).then_some(taken)
        };
        let took = taken_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within);
        took.is_ok()
    }

    /// Whether a journal says that this growth was refused; asked once for each.
    pub(crate) fn was_refused(&self, current: u64, desired: u64) -> bool {
        let Some(Kind::Recorded(refused)) = self.0.as_deref() else {
            return false;
        };
        let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
        let was_refused = refused.front() == Some(&(current, desired));
        if was_refused {
            refused.pop_front();
        }
        was_refused
    }

    /// A story that had so much is over.
    pub(crate) fn give_back(&self, bytes: u64) {
        if let Some(Kind::Shared { taken_bytes, .. }) = self.0.as_deref() {
            taken_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_is_taken_together_and_given_back() {
        let allowance = Allowance::of(100);
        let other = allowance.clone();
        assert!(allowance.take(0, 60));
        assert!(other.take(0, 40));
        assert!(!other.take(40, 41));
        assert_eq!(allowance.taken_bytes(), 100);
        allowance.give_back(60);
        assert!(other.take(40, 41));
        assert_eq!(allowance.taken_bytes(), 41);
        assert!(!other.take(0, u64::MAX));
        assert!(Allowance::unbounded().take(0, u64::MAX));
    }

    #[test]
    fn what_was_refused_is_refused_again_once_and_in_its_order() {
        let allowance = Allowance::recorded([(1, 9), (2, 9)]);
        for (current, desired, refused) in [
            (2, 9, false),
            (1, 9, true),
            (1, 9, false),
            (2, 9, true),
            (2, 9, false),
        ] {
            assert_eq!(allowance.was_refused(current, desired), refused);
        }
        assert!(allowance.take(0, u64::MAX), "all else is granted");
    }
}
