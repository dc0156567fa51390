//! Broadcasts over REST: not Twilio's. One message to many: drafted, started, paused, watched.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use call::{AccountSid, BroadcastSid};
use serde_json::{Value, json};
use store::{
    Broadcast, BroadcastOrder, BroadcastStore, Message, NewBroadcast, NewRecipient, Scope,
    StoreError, random_broadcast_sid,
};

use crate::broadcast_order::{Draft, read};
use crate::broadcast_resource::show;
use crate::page::PageRequest;
use crate::parameters::{Parameters, Vocabulary};
use crate::people::of_json;
use crate::problem::Problem;
use crate::{ApiState, broadcast_recipients, broadcast_statistics};

pub(crate) const LIST: Vocabulary = Vocabulary {
    supported: &["PageSize", "Page", "PageToken"],
    unsupported: &[],
};

/// What the running host does with broadcasts.
pub trait LiveBroadcasts: Send + Sync {
    /// A broadcast was started, paused, resumed, stopped or deleted, and that is on disk.
    fn broadcasts_changed(&self);

    /// The plugin that says when an account's broadcasts call again, where it has one.
    fn retry_strategy(&self, account: AccountSid) -> Option<String>;
}

pub(crate) fn routes() -> Router<ApiState> {
    let root = "/v1/Accounts/{account}/Broadcasts";
    let one = format!("{root}/{{broadcast}}");
    Router::new()
        .route(root, post(create).get(list))
        .route(&one, get(fetch).patch(update).delete(remove))
        .route(&format!("{one}/Start"), post(start))
        .route(&format!("{one}/Pause"), post(pause))
        .route(&format!("{one}/Resume"), post(resume))
        .route(&format!("{one}/Stop"), post(stop))
        .merge(broadcast_recipients::routes(&one))
        .merge(broadcast_statistics::routes(&one))
}

/// `POST …/Broadcasts`: a draft, with the recipients that the body names. 201 once all of it is on disk.
async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let draft: Draft = of_json(body)?;
    let now = (state.clock)();
    let sid = random_broadcast_sid();
    let mut order = read(&state, scope, sid, draft, now)?;
    let missing = |name: &str| Problem::bad_parameter(format!("`{name}` is required"));
    let new = NewBroadcast {
        sid,
        name: order.change.name.take().ok_or_else(|| missing("name"))?,
        from: order.change.from.take().ok_or_else(|| missing("from"))?,
        message: order
            .change
            .message
            .take()
            .ok_or_else(|| missing("message"))?,
        rules: order.change.rules.take().unwrap_or_default(),
        flow_start: order.change.flow_start.take().flatten(),
        created_unix_ms: now,
    };
    let host = state.clone();
    // On a task of its own: a client that goes away does not leave half of it.
    let keeping = tokio::spawn(async move {
        let row = state.broadcasts.create_broadcast(scope, new).await;
        let row = row.map_err(problem)?;
        let added = broadcast_recipients::add(&state, scope, row.sid, order.audience).await?;
        Ok::<Broadcast, Problem>(added.unwrap_or(row))
    });
    let row = keeping.await.expect("keeping does not panic")?;
    Ok((StatusCode::CREATED, Json(shown(&host, &row))))
}

/// `PATCH …/Broadcasts/{sid}`: changes what the body names of a draft; recipients that it names are added.
async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let before = existing(&state, scope, &sid, &uri)?;
    let draft: Draft = of_json(body)?;
    let now = (state.clock)();
    let order = read(&state, scope, before.sid, draft.over(&before.rules), now)?;
    let changed = state
        .broadcasts
        .change_broadcast(scope, before.sid, order.change, now)
        .await
        .map_err(problem)?;
    let changed = changed.ok_or_else(|| Problem::not_found(&uri))?;
    let added = broadcast_recipients::add(&state, scope, before.sid, order.audience).await?;
    Ok(Json(shown(&state, &added.unwrap_or(changed))))
}

/// `GET …/Broadcasts`: the newest first.
async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<BroadcastSid>::read(&parameters)?;
    let page = state
        .broadcasts
        .broadcasts(scope, request.from, request.size)?;
    let answer = request.answer("broadcasts", uri.path(), &[], page, |row| {
        shown(&state, &row)
    });
    Ok(Json(json!(answer)))
}

