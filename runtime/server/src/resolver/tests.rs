//! The resolver over a DNS server on loopback, and over a fixed zone in virtual time.

use std::collections::{HashMap, HashSet};

use sip::Transport;
use sip::locate::{Record, Srv};

use super::testing::{Mood, Server};
use super::*;
use crate::config::{Dns, NameServer};

const ZONE: &str = "
    sbc.example 60 NAPTR 10 10 s SIP+D2U _sip._udp.sbc.example
    sbc.example 60 NAPTR 20 10 s SIPS+D2T _sips._tcp.sbc.example
    _sip._udp.sbc.example 60 SRV 10 0 5062 one.sbc.example
    _sip._udp.sbc.example 60 SRV 20 0 5064 two.sbc.example
    _sips._tcp.sbc.example 60 SRV 0 0 5061 one.sbc.example
    one.sbc.example 60 A 192.0.2.1
    one.sbc.example 60 AAAA 2001:db8::1
    two.sbc.example 60 CNAME three.sbc.example
    three.sbc.example 60 A 192.0.2.3";

/// Where [`ZONE`] leads.
const HOPS: [&str; 5] = [
    "udp:[2001:db8::1]:5062",
    "udp:192.0.2.1:5062",
    "udp:192.0.2.3:5064",
    "tls:[2001:db8::1]:5061",
    "tls:192.0.2.1:5061",
];

fn ways() -> Vec<Reach> {
    let both = |transport| Reach {
        transport,
        ipv4: true,
        ipv6: true,
    };
    [Transport::Udp, Transport::Tls].map(both).to_vec()
}

fn over(servers: &[&Server]) -> Resolver {
    let servers = servers.iter().map(|server| NameServer(server.address));
    let dns = Dns {
        servers: servers.collect(),
    };
    Resolver::new(&dns, ways()).unwrap()
}

async fn hops(resolver: &Resolver, uri: &str) -> Result<Vec<String>, LocateError> {
    let located = resolver.hops(uri).await?;
    Ok(located.hops.iter().map(ToString::to_string).collect())
}

/// Lets real time stand still, and so many seconds go by.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn every_record_over_the_wire_and_only_once() {
    let server = Server::start(ZONE, Mood::Honest).await;
    let resolver = over(&[&server]);
    let located = resolver.hops("sip:sbc.example").await.unwrap();
    assert_eq!(located.verify_name.as_deref(), Some("sbc.example"));
    let expected = [
        "A one.sbc.example",
        "A two.sbc.example",
        "AAAA one.sbc.example",
        "AAAA three.sbc.example", // hickory follows an alias to the end, though the server said all it knows
        "AAAA two.sbc.example",
        "NAPTR sbc.example",
        "SRV _sip._udp.sbc.example",
        "SRV _sips._tcp.sbc.example",
    ];
    assert_eq!(server.asked(), expected);
    for uri in ["sip:sbc.example", "sip:0612345678@SBC.example."] {
        assert_eq!(hops(&resolver, uri).await.unwrap(), HOPS, "{uri}");
    }
    let named = hops(&resolver, "sip:one.sbc.example:5070").await.unwrap();
    assert_eq!(named, ["udp:[2001:db8::1]:5070", "udp:192.0.2.1:5070"]);
    assert!(server.asked().is_empty(), "all of it was known");
}

#[tokio::test]
async fn targets_outlive_dns() {
    let server = Server::start(ZONE, Mood::Honest).await;
    let resolver = over(&[&server]);
    assert_eq!(hops(&resolver, "sip:sbc.example").await.unwrap(), HOPS);
    server.stop().await;
    for _ in 0..3 {
        pass(600).await;
        assert_eq!(hops(&resolver, "sip:sbc.example").await.unwrap(), HOPS);
    }
    let error = hops(&resolver, "sip:new.example").await.unwrap_err();
    assert!(matches!(error, LocateError::Unanswered(_)), "{error}");
}

#[tokio::test]
async fn the_next_server_answers_for_a_bad_one() {
    for mood in [Mood::Failing, Mood::Silent] {
        let bad = Server::start("", mood).await;
        let good = Server::start(ZONE, Mood::Honest).await;
        let resolver = over(&[&bad, &good]);
        let found = hops(&resolver, "sip:one.sbc.example:5060").await.unwrap();
        assert_eq!(found.len(), 2, "{mood:?}");
        let asked = ["A one.sbc.example", "AAAA one.sbc.example"];
        let mut asked_in_vain = bad.asked();
        asked_in_vain.dedup();
        assert_eq!(asked_in_vain, asked, "{mood:?}");
        assert_eq!(good.asked(), asked, "{mood:?}");
    }
    let gone = Server::start("", Mood::Honest).await;
    let good = Server::start(ZONE, Mood::Honest).await;
    let resolver = over(&[&gone, &good]);
    gone.stop().await;
    assert_eq!(hops(&resolver, "sip:sbc.example").await.unwrap(), HOPS);
}

