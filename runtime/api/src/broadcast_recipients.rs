//! Who is to hear a broadcast, and what came of it: one by one, and as tables.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use call::BroadcastSid;
use serde_json::{Value, json};
use store::{
    Broadcast, BroadcastState, NewRecipient, Person, Recipient, RecipientState, Scope, StoreError,
};
use tokio::sync::mpsc;

use crate::ApiState;
use crate::broadcast_order::Audience;
use crate::broadcast_resource::show_recipient;
use crate::broadcasts::{add_all, existing, shown};
use crate::date::iso8601;
use crate::long_reads::LongReads;
use crate::parameters::{Parameters, Vocabulary};
use crate::people::{number, read};
use crate::people_csv::{MAX_BYTES, Rows, as_file, look_at, refused, table};
use crate::problem::Problem;

/// Recipients on a page that names no size.
const DEFAULT_SIZE: usize = 50;
/// Recipients on a page, at most.
const MAX_SIZE: usize = 1_000;
/// What a table of results says of each recipient.
const COLUMNS: [&str; 11] = [
    "number",
    "language",
    "state",
    "reason",
    "attempts",
    "outcome",
    "sip_status",
    "duration_s",
    "started",
    "ended",
    "call_sid",
];

pub(crate) const LIST: Vocabulary = Vocabulary {
    supported: &["State", "PageSize", "After"],
    unsupported: &[],
};

/// Below one broadcast.
pub(crate) fn routes(one: &str) -> Router<ApiState> {
    Router::new()
        .route(&format!("{one}/Recipients"), get(list))
        .route(&format!("{one}/Recipients/{{number}}"), get(fetch))
        .route(
            &format!("{one}/Recipients.csv"),
            post(import).layer(DefaultBodyLimit::max(MAX_BYTES)),
        )
        .route(&format!("{one}/Results.csv"), get(results))
}

/// Takes an audience into a draft. The broadcast as it then is; none where nobody is named.
pub(crate) async fn add(
    state: &ApiState,
    scope: Scope,
    sid: BroadcastSid,
    audience: Audience,
) -> Result<Option<Broadcast>, Problem> {
    let now = (state.clock)();
    let store = &*state.broadcasts;
    let mut row = add_all(store, scope, sid, audience.named.into_iter(), now).await?;
    let Some(filter) = audience.people else {
        return Ok(row);
    };
    let mut after = None;
    loop {
        let (people, filter) = (Arc::clone(&state.people), filter.clone());
        let page = read(move || people.people(scope, &filter, after.as_ref(), MAX_SIZE)).await?;
        let some = page.people.into_iter().map(|person: Person| NewRecipient {
            number: person.number,
            language: person.language,
            areas: person.areas,
            fields: person.fields,
        });
        row = add_all(store, scope, sid, some, now).await?.or(row);
        after = page.next;
        if after.is_none() {
            return Ok(row);
        }
    }
}

/// `POST …/Recipients.csv`: a table as that of people; everybody in it is to hear the draft, or where a row is wrong nobody new.
async fn import(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let before = existing(&state, scope, &sid, &uri)?;
    if before.state != BroadcastState::Draft {
        let state = before.state.as_str();
        return Err(Problem::conflict(format!(
            "the broadcast is {state}: only a draft can be changed"
        )));
    }
    let body = body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::bad_parameter(format!(
            "The file has more than {} MiB: send it in parts",
            MAX_BYTES >> 20
        )),
        _ => Problem::bad_parameter("The body could not be read"),
    })?;
    let looked_at = body.clone();
    let looked_at = tokio::task::spawn_blocking(move || look_at(&looked_at));
    let (rows, bad, count) = looked_at.await.expect("looking does not panic")?;
    if count > 0 {
        return Err(refused(rows, bad, count));
    }
    let host = state.clone();
    // On a task of its own: a client that goes away does not leave half of them.
    let now = (state.clock)();
    let adding = tokio::spawn(async move {
        let rows = Rows::of(&body).map_err(Problem::bad_parameter)?;
        let rows = rows.flatten().map(|person| NewRecipient {
            number: person.number,
            language: person.language.filter(|language| !language.is_empty()),
            areas: person.areas.unwrap_or_default(),
            fields: person
                .fields
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        });
        add_all(&*state.broadcasts, scope, before.sid, rows, now)
            .await
            .map(|row| row.unwrap_or(before))
    });
    let row = adding.await.expect("adding does not panic")?;
    Ok(Json(shown(&host, &row)))
}

