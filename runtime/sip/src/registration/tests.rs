use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::digest::Credentials;
use crate::testing::{origin, parse_response};
use crate::{Contacts, Transport};

const SECOND: Duration = Duration::from_secs(1);
const US: &str = "sip:us%23@10.0.0.1:5060";

/// A registration under a simulated clock, and the provider's side.
struct Trunk {
    registration: Registration,
    now: Instant,
    /// The request that is out.
    asked: Option<Ask>,
}

impl Trunk {
    fn new(targets: &[Hop]) -> Self {
        let config = Config {
            registrar: "sip:provider.example".to_owned(),
            address_of_record: "sip:us@provider.example".to_owned(),
            contact_user: "us#".to_owned(),
            contacts: Contacts::new("10.0.0.1:5060".parse().unwrap()),
            credentials: Some(Arc::new(Credentials::new("us", "secret", None).unwrap())),
            expires: 600 * SECOND,
        };
        let mut trunk = Self {
            registration: Registration::new(config, targets.to_vec(), [1; 32]),
            now: origin(),
            asked: None,
        };
        trunk.look();
        trunk
    }

    /// One that is registered for ten minutes.
    fn registered(targets: &[Hop]) -> Self {
        let mut trunk = Self::new(targets);
        trunk.answer(200, "");
        trunk
    }

    fn look(&mut self) {
        if let Some(ask) = self.registration.poll() {
            assert!(self.asked.replace(ask).is_none(), "one at a time");
            assert_eq!(self.registration.poll(), None);
        }
    }

    fn feed(&mut self, input: Input) {
        self.registration.handle(self.now, input);
        self.look();
    }

    fn outcome(&mut self, outcome: Outcome) -> Ask {
        let ask = self.asked.take().expect("a request is out");
        self.feed(Input::Answered(outcome));
        ask
    }

    /// Answers the request that is out; gives it.
    fn answer(&mut self, status: u16, fields: &str) -> Ask {
        let cseq = self.asked.as_ref().expect("a request is out").cseq;
        self.answer_to(cseq, status, fields)
    }

    fn answer_to(&mut self, cseq: u32, status: u16, fields: &str) -> Ask {
        self.outcome(Outcome::Response(Box::new(parse_response(&format!(
            "SIP/2.0 {status} Words\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:us@provider.example>;tag=1\r\n\
             To: <sip:us@provider.example>;tag=2\r\nCall-ID: x\r\nCSeq: {cseq} REGISTER\r\n{fields}\r\n"
        )))))
    }

    fn advance(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self.registration.deadline().filter(|at| *at <= until) {
            self.now = deadline;
            self.feed(Input::Timeout);
            assert!(
                self.registration.deadline() != Some(deadline),
                "no standstill"
            );
        }
        self.now = until;
    }

    /// Waits until there is a request; tells how long that took.
    fn wait(&mut self) -> Duration {
        let (start, at) = (self.now, self.registration.deadline());
        assert!(self.asked.is_none(), "a request is out already");
        self.advance(at.expect("something is awaited") - start);
        assert!(self.asked.is_some(), "the pause ends with a request");
        self.now - start
    }

    fn target(&self) -> Hop {
        self.asked.as_ref().expect("a request is out").targets[0]
    }

    /// The state in words; times in seconds from now.
    fn state(&self) -> String {
        let seconds = |at: Instant| at.saturating_duration_since(self.now).as_secs();
        match self.registration.state() {
            State::Registering => "registering".to_owned(),
            State::Registered { until } => format!("registered {}", seconds(until)),
            State::Failing {
                failure,
                registered_until,
            } => {
                let status = failure
                    .status
                    .map(|status| format!("{status} "))
                    .unwrap_or_default();
                let left = registered_until.map(|until| format!(" {}", seconds(until)));
                format!(
                    "failing {status}{}{}",
                    failure.reason,
                    left.unwrap_or_default()
                )
            }
            State::Unregistering => "unregistering".to_owned(),
            State::Stopped => "stopped".to_owned(),
        }
    }
}

fn udp(last: u8) -> Hop {
    Hop::udp(([192, 0, 2, last], 5060).into())
}

fn tcp(last: u8) -> Hop {
    Hop::new(Transport::Tcp, udp(last).address)
}

fn contact(ask: &Ask) -> &str {
    let field = ask.headers.iter().find(|(name, _)| name == "Contact");
    &field.expect("a REGISTER has a contact").1
}

