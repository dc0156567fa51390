//! Calls that one trunk cannot carry go over the next.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
const CALLED: &str = "+15005550001";
const SHORT: &str = r#"<Response><Pause length="1"/></Response>"#;

fn callee(sipp: Sipp) -> RunningSipp {
    let nowhere: SocketAddr = (Ipv4Addr::LOCALHOST, 9).into();
    sipp.start(nowhere).listening()
}

/// An account whose calls go over `peer`, whose prefix is longer, and over `second` where that fails. `second` carries this many at once.
fn tenants(peer: SocketAddr, second: SocketAddr, channels: u32) -> Tenants {
    let trunks = format!(
        "target = \"{peer}\"\nprefixes = [\"+1500555\"]\n\n\
         [[trunk]]\nid = \"second\"\ncarrier = \"interop\"\ntarget = \"{second}\"\n\
         max_channels = {channels}\ncalls_per_second = 50.0\n"
    );
    Tenants::over_trunk(&trunks, vec![("1000", Flow::Component("menu"))])
}

/// The attempts of a call: trunk, result and SIP status of each.
fn attempts(rest: &Rest, sid: &str) -> Value {
    let path = format!("/v1/Accounts/{}/Calls/{sid}/Attempts", rest.account_sid);
    let (status, answer) = rest.get(&path);
    assert_eq!(status, 200, "{answer}");
    let attempts = answer["attempts"].as_array().expect("a list").iter();
    let short = attempts.map(|one| json!([one["trunk"], one["result"], one["sip_status"]]));
    Value::Array(short.collect())
}

/// Whether nobody sent anything there.
fn is_untouched(socket: &UdpSocket) -> bool {
    socket.set_nonblocking(true).expect("it may be asked");
    socket.recv(&mut [0; 2_000]).is_err()
}

#[test]
fn a_call_that_one_trunk_refuses_is_answered_over_the_next_as_one_call() {
    let app = VoiceApp::serve(vec![Page::twiml("/status", "")]);
    let first = callee(Sipp::new("uas_refuse").with_status(503));
    let second = callee(Sipp::new("uas_wait_bye"));
    let server = Server::start(&tenants(first.address, second.address, 9));
    let rest = server.rest();
    let form = format!(
        "To=%2B15005550001&From=1000&Twiml={SHORT}&StatusCallback={}&StatusCallbackEvent=initiated&StatusCallbackEvent=ringing\
         &StatusCallbackEvent=answered&StatusCallbackEvent=completed",
        app.url("/status")
    );
    let (status, call) = rest.post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    let sid = call["sid"].as_str().expect("a SID");
    assert_eq!(rest.ended(sid, LIMIT)["status"], "completed");
    first.succeed(LIMIT);
    second.succeed(LIMIT);
    assert_eq!(
        attempts(&rest, sid),
        json!([["peer", "failed-over", 503], ["second", "completed", 200]])
    );
    let mut told = eventually("four turns were told", LIMIT, || {
        let asked = app.asked();
        (asked.len() >= 4).then_some(asked)
    });
    told.sort_by_key(|asked| asked.parameters["SequenceNumber"].clone());
    let turns: Vec<_> = told
        .iter()
        .map(|asked| {
            (
                &*asked.parameters["SequenceNumber"],
                &*asked.parameters["CallStatus"],
            )
        })
        .collect();
    let expected = [
        ("0", "initiated"),
        ("1", "ringing"),
        ("2", "in-progress"),
        ("3", "completed"),
    ];
    assert_eq!(turns, expected);
    assert!(told.iter().all(|asked| asked.parameters["CallSid"] == sid));
}

#[test]
fn the_end_of_the_last_trunk_is_the_end_of_the_call() {
    let first = callee(Sipp::new("uas_refuse").with_status(500));
    let second = callee(Sipp::new("uas_refuse").with_status(502));
    let server = Server::start(&tenants(first.address, second.address, 9));
    let rest = server.rest();
    let sid = rest.place("1000", CALLED, SHORT);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "failed");
    first.succeed(LIMIT);
    second.succeed(LIMIT);
    let expected = json!([["peer", "failed-over", 500], ["second", "failed", 502]]);
    assert_eq!(attempts(&rest, &sid), expected);
}

