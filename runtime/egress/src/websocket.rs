//! WebSocket connections for media streams: the same guard, another protocol.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderName, HeaderValue};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error as WsError;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tower::Service as _;
use url::Url;

use crate::authorization::basic_auth;
use crate::connector::{ConnectError, GuardedConnector, TENANT};
use crate::egress::{Egress, causes, tls_connector};
use crate::gate::Place;
use crate::grants::Grants;
use crate::request::{SigningKey, shown, user_agent};
use crate::signature::{twilio_signature, without_credentials};

/// Room for the far end's next bytes.
const READ_BYTES: usize = 16 << 10;

/// What a WebSocket goes over: TCP, or TLS over it.
pub type Transport = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// A WebSocket that was accepted. It counts as one of its tenant's until it is dropped.
#[derive(Debug)]
pub struct WebSocket {
    /// Where messages go and come from.
    pub messages: WebSocketStream<Transport>,
    /// Keeps its place among the tenant's.
    pub place: WebSocketPlace,
}

/// A place among a tenant's connections; dropping it lets the next one in.
#[derive(Debug)]
pub struct WebSocketPlace(#[expect(dead_code, reason = "is only dropped")] Place);

/// Bounds on WebSocket connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebSocketBounds {
    /// From the wait for a place to the answer of the handshake.
    pub handshake: Duration,
    /// Bytes of a message that comes in, and of each frame of it.
    pub message_bytes: usize,
    /// Open ones of a tenant; further ones wait within the time of the handshake.
    pub per_tenant: usize,
    /// Open ones of all tenants.
    pub at_once: usize,
}

impl Default for WebSocketBounds {
    /// 10 s; 1 MiB, which is 98 s of audio; 500 of a tenant, 2,000 in all.
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            message_bytes: 1 << 20,
            per_tenant: 500,
            at_once: 2_000,
        }
    }
}

/// Why there is no WebSocket. The text is for the tenant's log; it holds no credentials and no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebSocketError {
    /// The URL is not one, or not `ws` or `wss`.
    #[error("invalid URL: {0}")]
    InvalidUrl(String),
    /// The address is not granted to this tenant; names the setting that would allow it.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// No such host, or nobody answers there.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The handshake was answered with another status than 101. Redirects are not followed.
    #[error("refused: {0}")]
    Refused(String),
    /// The time was over.
    #[error("timed out: {0}")]
    TimedOut(String),
    /// TLS, HTTP or the handshake itself went wrong.
    #[error("protocol error: {0}")]
    Protocol(String),
}

impl Egress {
    /// Opens a WebSocket for a tenant. `sign`: the handshake is signed as a webhook of the account (`X-Twilio-Signature` over the
    /// URL). `ws`, which is not encrypted, goes to granted hosts and addresses only.
    ///
    /// # Errors
    /// If it does not come about within [`WebSocketBounds::handshake`].
    pub async fn open_websocket(
        &self,
        tenant: &str,
        grants: &Grants,
        url: &str,
        sign: Option<SigningKey>,
    ) -> Result<WebSocket, WebSocketError> {
        let url = parse(url)?;
        let request = request(&url, sign)?;
        self.open_as(tenant, grants, &url, request).await
    }

    /// Opens a WebSocket with these fields in its handshake, unsigned.
    ///
    /// # Errors
    /// As [`Self::open_websocket`]; `Protocol` for a field that is none.
    pub async fn open_websocket_with(
        &self,
        tenant: &str,
        grants: &Grants,
        url: &str,
        fields: &[(String, String)],
    ) -> Result<WebSocket, WebSocketError> {
        let url = parse(url)?;
        let mut request = request(&url, None)?;
        for (name, value) in fields {
            let field = HeaderName::try_from(name)
                .ok()
                .zip(HeaderValue::try_from(value).ok());
            let (name, value) = field
                .ok_or_else(|| WebSocketError::Protocol(format!("{name:?} is no header field")))?;
            request.headers_mut().insert(name, value);
        }
        self.open_as(tenant, grants, &url, request).await
    }

