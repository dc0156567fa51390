//! Which addresses are public, and which are somebody's inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6([a, b, c]: [u16; 3], length: u8) -> IpNet {
    let address = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
    IpNet::V6(Ipv6Net::new_assert(address, length))
}

/// Blocks that are not part of the public internet, or that lead back to somebody's inside (the IANA special-purpose
/// registries of RFC 6890, with the tunnels that carry an IPv4 address in an IPv6 one). The first match names it.
const SPECIAL: &[(IpNet, &str)] = &[
    (v4([0, 0, 0, 0], 8), "an address of this host"),
    (v4([10, 0, 0, 0], 8), "a private address"),
    (v4([100, 64, 0, 0], 10), "a carrier-grade NAT address"),
    (v4([127, 0, 0, 0], 8), "a loopback address"),
    // Azure answers its virtual machines' metadata and DNS here, although the block is public.
    (v4([168, 63, 129, 16], 32), "a cloud metadata address"),
    (v4([169, 254, 0, 0], 16), "a link-local address"),
    (v4([172, 16, 0, 0], 12), "a private address"),
    (
        v4([192, 0, 0, 0], 24),
        "an address for protocol assignments",
    ),
    (v4([192, 0, 2, 0], 24), "a documentation address"),
    (v4([192, 88, 99, 0], 24), "a 6to4 relay address"),
    (v4([192, 168, 0, 0], 16), "a private address"),
    (v4([198, 18, 0, 0], 15), "a benchmarking address"),
    (v4([198, 51, 100, 0], 24), "a documentation address"),
    (v4([203, 0, 113, 0], 24), "a documentation address"),
    (v4([224, 0, 0, 0], 4), "a multicast address"),
    (v4([240, 0, 0, 0], 4), "a reserved address"),
    (v6([0x64, 0xff9b, 0], 96), "a NAT64 address"),
    (v6([0x64, 0xff9b, 1], 48), "a NAT64 address"),
    (
        v6([0x2001, 0, 0], 23),
        "an address for protocol assignments",
    ),
    (v6([0x2001, 0xdb8, 0], 32), "a documentation address"),
    (v6([0x2002, 0, 0], 16), "a 6to4 address"),
    (v6([0x3fff, 0, 0], 20), "a documentation address"),
    (v6([0xfc00, 0, 0], 7), "a private address"),
    (v6([0xfe80, 0, 0], 10), "a link-local address"),
    (v6([0xff00, 0, 0], 8), "a multicast address"),
];

/// All that is given out as global unicast (RFC 4291 section 2.4).
const GLOBAL_UNICAST: IpNet = v6([0x2000, 0, 0], 3);

/// What makes `address` other than a public one, in words; none for a public address.
#[must_use]
pub fn special(address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    if address == IpAddr::V6(Ipv6Addr::LOCALHOST) {
        return Some("a loopback address");
    }
    let named = SPECIAL.iter().find(|(block, _)| block.contains(&address));
    match (named, address) {
        (Some((_, name)), _) => Some(name),
        (None, IpAddr::V6(_)) if !GLOBAL_UNICAST.contains(&address) => Some("not a public address"),
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
}