#[test]
fn who_was_busy_or_rang_is_not_called_over_another_trunk() {
    let second = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = second.local_addr().expect("its address");
    for (scenario, code, status) in [
        ("uas_refuse", 486, "busy"),
        ("uas_refuse", 404, "failed"),
        ("uas_refuse", 603, "no-answer"),
        ("uas_rings_then_refuses", 503, "failed"),
    ] {
        let first = callee(Sipp::new(scenario).with_status(code));
        let server = Server::start(&tenants(first.address, address, 9));
        let rest = server.rest();
        let sid = rest.place("1000", CALLED, SHORT);
        assert_eq!(
            rest.ended(&sid, LIMIT)["status"],
            status,
            "{scenario} {code}"
        );
        first.succeed(LIMIT);
        assert!(is_untouched(&second), "{scenario} {code}");
        assert_eq!(attempts(&rest, &sid), json!([["peer", status, code]]));
    }
}

/// The second trunk is full, so that the call waits between its attempts.
#[test]
fn between_two_attempts_a_call_may_be_cancelled() {
    let first = callee(Sipp::new("uas_refuse").with_status(503).calling(2, 10));
    let second = callee(Sipp::new("uas_wait_bye"));
    let server = Server::start(&tenants(first.address, second.address, 1));
    let rest = server.rest();
    let long = r#"<Response><Pause length="60"/></Response>"#;
    let up = rest.place("1000", CALLED, long);
    rest.wait_for(&up, "in-progress", LIMIT);
    let waits = rest.place("1000", CALLED, long);
    let failed_over = json!([["peer", "failed-over", 503]]);
    eventually("it failed over the first", LIMIT, || {
        (attempts(&rest, &waits) == failed_over).then_some(())
    });
    let (status, call) = rest.post(&format!("Calls/{waits}.json"), "Status=canceled");
    assert_eq!(status, 200, "{call}");
    assert_eq!(rest.ended(&waits, LIMIT)["status"], "canceled");
    rest.end(&up);
    // One INVITE reached each: the callee of the second would fail at another.
    second.succeed(LIMIT);
    first.succeed(LIMIT);
    assert_eq!(attempts(&rest, &waits), failed_over);
}

/// Killed between the attempts, the call goes on where it was: over the second trunk, and not over the first again.
#[test]
fn a_killed_server_does_not_try_a_trunk_twice() {
    let first = callee(Sipp::new("uas_refuse").with_status(503).calling(2, 10));
    let second = callee(Sipp::new("uas_wait_bye").calling(2, 10));
    let mut server = Server::start(&tenants(first.address, second.address, 1));
    let rest = server.rest();
    let up = rest.place("1000", CALLED, SHORT.replace('1', "60").as_str());
    rest.wait_for(&up, "in-progress", LIMIT);
    let waits = rest.place("1000", CALLED, SHORT);
    eventually("it failed over the first", LIMIT, || {
        (attempts(&rest, &waits) == json!([["peer", "failed-over", 503]])).then_some(())
    });
    first.succeed(LIMIT);
    server.kill_and_start_again();
    let rest = server.rest();
    assert_eq!(rest.ended(&waits, LIMIT)["status"], "completed");
    let expected = json!([["peer", "failed-over", 503], ["second", "completed", 200]]);
    assert_eq!(attempts(&rest, &waits), expected);
}

/// Whose call's story dials [`CALLED`].
const CALLER: &str = "+15005559999";

/// A first trunk that serves [`CALLED`] and not [`CALLER`], and others by their ids and prefixes.
fn trunks(first: SocketAddr, others: &[(&str, &str, SocketAddr)]) -> String {
    let mut text = format!("target = \"{first}\"\nprefixes = [\"+15005550\"]\n");
    for (id, prefix, target) in others {
        text += &format!(
            "\n[[trunk]]\nid = \"{id}\"\ncarrier = \"interop\"\ntarget = \"{target}\"\nprefixes = [\"{prefix}\"]\n\
             max_channels = 9\ncalls_per_second = 50.0\n"
        );
    }
    text
}

