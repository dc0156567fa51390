//! What a guest gets from the host beside its call.

use call::{Command, Event, PlaybackId};
use plugin_host::{LogLevel, Outcome};

use crate::guests::guest;
use crate::ports::{STARTED, observe};

/// Commands `stop-playback` with a number: the way these guests say what they have seen.
fn said(commands: &[Command]) -> Vec<u32> {
    commands
        .iter()
        .map(|command| match command {
            Command::StopPlayback(PlaybackId(number)) => *number,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn time_stands_still_between_two_events() {
    let items = r#"
        (import "wasi:clocks/wall-clock@0.2.6" "now" (func $wall (param i32)))
        (import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $monotonic (result i64)))
        (func $say-times
            (call $wall (global.get $area))
            (call $stop-playback (i32.wrap_i64 (i64.load (global.get $area))) (i32.const 512))
            (call $wall (global.get $area))
            (call $stop-playback (i32.load offset=8 (global.get $area)) (i32.const 512))
            (call $stop-playback (i32.wrap_i64 (i64.div_u (call $monotonic) (i64.const 1000000))) (i32.const 512)))
    "#;
    let body = "call $say-times call $say-times
                (call $next-event (i32.const 0) (i32.const 0) (i32.const 1024))
                call $say-times";
    let (end, _, commands) = observe(&guest(items, body), [Event::Digit('1')]).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    let second = u32::try_from(STARTED / 1_000).unwrap();
    // The story begins at 4 ms past the second; a step is 10 ms.
    assert_eq!(
        said(&commands),
        [second, 0, 0, second, 0, 0, second + 1, 0, 1_000]
    );
}

#[tokio::test]
async fn random_numbers_follow_from_the_seed() {
    let items =
        r#"(import "wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64)))"#;
    let body = "(call $stop-playback (i32.wrap_i64 (call $random)) (global.get $area))
                (call $stop-playback (i32.wrap_i64 (call $random)) (global.get $area))";
    let component = guest(items, body);
    let (_, _, first) = observe(&component, []).await;
    let (_, _, again) = observe(&component, []).await;
    assert_eq!(first, again);
    let numbers = said(&first);
    assert_ne!(numbers[0], numbers[1]);
}

#[tokio::test]
async fn the_environment_is_empty_and_exit_ends_the_story() {
    let items = r#"
        (import "wasi:cli/environment@0.2.6" "get-environment" (func $environment (param i32)))
        (import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))
    "#;
    let body = "(call $environment (global.get $area))
                (call $stop-playback (i32.load offset=4 (global.get $area)) (i32.const 512))
                (call $exit (i32.const 1))
                unreachable";
    let (end, _, commands) = observe(&guest(items, body), []).await;
    assert_eq!(said(&commands), [0]);
    assert_eq!(end.outcome, Outcome::Exited(1));
}

#[tokio::test]
async fn settings_are_read_by_name() {
    let items = r#"(data (i32.const 4096) "greetingmissing")"#;
    // The option is in the fifth byte, its text's length in the fourth word.
    let body = "(call $setting (i32.const 4096) (i32.const 8) (global.get $area))
                (call $stop-playback (i32.load offset=12 (global.get $area)) (i32.const 512))
                (call $setting (i32.const 4104) (i32.const 7) (global.get $area))
                (call $stop-playback (i32.load8_u offset=4 (global.get $area)) (i32.const 512))";
    let (_, _, commands) = observe(&guest(items, body), []).await;
    assert_eq!(said(&commands), [5, 0]);
}

#[tokio::test]
async fn what_is_printed_is_logged_by_lines_and_explains_a_trap() {
    let items = r#"
        (import "wasi:cli/stderr@0.2.6" "get-stderr" (func $stderr (result i32)))
        (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
        (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
        (data (i32.const 4096) "one\ntwo\n\nthree")
    "#;
    let body = "(call $write (call $stdout) (i32.const 4096) (i32.const 9) (global.get $area))
                (call $write (call $stderr) (i32.const 4096) (i32.const 14) (global.get $area))
                unreachable";
    let (end, lines, _) = observe(&guest(items, body), []).await;
    let lines: Vec<_> = lines
        .iter()
        .map(|line| (line.level, line.context.as_str(), line.message.as_str()))
        .collect();
    let printed = |message| (LogLevel::Info, "stdout", message);
    let complained = |message| (LogLevel::Warn, "stderr", message);
    // A line without an end comes at the end of the story.
    assert_eq!(
        &lines[..4],
        [
            printed("one"),
            printed("two"),
            complained("one"),
            complained("two")
        ]
    );
    assert_eq!(lines[4..], [complained("three")]);
    let Outcome::Trapped(text) = end.outcome else {
        panic!("{:?}", end.outcome)
    };
    assert!(text.ends_with("its last words: one two three"), "{text}");
}

#[tokio::test]
async fn a_flood_of_log_lines_is_dammed() {
    let body = "(local $n i32)
                (loop (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
                      (local.set $n (i32.add (local.get $n) (i32.const 1)))
                      (br_if 0 (i32.lt_u (local.get $n) (i32.const 250))))
                (call $next-event (i32.const 0) (i32.const 0) (global.get $area))
                (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))";
    let (_, lines, _) = observe(&guest("", body), [Event::Digit('1')]).await;
    assert_eq!(lines.len(), 102);
    assert_eq!(
        (lines[100].message.as_str(), lines[100].at_unix_ms),
        ("dropped 150 lines", STARTED + 1_000)
    );
}
