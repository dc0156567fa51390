//! The way out over HTTP for calls: stories' requests and prompts, under the account's grants.

use std::sync::Arc;
use std::time::Duration;

use call::{HttpError, HttpMethod, HttpRequest, HttpResponse, StreamError};
use egress::{
    Egress, FetchError, Grants, Kind, MayVisit, OwnHeaders, Request, SigningKey, StreamedResponse,
    WebSocket, WebSocketError,
};
use store::tenants::MAX_COMPONENT_BYTES;
use tracing::warn;

/// The cookies of one call. They go with every request of its story and end with it.
pub(crate) type Cookies = Arc<egress::CookieJar>;

/// Every request of every call leaves here; the bounds are those of [`egress::Limits`].
pub(crate) struct Web {
    egress: Egress,
}

/// What a prompt's server answered. Header fields have names in lower case.
pub(crate) enum Media {
    /// Its body still comes in.
    New(StreamedResponse),
    Unchanged {
        headers: Vec<(String, String)>,
    },
    /// There is none, or not for us.
    Refused {
        status: u16,
    },
}

impl Web {
    /// Believes the servers that have their certificates from these authorities.
    pub(crate) fn trusting(roots: egress::Roots) -> Self {
        Self {
            egress: Egress::new(egress::Limits::default()).trusting(roots),
        }
    }

    /// Makes a story's request, to hosts that are granted to it. The tenant's log says which grant is missing.
    pub(crate) async fn story_request(
        &self,
        account: &store::Account,
        granted: Arc<call::Grants>,
        cookies: &Cookies,
        request: HttpRequest,
    ) -> Result<HttpResponse, HttpError> {
        let checked = granted.check_request(&request);
        let ready = checked.and_then(|()| with_secrets_of(account, request));
        let response = match ready {
            Ok((request, own_headers)) => {
                let key = SigningKey::new(account.auth_token.expose());
                let request = Request {
                    own_headers,
                    may_visit: Some(MayVisit::new(move |url| granted.check_url(url))),
                    ..of_story(request, &key)
                };
                self.fetch(account, request, cookies).await
            }
            Err(why) => Err(HttpError::NotGranted(why)),
        };
        if let Err(HttpError::NotGranted(why)) = &response {
            warn!(target: "tenant", "an HTTP request was refused: {why}");
        }
        response.map(to_story)
    }

    /// Makes a request of the host for a story.
    pub(crate) async fn request(
        &self,
        account: &store::Account,
        cookies: &Cookies,
        request: HttpRequest,
    ) -> Result<HttpResponse, HttpError> {
        let request = of_story(request, &SigningKey::new(account.auth_token.expose()));
        self.fetch(account, request, cookies).await.map(to_story)
    }

    /// Tells an account's server something: each attempt at the same has the same token. `own_headers`: secrets, for that server alone.
    pub(crate) async fn tell(
        &self,
        account: &store::Account,
        request: HttpRequest,
        own_headers: OwnHeaders,
        token: [u8; 16],
    ) -> Result<HttpResponse, HttpError> {
        let request = Request {
            own_headers,
            token: Some(u128::from_be_bytes(token)),
            ..of_story(request, &SigningKey::new(account.auth_token.expose()))
        };
        let response = self.fetch(account, request, &Cookies::default()).await?;
        Ok(to_story(response))
    }

    /// Fetches a prompt, unless it still is what these header fields ask for.
    pub(crate) async fn media(
        &self,
        account: &store::Account,
        url: &str,
        conditions: &[(String, String)],
    ) -> Result<Media, HttpError> {
        let request = Request {
            kind: Kind::Media,
            method: http::Method::GET,
            url: url.to_owned(),
            headers: conditions.to_vec(),
            body: bytes::Bytes::new(),
            sign: None,
            may_visit: None,
            own_headers: egress::OwnHeaders::default(),
            token: None,
        };
        let response = self
            .egress
            .open(
                &account.payer().to_string(),
                &grants(account)?,
                request,
                &Cookies::default(),
            )
            .await
            .map_err(in_call_words)?;
        match response.status {
            200 => Ok(Media::New(response)),
            304 if !conditions.is_empty() => Ok(Media::Unchanged {
                headers: response.headers,
            }),
            status @ 500.. => {
                let why = format!("{}: status {status}", without_query(url));
                Err(HttpError::Unreachable(why))
            }
            status => Ok(Media::Refused { status }),
        }
    }

    /// Opens the WebSocket of a media stream, signed as a webhook of the account.
    pub(crate) async fn open_stream(
        &self,
        account: &store::Account,
        url: &str,
    ) -> Result<WebSocket, StreamError> {
        let grants = Grants::parse(&account.egress.allow)
            .map_err(|error| StreamError::NotGranted(error.to_string()))?;
        let key = SigningKey::new(account.auth_token.expose());
        self.egress
            .open_websocket(&account.payer().to_string(), &grants, url, Some(key))
            .await
            .map_err(|error| match error {
                WebSocketError::InvalidUrl(_) => StreamError::Protocol(error.to_string()),
                WebSocketError::Protocol(why) => StreamError::Protocol(why),
                WebSocketError::NotGranted(why) => StreamError::NotGranted(why),
                WebSocketError::Unreachable(why) => StreamError::Unreachable(why),
                WebSocketError::Refused(why) => StreamError::Refused(why),
                WebSocketError::TimedOut(why) => StreamError::TimedOut(why),
            })
    }

