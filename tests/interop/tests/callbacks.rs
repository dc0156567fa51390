//! What an application is told of its calls, also by a server that was killed in between.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::digest_door::{DigestDoor, Hash};
use jackfield_interop::ports;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const SILENCE: &str = "<Response><Pause length=\"30\"/></Response>";

fn callee(sipp: Sipp) -> RunningSipp {
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    sipp.start(nobody).listening()
}

/// Places a call that tells `url` of these events; its SID.
fn place(server: &Server, url: &str, events: &str) -> String {
    let form = format!(
        "To=%2B15005550100&From=1000&Twiml={SILENCE}&StatusCallback={url}&StatusCallbackEvent={events}"
    );
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    call["sid"].as_str().expect("a SID").to_owned()
}

/// What was told of a call, once there is so much of it.
fn told(app: &VoiceApp, call: &str, count: usize) -> Vec<Asked> {
    eventually("the callbacks came", LIMIT, || {
        let mut told = app.asked();
        told.retain(|asked| asked.parameters["CallSid"] == call);
        (told.len() >= count).then_some(told)
    })
}

/// The same of what has tokens of its own: what was on its way when the server was killed comes again.
fn told_differently(app: &VoiceApp, call: &str, count: usize) -> Vec<Asked> {
    eventually("the callbacks came", LIMIT, || {
        let mut told = told(app, call, 0);
        told.dedup_by_key(|asked| token(asked).to_owned());
        (told.len() >= count).then_some(told)
    })
}

fn values<'a>(told: &'a [Asked], name: &str) -> Vec<&'a str> {
    let value = |asked: &'a Asked| asked.parameters.get(name).map_or("", String::as_str);
    told.iter().map(value).collect()
}

fn token(asked: &Asked) -> &str {
    &asked.headers["i-twilio-idempotency-token"]
}

#[test]
fn each_turn_is_told_once_in_order_and_signed() {
    let app = VoiceApp::serve(vec![Page::twiml("/status", "")]);
    let callee = callee(Sipp::new("uas_bye").holding(Duration::from_secs(2)));
    let server = Server::start(&Tenants::calling(callee.address));
    let call = place(
        &server,
        &app.url("/status"),
        "initiated&StatusCallbackEvent=ringing&StatusCallbackEvent=answered&StatusCallbackEvent=completed",
    );
    callee.succeed(LIMIT);
    let told = told(&app, &call, 4);
    assert_eq!(
        values(&told, "CallStatus"),
        ["initiated", "ringing", "in-progress", "completed"]
    );
    assert_eq!(values(&told, "SequenceNumber"), ["0", "1", "2", "3"]);
    assert_eq!(values(&told, "CallbackSource"), ["call-progress-events"; 4]);
    assert_eq!(values(&told, "SipResponseCode"), ["", "", "", "200"]);
    let duration = values(&told, "CallDuration")[3].parse::<u32>();
    assert!(
        duration.is_ok_and(|seconds| (2..=10).contains(&seconds)),
        "{told:?}"
    );
    assert!(
        told.iter()
            .all(|asked| asked.headers.contains_key("x-twilio-signature"))
    );
    let mut tokens: Vec<_> = told.iter().map(token).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 4);
    server.stop();
    assert_eq!(app.asked().len(), 4, "and no more");
}

/// The application is away while the call ends, and the server is killed before it comes back.
#[test]
fn a_callback_outlives_its_server() {
    let callee = callee(Sipp::new("uas_bye").holding(Duration::from_secs(1)));
    let mut server = Server::start(&Tenants::calling(callee.address));
    let port = ports::free();
    let url = format!("http://127.0.0.1:{port}/status");
    let call = place(&server, &url, "completed");
    callee.succeed(LIMIT);
    eventually("the call is over", LIMIT, || {
        (server.rest().newest_call()["status"] == "completed").then_some(())
    });
    server.kill_and_start_again();
    let app = VoiceApp::serve_at(port, vec![Page::twiml("/status", "")]);
    let told = told(&app, &call, 1);
    assert_eq!(values(&told, "CallStatus"), ["completed"]);
    server.stop();
}

