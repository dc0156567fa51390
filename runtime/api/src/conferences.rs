//! Twilio's `Conferences` resource.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::{Extension, Json};
use call::{ConferenceInput, ConferenceSid, MediaSource};
use serde_json::Value;
use store::{ConferenceFilter, ConferenceRow, ConferenceStatus, Scope};

use crate::ApiState;
use crate::conference_resource::show;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary, is_web};
use crate::problem::Problem;
use crate::time_span;

const CREATED: [&str; 3] = ["DateCreated", "DateCreated<", "DateCreated>"];
const UPDATED: [&str; 3] = ["DateUpdated", "DateUpdated<", "DateUpdated>"];

const LIST: Vocabulary = Vocabulary {
    supported: &[
        "Status",
        "FriendlyName",
        "DateCreated",
        "DateCreated<",
        "DateCreated>",
        "DateUpdated",
        "DateUpdated<",
        "DateUpdated>",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &[],
};

const UPDATE: Vocabulary = Vocabulary {
    supported: &["Status", "AnnounceUrl", "AnnounceMethod"],
    unsupported: &[],
};

/// `GET /Conferences.json`: the account's conferences, newest first; those that are over too.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<ConferenceSid>::read(&parameters)?;
    let filter = ConferenceFilter {
        status: parameters.get("Status").map(status).transpose()?,
        name: parameters.get("FriendlyName").map(str::to_owned),
        created: time_span::read(&parameters, CREATED[0])?,
        updated: time_span::read(&parameters, UPDATED[0])?,
    };
    let (size, from) = (request.size, request.from);
    // Many rows may be read: not on a thread that other requests wait for.
    let found =
        tokio::task::spawn_blocking(move || state.store.conferences(scope, &filter, from, size));
    let page = found.await.expect("listing conferences does not panic")?;
    let names = ["Status", "FriendlyName"];
    let filters = parameters.given(names.into_iter().chain(CREATED).chain(UPDATED));
    Ok(Json(request.answer(
        "conferences",
        uri.path(),
        &filters,
        page,
        show,
    )))
}

fn status(text: &str) -> Result<ConferenceStatus, Problem> {
    let all = ConferenceStatus::ALL;
    let known = all.into_iter().find(|status| status.to_string() == text);
    known.ok_or_else(|| {
        let known = all.map(|status| status.to_string()).join(", ");
        Problem::bad_parameter(format!("`Status` must be one of: {known}"))
    })
}

/// `GET /Conferences/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let row = own(&state, scope, json_name(&name), &uri)?;
    Ok(Json(show(row)))
}

/// `POST /Conferences/{Sid}.json`: ends one that goes on, or lets all in it hear something. One that is over stays as it
/// is, and is a 404 for what nobody in it can hear any more.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let row = own(&state, scope, json_name(&name), &uri)?;
    let parameters = Parameters::of_form(&headers, body, UPDATE)?;
    let order = match (parameters.get("Status"), announcement(&parameters)?) {
        (Some("completed"), None) => ConferenceInput::End,
        (None, Some(source)) => ConferenceInput::Announce(None, source),
        _ => {
            let message =
                "`Status=completed`, which ends the conference, or `AnnounceUrl` is required";
            return Err(Problem::bad_parameter(message));
        }
    };
    let (rooms, account) = (&state.rooms, scope.account());
    let is_end = order == ConferenceInput::End;
    if !rooms.order_conference(account, row.sid, order).await && !is_end {
        return Err(Problem::not_found(&uri));
    }
    Ok(Json(show(own(&state, scope, json_name(&name), &uri)?)))
}

/// The sound that is to be heard once.
pub(crate) fn announcement(parameters: &Parameters) -> Result<Option<MediaSource>, Problem> {
    let method = parameters
        .get("AnnounceMethod")
        .map(str::to_ascii_uppercase);
    let url = parameters.get("AnnounceUrl");
    match (url, method.as_deref()) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Problem::bad_parameter(
            "`AnnounceMethod` has no effect without `AnnounceUrl`",
        )),
        (Some(url), None | Some("GET")) if is_web(url) => {
            Ok(Some(MediaSource::Url(url.to_owned())))
        }
        (Some(_), None | Some("GET")) => Err(Problem::bad(
            21205,
            "`AnnounceUrl` must begin with http:// or https://",
        )),
        (Some(_), Some(_)) => Err(Problem::bad(
            21209,
            "`AnnounceMethod` must be `GET`: what is announced is a sound, and sounds are asked for so",
        )),
    }
}

/// A name in a path without its `.json`.
pub(crate) fn json_name(name: &str) -> &str {
    name.strip_suffix(".json").unwrap_or(name)
}

/// The account's conference of this SID.
pub(crate) fn own(
    state: &ApiState,
    scope: Scope,
    sid: &str,
    uri: &Uri,
) -> Result<ConferenceRow, Problem> {
    let sid = sid.parse().map_err(|_| Problem::not_found(uri))?;
    let row = state.store.conference(scope, sid)?;
    row.ok_or_else(|| Problem::not_found(uri))
}
