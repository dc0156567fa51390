//! A bad line between peers and a server: every datagram is late, some are lost, some overtake others.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the line does to each datagram, either way.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// How late it is at least.
    pub delay: Duration,
    /// How much later at most, by chance; what is sent later may so arrive earlier.
    pub jitter: Duration,
    /// How many of a hundred are lost.
    pub loss_percent: u64,
}

/// What it did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// Datagrams that arrived.
    pub passed: u64,
    /// Datagrams that did not.
    pub lost: u64,
    /// Datagrams that arrived before one that was sent earlier on the same way.
    pub overtaking: u64,
}

/// A line at work. Peers find the server at the line's address, each port where the server has it; the server finds each peer there
/// too, at the port that the peer has: descriptions that pass are told so.
#[derive(Debug)]
pub struct BadLine {
    stop: Arc<AtomicBool>,
    worker: JoinHandle<Done>,
}

impl BadLine {
    /// Stands at `front` before the server at `back`, at these ports.
    #[must_use]
    pub fn start(
        front: Ipv4Addr,
        back: Ipv4Addr,
        ports: &[RangeInclusive<u16>],
        trouble: Trouble,
    ) -> Self {
        let doors = ports.iter().cloned().flatten();
        let stop = Arc::new(AtomicBool::new(false));
        let mut relay = Relay {
            front,
            back,
            doors: doors.map(|port| (port, socket(front, port))).collect(),
            peers: Vec::new(),
            waiting: BinaryHeap::new(),
            trouble,
            random: 0x9e37_79b9_7f4a_7c15,
            sent: 0,
            done: Done::default(),
        };
        let told = Arc::clone(&stop);
        let worker = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                relay.take();
                relay.give(Instant::now());
                std::thread::sleep(Duration::from_millis(1));
            }
            relay.done
        });
        Self { stop, worker }
    }

    /// Takes it down.
    #[must_use]
    pub fn finish(self) -> Done {
        self.stop.store(true, Ordering::Relaxed);
        self.worker.join().expect("the line does not panic")
    }
}

struct Relay {
    front: Ipv4Addr,
    back: Ipv4Addr,
    /// By the server's ports.
    doors: Vec<(u16, UdpSocket)>,
    peers: Vec<Peer>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    trouble: Trouble,
    random: u64,
    sent: u64,
    done: Done,
}

/// A port of a peer's, as the server sees it.
struct Peer {
    address: SocketAddrV4,
    socket: UdpSocket,
    /// The number of the last datagram that arrived, from and at the peer.
    arrived: [u64; 2],
}

/// A datagram on its way. Ordered by when it is due.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    due: Instant,
    number: u64,
    peer: usize,
    door: usize,
    is_for_peer: bool,
    datagram: Vec<u8>,
}

impl Relay {
    /// Takes what came in.
    fn take(&mut self) {
        let mut buffer = [0; 4_096];
        for door in 0..self.doors.len() {
            while let Ok((length, SocketAddr::V4(from))) = self.doors[door].1.recv_from(&mut buffer)
            {
                let peer = self.peer(from);
                let told = self.tell_otherwise(*from.ip(), &buffer[..length]);
                self.send(peer, door, false, told);
            }
        }
        for peer in 0..self.peers.len() {
            while let Ok((length, from)) = self.peers[peer].socket.recv_from(&mut buffer) {
                let door = self.doors.iter().position(|(port, _)| *port == from.port());
                let door = door.expect("the server speaks from ports that it was given");
                self.send(peer, door, true, buffer[..length].to_vec());
            }
        }
    }

    fn peer(&mut self, address: SocketAddrV4) -> usize {
        let known = self.peers.iter().position(|peer| peer.address == address);
        known.unwrap_or_else(|| {
            self.peers.push(Peer {
                address,
                socket: socket(self.front, address.port()),
                arrived: [0; 2],
            });
            self.peers.len() - 1
        })
    }

    /// Puts the line's address in the place of the peer's in a description, and opens the ports it names. Both addresses are equally
    /// long, so that the message is.
    fn tell_otherwise(&mut self, peer: Ipv4Addr, datagram: &[u8]) -> Vec<u8> {
        let Some((head, description)) = str::from_utf8(datagram)
            .ok()
            .and_then(|text| text.split_once("\r\n\r\nv=0"))
        else {
            return datagram.to_vec();
        };
        let media = description.split("m=audio ").nth(1);
        let port = media.and_then(|media| media.split(' ').next()?.parse().ok());
        for port in port.into_iter().flat_map(|port: u16| [port, port + 1]) {
            self.peer(SocketAddrV4::new(peer, port));
        }
        let (theirs, ours) = (format!("IN IP4 {peer}"), format!("IN IP4 {}", self.front));
        assert_eq!(theirs.len(), ours.len(), "addresses of one length");
        let description = description.replace(&theirs, &ours);
        format!("{head}\r\n\r\nv=0{description}").into_bytes()
    }

    fn send(&mut self, peer: usize, door: usize, is_for_peer: bool, datagram: Vec<u8>) {
        if self.random_below(100) < self.trouble.loss_percent {
            self.done.lost += 1;
            return;
        }
        let jitter_us = self.trouble.jitter.as_micros() as u64;
        let late = Duration::from_micros(self.random_below(jitter_us + 1));
        self.sent += 1;
        self.waiting.push(Reverse(Waiting {
            due: Instant::now() + self.trouble.delay + late,
            number: self.sent,
            peer,
            door,
            is_for_peer,
            datagram,
        }));
    }

    /// Hands over what is due.
    fn give(&mut self, now: Instant) {
        while let Some(Reverse(next)) = self.waiting.peek()
            && next.due <= now
        {
            let Some(Reverse(next)) = self.waiting.pop() else {
                return;
            };
            let peer = &mut self.peers[next.peer];
            let (port, door) = &self.doors[next.door];
            // A closed port is its owner's affair.
            let _ = if next.is_for_peer {
                door.send_to(&next.datagram, peer.address)
            } else {
                peer.socket.send_to(&next.datagram, (self.back, *port))
            };
            let before = &mut peer.arrived[usize::from(next.is_for_peer)];
            self.done.overtaking += u64::from(next.number < *before);
            *before = next.number.max(*before);
            self.done.passed += 1;
        }
    }

    /// By chance, the same in every run (xorshift64).
    fn random_below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }
}

fn socket(address: Ipv4Addr, port: u16) -> UdpSocket {
    let socket = UdpSocket::bind((address, port))
        .unwrap_or_else(|error| panic!("{address}:{port} for the bad line: {error}"));
    socket
        .set_nonblocking(true)
        .expect("a socket can be non-blocking");
    socket
}
