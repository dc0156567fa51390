//! What a call's journals tell its owner: Twilio's `Events` of a call and its `Notifications`.
//!
//! Both are read from the journal, once the call is over: nothing is kept twice, and they go when the journal goes.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use call::{CallSid, Direction, HttpError, HttpMethod, HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};
use store::{CallFilter, CallRow, Page, Scope, rfc2822};

use crate::ApiState;
use crate::brand;
use crate::calls;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

/// Bytes of a body that are shown.
const SHOWN_BYTES: usize = 16 << 10;
/// Twilio's code of a call that was not let in for want of a password.
const BAD_CREDENTIALS: u32 = 32_202;
/// Notifications of one call that have a SID.
const MOST: u16 = 256;

const LIST: Vocabulary = Vocabulary {
    supported: &["PageSize", "Page", "PageToken"],
    unsupported: &[],
};
const LIST_NOTIFICATIONS: Vocabulary = Vocabulary {
    supported: &["Log", "PageSize", "Page", "PageToken"],
    unsupported: &["MessageDate", "MessageDate<", "MessageDate>"],
};

/// What a call's journals tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What was asked of web servers, in order.
    pub exchanges: Vec<Exchange>,
    /// What went wrong, in order.
    pub faults: Vec<Fault>,
}

/// A request of a story, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// When it was asked for, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// What was asked.
    pub request: HttpRequest,
    /// When the answer was heard of, in milliseconds since the Unix epoch, and what it was. None where the call was over before.
    pub answer: Option<(u64, Result<HttpResponse, HttpError>)>,
}

/// An error or a warning in the log of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// Whether it is no mere warning.
    pub is_error: bool,
    /// What it says; Twilio's code stands first.
    pub message: String,
}

/// A fault with its place and code.
struct Notification {
    call: CallSid,
    number: u16,
    code: u32,
    text: String,
    fault: Fault,
}

/// `GET /Calls/{Sid}/Events.json`: what was asked of web servers, the newest first.
pub(crate) async fn events(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<u64>::read(&parameters)?;
    let row = calls::named(&state, scope, &call, &uri)?;
    let told = read(&state, scope, row.sid)?;
    let exchanges = told.exchanges.into_iter().zip(0_u64..);
    let at = |(exchange, number): &(Exchange, u64)| (exchange.at_unix_ms, *number);
    let page = Page::of(exchanges, at, request.from, request.size);
    let shown = |(exchange, _): (Exchange, u64)| show_event(&exchange);
    Ok(Json(request.answer("events", uri.path(), &[], page, shown)))
}

/// `GET /Calls/{Sid}/Notifications.json`: what went wrong in a call, the newest first.
pub(crate) async fn notifications_of_call(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST_NOTIFICATIONS)?;
    let request = PageRequest::<u64>::read(&parameters)?;
    let wanted = log(&parameters)?;
    let pages = brand::pages_of(&state.store.directory(), scope.account());
    let row = calls::named(&state, scope, &call, &uri)?;
    let all = notifications(&state, scope, &row)?;
    let fitting = all
        .into_iter()
        .filter(|one| wanted.is_none_or(|errors| errors == one.fault.is_error));
    let at = |one: &Notification| (one.fault.at_unix_ms, u64::from(one.number));
    let page = Page::of(fitting, at, request.from, request.size);
    let shown = |one: Notification| one.show(scope, &pages);
    let filters = crate::edit::given(&parameters, &["Log"]);
    Ok(Json(request.answer(
        "notifications",
        uri.path(),
        &filters,
        page,
        shown,
    )))
}