    async fn fetch(
        &self,
        account: &store::Account,
        request: Request,
        cookies: &Cookies,
    ) -> Result<egress::Response, HttpError> {
        self.egress
            .fetch(
                &account.payer().to_string(),
                &grants(account)?,
                request,
                cookies,
            )
            .await
            .map_err(in_call_words)
    }
}

/// The request without the header fields that name secrets, and these with the secrets in them.
fn with_secrets_of(
    account: &store::Account,
    mut request: HttpRequest,
) -> Result<(HttpRequest, OwnHeaders), String> {
    let (own, plain) = std::mem::take(&mut request.headers)
        .into_iter()
        .partition::<Vec<_>, _>(|(_, value)| call::secrets_in(value).next().is_some());
    request.headers = plain;
    let secret = |name: &str| account.secrets.get(name).map(store::Secret::expose);
    let filled = own.into_iter().map(|(name, value)| {
        let value = call::with_secrets(&value, secret).map_err(|secret| {
            format!("the account has no secret `{secret}`: add it to the account's `secrets` in the tenants file")
        })?;
        Ok((name, value))
    });
    let filled = filled.collect::<Result<Vec<_>, String>>()?;
    Ok((request, OwnHeaders(filled)))
}

/// A story's request, as it goes out.
pub(crate) fn of_story(request: HttpRequest, key: &SigningKey) -> Request {
    Request {
        kind: Kind::Story,
        method: method(request.method),
        url: request.url,
        headers: request.headers,
        body: request.body.into(),
        sign: request.sign.then(|| key.clone()),
        may_visit: None,
        own_headers: egress::OwnHeaders::default(),
        token: None,
    }
}

/// What came back, as a story takes it.
pub(crate) fn to_story(response: egress::Response) -> HttpResponse {
    HttpResponse {
        status: response.status,
        headers: response.headers,
        body: response.body.to_vec(),
        url: response.url,
    }
}

/// Which addresses that are not public an account may reach.
fn grants(account: &store::Account) -> Result<Grants, HttpError> {
    // The tenants file was checked when it was applied; what fails here is a grant of an older version.
    Grants::parse(&account.egress.allow).map_err(|error| HttpError::NotGranted(error.to_string()))
}

/// For logs: a query may hold what only the tenant should know.
pub(crate) fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

const fn method(method: HttpMethod) -> http::Method {
    match method {
        HttpMethod::Get => http::Method::GET,
        HttpMethod::Post => http::Method::POST,
        HttpMethod::Put => http::Method::PUT,
        HttpMethod::Delete => http::Method::DELETE,
    }
}

pub(crate) fn in_call_words(error: FetchError) -> HttpError {
    match error {
        FetchError::InvalidUrl(why) => HttpError::InvalidUrl(why),
        FetchError::NotGranted(why) => HttpError::NotGranted(why),
        FetchError::Unreachable(why) => HttpError::Unreachable(why),
        FetchError::TimedOut(why) => HttpError::TimedOut(why),
        FetchError::TooLarge(why) => HttpError::TooLarge(why),
        FetchError::TooManyRedirects(why) => HttpError::TooManyRedirects(why),
        FetchError::Protocol(why) => HttpError::Protocol(why),
    }
}

/// How long a server's API may take to answer a command: a component is compiled and tested meanwhile, after those before it.
const API_PATIENCE: Duration = Duration::from_secs(300);

/// Bytes of its answer: a table of a million people.
const API_ANSWER_BYTES: usize = 1 << 30;

/// Asks a server's API: the way in for commands. What is at `url` was chosen by whoever gives the command.
pub(crate) async fn ask_api(
    method: http::Method,
    url: &url::Url,
    authorization: &str,
    content_type: &str,
    body: bytes::Bytes,
) -> anyhow::Result<(u16, bytes::Bytes)> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let grants = Grants::parse(&[host.trim_matches(['[', ']'])])?;
    let request = Request {
        kind: Kind::Media,
        method,
        url: url.to_string(),
        headers: vec![
            ("authorization".to_owned(), authorization.to_owned()),
            ("content-type".to_owned(), content_type.to_owned()),
        ],
        body,
        sign: None,
        may_visit: None,
        own_headers: egress::OwnHeaders::default(),
        token: None,
    };
    let limits = egress::Limits::default();
    let limits = egress::Limits {
        media: egress::Bounds {
            total: API_PATIENCE,
            first_byte: API_PATIENCE,
            response_bytes: API_ANSWER_BYTES,
            ..limits.media
        },
        request_bytes: usize::try_from(MAX_COMPONENT_BYTES)?,
        ..limits
    };
    let response = Egress::new(limits)
        .fetch("operator", &grants, request, &Cookies::default())
        .await?;
    Ok((response.status, response.body))
}

#[cfg(test)]
mod tests;