#[test]
fn a_register_says_who_is_where() {
    let mut trunk = Trunk::new(&[udp(1)]);
    assert_eq!(
        (trunk.state().as_str(), trunk.target()),
        ("registering", udp(1))
    );
    let ask = trunk.answer(200, &format!("Contact: <{US}>;expires=600\r\n"));
    assert_eq!(ask.method, Method::Register);
    assert_eq!(ask.request_uri, "sip:provider.example");
    assert_eq!(
        (ask.from.as_str(), ask.to.as_str()),
        ("sip:us@provider.example", "sip:us@provider.example")
    );
    assert_eq!(ask.credentials, trunk.registration.config.credentials);
    assert_eq!(ask.advertised, Some("10.0.0.1:5060".parse().unwrap()));
    assert_eq!(
        ask.headers,
        [
            ("Contact".to_owned(), format!("<{US}>;expires=600")),
            ("Expires".to_owned(), "600".to_owned())
        ]
    );
    assert_eq!(trunk.state(), "registered 600");
}

#[test]
fn it_is_refreshed_after_four_fifths_of_what_was_granted() {
    for (granted, seconds) in [
        (600, 480.0),
        (3600, 2880.0),
        (61, 48.8),
        (10, 8.0),
        (3, 5.0),
    ] {
        let mut trunk = Trunk::new(&[udp(1)]);
        trunk.answer(200, &format!("Contact: <{US}>;expires={granted}\r\n"));
        assert_eq!(trunk.state(), format!("registered {granted}"));
        assert_eq!(trunk.wait(), Duration::from_secs_f64(seconds), "{granted}");
    }
}

#[test]
fn numbers_grow_within_one_call_id() {
    let mut trunk = Trunk::new(&[udp(1)]);
    // The answer to a challenge took the next number.
    let first = trunk.answer_to(2, 200, "");
    trunk.wait();
    let second = trunk.outcome(Outcome::Timeout);
    trunk.wait();
    let third = trunk.answer(200, "");
    assert_eq!((first.cseq, second.cseq), (1, 3));
    assert!(
        third.cseq > second.cseq + 2,
        "the lost one may have answered challenges"
    );
    assert!(first.call_id.is_some());
    assert_eq!(first.call_id, second.call_id);
    assert_eq!(first.call_id, third.call_id);
}

#[test]
fn what_was_too_short_is_asked_for_longer() {
    let mut trunk = Trunk::new(&[udp(1)]);
    trunk.answer(423, "Min-Expires: 1800\r\n");
    let longer = trunk.answer(200, "");
    assert_eq!(contact(&longer), format!("<{US}>;expires=1800"));
    assert_eq!(trunk.state(), "registered 1800");
    trunk.wait();
    assert_eq!(
        contact(&trunk.answer(200, "")),
        contact(&longer),
        "it is remembered"
    );
    // Once in a row; and never for a shorter time, or none told.
    trunk.wait();
    trunk.answer(423, "Min-Expires: 3600\r\n");
    trunk.answer(423, "Min-Expires: 7200\r\n");
    assert_eq!(trunk.state(), "failing 423 Words 360");
    for fields in ["Min-Expires: 600\r\n", "Min-Expires: x\r\n", ""] {
        let mut trunk = Trunk::new(&[udp(1)]);
        trunk.answer(423, fields);
        assert_eq!(
            (trunk.state().as_str(), trunk.asked),
            ("failing 423 Words", None),
            "{fields}"
        );
    }
}

#[test]
fn a_no_is_asked_for_again_slowly() {
    for status in [301, 400, 401, 403, 404, 407, 600, 604] {
        let mut trunk = Trunk::new(&[udp(1), udp(2)]);
        let mut waits = Vec::new();
        for _ in 0..6 {
            trunk.answer(status, "");
            assert_eq!(trunk.state(), format!("failing {status} Words"));
            waits.push(trunk.wait());
            assert_eq!(trunk.target(), udp(1), "another address would say the same");
        }
        let least = [150, 300, 600, 900, 900, 900].map(Duration::from_secs);
        let in_range = |(wait, least): (&Duration, Duration)| (least..2 * least).contains(wait);
        assert!(waits.iter().zip(least).all(in_range), "{status} {waits:?}");
        trunk.answer(200, "");
        assert_eq!(trunk.state(), "registered 600");
    }
}

#[test]
fn the_next_target_is_tried_at_once_and_then_all_again_later() {
    let mut trunk = Trunk::new(&[udp(1), udp(2), tcp(3)]);
    let mut waits = Vec::new();
    for _ in 0..8 {
        assert_eq!(trunk.target(), udp(1));
        trunk.outcome(Outcome::Timeout);
        assert_eq!(trunk.target(), udp(2));
        trunk.answer(500, "");
        assert_eq!(trunk.target(), tcp(3));
        trunk.outcome(Outcome::Unreachable);
        assert_eq!(trunk.state(), "failing no connection");
        waits.push(trunk.wait());
    }
    let least = [30, 60, 120, 240, 480, 900, 900, 900].map(Duration::from_secs);
    let in_range = |(wait, least): (&Duration, Duration)| (least..2 * least).contains(wait);
    assert!(waits.iter().zip(least).all(in_range), "{waits:?}");
}

