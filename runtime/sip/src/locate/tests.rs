//! Against a pretended zone.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use bytes::Bytes;

use super::*;
use crate::Uri;

const SEED: u64 = 7;
const TTL: u32 = 300;

/// Records, one a line, as in `a.example 60 SRV 10 5 5060 b.example`; a name with `FAILS` has a server that cannot answer.
struct Zone {
    answers: HashMap<Lookup, Answer>,
}

impl Zone {
    fn read(text: &str) -> Self {
        let mut zone = Self {
            answers: HashMap::new(),
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            zone.line(line);
        }
        zone
    }

    fn line(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let name: Arc<str> = words.next().unwrap().into();
        let mut word = words.next().unwrap();
        let mut ttl = TTL;
        if let Ok(seconds) = word.parse() {
            ttl = seconds;
            word = words.next().unwrap();
        }
        let rest: Vec<_> = words.collect();
        let number = |at: usize| rest[at].parse().unwrap();
        let (lookup, record) = match word {
            "NAPTR" => (
                Lookup::Naptr(name),
                Record::Naptr(Naptr {
                    order: number(0),
                    preference: number(1),
                    flags: rest[2].into(),
                    services: rest[3].into(),
                    replacement: rest[4].into(),
                }),
            ),
            "SRV" => (
                Lookup::Srv(name),
                Record::Srv(Srv {
                    priority: number(0),
                    weight: number(1),
                    port: number(2),
                    target: rest[3].into(),
                }),
            ),
            "A" | "AAAA" => (
                Lookup::Addresses(name),
                Record::Address(rest[0].parse().unwrap()),
            ),
            "FAILS" => {
                for lookup in [Lookup::Naptr, Lookup::Srv, Lookup::Addresses] {
                    self.answers
                        .insert(lookup(Arc::clone(&name)), Answer::Failed);
                }
                return;
            }
            other => panic!("{other}: unknown in {line}"),
        };
        let mut all = vec![record];
        if let Some(Answer::Found { records, .. }) = self.answers.get(&lookup) {
            all.splice(0..0, records.iter().cloned());
        }
        let answer = Answer::Found {
            records: all.into(),
            ttl: Duration::from_secs(ttl.into()),
        };
        self.answers.insert(lookup, answer);
    }

    fn answer(&self, lookup: &Lookup) -> Answer {
        self.answers
            .get(lookup)
            .cloned()
            .unwrap_or(Answer::NotFound)
    }
}

fn both(transport: Transport) -> Reach {
    Reach {
        transport,
        ipv4: true,
        ipv6: true,
    }
}

/// UDP before TCP before TLS.
fn ours() -> Vec<Reach> {
    [Transport::Udp, Transport::Tcp, Transport::Tls]
        .map(both)
        .to_vec()
}