/// `GET …/Broadcasts/{sid}`: with what came of it so far.
async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let row = existing(&state, scope, &sid, &uri)?;
    Ok(Json(shown(&state, &row)))
}

/// `DELETE …/Broadcasts/{sid}`: of a draft, or of one that is over. 204 once it is forgotten.
async fn remove(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let sid = existing(&state, scope, &sid, &uri)?.sid;
    let deleted = state.broadcasts.delete_broadcast(scope, sid).await;
    state.live_broadcasts.broadcasts_changed();
    match deleted.map_err(problem)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found(&uri)),
    }
}

/// `POST …/Start`: people are called.
async fn start(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    order(&state, scope, &sid, BroadcastOrder::Start, &uri).await
}

/// `POST …/Pause`: nobody is called for now; calls that are up go on.
async fn pause(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    order(&state, scope, &sid, BroadcastOrder::Pause, &uri).await
}

/// `POST …/Resume`: it goes on where it was.
async fn resume(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    order(&state, scope, &sid, BroadcastOrder::Resume, &uri).await
}

/// `POST …/Stop`: nobody is called any more; calls that are up go on.
async fn stop(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    order(&state, scope, &sid, BroadcastOrder::Stop, &uri).await
}

async fn order(
    state: &ApiState,
    scope: Scope,
    sid: &str,
    order: BroadcastOrder,
    uri: &Uri,
) -> Result<Json<Value>, Problem> {
    let before = existing(state, scope, sid, uri)?;
    if order == BroadcastOrder::Start {
        crate::broadcast_order::check_caller(state, scope, &before.from)?;
        check_files(state, scope, &before.message).await?;
    }
    let now = (state.clock)();
    let (store, live) = (
        Arc::clone(&state.broadcasts),
        Arc::clone(&state.live_broadcasts),
    );
    // On a task of its own: what is on disk is told to the host whether the client waits or not.
    let ordering = tokio::spawn(async move {
        let ordered = store.order_broadcast(scope, before.sid, order, now).await;
        live.broadcasts_changed();
        ordered
    });
    let ordered = ordering.await.expect("ordering does not panic");
    let ordered = ordered.map_err(problem)?;
    let row = ordered.ok_or_else(|| Problem::not_found(uri))?;
    Ok(Json(shown(state, &row)))
}

/// Every file of a message is there.
async fn check_files(state: &ApiState, scope: Scope, message: &Message) -> Result<(), Problem> {
    let Message::Audio { files, fallback } = message else {
        return Ok(());
    };
    for name in files.values().chain(fallback) {
        if !state.media.is_there(scope.account(), name.clone()).await {
            return Err(Problem::conflict(format!(
                "there is no file `{name}` to be played: upload it (`jackfield media push`)"
            )));
        }
    }
    Ok(())
}

/// A broadcast as it stands now.
pub(crate) fn shown(state: &ApiState, row: &Broadcast) -> Value {
    let strategy = state.live_broadcasts.retry_strategy(row.account);
    show(row, strategy.as_deref(), (state.clock)())
}

/// The broadcast that a path names, of this account.
pub(crate) fn existing(
    state: &ApiState,
    scope: Scope,
    sid: &str,
    uri: &Uri,
) -> Result<Broadcast, Problem> {
    let found = match sid.parse() {
        Ok(sid) => state.broadcasts.broadcast(scope, sid)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Problem::not_found(uri))
}

/// What a broadcast's state does not allow is a conflict.
pub(crate) fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotPossible(why) => Problem::conflict(why),
        other => other.into(),
    }
}

/// Writes recipients a thousand at a time.
pub(crate) async fn add_all(
    store: &dyn BroadcastStore,
    scope: Scope,
    sid: BroadcastSid,
    mut recipients: impl Iterator<Item = NewRecipient>,
    now_unix_ms: u64,
) -> Result<Option<Broadcast>, Problem> {
    let mut row = None;
    loop {
        let some: Vec<_> = recipients
            .by_ref()
            .take(store::broadcast::MAX_WRITTEN_AT_ONCE)
            .collect();
        if some.is_empty() {
            return Ok(row);
        }
        let added = store.add_recipients(scope, sid, some, now_unix_ms).await;
        row = added.map_err(problem)?;
    }
}
