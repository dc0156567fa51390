//! Asks DNS servers (RFC 1035 §7): over UDP, over TCP what does not fit, the next server when one is slow.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sip::locate::{Answer, Lookup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::Source;
use super::local::{self, System};
use super::message::{Fault, Kind, Question, Reply};
use crate::config;

/// A question is put so often: to each server in turn, and round again.
const TRIES: usize = 3;
/// The next try does not wait longer for the one before it, whose answer is still taken when it comes.
const TRY_AFTER: Duration = Duration::from_millis(500);
/// The longest datagram that is read: more than any server sends to who did not ask for more than 512 octets.
const MAX_DATAGRAM: usize = 4_096;

/// The resolver's own client: it asks servers that ask others (recursive ones), as every machine has configured.
pub(super) struct Stub {
    /// None: those of the system.
    servers: Option<Vec<SocketAddr>>,
}

/// Why a try gave no answer.
#[derive(Debug, thiserror::Error)]
enum TryError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Fault(#[from] Fault),
}

impl Stub {
    pub(super) fn new(dns: &config::Dns) -> Self {
        let servers = dns
            .servers
            .iter()
            .map(|server| server.0)
            .collect::<Vec<_>>();
        Self {
            servers: (!servers.is_empty()).then_some(servers),
        }
    }

    async fn look_up(&self, lookup: Lookup) -> Answer {
        if let Some(answer) = local::loopback(&lookup) {
            return answer;
        }
        let system = match &self.servers {
            Some(servers) => System {
                servers: servers.clone(),
                search: Vec::new(),
            },
            None => {
                if let Lookup::Addresses(name) = &lookup
                    && let addresses = local::hosts(name).await
                    && !addresses.is_empty()
                {
                    return local::found(addresses);
                }
                local::system().await
            }
        };
        let mut failed = false;
        for name in names(lookup.name(), &system.search) {
            match put(&lookup, name, &system.servers).await {
                Answer::NotFound => (),
                Answer::Failed => failed = true,
                found @ Answer::Found { .. } => return found,
            }
        }
        if failed {
            Answer::Failed
        } else {
            Answer::NotFound
        }
    }
}

impl Source for Stub {
    fn answer(&self, lookup: Lookup) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(self.look_up(lookup))
    }
}

/// The complete names that a name may mean: one of a single part, services aside, is first looked for in the machine's
/// own domains, as `sip:kamailio` in a cluster.
fn names(name: &Arc<str>, search: &[String]) -> Vec<Arc<str>> {
    let parts = name.split('.').filter(|part| !part.starts_with('_'));
    let search = if parts.count() == 1 { search } else { &[] };
    let within = search
        .iter()
        .map(|domain| format!("{name}.{domain}").into());
    within.chain([Arc::clone(name)]).collect()
}

async fn put(lookup: &Lookup, name: Arc<str>, servers: &[SocketAddr]) -> Answer {
    let ask = |kind| ask(Arc::clone(&name), kind, servers);
    match lookup {
        Lookup::Naptr(_) => ask(Kind::Naptr).await,
        Lookup::Srv(_) => ask(Kind::Srv).await,
        Lookup::Addresses(_) => {
            let (v6, v4) = tokio::join!(ask(Kind::Aaaa), ask(Kind::A));
            both(v6, v4)
        }
    }
}

/// The addresses of both families as one answer. With one family unknown, the other's are soon asked for again.
fn both(v6: Answer, v4: Answer) -> Answer {
    match (v6, v4) {
        (
            Answer::Found { records: v6, ttl },
            Answer::Found {
                records: v4,
                ttl: other,
            },
        ) => Answer::Found {
            records: v6.iter().chain(&*v4).cloned().collect(),
            ttl: ttl.min(other),
        },
        (Answer::Found { records, .. }, Answer::Failed)
        | (Answer::Failed, Answer::Found { records, .. }) => Answer::Found {
            records,
            ttl: Duration::ZERO,
        },
        (found @ Answer::Found { .. }, _) | (_, found @ Answer::Found { .. }) => found,
        (Answer::Failed, _) | (_, Answer::Failed) => Answer::Failed,
        (Answer::NotFound, Answer::NotFound) => Answer::NotFound,
    }
}

