//! Audio that accounts have uploaded, as their own API has it: listed, kept and removed by the operator.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};
use store::Author;

use super::{Refused, account};
use crate::media::{keep_file, remove_file, show};
use crate::{ApiState, MediaError};

/// `GET /operator/v1/accounts/{sid}/media`: by their names.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let account = account(&state, &id)?;
    let files = state.media.list(account).await;
    let files = files.map_err(|error| refused(error.into()))?;
    let files: Vec<Value> = files.iter().map(show).collect();
    Ok(Json(json!({ "media": files })))
}

/// `PUT /operator/v1/accounts/{sid}/media/{name}`: the body is the audio. 201.
pub(crate) async fn keep(
    State(state): State<ApiState>,
    Extension(author): Extension<Author>,
    Path((id, name)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let account = account(&state, &id)?;
    let kept = keep_file(&state, account, author, name, body).await;
    let kept = kept.map_err(refused)?;
    Ok((StatusCode::CREATED, Json(show(&kept))))
}

/// `DELETE /operator/v1/accounts/{sid}/media/{name}`.
pub(crate) async fn remove(
    State(state): State<ApiState>,
    Extension(author): Extension<Author>,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, Refused> {
    let account = account(&state, &id)?;
    let removed = remove_file(&state, account, author, name).await;
    match removed.map_err(|error| refused(error.into()))? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refused::not_found()),
    }
}

/// Logs what is ours to know.
fn refused(error: MediaError) -> Refused {
    match error {
        MediaError::Unfit(why) => Refused::bad(why),
        MediaError::Io(error) => {
            tracing::error!(%error, "an account's media cannot be reached");
            let message = "the account's media cannot be reached: look into the log".to_owned();
            Refused(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }
}
