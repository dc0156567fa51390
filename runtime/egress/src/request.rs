//! A request as it is asked for, and as it goes over the wire.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, COOKIE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::authorization::{Proof, basic_auth};
use crate::cookies::CookieJar;
use crate::error::FetchError;
use crate::signature::{twilio_signature, without_credentials};

/// What a request is for; each kind has its own [`Bounds`](crate::Bounds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A webhook, or what else a story asks for.
    Story,
    /// A prompt to be played.
    Media,
}

/// One request, before redirects.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which bounds hold.
    pub kind: Kind,
    /// The method of the first request; redirects may turn it into GET (RFC 9110 section 15.4).
    pub method: Method,
    /// `http` or `https`. User information becomes Basic authentication, and digest authentication where the
    /// server asks for it; a fragment is not sent.
    pub url: String,
    /// In the order they are sent. Those that belong to the connection, the cookies and the signature are refused.
    pub headers: Vec<(String, String)>,
    /// As `headers`, for the server of the URL alone: a redirect to another one does not take them along.
    pub own_headers: OwnHeaders,
    /// Empty for none.
    pub body: Bytes,
    /// Makes it a webhook of the account: `X-Twilio-Signature` and `I-Twilio-Idempotency-Token` are sent along.
    pub sign: Option<SigningKey>,
    /// The idempotency token of an earlier attempt to tell the same; a webhook without one gets a new one.
    pub token: Option<u128>,
    /// Which hosts it may go to, redirects included; all where it is none.
    pub may_visit: Option<MayVisit>,
}

/// Header fields with secrets in them. Their values never show in debug output.
#[derive(Clone, Default)]
pub struct OwnHeaders(pub Vec<(String, String)>);

impl fmt::Debug for OwnHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Says of a URL whether a request may go there, and if not, why, in words for the tenant.
#[derive(Clone)]
pub struct MayVisit(Arc<Check>);

type Check = dyn Fn(&str) -> Result<(), String> + Send + Sync;

impl MayVisit {
    /// Whatever `check` lets through.
    #[must_use]
    pub fn new(check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }
}

impl fmt::Debug for MayVisit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MayVisit").finish_non_exhaustive()
    }
}

/// A response after redirects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// 100 to 599.
    pub status: u16,
    /// Names in lower case, in the order received; bytes outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The whole body; empty where a webhook was answered with audio.
    pub body: Bytes,
    /// Where the body came from; relative references resolve against it. User information is kept, a fragment is not.
    pub url: String,
}

/// The auth token that an account's webhooks are signed with. It never shows in debug output.
#[derive(Clone)]
pub struct SigningKey(String);

