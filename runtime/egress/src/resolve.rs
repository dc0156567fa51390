//! Host names to addresses.

use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// What [`Resolve::resolve`] gives back.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks host names up. Asked once for each new connection; the addresses it gives are the only ones tried.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, IPv4 and IPv6, best first.
    fn resolve(&self, host: &str) -> Lookup;
}

/// Look-ups under way at once. A look-up that nobody waits for any longer keeps its thread until the system gives up.
const LOOKUPS: usize = 128;

/// The system's resolver (`getaddrinfo`), on threads of its own.
#[derive(Debug, Clone)]
pub struct SystemResolver {
    places: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(LOOKUPS)),
        }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> Lookup {
        let (places, host) = (Arc::clone(&self.places), host.to_owned());
        Box::pin(async move {
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            let lookup = tokio::task::spawn_blocking(move || {
                let _until_it_returns = place;
                let found = (host.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            });
            lookup.await.map_err(io::Error::other)?
        })
    }
}
