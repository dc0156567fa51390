//! Who changed what.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use store::AuditEntry;

use super::{Refused, refused};
use crate::ApiState;
use crate::date::iso8601;

/// Entries of one answer.
const PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

/// Which part of the log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    before: Option<u64>,
    limit: Option<usize>,
}

/// `GET /operator/v1/audit?before=ID&limit=N`, the newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let Query(query) = query.map_err(|rejection| Refused::bad(rejection.body_text()))?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Refused::bad(format!("`limit` is 1 to {MAX_PAGE}")));
    }
    let entries = state.store.audit(query.before, limit);
    let entries = entries.map_err(|error| refused(&error))?;
    let next = entries.last().filter(|_| entries.len() == limit);
    Ok(Json(json!({
        "next": next.map(|last| last.id),
        "audit": entries.iter().map(show).collect::<Vec<_>>(),
    })))
}

fn show(entry: &AuditEntry) -> Value {
    json!({
        "id": entry.id,
        "at": iso8601(entry.at_unix_ms),
        "who": entry.who,
        "source": entry.source,
        "deed": entry.deed,
        "thing": entry.thing,
        "fields": entry.fields,
    })
}
