//! Gateways that register: REGISTER with a proof, signs of life, and what else they may ask (RFC 3261 §10.3).

use std::time::Duration;

use jackfield_sip::digest::{Challenge, User, Users};
use jackfield_sip::registrar::Binding;
use jackfield_sip::{
    Command, Config, DialogId, Hop, Input, InviteTarget, OutgoingInvite, PeerRules, Transport,
};

use crate::host::{
    Ask, Host, INVITE, Reply, SDP, US, kind, origin, outgoing, parse_request, parse_response, udp,
};

const SECOND: Duration = Duration::from_secs(1);

/// Where the gateway's NAT speaks from.
const NAT: &str = "203.0.113.5:40000";

/// What it calls itself.
const CONTACT: &str = "sip:gw@192.168.1.9:5060";

/// A host whose users are `gw` and `other`; nobody outside 10.0.0.0/8 is its peer.
fn host() -> Host {
    host_with(Config::new(US.parse().unwrap()))
}

fn host_with(config: Config) -> Host {
    let mut host = Host::with(config, 1, origin());
    host.endpoint.set_users(users(&["gw", "other"]));
    host
}

fn users(names: &[&str]) -> Users {
    let mut users = Users::new("sip.example").unwrap();
    for name in names {
        let rules = PeerRules::default();
        users.add("sip.example", name, "secret", rules).unwrap();
    }
    users
}

fn gw() -> User {
    User {
        realm: "sip.example".into(),
        name: "gw".into(),
    }
}

/// A gateway, its numbers and what it has of a challenge.
struct Gateway {
    hop: Hop,
    cseq: u32,
    /// What it writes in place of what: that of a forger.
    edit: (&'static str, &'static str),
}

impl Gateway {
    fn new() -> Self {
        Self::at(udp(NAT))
    }

    fn at(hop: Hop) -> Self {
        Self {
            hop,
            cseq: 0,
            edit: ("", ""),
        }
    }

    fn register_text(&mut self, fields: &str) -> String {
        self.cseq += 1;
        let (cseq, via) = (self.cseq, self.hop.transport.name());
        let text = format!(
            "REGISTER sip:sip.example SIP/2.0\r\nVia: SIP/2.0/{via} 192.168.1.9:5060;rport;branch=z9hG4bKr{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:gw@sip.example>;tag=g1\r\nTo: <sip:gw@sip.example>\r\nCall-ID: registration\r\n\
             CSeq: {cseq} REGISTER\r\n{fields}Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY\r\n\
             User-Agent: Gateway 1.0 (32 ports)\r\nContent-Length: 0\r\n\r\n"
        );
        text.replace(self.edit.0, self.edit.1)
    }

    /// Sends a REGISTER, answers the challenge it gets, and gives both: the request with the proof and its answer.
    fn register(&mut self, host: &mut Host, fields: &str) -> (String, String) {
        let text = self.register_text(fields);
        host.receive_over(self.hop, text);
        let proof = authorization(&host.sent_text());
        let text = self.register_text(&format!("{proof}{fields}"));
        host.receive_over(self.hop, &text);
        (text, host.sent_text())
    }

    /// Registers its contact for ten minutes.
    fn binds(&mut self, host: &mut Host) {
        let (_, answer) = self.register(host, &format!("Contact: <{CONTACT}>\r\n"));
        assert_eq!(parse_response(&answer).status(), 200, "{answer}");
        assert_eq!(host.bound(), format!("added {CONTACT}"));
    }
}

/// The field that answers a 401 to a REGISTER.
fn authorization(answer: &str) -> String {
    let response = parse_response(answer);
    assert_eq!(response.status(), 401, "{answer}");
    let field = response.header("WWW-Authenticate").unwrap();
    let challenge = Challenge::read(field.as_bytes()).next().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (realm, nonce) = (text(&challenge.realm), text(&challenge.nonce));
    let algorithm = challenge.algorithm();
    let hash = |text: &str| algorithm.hash.hex(&[text.as_bytes()]);
    let (ha1, ha2) = (
        hash(&format!("gw:{realm}:secret")),
        hash("REGISTER:sip:sip.example"),
    );
    let proof = hash(&format!("{ha1}:{nonce}:00000001:c:auth:{ha2}"));
    format!(
        "Authorization: Digest username=\"gw\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"sip:sip.example\", \
         response=\"{proof}\", algorithm={}, cnonce=\"c\", qop=auth, nc=00000001\r\n",
        algorithm.name()
    )
}

fn binding(host: &Host) -> Binding {
    let [binding] = host.endpoint.bindings(&gw()) else {
        panic!("not one binding")
    };
    binding.clone()
}

