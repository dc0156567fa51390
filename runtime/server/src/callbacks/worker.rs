//! The task between the store's outbox and the web.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use call::{Exchange, HttpError, HttpRequest};
use delivery::{Delivery, Input, Output, Waiting};
use egress::OwnHeaders;
use serde_json::json;
use store::{Account, CallbackOutcome, CallbackRow, FlowStart};
use tokio::sync::mpsc;
use tracing::{debug, error, info};
use url::form_urlencoded;

use crate::clock;
use crate::services::{Services, random};
use crate::webhook::webhook;

/// Rows that are read at a time.
const READ: usize = 1_000;

/// How an attempt ended.
struct Tried {
    id: u64,
    result: Result<(), Failure>,
    /// What was sent and answered; none where nothing was sent.
    exchange: Option<Exchange>,
}

/// Why an attempt failed.
pub(super) struct Failure {
    why: String,
    may_try_again: bool,
}

pub(super) struct Worker {
    services: Weak<Services>,
    core: Delivery,
    rows: HashMap<u64, CallbackRow>,
    /// What came of the attempt that the core is being told of.
    exchange: Option<Exchange>,
    /// The newest row that was read.
    last: u64,
    tried: mpsc::Receiver<Tried>,
    tell: mpsc::Sender<Tried>,
    news: Option<Tried>,
}