    async fn open_as(
        &self,
        tenant: &str,
        grants: &Grants,
        url: &Url,
        request: Request,
    ) -> Result<WebSocket, WebSocketError> {
        let time = self.limits().websocket.handshake;
        let attempt = async {
            let place = self.websockets().enter(tenant).await;
            let shaken = self.handshake(grants, url, request);
            let messages = TENANT.scope(tenant.into(), shaken).await?;
            Ok(WebSocket {
                messages,
                place: WebSocketPlace(place),
            })
        };
        timeout(time, attempt).await.unwrap_or_else(|_| {
            let url = shown(url);
            Err(WebSocketError::TimedOut(format!(
                "{url}: no answer to the handshake within {time:?}"
            )))
        })
    }

    async fn handshake(
        &self,
        grants: &Grants,
        url: &Url,
        request: Request,
    ) -> Result<WebSocketStream<Transport>, WebSocketError> {
        let guarded = GuardedConnector {
            grants: Arc::new(grants.clone()),
            lookups: self.lookups(),
            time: self.limits().connect,
            plain_needs_grant: true,
        };
        let mut connector = tls_connector(guarded, self.roots());
        let connected = connector.call(http_uri(url)?).await;
        let transport = connected.map_err(|error| classify(error.as_ref(), url))?;
        let bytes = self.limits().websocket.message_bytes;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(bytes))
            .max_frame_size(Some(bytes));
        let shaken = tokio_tungstenite::client_async_with_config(
            request,
            TokioIo::new(transport),
            Some(config),
        )
        .await;
        match shaken {
            Ok((messages, _response)) => Ok(messages),
            Err(WsError::Http(response)) => Err(WebSocketError::Refused(format!(
                "{}: status {} to the handshake",
                shown(url),
                response.status().as_u16()
            ))),
            Err(error) => Err(protocol(url, &error)),
        }
    }
}

fn parse(text: &str) -> Result<Url, WebSocketError> {
    let mut url = Url::parse(text).map_err(|error| {
        WebSocketError::InvalidUrl(format!("{error}; expected wss:// or ws://"))
    })?;
    match url.scheme() {
        "ws" | "wss" if url.port() == Some(0) => Err(WebSocketError::InvalidUrl("port 0".into())),
        "ws" | "wss" => {
            url.set_fragment(None);
            Ok(url)
        }
        scheme => Err(WebSocketError::InvalidUrl(format!(
            "the scheme is `{scheme}`; expected `wss` or `ws`"
        ))),
    }
}

/// The same place for those who know HTTP only.
fn http_uri(url: &Url) -> Result<http::Uri, WebSocketError> {
    let text = without_credentials(url).as_str().replacen("ws", "http", 1);
    text.parse()
        .map_err(|error| WebSocketError::InvalidUrl(format!("{}: {error}", shown(url))))
}

fn request(url: &Url, sign: Option<SigningKey>) -> Result<Request, WebSocketError> {
    let plain = without_credentials(url);
    let mut request = plain
        .as_str()
        .into_client_request()
        .map_err(|error| WebSocketError::InvalidUrl(format!("{}: {error}", shown(url))))?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, user_agent(sign.is_some()));
    if let Some(basic) = basic_auth(url) {
        headers.insert(AUTHORIZATION, basic);
    }
    if let Some(key) = sign {
        let signature = HeaderValue::from_str(&twilio_signature(key.expose(), url, []));
        headers.insert(
            "x-twilio-signature",
            signature.expect("Base64 is a header value"),
        );
    }
    Ok(request)
}

/// What the connector's error means: the guard's refusal, a failed connection, or a fault of TLS.
fn classify(error: &(dyn Error + Send + Sync + 'static), url: &Url) -> WebSocketError {
    let first: &(dyn Error + 'static) = error;
    let sources = std::iter::successors(Some(first), |&error| error.source());
    match sources
        .filter_map(|source| source.downcast_ref::<ConnectError>())
        .next()
    {
        Some(refused @ ConnectError::Refused(_)) => WebSocketError::NotGranted(refused.to_string()),
        Some(failed @ ConnectError::Failed { .. }) => {
            WebSocketError::Unreachable(failed.to_string())
        }
        None => WebSocketError::Protocol(format!("{}: TLS: {}", shown(url), causes(first))),
    }
}

fn protocol(url: &Url, error: &(dyn Error + 'static)) -> WebSocketError {
    WebSocketError::Protocol(format!("{}: {}", shown(url), causes(error)))
}
