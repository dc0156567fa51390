//! Twilio's `Recordings` resource, of an account and of a call, and the files.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use call::{
    CallSid, CallStatus, ConferenceSid, PauseBehavior, RecordingChannels, RecordingOf,
    RecordingSid, RecordingSource,
};
use futures_util::StreamExt as _;
use serde_json::Value;
use store::{RecordingFilter, RecordingRow, Scope, StoreError};

use crate::ApiState;
use crate::calls;
use crate::live_recordings::{RecordingChange, RecordingError, RecordingFormat};
use crate::long_reads::{LongRead, Mp3Reads};
use crate::one_channel::OneChannel;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;
use crate::recording_order;
use crate::recording_resource::show;
use crate::time_span;

/// In a path, the latest recording of the call.
const CURRENT: &str = "Twilio.CURRENT";
/// How long a download counts as one at most: as long as the server keeps what a client has not taken.
const LONGEST_MP3: Duration = Duration::from_mins(10);
/// Says what the file is: `wav` or `mp3`.
const FORMAT_HEADER: &str = "x-recording-format";

const LIST: Vocabulary = Vocabulary {
    supported: &[
        "CallSid",
        "ConferenceSid",
        "DateCreated",
        "DateCreated<",
        "DateCreated>",
        "IncludeSoftDeleted",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &[],
};

const FETCH: Vocabulary = Vocabulary {
    supported: &["IncludeSoftDeleted"],
    unsupported: &[],
};

/// Of the recordings of one call or conference.
pub(crate) const LIST_OF_ONE: Vocabulary = Vocabulary {
    supported: &[
        "DateCreated",
        "DateCreated<",
        "DateCreated>",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &[],
};

const START: Vocabulary = Vocabulary {
    supported: &recording_order::NAMES,
    unsupported: &["RecordingConfigurationId"],
};

pub(crate) const UPDATE: Vocabulary = Vocabulary {
    supported: &["Status", "PauseBehavior"],
    unsupported: &[],
};

/// `GET /Recordings.json`: the account's recordings, newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    check_deleted(&parameters)?;
    let wrong = |name, error| Problem::bad_parameter(format!("`{name}`: {error}"));
    let call = parameters.get("CallSid").map(str::parse::<CallSid>);
    let call = call.transpose().map_err(|error| wrong("CallSid", error))?;
    let conference = parameters.get("ConferenceSid");
    let conference = conference.map(str::parse::<ConferenceSid>).transpose();
    let conference = conference.map_err(|error| wrong("ConferenceSid", error))?;
    let of = match (call, conference) {
        (Some(_), Some(_)) => {
            let message = "`CallSid` and `ConferenceSid` exclude each other: a recording is of one";
            return Err(Problem::bad_parameter(message));
        }
        (call, conference) => call.map(Into::into).or(conference.map(Into::into)),
    };
    answer_list(state, scope, &uri, &parameters, of).await
}

/// `GET /Calls/{Sid}/Recordings.json`: those of one call.
pub(crate) async fn list_of_call(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST_OF_ONE)?;
    let call = calls::named(&state, scope, &call, &uri)?;
    answer_list(state, scope, &uri, &parameters, Some(call.sid.into())).await
}

pub(crate) async fn answer_list(
    state: ApiState,
    scope: Scope,
    uri: &Uri,
    parameters: &Parameters,
    of: Option<RecordingOf>,
) -> Result<Json<ListPage>, Problem> {
    let request = PageRequest::<RecordingSid>::read(parameters)?;
    let created = time_span::read(parameters, "DateCreated")?;
    let filter = RecordingFilter {
        of,
        created_from_unix_ms: created.from_unix_ms,
        created_before_unix_ms: created.before_unix_ms,
    };
    let (size, from, url) = (request.size, request.from, state.url_of(scope.account()));
    // Many rows may be read: not on a thread that other requests wait for.
    let found =
        tokio::task::spawn_blocking(move || state.store.recordings(scope, &filter, from, size));
    let page = found.await.expect("listing recordings does not panic")?;
    let created = ["DateCreated", "DateCreated<", "DateCreated>"];
    let filters = parameters.given(["CallSid", "ConferenceSid"].into_iter().chain(created));
    let shown = |row: RecordingRow| show(&row, &url);
    Ok(Json(request.answer(
        "recordings",
        uri.path(),
        &filters,
        page,
        shown,
    )))
}

/// What is deleted is gone, and cannot be shown.
fn check_deleted(parameters: &Parameters) -> Result<(), Problem> {
    match parameters.get("IncludeSoftDeleted") {
        None | Some("false") => Ok(()),
        Some(_) => Err(Problem::bad_parameter(
            "`IncludeSoftDeleted` must be `false`: what is deleted is gone",
        )),
    }
}

