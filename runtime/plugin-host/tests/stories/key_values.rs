//! Key-value pairs: what a guest asks, what it gets, and that its journal has all of it.

use std::sync::Arc;

use call::{Command, KeyValueWrite, KeyValues, PlaybackId};
use plugin_host::journal::Journal;
use plugin_host::{Limits, Outcome, StoryEnd, StorySetup, replay};

use crate::guests::guest;
use crate::ports::{Deaf, Obedient, engine, setup};

/// Opens the account's pairs before `body`; `$bucket` is the handle, "calls" and "name" lie at 4096 and 4101. The guest says what it saw by
/// the numbers of playbacks that it stops.
fn keeper(body: &str) -> Vec<u8> {
    let items = r#"
        (import "wasi:keyvalue/store@0.2.0-draft" "open" (func $open (param i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft" "[method]bucket.exists" (func $exists (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft" "[method]bucket.delete" (func $delete (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft" "[method]bucket.list-keys" (func $list (param i32 i32 i64 i32)))
        (import "wasi:keyvalue/atomics@0.2.0-draft" "increment" (func $increment (param i32 i32 i32 i64 i32)))
        (data (i32.const 4096) "callsname")
        (func $say (param i32) (call $stop-playback (local.get 0) (i32.const 512)))
    "#;
    let body = format!(
        "(local $bucket i32)
         (call $open (i32.const 0) (i32.const 0) (i32.const 1024))
         (local.set $bucket (i32.load offset=4 (i32.const 1024)))
         {body}"
    );
    guest(items, &body)
}

/// With two pairs, among them `calls`, which is 41. What it said, too.
async fn run(wasm: &[u8]) -> (StoryEnd, Vec<u32>, KeyValues) {
    let port = Obedient::default();
    let (commands, pairs) = (Arc::clone(&port.commands), Arc::clone(&port.pairs));
    for (key, value) in [("calls", "41"), ("other", "x")] {
        let (key, value) = (key.to_owned(), value.into());
        let set = KeyValueWrite::Set { key, value };
        port.pairs.lock().unwrap().write(set).unwrap();
    }
    let end = engine().load(wasm).unwrap().start(setup(), port).await;
    let said = commands.lock().unwrap().iter().map(spoken).collect();
    let pairs = pairs.lock().unwrap().clone();
    (end, said, pairs)
}

fn spoken(command: &Command) -> u32 {
    match command {
        Command::StopPlayback(PlaybackId(number)) => *number,
        other => panic!("{other:?}"),
    }
}

/// Adds 1, keeps `name`, reads its length, looks whether it is there, forgets it, looks again, and counts the keys.
const EVERYTHING: &str = "
    (call $increment (local.get $bucket) (i32.const 4096) (i32.const 5) (i64.const 1) (i32.const 1024))
    (call $say (i32.load offset=8 (i32.const 1024)))
    (call $set (local.get $bucket) (i32.const 4101) (i32.const 4) (i32.const 4096) (i32.const 9) (i32.const 1024))
    (call $get (local.get $bucket) (i32.const 4101) (i32.const 4) (i32.const 1024))
    (call $say (i32.load offset=12 (i32.const 1024)))
    (call $exists (local.get $bucket) (i32.const 4101) (i32.const 4) (i32.const 1024))
    (call $say (i32.load8_u offset=4 (i32.const 1024)))
    (call $delete (local.get $bucket) (i32.const 4101) (i32.const 4) (i32.const 1024))
    (call $exists (local.get $bucket) (i32.const 4101) (i32.const 4) (i32.const 1024))
    (call $say (i32.load8_u offset=4 (i32.const 1024)))
    (call $list (local.get $bucket) (i32.const 0) (i64.const 0) (i32.const 1024))
    (call $say (i32.load offset=12 (i32.const 1024)))";

#[tokio::test]
async fn a_guest_reads_and_changes_pairs() {
    let (end, said, pairs) = run(&keeper(EVERYTHING)).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    assert_eq!(said, [42, 9, 1, 0, 2]);
    assert_eq!(
        pairs.iter().collect::<Vec<_>>(),
        [("calls", &b"42"[..]), ("other", b"x")]
    );
}

#[tokio::test]
async fn the_journal_has_all_of_it_so_that_a_replay_needs_no_pairs() {
    let wasm = keeper(EVERYTHING);
    let (end, ..) = run(&wasm).await;
    let lines: Vec<String> = Journal::read(&end.journal)
        .unwrap()
        .lines()
        .map(|line| line.words)
        .filter(|words| words.starts_with("key-value"))
        .collect();
    assert_eq!(
        lines,
        [
            "key-value: add 1 to \"calls\": 42",
            "key-value: set \"name\" to \"callsname\": done",
            "key-value: get \"name\": \"callsname\"",
            "key-value: is there \"name\": yes",
            "key-value: delete \"name\": done",
            "key-value: is there \"name\": no",
            "key-value: list: 2 keys",
        ]
    );
    let flow = engine().load(&wasm).unwrap();
    let again = replay(&flow, &end.journal).await.unwrap();
    assert_eq!((again.steps, again.outcome), (12, end.outcome));

    let other = keeper(&EVERYTHING.replace("(i64.const 1)", "(i64.const 2)"));
    let difference = replay(&engine().load(&other).unwrap(), &end.journal).await;
    let told = difference.unwrap_err().to_string();
    assert!(told.contains("the component `key-value: add 2"), "{told}");
}

#[tokio::test]
async fn a_redacted_journal_has_neither_keys_nor_values_and_replays() {
    let (end, ..) = run(&keeper(EVERYTHING)).await;
    let redacted = Journal::read(&end.journal).unwrap().redacted();
    let bytes = redacted.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("calls") && !text.contains("other"), "{text}");
    let flow = engine().load(&keeper(EVERYTHING)).unwrap();
    assert!(replay(&flow, &bytes).await.is_ok());
}

#[tokio::test]
async fn what_is_refused_is_told() {
    for (body, said) in [
        // The error's case: 0 for another bucket than the account's, 2 for what is explained in words.
        (
            "(call $open (i32.const 4096) (i32.const 5) (i32.const 1024))
             (call $say (i32.load8_u offset=4 (i32.const 1024)))",
            0,
        ),
        (
            "(call $get (local.get $bucket) (i32.const 4096) (i32.const 0) (i32.const 1024))
             (call $say (i32.load8_u offset=4 (i32.const 1024)))",
            2,
        ),
        (
            "(call $get (local.get $bucket) (i32.const 4096) (i32.const 257) (i32.const 1024))
             (call $say (i32.load8_u offset=4 (i32.const 1024)))",
            2,
        ),
        (
            "(call $set (local.get $bucket) (i32.const 4096) (i32.const 5) (i32.const 0) (i32.const 65537) (i32.const 1024))
             (call $say (i32.load8_u offset=4 (i32.const 1024)))",
            2,
        ),
        // A cursor that nobody gave.
        (
            "(call $list (local.get $bucket) (i32.const 1) (i64.const 7) (i32.const 1024))
             (call $say (i32.load8_u offset=8 (i32.const 1024)))",
            2,
        ),
    ] {
        let (end, told, _) = run(&keeper(body)).await;
        assert_eq!(end.outcome, Outcome::Finished(Ok(())), "{body}");
        assert_eq!(told, [said], "{body}");
    }
}

#[tokio::test]
async fn pairs_count_as_commands() {
    let limits = Limits {
        commands: 2,
        ..Limits::default()
    };
    let once = "(call $exists (local.get $bucket) (i32.const 4096) (i32.const 5) (i32.const 1024))";
    let wasm = keeper(&once.repeat(5));
    let setup = StorySetup { limits, ..setup() };
    let flow = engine().load(&wasm).unwrap();
    let end = flow.start(setup, Obedient::default()).await;
    assert_eq!(end.commands, 2);
    assert_eq!(end.limits, [plugin_host::Limit::Commands]);
}

#[tokio::test]
async fn a_port_that_keeps_none_refuses() {
    let body = "(call $exists (local.get $bucket) (i32.const 4096) (i32.const 5) (i32.const 1024))
                (if (i32.ne (i32.load8_u offset=4 (i32.const 1024)) (i32.const 1)) (then unreachable))";
    let flow = engine().load(&keeper(body)).unwrap();
    let end = flow.start(setup(), Deaf).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
}