/// `GET /Notifications.json`: what went wrong in the account's calls, the newest call first. A page holds those of as many calls as it may have
/// rows, so it may be short, or empty, and yet have a next.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST_NOTIFICATIONS)?;
    let request = PageRequest::<CallSid>::read(&parameters)?;
    let wanted = log(&parameters)?;
    let pages = brand::pages_of(&state.store.directory(), scope.account());
    let (size, from, store) = (request.size, request.from, state.store.clone());
    // Many journals may be read: not on a thread that other requests wait for.
    let reading = tokio::task::spawn_blocking(move || {
        let calls = store.calls(scope, &CallFilter::default(), from, size)?;
        let mut rows = Vec::new();
        for call in &calls.rows {
            let mut of_call = notifications(&state, scope, call)?;
            of_call.retain(|one| wanted.is_none_or(|errors| errors == one.fault.is_error));
            rows.extend(of_call.into_iter().rev());
        }
        Ok::<_, Problem>(Page {
            rows,
            next: calls.next,
        })
    });
    let page = reading.await.expect("reading journals does not panic")?;
    let shown = |one: Notification| one.show(scope, &pages);
    let filters = crate::edit::given(&parameters, &["Log"]);
    Ok(Json(request.answer(
        "notifications",
        uri.path(),
        &filters,
        page,
        shown,
    )))
}

/// `GET /Notifications/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let sid = notification_sid(&name);
    let sid = sid.ok_or_else(|| Problem::not_found(&uri))?;
    let pages = brand::pages_of(&state.store.directory(), scope.account());
    let store = state.store.clone();
    let looking = tokio::task::spawn_blocking(move || {
        for number in 0..MOST {
            let call = CallSid::from_bytes(combined(sid, number));
            if let Some(row) = store.call(scope, call)? {
                let all = notifications(&state, scope, &row)?;
                let found = all.into_iter().find(|one| one.number == number);
                return Ok::<_, Problem>(found);
            }
        }
        Ok(None)
    });
    let found = looking.await.expect("reading a journal does not panic")?;
    let found = found.ok_or_else(|| Problem::not_found(&uri))?;
    Ok(Json(found.show(scope, &pages)))
}

/// `GET /Calls/{Sid}/Notifications/{Sid}.json`.
pub(crate) async fn fetch_of_call(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call, name)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let row = calls::named(&state, scope, &call, &uri)?;
    let sid = notification_sid(&name);
    let pages = brand::pages_of(&state.store.directory(), scope.account());
    let mut all = notifications(&state, scope, &row)?.into_iter();
    let found = all.find(|one| Some(combined(*row.sid.as_bytes(), one.number)) == sid);
    let found = found.ok_or_else(|| Problem::not_found(&uri))?;
    Ok(Json(found.show(scope, &pages)))
}

/// `Log=0` is errors alone, `Log=1` warnings alone.
fn log(parameters: &Parameters) -> Result<Option<bool>, Problem> {
    match parameters.get("Log") {
        None => Ok(None),
        Some("0") => Ok(Some(true)),
        Some("1") => Ok(Some(false)),
        Some(_) => Err(Problem::bad_parameter(
            "`Log` must be `0` (errors) or `1` (warnings)",
        )),
    }
}

/// Nothing for a call that goes on.
fn read(state: &ApiState, scope: Scope, call: CallSid) -> Result<Told, Problem> {
    match state.store.journal(scope, call)? {
        Some(journal) => (state.read_journal)(&journal).ok_or_else(Problem::internal),
        None => Ok(Told::default()),
    }
}

/// Those that have a code of Twilio's.
fn notifications(
    state: &ApiState,
    scope: Scope,
    row: &CallRow,
) -> Result<Vec<Notification>, Problem> {
    let call = row.sid;
    let told = read(state, scope, call)?;
    let faults = told.faults.into_iter().chain(refused_credentials(row));
    let coded = faults.filter_map(|fault| {
        let (code, text) = fault.message.split_once(' ')?;
        let code = code.parse().ok().filter(|_| code.len() == 5)?;
        Some((code, text.to_owned(), fault))
    });
    let numbered = coded.zip(0..MOST);
    Ok(numbered
        .map(|((code, text, fault), number)| Notification {
            call,
            number,
            code,
            text,
            fault,
        })
        .collect())
}

