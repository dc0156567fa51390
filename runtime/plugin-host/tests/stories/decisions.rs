//! Components that decide alone: what they are told, what they may do, and what becomes of broken ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use plugin_host::attempts::{OutboundCall, Priority};
use plugin_host::routing::{Channels, Decision, Health, Policy, Recent, Request, Trunk};
use plugin_host::{DecisionLimits, DecisionSetup, LoadError, LogLine, NoDecision, retry};

use crate::guests::encode_with;
use crate::ports::engine;

const NOW: u64 = 1_795_377_600_000;

/// What a policy of this file is made of. The answer lies at 64; it is `ok(refuse(…))` as long as nothing else is written:
/// 0: error? 8: which decision 16: its payload.
const PRELUDE: &str = r#"
(import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))
(import "wasi:clocks/wall-clock@0.2.6" "now" (func $now (param i32)))
(import "wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64)))
(import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
(import "wasi:config/store@0.2.0-rc.1" "get" (func $setting (param i32 i32 i32)))
(memory (export "memory") 4)
(global $next (mut i32) (i32.const 65536))
(global $times (mut i64) (i64.const 0))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get 3))))
(data (i32.const 72) "\02")
(data (i32.const 1024) "words")
(func $refuse (param i32 i32) (i32.store (i32.const 80) (local.get 0)) (i32.store (i32.const 84) (local.get 1)))
(func $wait-until (param i64)
    (i32.store8 (i32.const 72) (i32.const 1)) (i32.store8 (i32.const 80) (i32.const 1)) (i64.store (i32.const 88) (local.get 0)))
;; One attempt over the trunk of this name.
(func $attempt (param i32 i32)
    (i32.store8 (i32.const 72) (i32.const 0)) (i32.store (i32.const 80) (i32.const 2048)) (i32.store (i32.const 84) (i32.const 1))
    (i32.store (i32.const 2048) (local.get 0)) (i32.store (i32.const 2052) (local.get 1)))
"#;

/// A policy whose `route` has this body; its parameter points to the request, at 88 to the trunks.
fn policy(body: &str) -> Policy {
    let module = format!(
        r#"(module {PRELUDE}
            (func (export "jackfield:routing/policy@0.1.0#route") (param $request i32) (result i32) {body} i32.const 64))"#
    );
    let wasm = encode_with(&[], "test:guest/policy", &module);
    engine().worlds(&wasm).unwrap().routing_policy.unwrap()
}

fn request(callee: &str) -> Request {
    Request {
        call: OutboundCall {
            call_sid: "CA1".to_owned(),
            account_sid: "AC1".to_owned(),
            caller: "1294".to_owned(),
            callee: callee.to_owned(),
            operator: None,
            priority: Priority::Ordinary,
            purpose: None,
        },
        attempts: Vec::new(),
        now_unix_ms: NOW,
    }
}

fn trunk(id: &str) -> Trunk {
    Trunk {
        id: id.to_owned(),
        prefixes: vec!["+855".to_owned()],
        health: Health::Up,
        channels: Channels::default(),
        prefix_channels: Vec::new(),
        starts_left: 3,
        closed_until_unix_ms: None,
        recent: Recent::default(),
        prices: Vec::new(),
        labels: BTreeMap::from([("city".to_owned(), "Phnom Penh".to_owned())]),
    }
}

fn setup() -> DecisionSetup {
    DecisionSetup {
        settings: BTreeMap::from([("words".to_owned(), "yes".to_owned())]),
        limits: DecisionLimits::default(),
        log: Arc::new(|_| {}),
    }
}

async fn ask(policy: &Policy, callee: &str) -> Result<Decision, NoDecision> {
    let trunks = [trunk("north"), trunk("south")];
    policy
        .route(&request(callee), &trunks, setup())
        .await
        .result
}