#[test]
fn what_worked_last_is_tried_first() {
    let mut trunk = Trunk::new(&[udp(1), udp(2)]);
    trunk.answer(503, "");
    assert_eq!(trunk.target(), udp(2));
    trunk.answer(200, "");
    trunk.wait();
    assert_eq!(trunk.target(), udp(2));
    trunk.outcome(Outcome::Timeout);
    assert_eq!(trunk.target(), udp(1));
    assert_eq!(trunk.state(), "registered 120", "that one may still work");
    trunk.outcome(Outcome::Timeout);
    assert_eq!(trunk.state(), "failing no response 120");
    // The name has other addresses now: those are tried, though none of them worked before.
    trunk.feed(Input::Targets(vec![udp(7), udp(8)]));
    assert_eq!(trunk.asked, None, "a new address is no reason to hurry");
    trunk.wait();
    assert_eq!(trunk.target(), udp(7));
}

#[test]
fn the_provider_says_when() {
    for (status, fields, least, most) in [
        (503, "Retry-After: 300\r\n", 300, 300),
        (503, "Retry-After: 1\r\n", 30, 60),
        (503, "Retry-After: 4000000000\r\n", 3600, 3600),
        (404, "Retry-After: 900 (maintenance)\r\n", 900, 900),
    ] {
        let mut trunk = Trunk::new(&[udp(1)]);
        trunk.answer(status, fields);
        let wait = trunk.wait().as_secs_f64();
        assert!(
            (f64::from(least)..=f64::from(most)).contains(&wait),
            "{fields} {wait}"
        );
    }
}

#[test]
fn without_an_address_it_waits_for_one() {
    let mut trunk = Trunk::new(&[]);
    assert_eq!(trunk.state(), "failing the registrar has no address");
    assert_eq!((trunk.registration.deadline(), &trunk.asked), (None, &None));
    trunk.feed(Input::Targets(vec![udp(1)]));
    assert_eq!(trunk.target(), udp(1));
    trunk.answer(200, "");
    assert_eq!(trunk.state(), "registered 600");
    // A name that cannot be found now was found before.
    trunk.feed(Input::Targets(Vec::new()));
    assert_eq!(trunk.wait(), 480 * SECOND);
    assert_eq!(trunk.target(), udp(1));
}

#[test]
fn a_lost_connection_is_made_anew_at_once() {
    let mut trunk = Trunk::registered(&[tcp(1), tcp(2)]);
    trunk.feed(Input::Lost(tcp(2)));
    assert_eq!(trunk.asked, None, "somebody else's");
    trunk.feed(Input::Lost(tcp(1)));
    assert_eq!(
        (trunk.state().as_str(), trunk.target()),
        ("registering", tcp(1))
    );
    trunk.answer(200, "");
    // One that breaks again and again is not.
    trunk.advance(SECOND);
    trunk.feed(Input::Lost(tcp(1)));
    assert_eq!(
        (trunk.state().as_str(), &trunk.asked),
        ("failing the connection breaks", &None)
    );
    assert!(trunk.wait() >= 30 * SECOND);
    trunk.answer(200, "");
    trunk.advance(120 * SECOND);
    trunk.feed(Input::Lost(tcp(1)));
    assert_eq!(trunk.target(), tcp(1));
}

#[test]
fn a_connection_found_broken_by_the_refresh_is_made_anew_at_once() {
    let mut trunk = Trunk::registered(&[tcp(1)]);
    trunk.wait();
    trunk.outcome(Outcome::Unreachable);
    assert_eq!(trunk.target(), tcp(1));
    trunk.outcome(Outcome::Unreachable);
    assert_eq!(
        (trunk.state().as_str(), &trunk.asked),
        ("failing no connection", &None)
    );
    let wait = trunk.wait();
    assert!((30 * SECOND..60 * SECOND).contains(&wait), "{wait:?}");
}

#[test]
fn datagrams_have_no_connection_to_lose() {
    let mut trunk = Trunk::registered(&[udp(1)]);
    trunk.feed(Input::Lost(udp(1)));
    assert_eq!(
        (trunk.state().as_str(), trunk.asked),
        ("registered 600", None)
    );
}

