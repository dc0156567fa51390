use std::time::{Duration, Instant};

use super::*;
use crate::Transport;
use crate::testing::{origin, parse_request};

const NAT: &str = "203.0.113.9:40001";
const SECOND: Duration = Duration::from_secs(1);

/// A registrar under a simulated clock.
struct Desk {
    registrar: Registrar,
    now: Instant,
    cseq: u32,
}

impl Desk {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        Self {
            registrar: Registrar::new(config),
            now: origin(),
            cseq: 0,
        }
    }

    /// The next REGISTER of `gw1` from behind its NAT.
    fn register(&mut self, fields: &str) -> Answer {
        self.cseq += 1;
        self.register_as("gw1", hop(NAT), self.cseq, fields)
    }

    fn register_as(&mut self, user: &str, from: Hop, cseq: u32, fields: &str) -> Answer {
        let request = register(user, "c1", cseq, fields);
        self.registrar
            .register(self.now, &request, from, &login(user))
    }

    fn binds(&mut self, contact: &str) {
        let answer = self.register(&format!("Contact: <{contact}>\r\n"));
        assert_eq!(answer.status, 200, "{contact}");
    }

    fn advance(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self.registrar.deadline().filter(|at| *at <= until) {
            self.now = deadline;
            self.registrar.wake(deadline);
        }
        self.now = until;
    }

    fn questions(&mut self) -> Vec<Question> {
        std::iter::from_fn(|| self.registrar.poll_question()).collect()
    }

    /// What changed since the last look, and who is asked.
    fn told(&mut self) -> String {
        let news = std::iter::from_fn(|| self.registrar.poll());
        let mut words: Vec<_> = news
            .map(|news| format!("{:?} {}", news.change, news.binding.contact))
            .collect();
        let asked = self.questions().into_iter();
        words.extend(asked.map(|question| format!("ask {}", question.binding.contact)));
        words.join(", ").to_lowercase()
    }

    /// Answers the only open question, or lets it time out.
    fn hear(&mut self, is_alive: bool) {
        let questions = self.questions();
        let [Question { binding, .. }] = &questions[..] else {
            panic!("not one question: {questions:?}")
        };
        self.registrar.heard(self.now, binding.id(), is_alive);
    }

    fn contacts(&self, user: &str) -> Vec<String> {
        let bindings = self.registrar.bindings(&login(user)).iter();
        bindings
            .map(|binding| binding.contact.to_string())
            .collect()
    }
}

fn login(name: &str) -> User {
    User {
        realm: "voice.example".into(),
        name: name.into(),
    }
}

fn hop(address: &str) -> Hop {
    Hop::udp(address.parse().unwrap())
}

fn tcp(address: &str) -> Hop {
    Hop::new(Transport::Tcp, address.parse().unwrap())
}

fn register(user: &str, call_id: &str, cseq: u32, fields: &str) -> Request {
    parse_request(&format!(
        "REGISTER sip:voice.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.5;branch=z9hG4bK{cseq}\r\n\
         From: <sip:{user}@voice.example>;tag=1\r\nTo: <sip:{user}@voice.example>\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} REGISTER\r\n{fields}\r\n"
    ))
}

fn line(answer: &Answer) -> String {
    let fields = answer
        .fields
        .iter()
        .map(|(name, value)| format!(" {name}: {value}"));
    format!("{}{}", answer.status, fields.collect::<String>())
}

