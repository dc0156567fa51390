//! What a network does to SIP, done by `SIPp`: repeated requests, lost acknowledgements.

use std::time::Duration;

use jackfield_interop::network;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);

fn menu() -> Server {
    Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]))
}

#[test]
fn whatever_comes_three_times_counts_once() {
    let server = menu();
    let network = network::repeating(server.sip, 3);
    let messages = Sipp::new("uac_bye")
        .dialling("1000")
        .start(network)
        .succeed(LIMIT);
    let tags = messages.to_tags_received();
    assert_eq!(
        tags.len(),
        1,
        "one call has one tag, not {tags:?}: {}",
        messages.text()
    );
    assert!(server.rest().newest_call().is_object());
    assert_eq!(server.rest().calls().len(), 1);
}

#[test]
fn the_answer_is_repeated_until_the_ack_and_not_after() {
    on_a_steady_machine(|| {
        let server = menu();
        // The ACK comes after 900 ms: the answer goes out at 0 and, unacknowledged, at 500 ms. The call then lasts 3 s more.
        let messages = Sipp::new("uac_late_ack")
            .holding(Duration::from_secs(3))
            .dialling("1000")
            .start(server.sip)
            .succeed(LIMIT);
        assert!(
            messages.count_received("SIP/2.0 200 OK", "INVITE") >= 2,
            "{}",
            messages.text()
        );
        assert_eq!(
            messages.received_after_sent("ACK", "SIP/2.0 200 OK", "INVITE"),
            0,
            "{}",
            messages.text()
        );
    });
}

#[test]
fn a_call_without_ack_ends_with_a_bye() {
    // A flow that outlasts the wait for the ACK.
    let server = Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("echo"),
    )]));
    let messages = Sipp::new("uac_no_ack")
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);
    // RFC 3261 section 13.3.1.4: at 0, 0.5, 1.5, 3.5 s, then every 4 s, for 32 s: 11 at most, and some may be late on a busy machine.
    let answers = messages.count_received("SIP/2.0 200 OK", "INVITE");
    assert!(
        (8..=11).contains(&answers),
        "{answers} answers: {}",
        messages.text()
    );
    eventually("the call is a failed one", Duration::from_secs(20), || {
        (server.rest().newest_call()["status"] == "failed").then_some(())
    });
}

#[test]
fn options_outside_a_call_is_answered() {
    Sipp::new("uac_options")
        .with_status(200)
        .start(menu().sip)
        .succeed(LIMIT);
}

/// A proxy in front asks with OPTIONS whether to send calls here.
#[test]
fn a_server_that_stops_finishes_its_calls_and_takes_no_more() {
    let mut server = menu();
    let call = Sipp::new("uac_bye")
        .dialling("1000")
        .holding(Duration::from_secs(4))
        .start(server.sip);
    eventually("the call is up", LIMIT, || {
        (server.rest().calls().first()?["status"] == "in-progress").then_some(())
    });
    server.drain();
    for refused in ["uac_options", "uac_refused"] {
        let scenario = Sipp::new(refused).dialling("1000").with_status(503);
        scenario.start(server.sip).succeed(LIMIT);
    }
    call.succeed(LIMIT);
    server.stop();
}
