//! Twilio's `Recordings` resource of a conference.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::{ConferenceRecording, RecordingOf};
use serde_json::Value;
use store::Scope;

use crate::ApiState;
use crate::conferences::own;
use crate::page::ListPage;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::recording_order;
use crate::recording_resource::show;
use crate::recordings::{LIST_OF_ONE, UPDATE, answer_list, change_one, own_of, remove};

/// The parameters of `POST Participants` that say who is told of the recording of its conference.
const TELLING: [&str; 3] = [
    "ConferenceRecordingStatusCallback",
    "ConferenceRecordingStatusCallbackEvent",
    "ConferenceRecordingStatusCallbackMethod",
];

/// `GET /Conferences/{Sid}/Recordings.json`: the conference's own; those of the calls in it are the calls'.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let of = of(&state, scope, &conference, &uri)?;
    let parameters = Parameters::of_query(uri.query(), LIST_OF_ONE)?;
    answer_list(state, scope, &uri, &parameters, Some(of)).await
}

/// `GET /Conferences/{Sid}/Recordings/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference, name)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let of = of(&state, scope, &conference, &uri)?;
    let row = own_of(&state, scope, of, &name, &uri)?;
    Ok(Json(show(&row, &state.url_of(row.account))))
}

/// `POST /Conferences/{Sid}/Recordings/{Sid}.json`: pauses, resumes or stops it.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference, name)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let of = of(&state, scope, &conference, &uri)?;
    let parameters = || Parameters::of_form(&headers, body, UPDATE);
    change_one(&state, scope, of, &name, &uri, parameters).await
}

/// `DELETE /Conferences/{Sid}/Recordings/{Sid}.json`.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference, name)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let of = of(&state, scope, &conference, &uri)?;
    let row = own_of(&state, scope, of, &name, &uri)?;
    remove(&state, scope, &row, &uri).await
}

fn of(state: &ApiState, scope: Scope, sid: &str, uri: &Uri) -> Result<RecordingOf, Problem> {
    Ok(own(state, scope, sid, uri)?.sid.into())
}

/// How a conference is recorded that begins with a new participant; none where it is not.
pub(crate) fn wanted(parameters: &Parameters) -> Result<Option<ConferenceRecording>, Problem> {
    let wrong = |name: &str, known: &str| {
        Problem::bad_parameter(format!("`{name}` must be one of: {known}"))
    };
    let is_recorded = match parameters.get("ConferenceRecord") {
        Some("true" | "record-from-start") => true,
        None | Some("false" | "do-not-record") => false,
        Some(_) => {
            let known = "true, false, record-from-start, do-not-record";
            return Err(wrong("ConferenceRecord", known));
        }
    };
    let trim_silence = match parameters.get("ConferenceTrim") {
        None | Some("trim-silence") => true,
        Some("do-not-trim") => false,
        Some(_) => return Err(wrong("ConferenceTrim", "trim-silence, do-not-trim")),
    };
    let callback = recording_order::callback(parameters, &TELLING)?;
    if is_recorded {
        return Ok(Some(ConferenceRecording {
            trim_silence,
            callback,
        }));
    }
    let mut idle = ["ConferenceTrim"].into_iter().chain(TELLING);
    match idle.find(|name| parameters.get(name).is_some()) {
        Some(name) => Err(Problem::bad_parameter(format!(
            "`{name}` has no effect without `ConferenceRecord=record-from-start`"
        ))),
        None => Ok(None),
    }
}
