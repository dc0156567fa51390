//! How many components are compiled at a time, or tested, and how many wait for it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// At a time: one, so that uploads never take more than one core from the calls.
const AT_A_TIME: usize = 1;
/// May wait; more are refused.
const WAITING: usize = 16;

/// Whose turn it is.
#[derive(Default)]
pub(crate) struct Turns {
    counts: Mutex<Counts>,
    freed: Condvar,
}

#[derive(Default)]
struct Counts {
    taken: usize,
    waiting: usize,
}

/// A turn, until it is dropped.
pub(crate) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for a turn; none where too many wait already.
    pub(crate) fn wait(&self) -> Option<Turn<'_>> {
        let mut counts = self.counts();
        if counts.waiting == WAITING {
            return None;
        }
        counts.waiting += 1;
        let mut counts = self
            .freed
            .wait_while(counts, |counts| counts.taken == AT_A_TIME)
            .unwrap_or_else(PoisonError::into_inner);
        counts.waiting -= 1;
        counts.taken += 1;
        Some(Turn(self))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.counts().taken -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn turns_are_taken_one_after_the_other() {
        let (turns, up, done) = (Turns::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _turn = turns.wait().expect("there is room to wait");
                    assert_eq!(up.fetch_add(1, Ordering::SeqCst), 0, "alone");
                    thread::yield_now();
                    up.fetch_sub(1, Ordering::SeqCst);
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(done.into_inner(), 8);
    }

    #[test]
    fn so_many_wait_and_the_next_is_refused() {
        let turns = Turns::default();
        thread::scope(|scope| {
            let first = turns.wait().expect("nobody is there");
            for _ in 0..WAITING {
                scope.spawn(|| drop(turns.wait().expect("there is room to wait")));
            }
            while turns.counts().waiting < WAITING {
                thread::yield_now();
            }
            assert!(turns.wait().is_none());
            drop(first);
        });
        assert!(turns.wait().is_some());
    }
}
