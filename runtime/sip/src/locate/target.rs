//! What a URI says about where it leads.

use std::net::IpAddr;
use std::sync::Arc;

use super::records::plain;
use super::{LocateError, Reach};
use crate::{Host, Scheme, Transport, Uri};

/// The longest name of DNS and the longest part between two dots, in octets (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// A URI, read, and our transports that may carry requests for it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) host: TargetHost,
    pub(super) port: Option<u16>,
    /// Whether the URI itself, or its scheme with its `transport`, leaves us no choice.
    pub(super) chosen: Option<Transport>,
    /// What is taken when nothing in DNS says more (RFC 3263 §4.1).
    pub(super) default: Transport,
    /// In the order of our preference. Never empty; one when a transport is chosen.
    pub(super) ways: Vec<Reach>,
}

#[derive(Clone, Debug)]
pub(super) enum TargetHost {
    Ip(IpAddr),
    Name(Arc<str>),
}

impl Target {
    /// Reads the URI. Its `maddr` is passed over: it redirects where the operator sees only the host.
    pub(super) fn read(uri: &Uri, ours: &[Reach]) -> Result<Self, LocateError> {
        let secure = match uri.scheme() {
            Scheme::Sip => false,
            Scheme::Sips => true,
            _ => return Err(LocateError::Scheme),
        };
        let host = match uri.host() {
            Some(Host::Ip(ip)) => TargetHost::Ip(*ip),
            Some(name) => TargetHost::Name(domain(&name.to_string())?),
            None => return Err(LocateError::Scheme),
        };
        let chosen = match uri.param("transport") {
            Some(parameter) => Some(carrier(parameter.parse()?, secure)?),
            None => None,
        };
        let default = chosen.unwrap_or(if secure {
            Transport::Tls
        } else {
            Transport::Udp
        });
        let fits = |reach: &&Reach| match chosen {
            Some(transport) => reach.transport == transport,
            None => reach.transport.is_secure() || !secure,
        };
        let ways: Vec<_> = ours.iter().filter(fits).copied().collect();
        if ways.is_empty() {
            return Err(LocateError::NotSpoken(default));
        }
        Ok(Self {
            host,
            port: uri.port(),
            chosen,
            default,
            ways,
        })
    }

    /// How we speak a transport, where we do.
    pub(super) fn way(&self, transport: Transport) -> Option<Reach> {
        self.ways
            .iter()
            .copied()
            .find(|way| way.transport == transport)
    }
}

/// The transport that a `transport` parameter means under `sip:` or `sips:` (RFC 3261 §26.2.2: `sips` with `tcp` is TLS
/// over TCP).
fn carrier(parameter: Transport, secure: bool) -> Result<Transport, LocateError> {
    match (parameter, secure) {
        (Transport::Udp, true) => Err(LocateError::Insecure),
        (Transport::Tcp, true) => Ok(Transport::Tls),
        (Transport::Ws, true) => Ok(Transport::Wss),
        (transport, _) => Ok(transport),
    }
}

/// A host that DNS could know. One whose last part begins with a digit is a mistyped address (RFC 3261 §25.1: `toplabel`).
fn domain(host: &str) -> Result<Arc<str>, LocateError> {
    let name = plain(host);
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let is_top = |label: &str| label.starts_with(|c: char| c.is_ascii_alphabetic());
    let fits = name.len() <= MAX_NAME
        && name.split('.').all(is_label)
        && name.rsplit('.').next().is_some_and(is_top);
    fits.then_some(name)
        .ok_or_else(|| LocateError::Host(host.to_owned()))
}
