//! Listens to the UDP that reaches an address, whichever program it is for.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// What the kernel may keep while the tap looks elsewhere: 16 MiB, some seconds of a hundred calls.
const BUFFER_BYTES: usize = 16 << 20;

/// A datagram that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// Where from.
    pub source: SocketAddrV4,
    /// For which port.
    pub port: u16,
    /// What it says.
    pub payload: Vec<u8>,
}

impl Datagram {
    /// The payload type and payload, if it is RTP (12-octet header, as a sender of one stream writes it).
    #[must_use]
    pub fn rtp(&self) -> Option<(u8, &[u8])> {
        match self.payload.as_slice() {
            [0x80, second, ..] => Some((second & 0x7f, self.payload.get(12..)?)),
            _ => None,
        }
    }

    /// Reads an IPv4 packet of a raw socket.
    fn read(packet: &[u8]) -> Option<Self> {
        let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
        let udp = packet.get(usize::from(packet.first()? & 0x0f) * 4..)?;
        let port = |at: usize| Some(u16::from_be_bytes([*udp.get(at)?, *udp.get(at + 1)?]));
        Some(Self {
            source: SocketAddrV4::new(Ipv4Addr::from(source), port(0)?),
            port: port(2)?,
            payload: udp.get(8..)?.to_vec(),
        })
    }
}

/// A raw socket that sees each datagram (as `SIPp` does to play its recordings, it needs root or `CAP_NET_RAW`).
#[derive(Debug)]
pub struct UdpTap {
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<Vec<Datagram>>>,
}

impl UdpTap {
    /// Keeps what comes to `address` from now on, if `keep` says so.
    #[must_use]
    pub fn on(address: Ipv4Addr, keep: impl Fn(&Datagram) -> bool + Send + 'static) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))
            .unwrap_or_else(|error| panic!("no raw socket (needs root or CAP_NET_RAW): {error}"));
        socket
            .bind(&SocketAddr::from((address, 0)).into())
            .expect("a host can listen to its own address");
        socket
            .set_recv_buffer_size(BUFFER_BYTES)
            .expect("a socket has a buffer");
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a socket takes a read timeout");
        let stop = Arc::new(AtomicBool::new(false));
        let listener = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || listen(socket, &stop, keep)
        });
        Self {
            stop,
            listener: Some(listener),
        }
    }

    /// What came, in order of arrival.
    #[must_use]
    pub fn finish(mut self) -> Vec<Datagram> {
        // What has come already is read yet.
        std::thread::sleep(Duration::from_millis(100));
        self.stop.store(true, Ordering::Relaxed);
        self.listener
            .take()
            .expect("finish takes the tap")
            .join()
            .expect("the listener does not panic")
    }
}

impl Drop for UdpTap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn listen(
    mut socket: Socket,
    stop: &AtomicBool,
    keep: impl Fn(&Datagram) -> bool,
) -> Vec<Datagram> {
    let mut packet = [0; 2_048];
    let mut kept = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.read(&mut packet) else {
            continue;
        };
        kept.extend(Datagram::read(&packet[..length]).filter(&keep));
    }
    kept
}
