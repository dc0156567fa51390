//! Twilio's `Notifications`: what went wrong in calls, with its code.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use call::{CallSid, Exchange, HttpError};
use fault_codes::{
    INVALID_URL, RETRIEVAL_FAILED, TOO_LARGE, TOO_MANY_REDIRECTS, of_protocol, of_unreachable,
};
use serde_json::{Value, json};
use store::{CallFilter, CallRow, Page, Scope, TimeSpan, rfc2822};

use crate::ApiState;
use crate::brand;
use crate::calls;
use crate::edit;
use crate::events::{form, method, shown_body, shown_url};
use crate::host_faults;
use crate::long_reads::LongReads;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;
use crate::time_span;
use crate::told::{self, OfCall};

/// Calls whose journals are read for one page.
const MOST_CALLS: usize = 100;
/// Notifications of one call's journals that have a SID.
const OF_JOURNALS: u16 = 256;
/// Numbers of those of its callbacks, of which fewer are kept.
const OF_CALLBACKS: u16 = 256;

const FILTERS: [&str; 4] = ["Log", "MessageDate", "MessageDate<", "MessageDate>"];
const LIST: Vocabulary = Vocabulary {
    supported: &[
        "Log",
        "MessageDate",
        "MessageDate<",
        "MessageDate>",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &[],
};

/// A fault with its place and code.
struct Notification {
    call: CallSid,
    number: u16,
    code: u32,
    text: String,
    at_unix_ms: u64,
    is_error: bool,
    /// The callback that failed.
    exchange: Option<Exchange>,
}

/// Which are listed.
struct Filter {
    /// Errors alone, or warnings alone.
    errors: Option<bool>,
    at: TimeSpan,
}

impl Filter {
    /// `Log=0` is errors alone, `Log=1` warnings alone.
    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let errors = match parameters.get("Log") {
            None => None,
            Some("0") => Some(true),
            Some("1") => Some(false),
            Some(_) => {
                return Err(Problem::bad_parameter(
                    "`Log` must be `0` (errors) or `1` (warnings)",
                ));
            }
        };
        let at = time_span::read(parameters, "MessageDate")?;
        Ok(Self { errors, at })
    }

    fn fits(&self, one: &Notification) -> bool {
        self.errors.is_none_or(|errors| errors == one.is_error)
            && self.at.contains(Some(one.at_unix_ms))
    }
}

/// `GET /Calls/{Sid}/Notifications.json`: what went wrong in a call, the newest first.
pub(crate) async fn list_of_call(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<u64>::read(&parameters)?;
    let filter = Filter::read(&parameters)?;
    let pages = brand::pages_of(&state.store.directory(), scope.account());
    let row = calls::named(&state, scope, &call, &uri)?;
    let all = of_call(&state, scope, &row).await?.into_iter();
    let fitting = all.filter(|one| filter.fits(one));
    let page = Page::of(fitting, Notification::place, request.from, request.size);
    let shown = |one: Notification| one.show(scope, &pages);
    let filters = edit::given(&parameters, &FILTERS);
    let answer = request.answer("notifications", uri.path(), &filters, page, shown);
    Ok(Json(answer))
}

/// `GET /Notifications.json`: what went wrong in the account's calls, the newest call first. A page holds those of as many calls as it may have
/// rows, and of [`MOST_CALLS`] at most, so it may be short, or empty, and yet have a next.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(reads): Extension<Arc<LongReads>>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<CallSid>::read(&parameters)?;
    let filter = Filter::read(&parameters)?;
    let pages = brand::pages_of(&state.store.directory(), scope.account());
    // What went wrong in a call did so after it began.
    let began = CallFilter {
        created_before_unix_ms: filter.at.before_unix_ms,
        ..CallFilter::default()
    };
    let _read = reads.begin(state.payer(scope.account()))?;
    let (size, from, store) = (
        request.size.min(MOST_CALLS),
        request.from,
        state.store.clone(),
    );
    let reading = tokio::task::spawn_blocking(move || store.calls(scope, &began, from, size));
    let calls = reading.await.expect("reading calls does not panic")?;
    let mut rows = Vec::new();
    for call in &calls.rows {
        let mut of_call = of_call(&state, scope, call).await?;
        of_call.retain(|one| filter.fits(one));
        rows.extend(of_call.into_iter().rev());
    }
    let page = Page {
        rows,
        next: calls.next,
    };
    let shown = |one: Notification| one.show(scope, &pages);
    let filters = edit::given(&parameters, &FILTERS);
    let answer = request.answer("notifications", uri.path(), &filters, page, shown);
    Ok(Json(answer))
}

/// `GET /Notifications/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let found = find(&state, scope, &name).await?;
    let found = found.ok_or_else(|| Problem::not_found(&uri))?;
    let pages = brand::pages_of(&state.store.directory(), scope.account());
    Ok(Json(found.show(scope, &pages)))
}

