//! Outbound calls through Twilio's official Python helper library, to a `SIPp` that rings and answers.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::helper_library;
use jackfield_interop::server::{Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const TO: &str = "+15005550100";
const LONG: &str = r#"<Response><Play loop="0">prompts/menu.wav</Play></Response>"#;

fn callee(sipp: Sipp) -> (RunningSipp, Server) {
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = sipp.start(nobody).listening();
    let server = Server::start(&Tenants::calling(callee.address));
    (callee, server)
}

fn place(server: &Server, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["--to", TO, "--from", "1000"];
    all.extend(arguments);
    helper_library::run("outbound_call.py", &server.rest(), &all)
}

fn statuses(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .filter_map(|line| line["status"].as_str())
        .collect()
}

#[test]
fn a_call_is_placed_and_followed_to_its_end() {
    let (callee, server) = callee(Sipp::new("uas_bye").holding(Duration::from_secs(2)));
    let document = r#"<Response><Play loop="0">menu.wav</Play></Response>"#;
    let app = VoiceApp::serve(vec![Page::twiml("/voice", document), Page::prompt("menu")]);
    let lines = place(&server, &["--url", &app.url("/voice")]);
    callee.succeed(LIMIT);

    let seen = statuses(&lines);
    assert_eq!(seen.first(), Some(&"queued"), "{lines:?}");
    assert!(seen.contains(&"in-progress"), "{lines:?}");
    assert_eq!(seen.last(), Some(&"completed"), "{lines:?}");
    assert_eq!(lines[0]["to"], TO);
    assert_eq!(lines[0]["direction"], "outbound-api");
    let duration: u32 = lines
        .last()
        .and_then(|line| line["duration"].as_str())
        .expect("a duration")
        .parse()
        .expect("seconds");
    assert!((2..=6).contains(&duration), "{lines:?}");
    assert_eq!(app.asked()[0].path, "/voice");
    assert_eq!(app.asked()[0].parameters["CallSid"], lines[0]["sid"]);
}

#[test]
fn a_call_is_hung_up_while_it_plays() {
    let (callee, server) = callee(Sipp::new("uas_wait_bye"));
    let lines = place(&server, &["--twiml", LONG, "--hang-up-at", "in-progress"]);
    assert_eq!(statuses(&lines).last(), Some(&"completed"), "{lines:?}");
    callee.succeed(LIMIT); // it waits for our BYE
}

#[test]
fn a_call_is_ended_while_it_rings() {
    let (callee, server) = callee(Sipp::new("uas_cancelled"));
    let lines = place(&server, &["--twiml", LONG, "--hang-up-at", "ringing"]);
    assert_eq!(statuses(&lines).last(), Some(&"canceled"), "{lines:?}");
    callee.succeed(LIMIT); // it waits for our CANCEL
}

#[test]
fn what_the_callee_answers_is_the_status() {
    for (code, status) in [(486, "busy"), (480, "no-answer"), (503, "failed")] {
        let (callee, server) = callee(Sipp::new("uas_refuse").with_status(code));
        let lines = place(&server, &["--twiml", LONG]);
        assert_eq!(statuses(&lines).last(), Some(&status), "{code}: {lines:?}");
        callee.succeed(LIMIT);
    }
}

#[test]
fn a_destination_that_is_not_allowed_is_refused_at_once() {
    let server = Server::start(&Tenants::calling(
        "127.0.0.1:9".parse().expect("an address"),
    ));
    let lines = helper_library::run(
        "outbound_call.py",
        &server.rest(),
        &["--to", "+252611234567", "--from", "1000", "--twiml", LONG],
    );
    assert_eq!(lines[0]["refused"], 400, "{lines:?}");
    assert_eq!(server.rest().calls().len(), 0);
}