fn uri(text: &str) -> Uri {
    Uri::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

/// Locates, with the names that were asked for.
fn locate(
    text: &str,
    ours: &[Reach],
    zone: &Zone,
    seed: u64,
) -> (Result<Located, LocateError>, Vec<String>) {
    let mut asked = Vec::new();
    let mut locator = match Locator::new(&uri(text), ours, seed) {
        Ok(locator) => locator,
        Err(error) => return (Err(error), asked),
    };
    while let Some(lookup) = locator.poll() {
        asked.push(match &lookup {
            Lookup::Naptr(name) => format!("NAPTR {name}"),
            Lookup::Srv(name) => format!("SRV {name}"),
            Lookup::Addresses(name) => format!("A {name}"),
        });
        let answer = zone.answer(&lookup);
        locator.handle(lookup, answer);
    }
    (locator.finish(), asked)
}

fn hops(text: &str, ours: &[Reach], zone: &str) -> Result<Vec<String>, LocateError> {
    let (located, _) = locate(text, ours, &Zone::read(zone), SEED);
    Ok(located?.hops.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn check(text: &str, zone: &str, expected: &[&str]) {
    assert_eq!(hops(text, &ours(), zone).unwrap(), expected, "{text}");
}

#[track_caller]
fn refused(text: &str, ours: &[Reach], zone: &str, expected: &str) {
    let error = hops(text, ours, zone).unwrap_err();
    assert_eq!(error.to_string(), expected, "{text}");
}

const A: &str = "a.example A 192.0.2.1";

/// RFC 3263 §4.1's own example, with a server of each transport.
const RFC3263: &str = "
    example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com
    example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com
    example.com NAPTR 100 50 s SIP+D2U _sip._udp.example.com
    _sips._tcp.example.com SRV 0 1 5061 tls.example.com
    _sip._tcp.example.com SRV 0 1 5060 server1.example.com
    _sip._tcp.example.com SRV 1 2 5060 server2.example.com
    _sip._udp.example.com SRV 0 1 5070 server1.example.com
    tls.example.com A 192.0.2.9
    server1.example.com A 192.0.2.1
    server2.example.com A 192.0.2.2";

#[test]
fn addresses_need_no_lookup() {
    for (text, expected) in [
        ("sip:192.0.2.1", "udp:192.0.2.1:5060"),
        ("sip:u@192.0.2.1:5080", "udp:192.0.2.1:5080"),
        ("sip:192.0.2.1;transport=TCP", "tcp:192.0.2.1:5060"),
        ("sip:192.0.2.1;transport=tls", "tls:192.0.2.1:5061"),
        ("sips:192.0.2.1", "tls:192.0.2.1:5061"),
        ("sips:192.0.2.1;transport=tcp", "tls:192.0.2.1:5061"),
        ("sip:[2001:db8::1]", "udp:[2001:db8::1]:5060"),
        ("sip:192.0.2.1;maddr=192.0.2.66", "udp:192.0.2.1:5060"),
    ] {
        let (located, asked) = locate(text, &ours(), &Zone::read(""), SEED);
        let located = located.unwrap();
        assert_eq!(located.hops.len(), 1, "{text}");
        assert_eq!(located.hops[0].to_string(), expected, "{text}");
        assert_eq!(located.ttl, None);
        assert!(asked.is_empty(), "{text}: {asked:?}");
    }
}

#[test]
fn a_port_means_addresses_only() {
    let zone = format!("{RFC3263}\nexample.com A 192.0.2.77\nexample.com AAAA 2001:db8::77");
    let expected = ["udp:[2001:db8::77]:5062", "udp:192.0.2.77:5062"];
    check("sip:example.com:5062", &zone, &expected);
    let (_, asked) = locate("sip:example.com:5062", &ours(), &Zone::read(&zone), SEED);
    assert_eq!(asked, ["A example.com"]);
    check(
        "sip:a.example:5062;transport=tcp",
        A,
        &["tcp:192.0.2.1:5062"],
    );
    check("sips:a.example:5063", A, &["tls:192.0.2.1:5063"]);
}

#[test]
fn a_transport_means_its_srv() {
    let expected = ["tcp:192.0.2.1:5060", "tcp:192.0.2.2:5060"];
    check("sip:example.com;transport=tcp", RFC3263, &expected);
    check(
        "sip:example.com;transport=udp",
        RFC3263,
        &["udp:192.0.2.1:5070"],
    );
    check(
        "sip:example.com;transport=tls",
        RFC3263,
        &["tls:192.0.2.9:5061"],
    );
    check(
        "sips:example.com;transport=tcp",
        RFC3263,
        &["tls:192.0.2.9:5061"],
    );
    check("sip:a.example;transport=tls", A, &["tls:192.0.2.1:5061"]);
    let zone = Zone::read(A);
    let (_, asked) = locate("sip:a.example;transport=tcp", &ours(), &zone, SEED);
    assert_eq!(asked, ["SRV _sip._tcp.a.example", "A a.example"]);
}

#[test]
fn naptr_decides_when_nothing_else_does() {
    let all = [
        "tls:192.0.2.9:5061",
        "tcp:192.0.2.1:5060",
        "tcp:192.0.2.2:5060",
        "udp:192.0.2.1:5070",
    ];
    check("sip:example.com", RFC3263, &all);
    check("SIP:Example.COM.", RFC3263, &all);
    check("sips:example.com", RFC3263, &all[..1]);
    let udp = [both(Transport::Udp)];
    assert_eq!(hops("sip:example.com", &udp, RFC3263).unwrap(), &all[3..]);
    let (located, asked) = locate("sip:example.com", &udp, &Zone::read(RFC3263), SEED);
    assert_eq!(
        asked,
        [
            "NAPTR example.com",
            "SRV _sip._udp.example.com",
            "A server1.example.com"
        ]
    );
    assert_eq!(located.unwrap().verify_name, None);
}

#[test]
fn naptr_preference_counts_within_an_order() {
    let zone = "
        e.example NAPTR 10 20 S sip+d2u _sip._udp.e.example.
        e.example NAPTR 10 10 s SIP+D2T elsewhere.example.
        _sip._udp.e.example SRV 0 0 5060 a.example.
        elsewhere.example SRV 0 0 5064 a.example.
        a.example A 192.0.2.1";
    check(
        "sip:e.example",
        zone,
        &["tcp:192.0.2.1:5064", "udp:192.0.2.1:5060"],
    );
}

#[test]
fn naptr_of_other_things_is_passed_over() {
    for other in [
        "e.example NAPTR 1 1 u E2U+sip .",
        "e.example NAPTR 1 1 s SIP+D2S _sip._sctp.e.example",
        "e.example NAPTR 1 1 a SIP+D2T e.example",
        "e.example NAPTR 1 1 s SIP+D2T .",
        "e.example NAPTR 1 1 s SIP+D2W _sip._ws.e.example",
        "e.example FAILS\ne.example A 192.0.2.1",
    ] {
        let zone = format!("{other}\n_sip._tcp.e.example SRV 0 0 5066 a.example\n{A}");
        check("sip:e.example", &zone, &["tcp:192.0.2.1:5066"]);
    }
}

#[test]
fn websocket_is_found_by_naptr_or_address() {
    let ours = [both(Transport::Ws), both(Transport::Wss)];
    let zone = format!(
        "e.example NAPTR 1 1 s SIPS+D2W wss.e.example
         e.example NAPTR 1 2 s SIP+D2W ws.e.example
         wss.e.example SRV 0 0 8443 a.example
         ws.e.example SRV 0 0 8080 a.example
         {A}"
    );
    for (text, expected) in [
        (
            "sip:e.example",
            &["wss:192.0.2.1:8443", "ws:192.0.2.1:8080"][..],
        ),
        ("sips:e.example", &["wss:192.0.2.1:8443"]),
        ("sip:a.example;transport=ws", &["ws:192.0.2.1:80"]),
        ("sips:a.example;transport=ws", &["wss:192.0.2.1:443"]),
    ] {
        assert_eq!(hops(text, &ours, &zone).unwrap(), expected, "{text}");
    }
}

#[test]
fn without_naptr_each_transport_of_ours_is_asked_for() {
    let zone = "
        _sip._tcp.e.example SRV 0 0 5060 a.example
        _sip._udp.e.example SRV 0 0 5062 a.example
        a.example A 192.0.2.1
        e.example A 192.0.2.66";
    check(
        "sip:e.example",
        zone,
        &["udp:192.0.2.1:5062", "tcp:192.0.2.1:5060"],
    );
    let (_, asked) = locate("sip:e.example", &ours(), &Zone::read(zone), SEED);
    assert_eq!(
        asked,
        [
            "NAPTR e.example",
            "SRV _sip._udp.e.example",
            "A a.example",
            "SRV _sip._tcp.e.example",
            "SRV _sips._tcp.e.example"
        ]
    );
}

#[test]
fn without_srv_the_name_itself_is_the_server() {
    check("sip:a.example", A, &["udp:192.0.2.1:5060"]);
    check("sips:a.example", A, &["tls:192.0.2.1:5061"]);
    let (_, asked) = locate("sips:a.example", &ours(), &Zone::read(A), SEED);
    assert_eq!(
        asked,
        ["NAPTR a.example", "SRV _sips._tcp.a.example", "A a.example"]
    );
}

#[test]
fn priorities_come_in_order_and_addresses_each_count() {
    let zone = "
        _sip._udp.e.example SRV 20 0 5060 b.example
        _sip._udp.e.example SRV 10 0 5060 a.example
        a.example A 192.0.2.1
        a.example AAAA 2001:db8::1
        a.example AAAA ::
        b.example A 192.0.2.2
        b.example A 192.0.2.2
        b.example AAAA ::ffff:192.0.2.2";
    let expected = [
        "udp:[2001:db8::1]:5060",
        "udp:192.0.2.1:5060",
        "udp:192.0.2.2:5060",
    ];
    check("sip:e.example", zone, &expected);
}

#[test]
fn families_take_turns() {
    let zone = "
        a.example AAAA 2001:db8::1
        a.example AAAA 2001:db8::2
        a.example A 192.0.2.1
        a.example A 192.0.2.2
        a.example A 192.0.2.3";
    let (located, _) = locate("sip:a.example", &ours(), &Zone::read(zone), SEED);
    let six: Vec<_> = located
        .unwrap()
        .hops
        .iter()
        .map(|hop| hop.address.is_ipv6())
        .collect();
    assert_eq!(six, [true, false, true, false, false]);
    let v4 = [Reach {
        ipv6: false,
        ..both(Transport::Udp)
    }];
    assert_eq!(hops("sip:a.example", &v4, zone).unwrap().len(), 3);
    refused(
        "sip:a.example",
        &v4,
        "a.example AAAA 2001:db8::1",
        "a.example has addresses only of a family (IPv4, IPv6) that no socket here reaches",
    );
    refused(
        "sip:[2001:db8::1]",
        &v4,
        "",
        "2001:db8::1 has addresses only of a family (IPv4, IPv6) that no socket here reaches",
    );
}

/// How often each target of an SRV set comes first, over as many seeds.
fn firsts(weights: &[u16], seeds: u64) -> Vec<u64> {
    let mut zone = String::new();
    for (at, weight) in weights.iter().enumerate() {
        zone += &format!("_sip._udp.e.example SRV 1 {weight} 5060 s{at}.example\n");
        zone += &format!("s{at}.example A 192.0.2.{at}\n");
    }
    let zone = Zone::read(&zone);
    let mut counts = vec![0; weights.len()];
    for seed in 0..seeds {
        let (located, _) = locate("sip:e.example;transport=udp", &ours(), &zone, seed);
        let hops = located.unwrap().hops;
        assert_eq!(hops.len(), weights.len(), "none is lost");
        let IpAddr::V4(ip) = hops[0].address.ip() else {
            panic!("{hops:?}")
        };
        counts[usize::from(ip.octets()[3])] += 1;
    }
    counts
}

/// Seeds are fixed, so these are exact repeatable counts; the bounds are five standard deviations about RFC 2782's shares.
#[test]
fn weights_share_the_calls() {
    for (weights, shares) in [
        // A draw from 0 to the sum, both included, gives the 0 to whoever stands first: each of them in its turn.
        (&[3, 1][..], &[3.5 / 5.0, 1.5 / 5.0][..]),
        (
            &[60, 20, 20],
            &[60.33 / 101.0, 20.33 / 101.0, 20.33 / 101.0],
        ),
        // Those of weight 0 stand before the others.
        (&[10, 0], &[10.0 / 11.0, 1.0 / 11.0]),
        (&[0, 0], &[0.5, 0.5]),
    ] {
        let seeds = 4_000;
        let counts = firsts(weights, seeds);
        for (count, share) in counts.iter().zip(shares) {
            let expected = share * seeds as f64;
            let deviation = (expected * (1.0 - share)).sqrt();
            let distance = (*count as f64 - expected).abs();
            assert!(distance < 5.0 * deviation, "{weights:?}: {counts:?}");
        }
    }
}

#[test]
fn addresses_share_the_calls() {
    let zone = Zone::read("a.example A 192.0.2.1\na.example A 192.0.2.2\na.example A 192.0.2.3");
    let mut orders: HashMap<Vec<String>, u32> = HashMap::new();
    for seed in 0..1_200 {
        let (located, _) = locate("sip:a.example", &ours(), &zone, seed);
        let hops = located.unwrap().hops;
        *orders
            .entry(hops.iter().map(ToString::to_string).collect())
            .or_default() += 1;
    }
    assert_eq!(orders.len(), 6);
    assert!(
        orders.values().all(|count| (140..260).contains(count)),
        "{orders:?}"
    );
}

#[test]
fn the_seed_alone_decides_not_the_arrival() {
    let zone = Zone::read(
        "_sip._udp.e.example SRV 1 5 5060 s1.example
         _sip._udp.e.example SRV 1 5 5060 s2.example
         _sip._tcp.e.example SRV 1 5 5060 s2.example
         _sip._tcp.e.example SRV 1 5 5060 s1.example
         s1.example A 192.0.2.1
         s1.example A 192.0.2.2
         s2.example A 192.0.2.3
         s2.example AAAA 2001:db8::3",
    );
    let mut orders = HashSet::new();
    for seed in 0..50 {
        let (in_turn, _) = locate("sip:e.example", &ours(), &zone, seed);
        // All that can be asked is asked before the last question is answered first.
        let mut locator = Locator::new(&uri("sip:e.example"), &ours(), seed).unwrap();
        let mut waiting = Vec::new();
        loop {
            waiting.extend(std::iter::from_fn(|| locator.poll()));
            let Some(lookup) = waiting.pop() else { break };
            let answer = zone.answer(&lookup);
            locator.handle(lookup, answer);
        }
        assert_eq!(locator.finish(), in_turn, "seed {seed}");
        orders.insert(format!("{in_turn:?}"));
    }
    assert_eq!(
        orders.len(),
        8,
        "two servers, twice, and two addresses of one"
    );
}

#[test]
fn a_point_as_target_is_a_no() {
    let no = "_sip._udp.e.example SRV 0 0 0 .";
    refused(
        "sip:e.example",
        &ours(),
        &format!("{no}\ne.example A 192.0.2.1"),
        "_sip._udp.e.example says in DNS that it offers no SIP service",
    );
    let zone = format!("{no}\n_sip._tcp.e.example SRV 0 0 5060 a.example\n{A}");
    check("sip:e.example", &zone, &["tcp:192.0.2.1:5060"]);
}

#[test]
fn loops_end() {
    for (zone, lookups) in [
        ("_sip._udp.e.example SRV 0 0 5060 _sip._udp.e.example", 5),
        ("_sip._udp.e.example SRV 0 0 5060 e.example", 5),
        ("e.example NAPTR 1 1 s SIP+D2U e.example", 2),
        (
            "e.example NAPTR 1 1 s SIP+D2U e.example\ne.example SRV 0 0 5060 e.example",
            3,
        ),
    ] {
        let (located, asked) = locate("sip:e.example", &ours(), &Zone::read(zone), SEED);
        assert!(
            matches!(located, Err(LocateError::NotFound(_))),
            "{located:?}"
        );
        assert_eq!(asked.len(), lookups, "{zone}: {asked:?}");
    }
}

#[test]
fn lookups_and_hops_are_bounded() {
    let mut wide = String::new();
    let mut many = String::new();
    for at in 0..100 {
        wide += &format!("_sip._udp.e.example SRV {at} 0 5060 s{at}.example\n");
        wide += &format!("s{at}.example A 192.0.2.{at}\n");
        many += &format!("e.example A 192.0.2.{at}\n");
    }
    let (located, asked) = locate("sip:e.example", &ours(), &Zone::read(&wide), SEED);
    assert_eq!(asked.len(), MAX_LOOKUPS);
    let hops = located.unwrap().hops;
    assert_eq!(
        hops.len(),
        14,
        "one NAPTR, one SRV, and the addresses of the first servers"
    );
    assert_eq!(hops[13].to_string(), "udp:192.0.2.13:5060");
    let (located, _) = locate("sip:e.example:5060", &ours(), &Zone::read(&many), SEED);
    assert_eq!(located.unwrap().hops.len(), MAX_HOPS);
}

#[test]
fn what_failed_costs_only_what_depends_on_it() {
    let zone = "
        _sip._udp.e.example FAILS
        _sip._tcp.e.example SRV 0 0 5060 dead.example
        _sip._tcp.e.example SRV 1 0 5060 a.example
        dead.example FAILS
        a.example A 192.0.2.1
        e.example A 192.0.2.66";
    check("sip:e.example", zone, &["tcp:192.0.2.1:5060"]);
    let unknown = "_sip._udp.e.example FAILS\ne.example A 192.0.2.66";
    let error = "DNS did not answer for _sip._udp.e.example";
    refused("sip:e.example", &ours(), unknown, error);
    let dead = "a.example FAILS";
    refused(
        "sip:a.example:5060",
        &ours(),
        dead,
        "DNS did not answer for a.example",
    );
}

#[test]
fn an_answer_still_out_is_no_answer() {
    let mut locator = Locator::new(&uri("sip:a.example"), &ours(), SEED).unwrap();
    let naptr = locator.poll().unwrap();
    assert_eq!(locator.poll(), None);
    let unanswered = LocateError::Unanswered("a.example".into());
    assert_eq!(locator.finish(), Err(unanswered.clone()));
    let unasked = Lookup::Addresses("a.example".into());
    locator.handle(unasked.clone(), Zone::read(A).answer(&unasked));
    assert_eq!(locator.finish(), Err(unanswered));
    locator.handle(naptr, Answer::NotFound);
    assert_eq!(std::iter::from_fn(|| locator.poll()).count(), 3);
}

#[test]
fn the_shortest_ttl_counts() {
    let zone = "
        _sip._udp.e.example 60 SRV 0 0 5060 a.example
        a.example 30 A 192.0.2.1";
    for (text, seconds) in [("sip:e.example", 30), ("sip:a.example:5060", 30)] {
        let (located, _) = locate(text, &ours(), &Zone::read(zone), SEED);
        assert_eq!(
            located.unwrap().ttl,
            Some(Duration::from_secs(seconds)),
            "{text}"
        );
    }
}

#[test]
fn certificates_are_checked_against_the_uri() {
    for (text, expected) in [
        ("sips:example.com", Some("example.com")),
        ("sip:Example.com.;transport=tls", Some("example.com")),
        ("sips:192.0.2.1", Some("192.0.2.1")),
        ("sips:[2001:db8::1]", Some("2001:db8::1")),
        ("sip:example.com;transport=tcp", None),
    ] {
        let (located, _) = locate(text, &ours(), &Zone::read(RFC3263), SEED);
        assert_eq!(located.unwrap().verify_name.as_deref(), expected, "{text}");
    }
}

#[test]
fn what_leads_nowhere_says_why() {
    for (text, expected) in [
        (
            "tel:+252612345678",
            "the target begins with neither sip: nor sips:",
        ),
        (
            "urn:service:sos",
            "the target begins with neither sip: nor sips:",
        ),
        (
            "sip:192.0.2.300",
            "the host `192.0.2.300` is neither an address nor a domain name",
        ),
        (
            "sip:a..example",
            "the host `a..example` is neither an address nor a domain name",
        ),
        (
            "sip:[::1::]",
            "the host `[::1::]` is neither an address nor a domain name",
        ),
        (
            "sip:a.example;transport=sctp",
            "the target names an unknown transport",
        ),
        (
            "sips:a.example;transport=udp",
            "sips: asks for TLS, which does not go over udp: leave `transport` out, or write tcp or ws",
        ),
        (
            "sip:a.example;transport=ws",
            "the target is reached by ws, which is not among the transports configured here",
        ),
        (
            "sip:b.example",
            "DNS has no server for b.example: neither SRV nor address records",
        ),
    ] {
        refused(text, &ours(), A, expected);
    }
    let long = format!("sip:{}.example", "a".repeat(64));
    assert!(matches!(hops(&long, &ours(), A), Err(LocateError::Host(_))));
    let tcp = [both(Transport::Tcp)];
    for text in [
        "sip:a.example",
        "sip:a.example:5060",
        "sip:192.0.2.1",
        "sips:a.example",
    ] {
        let error = hops(text, &tcp, A).unwrap_err();
        assert!(
            matches!(error, LocateError::NotSpoken(_)),
            "{text}: {error}"
        );
    }
}