fn status(text: &str) -> u16 {
    parse_response(text).status()
}

#[test]
fn a_gateway_registers_from_behind_its_nat() {
    let mut host = host();
    let mut gateway = Gateway::new();
    let (request, answer) = gateway.register(
        &mut host,
        &format!("Contact: <{CONTACT}>\r\nExpires: 300\r\n"),
    );
    assert_eq!(status(&answer), 200);
    assert!(
        answer.contains(&format!("Contact: <{CONTACT}>;expires=300\r\n")),
        "{answer}"
    );
    assert!(
        answer.contains(";received=203.0.113.5;rport=40000;"),
        "{answer}"
    );
    assert_eq!(host.bound(), format!("added {CONTACT}"));
    let bound = binding(&host);
    assert_eq!(
        (bound.hop, bound.contact.to_string().as_str()),
        (udp(NAT), CONTACT)
    );
    assert_eq!(bound.expires_at, host.now + 300 * SECOND);
    // A copy gets the same answer and changes nothing; what is not proved leaves nothing.
    host.advance(SECOND);
    host.receive_from(NAT, &request);
    assert_eq!(host.sent_text(), answer);
    let unproved = gateway.register_text("Contact: *\r\nExpires: 0\r\n");
    host.receive_from(NAT, unproved);
    assert_eq!((host.sent().as_str(), host.bound().as_str()), ("401", ""));
    assert_eq!(host.endpoint.registrations(), 1);
    // It says good-bye.
    let (_, answer) = gateway.register(&mut host, "Contact: *\r\nExpires: 0\r\n");
    assert!(
        status(&answer) == 200 && !answer.contains("Contact:"),
        "{answer}"
    );
    assert_eq!(host.bound(), format!("removed {CONTACT}"));
    assert_eq!(host.endpoint.registrations(), 0);
    host.expect_idle();
}

#[test]
fn what_a_user_may_not() {
    let contact = format!("Contact: <{CONTACT}>\r\n");
    for (edit, fields, expected, field) in [
        (
            ("To: <sip:gw@", "To: <sip:other@"),
            contact.as_str(),
            403,
            "",
        ),
        (("From: <sip:gw@", "From: <sip:other@"), &contact, 403, ""),
        (
            ("", ""),
            "Contact: <sip:gw@h>;expires=9\r\n",
            423,
            "Min-Expires: 60\r\n",
        ),
        (("", ""), "Contact: *\r\n", 400, ""),
        (("", ""), "Require: gruu\r\n", 420, "Unsupported: gruu\r\n"),
    ] {
        let mut host = host();
        let mut gateway = Gateway::new();
        gateway.edit = edit;
        let (_, answer) = gateway.register(&mut host, fields);
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(answer.contains(field), "{answer}");
        assert_eq!(
            (host.endpoint.registrations(), host.bound().as_str()),
            (0, "")
        );
        host.expect_idle();
    }
}

#[test]
fn an_address_is_no_proof() {
    let mut host = host();
    let mut gateway = Gateway::at(udp("10.0.0.2:5060"));
    host.receive_over(
        gateway.hop,
        gateway.register_text(&format!("Contact: <{CONTACT}>\r\n")),
    );
    assert_eq!(host.sent(), "401");
    gateway.binds(&mut host);
    // Where there are no users, there is nobody to be.
    let mut host = Host::new();
    host.receive_over(gateway.hop, gateway.register_text(""));
    assert_eq!(host.sent(), "405");
    let mut gateway = Gateway::new();
    host.receive_over(gateway.hop, gateway.register_text(""));
    assert_eq!(host.sent(), "403");
}

#[test]
fn a_registration_expires() {
    let mut host = host();
    Gateway::at(tcp()).binds(&mut host);
    host.advance(600 * SECOND - Duration::from_millis(1));
    assert_eq!(host.bound(), "");
    host.advance(Duration::from_millis(1));
    assert_eq!(host.bound(), format!("expired {CONTACT}"));
    assert!(host.endpoint.bindings(&gw()).is_empty());
    assert_eq!(host.sent(), "", "nobody is asked over a connection");
    host.expect_idle();
}

fn tcp() -> Hop {
    Hop::new(Transport::Tcp, NAT.parse().unwrap())
}

#[test]
fn a_connection_that_is_gone_takes_its_registrations_along() {
    for gone in [
        Input::Unreachable { to: tcp() },
        Input::Closed { hop: tcp() },
    ] {
        let mut host = host();
        Gateway::at(tcp()).binds(&mut host);
        host.feed(Input::Unreachable { to: udp(NAT) });
        host.feed(Input::Closed { hop: udp(NAT) });
        assert_eq!(host.bound(), "");
        host.feed(gone);
        assert_eq!(host.bound(), format!("lost {CONTACT}"));
        host.expect_idle();
    }
}