/// The far end of a call that we dialled wanted a user name and a password, and took none. Such a call has no story, and so no journal.
fn refused_credentials(row: &CallRow) -> Option<Fault> {
    let record = row.record.as_ref()?;
    let status = record.sip_status?;
    let is_refused = matches!(status, 401 | 407) && row.answered_unix_ms.is_none();
    (is_refused && row.direction != Direction::Inbound).then(|| Fault {
        at_unix_ms: row.ended_unix_ms.unwrap_or(row.updated_unix_ms),
        is_error: true,
        message: format!(
            "{BAD_CREDENTIALS} SIP: Bad user credentials: the far end answered {status}: give those that it knows as `SipAuthUsername` and `SipAuthPassword`, as `username` and `password` of <Sip>, or as the trunk's `credentials`"
        ),
    })
}

/// The bytes of a call's SID with the number in their last two: the SID of a notification, and back again.
fn combined(mut bytes: [u8; 16], number: u16) -> [u8; 16] {
    let [high, low] = number.to_be_bytes();
    bytes[14] ^= high;
    bytes[15] ^= low;
    bytes
}

fn notification_sid(name: &str) -> Option<[u8; 16]> {
    let digits = name.strip_suffix(".json")?.strip_prefix("NO")?;
    let call: CallSid = format!("CA{digits}").parse().ok()?;
    Some(*call.as_bytes())
}

impl Notification {
    fn show(self, scope: Scope, pages: &str) -> Value {
        let account = scope.account();
        let as_call = CallSid::from_bytes(combined(*self.call.as_bytes(), self.number));
        let sid = as_call.to_string().replacen("CA", "NO", 1);
        let date = rfc2822(self.fault.at_unix_ms);
        json!({
            "sid": sid,
            "account_sid": account,
            "call_sid": self.call,
            "api_version": "2010-04-01",
            "log": if self.fault.is_error { "0" } else { "1" },
            "error_code": self.code.to_string(),
            "more_info": format!("{pages}/{}", self.code),
            "message_text": self.text,
            "message_date": date,
            "request_method": null,
            "request_url": null,
            "request_variables": null,
            "response_headers": null,
            "response_body": null,
            "date_created": date,
            "date_updated": date,
            "uri": format!("/2010-04-01/Accounts/{account}/Notifications/{sid}.json"),
        })
    }
}

fn show_event(exchange: &Exchange) -> Value {
    let request = &exchange.request;
    let method = request.method.as_str();
    let query = request.url.split_once('?').map(|(_, query)| query);
    let encoded = match request.method {
        HttpMethod::Get => query.unwrap_or_default().as_bytes(),
        _ => &request.body,
    };
    let parameters = url::form_urlencoded::parse(encoded).into_owned();
    let parameters: Map<String, Value> = parameters
        .map(|(name, value)| (name, value.into()))
        .collect();
    json!({
        "request": {
            "method": method,
            "url": request.url,
            "parameters": parameters,
            "headers": headers(&request.headers),
            "date_created": rfc2822(exchange.at_unix_ms),
        },
        "response": exchange.answer.as_ref().map(|(at, answer)| show_answer(exchange, *at, answer)),
    })
}

fn show_answer(
    exchange: &Exchange,
    at_unix_ms: u64,
    answer: &Result<HttpResponse, HttpError>,
) -> Value {
    let mut shown = json!({
        "date_created": rfc2822(at_unix_ms),
        "request_duration": at_unix_ms.saturating_sub(exchange.at_unix_ms),
    });
    match answer {
        Ok(response) => {
            let mut fields = response.headers.iter();
            let content_type = fields.find(|(name, _)| name == "content-type");
            let end = response.body.len().min(SHOWN_BYTES);
            shown["response_code"] = response.status.into();
            shown["content_type"] = json!(content_type.map(|(_, value)| value));
            shown["response_body"] = String::from_utf8_lossy(&response.body[..end]).into();
        }
        Err(error) => {
            shown["response_code"] = Value::Null;
            shown["error"] = error.to_string().into();
        }
    }
    shown
}

fn headers(fields: &[(String, String)]) -> Map<String, Value> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect()
}
