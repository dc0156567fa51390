//! A call that a story dials, before its INVITE leaves: it may be given up, cancelled, and left without another trunk.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Flow, Place, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
/// Whose call's story dials [`CALLED`].
const CALLER: &str = "+15005559999";
const CALLED: &str = "+15005550001";
const MENU: (&str, Flow) = ("1000", Flow::Component("menu"));

fn callee(sipp: Sipp) -> RunningSipp {
    let nowhere: SocketAddr = (Ipv4Addr::LOCALHOST, 9).into();
    sipp.start(nowhere).listening()
}

/// A trunk `peer` with these lines, over which [`CALLER`] is reached, and `called` with these, over which it dials [`CALLED`].
fn tenants(peer: &str, called: &str) -> Tenants {
    let trunks = format!(
        "{peer}\n[[trunk]]\nid = \"called\"\ncarrier = \"interop\"\nprefixes = [\"+15005550\"]\n\
         max_channels = 9\n{called}"
    );
    Tenants::over_trunk(&trunks, vec![MENU])
}

/// Lines of a trunk that is for [`CALLER`] alone.
fn of_callers(target: SocketAddr) -> String {
    format!("target = \"{target}\"\nprefixes = [\"+15005559\"]\n")
}

/// The calls that a call's story dialled, the newest first.
fn children(rest: &Rest, parent: &str) -> Vec<Value> {
    let mut calls = rest.calls();
    calls.retain(|call| call["parent_call_sid"] == parent);
    calls
}

fn sid_of(call: &Value) -> String {
    call["sid"].as_str().expect("a SID").to_owned()
}

/// Two calls are dialled at once over a trunk that begins one in ten seconds. The caller hangs up while one rings: the other is never dialled,
/// and leaves its turn to the next caller's.
#[test]
fn nobody_is_dialled_for_who_has_hung_up() {
    let slow = callee(Sipp::new("uas_cancelled").calling(2, 10));
    let callers = callee(Sipp::new("uas_wait_bye").calling(2, 10));
    let slowly = format!("target = \"{}\"\ncalls_per_second = 0.1\n", slow.address);
    let server = Server::start(&tenants(&of_callers(callers.address), &slowly));
    let rest = server.rest();
    let two = format!(
        "<Response><Dial><Number>{CALLED}</Number><Number>+15005550002</Number></Dial></Response>"
    );
    let first = rest.place("1000", CALLER, &two);
    eventually("one of the two rings", LIMIT, || {
        let children = children(&rest, &first);
        children
            .iter()
            .any(|child| child["status"] == "ringing")
            .then_some(())
    });
    rest.end(&first);
    // When the turn has come for which the other one waited.
    let one = format!(
        "<Response><Pause length=\"12\"/><Dial timeout=\"60\"><Number>{CALLED}</Number></Dial></Response>"
    );
    let next = rest.place("1000", CALLER, &one);
    let child = eventually("the next caller's rings", LIMIT, || {
        let children = children(&rest, &next);
        children
            .into_iter()
            .find(|child| child["status"] == "ringing")
    });
    rest.end(&next);
    assert_eq!(rest.ended(&sid_of(&child), LIMIT)["status"], "canceled");
    assert_eq!(children(&rest, &first).len(), 1);
    slow.succeed(LIMIT);
    callers.succeed(LIMIT);
}

/// The trunk's first servers have names that nobody knows, and DNS says nothing of them for seconds: long enough to cancel the call. Its INVITE
/// would be the callee's first; the one that comes is that of the next call.
#[test]
fn a_dialled_call_that_is_cancelled_before_its_invite_is_not_dialled() {
    let dns = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let dns = dns.local_addr().map(|address| (dns, address));
    let (_silent, address) = dns.expect("its address");
    let called = callee(Sipp::new("uas_refuse").with_status(486));
    let callers = callee(Sipp::new("uas_wait_bye").calling(2, 10));
    let targets = format!(
        "targets = [\"sip:one.example\", \"sip:two.example\", \"sip:three.example\", \"sip:{}\"]\n\
         calls_per_second = 50.0\n",
        called.address
    );
    let tenants = tenants(&of_callers(callers.address), &targets);
    let server = Server::start_at(Place::on_loopback().asking(address), &tenants);
    let rest = server.rest();
    let app = VoiceApp::serve(vec![Page::twiml("/after", "<Response/>")]);
    let dial = format!(
        "<Response><Dial action=\"{}\"><Number>{CALLED}</Number></Dial></Response>",
        app.url("/after")
    );
    let dial_status = |times: usize| {
        let asked = eventually("the story goes on", LIMIT, || {
            let asked = app.asked();
            (asked.len() == times).then_some(asked)
        });
        asked[times - 1].parameters["DialCallStatus"].clone()
    };
    let first = rest.place("1000", CALLER, &dial);
    let child = eventually("the call is on disk", LIMIT, || {
        children(&rest, &first).first().map(sid_of)
    });
    let (status, answer) = rest.post(&format!("Calls/{child}.json"), "Status=canceled");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(dial_status(1), "canceled");
    assert_eq!(rest.ended(&child, LIMIT)["status"], "canceled");
    assert_eq!(rest.ended(&first, LIMIT)["status"], "completed");
    let second = rest.place("1000", CALLER, &dial);
    assert_eq!(dial_status(2), "busy");
    assert_eq!(rest.ended(&second, LIMIT)["status"], "completed");
    called.succeed(LIMIT);
    callers.succeed(LIMIT);
}

/// The only other trunk is full of the caller's own call.
#[test]
fn a_call_that_finds_no_room_over_another_trunk_ends_as_its_attempt_did() {
    for (code, dialled, ended) in [(503, "failed", "failed"), (408, "no-answer", "no-answer")] {
        let first = callee(Sipp::new("uas_refuse").with_status(code));
        let callers = callee(Sipp::new("uas_wait_bye"));
        let called = format!("target = \"{}\"\ncalls_per_second = 50.0\n", first.address);
        let peer = format!(
            "target = \"{}\"\nprefixes = [\"+1500555\"]\nmax_channels = 1\n",
            callers.address
        );
        let server = Server::start(&tenants(&peer, &called));
        let rest = server.rest();
        let app = VoiceApp::serve(vec![Page::twiml("/after", "<Response/>")]);
        let dial = format!(
            "<Response><Dial action=\"{}\"><Number>{CALLED}</Number></Dial></Response>",
            app.url("/after")
        );
        let sid = rest.place("1000", CALLER, &dial);
        assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
        first.succeed(LIMIT);
        callers.succeed(LIMIT);
        let after = app.asked();
        assert_eq!(after[0].parameters["DialCallStatus"], dialled, "{code}");
        let child = &after[0].parameters["DialCallSid"];
        assert_eq!(rest.call(child)["status"], ended, "{code}");
        let path = format!("/v1/Accounts/{}/Calls/{child}/Attempts", rest.account_sid);
        let (status, answer) = rest.get(&path);
        assert_eq!(status, 200, "{answer}");
        let one = &answer["attempts"][0];
        assert_eq!(
            json!([one["trunk"], one["result"], one["sip_status"]]),
            json!(["called", ended, code])
        );
        assert_eq!(answer["attempts"].as_array().map(Vec::len), Some(1));
        server.stop();
    }
}
