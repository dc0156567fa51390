//! Where a message came from or goes to: a transport and an address (RFC 3261 §18, RFC 7118).

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use crate::uri::escape_user;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// One message a datagram; what is lost is sent again.
    Udp,
    /// A stream, in the clear.
    Tcp,
    /// A stream under TLS.
    Tls,
    /// Messages over a WebSocket (RFC 7118).
    Ws,
    /// Messages over a WebSocket under TLS.
    Wss,
}

/// A text that names no [`Transport`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no SIP transport: udp, tcp, tls, ws and wss are")]
pub struct UnknownTransport(String);

impl Transport {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// Whether what is sent arrives, or its loss is told: then nothing is sent twice.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Whether nobody on the way reads along.
    #[must_use]
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// As `Via` says it (RFC 3261 §20.42, RFC 7118 §5.2).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// As the `transport` parameter of a URI says it.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The port where none is named (RFC 3261 §19.1.2, RFC 7118 §5.3).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<Self, UnknownTransport> {
        Self::ALL
            .into_iter()
            .find(|transport| transport.parameter().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownTransport(text.to_owned()))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parameter())
    }
}

/// Who is at the far end of a connection, as those who send over it tell servers apart: over TLS, by the name that its
/// certificate has to be of (RFC 5922 §4). Nothing here looks into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId([u8; 16]);

impl ServerId {
    /// The server that these bytes stand for.
    #[must_use]
    pub const fn new(id: [u8; 16]) -> Self {
        Self(id)
    }
}

/// One end of the way a message takes. Of a stream it is the remote end of the connection, whoever opened it. Two servers at
/// one address have a connection each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// Who is met there, over a stream that we open; none where that is nobody in particular.
    pub server: Option<ServerId>,
}

impl Hop {
    /// A hop of this transport and address.
    #[must_use]
    pub const fn new(transport: Transport, address: SocketAddr) -> Self {
        Self {
            transport,
            address,
            server: None,
        }
    }

    /// The same hop, as that of this server; none: of nobody in particular.
    #[must_use]
    pub const fn of(self, server: Option<ServerId>) -> Self {
        Self { server, ..self }
    }

    /// A hop over UDP.
    #[must_use]
    pub const fn udp(address: SocketAddr) -> Self {
        Self::new(Transport::Udp, address)
    }

    /// The URI of an endpoint that is reached here, or of a user there, as `Contact` has it.
    pub(crate) fn contact(&self, user: Option<&str>) -> String {
        let user = user.map_or_else(String::new, |user| format!("{}@", escape_user(user)));
        match self.transport {
            Transport::Udp => format!("sip:{user}{}", self.address),
            transport => format!("sip:{user}{};transport={transport}", self.address),
        }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.address)
    }
}

/// The way to somebody: a hop, and where to open a connection when the hop is one that is gone (RFC 3261 §18.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) to: Hop,
    pub(crate) otherwise: Option<Hop>,
}

impl From<Hop> for Way {
    fn from(to: Hop) -> Self {
        Self {
            to,
            otherwise: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_named() {
        for transport in Transport::ALL {
            assert_eq!(transport.parameter().parse(), Ok(transport));
            assert_eq!(transport.name().parse(), Ok(transport));
        }
        assert!("sctp".parse::<Transport>().is_err());
    }

    #[test]
    fn contacts() {
        let address = "192.0.2.1:5070".parse().unwrap();
        assert_eq!(Hop::udp(address).contact(None), "sip:192.0.2.1:5070");
        let user = Hop::udp(address).contact(Some("us#"));
        assert_eq!(user, "sip:us%23@192.0.2.1:5070");
        let tls = Hop::new(Transport::Tls, "[2001:db8::1]:5061".parse().unwrap());
        assert_eq!(tls.contact(None), "sip:[2001:db8::1]:5061;transport=tls");
    }
}
