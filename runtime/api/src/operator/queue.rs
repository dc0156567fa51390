//! The outbound calls of an account that wait, as its own API has them: looked at, stopped and resumed by the operator.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::Value;
use store::{Author, Edit, Scope, StoreError};

use super::{Refused, account, refused};
use crate::{ApiState, outbound_queue};

/// `GET /operator/v1/accounts/{sid}/queue`: how many wait, by class.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let account = account(&state, &id)?;
    Ok(Json(outbound_queue::shown(&state, account)))
}

/// `POST /operator/v1/accounts/{sid}/queue/stop`: they wait until somebody resumes the queue.
pub(crate) async fn stop(
    state: State<ApiState>,
    author: Extension<Author>,
    id: Path<String>,
) -> Result<Json<Value>, Refused> {
    set(state.0, author.0, &id.0, true).await
}

/// `POST /operator/v1/accounts/{sid}/queue/resume`: they are dialled again.
pub(crate) async fn resume(
    state: State<ApiState>,
    author: Extension<Author>,
    id: Path<String>,
) -> Result<Json<Value>, Refused> {
    set(state.0, author.0, &id.0, false).await
}

async fn set(
    state: ApiState,
    author: Author,
    id: &str,
    is_stopped: bool,
) -> Result<Json<Value>, Refused> {
    let account = account(&state, id)?;
    let change = Edit::StopQueue(is_stopped);
    let edited = state.store.edit(Scope::of_host(account), change, author);
    edited.await.map_err(|error| match error {
        StoreError::NotThere => Refused::not_found(),
        StoreError::NotPossible(why) => Refused::bad(why),
        error => refused(&error),
    })?;
    state.live.directory_changed();
    Ok(Json(outbound_queue::shown(&state, account)))
}
