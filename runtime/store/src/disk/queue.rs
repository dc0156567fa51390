//! What waits for the writer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

use crate::commit::{Promise, commit};
use crate::rows::Rows;
use crate::{Commit, StoreError};

/// How many verbs may wait before new calls are refused.
const NEW_LIMIT: usize = 4_096;
/// How many verbs may wait at all. Each running call has at most a few, so this is out of reach unless the disk hangs.
const LIMIT: usize = 65_536;
/// How many verbs share one transaction.
const BATCH: usize = 1_024;

/// Whether a verb begins something, or belongs to a call that is under way.
///
/// When the queue is long, what begins something is refused ([`StoreError::Busy`]) while there still is room for the calls
/// under way, whose writes must not be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    New,
    Running,
}

impl Lane {
    const fn limit(self) -> usize {
        match self {
            Self::New => NEW_LIMIT,
            Self::Running => LIMIT,
        }
    }
}

/// A verb with its arguments, and the commit that it will resolve.
pub(super) trait Job: Send {
    /// Does the verb. An error of the disk is returned too: then the whole batch fails.
    fn run(&mut self, rows: &mut dyn Rows) -> Result<(), StoreError>;
    /// Resolves the commit, with the verb's own outcome if its batch is durable.
    fn resolve(self: Box<Self>, batch: Result<(), StoreError>);
}

struct Verb<F, T> {
    verb: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    promise: Promise<T>,
}

impl<F, T> Job for Verb<F, T>
where
    T: Send,
    F: FnOnce(&mut dyn Rows) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, rows: &mut dyn Rows) -> Result<(), StoreError> {
        let outcome = self.verb.take().map(|verb| verb(rows));
        let disk = match &outcome {
            Some(Err(error @ StoreError::Failed(_))) => Err(error.clone()),
            _ => Ok(()),
        };
        self.outcome = outcome;
        disk
    }

    fn resolve(self: Box<Self>, batch: Result<(), StoreError>) {
        let outcome = self
            .outcome
            .unwrap_or_else(|| Err(StoreError::Failed("the writer has stopped".to_owned())));
        self.promise.resolve(batch.and(outcome));
    }
}

/// The writer's queue: first in, first out, bounded.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Box<dyn Job>>,
    stopping: bool,
    failed: Option<StoreError>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("waiting", &self.state().jobs.len())
            .finish()
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nobody panics while the queue is locked")
    }

    /// Queues a verb, or refuses it at once.
    pub(super) fn submit<T, F>(&self, lane: Lane, verb: F) -> Commit<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Rows) -> Result<T, StoreError> + Send + 'static,
    {
        let (promise, commit) = commit();
        let job = Verb {
            verb: Some(verb),
            outcome: None,
            promise,
        };
        let mut state = self.state();
        if let Some(error) = &state.failed {
            return Commit::resolved(Err(error.clone()));
        }
        if state.jobs.len() >= lane.limit() {
            return Commit::resolved(Err(StoreError::Busy));
        }
        state.jobs.push_back(Box::new(job));
        drop(state);
        self.filled.notify_one();
        commit
    }

    /// Waits for verbs and takes them, oldest first; none once the store is closed and everything is written.
    pub(super) fn take(&self) -> Option<Vec<Box<dyn Job>>> {
        let waiting = self.filled.wait_while(self.state(), |state| {
            state.jobs.is_empty() && !state.stopping
        });
        let mut state = waiting.expect("nobody panics while the queue is locked");
        let count = state.jobs.len().min(BATCH);
        (count > 0).then(|| state.jobs.drain(..count).collect())
    }

    /// Lets the writer stop once everything is written.
    pub(super) fn stop(&self) {
        self.state().stopping = true;
        self.filled.notify_one();
    }

    /// Refuses everything that waits and everything that comes.
    pub(super) fn fail(&self, error: &StoreError) {
        let waiting = {
            let mut state = self.state();
            state.failed.get_or_insert_with(|| error.clone());
            std::mem::take(&mut state.jobs)
        };
        for job in waiting {
            job.resolve(Err(error.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_new_work_first_and_then_everything() {
        let queue = Queue::default();
        let submit = |lane| queue.submit(lane, |_| Ok(()));
        let mut waiting: Vec<_> = (0..NEW_LIMIT).map(|_| submit(Lane::New)).collect();
        assert_eq!(submit(Lane::New).wait(), Err(StoreError::Busy));
        waiting.extend((NEW_LIMIT..LIMIT).map(|_| submit(Lane::Running)));
        assert_eq!(submit(Lane::Running).wait(), Err(StoreError::Busy));

        queue.take().unwrap();
        waiting.push(submit(Lane::Running));
        assert_eq!(submit(Lane::New).wait(), Err(StoreError::Busy));
    }

    #[test]
    fn failing_refuses_what_waits_and_what_comes() {
        let queue = Queue::default();
        let waiting = queue.submit(Lane::New, |_| Ok(()));
        let error = StoreError::Failed("no space left".to_owned());
        queue.fail(&error);
        assert_eq!(waiting.wait(), Err(error.clone()));
        assert_eq!(queue.submit(Lane::Running, |_| Ok(())).wait(), Err(error));
    }

    #[test]
    fn a_closed_queue_gives_out_what_waits_before_it_ends() {
        let queue = Queue::default();
        let _commits: Vec<_> = (0..=BATCH)
            .map(|_| queue.submit(Lane::New, |_| Ok(())))
            .collect();
        queue.stop();
        assert_eq!(queue.take().map(|batch| batch.len()), Some(BATCH));
        assert_eq!(queue.take().map(|batch| batch.len()), Some(1));
        assert!(queue.take().is_none());
    }
}
