//! What cases must look like, and how answers are compared with them.

use std::time::Duration;

use plugin_host::routing::{Pause, PlannedAttempt};
use plugin_host::{Answered, NoDecision};

use super::*;
use crate::read_cases;

const FILE: &str = r#"
    [world.settings]
    a = "of the file"
    b = "of the file"

    [[trunk]]
    id = "north"
    prefixes = ["+855"]
    channels = { used = 2, limit = 32 }

    [[trunk]]
    id = "south"
"#;

fn cases(text: &str) -> Vec<DecisionCase> {
    read_cases(&format!("{FILE}{text}")).unwrap().decisions
}

fn answered<T>(result: Result<T, NoDecision>) -> Answered<T> {
    Answered {
        result,
        busy: Duration::ZERO,
        memory_bytes: 0,
    }
}

#[test]
fn a_question_is_what_the_file_says_with_what_the_case_changes() {
    let cases = cases(
        r#"
        [[route]]
        name = "one"
        call = { callee = "+85512345678", priority = "urgent", operator = { country = "KH", name = "Smart" } }
        now = 1970-01-01T07:00:09+07:00
        attempts = [{ trunk = "south", started = 1970-01-01T00:00:01Z, outcome = "congestion", sip-code = 503 }]
        trunks.north = { health = "degraded", closed-until = 1970-01-01T00:00:20Z }
        settings.b = "of the case"
        expect.attempts = ["south"]

        [[retry]]
        name = "two"
        call.callee = "1294"
        attempts = [{ started = 1970-01-01T00:00:01Z, ended = 1970-01-01T00:00:04Z, outcome = "no-answer" }]
        window.until = 1970-01-02T00:00:00Z
        expect.stop = ""
        "#,
    );
    assert_eq!(cases[0].settings["a"], "of the file");
    assert_eq!(cases[0].settings["b"], "of the case");
    let Question::Route {
        request, trunks, ..
    } = &cases[0].question
    else {
        panic!("a route")
    };
    assert_eq!(request.now_unix_ms, 9_000);
    assert_eq!(request.call.caller, "1000");
    assert_eq!(request.call.operator.as_ref().unwrap().name, "Smart");
    let attempt = &request.attempts[0];
    assert_eq!(
        (attempt.started_unix_ms, attempt.ended_unix_ms),
        (1_000, 1_000)
    );
    assert_eq!(attempt.status, plugin_host::attempts::Status::Failed);
    assert_eq!(trunks[0].health, routing::Health::Degraded);
    assert_eq!(trunks[0].closed_until_unix_ms, Some(20_000));
    assert_eq!(trunks[0].channels, routing::Channels { used: 2, limit: 32 });
    assert_eq!(trunks[1].health, routing::Health::Up);

    let Question::Retry { request, .. } = &cases[1].question else {
        panic!("a retry")
    };
    assert_eq!(request.now_unix_ms, 4_000);
    assert_eq!(request.window.until_unix_ms, Some(86_400_000));
    assert_eq!(
        request.attempts[0].status,
        plugin_host::attempts::Status::NoAnswer
    );
}