async fn until(policy: &Policy, callee: &str) -> u64 {
    match ask(policy, callee).await {
        Ok(Decision::Wait(pause)) => pause.until_unix_ms.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_policy_sees_the_call_the_trunks_and_its_settings() {
    let callee = policy(
        "(call $refuse (i32.load offset=24 (local.get $request)) (i32.load offset=28 (local.get $request)))",
    );
    assert_eq!(
        ask(&callee, "+85512345678").await,
        Ok(Decision::Refuse("+85512345678".to_owned()))
    );

    let second = "(local $trunks i32) (local.set $trunks (i32.load offset=88 (local.get $request)))
        (if (i32.ne (i32.load offset=92 (local.get $request)) (i32.const 2)) (then unreachable))
        (call $attempt (i32.load (local.get $trunks)) (i32.load offset=4 (local.get $trunks)))";
    let Ok(Decision::Attempts(attempts)) = ask(&policy(second), "+1").await else {
        panic!("no attempts")
    };
    assert_eq!(attempts.len(), 1);
    assert_eq!(
        (attempts[0].trunk.as_str(), &attempts[0].dialled),
        ("north", &None)
    );

    // The value is behind two discriminants.
    let setting = "(call $setting (i32.const 1024) (i32.const 5) (i32.const 256))
        (call $refuse (i32.load (i32.const 264)) (i32.load (i32.const 268)))";
    assert_eq!(
        ask(&policy(setting), "+1").await,
        Ok(Decision::Refuse("yes".to_owned()))
    );

    let clock = "(call $now (i32.const 256)) (call $wait-until (i64.load (i32.const 256)))";
    assert_eq!(until(&policy(clock), "+1").await, NOW / 1_000);
}

#[tokio::test]
async fn what_a_policy_logs_comes_with_the_time_of_the_question() {
    let lines = Arc::new(Mutex::new(Vec::<LogLine>::new()));
    let sink = Arc::clone(&lines);
    let setup = DecisionSetup {
        log: Arc::new(move |line| sink.lock().unwrap().push(line)),
        ..setup()
    };
    let policy = policy(
        "(local $i i32)
         (loop (call $log (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 5))
            (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 130))))",
    );
    policy
        .route(&request("+1"), &[], setup)
        .await
        .result
        .unwrap();
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 101, "a hundred lines, and what was dropped");
    assert_eq!(
        (lines[0].message.as_str(), lines[0].at_unix_ms),
        ("words", NOW)
    );
    assert_eq!(lines[100].message, "dropped 30 lines");
}

#[tokio::test]
async fn the_same_question_has_the_same_answer() {
    // A time that a call may wait for.
    let random = policy("(call $wait-until (i64.shr_u (call $random) (i64.const 24)))");
    let first = until(&random, "+1").await;
    assert_ne!(until(&random, "+2").await, first, "another question");
    assert_eq!(until(&random, "+1").await, first);

    // Nothing is left of the question before.
    let counting = policy(
        "(global.set $times (i64.add (global.get $times) (i64.const 1))) (call $wait-until (global.get $times))",
    );
    for _ in 0..3 {
        assert_eq!(until(&counting, "+1").await, 1);
    }
}

#[tokio::test]
async fn broken_policies_decide_nothing_and_say_why() {
    for (name, body, expected) in [
        ("a loop", "(loop br 0)", NoDecision::OutOfTime),
        (
            "an exit",
            "(call $exit (i32.const 1))",
            NoDecision::Exited(1),
        ),
        (
            "an error",
            "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store (i32.const 72) (i32.const 1024)) (i32.store (i32.const 76) (i32.const 5))",
            NoDecision::Declined("words".to_owned()),
        ),
        (
            "a trunk that is not there",
            "(call $attempt (i32.const 1024) (i32.const 5))",
            NoDecision::Unusable(
                "attempt 1 goes over `words`, which is none of the trunks".to_owned(),
            ),
        ),
    ] {
        assert_eq!(ask(&policy(body), "+1").await, Err(expected), "{name}");
    }
    for (name, body, why) in [
        ("unreachable", "unreachable", "unreachable"),
        (
            "an answer far away",
            "(call $refuse (i32.const -8) (i32.const 8))",
            "out of bounds",
        ),
        (
            "no such decision",
            "(i32.store8 (i32.const 72) (i32.const 9))",
            "discriminant",
        ),
    ] {
        let Err(NoDecision::Trapped(text)) = ask(&policy(body), "+1").await else {
            panic!("{name}")
        };
        assert!(text.contains(why), "{name}: {text}");
    }
}

