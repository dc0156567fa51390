//! A network that repeats what a caller sends.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// The relay looks after its two sockets in turn, each for so long.
const PATIENCE: Duration = Duration::from_millis(5);

/// Starts a relay in front of `server`, for one caller and as long as the test process lives. Each of the caller's datagrams reaches
/// the server `copies` times, as retransmissions and doubled packets do; answers come back once. Returns where to call.
#[must_use]
pub fn repeating(server: SocketAddr, copies: usize) -> SocketAddr {
    let [outside, inside] = [(); 2].map(|()| {
        let socket =
            UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free UDP port");
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("a socket takes a read timeout");
        socket
    });
    let address = outside.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        let mut datagram = [0; 65_536];
        let mut caller = None;
        loop {
            if let Ok((length, source)) = outside.recv_from(&mut datagram) {
                caller = Some(source);
                for _ in 0..copies {
                    let _ = inside.send_to(&datagram[..length], server); // it may be gone: networks do not mind
                }
            }
            if let (Ok(length), Some(caller)) = (inside.recv(&mut datagram), caller) {
                let _ = outside.send_to(&datagram[..length], caller);
            }
        }
    });
    address
}