#[test]
fn times_are_granted() {
    let private = "<sip:gw1@192.168.1.5:5060>";
    for (fields, expected) in [
        ("Contact: @\r\n", "200 Contact: @;expires=600"),
        (
            "Contact: @\r\nExpires: 120\r\n",
            "200 Contact: @;expires=120",
        ),
        (
            "m: @;expires=90\r\nExpires: 120\r\n",
            "200 Contact: @;expires=90",
        ),
        (
            "Contact: @;q=0.1;expires=60\r\n",
            "200 Contact: @;expires=60",
        ),
        (
            "Contact: @;expires=4294967295\r\n",
            "200 Contact: @;expires=3600",
        ),
        // What cannot be read is an hour.
        (
            "Contact: @;expires=99999999999\r\n",
            "200 Contact: @;expires=3600",
        ),
        ("Contact: @;expires=soon\r\n", "200 Contact: @;expires=3600"),
        (
            "Contact: @\r\nExpires: Thu, 1 Jan\r\n",
            "200 Contact: @;expires=3600",
        ),
        ("Contact: @;expires=59\r\n", "423 Min-Expires: 60"),
        ("Contact: @\r\nExpires: 1\r\n", "423 Min-Expires: 60"),
        // Nothing is never too short, and nothing to remove is no fault.
        ("Contact: @;expires=0\r\n", "200"),
        ("Contact: *\r\nExpires: 0\r\n", "200"),
        ("Contact: *\r\nExpires: 1\r\n", "400"),
        ("Contact: *\r\n", "400"),
        ("Contact: *, @\r\nExpires: 0\r\n", "400"),
        ("Contact: <tel:+85512345678>\r\n", "400"),
        ("", "200"),
        (
            "Require: path, gruu\r\nContact: @\r\n",
            "420 Unsupported: gruu",
        ),
    ] {
        let mut desk = Desk::new();
        let answer = desk.register(&fields.replace('@', private));
        assert_eq!(line(&answer), expected.replace('@', private), "{fields}");
        assert_eq!(
            desk.registrar.len(),
            usize::from(expected.contains('@')),
            "{fields}"
        );
    }
}

#[test]
fn a_binding_is_where_its_register_came_from() {
    let mut desk = Desk::new();
    desk.binds("sip:gw1@192.168.1.5");
    let [binding] = desk.registrar.bindings(&login("gw1")) else {
        panic!("not one binding")
    };
    assert_eq!(binding.hop, hop(NAT));
    assert_eq!(binding.contact.to_string(), "sip:gw1@192.168.1.5");
    assert_eq!(binding.expires_at, desk.now + 600 * SECOND);
    assert!(desk.registrar.knows(hop(NAT)));
    assert!(!desk.registrar.knows(hop("192.168.1.5:5060")));
    assert!(
        !desk.registrar.knows(tcp(NAT)),
        "another transport is another way"
    );

    // The NAT gives it another port: the same contact, a new way.
    let answer = desk.register_as(
        "gw1",
        hop("203.0.113.9:40002"),
        9,
        "Contact: <sip:gw1@192.168.1.5;ob>\r\n",
    );
    assert_eq!(
        line(&answer),
        "200 Contact: <sip:gw1@192.168.1.5;ob>;expires=600"
    );
    assert_eq!(desk.registrar.len(), 1);
    assert!(!desk.registrar.knows(hop(NAT)));
    assert!(desk.registrar.knows(hop("203.0.113.9:40002")));
    assert_eq!(
        desk.told(),
        "added sip:gw1@192.168.1.5, refreshed sip:gw1@192.168.1.5;ob"
    );
}

#[test]
fn only_ones_own_address_of_record() {
    let mut desk = Desk::new();
    let forged = |of: &str| {
        let own = register("gw1", "c1", 1, "Contact: <sip:x@203.0.113.66>\r\n");
        let text = String::from_utf8(own.to_bytes()).unwrap();
        parse_request(&text.replace(&format!("{of}: <sip:gw1@"), &format!("{of}: <sip:victim@")))
    };
    for (request, user, expected) in [
        (forged("To"), "gw1", 403),
        (forged("From"), "gw1", 403),
        (forged("To"), "victim", 403),
        (register("gw1", "c1", 1, ""), "GW1", 403),
        (register("gw%31", "c1", 1, ""), "gw1", 200),
    ] {
        let answer = desk
            .registrar
            .register(desk.now, &request, hop(NAT), &login(user));
        assert_eq!(answer.status, expected, "{request:?}");
    }
    assert!(desk.registrar.is_empty());
}

