//! Addresses that lie: a description may not aim our media at ourselves, at a whole network or at nobody.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// Ports below this one belong to well-known services, never to RTP.
const FIRST_RTP_PORT: u16 = 1024;

/// Which addresses are more, and which are less, than those of real peers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressPolicy {
    /// Peers on this very machine (127.0.0.0/8 and `::1`).
    pub allow_loopback: bool,
    /// Where we listen for other things than this stream.
    pub own: Arc<[SocketAddr]>,
    /// For a peer that is not the operator's; none trusts what it says.
    pub strangers: Option<Strangers>,
}

/// What holds for a peer that is anybody's: our media is not to be aimed at the operator's inside.
#[derive(Clone)]
pub struct Strangers {
    /// What makes an address one that is not theirs, in words; none for one that may be.
    pub inside: Arc<dyn Fn(IpAddr) -> Option<&'static str> + Send + Sync>,
    /// Where media goes in place of an address inside, with the port that they name: a peer behind a NAT knows no better. None
    /// refuses what they say.
    pub instead: Option<IpAddr>,
}

impl fmt::Debug for Strangers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strangers")
            .field("instead", &self.instead)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Strangers {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inside, &other.inside) && self.instead == other.instead
    }
}

impl Eq for Strangers {}

/// Why nobody can honestly receive RTP at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// 127.0.0.0/8 or `::1`, and the operator does not allow it.
    Loopback,
    /// A multicast group.
    Multicast,
    /// 255.255.255.255 or another reserved address of 240.0.0.0/4.
    Reserved,
    /// 169.254.0.0/16 or `fe80::/10`; clouds keep their metadata service there.
    LinkLocal,
    /// 0.0.0.0/8 or `::`.
    Unspecified,
    /// An address that we listen on ourselves.
    OurOwn,
    /// A port below 1024.
    WellKnownPort,
    /// The operator's inside, said by a [stranger](Strangers); what it is in words.
    Inside(&'static str),
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Inside(what) => {
                return write!(f, "{what}, which the trunk's `sip_hosts` does not name");
            }
            Self::Loopback => "a loopback address, which the configuration does not allow",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved address",
            Self::LinkLocal => "a link-local address",
            Self::Unspecified => "an unspecified address",
            Self::OurOwn => "our own address",
            Self::WellKnownPort => "a port below 1024",
        };
        f.write_str(text)
    }
}

impl AddressPolicy {
    /// Where media is sent that is to go to `remote`; `own` is where our stream listens. An IPv4-mapped address is looked at as
    /// the IPv4 address it stands for.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, remote: SocketAddr, own: SocketAddr) -> Result<SocketAddr, Lie> {
        self.check_honesty(remote, own)?;
        let Some(Strangers { inside, instead }) = &self.strangers else {
            return Ok(remote);
        };
        match (inside(remote.ip().to_canonical()), instead) {
            (None, _) => Ok(remote),
            (Some(what), None) => Err(Lie::Inside(what)),
            (Some(_), Some(instead)) => {
                let remote = SocketAddr::new(*instead, remote.port());
                self.check_honesty(remote, own).map(|()| remote)
            }
        }
    }

    fn check_honesty(&self, remote: SocketAddr, own: SocketAddr) -> Result<(), Lie> {
        let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
        if remote == own || self.own.contains(&remote) {
            return Err(Lie::OurOwn);
        }
        if remote.port() < FIRST_RTP_PORT {
            return Err(Lie::WellKnownPort);
        }
        match lie_of(remote.ip()) {
            Some(Lie::Loopback) if self.allow_loopback => Ok(()),
            Some(lie) => Err(lie),
            None => Ok(()),
        }
    }
}

fn lie_of(address: IpAddr) -> Option<Lie> {
    match address {
        IpAddr::V4(address) => lie_of_v4(address),
        IpAddr::V6(address) => lie_of_v6(address),
    }
}

fn lie_of_v4(address: Ipv4Addr) -> Option<Lie> {
    match address.octets()[0] {
        0 => Some(Lie::Unspecified),
        127 => Some(Lie::Loopback),
        224..=239 => Some(Lie::Multicast),
        240..=255 => Some(Lie::Reserved),
        _ if address.is_link_local() => Some(Lie::LinkLocal),
        _ => None,
    }
}

fn lie_of_v6(address: Ipv6Addr) -> Option<Lie> {
    if address.is_unspecified() {
        Some(Lie::Unspecified)
    } else if address.is_loopback() {
        Some(Lie::Loopback)
    } else if address.is_multicast() {
        Some(Lie::Multicast)
    } else if address.is_unicast_link_local() {
        Some(Lie::LinkLocal)
    } else {
        embedded_v4(address).and_then(lie_of_v4)
    }
}

