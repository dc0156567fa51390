//! One attempt to tell a tenant's server something.

use std::collections::BTreeMap;

use call::{AccountSid, CallbackSubject, Exchange, HttpError, HttpRequest, HttpResponse};
use egress::OwnHeaders;
use serde_json::json;
use store::{Account, CallbackRow, FlowStart};
use url::form_urlencoded;

use crate::clock;
use crate::services::Services;
use crate::webhook::webhook;

/// In front of why a flow start failed whose request may have been heeded. `RapidPro` has no token by which it could tell a second one.
const MAYBE_STARTED: &str = "it may have started all the same: ";

/// How an attempt ended.
pub(super) struct Attempted {
    /// Whose it was, and of what; none where the row could not be read.
    pub(super) of: Option<(AccountSid, CallbackSubject)>,
    pub(super) result: Result<(), Failure>,
    /// What was sent and answered; none where nothing was sent.
    pub(super) exchange: Option<Exchange>,
}

/// Why an attempt failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: String,
    pub(super) may_try_again: bool,
    /// Nobody answered in time, or at all.
    pub(super) unanswered: bool,
}

/// Tries a row of the outbox once. None where it is not there any more.
pub(super) async fn attempt(services: &Services, id: u64) -> Option<Attempted> {
    let row = match services.store.callback(id) {
        Ok(row) => row?,
        Err(why) => {
            let failure = Failure {
                may_try_again: true,
                ..lost(&why.to_string())
            };
            return Some(Attempted {
                of: None,
                result: Err(failure),
                exchange: None,
            });
        }
    };
    let (result, exchange) = ask(services, &row).await;
    Some(Attempted {
        of: Some((row.account, row.subject)),
        result,
        exchange,
    })
}

/// Asks the tenant's server once.
async fn ask(services: &Services, row: &CallbackRow) -> (Result<(), Failure>, Option<Exchange>) {
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
    let result = judge(row, &answer);
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
        unanswered: false,
    }
}

fn form(row: &CallbackRow) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&row.parameters)
        .finish()
}

/// What an answer tells of what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heeded {
    Yes,
    /// Not now: nothing was done, and it may be asked again.
    NotNow,
    /// Perhaps; what was answered was lost, or the server broke over it.
    Perhaps,
    /// No, and it is no use to ask again.
    No,
}

fn heeded(answer: &Result<HttpResponse, HttpError>) -> Heeded {
    match answer {
        Ok(response) => match response.status {
            200..=299 => Heeded::Yes,
            408 | 425 | 429 | 503 => Heeded::NotNow,
            500.. => Heeded::Perhaps,
            _ => Heeded::No,
        },
        Err(HttpError::Unreachable(_)) => Heeded::NotNow,
        Err(HttpError::TimedOut(_) | HttpError::Protocol(_)) => Heeded::Perhaps,
        Err(_) => Heeded::No,
    }
}

/// Whether the server took it, and if not, whether it is asked again. A callback that it may have heeded is told again, with its token. A flow that
/// it may have started is asked for once more, and then never again.
fn judge(row: &CallbackRow, answer: &Result<HttpResponse, HttpError>) -> Result<(), Failure> {
    let heeded = heeded(answer);
    if heeded == Heeded::Yes {
        return Ok(());
    }
    let why = match answer {
        Ok(response) => format!("status {}", response.status),
        Err(error) => error.to_string(),
    };
    let unanswered = matches!(
        answer,
        Err(HttpError::TimedOut(_) | HttpError::Unreachable(_))
    );
    let is_start = row.start.is_some();
    let before = row.error.as_deref().unwrap_or_default();
    let was_perhaps = is_start && before.starts_with(MAYBE_STARTED);
    let is_perhaps = is_start && heeded == Heeded::Perhaps;
    Err(Failure {
        why: match was_perhaps || is_perhaps {
            true => format!("{MAYBE_STARTED}{why}"),
            false => why,
        },
        may_try_again: heeded != Heeded::No && !(was_perhaps && is_perhaps),
        unanswered,
    })
}

#[cfg(test)]
mod tests;
