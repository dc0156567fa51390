//! TCP connections to granted addresses only.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::grants::{Grants, Refusal};
use crate::resolve::Lookups;

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{host}: {what}")]
    Failed { host: String, what: String },
}

tokio::task_local! {
    /// Who pays for the look-ups of the connections that are made within: tenants with the same grants share their connector.
    pub(crate) static TENANT: Arc<str>;
}

/// Resolves a host once, checks each address against the grants, and connects to one that passed.
///
/// The check and the connection use the same address, so a name that answers differently the next time gains nothing. It is
/// called within the scope of a [`TENANT`].
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    pub(crate) grants: Arc<Grants>,
    pub(crate) lookups: Lookups,
    /// For look-up and connection together.
    pub(crate) time: Duration,
    /// What is not encrypted goes to granted hosts and addresses only.
    pub(crate) plain_needs_grant: bool,
}

impl GuardedConnector {
    async fn connect(
        self,
        tenant: Arc<str>,
        target: Uri,
    ) -> Result<TokioIo<TcpStream>, ConnectError> {
        let host = target.host().unwrap_or_default().to_owned();
        let is_encrypted = target.scheme_str() == Some("https");
        let default_port = if is_encrypted { 443 } else { 80 };
        let port = target.port_u16().unwrap_or(default_port);
        let failed = |what: String| ConnectError::Failed {
            host: host.clone(),
            what,
        };
        let deadline = Instant::now() + self.time;
        let attempt = async {
            let addresses = self
                .lookup(&tenant, &host, deadline)
                .await
                .map_err(|error| failed(error.to_string()))?;
            let mut granted = self.granted(&host, &addresses, port)?;
            if self.plain_needs_grant && !is_encrypted {
                granted.retain(|address| self.grants.name(&host, *address));
                if granted.is_empty() && !addresses.is_empty() {
                    return Err(Refusal::Plain { host: host.clone() }.into());
                }
            }
            first_to_connect(&granted, port, self.time)
                .await
                .map_err(|error| failed(error.to_string()))
        };
        match timeout_at(deadline, attempt).await {
            Ok(connected) => connected.map(TokioIo::new),
            Err(_) => Err(failed(format!("no connection within {:?}", self.time))),
        }
    }

    async fn lookup(&self, tenant: &str, host: &str, deadline: Instant) -> io::Result<Vec<IpAddr>> {
        let literal = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        match literal.parse() {
            Ok(address) => Ok(vec![address]),
            Err(_) => self.lookups.addresses(tenant, host, deadline).await,
        }
    }

    /// The addresses that may be reached; an error if there are some, but none of them may.
    fn granted(
        &self,
        host: &str,
        addresses: &[IpAddr],
        port: u16,
    ) -> Result<Vec<IpAddr>, ConnectError> {
        let mut refusal = None;
        let mut granted = Vec::new();
        for &address in addresses {
            match self.grants.check(host, address, port) {
                Ok(()) => granted.push(address),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        match refusal {
            Some(refused) if granted.is_empty() => Err(refused.into()),
            _ => Ok(granted),
        }
    }
}

/// Tries the addresses in turn, each with an equal share of `time`.
async fn first_to_connect(
    addresses: &[IpAddr],
    port: u16,
    time: Duration,
) -> io::Result<TcpStream> {
    let share = time / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for &address in addresses {
        let target = SocketAddr::new(address, port);
        match timeout(share, TcpStream::connect(target)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

impl tower::Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        Box::pin(self.clone().connect(TENANT.get(), target))
    }
}