#[test]
fn users_of_two_realms_are_two() {
    let mut desk = Desk::new();
    desk.binds("sip:a@h");
    let other = User {
        realm: "other.example".into(),
        ..login("gw1")
    };
    assert!(desk.registrar.bindings(&other).is_empty());
    let request = register("gw1", "c9", 1, "Contact: *\r\nExpires: 0\r\n");
    let answer = desk
        .registrar
        .register(desk.now, &request, hop(NAT), &other);
    assert_eq!((answer.status, desk.registrar.len()), (200, 1));
}

#[test]
fn what_was_overtaken_changes_nothing() {
    let contact = "Contact: <sip:gw1@192.168.1.5>\r\n";
    for (call_id, cseq, fields, status) in [
        ("c1", 6, contact, 200),
        ("c1", 5, contact, 500),
        ("c1", 4, contact, 500),
        ("c1", 4, "Contact: <sip:gw1@192.168.1.5>;expires=0\r\n", 500),
        ("c1", 4, "Contact: *\r\nExpires: 0\r\n", 500),
        (
            "c1",
            4,
            "Contact: <sip:gw1@192.168.1.5>, <sip:other@192.168.1.5>\r\n",
            500,
        ),
        // It asks, or is about another contact, or the gateway started anew.
        ("c1", 4, "", 200),
        ("c1", 4, "Contact: <sip:other@192.168.1.5>\r\n", 200),
        ("c2", 1, contact, 200),
    ] {
        let mut desk = Desk::new();
        desk.register_as("gw1", hop(NAT), 5, contact);
        let request = register("gw1", call_id, cseq, fields);
        let answer = desk
            .registrar
            .register(desk.now, &request, hop(NAT), &login("gw1"));
        assert_eq!(answer.status, status, "{call_id} {cseq} {fields}");
        if status == 500 {
            assert_eq!(
                desk.contacts("gw1"),
                ["sip:gw1@192.168.1.5"],
                "all or nothing"
            );
        }
    }
}

#[test]
fn several_contacts_come_and_go() {
    let mut desk = Desk::new();
    desk.register(
        "Contact: <sip:a@192.168.1.5>, <sip:b@192.168.1.5>;expires=60\r\nExpires: 300\r\n",
    );
    desk.advance(10 * SECOND);
    assert_eq!(
        line(&desk.register("")),
        "200 Contact: <sip:a@192.168.1.5>;expires=290 Contact: <sip:b@192.168.1.5>;expires=50"
    );
    // One is removed and one added by the same request; one that is named twice is one.
    let answer = desk.register(
        "Contact: <sip:a@192.168.1.5>;expires=0\r\nContact: <sip:c@192.168.1.5>;expires=70, <sip:c@192.168.1.5>\r\n",
    );
    assert_eq!(
        line(&answer),
        "200 Contact: <sip:b@192.168.1.5>;expires=50 Contact: <sip:c@192.168.1.5>;expires=600"
    );
    assert_eq!(line(&desk.register("Contact: *\r\nExpires: 0\r\n")), "200");
    assert_eq!(
        desk.told(),
        "added sip:a@192.168.1.5, added sip:b@192.168.1.5, removed sip:a@192.168.1.5, added sip:c@192.168.1.5, \
         removed sip:b@192.168.1.5, removed sip:c@192.168.1.5"
    );
    assert_eq!(desk.registrar.deadline(), None);
}

#[test]
fn who_was_heard_of_last_is_last() {
    let mut desk = Desk::new();
    for (user, expected) in [
        ("a", "a"),
        ("b", "a b"),
        ("c", "a b c"),
        ("a", "b c a"),
        ("c", "b a c"),
    ] {
        desk.binds(&format!("sip:{user}@h"));
        let contacts = desk.contacts("gw1").join(" ");
        assert_eq!(contacts.replace("sip:", "").replace("@h", ""), expected);
    }
}

