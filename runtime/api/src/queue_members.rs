//! Twilio's `Members` resource: who waits at a queue.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::{Extension, Json};
use call::CallSid;
use serde_json::{Value, json};
use store::{Flow, Page, QueueRow, Scope, WebhookMethod, rfc2822};

use crate::ApiState;
use crate::conferences::json_name;
use crate::live_rooms::QueueMember;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary, is_web};
use crate::problem::Problem;
use crate::queues::own;

/// In a path, who waits longest.
const FRONT: &str = "Front";

const LIST: Vocabulary = Vocabulary {
    supported: &["PageSize", "Page", "PageToken"],
    unsupported: &[],
};

const UPDATE: Vocabulary = Vocabulary {
    supported: &["Url", "Method"],
    unsupported: &[],
};

/// `GET /Queues/{Sid}/Members.json`: who waits longest is the first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, queue)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let (row, view) = own(&state, scope, &queue, &uri).await?;
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<CallSid>::read(&parameters)?;
    let members = view.map(|view| view.members).unwrap_or_default();
    let all: Vec<_> = (1..).zip(members).collect();
    let first = match request.from {
        None => 0,
        Some(from) => after(&from.to_string(), &all),
    };
    let rows: Vec<_> = all.iter().skip(first).take(request.size).cloned().collect();
    let is_last = first + rows.len() >= all.len();
    let next = rows.last().filter(|_| !is_last);
    let next = next.and_then(|(position, last)| format!("{position:x}-{}", last.call).parse().ok());
    let page = Page { rows, next };
    let shown = |(position, member)| show(&row, position, &member);
    Ok(Json(request.answer(
        "queue_members",
        uri.path(),
        &[],
        page,
        shown,
    )))
}

/// Where the page begins whose token names the position and the call of the last one before it. Who has gone since is made up for.
fn after(token: &str, all: &[(usize, QueueMember)]) -> usize {
    let (position, call) = token.split_once('-').unwrap_or_default();
    let call = call.parse::<CallSid>().ok();
    let found = all.iter().position(|(_, member)| Some(member.call) == call);
    found.map_or_else(
        || usize::from_str_radix(position, 16).unwrap_or(0),
        |at| at + 1,
    )
}

/// `GET /Queues/{Sid}/Members/{CallSid or Front}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, queue, member)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let (row, position, member) = one(&state, scope, &queue, &member, &uri).await?;
    Ok(Json(show(&row, position, &member)))
}

/// `POST /Queues/{Sid}/Members/{CallSid or Front}.json`: out of the queue, and on with the document at `Url`.
pub(crate) async fn dequeue(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, queue, member)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let (row, position, member) = one(&state, scope, &queue, &member, &uri).await?;
    let parameters = Parameters::of_form(&headers, body, UPDATE)?;
    let flow = flow(&parameters)?;
    let live = &state.live;
    if !live.redirect(row.account, member.call, flow, BTreeMap::new()) {
        return Err(Problem::not_found(&uri));
    }
    Ok(Json(show(&row, position, &member)))
}

fn flow(parameters: &Parameters) -> Result<Flow, Problem> {
    let url = parameters
        .get("Url")
        .ok_or_else(|| Problem::bad(21205, "`Url` is required: where the call goes on"))?;
    if !is_web(url) {
        let message = "`Url` must begin with http:// or https://";
        return Err(Problem::bad(21205, message));
    }
    let method = WebhookMethod::of(parameters.method("Method")?);
    let url = url.to_owned();
    Ok(Flow::VoiceUrl { url, method })
}

/// Who waits at this queue by this SID, or longest.
async fn one(
    state: &ApiState,
    scope: Scope,
    queue: &str,
    name: &str,
    uri: &Uri,
) -> Result<(QueueRow, usize, QueueMember), Problem> {
    let (row, view) = own(state, scope, queue, uri).await?;
    let name = json_name(name);
    let sid = name.parse::<CallSid>().ok();
    let members = view.map(|view| view.members).unwrap_or_default();
    let mut all = (1..).zip(members);
    let found = match name {
        FRONT => all.next(),
        _ => all.find(|(_, member)| Some(member.call) == sid),
    };
    let (position, member) = found.ok_or_else(|| Problem::not_found(uri))?;
    Ok((row, position, member))
}

/// The properties of Twilio's `Members` resource.
fn show(row: &QueueRow, position: usize, member: &QueueMember) -> Value {
    json!({
        "queue_sid": row.sid,
        "call_sid": member.call,
        "date_enqueued": rfc2822(member.since_unix_ms),
        "position": position,
        "wait_time": member.waited_s,
        "uri": format!(
            "/2010-04-01/Accounts/{}/Queues/{}/Members/{}.json",
            row.account, row.sid, member.call
        ),
    })
}