#[tokio::test]
async fn what_does_not_fit_is_asked_again_over_tcp() {
    let server = Server::start(ZONE, Mood::Short).await;
    let resolver = over(&[&server]);
    let found = hops(&resolver, "sip:one.sbc.example:5060").await.unwrap();
    assert_eq!(found.len(), 2);
    let expected = [
        "A one.sbc.example",
        "A one.sbc.example over TCP",
        "AAAA one.sbc.example",
        "AAAA one.sbc.example over TCP",
    ];
    assert_eq!(server.asked(), expected);
}

#[tokio::test]
async fn forged_answers_do_not_count() {
    let server = Server::start(ZONE, Mood::Forged).await;
    let resolver = over(&[&server]);
    assert_eq!(hops(&resolver, "sip:sbc.example").await.unwrap(), HOPS);
}

#[tokio::test]
async fn localhost_is_asked_of_nobody() {
    let server = Server::start("localhost 60 A 192.0.2.66", Mood::Honest).await;
    let resolver = over(&[&server]);
    let expected = ["udp:[::1]:5060", "udp:127.0.0.1:5060"];
    assert_eq!(hops(&resolver, "sip:localhost").await.unwrap(), expected);
    assert!(server.asked().is_empty());
}

/// A zone in memory that takes its time.
#[derive(Clone)]
struct Zone {
    state: Arc<Mutex<ZoneState>>,
}

struct ZoneState {
    answers: HashMap<Lookup, Answer>,
    takes: Duration,
    asked: Vec<Lookup>,
}