#[test]
fn a_user_has_so_many_contacts() {
    let mut desk = Desk::new();
    for index in 0..5 {
        desk.binds(&format!("sip:{index}@192.168.1.5"));
    }
    assert_eq!(
        line(&desk.register("Contact: <sip:5@192.168.1.5>\r\n")),
        "503 Retry-After: 600"
    );
    // A known one is refreshed, and one may take another's place.
    desk.binds("sip:0@192.168.1.5");
    let answer = desk.register("Contact: <sip:0@192.168.1.5>;expires=0, <sip:5@192.168.1.5>\r\n");
    assert_eq!(answer.status, 200);
    assert_eq!(desk.registrar.len(), 5);
    let many: Vec<_> = (0..11)
        .map(|index| format!("<sip:{index}@h>;expires=0"))
        .collect();
    assert_eq!(
        line(&desk.register(&format!("Contact: {}\r\n", many.join(", ")))),
        "400"
    );
    let long = format!("Contact: <sip:{}@h>\r\n", "x".repeat(600));
    assert_eq!(line(&desk.register(&long)), "400");
}

#[test]
fn there_is_room_for_so_many_bindings() {
    let mut desk = Desk::with(Config {
        max_bindings: 2,
        ..Config::default()
    });
    for (user, expected) in [("a", 200), ("b", 200), ("c", 503), ("a", 200)] {
        desk.cseq += 1;
        let fields = format!("Contact: <sip:{user}@192.168.1.5>\r\n");
        let answer = desk.register_as(user, hop(NAT), desk.cseq, &fields);
        assert_eq!(answer.status, expected, "{user}");
    }
    desk.advance(600 * SECOND);
    assert!(desk.registrar.is_empty());
    let answer = desk.register_as("c", hop(NAT), 1, "Contact: <sip:c@192.168.1.5>\r\n");
    assert_eq!(answer.status, 200);
}

#[test]
fn what_is_not_refreshed_expires() {
    let mut desk = Desk::new();
    desk.register_as("gw1", tcp(NAT), 1, "Contact: <sip:a@h>;expires=60\r\n");
    desk.register_as("gw1", tcp(NAT), 2, "Contact: <sip:b@h>;expires=100\r\n");
    assert_eq!(desk.told(), "added sip:a@h, added sip:b@h");
    desk.advance(59 * SECOND);
    desk.register_as("gw1", tcp(NAT), 3, "Contact: <sip:b@h>;expires=100\r\n");
    assert_eq!(desk.told(), "refreshed sip:b@h");
    desk.advance(SECOND);
    assert_eq!(desk.told(), "expired sip:a@h");
    assert_eq!(desk.registrar.deadline(), Some(desk.now + 99 * SECOND));
    desk.advance(99 * SECOND);
    assert_eq!(desk.told(), "expired sip:b@h");
    assert!(desk.registrar.is_empty() && !desk.registrar.knows(tcp(NAT)));
    assert_eq!(desk.registrar.deadline(), None);
}

#[test]
fn paths_are_kept_for_who_knows_of_them() {
    let proxies = "Path: <sip:p2.example;lr>, <sip:p1.example;lr>\r\nPath: <sip:p0.example;lr>\r\n";
    let mut desk = Desk::new();
    let contact = "Contact: <sip:a@h>\r\n";
    let answer = desk.register(&format!("{contact}{proxies}k: outbound, PATH\r\n"));
    assert_eq!(
        line(&answer),
        "200 Contact: <sip:a@h>;expires=600 Path: <sip:p2.example;lr> Path: <sip:p1.example;lr> Path: <sip:p0.example;lr>"
    );
    let path = &desk.registrar.bindings(&login("gw1"))[0].path;
    assert_eq!(
        path[..],
        [
            "<sip:p2.example;lr>",
            "<sip:p1.example;lr>",
            "<sip:p0.example;lr>"
        ]
    );

    let answer = desk.register(&format!("{contact}{proxies}"));
    assert_eq!(line(&answer), "200 Contact: <sip:a@h>;expires=600");
    assert!(desk.registrar.bindings(&login("gw1"))[0].path.is_empty());
    let broken = desk.register(&format!("{contact}Path: <sip:>\r\nSupported: path\r\n"));
    assert_eq!(broken.status, 400);
}

