//! Listens to the RTP that reaches one port, whoever holds it: `SIPp` plays recordings but keeps none.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::audio;

/// A raw socket that sees each datagram to loopback (as `SIPp` does to play its recordings, it needs root or `CAP_NET_RAW`).
#[derive(Debug)]
pub struct RtpTap {
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<Vec<i16>>>,
}

impl RtpTap {
    /// Keeps the G.711 audio sent to 127.0.0.1:`port` from now on.
    #[must_use]
    pub fn on(port: u16) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))
            .unwrap_or_else(|error| panic!("no raw socket (needs root or CAP_NET_RAW): {error}"));
        socket
            .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
            .expect("loopback can be listened to");
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a socket takes a read timeout");
        let stop = Arc::new(AtomicBool::new(false));
        let listener = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || listen(socket, port, &stop)
        });
        Self {
            stop,
            listener: Some(listener),
        }
    }

    /// What was heard, in order of arrival.
    #[must_use]
    pub fn finish(mut self) -> Vec<i16> {
        self.stop.store(true, Ordering::Relaxed);
        self.listener
            .take()
            .expect("finish takes the tap")
            .join()
            .expect("the listener does not panic")
    }
}

impl Drop for RtpTap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn listen(mut socket: Socket, port: u16, stop: &AtomicBool) -> Vec<i16> {
    let mut packet = [0; 2_048];
    let mut samples = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.read(&mut packet) else {
            continue;
        };
        samples.extend(audio_to(port, &packet[..length]).unwrap_or_default());
    }
    samples
}

/// The audio of one IPv4 packet, if it is RTP of payload type 0 or 8 (12-octet header, as a sender of one stream writes it) to `port`.
fn audio_to(port: u16, packet: &[u8]) -> Option<Vec<i16>> {
    let udp = packet.get(usize::from(packet.first()? & 0x0f) * 4..)?;
    let destination = u16::from_be_bytes([*udp.get(2)?, *udp.get(3)?]);
    let rtp = udp.get(8..)?;
    let (payload_type, payload) = (rtp.get(1)? & 0x7f, rtp.get(12..)?);
    if destination != port || rtp[0] != 0x80 {
        return None;
    }
    match payload_type {
        0 => Some(payload.iter().copied().map(audio::mu_law).collect()),
        8 => Some(payload.iter().copied().map(audio::a_law).collect()),
        _ => None,
    }
}
