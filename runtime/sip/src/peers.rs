//! Which addresses may send requests outside a dialog, and how each of them is spoken to.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Addresses that share their first bits, such as `192.0.2.0/24`, `2001:db8::/32`, or one address alone.
///
/// IPv4 is held as its IPv4-mapped IPv6 form, so both spellings of one peer are one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpPrefix {
    bits: u128,
    length: u8,
}

/// A text that is no [`IpPrefix`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address prefix such as 192.0.2.0/24: {0:?}")]
pub struct InvalidPrefix(String);

impl IpPrefix {
    /// The prefix of `length` bits that holds `ip`; bits behind it are cleared. None when the address has fewer bits.
    #[must_use]
    pub fn new(ip: IpAddr, length: u8) -> Option<Self> {
        let length = match ip {
            IpAddr::V4(_) => length.checked_add(96)?,
            IpAddr::V6(_) => length,
        };
        (length <= 128).then(|| Self {
            bits: masked(to_bits(ip), length),
            length,
        })
    }

    /// Whether the address lies within.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        masked(to_bits(ip), self.length) == self.bits
    }
}

impl From<IpAddr> for IpPrefix {
    fn from(ip: IpAddr) -> Self {
        Self {
            bits: to_bits(ip),
            length: 128,
        }
    }
}

impl FromStr for IpPrefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let invalid = || InvalidPrefix(text.to_owned());
        let Some((ip, length)) = text.split_once('/') else {
            return text
                .parse::<IpAddr>()
                .map(Self::from)
                .map_err(|_| invalid());
        };
        let ip = ip.parse().map_err(|_| invalid())?;
        Self::new(ip, length.parse().map_err(|_| invalid())?).ok_or_else(invalid)
    }
}

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

/// A set of prefixes, each with its rules. Empty by default: nobody is a peer. A look-up costs one probe for each prefix
/// length in use; the longest prefix counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerSet {
    by_length: BTreeMap<u8, HashMap<u128, PeerRules>>,
}

impl PeerSet {
    /// Whether a prefix of this set holds the address.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.rules(ip).is_some()
    }

    /// The rules of the longest prefix that holds the address; none when it is no peer's.
    #[must_use]
    pub fn rules(&self, ip: IpAddr) -> Option<&PeerRules> {
        let bits = to_bits(ip);
        self.by_length
            .iter()
            .rev()
            .find_map(|(&length, prefixes)| prefixes.get(&masked(bits, length)))
    }
}

impl FromIterator<IpPrefix> for PeerSet {
    fn from_iter<I: IntoIterator<Item = IpPrefix>>(prefixes: I) -> Self {
        let plain = |prefix| (prefix, PeerRules::default());
        prefixes.into_iter().map(plain).collect()
    }
}

impl FromIterator<(IpPrefix, PeerRules)> for PeerSet {
    fn from_iter<I: IntoIterator<Item = (IpPrefix, PeerRules)>>(prefixes: I) -> Self {
        let mut set = Self::default();
        for (prefix, rules) in prefixes {
            set.by_length
                .entry(prefix.length)
                .or_default()
                .insert(prefix.bits, rules);
        }
        set
    }
}

fn to_bits(ip: IpAddr) -> u128 {
    let ip: Ipv6Addr = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    ip.to_bits()
}

fn masked(bits: u128, length: u8) -> u128 {
    let dropped = 128 - u32::from(length);
    bits & u128::MAX.checked_shl(dropped).unwrap_or(0)
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
            (&["192.0.2.7"], "192.0.2.7", true),
            (&["192.0.2.7"], "192.0.2.6", false),
            (&["0.0.0.0/0"], "203.0.113.1", true),
            (&["0.0.0.0/0"], "2001:db8::1", false),
            (&["::/0"], "203.0.113.1", true),
            (&["2001:db8::/32", "10.0.0.0/8"], "2001:db8:1::1", true),
        ] {
            let set: PeerSet = prefixes
                .iter()
                .map(|p| p.parse::<IpPrefix>().unwrap())
                .collect();
            let ip = ip.parse().unwrap();
            assert_eq!(set.contains(ip), expected, "{prefixes:?} {ip}");
            let any = prefixes
                .iter()
                .any(|p| p.parse::<IpPrefix>().unwrap().contains(ip));
            assert_eq!(any, expected, "{prefixes:?} {ip}");
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

    #[test]
    fn invalid_texts() {
        for text in [
            "",
            "x",
            "1.2.3.4/33",
            "1.2.3.4/",
            "::/129",
            "1.2.3/8",
            "1.2.3.4/-1",
        ] {
            assert!(text.parse::<IpPrefix>().is_err(), "{text:?}");
        }
    }
}
