//! Networks, as trunks name their sources.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// An IP network, written such as `203.0.113.0/24`, or one address. An IPv4 network mapped into IPv6 is the IPv4 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpPrefix(IpNet);

/// The text is not an IP prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrefix {
    /// Neither an address nor a prefix.
    #[error(
        "`{0}` is not an IP address or prefix: write one such as `203.0.113.7` or `203.0.113.0/24`"
    )]
    Syntax(String),
    /// The address has bits set that the length leaves out.
    #[error("`{text}` has address bits beyond its length: write `{network}`")]
    HostBits {
        /// What was written.
        text: String,
        /// The network it lies in.
        network: IpNet,
    },
}

impl IpPrefix {
    /// The network; its address has no bits beyond its length.
    #[must_use]
    pub const fn network(&self) -> IpNet {
        self.0
    }
}

/// Not `IpNet`'s own reading, which takes `010.0.0.0/8` for 10.0.0.0/8 and no address alone.
fn parse(text: &str) -> Option<IpNet> {
    let Some((address, length)) = text.split_once('/') else {
        return Some(text.parse::<IpAddr>().ok()?.to_canonical().into());
    };
    let (address, length): (IpAddr, u8) = (address.parse().ok()?, length.parse().ok()?);
    let (address, length) = match (address.to_canonical(), length.checked_sub(96)) {
        (IpAddr::V4(mapped), Some(length)) if address.is_ipv6() => (mapped.into(), length),
        _ => (address, length),
    };
    IpNet::new(address, length).ok()
}

impl FromStr for IpPrefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let written = parse(text).ok_or_else(|| InvalidPrefix::Syntax(text.to_owned()))?;
        let network = written.trunc();
        if network == written {
            return Ok(Self(network));
        }
        Err(InvalidPrefix::HostBits {
            text: text.to_owned(),
            network,
        })
    }
}

impl fmt::Display for IpPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for IpPrefix {
    type Error = InvalidPrefix;

    fn try_from(text: String) -> Result<Self, InvalidPrefix> {
        text.parse()
    }
}

impl From<IpPrefix> for String {
    fn from(prefix: IpPrefix) -> Self {
        prefix.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_how_it_is_stored() {
        for (text, stored) in [
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::1", "::1/128"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:127.0.0.1", "127.0.0.1/32"),
            ("::ffff:127.0.0.0/104", "127.0.0.0/8"),
        ] {
            let prefix: IpPrefix = text.parse().unwrap();
            assert_eq!(String::from(prefix), stored, "{text}");
            assert_eq!(stored.parse(), Ok(prefix), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_prefix_is_refused() {
        for bad in [
            "",
            "localhost",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0/8",
            "010.0.0.0/8",
            "::/129",
            "::ffff:10.0.0.0/129",
            "10.0.0.0/8/8",
        ] {
            assert!(
                matches!(bad.parse::<IpPrefix>(), Err(InvalidPrefix::Syntax(_))),
                "{bad}"
            );
        }
        for (text, network) in [("10.1.2.3/8", "10.0.0.0/8"), ("::ffff:1.2.3.4/64", "::/64")] {
            assert_eq!(
                text.parse::<IpPrefix>().unwrap_err().to_string(),
                format!("`{text}` has address bits beyond its length: write `{network}`")
            );
        }
    }
}
