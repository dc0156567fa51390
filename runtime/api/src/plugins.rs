//! Plugins over REST: not Twilio's. Uploads, which version runs calls, and what was done.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use store::{
    CarrierId, OPERATOR, Plugin, PluginChange, PluginLogLine, PluginOwner, Scope, StoreError,
    UploadedPlugin, VersionUsage,
};

use crate::parameters::{Parameters, Vocabulary};
use crate::plugin_resource::{show, show_event, show_line, show_version};
use crate::problem::Problem;
use crate::{ApiState, Done};

/// Events of a history that one answer has.
const HISTORY: usize = 200;

const PUSH: Vocabulary = Vocabulary {
    supported: &["Activate"],
    unsupported: &[],
};
const ACTIVATE: Vocabulary = Vocabulary {
    supported: &["Version"],
    unsupported: &[],
};
const CANARY: Vocabulary = Vocabulary {
    supported: &["Version", "Percent"],
    unsupported: &[],
};
const ROLLBACK: Vocabulary = Vocabulary {
    supported: &[],
    unsupported: &[],
};

/// What the running host does with plugins.
pub trait Plugins: Send + Sync {
    /// Looks a component over, compiles it, plays callers against it, and keeps it. Resolves once that is on disk, and in force where it
    /// becomes active. May take a minute.
    fn push(&self, upload: Upload) -> Done<Result<UploadedPlugin, PushError>>;

    /// What the versions of a plugin came to by their numbers; those without a call are missing.
    fn usage(&self, owner: &PluginOwner, name: &str) -> HashMap<u32, VersionUsage>;

    /// The last lines of a plugin's log, the oldest first.
    fn log(&self, owner: &PluginOwner, name: &str) -> Vec<PluginLogLine>;

    /// Changes which versions run calls. Resolves once that is on disk and in force.
    fn change(
        &self,
        owner: PluginOwner,
        name: String,
        change: PluginChange,
        who: String,
    ) -> Done<Result<Arc<Plugin>, PushError>>;
}

/// A component that somebody uploads.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Whose plugin it is a version of.
    pub owner: PluginOwner,
    /// The plugin's name.
    pub name: String,
    /// The component.
    pub bytes: Bytes,
    /// Whether new calls begin with it, if it broke for none of those callers.
    pub activate: bool,
    /// Who uploads it.
    pub by: String,
}

/// Why a component was not taken, or not made active.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// It cannot run here; says what to do.
    #[error("{0}")]
    Unfit(String),
    /// The store's reason.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who asks, and about whose plugins.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    owner: PluginOwner,
    who: String,
}

impl Asker {
    pub(crate) fn account(scope: Scope) -> Self {
        Self {
            owner: scope.into(),
            who: scope.account().to_string(),
        }
    }
}

/// The operator asks about a carrier's plugins: 404 where there is no such carrier.
pub(crate) async fn of_carrier(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.uri().path();
    let carrier = path
        .strip_prefix("/v1/Carriers/")
        .and_then(|rest| rest.split('/').next())
        .map(|id| CarrierId(id.to_owned()));
    let carrier = carrier.filter(|id| state.store.directory().carrier(id).is_some());
    let carrier = carrier.ok_or_else(|| Problem::not_found(request.uri()))?;
    request.extensions_mut().insert(Asker {
        owner: PluginOwner::Carrier(carrier),
        who: OPERATOR.to_owned(),
    });
    Ok(next.run(request).await)
}

/// `GET …/Plugins`: each with its versions and how it stands.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(asker): Extension<Asker>,
) -> Json<Value> {
    let directory = state.store.directory();
    let plugins: Vec<_> = directory
        .plugins_of(&asker.owner)
        .map(|plugin| shown(&state, plugin))
        .collect();
    Json(json!({ "plugins": plugins }))
}

/// `GET …/Plugins/{name}` and `GET …/Plugins/{name}/Versions`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(asker): Extension<Asker>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let directory = state.store.directory();
    let plugin = directory.plugin(&asker.owner, &name);
    let plugin = plugin.ok_or_else(|| Problem::not_found(&uri))?;
    Ok(Json(shown(&state, plugin)))
}

fn shown(state: &ApiState, plugin: &Plugin) -> Value {
    show(plugin, &state.plugins.usage(&plugin.owner, &plugin.name))
}

