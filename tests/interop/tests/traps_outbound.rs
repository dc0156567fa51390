//! What peers are known to answer when they are called, each played by a `SIPp` scenario.

use std::time::Duration;

use jackfield_interop::server::{Server, Tenants};
use jackfield_interop::sipp::{Messages, Sipp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const SHORT: &str = r#"<Response><Pause length="2"/></Response>"#;

/// Calls the scenario; the call's end and what the scenario saw.
fn call(scenario: Sipp) -> (Value, Messages) {
    let callee = scenario
        .start("127.0.0.1:9".parse().expect("an address"))
        .listening();
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

#[test]
fn reliable_provisional_responses_are_acknowledged() {
    let (call, _) = call(Sipp::new("traps/uas_reliable"));
    assert_eq!(call["status"], "completed");
}
