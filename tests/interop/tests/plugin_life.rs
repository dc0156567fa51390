//! The life of a plugin on a running server, by the command line: versions change under calls, and one that breaks is taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jackfield_interop::plugins::{json, plugin, succeed};
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);

/// Answers, logs `WORD begins`, stays for some two seconds, logs `WORD ends` and is over.
fn story(word: &str) -> Vec<u8> {
    let begins = format!("{word} begins");
    let ends = format!("{word} ends");
    let text = format!(
        r#"(module
          (import "jackfield:call/control@0.1.0" "answer" (func $answer (param i32)))
          (import "jackfield:call/control@0.1.0" "next-event" (func $next-event (param i32 i32 i32)))
          (import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
          (memory (export "memory") 1)
          (data (i32.const 4096) "{begins}")
          (data (i32.const 5120) "{ends}")
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
          (func (export "jackfield:call/story@0.1.0#run") (result i32)
            (call $answer (i32.const 128))
            (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 4096) (i32.const {}))
            (call $next-event (i32.const 1) (i32.const 700) (i32.const 128))
            (call $next-event (i32.const 1) (i32.const 700) (i32.const 128))
            (call $next-event (i32.const 1) (i32.const 700) (i32.const 128))
            (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 5120) (i32.const {}))
            (i32.const 64)))"#,
        begins.len(),
        ends.len()
    );
    zoo::component(&text).expect("the story is a component")
}

/// Breaks for callers with a long number alone, which no test before the calls finds.
fn breaks_for_long_numbers() -> Vec<u8> {
    // The caller is the third text of the record: its length is at 20.
    let text = r#"(module
      (import "jackfield:call/control@0.1.0" "info" (func $info (param i32)))
      (memory (export "memory") 1)
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
      (func (export "jackfield:call/story@0.1.0#run") (result i32)
        (call $info (i32.const 128))
        (if (i32.gt_u (i32.load (i32.const 148)) (i32.const 10)) (then unreachable))
        (i32.const 64)))"#;
    zoo::component(text).expect("the story is a component")
}

fn write(folder: &Path, name: &str, wasm: &[u8]) -> PathBuf {
    let file = folder.join(name).with_extension("wasm");
    std::fs::write(&file, wasm).expect("the file can be written");
    file
}

/// Uploads a component as the next version of `menu`, which is what 1000 runs.
fn push(server: &Server, folder: &Path, name: &str, wasm: &[u8]) -> String {
    let file = write(folder, name, wasm);
    let file = file.to_str().expect("the path is UTF-8");
    succeed(server, &["push", "--component", file, "--name", "menu"])
}

fn server() -> Server {
    Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]))
}

#[test]
fn versions_change_once_a_second_and_each_call_ends_with_the_one_it_began_with() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder for the versions");
    let told = push(&server, folder.path(), "one", &story("one"));
    assert!(
        told.ends_with("tested: 2 cases\nactive as version 1\n"),
        "{told}"
    );
    push(&server, folder.path(), "two", &story("two"));
    let over = AtomicBool::new(false);
    let swaps = thread::scope(|scope| {
        let swapping = scope.spawn(|| {
            let mut swaps = 0;
            while !over.load(Ordering::SeqCst) {
                let version = if swaps % 2 == 0 { "1" } else { "2" };
                succeed(&server, &["activate", "menu", version]);
                swaps += 1;
                // The time between two changes is what is asked for here, and no event.
                thread::sleep(Duration::from_secs(1));
            }
            swaps
        });
        Sipp::new("uac_wait_bye")
            .calling(80, 10)
            .dialling("1000")
            .start(server.sip)
            .succeed(LIMIT);
        over.store(true, Ordering::SeqCst);
        swapping.join().expect("every change succeeds")
    });
    assert!(swaps >= 5, "{swaps} changes");

    // A story ends a little after its call.
    eventually("all stories are counted", LIMIT, || {
        let listed = json(&server, &["list", "menu"]);
        let versions = listed["versions"].as_array().cloned().unwrap_or_default();
        let count = |key: &str| -> u64 {
            let counts = versions.iter().map(|version| &version["usage"][key]);
            counts.filter_map(Value::as_u64).sum()
        };
        let all = (count("calls"), count("traps"), count("log_lines"));
        (all == (80, 0, 160)).then_some(())
    });
    let log = json(&server, &["logs", "menu"]);
    let mut calls: BTreeMap<&str, Vec<(u64, &str)>> = BTreeMap::new();
    for line in log["log"].as_array().into_iter().flatten() {
        let version = line["version"].as_u64().unwrap_or_default();
        let message = line["message"].as_str().unwrap_or_default();
        let call = line["call"].as_str().unwrap_or_default();
        calls.entry(call).or_default().push((version, message));
    }
    assert_eq!(calls.len(), 80);
    let one = [(1, "one begins"), (1, "one ends")];
    let two = [(2, "two begins"), (2, "two ends")];
    let mut seen = BTreeSet::new();
    for (call, lines) in &calls {
        assert!(*lines == one || *lines == two, "{call}: {lines:?}");
        seen.insert(lines[0].0);
    }
    assert_eq!(seen, BTreeSet::from([1, 2]), "both versions had calls");
    server.stop();
}

