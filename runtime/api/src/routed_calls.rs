//! The calls of an account that trunks carried, as a routing policy can be asked about them again: who reads the list page by page knows what the
//! account's calls held when each of them was dialled. Not at Twilio.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Extension, Json, Router};
use call::{CallRecord, CallSid, Direction};
use serde_json::{Value, json};
use store::broadcast::REFUSED_BY_POLICY;
use store::{
    AccountStore, CallFilter, CallRow, Directory, Page, PhoneNumber, Scope, StoreError, TrunkId,
};

use crate::ApiState;
use crate::attempts;
use crate::date::iso8601_ms;
use crate::long_reads::LongReads;
use crate::page::PageRequest;
use crate::parameters::{Parameters, Vocabulary};
use crate::people::{read, unix_ms};
use crate::problem::Problem;

pub(crate) const LIST: Vocabulary = Vocabulary {
    supported: &["Since", "PageSize", "Page", "PageToken"],
    unsupported: &[],
};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/v1/Accounts/{account}/RoutedCalls", get(list))
}

/// `GET …/RoutedCalls`: the newest first, with the trunks that they may go over now, and the numbers that the account may show.
async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(reads): Extension<Arc<LongReads>>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let since = parameters.get("Since");
    let created_from_unix_ms = since.map(|text| {
        unix_ms(text).ok_or_else(|| {
            Problem::bad_parameter("`Since` is a time such as `2026-05-01T00:00:00Z`")
        })
    });
    let filter = CallFilter {
        created_from_unix_ms: created_from_unix_ms.transpose()?,
        ..CallFilter::default()
    };
    let request = PageRequest::<CallSid>::read(&parameters)?;
    let (store, directory) = (Arc::clone(&state.store), state.store.directory());
    let (from, size) = (request.from, request.size);
    let reading = reads.begin(state.payer(scope.account()))?;
    let (page, trunks, callers) = read(move || {
        let _reading = reading;
        let page = store.calls(scope, &filter, from, size)?;
        let mut trunks = BTreeMap::new();
        let mut rows = Vec::new();
        for row in &page.rows {
            rows.extend(routed(&*store, scope, &directory, row, &mut trunks)?);
        }
        let page = Page {
            rows,
            next: page.next,
        };
        Ok((page, trunks, callers(&directory, scope)))
    })
    .await?;
    let filters: Vec<(&str, &str)> = since.map(|since| ("Since", since)).into_iter().collect();
    let mut answer = json!(request.answer("calls", uri.path(), &filters, page, |row| row));
    answer["trunks"] = json!(trunks);
    answer["callers"] = callers.into();
    Ok(Json(answer))
}

/// The numbers that the account may show as the caller.
fn callers(directory: &Directory, scope: Scope) -> Vec<String> {
    let account = scope.account();
    let own = directory.numbers(account).map(|one| one.number.to_string());
    let others = directory.caller_ids(account);
    own.chain(others.map(|one| one.number.to_string()))
        .collect()
}

/// A call that a trunk carried, or that a routing policy refused; none of any other. What it may go over now is put into `trunks`.
fn routed(
    store: &dyn AccountStore,
    scope: Scope,
    directory: &Directory,
    row: &CallRow,
    trunks: &mut BTreeMap<String, Value>,
) -> Result<Option<Value>, StoreError> {
    // What a story dials has somebody on the line and did not wait: it is part of what the trunks held, and not asked about again.
    let waited = row.direction == Direction::OutboundApi && row.parent.is_none();
    let refusal = row.record.as_ref().and_then(CallRecord::host_reason);
    let refusal = refusal.filter(|reason| waited && reason.starts_with(REFUSED_BY_POLICY));
    let mut asked_unix_ms = row.ended_unix_ms.filter(|_| refusal.is_some());
    let attempts: Vec<Value> = match row.direction {
        Direction::Inbound => (row.leg.iter())
            .map(|leg| {
                json!({
                    "trunk": leg.trunk.to_string(),
                    "date_started": row.started_unix_ms.and_then(iso8601_ms),
                    "date_ended": row.ended_unix_ms.and_then(iso8601_ms),
                })
            })
            .collect(),
        _ => {
            let events = store.events(scope, row.sid)?.unwrap_or_default();
            let attempts = attempts::read(&events);
            let first = attempts.first().and_then(|first| first.at_unix_ms());
            asked_unix_ms = first.filter(|_| waited).or(asked_unix_ms);
            attempts
                .iter()
                .map(|attempt| attempt.show(iso8601_ms))
                .collect()
        }
    };
    if attempts.is_empty() && refusal.is_none() {
        return Ok(None);
    }
    let serving = match asked_unix_ms {
        Some(_) => dial::serving(directory, row.account, &row.from, &row.to),
        None => Ok(Vec::new()),
    };
    let (serving, obstacle) = match serving {
        Ok(serving) => (serving, None),
        Err(why) => (Vec::new(), Some(why.to_string())),
    };
    let carried = row.leg.as_ref().map(|leg| &leg.trunk);
    for trunk in serving.iter().chain(carried) {
        if !trunks.contains_key(&trunk.0) {
            trunks.extend(limits(directory, trunk).map(|limits| (trunk.0.clone(), limits)));
        }
    }
    let number = row.to.parse::<PhoneNumber>().ok();
    let operator = number.and_then(|number| directory.operator(&number).cloned());
    Ok(Some(json!({
        "call_sid": row.sid.to_string(),
        "direction": match row.direction {
            Direction::Inbound => "inbound",
            _ => "outbound",
        },
        "from": row.from,
        "to": row.to,
        "operator": operator.map(|operator| json!({
            "country": operator.id.country.to_string(),
            "name": operator.id.name,
        })),
        "priority": row.orders.queue.priority.as_str(),
        "reason": row.orders.reason,
        "date_asked": asked_unix_ms.and_then(iso8601_ms),
        "refused": refusal,
        "trunks": serving.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "obstacle": obstacle,
        "attempts": attempts,
    })))
}

/// What a trunk serves and carries, as it is configured now.
fn limits(directory: &Directory, trunk: &TrunkId) -> Option<Value> {
    let trunk = directory.trunk(trunk)?;
    let parts: BTreeMap<_, _> = trunk.channels_by_prefix.iter().collect();
    Some(json!({
        "prefixes": trunk.prefixes,
        "max_channels": trunk.max_channels,
        "channels_by_prefix": parts,
    }))
}
