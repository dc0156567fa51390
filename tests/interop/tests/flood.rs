//! A million requests from somebody whom no trunk knows, while a trunk's calls come in.

use std::time::Duration;

use jackfield_interop::flood::Flood;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;

const LIMIT: Duration = Duration::from_secs(60);
const REQUESTS: u64 = 1_000_000;
/// How many calls are made while it runs.
const CALLS: usize = 3;
/// What the server's memory may grow by, whatever is sent to it.
const ROOM_KIB: u64 = 32 * 1_024;

#[test]
fn a_million_strangers_leave_nothing_behind_and_calls_come_in() {
    let server = Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]));
    // What the first calls need for good is not the flood's.
    let call = || {
        Sipp::new("uac_bye")
            .dialling("1000")
            .start(server.sip)
            .succeed(LIMIT)
    };
    call();
    let before = server.resident_kib();

    let flood = Flood::start("127.0.0.9", server.sip, REQUESTS);
    for _ in 0..CALLS {
        call();
    }
    let sent = flood.finish();
    eprintln!(
        "{} requests at {:.0} a second, {CALLS} calls meanwhile",
        sent.requests,
        sent.rate()
    );

    assert!(sent.requests >= REQUESTS, "{} requests", sent.requests);
    assert!(
        sent.answered_bytes <= sent.bytes,
        "{} bytes came back for {}",
        sent.answered_bytes,
        sent.bytes
    );
    eventually("every call is completed", LIMIT, || {
        let rest = server.rest();
        let completed = rest
            .calls()
            .iter()
            .filter(|call| call["status"] == "completed")
            .count();
        (completed == 1 + CALLS).then_some(())
    });
    let after = server.resident_kib();
    assert!(
        after <= before + ROOM_KIB,
        "{before} KiB before, {after} KiB after"
    );
    server.stop();
}