/// `GET …/Recipients`: by their numbers, all or those who stand so.
async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let broadcast = existing(&state, scope, &sid, &uri)?.sid;
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let standing = match parameters.get("State") {
        None => None,
        Some(word) => Some(word.parse().map_err(|()| {
            Problem::bad_parameter(
                "`State` is `waiting`, `calling`, `judged`, `reached` or `given-up`",
            )
        })?),
    };
    let size = match parameters.get("PageSize").map(str::parse) {
        None => DEFAULT_SIZE,
        Some(Ok(size)) if (1..=MAX_SIZE).contains(&size) => size,
        Some(_) => {
            let message = format!("`PageSize` must be 1 to {MAX_SIZE}");
            return Err(Problem::bad_parameter(message));
        }
    };
    let after = parameters.get("After").map(number).transpose()?;
    let store = Arc::clone(&state.broadcasts);
    let page =
        read(move || store.recipients(scope, broadcast, standing, after.as_ref(), size)).await?;
    let page = page.ok_or_else(|| Problem::not_found(&uri))?;
    let next = page.next.map(|next| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters.pairs().filter(|(name, _)| *name != "After"));
        query.append_pair("After", next.as_str());
        format!("{}?{}", uri.path(), query.finish())
    });
    let shown: Vec<Value> = page.recipients.iter().map(show_recipient).collect();
    Ok(Json(json!({ "recipients": shown, "next_page_uri": next })))
}

/// `GET …/Recipients/{number}`.
async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid, text)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let broadcast = existing(&state, scope, &sid, &uri)?.sid;
    let found = match number(&text) {
        Ok(number) => state.broadcasts.recipient(scope, broadcast, &number)?,
        Err(_) => None,
    };
    let found = found.ok_or_else(|| Problem::not_found(&uri))?;
    Ok(Json(show_recipient(&found)))
}

/// `GET …/Results.csv`: a line for each recipient, with their last call.
async fn results(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(reads): Extension<Arc<LongReads>>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let broadcast = existing(&state, scope, &sid, &uri)?.sid;
    let store = Arc::clone(&state.broadcasts);
    let reading = reads.begin(state.payer(scope.account()))?;
    let (pieces, out) = mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    tokio::task::spawn_blocking(move || {
        let _reading = reading;
        let mut piece = table([COLUMNS.map(str::to_owned).to_vec()]);
        let mut after = None;
        loop {
            let page = store.recipients(scope, broadcast, None, after.as_ref(), MAX_SIZE);
            let page = page.and_then(|page| page.ok_or(StoreError::NotThere));
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    // The client sees the answer break off.
                    let _ = pieces.blocking_send(Err(std::io::Error::other(error)));
                    return;
                }
            };
            piece.extend(table(page.recipients.iter().map(cells)));
            let is_heard = pieces.blocking_send(Ok(std::mem::take(&mut piece).into()));
            after = page.next;
            if is_heard.is_err() || after.is_none() {
                return;
            }
        }
    });
    Ok(as_file(&format!("{broadcast}.csv"), out))
}

fn cells(recipient: &Recipient) -> Vec<String> {
    let last = recipient.attempts.last();
    let of_last = |cell: fn(&store::RecipientAttempt) -> String| last.map(cell).unwrap_or_default();
    let reason = match &recipient.state {
        RecipientState::GivenUp(reason) => reason.as_str(),
        _ => "",
    };
    vec![
        recipient.number.to_string(),
        recipient.language.clone().unwrap_or_default(),
        recipient.state.as_str().to_owned(),
        reason.to_owned(),
        recipient.attempts.len().to_string(),
        of_last(|last| last.outcome.to_string()),
        of_last(|last| {
            let code = last.record.sip_status;
            code.map(|code| code.to_string()).unwrap_or_default()
        }),
        of_last(|last| last.record.duration_s.to_string()),
        of_last(|last| iso8601(last.started_unix_ms).unwrap_or_default()),
        of_last(|last| iso8601(last.ended_unix_ms).unwrap_or_default()),
        of_last(|last| last.call.to_string()),
    ]
}
