//! Whose API it is to those who reach it by a carrier's own host name.

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{HOST, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use call::{AccountSid, RecordingSid};
use store::{CarrierId, Directory};

use crate::ApiState;
use crate::problem::{PAGES, Problem};

/// The carrier that the host name of a request is of.
#[derive(Debug, Clone)]
pub(crate) struct Brand {
    carrier: CarrierId,
    domain: String,
}

/// What an account reaches the API by: its carrier's own host name, or else `public_url`, which has no slash at its end.
pub(crate) fn url_of(directory: &Directory, account: AccountSid, public_url: &str) -> String {
    match domain_of(directory, account) {
        Some(domain) => format!("https://{domain}"),
        None => public_url.to_owned(),
    }
}

/// Where an account reads about errors; the code comes behind it.
pub(crate) fn pages_of(directory: &Directory, account: AccountSid) -> String {
    match domain_of(directory, account) {
        Some(domain) => pages(domain),
        None => PAGES.to_owned(),
    }
}

/// The address of a recording's file without its ending, as applications are told it.
#[must_use]
pub fn recording_url(
    directory: &Directory,
    account: AccountSid,
    recording: RecordingSid,
    public_url: &str,
) -> String {
    let url = url_of(directory, account, public_url);
    format!("{url}/2010-04-01/Accounts/{account}/Recordings/{recording}")
}

fn domain_of(directory: &Directory, account: AccountSid) -> Option<&str> {
    let carrier = &directory.account(account)?.carrier;
    directory.carrier(carrier)?.domain.as_deref()
}

fn pages(domain: &str) -> String {
    format!("https://{domain}/docs/errors")
}

impl Brand {
    fn of(request: &Request, directory: &Directory) -> Option<Self> {
        let host = request.headers().get(HOST)?.to_str().ok()?;
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let carrier = directory.carriers().find(|carrier| {
            let domain = carrier.domain.as_deref();
            domain.is_some_and(|domain| domain.eq_ignore_ascii_case(host))
        })?;
        Some(Self {
            carrier: carrier.id.clone(),
            domain: carrier.domain.clone()?,
        })
    }

    /// Whether an account is one of the carrier's: the others do not exist here.
    pub(crate) fn is_of(&self, directory: &Directory, account: AccountSid) -> bool {
        let account = directory.account(account);
        account.is_some_and(|account| account.carrier == self.carrier)
    }
}

/// Under a carrier's host name errors lead to its own pages, and its domain is the realm.
pub(crate) async fn show(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(brand) = Brand::of(&request, &state.store.directory()) else {
        return next.run(request).await;
    };
    request.extensions_mut().insert(brand.clone());
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>().cloned() else {
        return response;
    };
    let mut branded = problem.with_pages(pages(&brand.domain)).into_response();
    for (name, value) in response.headers() {
        if !branded.headers().contains_key(name) {
            branded.headers_mut().insert(name, value.clone());
        }
    }
    let realm = HeaderValue::try_from(format!("Basic realm=\"{}\"", brand.domain));
    if let (true, Ok(realm)) = (branded.headers().contains_key(WWW_AUTHENTICATE), realm) {
        branded.headers_mut().insert(WWW_AUTHENTICATE, realm);
    }
    branded
}
