//! Limits of an account and of a trunk while two hundred requests of the API race for them.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use jackfield_interop::broadcasts::number;
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::command_line::run;
use jackfield_interop::server::{Flow, Server, Tenants};
use serde_json::Value;

const AT_ONCE: usize = 200;
const LIMIT: Duration = Duration::from_secs(180);
const SHORT: &str = "<Response><Hangup/></Response>";

/// As many `POST Calls` as race, all at the same time: the status and the answer of each.
fn race(server: &Server) -> Vec<(u16, Value)> {
    let barrier = Barrier::new(AT_ONCE);
    thread::scope(|scope| {
        let posts: Vec<_> = (0..AT_ONCE)
            .map(|of| {
                let (rest, barrier) = (server.rest(), &barrier);
                scope.spawn(move || {
                    let to = number(of).replace('+', "%2B");
                    let form = format!("To={to}&From=1000&Twiml={SHORT}");
                    barrier.wait();
                    rest.post("Calls.json", &form)
                })
            })
            .collect();
        let ends = posts.into_iter().map(|post| post.join());
        ends.map(|end| end.expect("it is answered")).collect()
    })
}

/// How often each status came.
fn statuses(answers: &[(u16, Value)]) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for (status, _) in answers {
        *statuses.entry(*status).or_default() += 1;
    }
    statuses
}

fn outbound(limits: &str) -> String {
    format!("outbound = {{ allow = [\"+1500555\"], calls_per_second = 100.0, {limits} }}\n")
}

#[test]
fn no_more_calls_wait_than_may_however_many_are_ordered_at_once() {
    const MAY_WAIT: usize = 20;
    let callees = Callees::start(|_, _| Manner::Answers);
    let server = Server::start(&Tenants {
        account: outbound(&format!("max_channels = 10, max_waiting = {MAY_WAIT}")),
        ..Tenants::calling(callees.address)
    });
    run(&server, &["queue", "stop"]).expect("it stops");
    let answers = race(&server);
    let counts = statuses(&answers);
    let waiting = counts.get(&201).copied().unwrap_or(0);
    let refused = counts.get(&429).copied().unwrap_or(0);
    assert_eq!(waiting + refused, AT_ONCE, "{counts:?}");
    assert!(waiting <= MAY_WAIT, "{counts:?}");
    for (status, answer) in &answers {
        assert!(*status == 201 || answer["code"] == 20429, "{answer}");
    }
    // What was left free while others were being written down is there afterwards.
    for of in waiting..MAY_WAIT {
        let sid = server.rest().place("1000", &number(of), SHORT);
        assert!(sid.starts_with("CA"), "{sid}");
    }
    let form = format!("To=%2B15005550001&From=1000&Twiml={SHORT}");
    let (status, _) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 429, "all places are taken");
    let shown = run(&server, &["queue", "show"]).expect("it is shown");
    let all = format!("stopped, {MAY_WAIT} waiting\n");
    assert!(shown.starts_with(&all), "{shown}");
    assert!(callees.called().is_empty());
    server.stop();
}

/// The far end has as many lines as the limit says, and refuses whoever comes beyond them.
fn never_exceeds(lines: usize, trunk: &str, account: &str) {
    let callees = Callees::with_lines(lines);
    let trunk = format!("target = \"{}\"\n{trunk}", callees.address);
    let server = Server::start(&Tenants {
        account: outbound(account),
        ..Tenants::over_trunk(&trunk, vec![("1000", Flow::Component("menu"))])
    });
    let answers = race(&server);
    assert_eq!(statuses(&answers), BTreeMap::from([(201, AT_ONCE)]));
    for (_, call) in &answers {
        let sid = call["sid"].as_str().expect("a SID");
        let ended = server.rest().ended(sid, LIMIT);
        assert_eq!(ended["status"], "completed", "{ended}");
    }
    assert_eq!(callees.called().len(), AT_ONCE);
    assert_eq!(callees.refused(), 0, "more calls than lines");
    server.stop();
}

#[test]
fn channels_of_a_trunk_are_never_exceeded() {
    never_exceeds(5, "max_channels = 5\n", "max_channels = 50");
}

#[test]
fn channels_of_an_account_are_never_exceeded() {
    never_exceeds(5, "max_channels = 50\n", "max_channels = 5");
}
