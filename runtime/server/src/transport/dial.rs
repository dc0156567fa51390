//! Connections that we open.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use sip::{Hop, Transport};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tracing::warn;

use super::accept::prepare;
use super::connection::Ends;
use super::stream::{self, Bounds};
use super::tls::Tls;

/// How long a peer has to take our connection: the next target of a trunk waits for it.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection to be opened.
pub(super) struct Dial {
    pub(super) to: Hop,
    /// Where it comes from; none lets the kernel choose.
    pub(super) from: Option<SocketAddr>,
    /// Whose certificate the server must show, over TLS; none asks for one of its IP address.
    pub(super) name: Option<Arc<str>>,
    pub(super) tls: Tls,
}

impl Dial {
    /// Connects and serves the connection to its end. What it was to send goes back when there is none.
    pub(super) async fn run(self, ends: Ends) {
        let failure = if self.to.transport == Transport::Tls {
            match in_time(self.connect_tls()).await {
                Ok(stream) => return stream::serve(stream, ends, Bounds::LISTED).await,
                Err(failure) => failure,
            }
        } else {
            match in_time(connect(self.to.address, self.from)).await {
                Ok(stream) => return stream::serve(stream, ends, Bounds::LISTED).await,
                Err(failure) => failure,
            }
        };
        warn!(to = %self.to, "cannot connect: {failure}");
        ends.fail().await;
    }

    async fn connect_tls(&self) -> io::Result<TlsStream<TcpStream>> {
        let name = match &self.name {
            Some(name) => ServerName::try_from(name.to_string()).map_err(io::Error::other)?,
            None => ServerName::from(self.to.address.ip()),
        };
        let stream = connect(self.to.address, self.from).await?;
        self.tls.connect(name, stream).await
    }
}

async fn in_time<T>(connecting: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(CONNECT, connecting)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn connect(to: SocketAddr, from: Option<SocketAddr>) -> io::Result<TcpStream> {
    let socket = if to.is_ipv6() {
        TcpSocket::new_v6()?
    } else {
        TcpSocket::new_v4()?
    };
    if let Some(from) = from {
        socket.bind(from)?;
    }
    let stream = socket.connect(to).await?;
    prepare(&stream)?;
    Ok(stream)
}

/// The address that connections to `to` are opened from: where we are bound, so that peers that know us by it do.
pub(super) fn source_for(to: SocketAddr, bound: &[SocketAddr]) -> Option<SocketAddr> {
    let mut alike = bound
        .iter()
        .filter(|address| address.is_ipv6() == to.is_ipv6());
    let first = alike.next()?;
    let is_the_one = alike.next().is_none() && !first.ip().is_unspecified();
    is_the_one.then(|| SocketAddr::new(first.ip(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_comes_from_the_address_that_peers_know() {
        for (bound, to, expected) in [
            ("192.0.2.1:5060", "203.0.113.9:5060", Some("192.0.2.1:0")),
            (
                "192.0.2.1:5060 [2001:db8::1]:5060",
                "[2001:db8::9]:1",
                Some("[2001:db8::1]:0"),
            ),
            ("0.0.0.0:5060", "203.0.113.9:5060", None),
            ("192.0.2.1:5060", "[2001:db8::9]:1", None),
            ("192.0.2.1:5060 10.0.0.1:5060", "203.0.113.9:5060", None),
        ] {
            let addresses: Vec<_> = bound
                .split(' ')
                .map(|address| address.parse().unwrap())
                .collect();
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(
                source_for(to.parse().unwrap(), &addresses),
                expected,
                "{bound} {to}"
            );
        }
    }
}
