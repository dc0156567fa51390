//! Which addresses are public, and which are somebody's inside.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses: `10.0.0.0/8`, `fd00::/8`, or one address alone.
///
/// An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) counts as the IPv4 address in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct IpPrefix {
    address: IpAddr,
    length: u8,
}

/// The text is neither an address nor an address with a prefix length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an address block: expected an address, or one with a prefix length, such as `10.0.0.0/8`"
)]
pub(crate) struct InvalidIpPrefix(String);

impl IpPrefix {
    const fn v4(address: [u8; 4], length: u8) -> Self {
        let [a, b, c, d] = address;
        Self {
            address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            length,
        }
    }

    const fn v6(head: [u16; 3], length: u8) -> Self {
        let [a, b, c] = head;
        Self {
            address: IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)),
            length,
        }
    }

    /// Whether `address` lies in the block.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                masked(u32::from(network).into(), 32, self.length)
                    == masked(u32::from(address).into(), 32, self.length)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                masked(network.into(), 128, self.length) == masked(address.into(), 128, self.length)
            }
            _ => false,
        }
    }
}

/// The first `length` of the lowest `width` bits of `bits`.
fn masked(bits: u128, width: u8, length: u8) -> u128 {
    bits.checked_shr(u32::from(width - length)).unwrap_or(0)
}

impl fmt::Display for IpPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl FromStr for IpPrefix {
    type Err = InvalidIpPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidIpPrefix> {
        let invalid = || InvalidIpPrefix(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse().map_err(|_| invalid())?)),
            None => (text, None),
        };
        let address = address
            .parse::<IpAddr>()
            .map_err(|_| invalid())?
            .to_canonical();
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(longest);
        if length > longest {
            return Err(invalid());
        }
        Ok(Self { address, length })
    }
}

/// Blocks that are not part of the public internet, or that lead back to somebody's inside (the IANA special-purpose
/// registries of RFC 6890, with the tunnels that carry an IPv4 address in an IPv6 one). The first match names it.
const SPECIAL: &[(IpPrefix, &str)] = &[
    (IpPrefix::v4([0, 0, 0, 0], 8), "an address of this host"),
    (IpPrefix::v4([10, 0, 0, 0], 8), "a private address"),
    (
        IpPrefix::v4([100, 64, 0, 0], 10),
        "a carrier-grade NAT address",
    ),
    (IpPrefix::v4([127, 0, 0, 0], 8), "a loopback address"),
    // Azure answers its virtual machines' metadata and DNS here, although the block is public.
    (
        IpPrefix::v4([168, 63, 129, 16], 32),
        "a cloud metadata address",
    ),
    (IpPrefix::v4([169, 254, 0, 0], 16), "a link-local address"),
    (IpPrefix::v4([172, 16, 0, 0], 12), "a private address"),
    (
        IpPrefix::v4([192, 0, 0, 0], 24),
        "an address for protocol assignments",
    ),
    (IpPrefix::v4([192, 0, 2, 0], 24), "a documentation address"),
    (IpPrefix::v4([192, 88, 99, 0], 24), "a 6to4 relay address"),
    (IpPrefix::v4([192, 168, 0, 0], 16), "a private address"),
    (IpPrefix::v4([198, 18, 0, 0], 15), "a benchmarking address"),
    (
        IpPrefix::v4([198, 51, 100, 0], 24),
        "a documentation address",
    ),
    (
        IpPrefix::v4([203, 0, 113, 0], 24),
        "a documentation address",
    ),
    (IpPrefix::v4([224, 0, 0, 0], 4), "a multicast address"),
    (IpPrefix::v4([240, 0, 0, 0], 4), "a reserved address"),
    (IpPrefix::v6([0x64, 0xff9b, 0], 96), "a NAT64 address"),
    (IpPrefix::v6([0x64, 0xff9b, 1], 48), "a NAT64 address"),
    (
        IpPrefix::v6([0x2001, 0, 0], 23),
        "an address for protocol assignments",
    ),
    (
        IpPrefix::v6([0x2001, 0xdb8, 0], 32),
        "a documentation address",
    ),
    (IpPrefix::v6([0x2002, 0, 0], 16), "a 6to4 address"),
    (IpPrefix::v6([0x3fff, 0, 0], 20), "a documentation address"),
    (IpPrefix::v6([0xfc00, 0, 0], 7), "a private address"),
    (IpPrefix::v6([0xfe80, 0, 0], 10), "a link-local address"),
    (IpPrefix::v6([0xff00, 0, 0], 8), "a multicast address"),
];

/// All that is given out as global unicast (RFC 4291 section 2.4).
const GLOBAL_UNICAST: IpPrefix = IpPrefix::v6([0x2000, 0, 0], 3);

/// What makes `address` other than a public one, in words; none for a public address.
pub(crate) fn special(address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    if address == IpAddr::V6(Ipv6Addr::LOCALHOST) {
        return Some("a loopback address");
    }
    let named = SPECIAL.iter().find(|(block, _)| block.contains(address));
    match (named, address) {
        (Some((_, name)), _) => Some(name),
        (None, IpAddr::V6(_)) if !GLOBAL_UNICAST.contains(address) => Some("not a public address"),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_not_special() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert_eq!(special(public.parse().unwrap()), None, "{public}");
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_special() {
        for (inside, name) in [
            ("0.0.0.0", "this host"),
            ("0.1.2.3", "this host"),
            ("10.0.0.1", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.1", "carrier-grade"),
            ("100.100.100.200", "carrier-grade"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("168.63.129.16", "metadata"),
            ("169.254.169.254", "link-local"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.192", "protocol"),
            ("192.0.2.1", "documentation"),
            ("192.88.99.1", "6to4"),
            ("192.168.1.1", "private"),
            ("198.18.0.1", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("198.51.100.7", "documentation"),
            ("203.0.113.9", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "reserved"),
            ("::", "not a public"),
            ("::1", "loopback"),
            ("::127.0.0.1", "not a public"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "link-local"),
            ("::ffff:0:127.0.0.1", "not a public"),
            ("64:ff9b::7f00:1", "NAT64"),
            ("64:ff9b:1::1", "NAT64"),
            ("100::1", "not a public"),
            ("2001::1", "protocol"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::", "6to4"),
            ("3fff::1", "documentation"),
            ("4000::1", "not a public"),
            ("5f00::1", "not a public"),
            ("fc00::1", "private"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "not a public"),
            ("ff02::1", "multicast"),
        ] {
            let found = special(inside.parse().unwrap()).unwrap_or("public");
            assert!(found.contains(name), "{inside}: {found}");
        }
    }

    #[test]
    fn a_block_holds_its_addresses_and_no_other() {
        for (block, inside, outside) in [
            ("10.0.0.0/8", "10.1.2.3", "11.0.0.0"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.0/8", "::ffff:127.9.9.9", "::1"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("0.0.0.0/0", "255.255.255.255", "2001:4860::1"),
            ("fd00::/8", "fd12::1", "fc00::1"),
            ("::1", "::1", "::2"),
        ] {
            let prefix: IpPrefix = block.parse().unwrap();
            assert!(prefix.contains(inside.parse().unwrap()), "{block} {inside}");
            assert!(
                !prefix.contains(outside.parse().unwrap()),
                "{block} {outside}"
            );
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for bad in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0/8",
            "10.0.0.0/-1",
            "x/8",
        ] {
            assert!(bad.parse::<IpPrefix>().is_err(), "{bad}");
        }
    }
}