impl SigningKey {
    /// The key of an account with this auth token.
    #[must_use]
    pub fn new(auth_token: impl Into<String>) -> Self {
        Self(auth_token.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// What only this side may set.
const RESERVED: [&str; 13] = [
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "i-twilio-idempotency-token",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-twilio-signature",
];

/// What Twilio says of an account that has chosen no region. There are none here.
const HOME_REGION: &str = "us1";

/// Header fields of one request, at most.
const MAX_HEADERS: usize = 64;

/// A request that is sent once: the first one, or the one that a redirect asks for.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    webhook: Option<Webhook>,
    may_visit: Option<MayVisit>,
    /// The server's challenge, where it asked for digest authentication.
    proof: Option<Arc<Proof>>,
}

/// What makes a request a webhook.
#[derive(Debug, Clone)]
struct Webhook {
    key: SigningKey,
    /// The same for a retry and for redirects, so that the receiver can tell a repetition.
    idempotency_token: HeaderValue,
}

impl Hop {
    /// The first request. Fails on what is wrong with it in itself.
    pub(crate) fn first(request: Request, max_body: usize) -> Result<Self, FetchError> {
        if request.body.len() > max_body {
            let size = request.body.len();
            return Err(FetchError::TooLarge(format!(
                "a request body of {size} bytes; at most {max_body} are sent"
            )));
        }
        let token = request.token;
        let mut headers = parse_headers(&request.headers)?;
        for (name, mut value) in parse_headers(&request.own_headers.0)? {
            value.set_sensitive(true);
            headers.extend(name.map(|name| (name, value)));
        }
        let webhook = request.sign.map(|key| Webhook::new(key, token));
        let webhook = webhook.transpose()?;
        Ok(Self {
            method: request.method,
            url: parse_url(&request.url)?,
            headers,
            body: request.body,
            webhook,
            may_visit: request.may_visit,
            proof: None,
        })
    }

    /// Takes the response to it. True: the server wants digest authentication, which the URL has a user name for, and it is to be
    /// sent once more, with the proof.
    pub(crate) fn challenged<B>(&mut self, response: &http::Response<B>) -> bool {
        if self.proof.is_some() || self.headers.contains_key(AUTHORIZATION) {
            return false;
        }
        let cnonce = || Some(format!("{:032x}", random_token().ok()?));
        self.proof = Proof::asked_by(response, &self.url, cnonce).map(Arc::new);
        self.proof.is_some()
    }

    /// Whether it may leave for where it goes.
    pub(crate) fn check_visit(&self) -> Result<(), FetchError> {
        let check = self.may_visit.as_ref();
        let checked = check.map_or(Ok(()), |MayVisit(check)| check(self.url.as_str()));
        checked.map_err(FetchError::NotGranted)
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The request for the wire.
    pub(crate) fn to_wire(
        &self,
        cookies: &CookieJar,
        now: SystemTime,
    ) -> Result<http::Request<Full<Bytes>>, FetchError> {
        let wire_url = self.wire_url();
        let invalid = |error: http::Error| FetchError::InvalidUrl(error.to_string());
        let mut request = http::Request::builder()
            .method(self.method.clone())
            .uri(wire_url.as_str())
            .body(Full::new(self.body.clone()))
            .map_err(invalid)?;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers
            .entry(USER_AGENT)
            .or_insert(user_agent(self.webhook.is_some()));
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("*/*"));
        let authorization = match &self.proof {
            Some(proof) => proof.of(self.method.as_str(), &wire_url, &self.body),
            None => basic_auth(&self.url),
        };
        if let Some(authorization) = authorization {
            headers.entry(AUTHORIZATION).or_insert(authorization);
        }
        if let Some(cookie) = cookies.header(&self.url, now) {
            headers.insert(COOKIE, cookie);
        }
        if let Some(webhook) = &self.webhook {
            headers.insert(
                "x-twilio-signature",
                self.signature(&webhook.key, &wire_url),
            );
            headers.insert(
                "i-twilio-idempotency-token",
                webhook.idempotency_token.clone(),
            );
            headers
                .entry("x-home-region")
                .or_insert(HeaderValue::from_static(HOME_REGION));
        }
        Ok(request)
    }

    fn is_form(&self) -> bool {
        self.headers.get(CONTENT_TYPE).is_some_and(|value| {
            value
                .as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        })
    }

    /// Where it goes. A signature covers the URL and a form; of a webhook with another body, such as JSON, the URL tells the body's SHA-256.
    fn wire_url(&self) -> Url {
        let mut url = without_credentials(&self.url);
        if self.webhook.is_some() && !self.body.is_empty() && !self.is_form() {
            let hash = Sha256::digest(&self.body);
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            url.query_pairs_mut().append_pair("bodySHA256", &hash);
        }
        url
    }

    fn signature(&self, key: &SigningKey, wire_url: &Url) -> HeaderValue {
        let form: &[u8] = if self.is_form() { &self.body } else { &[] };
        let params: Vec<_> = url::form_urlencoded::parse(form).collect();
        let params = params
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()));
        HeaderValue::from_str(&twilio_signature(&key.0, wire_url, params))
            .expect("Base64 is a header value")
    }