/// The server is killed in the middle of calls: each is told to have ended, and whoever is told twice is told with the same token.
#[test]
fn calls_of_a_killed_server_are_told_to_have_ended() {
    let app = VoiceApp::serve(vec![Page::twiml("/status", "")]);
    let callee = callee(Sipp::new("uas_wait_bye").calling(4, 4));
    let mut server = Server::start(&Tenants::calling(callee.address));
    let calls: Vec<String> = (0..4)
        .map(|_| {
            place(
                &server,
                &app.url("/status"),
                "answered&StatusCallbackEvent=completed",
            )
        })
        .collect();
    for call in &calls {
        told(&app, call, 1);
    }
    server.kill_and_start_again();
    for call in &calls {
        let told = told_differently(&app, call, 2);
        assert_eq!(
            values(&told, "CallStatus"),
            ["in-progress", "completed"],
            "{told:?}"
        );
        assert_eq!(values(&told, "SequenceNumber"), ["0", "1"]);
    }
    server.stop();
}

#[test]
fn what_the_application_refuses_is_listed_and_sent_again_on_order() {
    let app = VoiceApp::serve(Vec::new());
    let callee = callee(Sipp::new("uas_refuse").with_status(486));
    let server = Server::start(&Tenants::calling(callee.address));
    let call = place(&server, &app.url("/status"), "completed");
    callee.succeed(LIMIT);
    let given_up: Value = eventually("it is given up", LIMIT, || {
        let (_, page) = server.rest().get("UndeliveredCallbacks.json");
        page["callbacks"].get(0).cloned()
    });
    assert_eq!(given_up["error"], "status 404", "{given_up}");
    assert_eq!(given_up["attempts"], 1);
    let path = format!("UndeliveredCallbacks/{}.json", given_up["id"]);
    let (status, again) = server.rest().post(&path, "");
    assert_eq!(status, 202, "{again}");
    let told = told(&app, &call, 2);
    assert_eq!(values(&told, "CallStatus"), ["busy", "busy"]);
    assert_eq!(token(&told[0]), token(&told[1]));
    server.stop();
}

/// A number's own callback tells of the end of each call that comes in.
#[test]
fn the_end_of_a_call_that_came_in_is_told() {
    let app = VoiceApp::serve(vec![Page::twiml("/status", "")]);
    let tenants =
        Tenants::with_numbers(vec![("1000", Flow::Component("menu"))]).telling(&app.url("/status"));
    let server = Server::start(&tenants);
    let caller = Sipp::new("uac_bye").dialling("1000").start(server.sip);
    caller.succeed(LIMIT);
    let call = server.rest().newest_call();
    let told = told(&app, call["sid"].as_str().expect("a SID"), 1);
    assert_eq!(values(&told, "CallStatus"), ["completed"]);
    assert_eq!(values(&told, "Direction"), ["inbound"]);
    server.stop();
    assert_eq!(app.asked().len(), 1);
}

/// The paths and statuses of a call's events, the oldest first.
fn events(server: &Server, call: &str) -> Vec<(String, u64)> {
    let (status, page) = server.rest().get(&format!("Calls/{call}/Events.json"));
    assert_eq!(status, 200, "{page}");
    let events = page["events"].as_array().expect("a list").iter();
    let event = |event: &Value| {
        let url = event["request"]["url"].as_str()?;
        let status = event["response"]["response_code"].as_u64()?;
        Some((url[url.rfind('/')?..].to_owned(), status))
    };
    events.rev().filter_map(event).collect()
}

