//! Host names to addresses.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use crate::gate::Gate;

/// Looks host names up. Asked once for each new connection; the addresses it gives are the only ones tried.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, IPv4 and IPv6, best first. Blocks: it is called on a thread of its own.
    ///
    /// # Errors
    /// When the name has no address, or nobody says.
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver (`getaddrinfo`).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = (host, 0).to_socket_addrs()?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Look-ups under way at once.
const LOOKUPS: usize = 128;
/// Those of them that one tenant may have.
const LOOKUPS_PER_TENANT: usize = 16;

/// The look-ups under way. One that nobody waits for any longer keeps its thread and its place until the resolver gives up.
#[derive(Clone)]
pub(crate) struct Lookups {
    resolver: Arc<dyn Resolve>,
    gate: Arc<Gate>,
}

impl Lookups {
    pub(crate) fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self {
            resolver,
            gate: Arc::new(Gate::new(LOOKUPS_PER_TENANT, LOOKUPS)),
        }
    }

    /// All addresses of `host`, for a connection that `tenant` asks for.
    ///
    /// # Errors
    /// As [`Resolve::resolve`], or when there is no place by the `deadline`.
    pub(crate) async fn addresses(
        &self,
        tenant: &str,
        host: &str,
        deadline: Instant,
    ) -> io::Result<Vec<IpAddr>> {
        let place = timeout_at(deadline, self.gate.enter(tenant)).await;
        let place = place.map_err(|_| {
            io::Error::other(format!(
                "no place among {LOOKUPS_PER_TENANT} look-ups of host names of the account in time: the name servers of its hosts do not answer"
            ))
        })?;
        let (resolver, host) = (Arc::clone(&self.resolver), host.to_owned());
        let lookup = tokio::task::spawn_blocking(move || {
            let _until_it_returns = place;
            resolver.resolve(&host)
        });
        lookup.await.map_err(io::Error::other)?
    }
}
