//! The SIP sockets, on both sides of the endpoint's thread.
//!
//! UDP is served on that thread itself. Connections are served by tasks of the process's runtime: a TLS handshake costs as much
//! as a hundred messages, and nobody's handshakes may delay the calls of others. What passes between the two are whole messages
//! in bounded queues. The endpoint's thread alone knows which connections there are ([`Connections`]).

mod accept;
mod connection;
mod connections;
mod dial;
mod seats;
mod servers;
mod sockets;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod udp;
mod websocket;

pub(crate) use connection::ConnectionEvent;
pub(crate) use connections::Connections;
pub(crate) use servers::Server;
pub(crate) use sockets::Sockets;
pub(crate) use tls::{Keeper as TlsKeeper, Tls};
pub(crate) use udp::Udp;