    /// The request that a response asks for: none unless it is a redirect with a `Location`.
    ///
    /// The method becomes GET after 303, and after 301 and 302 to a POST (RFC 9110 section 15.4). Credentials and
    /// signature stay behind when host or port change: a signature for another host would let one server use the
    /// account's name at another.
    pub(crate) fn redirected<B>(
        &self,
        response: &http::Response<B>,
    ) -> Result<Option<Self>, FetchError> {
        let status = response.status().as_u16();
        let location = response.headers().get(http::header::LOCATION);
        let (301 | 302 | 303 | 307 | 308, Some(location)) = (status, location) else {
            return Ok(None);
        };
        let location = String::from_utf8_lossy(location.as_bytes());
        let mut next = self.clone();
        next.url = self.resolve(location.trim())?;
        next.proof = None;
        let to_get = match status {
            303 => self.method != Method::HEAD,
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if to_get {
            next.method = Method::GET;
            next.body = Bytes::new();
            for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
                next.headers.remove(name);
            }
        }
        if !same_server(&self.url, &next.url) {
            next.headers.remove(AUTHORIZATION);
            let own = next
                .headers
                .iter()
                .filter(|(_, value)| value.is_sensitive());
            let own: Vec<HeaderName> = own.map(|(name, _)| name.clone()).collect();
            for name in own {
                next.headers.remove(name);
            }
            next.webhook = None;
        }
        Ok(Some(next))
    }

    fn resolve(&self, location: &str) -> Result<Url, FetchError> {
        let bad = |why: &dyn fmt::Display| {
            FetchError::InvalidUrl(format!("redirect from {}: {why}", shown(&self.url)))
        };
        let mut next = self.url.join(location).map_err(|error| bad(&error))?;
        check_url(&next).map_err(|why| bad(&why))?;
        if self.url.scheme() == "https" && next.scheme() == "http" {
            return Err(FetchError::Protocol(format!(
                "{} redirects from https to http, which is not followed",
                shown(&self.url)
            )));
        }
        if same_server(&self.url, &next) && next.username().is_empty() && next.password().is_none()
        {
            // These fail for a URL without a host only.
            let _ = next.set_username(self.url.username());
            let _ = next.set_password(self.url.password());
        }
        next.set_fragment(None);
        Ok(next)
    }
}

impl Webhook {
    fn new(key: SigningKey, token: Option<u128>) -> Result<Self, FetchError> {
        let token = token.map_or_else(random_token, Ok)?;
        let token = format!("{token:032x}");
        let idempotency_token =
            HeaderValue::from_str(&token).expect("hexadecimal digits are a header value");
        Ok(Self {
            key,
            idempotency_token,
        })
    }
}

fn random_token() -> Result<u128, FetchError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| FetchError::Protocol(format!("no randomness: {error}")))?;
    Ok(u128::from_be_bytes(bytes))
}

/// A URL for logs and errors: no user information, no query, no fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = without_credentials(url);
    url.set_query(None);
    url.into()
}

fn parse_url(text: &str) -> Result<Url, FetchError> {
    let mut url = Url::parse(text).map_err(|error| {
        FetchError::InvalidUrl(format!("{error}; expected http:// or https://"))
    })?;
    check_url(&url).map_err(FetchError::InvalidUrl)?;
    url.set_fragment(None);
    Ok(url)
}

fn check_url(url: &Url) -> Result<(), String> {
    match url.scheme() {
        "http" | "https" if url.port() == Some(0) => Err("port 0".to_owned()),
        "http" | "https" => Ok(()),
        scheme => Err(format!(
            "the scheme is `{scheme}`; expected `http` or `https`"
        )),
    }
}

fn parse_headers(headers: &[(String, String)]) -> Result<HeaderMap, FetchError> {
    if headers.len() > MAX_HEADERS {
        let count = headers.len();
        return Err(FetchError::TooLarge(format!(
            "{count} header fields; at most {MAX_HEADERS} are sent"
        )));
    }
    let mut map = HeaderMap::with_capacity(headers.len() + 6);
    for (name, value) in headers {
        let invalid = |what: &str| FetchError::Protocol(format!("header `{name}`: {what}"));
        let key =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("not a header name"))?;
        if RESERVED.contains(&key.as_str()) {
            return Err(invalid("set by the runtime, not by a story"));
        }
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| invalid("its value holds control characters"))?;
        map.append(key, value);
    }
    Ok(map)
}

/// Same host and port; an upgrade from `http` to `https` at their default ports counts as the same.
fn same_server(one: &Url, other: &Url) -> bool {
    one.host() == other.host() && one.port() == other.port()
}

/// Who we say we are. Webhooks have Twilio's name, which servers tell them by.
pub(crate) fn user_agent(is_webhook: bool) -> HeaderValue {
    HeaderValue::from_static(if is_webhook {
        "TwilioProxy/1.1"
    } else {
        concat!("jackfield/", env!("CARGO_PKG_VERSION"))
    })
}
