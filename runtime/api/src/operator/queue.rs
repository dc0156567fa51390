//! The outbound calls of an account that wait, as its own API has them: looked at, stopped, resumed and given up by the operator.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use call::AccountSid;
use serde::Deserialize;
use serde_json::Value;
use store::{Author, Edit, Priority, Scope, StoreError};

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

/// Which calls are given up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelQuery {
    /// Those of this class alone.
    priority: Option<String>,
}

/// `POST /operator/v1/accounts/{sid}/queue/cancel?priority=bulk`: those that wait end as canceled.
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    Extension(author): Extension<Author>,
    Path(id): Path<String>,
    query: Result<Query<CancelQuery>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let account = account(&state, &id)?;
    let Query(query) = query.map_err(|rejection| Refused::bad(rejection.body_text()))?;
    let class = query.priority.map(|text| {
        let class = text.parse::<Priority>();
        class.map_err(|error| Refused::bad(format!("`priority` {text:?}: {error}")))
    });
    let class = class.transpose()?;
    let author = Author {
        fields: class.map(|_| "priority".to_owned()).into_iter().collect(),
        ..author
    };
    edit(&state, account, Edit::CancelQueue, author).await?;
    let canceled = state.live.cancel_waiting(account, class).await;
    let mut queue = outbound_queue::shown(&state, account);
    queue["canceled"] = canceled.into();
    Ok(Json(queue))
}

async fn set(
    state: ApiState,
    author: Author,
    id: &str,
    is_stopped: bool,
) -> Result<Json<Value>, Refused> {
    let account = account(&state, id)?;
    edit(&state, account, Edit::StopQueue(is_stopped), author).await?;
    state.live.directory_changed();
    Ok(Json(outbound_queue::shown(&state, account)))
}

async fn edit(
    state: &ApiState,
    account: AccountSid,
    change: Edit,
    author: Author,
) -> Result<(), Refused> {
    let edited = state.store.edit(Scope::of_host(account), change, author);
    let edited = edited.await.map_err(|error| match error {
        StoreError::NotThere => Refused::not_found(),
        StoreError::NotPossible(why) => Refused::bad(why),
        error => refused(&error),
    });
    edited.map(drop)
}
