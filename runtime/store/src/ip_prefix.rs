//! Networks, as trunks name their sources.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An IP network such as `203.0.113.0/24`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpPrefix {
    network: IpAddr,
    length: u8,
}

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
        network: IpPrefix,
    },
}

impl IpPrefix {
    /// The lowest address of the network.
    #[must_use]
    pub const fn network(&self) -> IpAddr {
        self.network
    }

    /// The network of this length around `address`, in which an IPv4 address mapped into IPv6 counts as the IPv4 address. None
    /// if the address has fewer bits.
    #[must_use]
    pub fn around(address: IpAddr, length: u8) -> Option<Self> {
        let network = masked(address.to_canonical(), length)?;
        Some(Self { network, length })
    }

    /// How many leading bits are fixed: 0 to 32, or to 128.
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// Whether `address` lies in the network. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::around(address, self.length) == Some(*self)
    }
}

/// `address` with only its first `length` bits; none if it has fewer.
fn masked(address: IpAddr, length: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => {
            let host_bits = 32u32.checked_sub(length.into())?;
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            Some(Ipv4Addr::from_bits(v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let host_bits = 128u32.checked_sub(length.into())?;
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            Some(Ipv6Addr::from_bits(v6.to_bits() & mask).into())
        }
    }
}

impl FromStr for IpPrefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let syntax = || InvalidPrefix::Syntax(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse().map_err(|_| syntax())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| syntax())?;
        let length: u8 = length.unwrap_or(if address.is_ipv4() { 32 } else { 128 });
        let (address, length) = match (address.to_canonical(), length.checked_sub(96)) {
            (IpAddr::V4(mapped), Some(length)) if address.is_ipv6() => (mapped.into(), length),
            _ => (address, length),
        };
        let network = masked(address, length).ok_or_else(syntax)?;
        let prefix = Self { network, length };
        if network == address {
            Ok(prefix)
        } else {
            Err(InvalidPrefix::HostBits {
                text: text.to_owned(),
                network: prefix,
            })
        }
    }
}

impl fmt::Display for IpPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.length)
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

    #[track_caller]
    fn check(prefix: &str, address: &str, contains: bool) {
        let prefix: IpPrefix = prefix.parse().unwrap();
        assert_eq!(
            prefix.contains(address.parse().unwrap()),
            contains,
            "{prefix} {address}"
        );
    }

    #[test]
    fn contains() {
        check("127.0.0.0/8", "127.1.2.3", true);
        check("127.0.0.0/8", "128.0.0.1", false);
        check("203.0.113.7", "203.0.113.7", true);
        check("203.0.113.7", "203.0.113.6", false);
        check("0.0.0.0/0", "203.0.113.7", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "203.0.113.7", false);
        check("127.0.0.0/8", "::ffff:127.0.0.1", true);
        check("::ffff:127.0.0.0/104", "127.0.0.1", true);
        check("::ffff:127.0.0.1", "127.0.0.1", true);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("::1", "::1", true);
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
            "::/129",
            "10.0.0.0/8/8",
        ] {
            assert!(
                matches!(bad.parse::<IpPrefix>(), Err(InvalidPrefix::Syntax(_))),
                "{bad}"
            );
        }
        let error = "10.1.2.3/8".parse::<IpPrefix>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`10.1.2.3/8` has address bits beyond its length: write `10.0.0.0/8`"
        );
    }
}
