//! Asks DNS, as the system is set up or as this server's configuration says.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
    ResolverOpts,
};
use hickory_resolver::lookup::Lookup as Found;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use sip::locate::{Answer, Lookup, Naptr, Record, Srv};
use tracing::debug;

use super::Source;
use crate::config::{self, DNS_PORT};

/// A server that has not answered by then is left for the next one.
const NEXT_AFTER: Duration = Duration::from_millis(500);
/// How often all servers are gone through.
const ROUNDS: usize = 2;

/// The source of answers outside tests.
pub(super) enum Dns {
    /// `/etc/resolv.conf` and `/etc/hosts`, read at each lookup, of which the cache leaves few: a change of either counts at
    /// once, as where a machine starts before its network does.
    System,
    /// These servers alone.
    Servers(Vec<TokioResolver>),
}

impl Dns {
    /// The servers of the configuration; the system's, where it names none.
    pub(super) fn new(dns: &config::Dns) -> Result<Self, NetError> {
        if dns.servers.is_empty() {
            return Ok(Self::System);
        }
        let servers = dns.servers.iter().map(|server| name_server(server.0));
        let config = ResolverConfig::from_name_servers(servers.collect());
        let mut options = ResolverOpts::default();
        options.use_hosts_file = ResolveHosts::Never;
        resolvers(config, &options).map(Self::Servers)
    }

    /// Asks one server after the other, round again, until one knows.
    async fn ask(&self, lookup: &Lookup) -> Result<Answer, NetError> {
        let Some(name) = name(lookup.name()) else {
            return Ok(Answer::NotFound);
        };
        let of_system;
        let resolvers = match self {
            Self::System => {
                // A file that cannot be read counts as empty, as it does for everybody else on the machine.
                let text = std::fs::read("/etc/resolv.conf").unwrap_or_default();
                let (config, options) = system(&text);
                of_system = resolvers(config, &options)?;
                &of_system
            }
            Self::Servers(resolvers) => resolvers,
        };
        let mut outcome = Err(NetError::NoConnections);
        for resolver in resolvers.iter().cycle().take(ROUNDS * resolvers.len()) {
            outcome = ask_one(resolver, lookup, name.clone()).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

impl Source for Dns {
    fn answer(&self, lookup: Lookup) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(async move {
            match self.ask(&lookup).await {
                Ok(answer) => answer,
                Err(error) => {
                    debug!(dns.name = %lookup.name(), "{error}");
                    Answer::Failed
                }
            }
        })
    }
}

/// What `/etc/resolv.conf` says. Where it names no server the one on this machine is meant, as for the C library; `/etc/hosts`
/// is looked into all the same.
fn system(text: &[u8]) -> (ResolverConfig, ResolverOpts) {
    parse_resolv_conf(text).unwrap_or_else(|error| {
        debug!("/etc/resolv.conf: {error}");
        let here = name_server((Ipv4Addr::LOCALHOST, DNS_PORT).into());
        let config = ResolverConfig::from_name_servers(vec![here]);
        (config, ResolverOpts::default())
    })
}

async fn ask_one(
    resolver: &TokioResolver,
    lookup: &Lookup,
    name: Name,
) -> Result<Answer, NetError> {
    let found = match lookup {
        Lookup::Naptr(_) => resolver.lookup(name, RecordType::NAPTR).await,
        Lookup::Srv(_) => resolver.lookup(name, RecordType::SRV).await,
        Lookup::Addresses(_) => resolver.lookup_ip(name).await.map(Found::from),
    };
    match found {
        Ok(found) => Ok(answer(&found)),
        Err(error) if error.is_no_records_found() => Ok(Answer::NotFound),
        Err(error) => Err(error),
    }
}

/// One for each server: of several, hickory takes the first answer, though it say only that this server cannot (SERVFAIL).
fn resolvers(
    config: ResolverConfig,
    options: &ResolverOpts,
) -> Result<Vec<TokioResolver>, NetError> {
    let mut options = options.clone();
    options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    options.timeout = NEXT_AFTER;
    options.attempts = 0;
    // Ours serves what is past its time when DNS is dead.
    options.cache_size = 0;
    let (domain, search, servers) = config.into_parts();
    let resolver = |server| {
        let config = ResolverConfig::from_parts(domain.clone(), search.clone(), vec![server]);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options.clone())
            .build()
    };
    servers.into_iter().map(resolver).collect()
}

/// A server that is asked over UDP, and over TCP for what does not fit a datagram.
fn name_server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let connections = connections.map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

/// The name to ask for. One of a single part, services aside, is looked for in the machine's own domains too, as
/// `sip:kamailio` in a cluster. None for a name that DNS cannot hold.
fn name(text: &Arc<str>) -> Option<Name> {
    let mut name = Name::from_ascii(&**text).ok()?;
    let parts = text.split('.').filter(|part| !part.starts_with('_'));
    name.set_fqdn(parts.count() > 1);
    Some(name)
}

fn answer(found: &Found) -> Answer {
    let answers = found.answers();
    let records: Vec<_> = answers.iter().filter_map(|one| record(&one.data)).collect();
    let ttl = answers.iter().map(|one| one.ttl).min().unwrap_or(0);
    if records.is_empty() {
        return Answer::NotFound;
    }
    Answer::Found {
        records: records.into(),
        ttl: Duration::from_secs(ttl.into()),
    }
}

/// None: of another type, or with a name that leads nowhere for us.
fn record(data: &RData) -> Option<Record> {
    Some(match data {
        RData::A(ip) => Record::Address(ip.0.into()),
        RData::AAAA(ip) => Record::Address(ip.0.into()),
        RData::SRV(srv) => Record::Srv(Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: plain(&srv.target)?,
        }),
        RData::NAPTR(naptr) => Record::Naptr(Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: String::from_utf8_lossy(&naptr.flags).into(),
            services: String::from_utf8_lossy(&naptr.services).into(),
            replacement: plain(&naptr.replacement)?,
        }),
        _ => return None,
    })
}