/// `GET /Calls/{Sid}/Notifications/{Sid}.json`.
pub(crate) async fn fetch_of_call(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call, name)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let found = find(&state, scope, &name).await?;
    let found = found.filter(|one| one.call.to_string() == call);
    let found = found.ok_or_else(|| Problem::not_found(&uri))?;
    let pages = brand::pages_of(&state.store.directory(), scope.account());
    Ok(Json(found.show(scope, &pages)))
}

/// The notification of this name, which ends in `.json`.
async fn find(state: &ApiState, scope: Scope, name: &str) -> Result<Option<Notification>, Problem> {
    let Some(sid) = notification_sid(name) else {
        return Ok(None);
    };
    for number in 0..OF_JOURNALS + OF_CALLBACKS {
        let call = CallSid::from_bytes(combined(sid, number));
        if let Some(row) = state.store.call(scope, call)? {
            let all = of_call(state, scope, &row).await?;
            return Ok(all.into_iter().find(|one| one.number == number));
        }
    }
    Ok(None)
}

/// Those of a call, the oldest first.
async fn of_call(
    state: &ApiState,
    scope: Scope,
    row: &CallRow,
) -> Result<Vec<Notification>, Problem> {
    let OfCall { told, callbacks } = told::read(state, scope, row).await?;
    let faults = told.faults.into_iter().chain(host_faults::of(row));
    let coded = faults.filter_map(|fault| {
        let (code, text) = fault.message.split_once(' ')?;
        let code = code.parse().ok().filter(|_| code.len() == 5)?;
        Some((code, text.to_owned(), fault))
    });
    let of_journals = coded
        .zip(0..OF_JOURNALS)
        .map(|((code, text, fault), number)| Notification {
            call: row.sid,
            number,
            code,
            text,
            at_unix_ms: fault.at_unix_ms,
            is_error: fault.is_error,
            exchange: None,
        });
    let of_callbacks = callbacks.into_iter().filter_map(|(sequence, exchange)| {
        let (code, text) = failure(&exchange)?;
        let number = u16::try_from(sequence % u32::from(OF_CALLBACKS)).ok()?;
        Some(Notification {
            call: row.sid,
            number: OF_JOURNALS + number,
            code,
            text,
            at_unix_ms: exchange.at_unix_ms,
            is_error: true,
            exchange: Some(exchange),
        })
    });
    let mut all: Vec<_> = of_journals.chain(of_callbacks).collect();
    all.sort_by_key(Notification::place);
    Ok(all)
}

/// Why a callback was not taken, under Twilio's code; none if it was.
fn failure(exchange: &Exchange) -> Option<(u32, String)> {
    let url = shown_url(&exchange.request.url);
    let (_, answer) = exchange.answer.as_ref()?;
    let error = match answer {
        Ok(response) => {
            let is_taken = (200..300).contains(&response.status);
            return (!is_taken).then(|| {
                (
                    RETRIEVAL_FAILED.into(),
                    format!("{url} answered {}", response.status),
                )
            });
        }
        Err(error) => error,
    };
    let code = match error {
        HttpError::InvalidUrl(_) => INVALID_URL,
        HttpError::NotGranted(_) | HttpError::TimedOut(_) => RETRIEVAL_FAILED,
        HttpError::Unreachable(why) => of_unreachable(why),
        HttpError::Protocol(why) => of_protocol(why),
        HttpError::TooManyRedirects(_) => TOO_MANY_REDIRECTS,
        HttpError::TooLarge(_) => TOO_LARGE,
    };
    Some((code.into(), error.to_string()))
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
    fn place(&self) -> (u64, u64) {
        (self.at_unix_ms, u64::from(self.number))
    }

    fn show(self, scope: Scope, pages: &str) -> Value {
        let account = scope.account();
        let as_call = CallSid::from_bytes(combined(*self.call.as_bytes(), self.number));
        let sid = as_call.to_string().replacen("CA", "NO", 1);
        let date = rfc2822(self.at_unix_ms);
        let request = self.exchange.as_ref().map(|exchange| &exchange.request);
        let answer = self
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.answer.as_ref());
        let response = answer.and_then(|(_, answer)| answer.as_ref().ok());
        json!({
            "sid": sid,
            "account_sid": account,
            "call_sid": self.call,
            "api_version": "2010-04-01",
            "log": if self.is_error { "0" } else { "1" },
            "error_code": self.code.to_string(),
            "more_info": format!("{pages}/{}", self.code),
            "message_text": self.text,
            "message_date": date,
            "request_method": request.map(|request| method(request.method)),
            "request_url": request.map(|request| shown_url(&request.url)),
            "request_variables": request.map(|request| String::from_utf8_lossy(form(request))),
            "response_headers": response.map(|response| header_lines(&response.headers)),
            "response_body": response.map(|response| shown_body(&response.body)),
            "date_created": date,
            "date_updated": date,
            "uri": format!("/2010-04-01/Accounts/{account}/Notifications/{sid}.json"),
        })
    }
}

fn header_lines(fields: &[(String, String)]) -> String {
    let lines = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    lines.collect::<Vec<_>>().join("\n")
}