/// `POST …/Plugins/{name}/Versions`: the body is the component. With `Activate=false` it is kept and runs nothing yet. 201, or 200 where the
/// same bytes are a version already; 413 for more than 32 MiB.
pub(crate) async fn push(
    State(state): State<ApiState>,
    Extension(asker): Extension<Asker>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let parameters = Parameters::of_query(uri.query(), PUSH)?;
    let activate = match parameters.get("Activate") {
        None | Some("true") => true,
        Some("false") => false,
        Some(other) => {
            return Err(Problem::bad_parameter(format!(
                "`Activate={other}` is neither true nor false"
            )));
        }
    };
    check_name(&name)?;
    let bytes = body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::component_too_large(),
        _ => Problem::bad_parameter("The body could not be read"),
    })?;
    let upload = Upload {
        owner: asker.owner,
        name,
        bytes,
        activate,
        by: asker.who,
    };
    let pushed = state.plugins.push(upload).await;
    let pushed = pushed.map_err(|error| problem(error, &uri))?;
    let status = match pushed.is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    let unused = VersionUsage::default();
    let shown = show_version(&pushed.version, &pushed.standing, unused);
    Ok((status, Json(shown)))
}

/// `POST …/Activate` with `Version`: new calls begin with it.
pub(crate) async fn activate(
    State(state): State<ApiState>,
    Extension(asker): Extension<Asker>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_form(&headers, body, ACTIVATE)?;
    let version = number(&parameters, "Version")?;
    let change = PluginChange::Activate { version };
    make(&state, asker, name, change, &uri).await
}

/// `POST …/Canary` with `Version` and `Percent`: so many in a hundred new calls begin with it; 0 ends that.
pub(crate) async fn canary(
    State(state): State<ApiState>,
    Extension(asker): Extension<Asker>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_form(&headers, body, CANARY)?;
    let version = number(&parameters, "Version")?;
    let percent = number(&parameters, "Percent")?;
    let percent = u8::try_from(percent)
        .ok()
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| Problem::bad_parameter("`Percent` is a number from 0 to 100"))?;
    let change = PluginChange::Canary { version, percent };
    make(&state, asker, name, change, &uri).await
}

/// `POST …/Rollback`: ends the canary, or where there is none makes the last good version active again.
pub(crate) async fn rollback(
    State(state): State<ApiState>,
    Extension(asker): Extension<Asker>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    Parameters::of_form(&headers, body, ROLLBACK)?;
    let change = PluginChange::Rollback {
        from: None,
        why: String::new(),
    };
    make(&state, asker, name, change, &uri).await
}

/// `GET …/History`: what was done, the newest first.
pub(crate) async fn history(
    State(state): State<ApiState>,
    Extension(asker): Extension<Asker>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    if state
        .store
        .directory()
        .plugin(&asker.owner, &name)
        .is_none()
    {
        return Err(Problem::not_found(&uri));
    }
    let events = state
        .store
        .plugin_history(&asker.owner, &name, None, HISTORY)?;
    let events: Vec<_> = events.iter().map(show_event).collect();
    Ok(Json(json!({ "history": events })))
}

/// `GET …/Log`: the last lines of the log of all its versions, the oldest first.
pub(crate) async fn log(
    State(state): State<ApiState>,
    Extension(asker): Extension<Asker>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let directory = state.store.directory();
    if directory.plugin(&asker.owner, &name).is_none() {
        return Err(Problem::not_found(&uri));
    }
    let lines = state.plugins.log(&asker.owner, &name);
    let lines: Vec<_> = lines.iter().map(show_line).collect();
    Ok(Json(json!({ "log": lines })))
}

async fn make(
    state: &ApiState,
    asker: Asker,
    name: String,
    change: PluginChange,
    uri: &Uri,
) -> Result<Json<Value>, Problem> {
    let Asker { owner, who } = asker;
    let changed = state.plugins.change(owner, name, change, who).await;
    changed
        .map(|plugin| Json(shown(state, &plugin)))
        .map_err(|error| problem(error, uri))
}

fn problem(error: PushError, uri: &Uri) -> Problem {
    match error {
        PushError::Unfit(why) => Problem::bad_parameter(why),
        PushError::Store(StoreError::UnknownPlugin(_)) => Problem::not_found(uri),
        PushError::Store(
            error @ (StoreError::UnknownVersion(_)
            | StoreError::NotPossible(_)
            | StoreError::PluginsFull(_)),
        ) => Problem::conflict(error.to_string()),
        PushError::Store(error) => error.into(),
    }
}

fn number(parameters: &Parameters, name: &str) -> Result<u32, Problem> {
    let given = parameters.get(name).unwrap_or_default();
    given
        .parse()
        .map_err(|_| Problem::bad_parameter(format!("`{name}` is a number")))
}

fn check_name(name: &str) -> Result<(), Problem> {
    let fits = (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    match fits {
        true => Ok(()),
        false => Err(Problem::bad_parameter(
            "A plugin's name has 1 to 63 of a-z, 0-9 and -",
        )),
    }
}
