//! `jackfield self-test-worker` as a process: its verdicts, and what it does to itself before it reads anything.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::process::{Child, Command, Stdio};

use plugin_host::{CaseFile, Class, Engine, EngineConfig, compile};
use serde_json::{Value, json};

const GIBIBYTE: u64 = 1024 * 1024 * 1024;

fn start() -> Child {
    Command::new(env!("CARGO_BIN_EXE_jackfield"))
        .arg("self-test-worker")
        .arg(format!("--memory-bytes={GIBIBYTE}"))
        .arg("--cpu-s=12")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Hands the component and its code over, as the server does, and reads the verdict.
fn finish(mut child: Child, wasm: &[u8]) -> Value {
    let engine = Engine::new(EngineConfig {
        max_stories: 1,
        cache: None,
    });
    let layout = engine.unwrap().layout(Class::Native).unwrap();
    let code = compile::code(compile::answer(Class::Native, layout, wasm)).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&(wasm.len() as u64).to_le_bytes()).unwrap();
    stdin.write_all(wasm).unwrap();
    stdin.write_all(&code).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_works_passes_in_its_jail() {
    for (name, wasm) in bundled::ALL {
        assert_eq!(
            finish(start(), wasm),
            json!({ "result": "passed", "cases": 2 }),
            "{name}"
        );
    }
}

#[test]
fn what_traps_or_computes_for_ever_fails_and_the_worker_ends() {
    for (animal, words) in [
        ("trap-after-answer", "trapped: "),
        ("division", "trapped: "),
        ("recursion", "trapped: "),
        ("loop", "computed for too long"),
        ("loop-after-hang-up", "computed for too long"),
    ] {
        let verdict = finish(start(), &zoo::animal(animal));
        let why = verdict["why"].as_str().unwrap_or_default();
        assert_eq!(verdict["result"], "failed", "{animal}: {verdict}");
        assert!(why.contains(words), "{animal}: {why}");
    }
}

#[test]
fn the_cases_that_a_component_brings_are_played_in_its_jail() {
    let case = |plays: &str| {
        format!(
            "[[case]]\nname = \"it\"\nsteps = [{{ flow = \"answers\" }}, {{ flow.plays = \"{plays}\" }}, {{ caller = \"hangs-up\" }}]\n"
        )
    };
    let bringing = |text: String| {
        let name = "calls.toml".to_owned();
        plugin_host::with_cases(bundled::MENU, &[CaseFile { name, text }]).unwrap()
    };
    let passed = finish(start(), &bringing(case("menu.wav")));
    assert_eq!(passed, json!({ "result": "passed", "cases": 3 }));
    let failed = finish(start(), &bringing(case("other.wav")));
    let why = failed["why"].as_str().unwrap_or_default();
    assert!(why.starts_with("case \"it\" of calls.toml: "), "{failed}");
    assert_eq!(failed["cases"], 3);
}

#[test]
fn what_cannot_be_loaded_is_not_tested() {
    let mut child = start();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&4_u64.to_le_bytes()).unwrap();
    stdin.write_all(b"\0asm").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["result"], "not-run", "{verdict}");
}

#[cfg(target_os = "linux")]
#[test]
fn all_its_threads_are_locked_in_before_it_reads() {
    let child = start();
    let folder = format!("/proc/{}", child.id());
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}"));
    // It waits for its component, so that it can be looked at.
    let is_locked = || read("status").is_ok_and(|status| status.contains("Seccomp:\t2\n"));
    while !is_locked() {
        std::thread::yield_now();
    }
    let threads: Vec<_> = std::fs::read_dir(format!("{folder}/task"))
        .unwrap()
        .map(|thread| thread.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(threads.len(), 2, "the test and the ticker");
    for thread in threads {
        let status = read(&format!("task/{thread}/status")).unwrap();
        assert!(status.contains("Seccomp:\t2\n"), "{status}");
    }
    let limits = read("limits").unwrap();
    for limit in [
        ["Max cpu time", "12", "13"],
        ["Max open files", "3", "3"],
        ["Max processes", "0", "0"],
        ["Max file size", "0", "0"],
        ["Max core file size", "0", "0"],
    ] {
        let [name, soft, hard] = limit;
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let values: Vec<&str> = line[name.len()..].split_whitespace().take(2).collect();
        assert_eq!(values, [soft, hard], "{line}");
    }
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max address space"));
    assert!(!line.unwrap().contains("unlimited"), "{line:?}");
    assert_eq!(finish(child, bundled::MENU)["result"], "passed");
}
