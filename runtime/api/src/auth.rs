//! Who is asking, and whose data: Basic authentication with an account's SID and auth token, or a key's SID and secret. Files of recordings need
//! neither where the account is set so.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use call::AccountSid;
use store::{ApiUser, Author, Directory, Scope};

use crate::ApiState;
use crate::brand::Brand;
use crate::parameters::Parameters;
use crate::plugins::Asker;
use crate::problem::Problem;
use crate::throttle::Throttle;

/// Who sent a request that was let through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requester {
    pub(crate) user: ApiUser,
    source: Option<IpAddr>,
}

impl Requester {
    /// For the audit log: who changes these fields now.
    pub(crate) fn author(&self, state: &ApiState, parameters: &Parameters) -> Author {
        let account = self.user.account.to_string();
        Author {
            who: self.user.key.map_or(account, |key| key.to_string()),
            source: self.source,
            at_unix_ms: (state.clock)(),
            fields: parameters.names(),
        }
    }
}

/// Lets a request through with the [`Scope`] of the account that it is about: the asking one, or a subaccount of it.
///
/// A path that names another account gets the same 404 as one that does not exist, before anything is looked up.
pub(crate) async fn authenticate(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let directory = state.store.directory();
    if let Some(scope) = open_to_all(&directory, &request) {
        request.extensions_mut().insert(scope);
        return Ok(next.run(request).await);
    }
    let user = prove(&state, &directory, &request)?;
    let uri = request.uri();
    let part = part(uri);
    let account = match part {
        Part::OfUser => Some(user.account),
        Part::Account(account) | Part::Below(account) => account,
    };
    let scope = account.and_then(|account| directory.scope_of(user, account));
    let scope = scope.ok_or_else(|| Problem::not_found(uri))?;
    check_active(&directory, user, scope.account(), part)?;
    if user.key.is_some() && !is_for_keys(uri) {
        return Err(Problem::access_denied());
    }
    let source = source(&request);
    request.extensions_mut().insert(scope);
    request.extensions_mut().insert(Asker::account(scope));
    request.extensions_mut().insert(Requester { user, source });
    Ok(next.run(request).await)
}

/// The account, where a request without credentials asks for the file of a recording, and the account's files are for all who know where
/// they are. Its other requests are checked, also those for its recordings.
fn open_to_all(directory: &Directory, request: &Request) -> Option<Scope> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read || request.headers().contains_key(AUTHORIZATION) {
        return None;
    }
    let rest = request.uri().path().strip_prefix("/2010-04-01/Accounts/")?;
    let (account, name) = rest.split_once("/Recordings/")?;
    let (sid, extension) = name.split_once('.').unwrap_or((name, ""));
    // What is escaped here may be anything once it is routed.
    let is_plain = sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_plain || !matches!(extension, "" | "wav" | "mp3") {
        return None;
    }
    let scope = directory.scope_of_open_recordings(account.parse().ok()?)?;
    let brand = request.extensions().get::<Brand>();
    let exists = brand.is_none_or(|brand| brand.is_of(directory, scope.account()));
    exists.then_some(scope)
}

/// Who is asking. Guesses are counted, by source and name.
fn prove(state: &ApiState, directory: &Directory, request: &Request) -> Result<ApiUser, Problem> {
    let (name, password) = credentials(request.headers()).unwrap_or_default();
    let now = (state.clock)();
    let throttle = request.extensions().get::<Arc<Throttle>>();
    // Who gives no name guesses nothing.
    let guard = throttle.zip(source(request)).filter(|_| !name.is_empty());
    if let Some((throttle, source)) = guard {
        let admitted = throttle.admit(now, source, &name);
        admitted.map_err(Problem::too_many_failures)?;
    }
    let user = directory.authenticate(&name, &password);
    let brand = request.extensions().get::<Brand>();
    let user = user.filter(|user| brand.is_none_or(|brand| brand.is_of(directory, user.account)));
    match (user, guard) {
        (Some(user), guard) => {
            if let Some((throttle, source)) = guard {
                throttle.proved(now, source, &name);
            }
            Ok(user)
        }
        (None, Some((throttle, source))) => {
            if throttle.failed(now, source, &name) {
                tracing::warn!(%source, "too many wrong credentials: turned away for a while");
            }
            Err(Problem::unauthorized())
        }
        (None, None) => Err(Problem::unauthorized()),
    }
}

/// Where a request came from; none where it came from no socket.
pub(crate) fn source(request: &Request) -> Option<IpAddr> {
    let source = request.extensions().get::<ConnectInfo<SocketAddr>>();
    source.map(|ConnectInfo(address)| address.ip())
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

/// Which part of the API a path lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// That of whoever asks.
    OfUser,
    /// An account itself; none for what is no SID.
    Account(Option<AccountSid>),
    /// What an account has.
    Below(Option<AccountSid>),
}

fn part(uri: &Uri) -> Part {
    let path = uri.path();
    if path == "/2010-04-01/Accounts.json" || path.starts_with("/v1/AuthTokens/") {
        return Part::OfUser;
    }
    let rest = ["/2010-04-01/Accounts/", "/v1/Accounts/"]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))
        .unwrap_or_default();
    match rest.split_once('/') {
        Some((sid, _)) => Part::Below(sid.parse().ok()),
        None => Part::Account(rest.strip_suffix(".json").unwrap_or(rest).parse().ok()),
    }
}

/// A suspended or closed account has no API. Its parent may still read it, and make it active again.
fn check_active(
    directory: &Directory,
    user: ApiUser,
    account: AccountSid,
    part: Part,
) -> Result<(), Problem> {
    let is_parents = user.account != account && matches!(part, Part::Account(_));
    let asked = if is_parents { user.account } else { account };
    match directory.is_active(asked) {
        true => Ok(()),
        false => Err(Problem::not_active(asked)),
    }
}

/// A key reaches everything but accounts, tokens and keys.
fn is_for_keys(uri: &Uri) -> bool {
    let is_of_keys = |rest: &str| {
        let kind = rest.split('/').nth(1).unwrap_or_default();
        kind == "Keys" || kind == "Keys.json"
    };
    match part(uri) {
        Part::OfUser | Part::Account(_) => false,
        Part::Below(_) => {
            let rest = uri.path().strip_prefix("/2010-04-01/Accounts/");
            !rest.is_some_and(is_of_keys)
        }
    }
}
