//! Which addresses may send requests outside a dialog, and how each of them is spoken to.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv6Net};

/// How a peer is spoken to. The default is what the RFCs say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerRules {
    /// The address this peer reaches us at, where it is another than everybody's.
    pub advertised: Option<SocketAddr>,
    /// Its answers go to the port it sends from even if it does not ask for that (RFC 3581): it sits behind a NAT and
    /// does not know.
    pub force_rport: bool,
    /// Requests in its dialogs go to where it speaks from, whatever address its `Contact` or its proxy's `Record-Route` has.
    pub to_source: bool,
}

/// A set of networks, each with its rules. Empty by default: nobody is a peer. A look-up costs one probe for each prefix
/// length in use; the longest prefix counts.
///
/// IPv4 is held as its IPv4-mapped IPv6 form, so both spellings of one peer are one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerSet {
    by_length: BTreeMap<u8, HashMap<Ipv6Net, PeerRules>>,
}

impl PeerSet {
    /// Whether a network of this set holds the address.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.rules(ip).is_some()
    }

    /// The rules of the longest prefix that holds the address; none when it is no peer's.
    #[must_use]
    pub fn rules(&self, ip: IpAddr) -> Option<&PeerRules> {
        let ip = mapped(ip.into()).addr();
        self.by_length
            .iter()
            .rev()
            .find_map(|(&length, networks)| networks.get(&Ipv6Net::new_assert(ip, length).trunc()))
    }
}

impl FromIterator<IpNet> for PeerSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        let plain = |network| (network, PeerRules::default());
        networks.into_iter().map(plain).collect()
    }
}

impl FromIterator<(IpNet, PeerRules)> for PeerSet {
    fn from_iter<I: IntoIterator<Item = (IpNet, PeerRules)>>(networks: I) -> Self {
        let mut set = Self::default();
        for (network, rules) in networks {
            let network = mapped(network);
            set.by_length
                .entry(network.prefix_len())
                .or_default()
                .insert(network.trunc(), rules);
        }
        set
    }
}

fn mapped(network: IpNet) -> Ipv6Net {
    match network {
        IpNet::V4(v4) => Ipv6Net::new_assert(v4.addr().to_ipv6_mapped(), 96 + v4.prefix_len()),
        IpNet::V6(v6) => v6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn membership() {
        for (prefixes, ip, expected) in [
            (&[][..], "127.0.0.1", false),
            (&["127.0.0.0/8"], "127.8.8.8", true),
            (&["127.0.0.0/8"], "128.0.0.1", false),
            (&["127.0.0.0/8"], "::ffff:127.0.0.1", true),
            (&["::ffff:192.0.2.0/120"], "192.0.2.9", true),
            (&["192.0.2.7/32"], "192.0.2.7", true),
            (&["192.0.2.7/32"], "192.0.2.6", false),
            (&["10.1.2.3/8"], "10.9.9.9", true),
            (&["0.0.0.0/0"], "203.0.113.1", true),
            (&["0.0.0.0/0"], "2001:db8::1", false),
            (&["::/0"], "203.0.113.1", true),
            (&["2001:db8::/32", "10.0.0.0/8"], "2001:db8:1::1", true),
        ] {
            let set: PeerSet = prefixes
                .iter()
                .map(|p| p.parse::<IpNet>().unwrap())
                .collect();
            let ip = ip.parse().unwrap();
            assert_eq!(set.contains(ip), expected, "{prefixes:?} {ip}");
        }
    }

    #[test]
    fn the_longest_prefix_rules() {
        let with_rport = PeerRules {
            force_rport: true,
            ..PeerRules::default()
        };
        let set: PeerSet = [
            ("10.0.0.0/8".parse().unwrap(), PeerRules::default()),
            ("10.1.0.0/16".parse().unwrap(), with_rport),
        ]
        .into_iter()
        .collect();
        for (ip, forced) in [
            ("10.1.0.9", Some(true)),
            ("10.2.0.9", Some(false)),
            ("11.0.0.1", None),
        ] {
            let rules = set.rules(ip.parse().unwrap());
            assert_eq!(rules.map(|rules| rules.force_rport), forced, "{ip}");
        }
    }
}