#[test]
fn a_connections_end_ends_its_bindings() {
    let mut desk = Desk::new();
    desk.register_as("gw1", tcp(NAT), 1, "Contact: <sip:a@h>, <sip:b@h>\r\n");
    desk.register_as("gw2", tcp(NAT), 1, "Contact: <sip:c@h>\r\n");
    desk.register_as("gw3", hop(NAT), 1, "Contact: <sip:d@h>\r\n");
    desk.told();
    desk.registrar.lost(tcp("203.0.113.9:40002"));
    assert_eq!(desk.told(), "");
    desk.registrar.lost(tcp(NAT));
    assert_eq!(desk.told(), "lost sip:a@h, lost sip:b@h, lost sip:c@h");
    // A datagram that could not be delivered says nothing of the next one.
    desk.registrar.lost(hop(NAT));
    assert_eq!((desk.told().as_str(), desk.registrar.len()), ("", 1));
}

#[test]
fn who_may_not_log_in_any_more_is_gone() {
    let mut desk = Desk::new();
    for user in ["a", "b", "c"] {
        desk.register_as(user, hop(NAT), 1, &format!("Contact: <sip:{user}@h>\r\n"));
    }
    desk.told();
    desk.registrar.retain(|user| &*user.name != "b");
    assert_eq!(
        (desk.told().as_str(), desk.registrar.len()),
        ("removed sip:b@h", 2)
    );
}

#[test]
fn who_is_behind_a_nat_is_asked() {
    let mut desk = Desk::new();
    desk.register_as("gw2", tcp(NAT), 1, "Contact: <sip:tcp@h>\r\n");
    desk.binds("sip:udp@h");
    desk.told();
    desk.advance(25 * SECOND - Duration::from_millis(1));
    assert_eq!(desk.told(), "");
    desk.advance(Duration::from_millis(1));
    desk.hear(true);
    // The next question waits for the answer to this one.
    desk.advance(25 * SECOND);
    let asked = desk.questions();
    desk.advance(32 * SECOND);
    assert_eq!(desk.told(), "");
    let [Question { user, binding }] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(*user, login("gw1"));
    desk.registrar.heard(desk.now, binding.id(), true);
    desk.advance(25 * SECOND);
    assert_eq!(desk.told(), "ask sip:udp@h");
}

#[test]
fn silence_ends_only_who_ever_spoke() {
    for (answers, ends) in [
        ("......", false),
        ("!..", false),
        ("!...", true),
        ("!..!..", false),
        ("..!...", true),
    ] {
        let mut desk = Desk::new();
        desk.register("Contact: <sip:a@h>;expires=3600\r\n");
        desk.told();
        for answer in answers.chars() {
            desk.advance(25 * SECOND);
            desk.hear(answer == '!');
        }
        let expected = if ends { "lost sip:a@h" } else { "" };
        assert_eq!(desk.told(), expected, "{answers}");
        assert_eq!(desk.registrar.is_empty(), ends, "{answers}");
    }
}

#[test]
fn a_refresh_is_a_sign_of_life() {
    let mut desk = Desk::new();
    desk.binds("sip:a@h");
    desk.told();
    for answer in [true, false, false] {
        desk.advance(25 * SECOND);
        desk.hear(answer);
    }
    desk.binds("sip:a@h");
    desk.told();
    for is_last in [false, false, true] {
        assert_eq!(desk.registrar.len(), 1);
        desk.advance(25 * SECOND);
        desk.hear(false);
        assert_eq!(desk.registrar.is_empty(), is_last);
    }
    assert_eq!(desk.told(), "lost sip:a@h");
    // An answer that comes after the end is nobody's.
    desk.registrar.heard(desk.now, BindingId(1), true);
    assert!(desk.registrar.is_empty());
}
