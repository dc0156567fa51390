//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// A port for a peer that was free for UDP and for TCP a moment ago, and is given to no other peer of this process.
#[must_use]
pub fn free() -> u16 {
    loop {
        let port = range(2);
        let address = (Ipv4Addr::LOCALHOST, port);
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return port;
        }
    }
}

/// The first port of `count` that no other peer of this test process is given: below the kernel's ephemeral ports, and spread
/// by the process id, so that two test runs at a time seldom meet.
#[must_use]
pub fn range(count: u16) -> u16 {
    const FIRST: u32 = 16_384;
    const LAST: u32 = 32_000;
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let taken = u32::from(TAKEN.fetch_add(count, Ordering::Relaxed));
    let start = (std::process::id() * 2_000 + taken) % (LAST - FIRST - u32::from(count));
    (FIRST + (start & !1)) as u16
}
