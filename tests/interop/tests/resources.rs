//! Every resource of the API, through Twilio's official helper libraries for Python and Node: created, listed over several pages, read,
//! changed and deleted.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::helper_library;
use jackfield_interop::needs;
use jackfield_interop::process::eventually;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::stream_app::StreamApp;
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
/// Free numbers: two local ones, a mobile one, one that is free of charge. The libraries take them by these lists.
const POOL: [&str; 4] = [
    "+14155550123",
    "+14155550124",
    "+8562055500001",
    "+18005550123",
];

/// What both scripts print, step by step. Of a list: how many things there are, in how many pages, and that they are those of one large page.
fn expected() -> Vec<(&'static str, Value)> {
    vec![
        ("call created", json!(["outbound-api", true])),
        ("calls", json!([6, 3, true])),
        ("two pages of calls on, and back", json!([true])),
        ("a call to nobody", json!([400, 21211])),
        (
            "recording of a call created",
            json!(["in-progress", "StartCallRecordingAPI", 2]),
        ),
        ("recording paused", json!(["paused"])),
        ("recording resumed", json!(["in-progress"])),
        ("recordings of a call", json!([2, 2, true])),
        ("recording of a call deleted", json!([true])),
        ("a deleted recording of a call", json!([404, 20404])),
        ("recordings", json!([2, 2, true])),
        ("recording", json!([true])),
        ("recording deleted", json!([true])),
        ("a deleted recording", json!([404, 20404])),
        ("stream created", json!(["in-progress", "ear"])),
        ("stream stopped", json!(["stopped"])),
        ("a stream that is over", json!([404, 20404])),
        ("events of a call", json!([3, 3, true])),
        ("notifications of a call", json!([2, 2, true])),
        ("notification of a call", json!(["12200"])),
        ("notifications", json!([2, 2, true])),
        ("notification", json!([true])),
        ("a notification of nothing", json!([404, 20404])),
        ("a call that is over", json!([400, 21220])),
        ("call deleted", json!([true])),
        ("a deleted call", json!([404, 20404])),
        ("conferences", json!([2, 2, true])),
        ("conference", json!(["weekly"])),
        ("participants", json!([2, 2, true])),
        ("participant", json!(["first", true])),
        ("participant created", json!(["guest"])),
        ("a label that is taken", json!([400, 16026])),
        ("a label with a slash", json!([400, 16024])),
        ("a coach of nobody", json!([400, 16028])),
        ("participants with a guest", json!([3, 2, true])),
        ("participant deleted", json!([true])),
        ("a participant who was removed", json!([404, 20404])),
        ("recordings of a conference", json!([1, 1, true])),
        ("recording of a conference paused", json!(["paused"])),
        ("recording of a conference deleted", json!([true])),
        ("a deleted recording of a conference", json!([404, 20404])),
        ("conference ended", json!(["completed"])),
        ("a participant of what is over", json!([404, 20404])),
        ("queues", json!([3, 2, true])),
        ("queue", json!(["gold", 5])),
        ("members", json!([2, 2, true])),
        ("member", json!([true, 1])),
        ("a member who is not there", json!([404, 20404])),
        ("queue deleted", json!([true])),
        ("queue deleted", json!([true])),
        ("a deleted queue", json!([404, 20404])),
        ("applications", json!([3, 2, true])),
        ("application", json!(["http://b/", "app 0"])),
        ("applications deleted", json!([[true, true, true]])),
        ("a deleted application", json!([404, 20404])),
        ("countries", json!([2, 2, true])),
        ("country", json!(["US"])),
        ("free local numbers", json!([2, 2, true])),
        ("free mobile numbers", json!([1, 1, true])),
        ("free toll-free numbers", json!([1, 1, true])),
        ("numbers created", json!([true])),
        ("numbers", json!([8, 3, true])),
        ("local numbers", json!([2, 2, true])),
        ("mobile numbers", json!([1, 1, true])),
        ("toll-free numbers", json!([1, 1, true])),
        ("number", json!(["desk", "desk"])),
        ("numbers deleted", json!([[true, true, true, true]])),
        ("a released number", json!([404, 20404])),
        ("caller IDs", json!([3, 2, true])),
        ("caller ID", json!(["desk", "desk"])),
        ("caller ID deleted", json!([true])),
        ("a deleted caller ID", json!([404, 20404])),
        ("a caller ID of one's own", json!([400, 20001])),
        ("keys", json!([2, 2, true])),
        ("key", json!(["shop", "shop"])),
        ("keys deleted", json!([[true, true]])),
        ("a deleted key", json!([404, 20404])),
        ("message created", json!(["sent"])),
        ("a message that says nothing", json!([400, 21602])),
        ("usage", json!([4, 4, true])),
        ("usage of nothing", json!([400, 20001])),
        ("accounts", json!([3, 3, true])),
        ("account", json!(["shop", "shop"])),
        ("accounts closed", json!([["closed", "closed"]])),
        ("a foreign account", json!([404, 20404])),
    ]
}

