//! Who is asking: Basic authentication with an account's SID and auth token.

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use store::Scope;

use crate::ApiState;
use crate::plugins::Asker;
use crate::problem::Problem;

/// Lets a request through with the [`Scope`] of the account that asks.
///
/// A path that names another account gets the same 404 as one that does not exist, before anything is looked up.
pub(crate) async fn authenticate(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (user, password) = credentials(request.headers()).unwrap_or_default();
    let scope = state.store.directory().authenticate(&user, &password);
    let scope = scope.ok_or_else(Problem::unauthorized)?;
    if !names_account(request.uri(), scope) {
        return Err(Problem::not_found(request.uri()));
    }
    request.extensions_mut().insert(scope);
    request.extensions_mut().insert(Asker::account(scope));
    Ok(next.run(request).await)
}

/// User name and password of Basic authentication (RFC 7617).
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Whether the path lies in the account's own part of the API.
fn names_account(uri: &Uri, scope: Scope) -> bool {
    let path = uri.path();
    let segment = ["/2010-04-01/Accounts/", "/v1/Accounts/"]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let sid = segment.strip_suffix(".json").unwrap_or(segment);
    sid.parse() == Ok(scope.account())
}