#[test]
fn a_version_that_breaks_for_three_callers_is_taken_back_and_not_for_one() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder for the versions");
    push(&server, folder.path(), "good", &story("good"));
    push(&server, folder.path(), "bad", &breaks_for_long_numbers());
    let call = |caller: &str| {
        Sipp::new("uac_wait_bye")
            .calling_from(caller)
            .dialling("1000")
            .start(server.sip)
            .succeed(LIMIT);
    };
    let active = || json(&server, &["list", "menu"])["active"].as_u64();
    for _again in 0..4 {
        call("+85512000001");
    }
    assert_eq!(active(), Some(2), "one caller takes nothing back");
    call("+85512000002");
    call("+85512000003");
    eventually("the version is taken back", LIMIT, || {
        (active() == Some(1)).then_some(())
    });
    call("+85512000001");

    let history = succeed(&server, &["history", "menu"]);
    let newest = history.lines().next().unwrap_or_default();
    assert!(
        newest.contains("jackfield")
            && newest.contains("rolled back from version 2 to version 1: it trapped"),
        "{history}"
    );
    let log = succeed(&server, &["logs", "menu"]);
    assert!(
        log.contains("version 2") && log.contains("the flow broke"),
        "{log}"
    );
    assert!(log.contains("good ends"), "{log}");
    assert!(
        server.log().contains("the version is taken back"),
        "{}",
        server.log()
    );
    let (went_back, told) = plugin(&server, &["rollback", "menu"]);
    assert!(
        !went_back && told.contains("no version to go back to"),
        "{told}"
    );
    server.stop();
}

#[test]
fn counts_and_logs_outlive_a_restart() {
    let mut server = server();
    let folder = tempfile::tempdir().expect("a folder for the versions");
    push(&server, folder.path(), "one", &story("one"));
    for calls in 1..=2 {
        Sipp::new("uac_wait_bye")
            .dialling("1000")
            .start(server.sip)
            .succeed(LIMIT);
        // The story ends a little after its call.
        eventually("both lines are logged", LIMIT, || {
            let listed = json(&server, &["list", "menu"]);
            let usage = &listed["versions"][0]["usage"];
            let both = (usage["calls"].as_u64(), usage["log_lines"].as_u64());
            (both == (Some(calls), Some(2 * calls))).then_some(())
        });
        server.stop_and_start_again();
        let listed = json(&server, &["list", "menu"]);
        assert_eq!(listed["versions"][0]["usage"]["calls"], calls, "{listed}");
        let log = json(&server, &["logs", "menu"]);
        let lines = log["log"].as_array().map(Vec::len);
        assert_eq!(lines, usize::try_from(2 * calls).ok(), "{log}");
    }
    server.stop();
}

#[test]
fn what_breaks_for_its_test_callers_is_kept_and_runs_no_calls() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder for the versions");
    push(&server, folder.path(), "good", &story("good"));
    for (number, animal, words) in [
        (2, "trap-after-answer", "the flow trapped: "),
        (3, "loop", "the flow computed for too long without waiting"),
    ] {
        let file = write(folder.path(), animal, &zoo::animal(animal));
        let file = file.to_str().expect("the path is UTF-8");
        let (succeeded, told) = plugin(&server, &["push", "--component", file, "--name", "menu"]);
        assert!(!succeeded, "{told}");
        for part in [
            "test failed: for a caller who presses keys and hangs up ",
            words,
            &format!("inactive as version {number}\n"),
            "this version is not used",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let number = number.to_string();
        let (activated, told) = plugin(&server, &["activate", "menu", &number]);
        assert!(!activated && told.contains(words), "{told}");
    }
    let listed = json(&server, &["list", "menu"]);
    assert_eq!(listed["active"], 1);
    let results: Vec<_> = listed["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|version| version["self_test"]["result"].as_str())
        .collect();
    let expected = [Some("failed"), Some("failed"), Some("passed")];
    assert_eq!(results, expected);
    // And the one before them takes calls.
    Sipp::new("uac_wait_bye")
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);
    let log = succeed(&server, &["logs", "menu"]);
    assert!(log.contains("good ends"), "{log}");
    server.stop();
}
