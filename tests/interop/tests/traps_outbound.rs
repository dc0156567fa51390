//! What peers are known to answer when they are called, each played by a `SIPp` scenario.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use jackfield_interop::dns::Dns;
use jackfield_interop::server::{Flow, Place, Server, Tenants};
use jackfield_interop::sipp::{Messages, Sipp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const SHORT: &str = r#"<Response><Pause length="2"/></Response>"#;

const MENU: (&str, Flow) = ("1000", Flow::Component("menu"));

/// Where no callee looks.
fn nowhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 9).into()
}

/// Calls the scenario; the call's end and what the scenario saw.
fn call(scenario: Sipp) -> (Value, Messages) {
    let callee = scenario.start(nowhere()).listening();
    let server = Server::start(&Tenants::calling(callee.address));
    let rest = server.rest();
    let sid = rest.place("1000", "+15005550001", SHORT);
    let call = rest.ended(&sid, LIMIT);
    (call, callee.succeed(LIMIT))
}

#[test]
fn a_second_phone_that_answers_is_let_go() {
    let (call, _) = call(Sipp::new("traps/uas_forked"));
    assert_eq!(call["status"], "completed");
}

#[test]
fn early_media_may_be_replaced_by_the_answer() {
    let (call, _) = call(Sipp::new("traps/uas_early_media"));
    assert_eq!(call["status"], "completed");
}

#[test]
fn an_announcement_may_come_before_a_refusal() {
    let (call, _) = call(Sipp::new("traps/uas_early_then_busy"));
    assert_eq!(call["status"], "busy");
}

#[test]
fn the_callee_may_change_its_media_before_it_answers() {
    let (call, _) = call(Sipp::new("traps/uas_early_update"));
    assert_eq!(call["status"], "completed");
}

#[test]
fn challenges_are_answered_once_each() {
    let callee = Sipp::new("traps/uas_challenges")
        .start(nowhere())
        .listening();
    let trunk = format!(
        "targets = [\"sip:{}\"]\n[trunk.credentials]\nusername = \"us\"\npassword = \"a-password-of-tests\"\n",
        callee.address
    );
    let server = Server::start(&Tenants::over_trunk(&trunk, vec![MENU]));
    let rest = server.rest();
    let sid = rest.place("1000", "+15005550001", SHORT);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
    callee.succeed(LIMIT);
}

#[test]
fn an_answer_that_crosses_our_cancel_is_ended() {
    let scenario = Sipp::new("traps/uas_answer_crosses_cancel");
    let callee = scenario.start(nowhere()).listening();
    let server = Server::start(&Tenants::calling(callee.address));
    let rest = server.rest();
    let sid = rest.place("1000", "+15005550001", SHORT);
    rest.wait_for(&sid, "ringing", LIMIT);
    rest.end(&sid);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "canceled");
    callee.succeed(LIMIT);
}

/// The most preferred server says nothing, not even 100: the next one has the call within seconds (RFC 3263 section 4.3).
#[test]
fn a_silent_server_is_passed_over() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let silent_port = silent.local_addr().expect("its address").port();
    let callee = Sipp::new("uas_wait_bye").start(nowhere()).listening();
    let dns = Dns::with_sip_servers("carrier.example", &[silent_port, callee.address.port()]);
    let trunk = "targets = [\"sip:carrier.example\"]\n";
    let tenants = Tenants::over_trunk(trunk, vec![MENU]);
    let server = Server::start_at(Place::on_loopback().asking(dns.address), &tenants);
    let rest = server.rest();
    let sid = rest.place("1000", "+15005550001", SHORT);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
    let asked = callee.succeed(LIMIT);
    assert!(
        asked
            .text()
            .contains("INVITE sip:+15005550001@carrier.example"),
        "{}",
        asked.text()
    );
    let mut first = [0; 2_000];
    let length = silent.recv(&mut first).expect("it was asked first");
    assert!(first[..length].starts_with(b"INVITE sip:+15005550001@carrier.example"));
}

#[test]
fn a_missing_tag_is_forgiven() {
    let (call, _) = call(Sipp::new("traps/uas_no_tag"));
    assert_eq!(call["status"], "completed");
}

#[test]
fn compact_forms_are_read() {
    let (call, _) = call(Sipp::new("traps/uas_compact"));
    assert_eq!(call["status"], "completed");
}

#[test]
fn a_redirection_is_not_followed() {
    let (call, messages) = call(Sipp::new("traps/uas_redirects"));
    assert_eq!(call["status"], "failed");
    assert_eq!(
        messages.received().len(),
        2,
        "INVITE and ACK: {}",
        messages.text()
    );
}

/// What is refused for want of room teaches how much there is, and `Retry-After` is a silence (RFC 3261 section 20.33).
#[test]
fn a_full_trunk_is_left_alone_for_as_long_as_it_asks() {
    let callee = Sipp::new("traps/uas_full").calling(2, 10);
    let callee = callee.start(nowhere()).listening();
    let server = Server::start(&Tenants::calling(callee.address));
    let rest = server.rest();
    let ended = || rest.ended(&rest.place("1000", "+15005550001", SHORT), LIMIT);
    assert_eq!(ended()["status"], "failed");
    let status = server.status();
    assert!(status.contains("answers 503 beyond 1 calls"), "{status}");
    let refused = Instant::now();
    assert_eq!(ended()["status"], "failed");
    // A second for us to see the first end.
    let waited = refused.elapsed();
    assert!(waited > Duration::from_secs(2), "{waited:?}");
    callee.succeed(LIMIT);
}

/// A far end counts its line as taken until it has answered the BYE, and so does the trunk's limit.
#[test]
fn a_channel_is_free_when_the_bye_is_answered() {
    let callee = Sipp::new("traps/uas_slow_bye").calling(2, 10);
    let callee = callee.start(nowhere()).listening();
    let address = callee.address;
    let trunk = format!("targets = [\"sip:{address}\"]\nmax_channels = 1\n");
    let server = Server::start(&Tenants::over_trunk(&trunk, vec![MENU]));
    let rest = server.rest();
    let calls = [(); 2].map(|()| rest.place("1000", "+15005550001", SHORT));
    for sid in &calls {
        assert_eq!(rest.ended(sid, LIMIT)["status"], "completed");
    }
    let seen = callee.succeed(LIMIT);
    let invite = format!("INVITE sip:+15005550001@{address} SIP/2.0");
    let later = seen.received_after_sent("SIP/2.0 200 Let go", &invite, "INVITE");
    assert_eq!(later, 1, "{}", seen.text());
}

#[test]
fn reliable_provisional_responses_are_acknowledged() {
    let (call, _) = call(Sipp::new("traps/uas_reliable"));
    assert_eq!(call["status"], "completed");
}
