//! Audio of an account's own over REST: not Twilio's. What is uploaded can be played by name.

use std::io;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse as _;
use axum::routing::{get, put};
use axum::{Extension, Json, Router};
use call::{AccountSid, check_audio_name};
use serde_json::{Value, json};
use store::{Author, Edit, Scope};

use crate::auth::Requester;
use crate::date::iso8601;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::{ApiState, Done};

/// Bytes of a file.
pub const MAX_MEDIA_BYTES: usize = 10 << 20;
/// The most files of one account.
pub const MAX_MEDIA_FILES: usize = 200;

/// A file that an account has uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// By which it is played.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// When it was uploaded, in milliseconds since the Unix epoch.
    pub updated_unix_ms: u64,
}

/// Why a file was not kept.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// It cannot be played, or there are too many; says what to do.
    #[error("{0}")]
    Unfit(String),
    /// It could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Where accounts' files are. None of these blocks.
pub trait Media: Send + Sync {
    /// Keeps a file that can be played, in place of the one of that name. On disk when it resolves.
    fn keep(
        &self,
        account: AccountSid,
        name: String,
        bytes: Bytes,
    ) -> Done<Result<MediaFile, MediaError>>;

    /// All files that the account has uploaded, by their names.
    fn list(&self, account: AccountSid) -> Done<io::Result<Vec<MediaFile>>>;

    /// Removes a file; false if there is no such one.
    fn remove(&self, account: AccountSid, name: String) -> Done<io::Result<bool>>;

    /// Whether there is something to be played by this name: an uploaded file, or one of the account's media folder.
    fn is_there(&self, account: AccountSid, name: String) -> Done<bool>;
}

pub(crate) fn routes() -> Router<ApiState> {
    let root = "/v1/Accounts/{account}/Media";
    Router::new().route(root, get(list)).route(
        &format!("{root}/{{file}}"),
        put(keep)
            .layer(DefaultBodyLimit::max(MAX_MEDIA_BYTES))
            .delete(remove),
    )
}

/// `PUT …/Media/{name}`: the body is the audio, in any format that can be played. 201.
async fn keep(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((_, name)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let author = requester.author(&state, &Parameters::none());
    match keep_file(&state, scope.account(), author, name, body).await {
        Ok(file) => Ok((StatusCode::CREATED, Json(show(&file)))),
        Err(MediaError::Unfit(why)) => Err(Problem::bad_parameter(why)),
        Err(MediaError::Io(error)) => Err(failed(&error)),
    }
}

/// Keeps the audio of a request's body, and notes who brought it.
pub(crate) async fn keep_file(
    state: &ApiState,
    account: AccountSid,
    author: Author,
    name: String,
    body: Result<Bytes, BytesRejection>,
) -> Result<MediaFile, MediaError> {
    check_audio_name(&name).map_err(MediaError::Unfit)?;
    let bytes = body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => MediaError::Unfit(format!(
            "The file has more than {} MiB: make it mono, 8 kHz, or MP3",
            MAX_MEDIA_BYTES >> 20
        )),
        _ => MediaError::Unfit("The body could not be read".to_owned()),
    })?;
    // On a task of its own: a client that goes away leaves no half of a file.
    let state = state.clone();
    let keeping = tokio::spawn(async move {
        let kept = state.media.keep(account, name.clone(), bytes).await?;
        note(&state, account, author, Edit::NoteUploaded(name)).await?;
        Ok(kept)
    });
    keeping.await.expect("keeping does not panic")
}

/// Removes a file, and notes who did; false if there is no such one.
pub(crate) async fn remove_file(
    state: &ApiState,
    account: AccountSid,
    author: Author,
    name: String,
) -> io::Result<bool> {
    if check_audio_name(&name).is_err() {
        return Ok(false);
    }
    // On a task of its own: a client that goes away leaves none removed that nobody noted.
    let state = state.clone();
    let removing = tokio::spawn(async move {
        if !state.media.remove(account, name.clone()).await? {
            return Ok(false);
        }
        note(&state, account, author, Edit::NoteRemoved(name)).await?;
        Ok(true)
    });
    removing.await.expect("removing does not panic")
}

/// Into the audit log.
async fn note(state: &ApiState, account: AccountSid, author: Author, edit: Edit) -> io::Result<()> {
    let noted = state.store.edit(Scope::of_host(account), edit, author);
    noted.await.map(drop).map_err(io::Error::other)
}

/// `GET …/Media`: by their names.
async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
) -> Result<Json<Value>, Problem> {
    let files = state.media.list(scope.account()).await;
    let files = files.map_err(|error| failed(&error))?;
    let files: Vec<Value> = files.iter().map(show).collect();
    Ok(Json(json!({ "media": files })))
}

/// `DELETE …/Media/{name}`.
async fn remove(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let author = requester.author(&state, &Parameters::none());
    let is_gone = remove_file(&state, scope.account(), author, name).await;
    match is_gone.map_err(|error| failed(&error))? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found(&uri)),
    }
}

pub(crate) fn show(file: &MediaFile) -> Value {
    json!({
        "name": file.name,
        "bytes": file.bytes,
        "date_updated": iso8601(file.updated_unix_ms),
    })
}

fn failed(error: &io::Error) -> Problem {
    tracing::error!(%error, "an account's media cannot be reached");
    Problem::internal()
}
