//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};

/// The ports that are given away: below the kernel's ephemeral ports.
const FIRST: u16 = 16_384;
const END: u16 = 32_000;

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

/// The first of `count` ports, an even one. No other peer of this test process is given any of them until all have been given;
/// the first of all is chosen by the process id, so that two test runs at a time seldom meet.
///
/// # Panics
/// If there are fewer ports than `count`.
#[must_use]
pub fn range(count: u16) -> u16 {
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    let (first, rest) = after(next.unwrap_or_else(first_of_process), count);
    *next = Some(rest);
    first
}

/// Where this process begins.
fn first_of_process() -> u16 {
    const APART: u32 = 2_000;
    let places = u32::from(END - FIRST) / APART;
    // Less than `END`, for it is below `FIRST + places * APART`.
    FIRST + (std::process::id() % places * APART) as u16
}

/// The first of the next `count` ports, and where the ones after them begin.
fn after(next: u16, count: u16) -> (u16, u16) {
    let count = count.next_multiple_of(2);
    assert!(count <= END - FIRST, "there are not {count} ports");
    let first = if next > END - count { FIRST } else { next };
    (first, first + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer's ports in the middle of a server's would be taken for the server's own by whoever listens on the wire.
    #[test]
    fn nobody_is_given_ports_of_another() {
        for start in [FIRST, END - 2_000, END - 2] {
            let mut next = start;
            let mut given = vec![false; usize::from(END)];
            for count in [200, 8, 2, 16, 2, 200, 8, 1, 200, 64, 200, 2].repeat(10) {
                let (first, rest) = after(next, count);
                assert!(first >= FIRST && first.is_multiple_of(2), "{first}");
                for port in first..first + count {
                    let is_given = std::mem::replace(&mut given[usize::from(port)], true);
                    assert!(!is_given, "{port}, from {start}");
                }
                next = rest;
            }
        }
    }
}
