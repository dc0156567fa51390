//! Who connects to us.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sip::{Hop, PeerSet, Transport};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::connection::{ConnectionEvent, link};
use super::seats::{Seat, Seats};
use super::stream::{self, Bounds};
use super::tls::Tls;
use super::udp::canonical;
use super::websocket;

/// How long accepting rests when it fails, as without file descriptors.
const REST: Duration = Duration::from_millis(100);
/// How long who connects may take for the handshakes of TLS and WebSocket.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// What every listener needs.
#[derive(Debug, Clone)]
pub(super) struct Reception {
    pub(super) events: mpsc::Sender<ConnectionEvent>,
    pub(super) peers: watch::Receiver<PeerSet>,
    pub(super) seats: Arc<Seats>,
    pub(super) tls: Tls,
}

/// Takes connections until the endpoint stops.
pub(super) async fn accept(
    listener: std::net::TcpListener,
    transport: Transport,
    reception: Reception,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut is_failing = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = reception.events.closed() => return Ok(()),
        };
        match accepted {
            Ok((stream, address)) => {
                is_failing = false;
                let from = Hop::new(transport, canonical(address));
                reception.seat(stream, from);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if !is_failing {
                    warn!(%transport, "no SIP connections can be accepted: {error}");
                }
                is_failing = true;
                tokio::time::sleep(REST).await;
            }
        }
    }
}

impl Reception {
    /// Finds a seat for who came, or closes the connection.
    fn seat(&self, stream: TcpStream, from: Hop) {
        let ip = from.address.ip();
        let is_listed = self.peers.borrow().contains(ip);
        match self.seats.take(ip, is_listed) {
            Some(seat) => {
                tokio::spawn(self.clone().serve(stream, from, seat));
            }
            None => debug!(%from, "a SIP connection is refused: there are too many"),
        }
    }

    async fn serve(self, stream: TcpStream, from: Hop, seat: Seat) {
        if let Err(error) = prepare(&stream) {
            return debug!(%from, "a SIP connection was gone at once: {error}");
        }
        let bounds = if seat.is_listed() {
            Bounds::LISTED
        } else {
            Bounds::UNLISTED
        };
        let served = match from.transport {
            Transport::Udp | Transport::Tcp => {
                self.serve_stream(stream, from, bounds).await;
                Ok(())
            }
            Transport::Ws => self.serve_web(stream, from, bounds).await,
            Transport::Tls | Transport::Wss => {
                match in_time(self.tls.accept(from.transport, stream)).await {
                    Ok(stream) if from.transport == Transport::Wss => {
                        self.serve_web(stream, from, bounds).await
                    }
                    Ok(stream) => {
                        self.serve_stream(stream, from, bounds).await;
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
        };
        if let Err(error) = served {
            debug!(%from, "no handshake with who connected: {error}");
        }
        drop(seat);
    }

    async fn serve_stream<S: AsyncRead + AsyncWrite>(self, stream: S, from: Hop, bounds: Bounds) {
        let (link, ends) = link(from, false, self.events);
        ends.reading.tell(ConnectionEvent::Opened(link)).await;
        stream::serve(stream, ends, bounds).await;
    }

    async fn serve_web<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        stream: S,
        from: Hop,
        bounds: Bounds,
    ) -> io::Result<()> {
        let shaking = async {
            let shaken = websocket::accept(stream, bounds).await;
            shaken.map_err(|error| io::Error::other(error.to_string()))
        };
        let socket = in_time(shaking).await?;
        let (link, ends) = link(from, false, self.events);
        ends.reading.tell(ConnectionEvent::Opened(link)).await;
        websocket::serve(socket, ends).await;
        Ok(())
    }
}

async fn in_time<T>(handshake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(HANDSHAKE, handshake)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Messages leave at once, and a peer that is silently gone is found out within two minutes.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    // The same where something of ours is not acknowledged, which keep-alives do not look at.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(Duration::from_secs(20)))?;
    Ok(())
}

/// Errors that say nothing about the next connection.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