/// `GET /Recordings/{Sid}.json`: the resource; with `.wav`, `.mp3` or nothing behind the SID its file.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(Mp3Reads(reads)): Extension<Mp3Reads>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (sid, extension) = name.split_once('.').unwrap_or((&name, ""));
    let row = own(&state, scope, sid, &uri)?;
    match extension {
        "json" => {
            check_deleted(&Parameters::of_query(uri.query(), FETCH)?)?;
            Ok(Json(show(&row, &state.url_of(row.account))).into_response())
        }
        "" | "wav" => file(&state, &row, RecordingFormat::Wav, None, &uri).await,
        "mp3" => {
            let read = reads.begin(state.payer(row.account))?;
            file(&state, &row, RecordingFormat::Mp3, Some(read), &uri).await
        }
        _ => Err(Problem::not_found(&uri)),
    }
}

/// `GET /Calls/{Sid}/Recordings/{Sid}.json`.
pub(crate) async fn fetch_of_call(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call, name)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let call = calls::named(&state, scope, &call, &uri)?;
    let row = own_of(&state, scope, call.sid.into(), &name, &uri)?;
    Ok(Json(show(&row, &state.url_of(row.account))))
}

/// Counts until it is dropped, or [`LONGEST_MP3`] is over: of whom takes nothing, the stream is not asked.
fn for_a_time(read: LongRead) -> Arc<Mutex<Option<LongRead>>> {
    let read = Arc::new(Mutex::new(Some(read)));
    let late = Arc::downgrade(&read);
    tokio::spawn(async move {
        tokio::time::sleep(LONGEST_MP3).await;
        if let Some(read) = late.upgrade() {
            drop(read.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    });
    read
}

/// The file; `read` counts until it is sent, the client is gone, or [`LONGEST_MP3`] is over. Where there is no encoder, what is under `.mp3` is WAV too; a header says which it is.
async fn file(
    state: &ApiState,
    row: &RecordingRow,
    format: RecordingFormat,
    read: Option<LongRead>,
    uri: &Uri,
) -> Result<Response, Problem> {
    if !row.has_media() {
        return Err(Problem::not_found(uri));
    }
    let channels = channels(row, uri)?;
    let opened = state.recordings.open(row, format, channels).await;
    let file = opened.map_err(|error| failed(&error))?;
    let file = file.ok_or_else(|| Problem::not_found(uri))?;
    let is_mixed_here = file.format == RecordingFormat::Wav
        && row.channels == 2
        && channels == RecordingChannels::Mono;
    let mut one_channel = is_mixed_here.then(OneChannel::default);
    let bytes = match one_channel {
        Some(_) => file.bytes.map(OneChannel::length),
        None => file.bytes,
    };
    let taken = (file.pieces, read.map(for_a_time));
    let pieces = futures_util::stream::unfold(taken, |(mut pieces, read)| async {
        let piece = pieces.recv().await?;
        Some((piece, (pieces, read)))
    });
    let pieces = pieces.map(move |piece| match &mut one_channel {
        Some(one_channel) => piece.and_then(|piece| one_channel.take(&piece)),
        None => piece,
    });
    let (media_type, name) = match file.format {
        RecordingFormat::Wav => ("audio/x-wav", "wav"),
        RecordingFormat::Mp3 => ("audio/mpeg", "mp3"),
    };
    let headers = [(CONTENT_TYPE.as_str(), media_type), (FORMAT_HEADER, name)];
    let mut response = (headers, Body::from_stream(pieces)).into_response();
    if let Some(bytes) = bytes {
        response.headers_mut().insert(CONTENT_LENGTH, bytes.into());
    }
    Ok(response)
}

/// How many channels are wanted: as many as there are, where the request does not say.
fn channels(row: &RecordingRow, uri: &Uri) -> Result<RecordingChannels, Problem> {
    let asked = uri.query().unwrap_or_default().split('&');
    let mut asked = asked.filter_map(|pair| pair.strip_prefix("RequestedChannels="));
    match (asked.next(), row.channels) {
        (None, 1) | (Some("1"), _) => Ok(RecordingChannels::Mono),
        (None | Some("2"), 2) => Ok(RecordingChannels::Dual),
        (Some("2"), _) => Err(Problem::bad_parameter(
            "`RequestedChannels` is 2, and the recording has one channel",
        )),
        _ => Err(Problem::bad_parameter(
            "`RequestedChannels` must be `1` or `2`",
        )),
    }
}

/// `DELETE /Recordings/{Sid}.json`: the file, then what is known of it.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let row = own(&state, scope, json_sid(&name), &uri)?;
    remove(&state, scope, &row, &uri).await
}

/// `DELETE /Calls/{Sid}/Recordings/{Sid}.json`.
pub(crate) async fn delete_of_call(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call, name)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let call = calls::named(&state, scope, &call, &uri)?;
    let row = own_of(&state, scope, call.sid.into(), &name, &uri)?;
    remove(&state, scope, &row, &uri).await
}

