//! A DNS server on loopback, with another codec than hickory's.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use simple_dns::rdata::{A, AAAA, CNAME, NAPTR, RData, SRV};
use simple_dns::{CLASS, CharacterString, Name, Packet, PacketFlag, RCODE, ResourceRecord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

/// How a server treats its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Honest,
    /// SERVFAIL to everything.
    Failing,
    /// Reads and says nothing.
    Silent,
    /// A datagram says only that the answer does not fit.
    Short,
    /// Before each answer come some that answer something else: another id, another name.
    Forged,
}

/// Answers for the zone it was given, until it is stopped or its test ends.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

struct State {
    zone: String,
    asked: Vec<String>,
    mood: Mood,
}

impl Server {
    /// Records, one a line, as in `a.example 60 SRV 10 5 5060 b.example`.
    pub(super) async fn start(zone: &str, mood: Mood) -> Self {
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            zone: zone.to_owned(),
            asked: Vec::new(),
            mood,
        }));
        let task = tokio::spawn(serve(udp, tcp, Arc::clone(&state)));
        Self {
            address,
            state,
            task,
        }
    }

    /// What was asked since the last time, in the alphabet's order: questions of one step go out at once.
    pub(super) fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut self.state.lock().unwrap().asked);
        asked.sort();
        asked
    }

    /// Resolves when nobody listens any more.
    pub(super) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// UDP and TCP on one port.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

async fn serve(udp: UdpSocket, tcp: TcpListener, state: Arc<Mutex<State>>) {
    let mut datagram = [0; 512];
    loop {
        tokio::select! {
            received = udp.recv_from(&mut datagram) => {
                let (length, client) = received.unwrap();
                let replies = state.lock().unwrap().replies(&datagram[..length], false);
                for reply in replies {
                    udp.send_to(&reply, client).await.unwrap();
                }
            }
            accepted = tcp.accept() => {
                let (mut stream, _) = accepted.unwrap();
                let length = stream.read_u16().await.unwrap();
                let mut query = vec![0; length.into()];
                stream.read_exact(&mut query).await.unwrap();
                let replies = state.lock().unwrap().replies(&query, true);
                for reply in replies {
                    stream.write_u16(reply.len().try_into().unwrap()).await.unwrap();
                    stream.write_all(&reply).await.unwrap();
                }
            }
        }
    }
}

impl State {
    fn replies(&mut self, query: &[u8], over_tcp: bool) -> Vec<Vec<u8>> {
        let question = &Packet::parse(query).unwrap().questions[0];
        let simple_dns::QTYPE::TYPE(kind) = question.qtype else {
            panic!("{question:?}")
        };
        let way = if over_tcp { " over TCP" } else { "" };
        self.asked.push(format!("{kind:?} {}{way}", question.qname));
        let honest = reply(&self.zone, query);
        match self.mood {
            Mood::Honest => vec![honest],
            Mood::Short if over_tcp => vec![honest],
            Mood::Silent => vec![],
            Mood::Failing => vec![edit(query, |packet| {
                *packet.rcode_mut() = RCODE::ServerFailure;
            })],
            Mood::Short => vec![edit(query, |packet| {
                packet.set_flags(PacketFlag::TRUNCATION);
            })],
            Mood::Forged => {
                let other_id = edit(query, |packet| packet.set_id(packet.id() ^ 1));
                let other_name = edit(query, |packet| {
                    packet.questions[0].qname = Name::new("other.example").unwrap();
                });
                vec![vec![], other_id, other_name, honest]
            }
        }
    }
}

/// An empty reply, changed.
fn edit(query: &[u8], change: impl FnOnce(&mut Packet<'_>)) -> Vec<u8> {
    let mut packet = Packet::parse(query).unwrap().into_reply();
    change(&mut packet);
    packet.build_bytes_vec_compressed().unwrap()
}

/// What the zone has for a query, aliases followed.
pub(super) fn reply(zone: &str, query: &[u8]) -> Vec<u8> {
    let mut packet = Packet::parse(query).unwrap().into_reply();
    let question = packet.questions[0].clone();
    let mut owner = question.qname.to_string();
    let mut known = false;
    let mut lines: Vec<&str> = zone.lines().map(str::trim).collect();
    lines.sort_by_key(|line| !line.contains(" CNAME "));
    for line in lines.into_iter().filter(|line| !line.is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        if !words[0].eq_ignore_ascii_case(&owner) {
            continue;
        }
        known = true;
        let record = record(&words);
        if let RData::CNAME(CNAME(target)) = &record.rdata {
            owner = target.to_string();
        } else if !record.match_qtype(question.qtype) {
            continue;
        }
        packet.answers.push(record.into_owned());
    }
    if !known {
        *packet.rcode_mut() = RCODE::NameError;
    }
    packet.build_bytes_vec_compressed().unwrap()
}

fn record<'a>(words: &[&'a str]) -> ResourceRecord<'a> {
    let [owner, ttl, kind, data @ ..] = words else {
        panic!("{words:?}")
    };
    let name = |text| Name::new(text).unwrap();
    let number = |at: usize| data[at].parse::<u16>().unwrap();
    let text = |at: usize| CharacterString::new(data[at].as_bytes()).unwrap();
    let rdata = match *kind {
        "A" => RData::A(A::from(data[0].parse::<Ipv4Addr>().unwrap())),
        "AAAA" => RData::AAAA(AAAA::from(data[0].parse::<std::net::Ipv6Addr>().unwrap())),
        "CNAME" => RData::CNAME(CNAME(name(data[0]))),
        "SRV" => RData::SRV(SRV {
            priority: number(0),
            weight: number(1),
            port: number(2),
            target: name(data[3]),
        }),
        "NAPTR" => RData::NAPTR(NAPTR {
            order: number(0),
            preference: number(1),
            flags: text(2),
            services: text(3),
            regexp: CharacterString::new(b"").unwrap(),
            replacement: name(data[4]),
        }),
        other => panic!("{other}: unknown"),
    };
    ResourceRecord::new(name(owner), CLASS::IN, ttl.parse().unwrap(), rdata)
}
