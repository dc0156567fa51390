//! A flood of requests from somebody whom no trunk knows: each with a Call-ID and branch of its own.

use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many requests go out in a second. Past what the server reads from its socket, the kernel throws trunks' requests away
/// with the flood's, and what is tested is the kernel.
const RATE: f64 = 20_000.0;

/// What was sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// How many requests.
    pub requests: u64,
    /// How many bytes came back.
    pub answered_bytes: u64,
    /// How many bytes went out.
    pub bytes: u64,
    /// In what time.
    pub elapsed: Duration,
}

impl Sent {
    /// Requests a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// A flood that runs until [`Self::finish`].
#[derive(Debug)]
pub struct Flood {
    thread: JoinHandle<Sent>,
    may_end: Arc<AtomicBool>,
}

impl Flood {
    /// Sends INVITE, REGISTER and OPTIONS requests in turn from an address of loopback to `server`: `at_least` so many.
    #[must_use]
    pub fn start(from: &str, server: SocketAddr, at_least: u64) -> Self {
        let socket = UdpSocket::bind((from, 0)).expect("loopback has more than one address");
        socket
            .set_nonblocking(true)
            .expect("a socket can be non-blocking");
        let may_end = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&may_end);
        let thread = std::thread::spawn(move || send(&socket, server, at_least, &told));
        Self { thread, may_end }
    }

    /// Lets it end, and waits for that.
    #[must_use]
    pub fn finish(self) -> Sent {
        self.may_end.store(true, Ordering::Relaxed);
        self.thread.join().expect("the flood does not panic")
    }
}

fn send(socket: &UdpSocket, server: SocketAddr, at_least: u64, may_end: &AtomicBool) -> Sent {
    const METHODS: [&str; 3] = ["INVITE", "REGISTER", "OPTIONS"];
    let us = socket.local_addr().expect("a bound socket has an address");
    let (mut request, mut answer) = (Vec::with_capacity(1_024), [0; 2_048]);
    let mut sent = Sent {
        requests: 0,
        answered_bytes: 0,
        bytes: 0,
        elapsed: Duration::ZERO,
    };
    let start = Instant::now();
    while sent.requests < at_least || !may_end.load(Ordering::Relaxed) {
        if sent.requests as f64 > start.elapsed().as_secs_f64() * RATE {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        let (number, method) = (sent.requests, METHODS[(sent.requests % 3) as usize]);
        request.clear();
        write!(
            request,
            "{method} sip:1000@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {us};rport;branch=z9hG4bKflood{number}\r\nMax-Forwards: 70\r\n\
             From: <sip:{number}@{us}>;tag=f{number}\r\nTo: <sip:1000@{server}>\r\nCall-ID: flood-{number}@{us}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:{number}@{us}>\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n"
        )
        .expect("a vector takes what is written");
        match socket.send_to(&request, server) {
            Ok(length) => {
                sent.requests += 1;
                sent.bytes += length as u64;
            }
            // The kernel's queue is full: the next one goes when there is room.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                std::thread::yield_now();
            }
            Err(error) => panic!("the flood cannot be sent: {error}"),
        }
        while let Ok(length) = socket.recv(&mut answer) {
            sent.answered_bytes += length as u64;
        }
    }
    sent.elapsed = start.elapsed();
    sent
}
