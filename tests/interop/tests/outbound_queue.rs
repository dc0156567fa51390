//! The queue of an account's outbound calls, in the hands of the account and of the operator: by the command line of a running server.

use std::process::Command;
use std::time::Duration;

use jackfield_interop::broadcasts::number;
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::command_line::{run, run_with};
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Server, Tenants};
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const SHORT: &str = r#"<Response><Pause length="1"/></Response>"#;

#[test]
fn a_queue_is_stopped_looked_at_cancelled_and_resumed() {
    let callees = Callees::start(|_, _| Manner::Answers);
    let mut server = Server::start(&Tenants::calling(callees.address));
    let token = server.operator_token();
    let stopped = run_with(&server, &token, &["queue", "stop", "--operator"]).expect("it stops");
    assert!(stopped.starts_with("stopped, 0 waiting\n"), "{stopped}");
    let rest = server.rest();
    let calls: Vec<String> = (0..3)
        .map(|of| rest.place("1000", &number(of), SHORT))
        .collect();
    let form = format!("To=%2B15005550009&From=1000&Priority=bulk&Twiml={SHORT}");
    let (status, bulk) = rest.post("Calls.json", &form);
    assert_eq!(status, 201, "{bulk}");
    // It stays so over a kill, whoever looks.
    server.kill_and_start_again();
    let shown = eventually("the queue is read", LIMIT, || {
        let shown = run(&server, &["queue", "show"]).ok()?;
        shown.starts_with("stopped, 4 waiting\n").then_some(shown)
    });
    assert!(
        shown.contains("  normal: 3 due, 0 later\n  bulk: 1 due, 0 later\n"),
        "{shown}"
    );
    let told =
        run_with(&server, &token, &["queue", "show", "--json", "--operator"]).expect("it is shown");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        (&told["state"], &told["waiting"]),
        (&"stopped".into(), &4.into())
    );
    let cancel = ["queue", "cancel", "--priority", "bulk"];
    let by_operator = [&cancel[..], &["--operator"]].concat();
    let cancelled = run_with(&server, &token, &by_operator).expect("it is cancelled");
    assert!(
        cancelled.starts_with("1 canceled\nstopped, 3 waiting\n"),
        "{cancelled}"
    );
    let bulk = bulk["sid"].as_str().expect("a SID");
    assert_eq!(server.rest().ended(bulk, LIMIT)["status"], "canceled");
    let again = run(&server, &cancel).expect("there is none of it left");
    assert!(
        again.starts_with("0 canceled\nstopped, 3 waiting\n"),
        "{again}"
    );
    let low = run(&server, &["queue", "cancel", "--priority", "low"]).unwrap_err();
    assert!(low.contains("emergency"), "{low}");
    assert!(callees.called().is_empty(), "nobody was called");
    let wrong = run_with(&server, "guessed", &["queue", "resume", "--operator"]).unwrap_err();
    assert!(wrong.contains("operator key"), "{wrong}");
    let resumed = run(&server, &["queue", "resume"]).expect("it goes on");
    assert!(resumed.starts_with("running, "), "{resumed}");
    for sid in &calls {
        assert_eq!(server.rest().ended(sid, LIMIT)["status"], "completed");
    }
    let called: Vec<String> = callees.called().into_keys().collect();
    assert_eq!(called, [0, 1, 2].map(number));
    let explain = ["route", "explain", "--to", &number(0), "--from", "1000"];
    let explained = run(&server, &explain).expect("an explanation");
    assert!(
        explained.starts_with("a call to +15005550000 goes over peer now\n"),
        "{explained}"
    );
    server.stop();
}

/// `seconds` from now, as the API takes it.
fn in_seconds(seconds: u32) -> String {
    let mut date = Command::new("date");
    date.args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d"]);
    let output = date.arg(format!("+{seconds} seconds")).output();
    let output = output.expect("date runs").stdout;
    String::from_utf8(output).expect("text").trim().to_owned()
}

/// It tells of nothing but its end, also where the server is started anew behind it.
#[test]
fn a_call_that_expires_in_the_queue_tells_its_end_once() {
    let app = VoiceApp::serve(vec![Page::twiml("/told", "")]);
    let callees = Callees::start(|_, _| Manner::Answers);
    let mut server = Server::start(&Tenants::calling(callees.address));
    run(&server, &["queue", "stop"]).expect("it stops");
    let events = ["initiated", "ringing", "answered", "completed"];
    let events = events.map(|event| format!("&StatusCallbackEvent={event}"));
    let form = format!(
        "To={to}&From=1000&Twiml={SHORT}&ExpiresAt={end}&StatusCallback={told}{events}",
        to = number(1).replace('+', "%2B"),
        end = in_seconds(6),
        told = app.url("/told"),
        events = events.concat(),
    );
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    let sid = call["sid"].as_str().expect("a SID");
    assert_eq!(server.rest().ended(sid, LIMIT)["status"], "failed");
    eventually("its end is told", LIMIT, || {
        (!app.asked().is_empty()).then_some(())
    });
    let undelivered = || server.rest().get("UndeliveredCallbacks.json").1;
    assert_eq!(undelivered()["callbacks"], Value::Array(Vec::new()));
    server.stop_and_start_again();
    run(&server, &["queue", "resume"]).expect("it goes on");
    let (_, again) = server.rest().get(&format!("Calls/{sid}.json"));
    assert_eq!(again["status"], "failed");
    server.stop();
    let asked = app.asked();
    let told: Vec<_> = asked.iter().map(|asked| &asked.parameters).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["CallSid"], sid);
    assert_eq!(told[0]["CallStatus"], "failed");
    assert_eq!(told[0]["SequenceNumber"], "0");
    assert_eq!(told[0]["CallDuration"], "0");
    assert!(callees.called().is_empty(), "nobody was called");
}
