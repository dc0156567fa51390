//! Twilio's `Keys` resource, and `AuthTokens`: what the users of an account prove themselves by.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::KeySid;
use serde_json::{Value, json};
use store::{Account, ApiKey, Edit, Page, Scope, Secret, random_key_sid};

use crate::ApiState;
use crate::auth::Requester;
use crate::date::iso8601;
use crate::edit::{self, edit, friendly_name};
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

const NAMED: Vocabulary = Vocabulary {
    supported: &["FriendlyName"],
    unsupported: &[],
};
const LIST: Vocabulary = Vocabulary {
    supported: &["PageSize", "Page", "PageToken"],
    unsupported: &[],
};
const NOTHING: Vocabulary = Vocabulary {
    supported: &[],
    unsupported: &[],
};

/// `POST /Keys.json`: a new key. Its secret is told here and never again.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let parameters = Parameters::of_form(&headers, body, NAMED)?;
    let (sid, secret) = (random_key_sid(), Secret::random());
    let change = Edit::MakeKey {
        sid,
        name: friendly_name(&parameters, 64)?.unwrap_or_default(),
        secret: secret.clone(),
    };
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    let account = directory.account(scope.account());
    let key = account.and_then(|account| account.keys.get(&sid));
    let mut shown = show(sid, key.ok_or_else(|| Problem::not_found(&uri))?);
    shown["secret"] = secret.expose().into();
    Ok((StatusCode::CREATED, Json(shown)))
}

/// `GET /Keys.json`, newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<KeySid>::read(&parameters)?;
    let directory = state.store.directory();
    let account = directory.account(scope.account());
    let keys = account.into_iter().flat_map(|account| &account.keys);
    let at = |(sid, key): &(&KeySid, &ApiKey)| (key.created_unix_ms, **sid);
    let page = Page::of(keys, at, request.from, request.size);
    let shown = |(sid, key): (&KeySid, &ApiKey)| show(*sid, key);
    Ok(Json(request.answer("keys", uri.path(), &[], page, shown)))
}

/// `GET /Keys/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let sid = edit::sid(&name, &uri)?;
    let directory = state.store.directory();
    let account = directory.account(scope.account());
    let key = account.and_then(|account| account.keys.get(&sid));
    let key = key.ok_or_else(|| Problem::not_found(&uri))?;
    Ok(Json(show(sid, key)))
}

/// `POST /Keys/{Sid}.json`: its name.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((account, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let sid = edit::sid(&name, &uri)?;
    let parameters = Parameters::of_form(&headers, body, NAMED)?;
    if let Some(name) = friendly_name(&parameters, 64)? {
        let change = Edit::RenameKey(sid, name);
        edit(&state, scope, &requester, change, &parameters, &uri).await?;
    }
    fetch(State(state), Extension(scope), Path((account, name)), uri).await
}

/// `DELETE /Keys/{Sid}.json`: it opens nothing any more.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let change = Edit::DeleteKey(edit::sid(&name, &uri)?);
    let parameters = Parameters::none();
    edit(&state, scope, &requester, change, &parameters, &uri).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn show(sid: KeySid, key: &ApiKey) -> Value {
    json!({
        "sid": sid,
        "friendly_name": key.name,
        "date_created": edit::date(key.created_unix_ms),
        "date_updated": edit::date(key.updated_unix_ms),
    })
}

/// `POST /v1/AuthTokens/Secondary`: a second token, as good as the first for the API. It signs nothing yet.
pub(crate) async fn create_secondary(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let parameters = Parameters::of_form(&headers, body, NOTHING)?;
    let token = Secret::random();
    let change = Edit::MakeSecondaryToken(token.clone());
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    let account = directory.account(scope.account());
    let account = account.ok_or_else(|| Problem::not_found(&uri))?;
    let mut shown = show_tokens(account, &state.url_of(account.sid), "Secondary");
    shown["secondary_auth_token"] = token.expose().into();
    Ok((StatusCode::CREATED, Json(shown)))
}

/// `DELETE /v1/AuthTokens/Secondary`.
pub(crate) async fn delete_secondary(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let change = Edit::DeleteSecondaryToken;
    let parameters = Parameters::none();
    edit(&state, scope, &requester, change, &parameters, &uri).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/AuthTokens/Promote`: the second token takes the place of the first, and signs from now on.
pub(crate) async fn promote(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_form(&headers, body, NOTHING)?;
    let change = Edit::PromoteSecondaryToken;
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    let account = directory.account(scope.account());
    let account = account.ok_or_else(|| Problem::not_found(&uri))?;
    let mut shown = show_tokens(account, &state.url_of(account.sid), "Promote");
    shown["auth_token"] = account.auth_token.expose().into();
    Ok(Json(shown))
}

/// Dates are ISO 8601 here, as in all of Twilio's later APIs.
fn show_tokens(account: &Account, url: &str, name: &str) -> Value {
    let date = |unix_ms: u64| (unix_ms > 0).then(|| iso8601(unix_ms)).flatten();
    json!({
        "account_sid": account.sid,
        "date_created": date(account.created_unix_ms),
        "date_updated": date(account.updated_unix_ms),
        "url": format!("{url}/v1/AuthTokens/{name}"),
    })
}
