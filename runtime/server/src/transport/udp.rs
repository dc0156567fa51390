//! SIP over UDP: one socket an address, served on the endpoint's thread.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;

use bytes::Bytes;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tracing::{debug, warn};

/// A datagram cannot be larger.
const MAX_DATAGRAM: usize = 65_535;
/// Messages over this may be cut into fragments, which many a NAT loses (RFC 3261 §18.1.1).
const MAX_WHOLE: usize = 1_300;
/// Addresses that something is remembered about.
const MAX_REMEMBERED: usize = 4_096;

/// The UDP sockets.
pub(crate) struct Udp {
    sockets: Vec<Socket>,
    buffer: Vec<u8>,
    /// Where several sockets could reach a peer: the one that does.
    ways: HashMap<IpAddr, usize>,
    /// Peers that large messages were sent to, which is logged once each.
    sent_large: HashSet<IpAddr>,
}

struct Socket {
    socket: UdpSocket,
    local: SocketAddr,
    /// IPv4 goes through this IPv6 socket too.
    is_dual: bool,
}

impl Socket {
    fn reaches(&self, to: IpAddr) -> bool {
        self.is_dual || self.local.is_ipv6() == to.is_ipv6()
    }
}

impl Udp {
    /// Serves bound sockets. Must be called within a tokio runtime.
    pub(crate) fn new(sockets: Vec<std::net::UdpSocket>) -> io::Result<Self> {
        let sockets = sockets
            .into_iter()
            .map(|socket| {
                let local = socket.local_addr()?;
                let is_dual =
                    local.is_ipv6() && !socket2::SockRef::from(&socket).only_v6().unwrap_or(true);
                Ok(Socket {
                    socket: UdpSocket::from_std(socket)?,
                    local,
                    is_dual,
                })
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            sockets,
            buffer: vec![0; MAX_DATAGRAM],
            ways: HashMap::new(),
            sent_large: HashSet::new(),
        })
    }

    /// Returns when one of the sockets has a datagram.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        std::future::poll_fn(|context| {
            for socket in &self.sockets {
                if let Poll::Ready(ready) = socket.socket.poll_recv_ready(context) {
                    return Poll::Ready(ready);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Hands over what has come, at most `at_most` datagrams of each socket.
    pub(crate) fn receive(&mut self, at_most: usize, mut take: impl FnMut(SocketAddr, Bytes)) {
        let has_choice = self.sockets.len() > 1;
        for (index, socket) in self.sockets.iter().enumerate() {
            for _ in 0..at_most {
                let mut buffer = ReadBuf::new(&mut self.buffer);
                let source = match socket.socket.try_recv_buf_from(&mut buffer) {
                    Ok((_, source)) => canonical(source),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // An ICMP error of an earlier send: the transaction's timer will notice.
                    Err(error) => {
                        debug!("SIP socket: {error}");
                        break;
                    }
                };
                if has_choice {
                    remember(&mut self.ways, source.ip(), index);
                }
                take(source, Bytes::copy_from_slice(buffer.filled()));
            }
        }
    }

    /// Sends one datagram. A failure is what loss on the way is: the transaction's timers see to it.
    pub(crate) async fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        if bytes.len() > MAX_WHOLE && self.is_first_large(to.ip()) {
            warn!(
                peer = %to.ip(),
                "SIP messages of more than {MAX_WHOLE} bytes go to this peer over UDP and may be lost: TCP would carry them"
            );
        }
        let Some(socket) = self.way(to.ip()).and_then(|index| self.sockets.get(index)) else {
            debug!(%to, "cannot send SIP: no socket is bound to an address of this family");
            return;
        };
        let address = if socket.local.is_ipv6() {
            mapped(to)
        } else {
            to
        };
        if let Err(error) = socket.socket.send_to(bytes, address).await {
            debug!(%to, "cannot send SIP: {error}");
        }
    }

    fn is_first_large(&mut self, to: IpAddr) -> bool {
        self.sent_large.len() < MAX_REMEMBERED && self.sent_large.insert(to)
    }

    /// The socket that reaches an address. Of several it is the one the peer speaks to, or else the one the kernel would choose.
    fn way(&mut self, to: IpAddr) -> Option<usize> {
        let mut reaching = (0..self.sockets.len()).filter(|&index| self.sockets[index].reaches(to));
        let first = reaching.next()?;
        if reaching.next().is_none() {
            return Some(first);
        }
        if let Some(&known) = self.ways.get(&to) {
            return Some(known);
        }
        let source = source_towards(to).ok();
        let is_bound = |socket: &Socket| Some(socket.local.ip()) == source && socket.reaches(to);
        let index = self.sockets.iter().position(is_bound).unwrap_or(first);
        remember(&mut self.ways, to, index);
        Some(index)
    }
}

fn remember(ways: &mut HashMap<IpAddr, usize>, peer: IpAddr, index: usize) {
    // What is forgotten is found out again.
    if ways.len() >= MAX_REMEMBERED {
        ways.clear();
    }
    ways.insert(peer, index);
}

/// The address that the kernel would speak from; nothing is sent.
fn source_towards(to: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let probe = std::net::UdpSocket::bind((any, 0))?;
    probe.connect((to, 5060))?;
    Ok(probe.local_addr()?.ip())
}

/// An address as the core knows it: IPv4 is never written as IPv6.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    }
}
