//! `jackfield compile-worker` as a process: what it answers, and what it does to itself before it reads anything.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};

const GIBIBYTE: u64 = 1024 * 1024 * 1024;

fn start(memory_bytes: u64, cpu_s: u64) -> Child {
    Command::new(env!("CARGO_BIN_EXE_jackfield"))
        .arg("compile-worker")
        .arg(format!("--memory-bytes={memory_bytes}"))
        .arg(format!("--cpu-s={cpu_s}"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Hands the component over: how it ended, what it answered, what it said on standard error.
fn finish(mut child: Child, wasm: &[u8]) -> (ExitStatus, Vec<u8>, String) {
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(wasm);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status, output.stdout, said)
}

#[test]
fn a_component_comes_back_as_code_and_what_is_none_as_a_refusal() {
    let (status, answer, said) = finish(start(GIBIBYTE, 60), bundled::MENU);
    assert!(status.success(), "{status}: {said}");
    assert_eq!(answer[0], 0);
    assert!(
        answer[1..].starts_with(b"\x7fELF"),
        "compiled code comes as an ELF file"
    );

    let (status, answer, said) = finish(start(GIBIBYTE, 60), &zoo::giant::lying_section());
    assert!(status.success(), "{status}: {said}");
    assert_eq!(answer[0], 1);
    let words = String::from_utf8(answer[1..].to_vec()).unwrap();
    assert!(words.contains("end-of-file"), "{words}");
}

#[test]
fn what_would_break_a_compiler_breaks_this_process_alone() {
    const SIGABRT: i32 = 6;
    const SIGXCPU: i32 = 24;
    let dear = zoo::giant::functions(60, 1_000, 120_000, true);
    for (what, child, wasm, signal, words) in [
        (
            "types in types in types",
            start(GIBIBYTE, 60),
            &zoo::giant::deep_type(1_000_000),
            SIGABRT,
            "overflowed its stack",
        ),
        (
            "too much to compute",
            start(GIBIBYTE, 1),
            &dear,
            SIGXCPU,
            "",
        ),
        (
            "blocks in blocks, small but dear",
            start(GIBIBYTE, 1),
            &zoo::giant::blocks(80_000),
            SIGXCPU,
            "",
        ),
        (
            "too much to keep",
            // The program itself takes 62 MiB of it, 90 MiB where it is built without optimisation.
            start(140 * 1024 * 1024, 60),
            &dear,
            SIGABRT,
            "memory allocation of",
        ),
    ] {
        let (status, answer, said) = finish(child, wasm);
        assert_eq!(status.signal(), Some(signal), "{what}: {status}: {said}");
        assert!(said.contains(words), "{what}: {said}");
        assert_eq!(answer, b"", "{what}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_is_locked_in_before_it_reads() {
    let child = start(GIBIBYTE, 10);
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", child.id()));
    // It waits for its component, so that it can be looked at.
    let is_locked = || read("status").is_ok_and(|status| status.contains("Seccomp:\t2\n"));
    while !is_locked() {
        std::thread::yield_now();
    }
    let status = read("status").unwrap();
    assert!(status.contains("NoNewPrivs:\t1\n"), "{status}");
    let limits = read("limits").unwrap();
    for limit in [
        ["Max cpu time", "10", "11"],
        ["Max address space", "1073741824", "1073741824"],
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
    // And it works all the same.
    let (status, answer, said) = finish(child, bundled::MENU);
    assert!(status.success() && answer[0] == 0, "{status}: {said}");
}
