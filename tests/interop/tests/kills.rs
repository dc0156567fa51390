//! The server is killed again and again while an application makes calls: what was accepted comes to its end, and its end is told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(120);
/// How often it is killed; `JACKFIELD_KILLS` says otherwise.
const KILLS: u64 = 20;
/// Between two orders of one of the two who give them: less than the 50 calls a second that may begin.
const PACE: Duration = Duration::from_millis(50);

/// Orders calls until the server is gone: the SIDs of those that were accepted.
fn order(rest: &Rest, form: &str) -> Vec<String> {
    let mut accepted = Vec::new();
    while let Ok((status, call)) = rest.try_post("Calls.json", form) {
        assert_eq!(status, 201, "{call}");
        accepted.push(call["sid"].as_str().expect("a SID").to_owned());
        thread::sleep(PACE);
    }
    accepted
}

/// The callbacks of each call.
fn by_call(asked: Vec<Asked>) -> BTreeMap<String, Vec<Asked>> {
    let mut calls = BTreeMap::<String, Vec<Asked>>::new();
    for asked in asked {
        let call = asked.parameters["CallSid"].clone();
        calls.entry(call).or_default().push(asked);
    }
    calls
}

/// These calls, and those whose 201 was lost with a server: every one that the server knows.
fn with_those_nobody_heard_of(rest: &Rest, accepted: Vec<String>) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut page = format!(
        "/2010-04-01/Accounts/{}/Calls.json?PageSize=1000",
        rest.account_sid
    );
    loop {
        let (status, list) = rest.get(&page);
        assert_eq!(status, 200, "{list}");
        for call in list["calls"].as_array().expect("a list") {
            known.insert(call["sid"].as_str().expect("a SID").to_owned());
        }
        match list["next_page_uri"].as_str() {
            Some(next) => next.clone_into(&mut page),
            None => break,
        }
    }
    let accepted: BTreeSet<String> = accepted.into_iter().collect();
    assert!(
        accepted.is_subset(&known),
        "a call that was accepted is not there"
    );
    known
}

#[test]
fn no_call_and_no_callback_is_lost() {
    let kills =
        std::env::var("JACKFIELD_KILLS").map_or(KILLS, |kills| kills.parse().expect("a number"));
    let app = VoiceApp::serve(vec![Page::twiml("/status", "")]);
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_bye")
        .holding(Duration::from_millis(300))
        .calling(1_000_000, 100)
        .start(nobody)
        .listening();
    let mut server = Server::start(&Tenants::calling(callee.address));
    let form = format!(
        "To=%2B15005550100&From=1000&Twiml=<Response><Pause length=\"5\"/></Response>&StatusCallback={}",
        app.url("/status")
    );
    let mut accepted = Vec::new();
    for round in 0..kills {
        let rest = server.rest();
        let orders = [(); 2].map(|()| {
            let (rest, form) = (rest.clone(), form.clone());
            thread::spawn(move || order(&rest, &form))
        });
        // Some hundred milliseconds, each time others.
        thread::sleep(Duration::from_millis(200 + round * 137 % 500));
        server.kill_and_start_again();
        for order in orders {
            accepted.extend(order.join().expect("whoever orders does not panic"));
        }
    }
    let count = accepted.len();
    assert!(count as u64 > kills, "{count} calls");
    let accepted = with_those_nobody_heard_of(&server.rest(), accepted);
    let ended: BTreeMap<&String, String> = accepted
        .iter()
        .map(|sid| {
            let call = server.rest().ended(sid, LIMIT);
            (sid, call["status"].as_str().expect("a status").to_owned())
        })
        .collect();
    let told = eventually("each end was told", LIMIT, || {
        let told = by_call(app.asked());
        accepted
            .iter()
            .all(|sid| told.contains_key(sid))
            .then_some(told)
    });
    let mut again = 0;
    for (sid, status) in &ended {
        let told = &told[*sid];
        let first = &told[0];
        assert_eq!(first.parameters["CallStatus"], *status, "{sid}");
        for other in told {
            assert_eq!(other.parameters, first.parameters, "{sid}");
            let token = "i-twilio-idempotency-token";
            assert_eq!(other.headers[token], first.headers[token], "{sid}");
        }
        again += told.len() - 1;
    }
    let lost = ended.values().filter(|status| *status == "failed").count();
    eprintln!(
        "{kills} kills: {} calls, {lost} of them lost before an answer, {again} callbacks told again with their token",
        ended.len()
    );
    drop(callee);
    server.stop();
}

/// While it waits for its last call to end, no call that waits takes the channel that comes free; it is dialled after the next start.
#[test]
fn a_server_that_is_asked_to_stop_begins_no_call_that_waits() {
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").calling(2, 10).start(nobody);
    let callee = callee.listening();
    let trunk = format!(
        "target = \"{}\"\nchannels_by_prefix = {{ \"+1500555\" = 1 }}\n",
        callee.address
    );
    let numbers = vec![("1000", Flow::Component("menu"))];
    let mut server = Server::start(&Tenants::over_trunk(&trunk, numbers));
    let rest = server.rest();
    let paused = |seconds: u32| format!("<Response><Pause length=\"{seconds}\"/></Response>");
    let goes_on = rest.place("1000", "+15005550001", &paused(3));
    rest.wait_for(&goes_on, "in-progress", LIMIT);
    let waits = rest.place("1000", "+15005550002", &paused(60));
    server.stop_and_start_again();
    let rest = server.rest();
    assert_eq!(rest.ended(&goes_on, LIMIT)["status"], "completed");
    rest.wait_for(&waits, "in-progress", LIMIT);
    rest.end(&waits);
    assert_eq!(rest.ended(&waits, LIMIT)["status"], "completed");
    callee.succeed(LIMIT);
    let path = format!("/v1/Accounts/{}/Calls/{waits}/Attempts", rest.account_sid);
    let (status, answer) = rest.get(&path);
    assert_eq!(status, 200, "{answer}");
    let attempts = answer["attempts"].as_array().expect("a list");
    assert_eq!(attempts.len(), 1, "{answer}");
    server.stop();
}
