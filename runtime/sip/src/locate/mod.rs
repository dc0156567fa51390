//! Finding the servers of a URI (RFC 3263), without asking anybody: a [`Locator`] says which DNS lookups it needs and
//! turns their answers into [`Hop`]s to try in turn.
//!
//! ```text
//! address                        -> that address
//! name and port                  -> its addresses
//! name and transport             -> SRV of that transport, else its addresses
//! name                           -> NAPTR, else SRV of each transport of ours, else its addresses
//! ```

mod locator;
mod order;
mod records;
mod target;
#[cfg(test)]
mod tests;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use crate::{Hop, SipError, Transport, UnknownTransport};

pub use locator::{Locator, MAX_HOPS, MAX_LOOKUPS};
pub use records::{Answer, Lookup, Naptr, Record, Srv};

/// A transport we can send by, and the families of addresses that our sockets for it reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// How.
    pub transport: Transport,
    /// Whether IPv4 addresses are reached.
    pub ipv4: bool,
    /// Whether IPv6 addresses are reached.
    pub ipv6: bool,
}

/// Where a URI's servers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The servers, each to be tried when the ones before it failed (RFC 3263 §4.3). Never empty, no two alike.
    pub hops: Vec<Hop>,
    /// Whom a server's certificate has to name: the host of the URI, not what DNS made of it (RFC 5922 §7.1). None when no
    /// hop is a secure one.
    pub verify_name: Option<Arc<str>>,
    /// How long the shortest-lived record used may be kept; none when no record was used.
    pub ttl: Option<Duration>,
}

/// Why a URI leads to no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// The text is no URI.
    #[error("the target is no SIP URI: write it as in sip:sbc.example.org")]
    Uri(#[source] SipError),
    /// The URI is of another kind.
    #[error("the target begins with neither sip: nor sips:")]
    Scheme,
    /// The host is neither an address nor a name that DNS could know.
    #[error("the host `{0}` is neither an address nor a domain name")]
    Host(String),
    /// The URI's `transport` is none of SIP's.
    #[error("the target names an unknown transport")]
    Transport(#[from] UnknownTransport),
    /// `sips:` asks for TLS, and the URI's `transport` cannot carry it.
    #[error(
        "sips: asks for TLS, which does not go over udp: leave `transport` out, or write tcp or ws"
    )]
    Insecure,
    /// The URI asks for a transport that we do not speak.
    #[error("the target is reached by {0}, which is not among the transports configured here")]
    NotSpoken(Transport),
    /// DNS holds nothing that leads to a server.
    #[error("DNS has no server for {0}: neither SRV nor address records")]
    NotFound(Arc<str>),
    /// The name's owner says in DNS that there is no such service (RFC 2782: a target of `.`).
    #[error("{0} says in DNS that it offers no SIP service")]
    NotOffered(Arc<str>),
    /// Each address is of a family for which we have no socket.
    #[error("{0} has addresses only of a family (IPv4, IPv6) that no socket here reaches")]
    Family(Arc<str>),
    /// DNS failed, or did not answer in time.
    #[error("DNS did not answer for {0}")]
    Unanswered(Arc<str>),
}
