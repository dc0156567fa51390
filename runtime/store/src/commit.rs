//! The promise of a durable write.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use futures_channel::oneshot;

use crate::StoreError;

/// A write under way. Resolves once it is durable, or was refused. Dropping it does not take the write back.
#[derive(Debug)]
#[must_use = "a write is acknowledged when its commit resolves, not before"]
pub struct Commit<T> {
    outcome: oneshot::Receiver<Result<T, StoreError>>,
}

/// The other end of a [`Commit`].
#[derive(Debug)]
pub(crate) struct Promise<T> {
    outcome: oneshot::Sender<Result<T, StoreError>>,
}

/// A commit, and the promise that resolves it.
pub(crate) fn commit<T>() -> (Promise<T>, Commit<T>) {
    let (sender, receiver) = oneshot::channel();
    (Promise { outcome: sender }, Commit { outcome: receiver })
}

impl<T> Promise<T> {
    /// Resolves the commit. Nobody may be waiting for it any more.
    pub(crate) fn resolve(self, outcome: Result<T, StoreError>) {
        let _nobody_waits = self.outcome.send(outcome);
    }
}

impl<T> Commit<T> {
    /// A commit that is resolved already.
    pub(crate) fn resolved(outcome: Result<T, StoreError>) -> Self {
        let (promise, commit) = commit();
        promise.resolve(outcome);
        commit
    }

    /// Blocks this thread until the write is durable or refused. For tests and commands; never inside an async runtime.
    pub fn wait(self) -> Result<T, StoreError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut commit = std::pin::pin!(self);
        loop {
            match commit.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => return outcome,
                Poll::Pending => thread::park(),
            }
        }
    }
}

impl<T> Future for Commit<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.outcome).poll(context).map(|received| {
            received
                .unwrap_or_else(|_| Err(StoreError::Failed("the writer has stopped".to_owned())))
        })
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_returns_what_another_thread_resolves() {
        let (promise, commit) = commit();
        let resolver = thread::spawn(move || promise.resolve(Ok(7)));
        assert_eq!(commit.wait(), Ok(7));
        resolver.join().unwrap();
    }

    #[test]
    fn a_promise_that_is_dropped_fails_its_commit() {
        let (promise, commit) = commit::<()>();
        drop(promise);
        assert!(matches!(commit.wait(), Err(StoreError::Failed(_))));
    }
}
