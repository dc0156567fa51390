//! Twilio's `Accounts` resource: the account itself and those below it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::AccountSid;
use serde_json::{Value, json};
use store::{Account, AccountStatus, Directory, Edit, Page, Scope, random_account_sid};

use crate::ApiState;
use crate::auth::Requester;
use crate::edit::{self, edit, friendly_name};
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

const CREATE: Vocabulary = Vocabulary {
    supported: &["FriendlyName"],
    unsupported: &[],
};
const UPDATE: Vocabulary = Vocabulary {
    supported: &["FriendlyName", "Status"],
    unsupported: &[],
};
const LIST: Vocabulary = Vocabulary {
    supported: &["FriendlyName", "Status", "PageSize", "Page", "PageToken"],
    unsupported: &[],
};

/// `POST /Accounts.json`: a new subaccount.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let parameters = Parameters::of_form(&headers, body, CREATE)?;
    let sid = random_account_sid();
    // Names are one of their kind: what nobody chose must not clash.
    let name = account_name(&parameters)?.unwrap_or_else(|| format!("SubAccount {sid}"));
    let change = Edit::MakeSubaccount { sid, name };
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    state.live.directory_changed();
    let account = there(&directory, sid, &uri)?;
    Ok((StatusCode::CREATED, Json(show(&account, requester))))
}

/// `GET /Accounts.json`: the account that asks and those below it, newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<AccountSid>::read(&parameters)?;
    let name = parameters.get("FriendlyName");
    let status = parameters.get("Status").map(status).transpose()?;
    let directory = state.store.directory();
    let own = directory.account(scope.account()).into_iter();
    let all = own.chain(directory.subaccounts(scope.account()));
    let fitting = all.filter(|account| {
        name.is_none_or(|name| name == account.name)
            && status.is_none_or(|status| status == account.status)
    });
    let at = |account: &&Arc<Account>| (account.created_unix_ms, account.sid);
    let page = Page::of(fitting, at, request.from, request.size);
    let filters = edit::given(&parameters, &["FriendlyName", "Status"]);
    Ok(Json(request.answer(
        "accounts",
        uri.path(),
        &filters,
        page,
        |account| show(account, requester),
    )))
}

/// `GET /Accounts/{AccountSid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let account = named(&state, scope, &uri)?;
    Ok(Json(show(&account, requester)))
}

/// `POST /Accounts/{AccountSid}.json`. Only a parent changes a status.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    named(&state, scope, &uri)?;
    let parameters = Parameters::of_form(&headers, body, UPDATE)?;
    let status = parameters.get("Status").map(status).transpose()?;
    if status.is_some() && requester.user.account == scope.account() {
        let message = "An account cannot change its own `Status`: its parent does, or the operator";
        return Err(Problem::bad_parameter(message));
    }
    let name = account_name(&parameters)?;
    let change = Edit::ChangeAccount { name, status };
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    if status.is_some() {
        state.live.directory_changed();
    }
    let account = there(&directory, scope.account(), &uri)?;
    Ok(Json(show(&account, requester)))
}

/// As tenants files have them: up to 64 bytes, and no `/`, which stands between a carrier's name and an account's.
fn account_name(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let name = friendly_name(parameters, 64)?;
    match name
        .as_ref()
        .is_some_and(|name| name.len() > 64 || name.contains('/'))
    {
        true => Err(Problem::bad_parameter(
            "`FriendlyName` of an account has at most 64 bytes and no `/`",
        )),
        false => Ok(name),
    }
}

fn status(text: &str) -> Result<AccountStatus, Problem> {
    [
        AccountStatus::Active,
        AccountStatus::Suspended,
        AccountStatus::Closed,
    ]
    .into_iter()
    .find(|status| status.as_str() == text)
    .ok_or_else(|| Problem::bad_parameter("`Status` must be one of: active, suspended, closed"))
}

fn named(state: &ApiState, scope: Scope, uri: &Uri) -> Result<Arc<Account>, Problem> {
    if !uri.path().ends_with(".json") {
        return Err(Problem::not_found(uri));
    }
    there(&state.store.directory(), scope.account(), uri)
}

fn there(directory: &Directory, sid: AccountSid, uri: &Uri) -> Result<Arc<Account>, Problem> {
    let account = directory.account(sid).map(Arc::clone);
    account.ok_or_else(|| Problem::not_found(uri))
}

/// The token is shown to the parent alone: whoever asks about the own account has it.
fn show(account: &Account, requester: Requester) -> Value {
    let sid = account.sid;
    let uri = format!("/2010-04-01/Accounts/{sid}");
    let token = (requester.user.account != sid).then(|| account.auth_token.expose());
    let below = |name: &str| format!("{uri}/{name}.json");
    json!({
        "sid": sid,
        "friendly_name": account.name,
        "status": account.status.as_str(),
        "type": "Full",
        "owner_account_sid": account.parent.unwrap_or(sid),
        "auth_token": token,
        "date_created": edit::date(account.created_unix_ms),
        "date_updated": edit::date(account.updated_unix_ms),
        "uri": format!("{uri}.json"),
        "subresource_uris": {
            "applications": below("Applications"),
            "calls": below("Calls"),
            "incoming_phone_numbers": below("IncomingPhoneNumbers"),
            "keys": below("Keys"),
            "notifications": below("Notifications"),
            "outgoing_caller_ids": below("OutgoingCallerIds"),
            "recordings": below("Recordings"),
            "usage": below("Usage/Records"),
        },
    })
}