impl Zone {
    fn new(answers: impl IntoIterator<Item = (Lookup, Answer)>, takes: Duration) -> Self {
        let state = ZoneState {
            answers: answers.into_iter().collect(),
            takes,
            asked: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn set(&self, lookup: Lookup, answer: Answer) {
        self.state.lock().unwrap().answers.insert(lookup, answer);
    }

    /// How often was asked since the last time.
    fn asked(&self) -> usize {
        std::mem::take(&mut self.state.lock().unwrap().asked).len()
    }
}

impl Source for Zone {
    fn answer(&self, lookup: Lookup) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(async move {
            let takes = self.state.lock().unwrap().takes;
            self.state.lock().unwrap().asked.push(lookup.clone());
            tokio::time::sleep(takes).await;
            let state = self.state.lock().unwrap();
            state
                .answers
                .get(&lookup)
                .cloned()
                .unwrap_or(Answer::NotFound)
        })
    }
}

fn found(seconds: u64, records: impl IntoIterator<Item = Record>) -> Answer {
    Answer::Found {
        records: records.into_iter().collect(),
        ttl: Duration::from_secs(seconds),
    }
}

fn address(name: &str, seconds: u64, ip: &str) -> (Lookup, Answer) {
    let record = Record::Address(ip.parse().unwrap());
    (Lookup::Addresses(name.into()), found(seconds, [record]))
}

const MILLISECOND: Duration = Duration::from_millis(1);
const TARGET: &str = "sip:a.example";
/// NAPTR, SRV of two transports, addresses.
const LOOKUPS: usize = 4;

#[tokio::test(start_paused = true)]
async fn many_calls_ask_once() {
    let zone = Zone::new([address("a.example", 60, "192.0.2.1")], 100 * MILLISECOND);
    let resolver = Arc::new(Resolver::over(zone.clone(), ways()));
    let start = Instant::now();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let resolver = Arc::clone(&resolver);
            tokio::spawn(async move { hops(&resolver, TARGET).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), ["udp:192.0.2.1:5060"]);
    }
    assert_eq!(zone.asked(), LOOKUPS);
    // NAPTR, then both SRV, then the addresses.
    assert_eq!(start.elapsed(), 300 * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn no_call_waits_for_what_is_known() {
    let zone = Zone::new([address("a.example", 60, "192.0.2.1")], 100 * MILLISECOND);
    let resolver = Resolver::over(zone.clone(), ways());
    hops(&resolver, TARGET).await.unwrap();
    let (lookup, moved) = address("a.example", 60, "192.0.2.2");
    zone.set(lookup, moved);
    assert_eq!(zone.asked(), LOOKUPS);
    tokio::time::advance(Duration::from_secs(61)).await;
    let start = Instant::now();
    for _ in 0..3 {
        assert_eq!(
            hops(&resolver, TARGET).await.unwrap(),
            ["udp:192.0.2.1:5060"]
        );
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    tokio::time::sleep(150 * MILLISECOND).await;
    assert_eq!(zone.asked(), LOOKUPS, "once each, behind the calls");
    assert_eq!(
        hops(&resolver, TARGET).await.unwrap(),
        ["udp:192.0.2.2:5060"]
    );
    assert_eq!(zone.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_record_is_found_by_the_first_call_that_needs_it() {
    let zone = Zone::new([], 100 * MILLISECOND);
    let resolver = Resolver::over(zone.clone(), ways());
    let not_found = LocateError::NotFound("a.example".into());
    assert_eq!(hops(&resolver, TARGET).await, Err(not_found.clone()));
    assert_eq!(zone.asked(), LOOKUPS);
    let (lookup, answer) = address("a.example", 60, "192.0.2.1");
    zone.set(lookup, answer);
    assert_eq!(hops(&resolver, TARGET).await, Err(not_found));
    assert_eq!(zone.asked(), 0);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(
        hops(&resolver, TARGET).await.unwrap(),
        ["udp:192.0.2.1:5060"]
    );
    assert_eq!(zone.asked(), LOOKUPS);
}

#[tokio::test(start_paused = true)]
async fn what_dns_said_stays_when_it_fails() {
    let zone = Zone::new([address("a.example", 60, "192.0.2.1")], 100 * MILLISECOND);
    let resolver = Resolver::over(zone.clone(), ways());
    let expected = ["udp:192.0.2.1:5060"];
    assert_eq!(hops(&resolver, TARGET).await.unwrap(), expected);
    assert_eq!(zone.asked(), LOOKUPS);
    for lookup in [
        Lookup::Naptr("a.example".into()),
        Lookup::Srv("_sip._udp.a.example".into()),
        Lookup::Srv("_sips._tcp.a.example".into()),
        Lookup::Addresses("a.example".into()),
    ] {
        zone.set(lookup, Answer::Failed);
    }
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(600)).await;
        let start = Instant::now();
        assert_eq!(hops(&resolver, TARGET).await.unwrap(), expected);
        assert_eq!(start.elapsed(), Duration::ZERO);
        // The failure is in before the next call.
        tokio::time::sleep(150 * MILLISECOND).await;
        assert_eq!(zone.asked(), LOOKUPS);
        assert_eq!(hops(&resolver, TARGET).await.unwrap(), expected);
        assert_eq!(zone.asked(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_ends() {
    let zone = Zone::new([], Duration::from_secs(3_600));
    let resolver = Resolver::over(zone.clone(), ways());
    let start = Instant::now();
    let unanswered = hops(&resolver, TARGET).await.unwrap_err();
    assert!(
        matches!(unanswered, LocateError::Unanswered(_)),
        "{unanswered}"
    );
    assert_eq!(start.elapsed(), LOCATE_WITHIN);
    assert_eq!(zone.asked(), 3, "NAPTR, and when it had failed both SRV");
}

#[tokio::test(start_paused = true)]
async fn weights_count_anew_at_each_call() {
    let server = |target: &str| {
        Record::Srv(Srv {
            priority: 0,
            weight: 1,
            port: 5060,
            target: target.into(),
        })
    };
    let zone = Zone::new(
        [
            (
                Lookup::Srv("_sip._udp.a.example".into()),
                found(60, [server("b.example"), server("c.example")]),
            ),
            address("b.example", 60, "192.0.2.2"),
            address("c.example", 60, "192.0.2.3"),
        ],
        MILLISECOND,
    );
    let resolver = Resolver::over(zone.clone(), ways());
    let mut firsts = HashSet::new();
    // All alike once in 2¹⁹⁹ runs.
    for _ in 0..200 {
        firsts.extend(hops(&resolver, TARGET).await.unwrap().into_iter().take(1));
    }
    assert_eq!(firsts.len(), 2);
    assert_eq!(
        zone.asked(),
        5,
        "NAPTR, both SRV, the addresses of both servers"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_target_asks_nobody() {
    let zone = Zone::new([], MILLISECOND);
    let resolver = Resolver::over(zone.clone(), ways());
    for text in [
        "",
        "sbc.example",
        "tel:+252612345678",
        "sip:192.0.2.300",
        "sips:a.example;transport=udp",
    ] {
        assert!(hops(&resolver, text).await.is_err(), "{text}");
    }
    assert_eq!(
        hops(&resolver, "sip:192.0.2.1").await.unwrap(),
        ["udp:192.0.2.1:5060"]
    );
    assert_eq!(zone.asked(), 0);
}
