//! The UDP ports of the range, each lent to one leg at a time.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tracing::warn;

use super::datagrams::stamp_arrivals;

/// Enough for 100 packets that came while the thread was late; the system's default is ten times that.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;

/// For so long a port rests after a call if others are free. A peer that did not see our BYE sends until it gives up on
/// ours or we on it: 64 times T1 (RFC 3261 section 17.1.2.2).
const REST: Duration = Duration::from_secs(32);

/// Who sprays a narrower range meets a call's port too soon.
const RECOMMENDED_WIDTH: u16 = 10_000;

/// The sockets of one leg.
#[derive(Debug)]
pub(super) struct Sockets {
    /// On an even port.
    pub(super) rtp: UdpSocket,
    /// On the port above it (RFC 3550 section 11).
    pub(super) rtcp: UdpSocket,
}

/// The even ports of the range, each with the one above it.
#[derive(Debug)]
pub(super) struct Ports {
    bind: IpAddr,
    count: usize,
    pool: Arc<Mutex<Pool>>,
}

/// Ports that no leg has. The lock is held for a few steps, never over a system call.
#[derive(Debug)]
struct Pool {
    rested: Vec<u16>,
    /// With the time each was given back, in that order.
    resting: VecDeque<(u16, Instant)>,
}

/// A port in use. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct PortLease {
    port: u16,
    pool: Arc<Mutex<Pool>>,
}

impl Ports {
    /// The even ports from `min` to `max` that have one above them there. Warns if they are few.
    ///
    /// # Errors
    /// `InvalidInput` if there is none.
    pub(super) fn new(bind: IpAddr, min: u16, max: u16) -> io::Result<Self> {
        let even: Vec<u16> = (min..max).filter(|port| port % 2 == 0).collect();
        if even.is_empty() {
            let message = format!("no even port with one above it from {min} to {max}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if max.saturating_sub(min) < RECOMMENDED_WIDTH - 1 {
            warn!(
                "the RTP range {min} to {max} is narrow: its ports are easily guessed, and used again soon. \
                 {RECOMMENDED_WIDTH} or more are better (rtp.port_min, rtp.port_max)"
            );
        }
        Ok(Self {
            bind,
            count: even.len(),
            pool: Arc::new(Mutex::new(Pool {
                rested: even,
                resting: VecDeque::new(),
            })),
        })
    }

    /// Ports of the range, in use or not.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Binds a port, and the one above it, that nobody else on this machine has: a random one of those that rested, else the one that has rested
    /// the longest.
    ///
    /// # Errors
    /// `AddrInUse` if there is none, or what the socket says.
    pub(super) fn bind(&self) -> io::Result<(Sockets, PortLease)> {
        let mut taken = Vec::new(); // held until the end, so that each is tried once
        for _ in 0..self.count {
            let random = getrandom::u32().map_err(io::Error::other)?;
            let Some(port) = lock(&self.pool).pick(Instant::now(), random) else {
                break;
            };
            let lease = PortLease {
                port,
                pool: Arc::clone(&self.pool),
            };
            match bind_pair(self.bind, port) {
                Ok(sockets) => return Ok((sockets, lease)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken.push(lease),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "every RTP port is in use",
        ))
    }
}

impl Pool {
    fn pick(&mut self, now: Instant, random: u32) -> Option<u16> {
        while let Some((port, since)) = self.resting.front()
            && now.saturating_duration_since(*since) >= REST
        {
            self.rested.push(*port);
            self.resting.pop_front();
        }
        match self.rested.len() {
            0 => self.resting.pop_front().map(|(port, _)| port),
            count => Some(self.rested.swap_remove(random as usize % count)),
        }
    }

    fn give_back(&mut self, now: Instant, port: u16) {
        self.resting.push_back((port, now));
    }
}

fn lock(pool: &Mutex<Pool>) -> MutexGuard<'_, Pool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PortLease {
    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        lock(&self.pool).give_back(Instant::now(), self.port);
    }
}

fn bind_pair(address: IpAddr, port: u16) -> io::Result<Sockets> {
    Ok(Sockets {
        rtp: bind(SocketAddr::new(address, port))?,
        rtcp: bind(SocketAddr::new(address, port + 1))?,
    })
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.bind(&address.into())?;
    let socket = socket.into();
    stamp_arrivals(&socket)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn ports_are_even_and_lent_once() {
        let ports = Ports::new(LOCALHOST, 12_001, 12_009).unwrap();
        assert_eq!(ports.count(), 4);
        let taken: Vec<_> = std::iter::from_fn(|| ports.bind().ok()).collect();
        let mut numbers: Vec<u16> = taken.iter().map(|(_, lease)| lease.port()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [12_002, 12_004, 12_006, 12_008]);
        assert_eq!(ports.bind().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(taken);
        assert!(ports.bind().is_ok());
    }

    #[test]
    fn a_port_that_somebody_else_has_is_passed_over() {
        let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = other.local_addr().unwrap().port() & !1;
        let both = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)); // if the free one was odd, its even neighbour
        let ports = Ports::new(LOCALHOST, port, port + 1).unwrap();
        assert_eq!(ports.bind().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop((other, both));
        assert!(ports.bind().is_ok(), "it stays in the range");
    }

    #[test]
    fn a_port_rests_after_a_call_as_long_as_others_are_free() {
        let now = Instant::now();
        let mut pool = Pool {
            rested: vec![2, 4, 6, 8],
            resting: VecDeque::new(),
        };
        for (random, expected) in [(5, 4), (1, 8), (7, 6)] {
            assert_eq!(pool.pick(now, random), Some(expected), "{random}");
        }
        pool.give_back(now, 4);
        pool.give_back(now + REST / 2, 6);
        // The last one that rested, then the one that has rested the longest: no call is refused for it.
        let later = now + REST - Duration::from_millis(1);
        assert_eq!(
            [pool.pick(later, 9), pool.pick(later, 9)],
            [Some(2), Some(4)]
        );
        pool.give_back(later, 2);
        let later = now + REST / 2 + REST;
        assert_eq!(pool.pick(later, 0), Some(6), "rested");
        assert_eq!([pool.pick(later, 0), pool.pick(later, 0)], [Some(2), None]);
    }

    #[test]
    fn ports_follow_no_pattern() {
        let first_ports = || {
            let ports = Ports::new(LOCALHOST, 12_200, 12_599).unwrap();
            let taken: Vec<_> = (0..8).map(|_| ports.bind().unwrap()).collect();
            taken
                .iter()
                .map(|(_, lease)| lease.port())
                .collect::<Vec<_>>()
        };
        // Eight of 200 in the same order by chance: once in 10^18.
        assert_ne!(first_ports(), first_ports());
    }

    #[test]
    fn a_range_without_a_pair_of_ports_is_refused() {
        for (min, max) in [(7, 7), (8, 8), (9, 8)] {
            let error = Ports::new(LOCALHOST, min, max).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{min} to {max}");
        }
    }
}
