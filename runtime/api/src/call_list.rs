//! The list of an account's calls.

use axum::extract::State;
use axum::http::Uri;
use axum::{Extension, Json};
use call::{CallSid, CallStatus};
use store::{CallFilter, Scope};

use crate::call_resource::CallResource;
use crate::destination::normalise;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;
use crate::{ApiState, time_span};

const LIST: Vocabulary = Vocabulary {
    supported: &[
        "To",
        "From",
        "ParentCallSid",
        "Status",
        "StartTime",
        "StartTime<",
        "StartTime>",
        "EndTime",
        "EndTime<",
        "EndTime>",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &[],
};

/// `GET /Calls.json`: the account's calls, newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<CallSid>::read(&parameters)?;
    let filter = CallFilter {
        to: parameters.get("To").map(normalise),
        from: parameters.get("From").map(normalise),
        status: parameters.get("Status").map(status).transpose()?,
        parent: parameters.get("ParentCallSid").map(parent).transpose()?,
        started: time_span::read(&parameters, "StartTime")?,
        ended: time_span::read(&parameters, "EndTime")?,
        ..CallFilter::default()
    };
    let (size, from) = (request.size, request.from);
    // A filter that fits little reads many rows: not on a thread that other requests wait for.
    let directory = state.store.directory();
    let found = tokio::task::spawn_blocking(move || state.store.calls(scope, &filter, from, size));
    let page = found.await.expect("listing calls does not panic")?;
    let pages = ["PageSize", "Page", "PageToken"];
    let filters: Vec<_> = LIST
        .supported
        .iter()
        .copied()
        .filter(|name| !pages.contains(name))
        .filter_map(|name| Some((name, parameters.get(name)?)))
        .collect();
    Ok(Json(request.answer(
        "calls",
        uri.path(),
        &filters,
        page,
        |row| CallResource::of(row, &directory),
    )))
}

fn parent(text: &str) -> Result<CallSid, Problem> {
    text.parse()
        .map_err(|error| Problem::bad_parameter(format!("`ParentCallSid`: {error}")))
}

fn status(text: &str) -> Result<CallStatus, Problem> {
    const ALL: [CallStatus; 8] = [
        CallStatus::Queued,
        CallStatus::Ringing,
        CallStatus::InProgress,
        CallStatus::Completed,
        CallStatus::Busy,
        CallStatus::NoAnswer,
        CallStatus::Canceled,
        CallStatus::Failed,
    ];
    ALL.into_iter()
        .find(|status| status.to_string() == text)
        .ok_or_else(|| {
            let known = ALL.map(|status| status.to_string()).join(", ");
            Problem::bad_parameter(format!("`Status` must be one of: {known}"))
        })
}