/// The IPv4 address that a gateway would take out of this one: IPv4-compatible (RFC 4291 section 2.5.5.1), NAT64
/// (RFC 6052) and 6to4 (RFC 3056). IPv4-mapped addresses are canonical, hence IPv4, before they come here.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let groups = address.segments();
    let (high, low) = match groups {
        [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => (high, low),
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "192.0.2.1:20000";
    const OWN_SIP: &str = "192.0.2.1:5060";

    fn check(remote: &str, allow_loopback: bool) -> Result<(), Lie> {
        let policy = AddressPolicy {
            allow_loopback,
            own: [OWN_SIP.parse().unwrap()].into(),
            strangers: None,
        };
        let remote = remote.parse().unwrap();
        let sent_to = policy.check(remote, OWN.parse().unwrap())?;
        assert_eq!(sent_to, remote);
        Ok(())
    }

    #[test]
    fn strangers_media_is_not_sent_inside() {
        let private = "a private address";
        let inside = move |address: IpAddr| match address {
            IpAddr::V4(address) => address.is_private().then_some(private),
            IpAddr::V6(_) => None,
        };
        let signals_from = "198.51.100.9";
        for (remote, behind_nat, expected) in [
            ("198.51.100.7:4000", false, Ok("198.51.100.7:4000")),
            ("198.51.100.7:4000", true, Ok("198.51.100.7:4000")),
            ("10.1.2.3:4000", false, Err(Lie::Inside(private))),
            ("[::ffff:10.1.2.3]:4000", false, Err(Lie::Inside(private))),
            ("10.1.2.3:4000", true, Ok("198.51.100.9:4000")),
            ("[::ffff:10.1.2.3]:4000", true, Ok("198.51.100.9:4000")),
            ("127.0.0.1:4000", true, Err(Lie::Loopback)),
            ("10.1.2.3:53", true, Err(Lie::WellKnownPort)),
            // What is in its place is not ours either.
            ("10.1.2.3:5070", true, Err(Lie::OurOwn)),
        ] {
            let policy = AddressPolicy {
                allow_loopback: false,
                own: ["198.51.100.9:5070".parse().unwrap()].into(),
                strangers: Some(Strangers {
                    inside: Arc::new(inside),
                    instead: behind_nat.then(|| signals_from.parse().unwrap()),
                }),
            };
            let sent_to = policy.check(remote.parse().unwrap(), OWN.parse().unwrap());
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(sent_to, expected, "{remote} {behind_nat}");
        }
    }

    #[test]
    fn honest_addresses_pass() {
        for remote in [
            "198.51.100.7:4000",
            "10.1.2.3:65535",
            "192.168.0.9:1024",
            "100.64.3.2:30000",
            "[2001:db8::7]:4000",
            "[fd12::1]:4000",
            "[::ffff:198.51.100.7]:4000",
            "192.0.2.1:20002",
        ] {
            assert_eq!(check(remote, false), Ok(()), "{remote}");
        }
    }

    #[test]
    fn addresses_that_lie_are_refused() {
        for (remote, lie) in [
            ("127.0.0.1:4000", Lie::Loopback),
            ("127.8.9.10:4000", Lie::Loopback),
            ("[::1]:4000", Lie::Loopback),
            ("[::ffff:127.0.0.1]:4000", Lie::Loopback),
            ("[::127.0.0.1]:4000", Lie::Loopback),
            ("[64:ff9b::7f00:1]:4000", Lie::Loopback),
            ("[2002:7f00:1::1]:4000", Lie::Loopback),
            ("224.0.0.1:4000", Lie::Multicast),
            ("239.255.255.255:4000", Lie::Multicast),
            ("[ff02::1]:4000", Lie::Multicast),
            ("[::ffff:224.0.0.1]:4000", Lie::Multicast),
            ("255.255.255.255:4000", Lie::Reserved),
            ("240.0.0.1:4000", Lie::Reserved),
            ("169.254.169.254:4000", Lie::LinkLocal),
            ("[::ffff:169.254.169.254]:4000", Lie::LinkLocal),
            ("[64:ff9b::a9fe:a9fe]:4000", Lie::LinkLocal),
            ("[fe80::1]:4000", Lie::LinkLocal),
            ("[febf::1]:4000", Lie::LinkLocal),
            ("0.0.0.0:4000", Lie::Unspecified),
            ("0.1.2.3:4000", Lie::Unspecified),
            ("[::]:4000", Lie::Unspecified),
            ("[::ffff:0.0.0.0]:4000", Lie::Unspecified),
            ("192.0.2.1:20000", Lie::OurOwn),
            ("[::ffff:192.0.2.1]:20000", Lie::OurOwn),
            ("192.0.2.1:5060", Lie::OurOwn),
            ("[::ffff:192.0.2.1]:5060", Lie::OurOwn),
            ("198.51.100.7:0", Lie::WellKnownPort),
            ("198.51.100.7:53", Lie::WellKnownPort),
            ("198.51.100.7:1023", Lie::WellKnownPort),
        ] {
            assert_eq!(check(remote, false), Err(lie), "{remote}");
        }
    }

    #[test]
    fn the_operator_may_allow_loopback_and_nothing_else() {
        for remote in ["127.0.0.1:4000", "[::1]:4000", "[::ffff:127.0.0.1]:4000"] {
            assert_eq!(check(remote, true), Ok(()), "{remote}");
        }
        assert_eq!(check("169.254.169.254:4000", true), Err(Lie::LinkLocal));
        assert_eq!(check("0.0.0.0:4000", true), Err(Lie::Unspecified));
    }
}
