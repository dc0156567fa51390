//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// A UDP port that was free a moment ago; the kernel gives another one each time.
#[must_use]
pub fn udp() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free UDP port");
    socket
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// A TCP port that was free a moment ago.
#[must_use]
pub fn tcp() -> u16 {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free TCP port");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
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