pub(crate) async fn remove(
    state: &ApiState,
    scope: Scope,
    row: &RecordingRow,
    uri: &Uri,
) -> Result<StatusCode, Problem> {
    if !row.status.is_final() {
        return Err(goes_on());
    }
    state
        .recordings
        .remove(row)
        .await
        .map_err(|error| failed(&error))?;
    match state.store.delete_recording(scope, row.sid).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found(uri)),
        Err(StoreError::RecordingGoesOn(_)) => Err(goes_on()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /Calls/{Sid}/Recordings.json`: records a call that is up.
pub(crate) async fn start(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let call = calls::named(&state, scope, &call, &uri)?;
    let parameters = Parameters::of_form(&headers, body, START)?;
    let start = recording_order::start(&parameters, RecordingSource::StartCallRecordingApi)?;
    if call.status != CallStatus::InProgress {
        return Err(not_in_progress());
    }
    let begun = state.recordings.begin(scope.account(), call.sid, start);
    let sid = begun.await.map_err(|error| refused(error, &uri))?;
    let row = kept(&state, scope, sid).await?;
    Ok((
        StatusCode::CREATED,
        Json(show(&row, &state.url_of(row.account))),
    ))
}

/// `POST /Calls/{Sid}/Recordings/{Sid}.json`: pauses, resumes or stops a recording.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call, name)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let call = calls::named(&state, scope, &call, &uri)?;
    let parameters = || Parameters::of_form(&headers, body, UPDATE);
    change_one(&state, scope, call.sid.into(), &name, &uri, parameters).await
}

/// Pauses, resumes or stops a recording of a call or a conference, as the parameters say.
pub(crate) async fn change_one(
    state: &ApiState,
    scope: Scope,
    of: RecordingOf,
    name: &str,
    uri: &Uri,
    parameters: impl FnOnce() -> Result<Parameters, Problem>,
) -> Result<Json<Value>, Problem> {
    let sid = match json_sid(name) {
        CURRENT => None,
        _ => Some(own_of(state, scope, of, name, uri)?.sid),
    };
    let change = change(&parameters()?)?;
    let changed = state.recordings.change(scope.account(), of, sid, change);
    let sid = changed.await.map_err(|error| refused(error, uri))?;
    let row = kept(state, scope, sid).await?;
    Ok(Json(show(&row, &state.url_of(row.account))))
}

fn change(parameters: &Parameters) -> Result<RecordingChange, Problem> {
    let behavior = match parameters.get("PauseBehavior") {
        None | Some("silence") => PauseBehavior::Silence,
        Some("skip") => PauseBehavior::Skip,
        Some(_) => {
            let message = "`PauseBehavior` must be one of: skip, silence";
            return Err(Problem::bad_parameter(message));
        }
    };
    match parameters.get("Status") {
        Some("paused") => Ok(RecordingChange::Pause(behavior)),
        Some("in-progress") => Ok(RecordingChange::Resume),
        Some("stopped") => Ok(RecordingChange::Stop),
        _ => {
            let message = "`Status` is required: `in-progress`, `paused` or `stopped`";
            Err(Problem::bad_parameter(message))
        }
    }
}

/// The row of a recording that goes on; its first write may be on its way.
async fn kept(state: &ApiState, scope: Scope, sid: RecordingSid) -> Result<RecordingRow, Problem> {
    const TRIES: u32 = 100;
    for _ in 0..TRIES {
        if let Some(row) = state.store.recording(scope, sid)? {
            return Ok(row);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Err(StoreError::Busy.into())
}

/// A name in a path without its `.json`.
fn json_sid(name: &str) -> &str {
    name.strip_suffix(".json").unwrap_or(name)
}

fn own(state: &ApiState, scope: Scope, sid: &str, uri: &Uri) -> Result<RecordingRow, Problem> {
    let sid = sid.parse().map_err(|_| Problem::not_found(uri))?;
    let row = state.store.recording(scope, sid)?;
    row.ok_or_else(|| Problem::not_found(uri))
}

/// The account's recording of this SID, if it is of this call or conference.
pub(crate) fn own_of(
    state: &ApiState,
    scope: Scope,
    of: RecordingOf,
    name: &str,
    uri: &Uri,
) -> Result<RecordingRow, Problem> {
    let row = own(state, scope, json_sid(name), uri)?;
    match row.of == of {
        true => Ok(row),
        false => Err(Problem::not_found(uri)),
    }
}

fn not_in_progress() -> Problem {
    Problem::call_state("Requested resource is not eligible for recording: the call is not up")
}

fn goes_on() -> Problem {
    Problem::bad_parameter("The recording goes on: stop it before it is deleted")
}

fn refused(error: RecordingError, uri: &Uri) -> Problem {
    match error {
        RecordingError::NotInProgress => not_in_progress(),
        RecordingError::Unknown => Problem::not_found(uri),
        RecordingError::Refused(why) => Problem::bad_parameter(why),
    }
}

/// Logs what is ours to know.
fn failed(error: &std::io::Error) -> Problem {
    tracing::error!(%error, "the file of a recording failed a request of the API");
    Problem::internal()
}
