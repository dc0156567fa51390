//! Leaves the outbox: what tenants' servers are told of calls, sent in the order and at the times that [`delivery`] says.

mod attempt;
mod worker;

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tracing::error;

use self::worker::{Read, Worker};
use crate::clock;
use crate::services::Services;

/// When a store that failed is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// So long after it was written a callback that was given up is kept: 30 days.
const GIVEN_UP_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// How often it is looked for those that are older.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);
/// How many of them go at a time.
const FORGET_AT_ONCE: usize = 1_000;

/// The outbox as the rest of the host sees it.
pub(crate) struct Callbacks {
    written: Notify,
    looks: watch::Sender<Looks>,
}

/// How often something may have been put into the outbox.
#[derive(Debug, Clone, Copy)]
struct Looks {
    asked: u64,
    /// What was there up to this one was read and tried.
    settled: u64,
}

impl Callbacks {
    pub(crate) fn new() -> Self {
        // The first one is the start itself.
        let looks = Looks {
            asked: 1,
            settled: 0,
        };
        Self {
            written: Notify::new(),
            looks: watch::Sender::new(looks),
        }
    }

    /// A commit is done that may have put something into the outbox.
    pub(crate) fn look(&self) {
        self.looks.send_modify(|looks| looks.asked += 1);
        self.written.notify_one();
    }

    /// Sends what is there and what comes, and forgets what was given up long ago, until the services are gone.
    pub(crate) fn start(services: &Arc<Services>) {
        let callbacks = Arc::clone(&services.callbacks);
        tokio::spawn(callbacks.run(Arc::downgrade(services)));
        tokio::spawn(forget(Arc::downgrade(services)));
    }

    /// Waits until everything was tried once. What fails then, or is left after `at_most`, is sent by the next process.
    pub(crate) async fn settle(&self, at_most: Duration) {
        let mut looks = self.looks.subscribe();
        let settled = looks.wait_for(|looks| looks.settled == looks.asked);
        let _ = tokio::time::timeout(at_most, settled).await;
    }

    async fn run(self: Arc<Self>, services: Weak<Services>) {
        let mut worker = Worker::new(services);
        let mut is_unread = true;
        let mut read_up_to = 0;
        while worker.turn() {
            if is_unread {
                // What is written from here on asks for another look.
                let asked = self.looks.borrow().asked;
                match worker.read() {
                    Read::All => (is_unread, read_up_to) = (false, asked),
                    Read::Some => {
                        tokio::task::yield_now().await;
                        continue;
                    }
                    Read::Failed => {}
                }
            }
            if worker.is_quiet() {
                self.settled(read_up_to);
            }
            tokio::select! {
                () = self.written.notified() => is_unread = true,
                () = worker.next() => {}
                () = tokio::time::sleep(ASK_AGAIN), if is_unread => {}
            }
        }
    }

    fn settled(&self, up_to: u64) {
        self.looks.send_if_modified(|looks| {
            let is_news = looks.settled < up_to;
            looks.settled = looks.settled.max(up_to);
            is_news
        });
    }
}

/// Takes out what was given up long ago.
async fn forget(services: Weak<Services>) {
    while let Some(services) = services.upgrade() {
        let before = clock::unix_ms().saturating_sub(GIVEN_UP_KEPT_MS);
        let gone = services.store.forget_callbacks(before, FORGET_AT_ONCE);
        drop(services);
        match gone.await {
            Ok(FORGET_AT_ONCE) => continue,
            Ok(_) => {}
            Err(why) => error!("cannot take old callbacks out of the outbox: {why}"),
        }
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether everything that was asked for is settled.
    fn is_settled(callbacks: &Callbacks) -> bool {
        let looks = *callbacks.looks.borrow();
        looks.settled == looks.asked
    }

    #[tokio::test]
    async fn what_was_written_after_the_last_read_is_not_settled_by_it() {
        let callbacks = Callbacks::new();
        assert!(!is_settled(&callbacks), "nothing was read yet");
        let asked = callbacks.looks.borrow().asked;
        callbacks.look(); // between the read and the end of the last attempt
        callbacks.settled(asked);
        assert!(!is_settled(&callbacks));
        callbacks.settled(asked + 1);
        assert!(is_settled(&callbacks));
        callbacks.settle(Duration::MAX).await;
        callbacks.settled(asked);
        assert!(is_settled(&callbacks), "an older read takes nothing back");
    }
}