/// The requests of the page about the libraries: `METHOD path`.
fn documented() -> BTreeSet<String> {
    let page = needs::workspace().join("docs/book/helper-libraries.md");
    let page = std::fs::read_to_string(page).expect("the page is in the repository");
    let (page, _) = page
        .split_once("## What is not there")
        .expect("it says what is not there");
    let rows = page.lines().filter_map(|line| {
        let (path, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (methods, _) = rest.split_once(" |")?;
        Some(
            methods
                .split(' ')
                .map(move |method| format!("{method} {path}")),
        )
    });
    rows.flatten().collect()
}

fn in_conference(name: &str, label: &str) -> Flow {
    Flow::Twiml(format!(
        "<Response><Dial><Conference participantLabel=\"{label}\" record=\"record-from-start\">{name}</Conference></Dial></Response>"
    ))
}

/// Who calls in: three into two conferences, of which one has begun and is recorded, and two into a queue.
fn callers(server: &Server) -> Vec<RunningSipp> {
    let call = |number| Sipp::new("uac_wait_bye").dialling(number).start(server.sip);
    let callers = ["1000", "1001", "1002", "1002", "1003"].map(call);
    let rest = server.rest();
    eventually("all are where they belong", LIMIT, || {
        let (_, list) = rest.get("Conferences.json");
        let all = list["conferences"].as_array()?;
        let weekly = all.iter().find(|one| one["status"] == "in-progress")?;
        let sid = weekly["sid"].as_str()?;
        let (_, recorded) = rest.get(&format!("Conferences/{sid}/Recordings.json"));
        let (_, queues) = rest.get("Queues.json");
        let is_complete = all.len() == 2
            && recorded["recordings"].as_array()?.len() == 1
            && queues["queues"][0]["current_size"] == 2;
        is_complete.then_some(())
    });
    callers.into()
}

fn steps_of(run: fn(&Rest, &[&str]) -> Vec<Value>) {
    let app = VoiceApp::serve(vec![
        Page::twiml(
            "/voice",
            "<Response><Play loop=\"0\">menu.wav</Play></Response>",
        ),
        Page::twiml(
            "/bye",
            "<Response><Pause length=\"1\" odd=\"1\"/><Hangup odd=\"1\"/></Response>",
        ),
        Page::twiml("/told", ""),
        Page::json("/connector", "{}"),
        Page::prompt("menu"),
    ]);
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").calling(2, 2);
    let callee = callee.start(nobody).listening();
    let mut tenants = Tenants::calling(callee.address);
    tenants.numbers = vec![
        ("1000", in_conference("weekly", "first")),
        ("1001", in_conference("weekly", "second")),
        (
            "1002",
            Flow::Twiml("<Response><Enqueue>support</Enqueue></Response>".to_owned()),
        ),
        ("1003", in_conference("daily", "first")),
    ];
    tenants.account = format!(
        "settings = {{ message-url = \"{}\" }}",
        app.url("/connector")
    );
    let server = Server::start(&tenants);
    let rest = server.rest();
    let streams = StreamApp::start(&rest.auth_token);
    let pool = format!("number_pool={}", json!(POOL));
    let filled = server.operate(&["carriers", "update", "interop", &pool]);
    assert!(filled.contains(POOL[0]), "{filled}");
    for number in ["+15005550197", "+15005550198", "+15005550199"] {
        let account = format!("account={}", rest.account_sid);
        let made = server.operate(&[
            "caller-ids",
            "create",
            &account,
            &format!("number={number}"),
        ]);
        assert!(made.contains(number), "{made}");
    }
    let callers = callers(&server);
    let given = json!({
        "to": "+15005550100",
        "from": "1000",
        "voice": app.url("/voice"),
        "bye": app.url("/bye"),
        "told": app.url("/told"),
        "stream": streams.url("/ear"),
        "pool": POOL,
    });
    let mut seen = run(&rest, &[&given.to_string()]);

    let requests = seen.pop().expect("the last line has the requests");
    let requests = requests["values"].as_array().expect("a list").iter();
    let requests: BTreeSet<_> = requests
        .filter_map(|request| Some(request.as_str()?.to_owned()))
        .collect();
    let steps: Vec<_> = seen
        .iter()
        .map(|line| {
            (
                line["step"].as_str().unwrap_or_default(),
                line["values"].clone(),
            )
        })
        .collect();
    for (step, expected) in steps.iter().zip(expected()) {
        assert_eq!(*step, expected);
    }
    assert_eq!(steps.len(), expected().len(), "{steps:?}");
    assert_eq!(requests, documented(), "what is asked is what the page has");
    callee.succeed(LIMIT);
    // Who is alone in a conference waits for ever; the others are on their way out.
    let (_, alone) = rest.get("Calls.json?To=1003");
    let alone = alone["calls"].as_array().expect("a list");
    assert_eq!(alone.len(), 1, "{alone:?}");
    rest.end(alone[0]["sid"].as_str().expect("a SID"));
    for caller in callers {
        caller.succeed(LIMIT); // each waits for our BYE
    }
    server.stop();
}

#[test]
fn every_resource_is_walked_through_from_python() {
    steps_of(|user, given| helper_library::run("resources.py", user, given));
}

#[test]
fn every_resource_is_walked_through_from_node() {
    steps_of(|user, given| helper_library::run_in_node("resources.mjs", user, given));
}
