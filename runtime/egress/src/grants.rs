//! What a tenant may reach beside the public internet.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::address::special;

/// One entry of an account's `egress.allow`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Grant {
    Block(IpNet),
    /// In lower case, without a trailing dot.
    Host(String),
}

/// The text is neither an address block nor a host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an egress grant: expected an address, an address block such as `10.0.0.0/8`, or a host name such as `rapidpro.example.org`"
)]
pub struct InvalidGrant(String);

/// What a tenant may reach beside ports 80 and 443 of public addresses: an account's `egress.allow`.
///
/// A granted address, and every address of a granted host name, may be reached at any port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// The grants that `allow` lists: addresses, address blocks and host names, in any order.
    ///
    /// # Errors
    /// On the first entry that is none of these.
    pub fn parse<T: AsRef<str>>(allow: &[T]) -> Result<Self, InvalidGrant> {
        let grants = allow.iter().map(|entry| parse_grant(entry.as_ref()));
        let mut grants = grants.collect::<Result<Vec<_>, _>>()?;
        grants.sort();
        grants.dedup();
        Ok(Self(grants))
    }

    /// Whether a connection to `address`, found under the name `host`, at `port` is granted.
    pub(crate) fn check(&self, host: &str, address: IpAddr, port: u16) -> Result<(), Refusal> {
        if self.name(host, address) {
            return Ok(());
        }
        let host = normal_host(host);
        match special(address) {
            Some(what) => Err(Refusal::Address {
                host,
                address,
                what,
            }),
            None if !matches!(port, 80 | 443) => Err(Refusal::Port { host, port }),
            None => Ok(()),
        }
    }

    /// Whether an entry names the host, or the address found under its name.
    pub(crate) fn name(&self, host: &str, address: IpAddr) -> bool {
        let host = normal_host(host);
        self.0.iter().any(|grant| match grant {
            Grant::Block(block) => block.contains(&address.to_canonical()),
            Grant::Host(name) => *name == host,
        })
    }
}

/// Why a connection is not granted. Its text names the setting that would grant it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    Address {
        host: String,
        address: IpAddr,
        what: &'static str,
    },
    Port {
        host: String,
        port: u16,
    },
    /// Not encrypted.
    Plain {
        host: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address {
                host,
                address,
                what,
            } => {
                let address = address.to_canonical();
                let entry = match address {
                    IpAddr::V4(v4) if v4.is_loopback() => "127.0.0.0/8".to_owned(),
                    other => other.to_string(),
                };
                if host.parse::<IpAddr>() == Ok(address) {
                    write!(f, "{address} is {what}")?;
                } else {
                    write!(f, "{host} is at {address}, which is {what}")?;
                }
                write!(
                    f,
                    "; to allow it, add \"{entry}\" to the account's `egress.allow`"
                )
            }
            Self::Port { host, port } => write!(
                f,
                "port {port} of {host} is neither 80 nor 443; to allow it, add \"{host}\" to the account's `egress.allow`"
            ),
            Self::Plain { host } => write!(
                f,
                "ws:// is not encrypted: use wss://; to allow it, add \"{host}\" to the account's `egress.allow`"
            ),
        }?;
        f.write_str(" in the tenants file")
    }
}

fn parse_grant(entry: &str) -> Result<Grant, InvalidGrant> {
    if let Some(block) = parse_block(entry) {
        return Ok(Grant::Block(block));
    }
    let is_name = |host: &url::Host| matches!(host, url::Host::Domain(_));
    match url::Host::parse(entry) {
        Ok(host) if is_name(&host) => Ok(Grant::Host(normal_host(&host.to_string()))),
        _ => Err(InvalidGrant(entry.to_owned())),
    }
}

/// An address, or one with a prefix length. An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) counts as the IPv4 address
/// in it.
fn parse_block(text: &str) -> Option<IpNet> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().ok()?)),
        None => (text, None),
    };
    let address = address.parse::<IpAddr>().ok()?.to_canonical();
    match length {
        Some(length) => IpNet::new(address, length).ok(),
        None => Some(address.into()),
    }
}