impl Worker {
    pub(super) fn new(services: Weak<Services>) -> Self {
        // The core lets no more be on their way: there is room for each.
        let (tell, tried) = mpsc::channel(delivery::ON_THE_WAY);
        Self {
            services,
            core: Delivery::default(),
            rows: HashMap::new(),
            exchange: None,
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
    pub(super) fn turn(&mut self, there_may_be_more: bool) -> bool {
        let Some(services) = self.services.upgrade() else {
            return false;
        };
        let input = match self.news.take() {
            Some(tried) => self.ended(&services, tried),
            None => Input::Deadline,
        };
        self.feed(&services, input);
        if there_may_be_more {
            self.read(&services);
        }
        true
    }

    fn read(&mut self, services: &Arc<Services>) {
        loop {
            let rows = match services.store.callbacks_after(self.last, READ) {
                Ok(rows) => rows,
                Err(why) => return error!("cannot read the outbox: {why}"),
            };
            let count = rows.len();
            for row in rows {
                self.last = row.id;
                if let Some(due_ms) = row.due_unix_ms {
                    let waiting = Waiting {
                        id: row.id,
                        account: row.account,
                        subject: row.subject,
                        created_ms: row.created_unix_ms,
                        attempts: row.attempts,
                        due_ms,
                    };
                    self.rows.insert(row.id, row);
                    self.feed(services, Input::Add(waiting));
                }
            }
            if count < READ {
                return;
            }
        }
    }

    fn ended(&mut self, services: &Arc<Services>, tried: Tried) -> Input {
        match tried.result {
            Ok(()) => {
                self.rows.remove(&tried.id);
                let delivered = CallbackOutcome::Delivered;
                settle(services, tried.id, delivered, tried.exchange);
                Input::Delivered(tried.id)
            }
            Err(failure) => {
                self.exchange = tried.exchange;
                if let Some(row) = self.rows.get_mut(&tried.id) {
                    row.error = Some(failure.why);
                }
                Input::Failed {
                    id: tried.id,
                    may_try_again: failure.may_try_again,
                    random: u64::from_ne_bytes(random()),
                }
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
                Output::GiveUp { id, attempts } => {
                    self.failed(services, id, attempts, None);
                    self.rows.remove(&id);
                }
            }
        }
    }

    fn failed(&mut self, services: &Arc<Services>, id: u64, attempts: u32, due: Option<u64>) {
        let exchange = self.exchange.take();
        let Some(row) = self.rows.get(&id) else {
            return;
        };
        let error = row.error.clone().unwrap_or_default();
        let (subject, account) = (row.subject, row.account);
        match due {
            Some(_) => debug!(sid = %subject, attempts, "a status callback failed: {error}"),
            None => info!(
                sid = %subject,
                tenant.id = %account,
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
        let Some(row) = self.rows.get(&id).cloned() else {
            return;
        };
        let (services, tell) = (Arc::clone(services), self.tell.clone());
        tokio::spawn(async move {
            let (result, exchange) = attempt(&services, &row).await;
            // The worker ends with the services only.
            let tried = Tried {
                id,
                result,
                exchange,
            };
            let _ = tell.send(tried).await;
        });
    }
}

/// Asks the tenant's server once.
async fn attempt(
    services: &Services,
    row: &CallbackRow,
) -> (Result<(), Failure>, Option<Exchange>) {
    let directory = services.store.directory();
    let Some(account) = directory.account(row.account) else {
        return (Err(lost("there is no such account any more")), None);
    };
    let ready = match &row.start {
        None => Ok((webhook(&row.to, &form(row)), OwnHeaders::default())),
        Some(start) => flow_start(account, row, start),
    };
    let (request, secrets) = match ready {
        Ok(ready) => ready,
        Err(failure) => return (Err(failure), None),
    };
    let at_unix_ms = clock::unix_ms();
    let told = services
        .web
        .tell(account, request.clone(), secrets, row.token);
    let answer = told.await;
    let result = match &answer {
        Ok(response) => taken(response.status),
        Err(error) => Err(Failure {
            may_try_again: matches!(
                error,
                HttpError::Unreachable(_) | HttpError::TimedOut(_) | HttpError::Protocol(_)
            ),
            why: error.to_string(),
        }),
    };
    let exchange = Exchange {
        at_unix_ms,
        request,
        answer: Some((clock::unix_ms(), answer)),
    };
    (result, Some(exchange))
}

/// The request by which `RapidPro` starts a flow for whom the row is about, and the token that it asks for.
fn flow_start(
    account: &Account,
    row: &CallbackRow,
    start: &FlowStart,
) -> Result<(HttpRequest, OwnHeaders), Failure> {
    let broadcast = row.parameter("broadcast_sid").unwrap_or_default().parse();
    let broadcast = broadcast.map_err(|_| lost("it names no broadcast"))?;
    let token = account.open_flow_token(broadcast, start);
    let token = token.map_err(|error| lost(&error.to_string()))?;
    let params: BTreeMap<_, _> = row.parameters.iter().cloned().collect();
    let urn = format!("tel:{}", row.parameter("to").unwrap_or_default());
    let body = json!({ "flow": start.flow, "urns": [urn], "params": params });
    let request = HttpRequest {
        method: row.to.method,
        url: row.to.url.clone(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
        sign: false,
    };
    let proof = format!("Token {}", token.expose());
    Ok((
        request,
        OwnHeaders(vec![("authorization".to_owned(), proof)]),
    ))
}

/// What no further attempt would mend.
fn lost(why: &str) -> Failure {
    Failure {
        why: why.to_owned(),
        may_try_again: false,
    }
}

fn form(row: &CallbackRow) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&row.parameters)
        .finish()
}

/// Whether the server took it. What it refuses by its own word is not told again, unless it says that it is busy.
fn taken(status: u16) -> Result<(), Failure> {
    match status {
        200..=299 => Ok(()),
        _ => Err(Failure {
            why: format!("status {status}"),
            may_try_again: matches!(status, 408 | 425 | 429 | 500..),
        }),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_answers_are_taken_and_which_are_asked_for_again() {
        for (status, expected) in [
            (200, "taken"),
            (204, "taken"),
            (304, "refused"),
            (400, "refused"),
            (404, "refused"),
            (408, "again"),
            (429, "again"),
            (500, "again"),
            (503, "again"),
        ] {
            let found = match taken(status) {
                Ok(()) => "taken",
                Err(failure) if failure.may_try_again => "again",
                Err(_) => "refused",
            };
            assert_eq!(found, expected, "{status}");
        }
    }
}