#[tokio::test]
async fn memory_beyond_the_limit_is_refused() {
    let grow = |pages: u32| {
        policy(&format!(
            "(if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then unreachable))"
        ))
    };
    // 4 pages to begin with; 512 are the limit.
    for (pages, fits) in [(508, true), (509, false)] {
        let answered = grow(pages).route(&request("+1"), &[], setup()).await;
        assert_eq!(answered.result.is_ok(), fits, "{pages}");
        assert_eq!(
            answered.memory_bytes,
            if fits { 512 * 65_536 } else { 4 * 65_536 }
        );
    }
}

/// All three worlds in one; `route` has this body.
fn several(route: &str) -> Vec<u8> {
    let module = format!(
        r#"(module
            (import "jackfield:call/control@0.1.0" "answer" (func $answer (param i32)))
            (memory (export "memory") 4)
            (global $next (mut i32) (i32.const 65536))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3))))
            (data (i32.const 72) "\02")
            (func (export "jackfield:call/story@0.1.0#run") (result i32) (call $answer (i32.const 512)) i32.const 512)
            (func (export "jackfield:routing/policy@0.1.0#route") (param i32) (result i32) {route} i32.const 64)
            ;; `again` at 7, which has passed.
            (data (i32.const 272) "\00\00\00\00\00\00\00\00\07")
            (func (export "jackfield:retry/strategy@0.1.0#next") (param i32) (result i32) i32.const 264))"#
    );
    encode_with(&[], "test:guest/several", &module)
}

#[tokio::test]
async fn one_component_runs_several_worlds() {
    let worlds = engine().worlds(&several("")).unwrap();
    assert_eq!(
        worlds.names(),
        [
            "jackfield:call/call-flow@0.1.0",
            "jackfield:routing/routing-policy@0.1.0",
            "jackfield:retry/retry-strategy@0.1.0",
        ]
    );
    let flow = worlds.call_flow.unwrap();
    let end = flow
        .start(crate::ports::setup(), crate::ports::Obedient::default())
        .await;
    assert_eq!(
        (end.outcome.to_string().as_str(), end.commands),
        ("finished", 1)
    );
    assert_eq!(
        ask(&worlds.routing_policy.unwrap(), "+1").await,
        Ok(Decision::Refuse(String::new()))
    );

    let Request {
        call, now_unix_ms, ..
    } = request("+1");
    let question = retry::Request {
        call,
        attempts: Vec::new(),
        window: retry::Window::default(),
        max_attempts: None,
        now_unix_ms,
    };
    let decision = worlds
        .retry_strategy
        .unwrap()
        .next(&question, setup())
        .await
        .result;
    let Ok(retry::Decision::Again(next)) = decision else {
        panic!("{decision:?}")
    };
    assert_eq!(next.at_unix_ms, NOW, "at once");
}

#[tokio::test]
async fn there_is_no_call_in_a_decision() {
    let worlds = engine()
        .worlds(&several("(call $answer (i32.const 512))"))
        .unwrap();
    let Err(NoDecision::Trapped(why)) = ask(&worlds.routing_policy.unwrap(), "+1").await else {
        panic!("no trap")
    };
    assert_eq!(
        why,
        "called `answer` of `jackfield:call/control@0.1.0`: there is no call in a decision"
    );
}

#[test]
fn a_policy_alone_gets_no_call() {
    let module = r#"(module (import "jackfield:call/control@0.1.0" "answer" (func $answer (param i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
        (func (export "jackfield:routing/policy@0.1.0#route") (param i32) (result i32) (call $answer (i32.const 0)) i32.const 0))"#;
    let wasm = encode_with(&[], "test:guest/nosy", module);
    assert_eq!(
        engine().worlds(&wasm).unwrap_err().to_string(),
        "the component imports `jackfield:call/control@0.1.0`, which routing policies do not get"
    );
    let no_call = encode_with(
        &[],
        "test:guest/policy",
        r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
        (func (export "jackfield:routing/policy@0.1.0#route") (param i32) (result i32) i32.const 0))"#,
    );
    let error = engine().load(&no_call).unwrap_err();
    assert!(matches!(error, LoadError::ExportMissing { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "the component does not export `jackfield:call/story@0.1.0`: it exports `jackfield:routing/policy@0.1.0`"
    );
}
