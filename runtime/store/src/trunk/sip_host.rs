//! Hosts that SIP URIs may name.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::IpPrefix;

/// Bytes of a name of DNS (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;

/// One host, or some of a kind, that calls to SIP URIs may go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SipHost {
    /// A name, in lower case.
    Name(String),
    /// All names that end so; the part behind `*`, with its dot, in lower case.
    Below(String),
    /// An address, or a block of them: where a URI names one of them, and where a name leads to one that is not public.
    Network(IpPrefix),
}

/// The text names no hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no hosts: write a name such as \"pbx.example.net\", \"*.example.net\" for all names below it, or an address or block such as \"192.0.2.7\" or \"10.0.0.0/8\""
)]
pub struct InvalidHost(String);

impl SipHost {
    /// Whether a URI may name this host: a name in lower case, without a dot behind it.
    #[must_use]
    pub fn has_name(&self, host: &str) -> bool {
        match self {
            Self::Name(name) => name == host,
            Self::Below(end) => host.len() > end.len() && host.ends_with(end.as_str()),
            Self::Network(_) => false,
        }
    }

    /// Whether this is one of its addresses.
    #[must_use]
    pub fn has_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Network(prefix) => prefix.network().contains(&address.to_canonical()),
            Self::Name(_) | Self::Below(_) => false,
        }
    }
}

/// Letters, digits and dashes between dots; the last part begins with a letter, so that it is no mistyped address.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let is_top = |label: &str| label.starts_with(|c: char| c.is_ascii_alphabetic());
    text.len() <= LONGEST_NAME
        && text.split('.').all(is_label)
        && text.rsplit('.').next().is_some_and(is_top)
}

impl FromStr for SipHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        if let Ok(prefix) = text.parse() {
            return Ok(Self::Network(prefix));
        }
        let lower = text.to_ascii_lowercase();
        match lower.strip_prefix("*.") {
            Some(name) if is_name(name) => Ok(Self::Below(format!(".{name}"))),
            None if is_name(&lower) => Ok(Self::Name(lower)),
            _ => Err(InvalidHost(text.to_owned())),
        }
    }
}

impl TryFrom<String> for SipHost {
    type Error = InvalidHost;

    fn try_from(text: String) -> Result<Self, InvalidHost> {
        text.parse()
    }
}

impl fmt::Display for SipHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Below(end) => write!(f, "*{end}"),
            Self::Network(prefix) => prefix.fmt(f),
        }
    }
}

impl From<SipHost> for String {
    fn from(host: SipHost) -> Self {
        host.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_has() {
        for (pattern, names, others) in [
            (
                "PBX.example.net",
                &["pbx.example.net"][..],
                &["example.net", "a.pbx.example.net", "192.0.2.7"][..],
            ),
            (
                "*.example.net",
                &["pbx.example.net", "a.b.example.net"],
                &[
                    "example.net",
                    ".example.net",
                    "badexample.net",
                    "pbx.example.net.evil",
                ],
            ),
            ("localhost", &["localhost"], &["x.localhost"]),
            ("10.0.0.0/8", &[], &["10.0.0.1", "pbx.example.net"]),
        ] {
            let host: SipHost = pattern.parse().unwrap();
            assert!(names.iter().all(|name| host.has_name(name)), "{pattern}");
            assert!(!others.iter().any(|name| host.has_name(name)), "{pattern}");
            assert_eq!(host.to_string(), pattern.to_ascii_lowercase());
            assert_eq!(host.to_string().parse(), Ok(host));
        }
        let block: SipHost = "10.0.0.0/8".parse().unwrap();
        for (address, is_in) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
        ] {
            assert_eq!(
                block.has_address(address.parse().unwrap()),
                is_in,
                "{address}"
            );
        }
        let one: SipHost = "2001:db8::7".parse().unwrap();
        assert!(one.has_address("2001:db8::7".parse().unwrap()));
    }

    #[test]
    fn what_names_no_hosts() {
        for text in [
            "",
            "*",
            "*.",
            "a.*",
            "a b",
            "sip:pbx.example.net",
            "pbx.example.net:5060",
            "1.2.3",
            "10.0.0.1/8",
            "a..b",
            "pbx.example.net.",
        ] {
            let error = text.parse::<SipHost>().unwrap_err();
            assert!(error.to_string().contains("names no hosts"), "{text}");
        }
    }
}
