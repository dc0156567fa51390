//! What the machine itself says about names: `/etc/resolv.conf`, `/etc/hosts`, `localhost`.
//!
//! The files are read at each lookup, of which the cache leaves few: a change of either counts at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use sip::locate::{Answer, Lookup, Record};
use tracing::debug;

use crate::config::DNS_PORT;

/// Whom to ask, and under which domains a name of one part is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct System {
    pub(super) servers: Vec<SocketAddr>,
    pub(super) search: Vec<String>,
}

/// Reads `/etc/resolv.conf`.
pub(super) async fn system() -> System {
    read_system(&file("/etc/resolv.conf").await)
}

/// The addresses that `/etc/hosts` gives a name.
pub(super) async fn hosts(name: &str) -> Vec<IpAddr> {
    addresses_in(&file("/etc/hosts").await, name)
}

/// A file that cannot be read counts as empty, as it does for everybody else on the machine.
async fn file(path: &str) -> Vec<u8> {
    tokio::fs::read(path).await.unwrap_or_else(|error| {
        debug!("{path}: {error}");
        Vec::new()
    })
}

fn read_system(text: &[u8]) -> System {
    let (config, errors) = resolv_conf::Config::parse_with_errors(text);
    for error in errors {
        debug!("/etc/resolv.conf: {error}");
    }
    // As the C library does where no server is named.
    let servers = config.get_nameservers_or_local();
    let search = config.get_last_search_or_domain();
    System {
        servers: servers
            .iter()
            .map(|ip| SocketAddr::new(ip.into(), DNS_PORT))
            .collect(),
        search: search
            .map(|domain| domain.trim_matches('.').to_ascii_lowercase())
            .collect(),
    }
}

fn addresses_in(hosts: &[u8], name: &str) -> Vec<IpAddr> {
    let text = String::from_utf8_lossy(hosts);
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(""));
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let ip = words.next()?.parse().ok()?;
            words
                .any(|word| word.eq_ignore_ascii_case(name))
                .then_some(ip)
        })
        .collect()
}

/// The answer for `localhost` and what is under it, which is never asked of anybody (RFC 6761 §6.3).
pub(super) fn loopback(lookup: &Lookup) -> Option<Answer> {
    let name = lookup.name();
    if &**name != "localhost" && !name.ends_with(".localhost") {
        return None;
    }
    Some(match lookup {
        Lookup::Addresses(_) => found(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]),
        _ => Answer::NotFound,
    })
}

/// Addresses that may change at any time.
pub(super) fn found(addresses: Vec<IpAddr>) -> Answer {
    Answer::Found {
        records: addresses.into_iter().map(Record::Address).collect(),
        ttl: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf() {
        for (text, servers, search) in [
            ("", &["127.0.0.1:53"][..], &[][..]),
            (
                "# ours\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch Voice.svc.local. example\noptions ndots:5",
                &["192.0.2.53:53", "[2001:db8::53]:53"],
                &["voice.svc.local", "example"],
            ),
            (
                "nameserver nonsense\nnameserver 192.0.2.1\ndomain a.example",
                &["192.0.2.1:53"],
                &["a.example"],
            ),
        ] {
            let system = read_system(text.as_bytes());
            let read: Vec<_> = system.servers.iter().map(ToString::to_string).collect();
            assert_eq!(read[..servers.len()], *servers, "{text}");
            assert_eq!(system.search, search, "{text}");
        }
    }

    #[test]
    fn hosts() {
        let text = b"127.0.0.1 localhost\n192.0.2.1\tsbc.example SBC # old.example\n2001:db8::1 sbc.example\nx sbc";
        for (name, expected) in [
            ("sbc.example", &["192.0.2.1", "2001:db8::1"][..]),
            ("sbc", &["192.0.2.1"]),
            ("old.example", &[]),
        ] {
            let found = addresses_in(text, name);
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn localhost_is_here() {
        let addresses = |name: &str| loopback(&Lookup::Addresses(name.into()));
        assert!(
            matches!(addresses("localhost"), Some(Answer::Found { records, .. }) if records.len() == 2)
        );
        assert!(addresses("sip.localhost").is_some());
        assert_eq!(addresses("notlocalhost"), None);
        assert_eq!(
            loopback(&Lookup::Naptr("localhost".into())),
            Some(Answer::NotFound)
        );
    }
}
