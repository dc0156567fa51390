//! Over which trunks a call was tried, and what came of it. Not at Twilio.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use axum::{Extension, Json, Router};
use call::{CallRecord, CallStatus};
use serde_json::{Value, json};
use store::{CallEvent, CallEventKind, FailedAttempt, RoutedBy, Scope, TrunkId};

use crate::ApiState;
use crate::date::iso8601;
use crate::problem::Problem;

pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/v1/Accounts/{account}/Calls/{call}/Attempts", get(list))
}

async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let sid = call.parse().map_err(|_| Problem::not_found(&uri))?;
    let events = state.store.events(scope, sid)?;
    let events = events.ok_or_else(|| Problem::not_found(&uri))?;
    let attempts = read(&events)
        .into_iter()
        .map(|attempt| attempt.show(iso8601));
    let attempts: Vec<Value> = attempts.collect();
    Ok(Json(
        json!({ "call_sid": call, "account_sid": scope.account().to_string(), "attempts": attempts }),
    ))
}

/// One attempt, as far as it has come.
pub(crate) struct Attempt<'e> {
    pub(crate) trunk: &'e TrunkId,
    chosen: Option<Chosen<'e>>,
    /// None where no INVITE left.
    pub(crate) started_unix_ms: Option<u64>,
    end: Option<(u64, End<'e>)>,
}

/// Why it was this trunk.
#[derive(Clone, Copy)]
struct Chosen<'e> {
    /// The routing policy whose choice it was; none: that of the built-in order.
    by: Option<&'e RoutedBy>,
    because: &'e str,
}

enum End<'e> {
    /// Another trunk is tried.
    Failed(&'e FailedAttempt),
    /// It was the last.
    Over(&'e CallRecord),
}

/// The attempts that a call's events tell of, in order.
pub(crate) fn read(events: &[CallEvent]) -> Vec<Attempt<'_>> {
    let mut attempts: Vec<Attempt<'_>> = Vec::new();
    let mut routed = None;
    for event in events {
        let at = event.at_unix_ms;
        let open = attempts.last_mut().filter(|attempt| attempt.end.is_none());
        match (&event.kind, open) {
            (CallEventKind::Routed(by), open) => {
                // What a story dials is written down with its first attempt.
                if let Some(open) = open {
                    open.chosen = open.chosen.or_else(|| planned(by, open.trunk));
                }
                routed = Some(by);
            }
            (CallEventKind::Attempted(store::Attempt { leg, because }), _) => {
                attempts.push(Attempt {
                    trunk: &leg.trunk,
                    chosen: chosen(because.as_deref(), routed, &leg.trunk),
                    started_unix_ms: Some(at),
                    end: None,
                });
            }
            (CallEventKind::AttemptFailed(failed), Some(open)) => {
                open.end = Some((at, End::Failed(failed)));
            }
            (CallEventKind::AttemptFailed(failed), None) => attempts.push(Attempt {
                trunk: &failed.trunk,
                chosen: chosen(failed.because.as_deref(), routed, &failed.trunk),
                started_unix_ms: None,
                end: Some((at, End::Failed(failed))),
            }),
            (CallEventKind::Ended(record), Some(open)) => open.end = Some((at, End::Over(record))),
            _ => {}
        }
    }
    attempts
}

/// `because`: what the built-in order said; it said nothing where a policy chose.
fn chosen<'e>(
    because: Option<&'e str>,
    routed: Option<&'e RoutedBy>,
    trunk: &TrunkId,
) -> Option<Chosen<'e>> {
    match because {
        Some(because) => Some(Chosen { by: None, because }),
        None => planned(routed?, trunk),
    }
}

/// What a policy said of a trunk that it chose.
fn planned<'e>(by: &'e RoutedBy, trunk: &TrunkId) -> Option<Chosen<'e>> {
    let mut attempts = by.attempts.iter();
    let (_, because) = attempts.find(|(chosen, _)| chosen == trunk)?;
    Some(Chosen {
        by: Some(by),
        because,
    })
}

impl Attempt<'_> {
    /// When it began; its end where no INVITE left.
    pub(crate) fn at_unix_ms(&self) -> Option<u64> {
        let ended = self.end.as_ref().map(|(at, _)| *at);
        self.started_unix_ms.or(ended)
    }

    /// How it ended, as finely as it matters for the next one; none while it goes on.
    fn record(&self) -> Option<CallRecord> {
        Some(match &self.end.as_ref()?.1 {
            End::Over(record) => (*record).clone(),
            End::Failed(failed) => CallRecord {
                sip_status: failed.sip_status,
                ..CallRecord::new(CallStatus::Failed, &*failed.reason)
            },
        })
    }

    /// As JSON; `date` writes its times.
    pub(crate) fn show(&self, date: fn(u64) -> Option<String>) -> Value {
        let record = self.record();
        let policy = self.chosen.and_then(|chosen| chosen.by);
        let (result, sip_status, reason) = match &self.end {
            None => ("under-way".to_owned(), None, None),
            Some((_, End::Failed(failed))) => (
                "failed-over".to_owned(),
                failed.sip_status,
                Some(&failed.reason),
            ),
            Some((_, End::Over(record))) => (
                record.status.to_string(),
                record.sip_status,
                Some(&record.end_reason),
            ),
        };
        json!({
            "trunk": self.trunk.to_string(),
            "chosen_by": policy.map(|by| json!({ "plugin": by.plugin, "version": by.version })),
            "chosen_because": self.chosen.map(|chosen| chosen.because),
            "date_started": self.started_unix_ms.and_then(date),
            "date_ended": self.end.as_ref().and_then(|(at, _)| date(*at)),
            "result": result,
            "outcome": record.as_ref().map(CallRecord::outcome),
            "retry_after_s": record.and_then(|record| record.retry_after_s),
            "sip_status": sip_status,
            "reason": reason,
        })
    }
}