/// What a story dials goes over the next trunk too, as one call, and never through the queue.
#[test]
fn a_call_that_a_story_dials_goes_over_the_next_trunk() {
    let first = callee(Sipp::new("uas_refuse").with_status(503));
    let second = callee(Sipp::new("uas_wait_bye").calling(2, 10));
    let trunks = trunks(first.address, &[("second", "+1500555", second.address)]);
    let server = Server::start(&Tenants::over_trunk(
        &trunks,
        vec![("1000", Flow::Component("menu"))],
    ));
    let rest = server.rest();
    let app = VoiceApp::serve(vec![Page::twiml("/after", "<Response/>")]);
    let dial = format!(
        "<Response><Dial timeLimit=\"1\" action=\"{}\"><Number>{CALLED}</Number></Dial></Response>",
        app.url("/after")
    );
    // The first trunk does not serve the parent's number.
    let sid = rest.place("1000", CALLER, &dial);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
    first.succeed(LIMIT);
    second.succeed(LIMIT);
    assert_eq!(attempts(&rest, &sid), json!([["second", "completed", 200]]));
    let mut calls = rest.calls();
    calls.retain(|call| call["parent_call_sid"] == *sid);
    let [child] = calls.as_slice() else {
        panic!("one call is dialled: {calls:?}");
    };
    assert_eq!(
        attempts(&rest, child["sid"].as_str().expect("a SID")),
        json!([["peer", "failed-over", 503], ["second", "completed", 200]])
    );
    let after = app.asked();
    assert_eq!(after[0].parameters["DialCallStatus"], "completed");
    assert_eq!(after[0].parameters["DialCallSid"], child["sid"]);
}

/// The parent hears of the last attempt's end alone.
#[test]
fn a_story_hears_of_the_last_trunks_end() {
    let first = callee(Sipp::new("uas_refuse").with_status(500));
    let second = callee(Sipp::new("uas_refuse").with_status(486));
    let third = callee(Sipp::new("uas_wait_bye"));
    let others = [
        ("second", "+1500555", second.address),
        ("third", "+15005559", third.address),
    ];
    let trunks = trunks(first.address, &others);
    let server = Server::start(&Tenants::over_trunk(
        &trunks,
        vec![("1000", Flow::Component("menu"))],
    ));
    let rest = server.rest();
    let app = VoiceApp::serve(vec![Page::twiml("/after", "<Response/>")]);
    let dial = format!(
        "<Response><Dial action=\"{}\"><Number>{CALLED}</Number></Dial></Response>",
        app.url("/after")
    );
    let sid = rest.place("1000", CALLER, &dial);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
    for callee in [first, second, third] {
        callee.succeed(LIMIT);
    }
    let after = app.asked();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].parameters["DialCallStatus"], "busy");
    let child = &after[0].parameters["DialCallSid"];
    assert_eq!(
        attempts(&rest, child),
        json!([["peer", "failed-over", 500], ["second", "busy", 486]])
    );
}

/// A peer that says nothing before it is told to.
struct Hesitant {
    socket: UdpSocket,
    /// The request, and where it came from.
    asked: (String, SocketAddr),
}

impl Hesitant {
    /// Takes the first INVITE, and says that it is on its way.
    fn takes(socket: UdpSocket) -> Self {
        socket.set_read_timeout(Some(LIMIT)).expect("it may wait");
        let mut bytes = [0; 4_000];
        let (length, from) = socket.recv_from(&mut bytes).expect("an INVITE");
        let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
        assert!(request.starts_with("INVITE "), "{request}");
        let asked = (request, from);
        let peer = Self { socket, asked };
        peer.says("100 Trying");
        peer
    }

    fn says(&self, status: &str) {
        let (request, from) = &self.asked;
        let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let lines = request.lines().filter(|line| {
            let mut names = copied.iter();
            names.any(|name| line.starts_with(name))
        });
        let tagged = lines.map(|line| match line.starts_with("To:") {
            true => format!("{line};tag=hesitant\r\n"),
            false => format!("{line}\r\n"),
        });
        let headers: String = tagged.collect();
        let answer = format!("SIP/2.0 {status}\r\n{headers}Content-Length: 0\r\n\r\n");
        self.socket.send_to(answer.as_bytes(), from).expect("sent");
    }
}

/// A server that was asked to stop lets its calls end; one that fails over a trunk meanwhile begins no other attempt, and is not given up: the next
/// start goes on with it.
#[test]
fn a_server_that_stops_leaves_a_call_between_two_trunks_in_the_queue() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let first = socket.local_addr().expect("its address");
    let second = callee(Sipp::new("uas_wait_bye"));
    let mut server = Server::start(&tenants(first, second.address, 9));
    let sid = server.rest().place("1000", CALLED, SHORT);
    let peer = Hesitant::takes(socket);
    server.drain();
    peer.says("503 Service Unavailable");
    server.start_again_once_stopped();
    let rest = server.rest();
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
    let expected = json!([["peer", "failed-over", 503], ["second", "completed", 200]]);
    assert_eq!(attempts(&rest, &sid), expected);
    second.succeed(LIMIT);
}
