//! Callbacks that nobody tries any more: not Twilio's, but its applications need it.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::{Extension, Json};
use serde::Serialize;
use store::{CallbackRow, Scope, rfc2822};

use crate::ApiState;
use crate::events::shown_url;
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

/// Rows on a page.
const PAGE: usize = 100;

const LIST: Vocabulary = Vocabulary {
    supported: &["After"],
    unsupported: &[],
};

/// One callback that was given up.
#[derive(Debug, Serialize)]
pub(crate) struct Undelivered {
    id: u64,
    call_sid: Option<String>,
    conference_sid: Option<String>,
    recording_sid: Option<String>,
    stream_sid: Option<String>,
    event: String,
    sequence_number: u32,
    url: String,
    method: &'static str,
    attempts: u32,
    /// Why the last attempt failed.
    error: Option<String>,
    date_created: Option<String>,
}

/// At most a hundred, oldest first.
#[derive(Debug, Serialize)]
pub(crate) struct UndeliveredPage {
    callbacks: Vec<Undelivered>,
    /// Where the next page is; null on the last one.
    next_page_uri: Option<String>,
}

impl From<CallbackRow> for Undelivered {
    fn from(row: CallbackRow) -> Self {
        Self {
            id: row.id,
            call_sid: row.parameter("CallSid").map(str::to_owned),
            conference_sid: row.parameter("ConferenceSid").map(str::to_owned),
            recording_sid: row.parameter("RecordingSid").map(str::to_owned),
            stream_sid: row.parameter("StreamSid").map(str::to_owned),
            event: row.event,
            sequence_number: row.sequence,
            url: shown_url(&row.to.url),
            method: row.to.method.as_str(),
            attempts: row.attempts,
            error: row.error,
            date_created: rfc2822(row.created_unix_ms),
        }
    }
}

/// `GET /UndeliveredCallbacks.json`.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<UndeliveredPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let after = match parameters.get("After") {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Problem::bad_parameter("`After` must be the id of a callback"))?,
    };
    let rows = state.store.undelivered(scope, after, PAGE + 1)?;
    let next_page_uri = rows
        .get(PAGE)
        .and(rows.get(PAGE - 1))
        .map(|last| format!("{}?After={}", uri.path(), last.id));
    let callbacks = rows.into_iter().take(PAGE).map(Undelivered::from);
    Ok(Json(UndeliveredPage {
        callbacks: callbacks.collect(),
        next_page_uri,
    }))
}

/// `POST /UndeliveredCallbacks/{id}.json`: it is tried again, under a new id, as if it had just been written.
///
/// 404 for one that is not the account's, or that was not given up.
pub(crate) async fn redeliver(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, callback)): Path<(String, String)>,
    uri: Uri,
) -> Result<(StatusCode, Json<Undelivered>), Problem> {
    let id = callback
        .strip_suffix(".json")
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Problem::not_found(&uri))?;
    let row = state.store.redeliver(scope, id, (state.clock)()).await?;
    let row = row.ok_or_else(|| Problem::not_found(&uri))?;
    state.live.callbacks_wait();
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}
