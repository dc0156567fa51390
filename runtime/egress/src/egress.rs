//! The door itself.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client as PooledClient, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout, timeout_at};

use crate::connector::{ConnectError, GuardedConnector, TENANT};
use crate::cookies::CookieJar;
use crate::error::FetchError;
use crate::gate::Gate;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::overrides::{Overrides, Retries};
use crate::request::{Hop, Kind, Request, Response, shown};
use crate::resolve::{Lookups, Resolve, SystemResolver};
use crate::roots::Roots;
use crate::stream::{StreamedResponse, too_late};

type Client = PooledClient<HttpsConnector<GuardedConnector>, Full<Bytes>>;

/// How long an idle connection is kept. Shorter than the keep-alive of common application servers (gunicorn: 2 s), which
/// might otherwise close it just as a request leaves.
const IDLE: Duration = Duration::from_millis(1500);
/// Idle connections kept to one server.
const IDLE_PER_SERVER: usize = 8;
/// Bytes of a response's head.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// The one way out over HTTP.
///
/// Proxy settings of the environment are not read. Bodies are taken as they come: compression is neither asked for nor
/// undone.
pub struct Egress {
    limits: Limits,
    roots: Roots,
    lookups: Lookups,
    pools: Mutex<Pools>,
    story: Gate,
    media: Gate,
    websockets: Gate,
}

/// One connection pool for each set of grants, so that nobody gets a connection that only another tenant may make, and for each
/// time that connecting may take.
#[derive(Default)]
struct Pools {
    by_grants: HashMap<(Grants, Duration), (Client, u64)>,
    /// Counts uses: the pool with the lowest number was used longest ago.
    uses: u64,
}

impl Egress {
    /// A door with these limits that asks the system's resolver.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::with_resolver(limits, Arc::new(SystemResolver))
    }

    /// A door with these limits that asks `resolver` for addresses.
    #[must_use]
    pub fn with_resolver(limits: Limits, resolver: Arc<dyn Resolve>) -> Self {
        Self {
            lookups: Lookups::new(resolver),
            pools: Mutex::default(),
            story: Gate::new(limits.story.per_tenant, limits.story.at_once),
            media: Gate::new(limits.media.per_tenant, limits.media.at_once),
            websockets: Gate::new(limits.websocket.per_tenant, limits.websocket.at_once),
            limits,
            roots: Roots::public(),
        }
    }

    /// The same door, which believes these authorities.
    #[must_use]
    pub fn trusting(self, roots: Roots) -> Self {
        Self { roots, ..self }
    }

    /// Makes a request for a tenant: follows redirects, keeps cookies, tries once more if no connection was made. A webhook's URL may
    /// want it otherwise in its fragment ([Twilio's connection overrides](https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides)).
    ///
    /// `tenant` is the account's SID; requests beyond the bounds of [`Limits`] wait within their total time. Runs on a
    /// tokio runtime with I/O and time; dropping the future abandons the request. A webhook that is answered with audio has an empty
    /// body: whoever plays it asks for it as [`Kind::Media`], under those bounds.
    ///
    /// # Errors
    /// If no response came, or one that breaks a limit. Every status is a response, 4xx and 5xx too.
    pub async fn fetch(
        &self,
        tenant: &str,
        grants: &Grants,
        request: Request,
        cookies: &CookieJar,
    ) -> Result<Response, FetchError> {
        let is_webhook = request.sign.is_some();
        let mut response = self.open(tenant, grants, request, cookies).await?;
        let mut body = BytesMut::new();
        let is_left_out = is_webhook && response.is_audio();
        while !is_left_out && let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: response.status,
            headers: response.headers,
            body: body.freeze(),
            url: response.url,
        })
    }

    /// Makes a request as [`Self::fetch`] does, and gives the response as soon as its head is there. Its body counts as part of the
    /// request: as to time, to size, and to the place it holds.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub async fn open(
        &self,
        tenant: &str,
        grants: &Grants,
        request: Request,
        cookies: &CookieJar,
    ) -> Result<StreamedResponse, FetchError> {
        let (mut bounds, gate) = match request.kind {
            Kind::Story => (self.limits.story, &self.story),
            Kind::Media => (self.limits.media, &self.media),
        };
        let overrides = match request.sign {
            Some(_) => Overrides::of(&request.url)?,
            None => Overrides::default(),
        };
        bounds.total = overrides.total.unwrap_or(bounds.total).min(bounds.total);
        bounds.first_byte = overrides
            .first_byte
            .unwrap_or(bounds.first_byte)
            .min(bounds.first_byte);
        let client = self.client(grants, overrides.connect.unwrap_or(self.limits.connect));
        let deadline = Instant::now() + bounds.total;
        let hop = Hop::first(request, self.limits.request_bytes)?;
        let place = timeout_at(deadline, gate.enter(tenant))
            .await
            .map_err(|_| {
                FetchError::TimedOut(format!(
                    "no place among {} requests of the account within {:?}",
                    bounds.per_tenant, bounds.total
                ))
            })?;
        let first = shown(hop.url());
        let exchange = self.exchange(&client, hop, cookies, bounds.first_byte, overrides.retries);
        let exchange = TENANT.scope(tenant.into(), exchange);
        let (response, hop) = timeout_at(deadline, exchange)
            .await
            .map_err(|_| too_late(&first, bounds.total))??;
        Ok(StreamedResponse::new(
            response, &hop, bounds, deadline, place,
        ))
    }

    /// The response that is no redirect, and to what.
    async fn exchange(
        &self,
        client: &Client,
        mut hop: Hop,
        cookies: &CookieJar,
        first_byte: Duration,
        mut retries: Retries,
    ) -> Result<(http::Response<Incoming>, Hop), FetchError> {
        for _ in 0..=self.limits.redirects {
            hop.check_visit()?;
            let response = send(client, &mut hop, cookies, first_byte, &mut retries).await?;
            cookies.store(hop.url(), response.headers(), SystemTime::now());
            match hop.redirected(&response)? {
                Some(next) => hop = next,
                None => return Ok((response, hop)),
            }
        }
        let (last, most) = (shown(hop.url()), self.limits.redirects);
        Err(FetchError::TooManyRedirects(format!(
            "more than {most}; the last one led to {last}"
        )))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn lookups(&self) -> Lookups {
        self.lookups.clone()
    }

    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }

    pub(crate) fn websockets(&self) -> &Gate {
        &self.websockets
    }

    /// The connection pool of these grants, with so long for a new connection.
    fn client(&self, grants: &Grants, connect: Duration) -> Client {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (grants.clone(), connect);
        pools.uses += 1;
        let now = pools.uses;
        if let Some((client, used)) = pools.by_grants.get_mut(&key) {
            *used = now;
            return client.clone();
        }
        if pools.by_grants.len() >= self.limits.pools {
            let oldest = pools.by_grants.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                pools.by_grants.remove(&oldest);
            }
        }
        let client = self.new_client(grants, connect);
        pools.by_grants.insert(key, (client.clone(), now));
        client
    }

    fn new_client(&self, grants: &Grants, connect: Duration) -> Client {
        let guarded = GuardedConnector {
            grants: Arc::new(grants.clone()),
            lookups: self.lookups(),
            time: connect,
            plain_needs_grant: false,
        };
        PooledClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_SERVER)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .build(tls_connector(guarded, &self.roots))
    }
}

