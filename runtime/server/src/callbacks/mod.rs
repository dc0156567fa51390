//! Leaves the outbox: what tenants' servers are told of calls, sent in the order and at the times that [`delivery`] says.

mod worker;

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use self::worker::Worker;
use crate::services::Services;

/// The outbox as the rest of the host sees it.
pub(crate) struct Callbacks {
    written: Notify,
    /// Nothing is on its way or waits for its first attempt.
    is_quiet: watch::Sender<bool>,
}

impl Callbacks {
    pub(crate) fn new() -> Self {
        Self {
            written: Notify::new(),
            is_quiet: watch::Sender::new(false),
        }
    }

    /// A commit is done that may have put something into the outbox.
    pub(crate) fn look(&self) {
        self.is_quiet.send_replace(false);
        self.written.notify_one();
    }

    /// Sends what is there and what comes, until the services are gone.
    pub(crate) fn start(services: &Arc<Services>) {
        let callbacks = Arc::clone(&services.callbacks);
        tokio::spawn(callbacks.run(Arc::downgrade(services)));
    }

    /// Waits until everything was tried once. What fails then, or is left after `at_most`, is sent by the next process.
    pub(crate) async fn settle(&self, at_most: Duration) {
        let mut is_quiet = self.is_quiet.subscribe();
        let settled = is_quiet.wait_for(|quiet| *quiet);
        let _ = tokio::time::timeout(at_most, settled).await;
    }

    async fn run(self: Arc<Self>, services: Weak<Services>) {
        let mut worker = Worker::new(services);
        let mut there_may_be_more = true;
        while worker.turn(there_may_be_more) {
            if worker.is_quiet() {
                self.is_quiet.send_replace(true);
            }
            tokio::select! {
                () = self.written.notified() => there_may_be_more = true,
                () = worker.next() => there_may_be_more = false,
            }
        }
    }
}