/// A host name as it is compared: lower case, no trailing dot; brackets of an IPv6 literal are taken off.
fn normal_host(host: &str) -> String {
    let host = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(allow: &[&str], host: &str, address: &str, port: u16) -> Result<(), String> {
        let grants = Grants::parse(allow).unwrap();
        grants
            .check(host, address.parse().unwrap(), port)
            .map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_grant_opens_its_own_addresses_at_any_port() {
        for (allow, host, address, port, open) in [
            (&[][..], "example.org", "8.8.8.8", 80, true),
            (&[], "example.org", "8.8.8.8", 443, true),
            (&[], "example.org", "8.8.8.8", 8080, false),
            (&[], "127.0.0.1", "127.0.0.1", 80, false),
            (&["127.0.0.0/8"], "127.0.0.1", "127.0.0.1", 8080, true),
            (
                &["127.0.0.0/8"],
                "[::ffff:7f00:1]",
                "::ffff:127.0.0.1",
                8080,
                true,
            ),
            (&["127.0.0.0/8"], "10.0.0.1", "10.0.0.1", 80, false),
            (&["10.0.0.5"], "10.0.0.5", "10.0.0.5", 22, true),
            (
                &["rapidpro.lan"],
                "RapidPro.LAN.",
                "192.168.1.9",
                8000,
                true,
            ),
            (
                &["rapidpro.lan"],
                "evil.rapidpro.lan",
                "192.168.1.9",
                80,
                false,
            ),
            (&["example.org"], "example.org", "8.8.8.8", 8080, true),
        ] {
            assert_eq!(
                check(allow, host, address, port).is_ok(),
                open,
                "{allow:?} {host} {address} {port}"
            );
        }
    }

    #[test]
    fn a_block_holds_its_addresses_and_no_other() {
        for (block, inside, outside) in [
            ("10.0.0.0/8", "10.1.2.3", "11.0.0.0"),
            ("10.9.9.9/8", "10.1.2.3", "11.0.0.0"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.0/8", "::ffff:127.9.9.9", "::1"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("0.0.0.0/0", "255.255.255.255", "2001:4860::1"),
            ("fd00::/8", "fd12::1", "fc00::1"),
            ("::1", "::1", "::2"),
        ] {
            let reach = |address| check(&[block], "a.example", address, 22);
            assert!(reach(inside).is_ok(), "{block} {inside}");
            assert!(reach(outside).is_err(), "{block} {outside}");
        }
    }

    #[test]
    fn a_refusal_names_the_setting_that_would_allow_it() {
        assert_eq!(
            check(&[], "localhost", "127.0.0.1", 80).unwrap_err(),
            "localhost is at 127.0.0.1, which is a loopback address; to allow it, add \"127.0.0.0/8\" to the account's `egress.allow` in the tenants file"
        );
        assert_eq!(
            check(&[], "[fd00::1]", "fd00::1", 80).unwrap_err(),
            "fd00::1 is a private address; to allow it, add \"fd00::1\" to the account's `egress.allow` in the tenants file"
        );
        assert_eq!(
            check(&[], "example.org", "8.8.8.8", 8080).unwrap_err(),
            "port 8080 of example.org is neither 80 nor 443; to allow it, add \"example.org\" to the account's `egress.allow` in the tenants file"
        );
    }

    #[test]
    fn the_order_of_grants_does_not_matter() {
        let one = Grants::parse(&["10.0.0.0/8", "a.example", "A.example."]).unwrap();
        let other = Grants::parse(&["a.example", "10.0.0.0/8"]).unwrap();
        assert_eq!(one, other);
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/40",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0/8",
            "010.0.0.0/8",
            "::/129",
            "x/8",
            "a b",
            "http://a.example",
            "a.example:80",
            "a/b",
            "0x7f.1",
        ] {
            assert!(Grants::parse(&[bad]).is_err(), "{bad}");
        }
    }
}