#[test]
fn a_gateway_is_asked_for_signs_of_life() {
    let mut host = host();
    Gateway::new().binds(&mut host);
    host.advance(25 * SECOND);
    let (to, bytes) = host.transmitted().remove(0);
    let options = parse_request(&bytes);
    assert_eq!((to, kind(&bytes).as_str()), (udp(NAT), "OPTIONS"));
    assert_eq!(options.request_uri().to_string(), CONTACT);
    assert_eq!(options.to().uri().to_string(), CONTACT);
    assert_eq!(options.from().uri().to_string(), format!("sip:{US}"));
    assert_eq!(options.header("Max-Forwards").as_deref(), Some("70"));
    // Whatever it says, it is there.
    host.receive_from(NAT, Reply::new(404, "x").to(&options));
    host.advance(25 * SECOND);
    let again = parse_request(&host.sent_text().into());
    assert_ne!(again.via().branch(), options.via().branch());
    assert_ne!(again.call_id(), options.call_id());
    host.receive_from(NAT, Reply::new(100, "").to(&again));
    // Now it says nothing: thrice 32 s of trying, with pauses between.
    host.advance((32 + 25 + 32 + 25 + 32) * SECOND - Duration::from_millis(1));
    assert_eq!(host.bound(), "");
    host.advance(Duration::from_millis(1));
    assert_eq!(host.bound(), format!("lost {CONTACT}"));
    host.transmitted();
    host.expect_idle();
    assert_eq!(host.sent(), "");
}

#[test]
fn a_gateway_that_never_answers_stays_until_it_expires() {
    let mut host = host();
    Gateway::new().binds(&mut host);
    host.advance(599 * SECOND);
    let asked: std::collections::HashSet<_> = host
        .transmitted()
        .iter()
        .map(|(_, bytes)| parse_request(bytes).call_id().into_owned())
        .collect();
    assert_eq!(
        asked.len(),
        11,
        "every 57 s: 32 of waiting and a pause of 25"
    );
    assert_eq!(host.bound(), "");
    host.advance(SECOND);
    assert_eq!(host.bound(), format!("expired {CONTACT}"));
    host.expect_idle();
}

#[test]
fn the_question_goes_by_the_path() {
    let mut host = host();
    let fields = format!(
        "Contact: <{CONTACT}>\r\nPath: <sip:p2.example;lr>, <sip:p1.example;lr>\r\nSupported: path\r\n"
    );
    let (_, answer) = Gateway::new().register(&mut host, &fields);
    assert!(
        answer.contains("Path: <sip:p2.example;lr>\r\nPath: <sip:p1.example;lr>\r\n"),
        "{answer}"
    );
    assert_eq!(
        binding(&host).path,
        ["<sip:p2.example;lr>", "<sip:p1.example;lr>"]
    );
    host.advance(25 * SECOND);
    let options = host.sent_text();
    assert!(
        options.contains("Route: <sip:p2.example;lr>\r\nRoute: <sip:p1.example;lr>\r\n"),
        "{options}"
    );
}

#[test]
fn a_gateway_hears_where_its_rules_say_we_are() {
    let mut users = Users::new("sip.example").unwrap();
    let rules = PeerRules {
        advertised: Some("198.51.100.1:5060".parse().unwrap()),
        ..PeerRules::default()
    };
    users.add("sip.example", "gw", "secret", rules).unwrap();
    let mut host = Host::new();
    host.endpoint.set_users(users);
    Gateway::new().binds(&mut host);
    host.advance(25 * SECOND);
    let options = host.sent_text();
    assert!(
        options.contains("Via: SIP/2.0/UDP 198.51.100.1:5060;"),
        "{options}"
    );
    assert!(
        options.contains("From: <sip:198.51.100.1:5060>;tag="),
        "{options}"
    );
    let options = parse_request(&options.into());
    host.receive_from(NAT, Reply::new(200, "x").to(&options));
    assert_eq!(host.endpoint.counters().strays, 0);
}