#[test]
fn it_is_taken_back_at_the_end() {
    let mut trunk = Trunk::registered(&[udp(1), udp(2)]);
    trunk.feed(Input::Stop);
    trunk.feed(Input::Stop);
    assert_eq!(
        (trunk.state().as_str(), trunk.target()),
        ("unregistering", udp(1))
    );
    let ask = trunk.outcome(Outcome::Timeout);
    assert_eq!(contact(&ask), format!("<{US}>;expires=0"));
    assert_eq!(ask.headers[1].1, "0");
    assert_eq!((trunk.state().as_str(), trunk.asked), ("stopped", None));
    assert_eq!(trunk.registration.deadline(), None);
}

#[test]
fn an_end_waits_for_what_is_out() {
    // While the first REGISTER is out: is there something to take back?
    for (status, expected) in [(200, "unregistering"), (403, "stopped"), (500, "stopped")] {
        let mut trunk = Trunk::new(&[udp(1), udp(2)]);
        trunk.feed(Input::Stop);
        assert_eq!(trunk.state(), "unregistering");
        trunk.answer(status, "");
        assert_eq!(trunk.state(), expected, "{status}");
        assert_eq!(
            trunk.asked.is_some(),
            expected == "unregistering",
            "{status}"
        );
    }
    // The refresh fails, but the provider knows us still.
    let mut trunk = Trunk::registered(&[udp(1)]);
    trunk.wait();
    trunk.feed(Input::Stop);
    trunk.outcome(Outcome::Timeout);
    assert_eq!(contact(&trunk.answer(200, "")), format!("<{US}>;expires=0"));
    assert_eq!(trunk.state(), "stopped");
    // It has forgotten us long ago.
    let mut trunk = Trunk::registered(&[udp(1)]);
    trunk.wait();
    trunk.answer(403, "");
    trunk.advance(121 * SECOND);
    trunk.feed(Input::Stop);
    assert_eq!((trunk.state().as_str(), trunk.asked), ("stopped", None));
}

#[test]
fn old_contacts_of_ours_are_taken_back() {
    let over_tcp = "sip:us%23@10.0.0.1:5061;transport=tcp";
    // The way changes, and with it our contact. The provider lists the old one too, and somebody else's.
    let other = "<sip:us%23@10.9.9.9>;expires=100";
    for (listed, is_taken_back) in [
        (
            format!("<{over_tcp}>;expires=600, <{US}>;expires=100, {other}"),
            true,
        ),
        (format!("<{over_tcp}>;expires=600, {other}"), false),
    ] {
        let mut trunk = Trunk::registered(&[udp(1), tcp(1)]);
        let address = "10.0.0.1:5061".parse().unwrap();
        trunk.registration.config.contacts = trunk
            .registration
            .config
            .contacts
            .with(Transport::Tcp, address);
        trunk.wait();
        trunk.outcome(Outcome::Timeout);
        let ask = trunk.answer(200, &format!("Contact: {listed}\r\n"));
        assert_eq!(contact(&ask), format!("<{over_tcp}>;expires=600"));
        assert_eq!(trunk.asked.is_some(), is_taken_back);
        if is_taken_back {
            assert_eq!(trunk.target(), tcp(1));
            assert_eq!(contact(&trunk.answer(500, "")), format!("<{US}>;expires=0"));
        }
        assert_eq!(
            (trunk.state().as_str(), &trunk.asked),
            ("registered 600", &None)
        );
        assert_eq!(trunk.wait(), 480 * SECOND);
    }
}

#[test]
fn a_yes_for_no_time_is_a_no() {
    let mut trunk = Trunk::new(&[udp(1)]);
    trunk.answer(200, &format!("Contact: <{US}>;expires=0\r\n"));
    assert_eq!(trunk.state(), "failing 200 granted no time");
    assert!(trunk.wait() >= 150 * SECOND);
}

#[test]
fn routes_and_names_are_those_of_the_last_yes() {
    let mut trunk = Trunk::new(&[udp(1)]);
    trunk.answer(
        200,
        "Service-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\nP-Associated-URI: <sip:us@provider.example>\r\n\
         P-Associated-URI: <tel:+85512345678>\r\n",
    );
    assert_eq!(
        trunk.registration.service_route(),
        ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]
    );
    assert_eq!(
        trunk.registration.associated_uris(),
        ["<sip:us@provider.example>", "<tel:+85512345678>"]
    );
    trunk.wait();
    trunk.answer(200, "");
    assert!(trunk.registration.service_route().is_empty());
}

#[test]
fn the_seed_decides_when() {
    let waits = |seed: u8| {
        let config = Trunk::new(&[]).registration.config;
        let mut registration = Registration::new(config, vec![udp(1)], [seed; 32]);
        let now = origin();
        registration.handle(now, Input::Answered(Outcome::Timeout));
        registration.deadline().unwrap() - now
    };
    assert_eq!(waits(1), waits(1));
    let mut all: Vec<_> = (0..20).map(waits).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 20);
}
