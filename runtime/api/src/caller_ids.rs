//! Twilio's `OutgoingCallerIds` resource: numbers that an account may show as the caller although its calls do not come in here. The operator
//! makes them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::PhoneNumberSid;
use serde_json::{Value, json};
use store::{CallerId, Directory, Edit, Page, Scope};

use crate::ApiState;
use crate::auth::Requester;
use crate::destination::normalise;
use crate::edit::{self, edit, friendly_name};
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

const UPDATE: Vocabulary = Vocabulary {
    supported: &["FriendlyName"],
    unsupported: &[],
};
const LIST: Vocabulary = Vocabulary {
    supported: &[
        "PhoneNumber",
        "FriendlyName",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &[],
};

/// `GET /OutgoingCallerIds.json`, newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<PhoneNumberSid>::read(&parameters)?;
    let number = parameters.get("PhoneNumber").map(normalise);
    let name = parameters.get("FriendlyName");
    let directory = state.store.directory();
    let fitting = directory.caller_ids(scope.account()).filter(|caller_id| {
        (number.as_ref()).is_none_or(|number| number == caller_id.number.as_str())
            && name.is_none_or(|name| name == caller_id.name)
    });
    let at = |caller_id: &&Arc<CallerId>| (caller_id.created_unix_ms, caller_id.sid);
    let page = Page::of(fitting, at, request.from, request.size);
    let filters = edit::given(&parameters, &["PhoneNumber", "FriendlyName"]);
    let shown = |caller_id: &Arc<CallerId>| show(caller_id);
    Ok(Json(request.answer(
        "outgoing_caller_ids",
        uri.path(),
        &filters,
        page,
        shown,
    )))
}

/// `GET /OutgoingCallerIds/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let directory = state.store.directory();
    Ok(Json(show(&*there(&directory, scope, &name, &uri)?)))
}

/// `POST /OutgoingCallerIds/{Sid}.json`: its name.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let before = there(&state.store.directory(), scope, &name, &uri)?;
    let parameters = Parameters::of_form(&headers, body, UPDATE)?;
    let Some(new) = friendly_name(&parameters, 64)? else {
        return Ok(Json(show(&before)));
    };
    let change = Edit::RenameCallerId(before.sid, new);
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    Ok(Json(show(&*there(&directory, scope, &name, &uri)?)))
}

/// `DELETE /OutgoingCallerIds/{Sid}.json`.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let change = Edit::DeleteCallerId(edit::sid(&name, &uri)?);
    let parameters = Parameters::none();
    edit(&state, scope, &requester, change, &parameters, &uri).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /OutgoingCallerIds.json`: Twilio calls the number and asks for a code. Here the operator makes sure of it.
pub(crate) async fn create() -> Problem {
    Problem::bad_parameter("The operator adds caller IDs: ask there")
}

fn there(
    directory: &Directory,
    scope: Scope,
    name: &str,
    uri: &Uri,
) -> Result<Arc<CallerId>, Problem> {
    let sid = edit::sid(name, uri)?;
    let found = directory.caller_id(scope, sid).map(Arc::clone);
    found.ok_or_else(|| Problem::not_found(uri))
}

pub(crate) fn show(caller_id: &CallerId) -> Value {
    let (sid, account) = (caller_id.sid, caller_id.account);
    json!({
        "sid": sid,
        "account_sid": account,
        "friendly_name": caller_id.name,
        "phone_number": caller_id.number.as_str(),
        "date_created": edit::date(caller_id.created_unix_ms),
        "date_updated": edit::date(caller_id.updated_unix_ms),
        "uri": format!("/2010-04-01/Accounts/{account}/OutgoingCallerIds/{sid}.json"),
    })
}
