//! The outbound calls of an account that wait: how many they are, and that they wait on, go on, or are given up. Not at Twilio.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Uri};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use call::AccountSid;
use serde_json::{Map, Value, json};
use store::{Edit, Priority, Scope};

use crate::ApiState;
use crate::auth::Requester;
use crate::edit::edit;
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

const NOTHING: Vocabulary = Vocabulary {
    supported: &[],
    unsupported: &[],
};
const CANCEL: Vocabulary = Vocabulary {
    supported: &["Priority"],
    unsupported: &[],
};

pub(crate) fn routes() -> Router<ApiState> {
    let root = "/v1/Accounts/{account}/OutboundQueue";
    Router::new()
        .route(root, get(fetch))
        .route(&format!("{root}/Stop"), post(stop))
        .route(&format!("{root}/Resume"), post(resume))
        .route(&format!("{root}/Cancel"), post(cancel))
}

/// The queue as it is now.
pub(crate) fn shown(state: &ApiState, account: AccountSid) -> Value {
    let is_stopped = state.store.directory().is_queue_stopped(account);
    let waits = state.live.waits(account);
    let classes = waits.by_class().map(|(class, waits)| {
        let counts = json!({ "due": waits.due, "later": waits.later });
        (class.to_string(), counts)
    });
    json!({
        "account_sid": account.to_string(),
        "state": if is_stopped { "stopped" } else { "running" },
        "waiting": waits.total(),
        "by_priority": classes.collect::<Map<_, _>>(),
    })
}

async fn fetch(State(state): State<ApiState>, Extension(scope): Extension<Scope>) -> Json<Value> {
    Json(shown(&state, scope.account()))
}

async fn stop(
    state: State<ApiState>,
    scope: Extension<Scope>,
    requester: Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_form(&headers, body, NOTHING)?;
    set(state.0, scope.0, requester.0, &uri, &parameters, true).await
}

async fn resume(
    state: State<ApiState>,
    scope: Extension<Scope>,
    requester: Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_form(&headers, body, NOTHING)?;
    set(state.0, scope.0, requester.0, &uri, &parameters, false).await
}

async fn set(
    state: ApiState,
    scope: Scope,
    requester: Requester,
    uri: &Uri,
    parameters: &Parameters,
    is_stopped: bool,
) -> Result<Json<Value>, Problem> {
    let change = Edit::StopQueue(is_stopped);
    edit(&state, scope, &requester, change, parameters, uri).await?;
    state.live.directory_changed();
    Ok(Json(shown(&state, scope.account())))
}

/// Calls that are dialled already go on.
async fn cancel(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_form(&headers, body, CANCEL)?;
    let class: Option<Priority> = match parameters.get("Priority") {
        Some(text) => Some(
            text.parse()
                .map_err(|error| Problem::bad_parameter(format!("`Priority` {text:?}: {error}")))?,
        ),
        None => None,
    };
    edit(
        &state,
        scope,
        &requester,
        Edit::CancelQueue,
        &parameters,
        &uri,
    )
    .await?;
    let canceled = state.live.cancel_waiting(scope.account(), class).await;
    let mut queue = shown(&state, scope.account());
    queue["canceled"] = canceled.into();
    Ok(Json(queue))
}
