//! An account's own routing policy says over which trunks its calls go, over real SIP; one that breaks leaves it to the built-in order.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use jackfield_interop::command_line::run;
use jackfield_interop::plugins::{breaking, plugin_in, succeed};
use jackfield_interop::process::eventually;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Flow, Server, Tenants, binary};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
const CALLED: &str = "+15005550001";
const SHORT: &str = r#"<Response><Pause length="1"/></Response>"#;

fn callee(sipp: Sipp) -> RunningSipp {
    let nowhere: SocketAddr = (Ipv4Addr::LOCALHOST, 9).into();
    sipp.start(nowhere).listening()
}

/// By the built-in order calls go over `peer`, whose prefix is longer, and then over `second`.
fn server(peer: SocketAddr, second: SocketAddr, account: &str) -> Server {
    let trunks = format!(
        "target = \"{peer}\"\nprefixes = [\"+1500555\"]\n\n\
         [[trunk]]\nid = \"second\"\ncarrier = \"interop\"\ntarget = \"{second}\"\n\
         max_channels = 9\ncalls_per_second = 50.0\n"
    );
    let number = |number| (number, Flow::Component("menu"));
    let tenants = Tenants::over_trunk(&trunks, vec![number("1000"), number("1001")]);
    Server::start(&Tenants {
        account: format!("grants = {{ settings = [\"*\"] }}\n{account}"),
        ..tenants
    })
}

fn attempts(rest: &Rest, sid: &str) -> Vec<Value> {
    let path = format!("/v1/Accounts/{}/Calls/{sid}/Attempts", rest.account_sid);
    let (status, answer) = rest.get(&path);
    assert_eq!(status, 200, "{answer}");
    answer["attempts"].as_array().expect("a list").clone()
}

#[test]
fn the_accounts_policy_chooses_the_trunks_and_what_is_shown_and_dialled() {
    let first = callee(Sipp::new("uas_wait_bye"));
    let second = callee(Sipp::new("uas_refuse").with_status(503));
    let settings = "settings = { \"price.peer\" = \"+ 0.5\", \"price.second\" = \"+ 0.1\", \
                    \"caller-id.second\" = \"1001\", \"dial-prefix.second\" = \"00\" }";
    let server = server(first.address, second.address, settings);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugins");
    let push = ["push", "--folder", "least-cost-routing"];
    let (pushed, told) = plugin_in(&examples, &server, &push);
    assert!(pushed, "{told}");
    let explain = ["route", "explain", "--to", CALLED, "--from", "1000"];
    let explained = run(&server, &explain).expect("an explanation");
    for words in [
        "a call to +15005550001 goes over second now",
        "  1. peer: serves numbers that begin with +1500555;",
        "routing policy least-cost-routing, version 1, chooses:",
        "  1. second: 0.1",
        "; shows 1001; dials 0015005550001",
        "  2. peer: 0.5",
    ] {
        assert!(explained.contains(words), "{words}:\n{explained}");
    }

    let rest = server.rest();
    let sid = rest.place("1000", CALLED, SHORT);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
    let tried = attempts(&rest, &sid);
    let short = tried.iter().map(|one| json!([one["trunk"], one["result"]]));
    let expected = [
        json!(["second", "failed-over"]),
        json!(["peer", "completed"]),
    ];
    assert_eq!(short.collect::<Vec<_>>(), expected);
    for (one, price) in tried.iter().zip(["0.1", "0.5"]) {
        let by = json!({ "plugin": "least-cost-routing", "version": 1 });
        assert_eq!(one["chosen_by"], by);
        let why = one["chosen_because"].as_str().expect("a reason");
        assert!(why.contains(price), "{why}");
    }
    let (cheap, dear) = (second.succeed(LIMIT), first.succeed(LIMIT));
    let asked = cheap.text();
    assert!(asked.contains("INVITE sip:0015005550001@"), "{asked}");
    assert!(asked.contains("sip:1001@"), "{asked}");
    let asked = dear.text();
    assert!(asked.contains("INVITE sip:+15005550001@"), "{asked}");
    assert!(asked.contains("sip:1000@"), "{asked}");

    // In thought, with the prices the other way round, it goes over the other trunk first; as they were, nothing changes.
    let component = binary()
        .with_file_name("plugin-author")
        .join("wasm32-wasip2/release/least_cost_routing.wasm");
    let component = component.display().to_string();
    let try_it = [
        "route",
        "try",
        &component,
        "--since",
        "2026-01-01T00:00:00Z",
    ];
    let prices = |peer: &str, second: &str| {
        let peer = format!("price.peer=+ {peer}");
        let second = format!("price.second=+ {second}");
        let options = ["--set", &peer, "--set", &second, "--json"];
        let told = run(&server, &[&try_it[..], &options[..]].concat()).expect("it is tried");
        serde_json::from_str::<Value>(&told).expect("JSON")
    };
    let as_it_was = prices("0.5", "0.1");
    assert_eq!(
        [
            &as_it_was["asked"],
            &as_it_was["same"],
            &as_it_was["left_out"]
        ],
        [1, 1, 0],
        "{as_it_was}"
    );
    let other = prices("0.1", "0.5");
    assert_eq!([&other["asked"], &other["another"]], [1, 1], "{other}");
    assert_eq!(
        other["first_trunk"]["peer"],
        json!({ "really": 0, "policy": 1 })
    );
    let difference = &other["differences"][0];
    assert_eq!(
        (&difference["call_sid"], &difference["to"]),
        (&json!(sid), &json!(CALLED))
    );
    assert_eq!(difference["really"], "second (congestion), peer (answered)");
    let policy = difference["policy"].as_str().expect("words");
    assert!(policy.starts_with("peer (0.1"), "{policy}");
    let wrong = [
        "--set",
        "price.second=+ 0.1",
        "--set",
        "caller-id.second=999",
    ];
    let shown = run(&server, &[&try_it[..], &wrong[..]].concat()).expect("it is tried");
    assert!(
        shown.contains("        1  its answer cannot be followed: attempt 1 shows a number that is not the account's\n"),
        "{shown}"
    );
    assert!(shown.contains("\n1 calls, 0 left out;"), "{shown}");
    eprintln!("{shown}");
    let nobody = [
        "route",
        "try",
        &component,
        "--since",
        "2100-01-01T00:00:00Z",
    ];
    let refused = run(&server, &nobody).unwrap_err();
    assert!(refused.contains("there are no calls of which"), "{refused}");
    server.stop();
}