/// A name in lower case; none for one with octets that no name of a server has.
fn plain(name: &Name) -> Option<Arc<str>> {
    let text = name.to_ascii().to_ascii_lowercase();
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    text.bytes().all(known).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_part_are_looked_for_at_home_too() {
        for (text, complete) in [
            ("kamailio", false),
            ("_sip._udp.kamailio", false),
            ("sbc.example", true),
            ("_sip._udp.sbc.example", true),
        ] {
            assert_eq!(name(&text.into()).unwrap().is_fqdn(), complete, "{text}");
        }
        let long = "a".repeat(64);
        assert!(name(&format!("{long}.example").into()).is_none());
    }

    #[test]
    fn a_machine_that_names_no_server_has_its_own() {
        for (text, expected) in [
            ("", &["127.0.0.1"][..]),
            ("# nothing\nsearch example\n", &["127.0.0.1"]),
            (
                "nameserver 192.0.2.53\nnameserver 2001:db8::53",
                &["192.0.2.53", "2001:db8::53"],
            ),
        ] {
            let (config, _) = system(text.as_bytes());
            let servers = config.name_servers().iter();
            let servers: Vec<_> = servers.map(|server| server.ip.to_string()).collect();
            assert_eq!(servers, expected, "{text}");
        }
    }

    #[test]
    fn names_that_no_server_has_are_left_out() {
        for (labels, expected) in [
            (&[&b"Sbc"[..], b"example"][..], Some("sbc.example")),
            (&[b"_sip", b"_udp"], Some("_sip._udp")),
            (&[b"a b", b"example"], None),
            (&[b"a\0", b"example"], None),
            (&[b"a.b", b"example"], None),
        ] {
            let name = Name::from_labels(labels.iter().copied()).unwrap();
            let plain = plain(&name);
            let plain = plain.as_deref().map(|name| name.trim_end_matches('.'));
            assert_eq!(plain, expected, "{name}");
        }
    }
}
