//! The UDP ports of the range, each lent to one leg at a time.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use socket2::{Domain, Protocol, Socket, Type};

/// Enough for 100 packets that came while the thread was late; the system's default is ten times that.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;

/// Even ports that are free, the one that was given back last at the end: late packets of an ended call find nobody.
#[derive(Debug)]
pub(super) struct Ports {
    bind: IpAddr,
    free: Arc<ArrayQueue<u16>>,
}

/// A port in use. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct PortLease {
    port: u16,
    free: Arc<ArrayQueue<u16>>,
}

impl Ports {
    /// The even ports from `min` to `max`, in random order: a range sprayed from its beginning meets no pattern.
    ///
    /// # Errors
    /// `InvalidInput` if there is no even port in the range.
    pub(super) fn new(bind: IpAddr, min: u16, max: u16) -> io::Result<Self> {
        let mut even: Vec<u16> = (min..=max).filter(|port| port % 2 == 0).collect();
        if even.is_empty() {
            let message = format!("no even port from {min} to {max}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        shuffle(&mut even)?;
        let free = ArrayQueue::new(even.len());
        for port in even {
            free.push(port).expect("there is room for every port");
        }
        Ok(Self {
            bind,
            free: Arc::new(free),
        })
    }

    /// Ports of the range, in use or not.
    pub(super) fn count(&self) -> usize {
        self.free.capacity()
    }

    /// Binds the next free port that nobody else on this machine has.
    ///
    /// # Errors
    /// `AddrInUse` if there is none, or what the socket says.
    pub(super) fn bind(&self) -> io::Result<(UdpSocket, PortLease)> {
        for _ in 0..self.count() {
            let Some(port) = self.free.pop() else { break };
            let lease = PortLease {
                port,
                free: Arc::clone(&self.free),
            };
            match bind(SocketAddr::new(self.bind, port)) {
                Ok(socket) => return Ok((socket, lease)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "every RTP port is in use",
        ))
    }
}

impl PortLease {
    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        // The queue has room for every port.
        let _ = self.free.push(self.port);
    }
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
    Ok(socket.into())
}

/// Fisher and Yates.
fn shuffle(ports: &mut [u16]) -> io::Result<()> {
    for last in (1..ports.len()).rev() {
        let random = getrandom::u32().map_err(io::Error::other)?;
        ports.swap(last, random as usize % (last + 1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn ports_are_even_and_lent_once() {
        let ports = Ports::new(LOCALHOST, 46_001, 46_008).unwrap();
        assert_eq!(ports.count(), 4);
        let taken: Vec<_> = std::iter::from_fn(|| ports.bind().ok()).collect();
        let mut numbers: Vec<u16> = taken.iter().map(|(_, lease)| lease.port()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [46_002, 46_004, 46_006, 46_008]);
        assert_eq!(ports.bind().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(taken);
        assert!(ports.bind().is_ok());
    }

    #[test]
    fn a_port_that_somebody_else_has_is_passed_over() {
        let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = other.local_addr().unwrap().port() & !1;
        let _both = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)); // if the free one was odd, its even neighbour
        let ports = Ports::new(LOCALHOST, port, port).unwrap();
        assert_eq!(ports.bind().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(ports.free.len(), 1, "it stays in the range");
    }

    #[test]
    fn a_range_without_an_even_port_is_refused() {
        for (min, max) in [(7, 7), (9, 8)] {
            let error = Ports::new(LOCALHOST, min, max).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{min} to {max}");
        }
    }
}