/// Of numbers that begin with +1, which no test before an upload calls: traps for those that end in 1, computes for ever for 2, plans no
/// attempt for 3, and refuses the others.
fn broken() -> Vec<u8> {
    let text = breaking(
        "jackfield:routing/policy@0.1.0#route",
        "not today",
        r"
        (if (i32.eq (local.get $last) (i32.const 51)) (then
          (return (i32.const 264))))
        (i32.store8 (i32.const 272) (i32.const 2))
        (i32.store (i32.const 280) (i32.const 512))
        (i32.store (i32.const 284) (i32.const 9))",
    );
    zoo::policy(&text).expect("it is a policy")
}

#[test]
fn a_policy_that_breaks_leaves_it_to_the_built_in_order_and_one_that_refuses_is_followed() {
    let first = callee(Sipp::new("uas_refuse").with_status(486).calling(3, 10));
    let server = server(first.address, (Ipv4Addr::LOCALHOST, 9).into(), "");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hasty.wasm");
    std::fs::write(&file, broken()).expect("a file");
    let file = file.display().to_string();
    succeed(&server, &["push", "--component", &file]);
    // However often somebody asks, it does not count.
    let trap = ["route", "explain", "--to", "+15005550001", "--from", "1000"];
    for _ in 0..7 {
        let explained = run(&server, &trap).expect("an explanation");
        let words = "decides nothing, the built-in order holds: it trapped";
        assert!(explained.contains(words), "{explained}");
    }
    let rest = server.rest();
    for called in ["+15005550001", "+15005550002", "+15005550003"] {
        let sid = rest.place("1000", called, SHORT);
        assert_eq!(rest.ended(&sid, LIMIT)["status"], "busy", "{called}");
        let tried = attempts(&rest, &sid);
        assert_eq!(tried.len(), 1, "{called}");
        assert_eq!(tried[0]["trunk"], "peer", "{called}");
        assert_eq!(tried[0]["chosen_by"], Value::Null, "{called}");
    }
    first.succeed(LIMIT);
    let told = "routing policy `hasty` did not decide, the built-in order did: ";
    let lines = eventually("each failure is told", LIMIT, || {
        let lines = succeed(&server, &["logs", "hasty"]);
        (lines.matches(told).count() == 3).then_some(lines)
    });
    for why in ["trapped", "computed for too long", "plans 0 attempts"] {
        assert!(lines.contains(why), "{why}:\n{lines}");
    }

    let refused = "+15005550009";
    let sid = rest.place("1000", refused, SHORT);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "failed");
    assert_eq!(attempts(&rest, &sid), [Value::Null; 0]);
    let explain = ["route", "explain", "--to", refused, "--from", "1000"];
    let explained = run(&server, &explain).expect("an explanation");
    let words = "routing policy hasty, version 1, refuses it: not today";
    assert!(explained.contains(words), "{explained}");
    assert!(
        explained.starts_with("a call to +15005550009 is not dialled"),
        "{explained}"
    );
    server.stop();
}

/// What a story dials is the policy's to route, too: the caller ID that is shown is the policy's.
#[test]
fn the_policy_is_asked_about_what_a_story_dials() {
    let first = callee(Sipp::new("uas_wait_bye").calling(2, 10));
    let second = callee(Sipp::new("uas_wait_bye"));
    let settings = "settings = { \"price.peer\" = \"+ 0.1\", \"price.second\" = \"+ 0.5\", \
                    \"caller-id.peer\" = \"1001\" }";
    let server = server(first.address, second.address, settings);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugins");
    let push = ["push", "--folder", "least-cost-routing"];
    let (pushed, told) = plugin_in(&examples, &server, &push);
    assert!(pushed, "{told}");
    let rest = server.rest();
    let dial = r#"<Response><Dial timeLimit="1"><Number>+15005550002</Number></Dial></Response>"#;
    let sid = rest.place("1000", CALLED, dial);
    assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
    let mut calls = rest.calls();
    calls.retain(|call| call["parent_call_sid"] == *sid);
    let [child] = calls.as_slice() else {
        panic!("one call is dialled: {calls:?}");
    };
    for sid in [&*sid, child["sid"].as_str().expect("a SID")] {
        let tried = attempts(&rest, sid);
        let [one] = tried.as_slice() else {
            panic!("one attempt: {tried:?}");
        };
        assert_eq!(
            json!([one["trunk"], one["result"]]),
            json!(["peer", "completed"])
        );
        let by = json!({ "plugin": "least-cost-routing", "version": 1 });
        assert_eq!(one["chosen_by"], by);
        let why = one["chosen_because"].as_str().expect("a reason");
        assert!(why.contains("0.1"), "{why}");
    }
    let heard = first.succeed(LIMIT);
    let asked = heard.text();
    assert!(asked.contains("INVITE sip:+15005550002@"), "{asked}");
    assert!(asked.contains("sip:1001@"), "{asked}");
    assert!(!asked.contains("sip:1000@"), "{asked}");
}
