//! A server that is killed holds nobody on the line: the next start hangs up both sides of what was up. Both are `SIPp`.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Place, Server, Tenants};
use jackfield_interop::sipp::{Messages, RunningSipp, Sipp};

const LIMIT: Duration = Duration::from_secs(120);

/// The value of a header field in the first message of the trace that begins so.
fn field<'a>(trace: &'a Messages, beginning: &str, name: &str) -> &'a str {
    let lines = trace.text().lines();
    let mut message = lines.skip_while(|line| !line.starts_with(beginning));
    let value = message.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let value = value.unwrap_or_else(|| panic!("no {name} in {beginning}: {}", trace.text()));
    value.trim()
}

fn tag(address: &str) -> &str {
    let (_, tag) = address.split_once(";tag=").expect("a tag");
    tag
}

/// The BYE that we sent is of the dialog that this side has: its tags are those of the 200, and its number is beyond all that we sent.
fn is_of_the_dialog(trace: &Messages, is_caller: bool) {
    let bye = |name| field(trace, "BYE ", name);
    let answer = |name| field(trace, "SIP/2.0 200 OK", name);
    assert_eq!(bye("Call-ID"), answer("Call-ID"));
    let (ours, theirs) = match is_caller {
        true => ("To", "From"),
        false => ("From", "To"),
    };
    assert_eq!(tag(bye("From")), tag(answer(ours)));
    assert_eq!(tag(bye("To")), tag(answer(theirs)));
    let (number, method) = bye("CSeq").split_once(' ').expect("number and method");
    assert_eq!(method, "BYE");
    assert!(number.parse::<u32>().expect("a number") > 1, "{number}");
}

/// One who calls and is put through to another one, both up, and what ends their calls on the disk.
fn a_call_that_is_up() -> (Server, RunningSipp, RunningSipp) {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let callee = Sipp::new("uas_wait_bye").start(nowhere).listening();
    let dial = format!(
        "<Response><Dial><Sip>sip:ward@{}</Sip></Dial></Response>",
        callee.address
    );
    let trunk = format!(
        "sources = [\"127.0.0.1\"]\ntarget = \"{}\"\nmax_channels = 2\n",
        callee.address
    );
    let numbers = vec![("1000", Flow::Twiml(dial))];
    let server = Server::start_at(
        Place::on_loopback().keeping_its_port(),
        &Tenants::over_trunk(&trunk, numbers),
    );
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    // What ends a call is on the disk a moment after it was answered: the metric counts what is there.
    eventually("both dialogs are kept", LIMIT, || {
        (server.metric("dialogs_kept_total") == 2).then_some(())
    });
    (server, caller, callee)
}

fn has_in_use(server: &Server, channels: u32) -> bool {
    let words = format!("{channels} of 2 channels in use");
    server.status().contains(&words)
}

#[test]
fn both_sides_of_a_lost_call_are_hung_up() {
    let (mut server, caller, callee) = a_call_that_is_up();
    server.kill_and_start_again();
    is_of_the_dialog(&callee.succeed(LIMIT), false);
    is_of_the_dialog(&caller.succeed(LIMIT), true);
    eventually("both are hung up", LIMIT, || {
        (server.metric("calls_hung_up_late_total") == 2).then_some(())
    });
    assert!(has_in_use(&server, 0), "{}", server.status());
    let calls = server.rest().calls();
    for call in &calls {
        assert_eq!(call["status"], "completed", "{call}");
    }
    assert_eq!(calls.len(), 2);
    // Nothing is left for another start.
    server.kill_and_start_again();
    assert!(has_in_use(&server, 0), "{}", server.status());
    assert_eq!(server.metric("calls_hung_up_late_total"), 0);
    server.stop();
}

#[test]
fn a_second_kill_forgets_no_channel_of_who_does_not_answer() {
    let (mut server, caller, callee) = a_call_that_is_up();
    drop((caller, callee));
    for start in 1..=2 {
        server.kill_and_start_again();
        assert!(has_in_use(&server, 2), "start {start}: {}", server.status());
    }
    assert_eq!(server.metric("calls_hung_up_late_total"), 0);
    server.stop();
}