/// Puts a question to the servers until one answers it.
async fn ask(name: Arc<str>, kind: Kind, servers: &[SocketAddr]) -> Answer {
    let Some(question) = Question::new(Arc::clone(&name), kind) else {
        return Answer::NotFound;
    };
    let mut tries = JoinSet::new();
    let mut left = servers.iter().cycle().take(TRIES.max(servers.len()));
    loop {
        let next = left.next();
        if let Some(&server) = next {
            let question = question.clone();
            tries.spawn(async move { (server, try_one(server, &question).await) });
        }
        let patience = if next.is_some() {
            TRY_AFTER
        } else {
            Duration::MAX
        };
        match timeout(patience, tries.join_next()).await {
            Ok(Some(Ok((_, Ok(answer))))) => return answer,
            Ok(Some(Ok((server, Err(error))))) => {
                debug!(%name, ?kind, "DNS server {server}: {error}");
            }
            Ok(Some(Err(error))) => debug!("a try of DNS ended: {error}"),
            Ok(None) => return Answer::Failed,
            Err(_) => {}
        }
    }
}

async fn try_one(server: SocketAddr, question: &Question) -> Result<Answer, TryError> {
    let reply = match over_udp(server, question).await? {
        Reply::Truncated => over_tcp(server, question).await?,
        reply => reply,
    };
    Ok(match reply {
        Reply::Found { records, ttl } => Answer::Found {
            records: records.into(),
            ttl,
        },
        Reply::NotFound => Answer::NotFound,
        Reply::Truncated => return Err(Fault::Malformed.into()),
    })
}

/// A socket of its own for each question, so that a forged answer must guess its port as well as its id (RFC 5452 §9.2).
async fn over_udp(server: SocketAddr, question: &Question) -> Result<Reply, TryError> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let id = u16::from_ne_bytes(crate::services::random());
    socket.send(&question.message(id)).await?;
    let mut datagram = [0; MAX_DATAGRAM];
    loop {
        let length = socket.recv(&mut datagram).await?;
        match question.read(id, &datagram[..length]) {
            Err(Fault::Foreign) => {}
            reply => return Ok(reply?),
        }
    }
}

/// RFC 7766: each message behind its length.
async fn over_tcp(server: SocketAddr, question: &Question) -> Result<Reply, TryError> {
    let mut stream = TcpStream::connect(server).await?;
    let id = u16::from_ne_bytes(crate::services::random());
    let message = question.message(id);
    let length = u16::try_from(message.len()).expect("a name and sixteen octets");
    let framed = [&length.to_be_bytes()[..], &message].concat();
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut reply = vec![0; length.into()];
    stream.read_exact(&mut reply).await?;
    Ok(question.read(id, &reply)?)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use sip::locate::Record;

    use super::*;

    #[test]
    fn short_names_are_looked_for_at_home_first() {
        let search = ["voice.svc".to_owned(), "svc".to_owned()];
        for (name, expected) in [
            (
                "kamailio",
                &["kamailio.voice.svc", "kamailio.svc", "kamailio"][..],
            ),
            (
                "_sip._udp.kamailio",
                &[
                    "_sip._udp.kamailio.voice.svc",
                    "_sip._udp.kamailio.svc",
                    "_sip._udp.kamailio",
                ],
            ),
            ("sbc.example", &["sbc.example"]),
        ] {
            let names = names(&name.into(), &search);
            assert_eq!(
                names.iter().map(|name| &**name).collect::<Vec<_>>(),
                expected
            );
        }
    }

    #[test]
    fn families_are_one_answer() {
        let found = |ip: &str, seconds| Answer::Found {
            records: [Record::Address(ip.parse::<IpAddr>().unwrap())].into(),
            ttl: Duration::from_secs(seconds),
        };
        let (six, four) = (found("2001:db8::1", 60), found("192.0.2.1", 30));
        let none = || Answer::NotFound;
        let dead = || Answer::Failed;
        let Answer::Found { records, ttl } = both(six.clone(), four.clone()) else {
            panic!("both are there")
        };
        assert_eq!((records.len(), ttl), (2, Duration::from_secs(30)));
        for (v6, v4, expected) in [
            (none(), four.clone(), four),
            (six.clone(), none(), six),
            (dead(), found("192.0.2.1", 30), found("192.0.2.1", 0)),
            (found("2001:db8::1", 60), dead(), found("2001:db8::1", 0)),
            (none(), none(), none()),
            (none(), dead(), dead()),
            (dead(), none(), dead()),
        ] {
            assert_eq!(both(v6, v4), expected);
        }
    }
}
