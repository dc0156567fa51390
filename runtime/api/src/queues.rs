//! Twilio's `Queues` resource.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::QueueSid;
use serde_json::{Value, json};
use store::{NewQueue, QueueChange, QueueRow, Scope, StoreError, random_queue_sid, rfc2822};

use crate::ApiState;
use crate::conferences::json_name;
use crate::live_rooms::QueueView;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

/// Characters of a name (Twilio's bound).
const MAX_NAME: usize = 64;
/// How many may wait where nothing is said (Twilio's).
const DEFAULT_SIZE: u32 = 1_000;
/// How many may wait at most (Twilio's).
const MAX_SIZE: u32 = 5_000;

const LIST: Vocabulary = Vocabulary {
    supported: &["PageSize", "Page", "PageToken"],
    unsupported: &[],
};

const WRITE: Vocabulary = Vocabulary {
    supported: &["FriendlyName", "MaxSize"],
    unsupported: &[],
};

/// `POST /Queues.json`: a queue that nobody has waited at yet.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let parameters = Parameters::of_form(&headers, body, WRITE)?;
    let name = name(&parameters)?.ok_or_else(|| {
        Problem::bad_parameter("`FriendlyName` is required: what the queue is called")
    })?;
    let sid = random_queue_sid();
    let new = NewQueue {
        sid,
        name,
        max_size: max_size(&parameters)?.unwrap_or(DEFAULT_SIZE),
        created_unix_ms: (state.clock)(),
    };
    let row = state.store.begin_queue(scope, new).await.map_err(refused)?;
    if row.sid != sid {
        let name = row.name;
        let message = format!("There is a queue of the name {name:?} already: {}", row.sid);
        return Err(Problem::conflict(message));
    }
    Ok((StatusCode::CREATED, Json(show(&row, None))))
}

/// `GET /Queues.json`: the account's queues, newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<QueueSid>::read(&parameters)?;
    let page = state.store.queues(scope, request.from, request.size)?;
    let mut views = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let view = state.rooms.look_at_queue(row.account, row.name.clone());
        views.push(view.await);
    }
    let mut views = views.into_iter();
    let shown = |row: QueueRow| show(&row, views.next().flatten().as_ref());
    Ok(Json(request.answer("queues", uri.path(), &[], page, shown)))
}

/// `GET /Queues/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, queue)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let (row, view) = own(&state, scope, &queue, &uri).await?;
    Ok(Json(show(&row, view.as_ref())))
}

/// `POST /Queues/{Sid}.json`: another name, or room for more or fewer.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, queue)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let (row, view) = own(&state, scope, &queue, &uri).await?;
    let parameters = Parameters::of_form(&headers, body, WRITE)?;
    let change = QueueChange {
        name: name(&parameters)?,
        max_size: max_size(&parameters)?,
    };
    let is_renamed = change.name.as_ref().is_some_and(|name| *name != row.name);
    if is_renamed && view.is_some() {
        let message = "Calls are at the queue: it can have another name when they are gone";
        return Err(Problem::conflict(message));
    }
    let at = (state.clock)();
    let changed = state.store.change_queue(scope, row.sid, change, at).await;
    let row = changed
        .map_err(refused)?
        .ok_or_else(|| Problem::not_found(&uri))?;
    let rooms = &state.rooms;
    rooms.resize_queue(row.account, row.name.clone(), row.max_size);
    Ok(Json(show(&row, view.as_ref())))
}

/// `DELETE /Queues/{Sid}.json`, at which no call is.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, queue)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let (row, view) = own(&state, scope, &queue, &uri).await?;
    if view.is_some() {
        let message = "Calls are at the queue: it can be deleted when they are gone";
        return Err(Problem::conflict(message));
    }
    match state.store.delete_queue(scope, row.sid).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found(&uri)),
    }
}

fn name(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let name = parameters.get("FriendlyName");
    if name.is_some_and(|name| name.chars().count() > MAX_NAME) {
        let message = format!("`FriendlyName` must have at most {MAX_NAME} characters");
        return Err(Problem::bad_parameter(message));
    }
    Ok(name.map(str::to_owned))
}

fn max_size(parameters: &Parameters) -> Result<Option<u32>, Problem> {
    let Some(text) = parameters.get("MaxSize") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(size) if (1..=MAX_SIZE).contains(&size) => Ok(Some(size)),
        _ => Err(Problem::bad_parameter(format!(
            "`MaxSize` must be 1 to {MAX_SIZE}"
        ))),
    }
}

/// The store's own words are for the client here.
fn refused(error: StoreError) -> Problem {
    match error {
        StoreError::NotPossible(why) => Problem::conflict(why),
        other => other.into(),
    }
}

/// The account's queue of this SID, and who is at it; none where nobody is.
pub(crate) async fn own(
    state: &ApiState,
    scope: Scope,
    queue: &str,
    uri: &Uri,
) -> Result<(QueueRow, Option<QueueView>), Problem> {
    let sid = json_name(queue)
        .parse()
        .map_err(|_| Problem::not_found(uri))?;
    let row = state.store.queue(scope, sid)?;
    let row = row.ok_or_else(|| Problem::not_found(uri))?;
    let view = state.rooms.look_at_queue(row.account, row.name.clone());
    let view = view.await;
    Ok((row, view))
}

/// The properties of Twilio's `Queues` resource.
fn show(row: &QueueRow, view: Option<&QueueView>) -> Value {
    let path = format!("/2010-04-01/Accounts/{}/Queues/{}", row.account, row.sid);
    json!({
        "sid": row.sid,
        "account_sid": row.account,
        "friendly_name": row.name,
        "current_size": view.map_or(0, |view| view.members.len()),
        "average_wait_time": view.map_or(0, |view| view.average_wait_s),
        "max_size": row.max_size,
        "date_created": rfc2822(row.created_unix_ms),
        "date_updated": rfc2822(row.updated_unix_ms),
        "uri": format!("{path}.json"),
        "subresource_uris": {"members": format!("{path}/Members.json")},
    })
}