/// TLS over guarded connections, where the scheme asks for it.
pub(crate) fn tls_connector(
    guarded: GuardedConnector,
    roots: &Roots,
) -> HttpsConnector<GuardedConnector> {
    HttpsConnectorBuilder::new()
        .with_tls_config(roots.client())
        .https_or_http()
        .enable_http1()
        .wrap_connector(guarded)
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Sends a request, again where its failure is to be tried again, and waits for the head of its response. A server that asks for
/// digest authentication gets the proof once.
async fn send(
    client: &Client,
    hop: &mut Hop,
    cookies: &CookieJar,
    first_byte: Duration,
    retries: &mut Retries,
) -> Result<http::Response<Incoming>, FetchError> {
    loop {
        let answer = send_once(client, hop, cookies, first_byte).await;
        match &answer {
            Ok(asked) if hop.challenged(asked) => {
                cookies.store(hop.url(), asked.headers(), SystemTime::now());
            }
            _ if retries.take(&answer) => {}
            _ => return answer,
        }
    }
}

async fn send_once(
    client: &Client,
    hop: &Hop,
    cookies: &CookieJar,
    first_byte: Duration,
) -> Result<http::Response<Incoming>, FetchError> {
    let request = hop.to_wire(cookies, SystemTime::now())?;
    match timeout(first_byte, client.request(request)).await {
        Ok(answer) => answer.map_err(|error| classify(&error, hop)),
        Err(_) => {
            let url = shown(hop.url());
            Err(FetchError::TimedOut(format!(
                "{url}: no response within {first_byte:?}"
            )))
        }
    }
}

/// What the client's error means: the guard's refusal, a failed connection, or a fault of TLS or HTTP.
fn classify(error: &ClientError, hop: &Hop) -> FetchError {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    match sources
        .filter_map(|source| source.downcast_ref::<ConnectError>())
        .next()
    {
        Some(refused @ ConnectError::Refused(_)) => FetchError::NotGranted(refused.to_string()),
        Some(failed @ ConnectError::Failed { .. }) => FetchError::Unreachable(failed.to_string()),
        None => {
            // Behind the guard there is nothing but TLS between us and a connection.
            let layer = if error.is_connect() { "TLS: " } else { "" };
            let url = shown(hop.url());
            FetchError::Protocol(format!("{url}: {layer}{}", causes(error)))
        }
    }
}

/// An error with its causes, each once.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |&error| error.source()) {
        let text = cause.to_string();
        if !texts.last().is_some_and(|last| last.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_used_longest_ago_makes_room_for_a_new_one() {
        let egress = Egress::new(Limits {
            pools: 2,
            ..Limits::default()
        });
        let grants = |block: &str| Grants::parse(&[block]).unwrap();
        for used in ["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3"] {
            egress.client(&grants(used), Duration::from_secs(5));
        }
        let pools = egress.pools.lock().unwrap();
        assert_eq!(pools.by_grants.len(), 2);
        let mut kept = pools.by_grants.keys().map(|(grants, _)| grants);
        assert!(!kept.any(|kept| *kept == grants("10.0.0.2")));
    }
}