#[test]
fn a_registered_gateway_may_ping() {
    let ping = |via: &str| {
        let fields = "User-Agent: Gateway 1.0 (32 ports)\r\nAccept: application/sdp\r\n";
        let ask = Ask {
            fields,
            ..Ask::within("OPTIONS", 1, "")
        };
        ask.text().replace("10.0.0.2;", via)
    };
    let mut host = host();
    host.receive_from(NAT, ping("192.168.1.9:5060;"));
    assert_eq!(host.sent(), "403");
    Gateway::new().binds(&mut host);
    for (source, via, expected) in [
        (NAT, "192.168.1.9:5060;rport;", "200"),
        // One that does not know of its NAT is answered all the same.
        (NAT, "192.168.1.9:5060;", "200"),
        ("203.0.113.5:40001", "192.168.1.9:5060;rport;", "403"),
    ] {
        host.receive_from(source, ping(via));
        let (to, bytes) = host.transmitted().remove(0);
        assert_eq!(
            (kind(&bytes).as_str(), to),
            (expected, udp(source)),
            "{via}"
        );
    }
    host.endpoint.set_draining(true);
    host.receive_from(NAT, ping("192.168.1.9:5060;rport;"));
    assert_eq!(host.sent(), "503");
}

#[test]
fn a_registered_gateway_still_proves_its_calls() {
    let mut host = host();
    Gateway::new().binds(&mut host);
    let fields = format!("User-Agent: Gateway 1.0 (32 ports)\r\n{}", INVITE.fields);
    let invite = Ask {
        fields: &fields,
        ..INVITE
    };
    host.receive_from(NAT, invite.text());
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("401", 0));
}

#[test]
fn a_call_reaches_the_gateway_where_it_registered() {
    let mut host = host();
    Gateway::new().binds(&mut host);
    let bound = binding(&host);
    let dialog = DialogId(2);
    let invite = OutgoingInvite {
        targets: vec![InviteTarget {
            routes: bound.path,
            to_source: true,
            ..InviteTarget::new(bound.hop, bound.contact.to_string())
        }],
        ..*outgoing(NAT)
    };
    host.command(Command::Invite {
        dialog,
        invite: Box::new(invite),
    });
    let (to, bytes) = host.transmitted().remove(0);
    let invite = parse_request(&bytes);
    assert_eq!(
        (to, invite.request_uri().to_string().as_str()),
        (udp(NAT), CONTACT)
    );
    let fields = format!("Contact: <{CONTACT}>\r\nContent-Type: application/sdp\r\n");
    let answer = Reply {
        status: 200,
        to_tag: "g2",
        fields: &fields,
        body: SDP,
    };
    host.receive_from(NAT, answer.to(&invite));
    host.command(Command::Bye {
        dialog,
        cause: None,
    });
    for (to, bytes) in host.transmitted() {
        let request = parse_request(&bytes);
        assert_eq!(
            (to, request.request_uri().to_string().as_str()),
            (udp(NAT), CONTACT)
        );
    }
    assert_eq!(host.events(), "answered+sdp");
}

#[test]
fn who_may_not_log_in_any_more_is_gone() {
    let mut host = host();
    Gateway::new().binds(&mut host);
    host.endpoint.set_users(users(&["gw"]));
    host.advance(Duration::ZERO);
    assert_eq!(host.endpoint.registrations(), 1);
    host.endpoint.set_users(users(&["other"]));
    assert_eq!(host.endpoint.registrations(), 0);
    host.feed(Input::Timeout);
    assert_eq!(host.bound(), format!("removed {CONTACT}"));
    host.expect_idle();
}

#[test]
fn room_is_kept_apart() {
    // A host full of calls takes registrations; one that is about to end too.
    let mut config = Config::new(US.parse().unwrap());
    config.max_dialogs = 0;
    let mut host = host_with(config);
    host.receive(INVITE.text());
    assert_eq!(host.sent(), "503");
    host.endpoint.set_draining(true);
    Gateway::new().binds(&mut host);
    // One without room for transactions takes none.
    let mut config = Config::new(US.parse().unwrap());
    config.max_transactions = 0;
    let mut host = host_with(config);
    let (_, answer) = Gateway::new().register(&mut host, &format!("Contact: <{CONTACT}>\r\n"));
    assert!(
        status(&answer) == 503 && answer.contains("Retry-After: 5\r\n"),
        "{answer}"
    );
    assert_eq!(host.endpoint.counters().overloaded, 1);
    host.expect_idle();
}

#[test]
fn one_request_by_two_ways_is_one() {
    let mut host = host();
    let mut gateway = Gateway::new();
    let (text, _) = gateway.register(&mut host, &format!("Contact: <{CONTACT}>\r\n"));
    host.receive_from(NAT, text.replace("z9hG4bKr2", "z9hG4bKfork"));
    assert_eq!(host.sent(), "401", "the proof was used already");
    assert_eq!(host.bound(), format!("added {CONTACT}"));
}
