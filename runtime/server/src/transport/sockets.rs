//! Every socket that the configuration names, bound before anything else starts.

use std::io;
use std::net::SocketAddr;

use anyhow::Context;
use sip::Transport;

use crate::config::{Addresses, Bound, Sip};

/// How often a free UDP port is looked for whose TCP port is free too.
const TRIES: usize = 16;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Bound sockets, not served yet.
pub(crate) struct Sockets {
    pub(crate) udp: Vec<std::net::UdpSocket>,
    /// What listens, and for which transport.
    pub(crate) listeners: Vec<(Transport, std::net::TcpListener)>,
    pub(crate) bound: Bound,
}

impl Sockets {
    /// Binds everything, so that a taken port is told at once.
    pub(crate) fn bind(settings: &Sip) -> anyhow::Result<Self> {
        let mut sockets = Self {
            udp: Vec::new(),
            listeners: Vec::new(),
            bound: Bound::default(),
        };
        sockets.bound.plain = sockets.bind_plain(&settings.bind)?;
        sockets.bound.tls =
            sockets.bind_listeners(Transport::Tls, "sip.tls_bind", &settings.tls_bind)?;
        sockets.bound.ws =
            sockets.bind_listeners(Transport::Ws, "sip.ws_bind", &settings.ws_bind)?;
        sockets.bound.wss =
            sockets.bind_listeners(Transport::Wss, "sip.wss_bind", &settings.wss_bind)?;
        Ok(sockets)
    }

    fn bind_plain(&mut self, addresses: &Addresses) -> anyhow::Result<Addresses> {
        let mut bound = Vec::new();
        for &address in addresses.iter() {
            let is_dual = is_dual(address, addresses);
            let (udp, tcp) = bind_both(address, is_dual).with_context(|| {
                format!("cannot bind the SIP address {address} for UDP and TCP (sip.bind)")
            })?;
            bound.push(udp.local_addr().context("the SIP socket has no address")?);
            self.udp.push(udp);
            self.listeners.push((Transport::Tcp, tcp));
        }
        Ok(bound.into_iter().collect())
    }

    fn bind_listeners(
        &mut self,
        transport: Transport,
        setting: &str,
        addresses: &Addresses,
    ) -> anyhow::Result<Addresses> {
        let mut bound = Vec::new();
        for &address in addresses.iter() {
            let listener = bind_tcp(address, is_dual(address, addresses))
                .with_context(|| format!("cannot bind the SIP address {address} ({setting})"))?;
            bound.push(
                listener
                    .local_addr()
                    .context("the SIP socket has no address")?,
            );
            self.listeners.push((transport, listener));
        }
        Ok(bound.into_iter().collect())
    }
}

/// Whether an IPv6 socket takes IPv4 too: where it is bound to every interface, and IPv4 is not bound by itself.
fn is_dual(address: SocketAddr, all: &Addresses) -> bool {
    let has_ipv4 = all
        .iter()
        .any(|other| other.is_ipv4() && other.port() == address.port());
    address.is_ipv6() && address.ip().is_unspecified() && !has_ipv4
}

/// One port for both. Where any will do, one that is free for both is looked for.
fn bind_both(
    address: SocketAddr,
    is_dual: bool,
) -> io::Result<(std::net::UdpSocket, std::net::TcpListener)> {
    let mut tries = 0;
    loop {
        let udp = bind_udp(address, is_dual)?;
        match bind_tcp(udp.local_addr()?, is_dual) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if address.port() != 0 || tries == TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

/// A socket with room for a burst: 2,000 INVITEs may arrive within a few milliseconds.
fn bind_udp(address: SocketAddr, is_dual: bool) -> io::Result<std::net::UdpSocket> {
    const BUFFER: usize = 4 << 20;
    let socket = new_socket(address, socket2::Type::DGRAM, is_dual)?;
    // The kernel may give less; that is no failure.
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn bind_tcp(address: SocketAddr, is_dual: bool) -> io::Result<std::net::TcpListener> {
    let socket = new_socket(address, socket2::Type::STREAM, is_dual)?;
    // A server that starts again finds its port, whatever connections of the one before it linger.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn new_socket(
    address: SocketAddr,
    kind: socket2::Type,
    is_dual: bool,
) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(!is_dual)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_takes_ipv4_where_nobody_else_does() {
        for (address, all, expected) in [
            ("[::]:5060", "[::]:5060", true),
            ("[::]:5060", "0.0.0.0:5060 [::]:5060", false),
            ("[::]:5060", "0.0.0.0:5070 [::]:5060", true),
            ("[::1]:5060", "[::1]:5060", false),
            ("0.0.0.0:5060", "0.0.0.0:5060", false),
        ] {
            let all = all.split(' ').map(|address| address.parse().unwrap());
            let all: Addresses = all.collect();
            assert_eq!(
                is_dual(address.parse().unwrap(), &all),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn a_taken_port_is_told_with_its_setting() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = Sip {
            bind: "127.0.0.1:0".parse::<SocketAddr>().unwrap().into(),
            ws_bind: taken.local_addr().unwrap().into(),
            ..Sip::default()
        };
        let error = Sockets::bind(&settings).err().expect("the port is taken");
        assert!(error.to_string().contains("sip.ws_bind"), "{error:#}");
    }
}