/// What a call's document and callbacks were answered is read while it is up, and is there when it is over, each once.
#[test]
fn a_call_that_is_up_shows_what_was_asked_for_it() {
    let app = VoiceApp::serve(vec![Page::twiml("/voice", SILENCE)]);
    let callee = callee(Sipp::new("uas_wait_bye"));
    let server = Server::start(&Tenants::calling(callee.address));
    let form = format!(
        "To=%2B15005550100&From=1000&Url={}&StatusCallback={}&StatusCallbackEvent=answered&StatusCallbackEvent=completed",
        app.url("/voice"),
        app.url("/away")
    );
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    let call = call["sid"].as_str().expect("a SID").to_owned();
    let both = [("/away".to_owned(), 404), ("/voice".to_owned(), 200)];
    eventually("both were asked", LIMIT, || {
        let mut events = events(&server, &call);
        events.sort();
        (events == both).then_some(())
    });
    assert_eq!(server.rest().call(&call)["status"], "in-progress");
    let path = format!("Calls/{call}/Notifications.json");
    let (_, told) = server.rest().get(&path);
    assert_eq!(told["notifications"][0]["error_code"], "11200", "{told}");
    assert_eq!(told["notifications"][0]["request_url"], app.url("/away"));
    server.rest().end(&call);
    callee.succeed(LIMIT);
    eventually("the end was told too", LIMIT, || {
        (events(&server, &call).len() == 3).then_some(())
    });
    let mut all = events(&server, &call);
    all.sort();
    assert_eq!(all[..2], [both[0].clone(), both[0].clone()]);
    assert_eq!(all[2], both[1]);
    server.stop();
}

/// Documents and callbacks of a server that asks for digest authentication: each is asked for with the proof, and the application behind sees
/// it once.
#[test]
fn a_password_in_a_url_is_proved_by_digest_where_the_server_asks_for_it() {
    for hash in [Hash::Md5, Hash::Sha256] {
        let app = VoiceApp::serve(vec![
            Page::twiml("/voice", "<Response><Hangup/></Response>"),
            Page::twiml("/status", ""),
        ]);
        let door = DigestDoor::in_front_of(&app.url("/"), hash);
        let callee = callee(Sipp::new("uas_wait_bye"));
        let server = Server::start(&Tenants::calling(callee.address));
        let url = |path: &str| door.url(path).replace('%', "%25");
        let form = format!(
            "To=%2B15005550100&From=1000&Url={}&StatusCallback={}",
            url("/voice"),
            url("/status")
        );
        let (status, call) = server.rest().post("Calls.json", &form);
        assert_eq!(status, 201, "{call}");
        let call = call["sid"].as_str().expect("a SID");
        callee.succeed(LIMIT);
        let told = told(&app, call, 2);
        let paths: Vec<_> = told.iter().map(|asked| asked.path.as_str()).collect();
        assert_eq!(paths, ["/voice", "/status"], "{hash:?}");
        assert_eq!(values(&told, "CallStatus"), ["in-progress", "completed"]);
        for asked in &told {
            assert!(asked.headers.contains_key("x-twilio-signature"));
        }
        server.stop();
        assert_eq!(app.asked().len(), 2, "and no more");
    }
}

/// A wrong password opens nothing: the callback is given up, and says so without it.
#[test]
fn a_wrong_password_is_no_reason_to_try_again() {
    let app = VoiceApp::serve(vec![Page::twiml("/status", "")]);
    let door = DigestDoor::in_front_of(&app.url("/"), Hash::Md5);
    let callee = callee(Sipp::new("uas_refuse").with_status(486));
    let server = Server::start(&Tenants::calling(callee.address));
    let url = door.url_with_password("/status", "hunter2");
    place(&server, &url.replace('%', "%25"), "completed");
    callee.succeed(LIMIT);
    let given_up: Value = eventually("it is given up", LIMIT, || {
        let (_, page) = server.rest().get("UndeliveredCallbacks.json");
        page["callbacks"].get(0).cloned()
    });
    assert_eq!(given_up["error"], "status 401", "{given_up}");
    assert_eq!(given_up["attempts"], 1);
    assert_eq!(app.asked().len(), 0);
    server.stop();
}