#[test]
fn what_is_wrong_is_told() {
    const CALL: &str = "name = \"a\"\ncall.callee = \"1\"\n";
    const TRIED: &str = "attempts = [{ started = 1970-01-01T00:00:01Z, outcome = \"busy\" }]\n";
    for (case, expected) in [
        (
            "[[route]]\ncall.callee = \"1\"".to_owned(),
            "a [[route]] has no `name`",
        ),
        (
            "[[route]]\nname = \"a\"\nexpect.refuse = \"\"".to_owned(),
            "case \"a\": missing field `call`",
        ),
        (format!("[[route]]\n{CALL}"), "missing field `expect`"),
        (
            format!("[[route]]\n{CALL}expect.stop = \"\""),
            "unknown field `stop`",
        ),
        (
            format!("[[route]]\n{CALL}expect = {{ wait = \"\", refuse = \"\" }}"),
            "`expect` needs one of `attempts`, `wait`, `refuse` and `error`",
        ),
        (
            format!("[[route]]\n{CALL}trunks.west.health = \"up\"\nexpect.refuse = \"\""),
            "there is no [[trunk]] with the id \"west\"",
        ),
        (
            format!("[[route]]\n{CALL}trunks.north.health = \"well\"\nexpect.refuse = \"\""),
            "trunk \"north\": unknown variant `well`",
        ),
        (
            format!("[[route]]\n{CALL}now = 2026-11-23T09:30:00\nexpect.refuse = \"\""),
            "now = 2026-11-23T09:30:00 is no moment with an offset",
        ),
        (
            format!("[[retry]]\n{CALL}attempts = []\nexpect.stop = \"\""),
            "`attempts` needs the one that is just over",
        ),
        (
            format!("[[retry]]\n{CALL}attempts = [{{ outcome = \"busy\" }}]\nexpect.stop = \"\""),
            "attempt 1: missing field `started-unix-ms`",
        ),
        (
            format!("[[retry]]\n{CALL}{TRIED}expect.error = \"\"\nexpect.stop = \"\""),
            "`expect` needs one of `again`",
        ),
        (
            format!(
                "[[retry]]\n{CALL}{TRIED}expect.stop = \"\"\n[[route]]\n{CALL}expect.refuse = \"\""
            ),
            "two cases are called \"a\"",
        ),
    ] {
        let error = read_cases(&format!("{FILE}{case}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{case}\n{error}");
    }
}

#[track_caller]
fn check_route(expect: &str, result: Result<routing::Decision, NoDecision>, trouble: Option<&str>) {
    let cases = cases(&format!(
        "[[route]]\nname = \"a\"\ncall.callee = \"1\"\n{expect}"
    ));
    let Question::Route { expected, .. } = &cases[0].question else {
        panic!("a route")
    };
    assert_eq!(
        expected.trouble(&answered(result)).as_deref(),
        trouble,
        "{expect}"
    );
}

#[test]
fn routes_are_compared() {
    let over = |trunk: &str| PlannedAttempt {
        trunk: trunk.to_owned(),
        dialled: Some("77123".to_owned()),
        caller_id: None,
        ring_timeout_s: Some(25),
        reason: "cheap".to_owned(),
    };
    let plan = || {
        Ok(routing::Decision::Attempts(vec![
            over("north"),
            over("south"),
        ]))
    };
    check_route("expect.attempts = [\"north\", \"south\"]", plan(), None);
    check_route(
        "expect.attempts = [{ trunk = \"north\", dialled = \"77123\", ring-timeout-s = 25, reason = \"eap\" }, \"south\"]",
        plan(),
        None,
    );
    check_route(
        "expect.attempts = [\"south\", { trunk = \"north\", caller-id = \"1294\" }]",
        plan(),
        Some(
            "the case has `over south, over north showing 1294`, the policy answers \
             `over north dialling 77123 ringing 25 s: cheap, over south dialling 77123 ringing 25 s: cheap`",
        ),
    );
    check_route(
        "expect.refuse = \"dear\"",
        Err(NoDecision::OutOfTime),
        Some("the case has `refuse: …dear…`, the policy answers `error: it computed for too long`"),
    );
    check_route(
        "expect.error = \"too long\"",
        Err(NoDecision::OutOfTime),
        None,
    );
    let pause = || {
        Ok(routing::Decision::Wait(Pause {
            until_unix_ms: Some(1_500),
            reason: "all are full".to_owned(),
        }))
    };
    check_route("expect.wait = \"full\"", pause(), None);
    check_route(
        "expect = { wait = \"full\", until = 1970-01-01T00:00:01.5Z }",
        pause(),
        None,
    );
    check_route(
        "expect = { wait = \"full\", until = 1970-01-01T00:00:02Z }",
        pause(),
        Some(
            "the case has `wait until 1970-01-01T00:00:02Z: …full…`, the policy answers \
             `wait until 1970-01-01T00:00:01.5Z: all are full`",
        ),
    );
}

#[test]
fn retries_are_compared() {
    let check =
        |expect: &str, result: Result<retry::Decision, NoDecision>, trouble: Option<&str>| {
            let attempts = "attempts = [{ started = 1970-01-01T00:00:01Z, outcome = \"busy\" }]";
            let cases = cases(&format!(
                "[[retry]]\nname = \"a\"\ncall.callee = \"1\"\n{attempts}\n{expect}"
            ));
            let Question::Retry { expected, .. } = &cases[0].question else {
                panic!("a retry")
            };
            assert_eq!(
                expected.trouble(&answered(result)).as_deref(),
                trouble,
                "{expect}"
            );
        };
    let again = || {
        Ok(retry::Decision::Again(retry::NextAttempt {
            at_unix_ms: 61_000,
            reason: "busy".to_owned(),
        }))
    };
    check("expect.again = 1970-01-01T00:01:01Z", again(), None);
    check(
        "expect = { again = 1970-01-01T00:01:01Z, reason = \"busy\" }",
        again(),
        None,
    );
    check(
        "expect = { again = 1970-01-01T00:01:01Z, reason = \"lunch\" }",
        again(),
        Some(
            "the case has `again at 1970-01-01T00:01:01Z: …lunch…`, the strategy answers `again at 1970-01-01T00:01:01Z: busy`",
        ),
    );
    check(
        "expect.stop = \"enough\"",
        again(),
        Some(
            "the case has `stop: …enough…`, the strategy answers `again at 1970-01-01T00:01:01Z: busy`",
        ),
    );
    check(
        "expect.stop = \"enough\"",
        Ok(retry::Decision::Stop("that is enough".to_owned())),
        None,
    );
}

#[test]
fn a_component_of_another_world_is_told_so() {
    let cases = cases("[[route]]\nname = \"a\"\ncall.callee = \"1\"\nexpect.refuse = \"\"");
    let verdict = cases[0].play(&Worlds::default());
    assert_eq!(
        verdict.trouble.as_deref(),
        Some("the component is no routing policy")
    );
}
