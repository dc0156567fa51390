//! The task between the store's outbox and the web.

use std::sync::{Arc, Weak};
use std::time::Duration;

use call::Exchange;
use delivery::{Delivery, Input, ON_THE_WAY, Output, WAITING_OF_PAYER, Waiting};
use store::{CallbackOutcome, CallbackRow, Directory};
use tokio::sync::mpsc;
use tracing::{debug, error, info};

use super::attempt::{Attempted, attempt};
use crate::clock;
use crate::services::{Services, random};

/// Rows that are read at a time.
const READ: usize = 1_000;

/// How an attempt ended; none where there was nothing to try any more.
struct Tried {
    id: u64,
    attempted: Option<Attempted>,
}

/// How far a look into the outbox came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// To its end.
    All,
    /// There may be more.
    Some,
    /// The store failed.
    Failed,
}

/// Knows of each callback that waits when it is due and whose it is, and reads the rest when it is sent.
pub(super) struct Worker {
    services: Weak<Services>,
    core: Delivery,
    /// The attempt that the core is being told of.
    attempted: Option<Attempted>,
    /// The newest row that was read.
    last: u64,
    tried: mpsc::Receiver<Tried>,
    tell: mpsc::Sender<Tried>,
    news: Option<Tried>,
}

impl Worker {
    pub(super) fn new(services: Weak<Services>) -> Self {
        // One place for each that the core lets be on its way.
        let (tell, tried) = mpsc::channel(ON_THE_WAY);
        Self {
            services,
            core: Delivery::default(),
            attempted: None,
            last: 0,
            tried,
            tell,
            news: None,
        }
    }

    /// Nothing is on its way or waits for its first attempt.
    pub(super) fn is_quiet(&self) -> bool {
        self.core.is_quiet()
    }

    /// Waits until there is something to do besides new rows.
    pub(super) async fn next(&mut self) {
        let pause = self
            .core
            .deadline()
            .map(|due| Duration::from_millis(due.saturating_sub(clock::unix_ms())));
        tokio::select! {
            tried = self.tried.recv() => self.news = tried,
            () = sleep(pause) => {}
        }
    }

    /// Does what is due. False once the services are gone.
    pub(super) fn turn(&mut self) -> bool {
        let Some(services) = self.services.upgrade() else {
            return false;
        };
        let input = match self.news.take() {
            Some(tried) => self.ended(&services, tried),
            None => Input::Deadline,
        };
        self.feed(&services, input);
        true
    }

    /// Takes in some of the rows that were written since the last look.
    pub(super) fn read(&mut self) -> Read {
        let Some(services) = self.services.upgrade() else {
            return Read::Failed;
        };
        let rows = match services.store.callbacks_after(self.last, READ) {
            Ok(rows) => rows,
            Err(why) => {
                error!("cannot read the outbox: {why}");
                return Read::Failed;
            }
        };
        let count = rows.len();
        let directory = services.store.directory();
        for row in rows {
            self.last = row.id;
            if let Some(waiting) = waiting(&directory, &row) {
                self.feed(&services, Input::Add(waiting));
            }
        }
        match count < READ {
            true => Read::All,
            false => Read::Some,
        }
    }

    fn ended(&mut self, services: &Arc<Services>, tried: Tried) -> Input {
        let Tried { id, attempted } = tried;
        let Some(attempted) = attempted else {
            return Input::Delivered(id);
        };
        match &attempted.result {
            Ok(()) => {
                let delivered = CallbackOutcome::Delivered;
                settle(services, id, delivered, attempted.exchange);
                Input::Delivered(id)
            }
            Err(failure) => {
                let input = Input::Failed {
                    id,
                    may_try_again: failure.may_try_again,
                    unanswered: failure.unanswered,
                    random: u64::from_ne_bytes(random()),
                };
                self.attempted = Some(attempted);
                input
            }
        }
    }

    fn feed(&mut self, services: &Arc<Services>, input: Input) {
        self.core.handle(clock::unix_ms(), input);
        while let Some(output) = self.core.poll() {
            match output {
                Output::Send(id) => self.send(services, id),
                Output::Again {
                    id,
                    attempts,
                    due_ms,
                } => self.failed(services, id, attempts, Some(due_ms)),
                Output::GiveUp { id, attempts } => self.failed(services, id, attempts, None),
                Output::TooMany { id, attempts } => too_many(services, id, attempts),
            }
        }
    }

    fn failed(&mut self, services: &Arc<Services>, id: u64, attempts: u32, due: Option<u64>) {
        let Some(Attempted {
            of,
            result: Err(failure),
            exchange,
        }) = self.attempted.take()
        else {
            return;
        };
        let account = of.map(|(account, _)| tracing::field::display(account));
        let subject = of.map(|(_, subject)| tracing::field::display(subject));
        let error = failure.why;
        match due {
            Some(_) => debug!(sid = subject, attempts, "a status callback failed: {error}"),
            None => info!(
                sid = subject,
                tenant.id = account,
                "a status callback could not be delivered, and is given up after {attempts} attempts: {error}"
            ),
        }
        let outcome = CallbackOutcome::Failed {
            attempts,
            due_unix_ms: due,
            error,
        };
        settle(services, id, outcome, exchange);
    }

    fn send(&self, services: &Arc<Services>, id: u64) {
        let (services, tell) = (Arc::clone(services), self.tell.clone());
        tokio::spawn(async move {
            let attempted = attempt(&services, id).await;
            // The worker ends with the services only.
            let _ = tell.send(Tried { id, attempted }).await;
        });
    }
}

/// What the core knows of a row; none of one that was given up.
fn waiting(directory: &Directory, row: &CallbackRow) -> Option<Waiting> {
    Some(Waiting {
        id: row.id,
        payer: directory.payer(row.account),
        subject: row.subject,
        created_ms: row.created_unix_ms,
        attempts: row.attempts,
        due_ms: row.due_unix_ms?,
    })
}

fn too_many(services: &Arc<Services>, id: u64, attempts: u32) {
    let error = format!(
        "{WAITING_OF_PAYER} callbacks of this account and its subaccounts wait already, which is the most"
    );
    debug!(callback = id, "a status callback is given up: {error}");
    let outcome = CallbackOutcome::Failed {
        attempts,
        due_unix_ms: None,
        error,
    };
    settle(services, id, outcome, None);
}

/// Nobody waits for it: what is lost with the process is sent once more, with the same token.
fn settle(services: &Arc<Services>, id: u64, outcome: CallbackOutcome, exchange: Option<Exchange>) {
    let commit = services.store.settle_callback(id, outcome, exchange);
    tokio::spawn(async move {
        if let Err(why) = commit.await {
            error!("cannot keep how a callback went: {why}");
        }
    });
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}
