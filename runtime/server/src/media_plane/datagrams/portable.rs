//! One datagram a system call, without a time.

#[cfg(not(target_os = "linux"))]
use std::io;
use std::net::UdpSocket;

use super::{Buffer, Came, MAX_DATAGRAMS};

/// There is nothing to ask for.
#[cfg(not(target_os = "linux"))]
pub(in super::super) fn stamp_arrivals(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

/// Fills buffers, and says what is in them. Returns how many it filled.
pub(super) fn receive(
    socket: &UdpSocket,
    buffers: &mut [Buffer; MAX_DATAGRAMS],
    came: &mut [Came; MAX_DATAGRAMS],
) -> usize {
    let places = buffers.iter_mut().zip(came);
    let filled = places.map_while(|(buffer, came)| {
        // Nothing there, or an error that ICMP left behind: both mean that there is nothing to read now.
        let (length, source) = socket.recv_from(buffer).ok()?;
        *came = Came {
            length,
            source: Some(source),
            stamp: None,
        };
        Some(())
    });
    filled.count()
}
