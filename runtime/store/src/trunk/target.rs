//! Where a trunk's outbound calls are sent.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sip::{Host, Scheme, Transport, Uri};

/// One place to send calls to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A SIP server, located by RFC 3263.
    Uri(TargetUri),
    /// Where the peer registered last; see [`crate::Login`].
    Registered,
}

impl Target {
    /// The address, where it is told without asking anybody.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Uri(uri) => uri.address(),
            Self::Registered => None,
        }
    }
}

/// A `sip:` or `sips:` URI of a server: a host name or address, perhaps a port and a transport; no user, nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetUri(String);

/// The text names no SIP server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no SIP server: write a URI such as \"sip:sbc.example.org\" or \"sip:203.0.113.7:5060;transport=tcp\" (udp, tcp or tls), or an address such as \"203.0.113.7:5060\""
)]
pub struct InvalidTarget(String);

impl TargetUri {
    /// The URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, where the URI has a literal one; 5060 is the port where it has none.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.uri().socket_address()
    }

    /// Whether its calls surely go in the clear: it says so, or it is an address or has a port and says nothing (RFC 3263 section 4.1).
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        let uri = self.uri();
        match uri.transport() {
            Some(transport) => !transport.is_secure(),
            None => uri.socket_address().is_some() || uri.port().is_some(),
        }
    }

    /// The host as it is written in URIs.
    #[must_use]
    pub fn host(&self) -> String {
        self.uri().host().map(Host::to_string).unwrap_or_default()
    }

    fn uri(&self) -> Uri {
        Uri::parse(&Bytes::copy_from_slice(self.0.as_bytes())).expect("only a SIP URI is taken in")
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self::Uri(TargetUri(format!("sip:{address}")))
    }
}

impl FromStr for TargetUri {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let uri = match text.parse::<SocketAddr>() {
            Ok(address) => format!("sip:{address}"),
            Err(_) => text.to_owned(),
        };
        if names_a_server(&uri) {
            Ok(Self(uri))
        } else {
            Err(InvalidTarget(text.to_owned()))
        }
    }
}

fn names_a_server(text: &str) -> bool {
    let Ok(uri) = Uri::parse(&Bytes::copy_from_slice(text.as_bytes())) else {
        return false;
    };
    let transport = uri.param("transport").map(|name| name.parse::<Transport>());
    let spoken = match (uri.scheme(), &transport) {
        (Scheme::Sip | Scheme::Sips, None) => true,
        // WebSockets are for those who come to us.
        (_, Some(Ok(Transport::Ws | Transport::Wss))) => false,
        (Scheme::Sip, Some(Ok(_))) => true,
        (Scheme::Sips, Some(Ok(transport))) => *transport != Transport::Udp,
        _ => false,
    };
    // The one parameter that says where, and nothing that says who or what.
    let params = text.matches(';').count();
    spoken && params == usize::from(transport.is_some()) && !text.contains(['@', '?', '%'])
}

impl TryFrom<String> for TargetUri {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, InvalidTarget> {
        text.parse()
    }
}

impl From<TargetUri> for String {
    fn from(uri: TargetUri) -> Self {
        uri.0
    }
}

impl fmt::Display for TargetUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, written: &str, address: Option<&str>) {
        let uri: TargetUri = text.parse().unwrap();
        assert_eq!(uri.as_str(), written);
        assert_eq!(
            uri.address(),
            address.map(|address| address.parse().unwrap())
        );
    }

    #[test]
    fn servers() {
        check("sip:sbc.example.org", "sip:sbc.example.org", None);
        check(
            "sips:sbc.example.org:5071",
            "sips:sbc.example.org:5071",
            None,
        );
        check(
            "sip:192.0.2.9;transport=tcp",
            "sip:192.0.2.9;transport=tcp",
            Some("192.0.2.9:5060"),
        );
        check(
            "sip:[2001:db8::1]:5070",
            "sip:[2001:db8::1]:5070",
            Some("[2001:db8::1]:5070"),
        );
        check(
            "203.0.113.7:5080",
            "sip:203.0.113.7:5080",
            Some("203.0.113.7:5080"),
        );
        check(
            "[2001:db8::1]:5060",
            "sip:[2001:db8::1]:5060",
            Some("[2001:db8::1]:5060"),
        );
    }

    #[test]
    fn what_names_no_server() {
        for bad in [
            "",
            "registered",
            "sbc.example.org",
            "sbc.example.org:5060",
            "sip:192.0.2.9;transport=ws",
            "sips:sbc.example.org;transport=wss",
            "203.0.113.7",
            "tel:+85512345678",
            "http://example.org/",
            "sip:",
            "sip:user@example.org",
            "sip:example.org;transport=sctp",
            "sip:example.org;lr",
            "sip:example.org;transport=tcp;lr",
            "sip:example.org?Route=x",
            "sip:example.org:99999",
            "sip:exam ple.org",
            "sips:example.org;transport=udp",
        ] {
            let error = bad.parse::<TargetUri>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{bad}` names no SIP server")),
                "{error}"
            );
        }
    }
}
