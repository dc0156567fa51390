//! What is not granted is not there: commands are refused with the line that would grant them, and the journal has it.

use std::sync::{Arc, Mutex};

use call::{CallError, Command, Grants};
use plugin_host::journal::{Entry, Journal};
use plugin_host::{StoryEnd, StorySetup, replay};

use crate::guests::guest;
use crate::ports::{Obedient, engine, setup};

/// Plays `https://a.example/x`, adds a pair, and returns.
fn nosy() -> Vec<u8> {
    let items = r#"
        (import "wasi:keyvalue/store@0.2.0-draft" "open" (func $open (param i32 i32 i32)))
        (import "wasi:keyvalue/atomics@0.2.0-draft" "increment" (func $increment (param i32 i32 i32 i64 i32)))
        (data (i32.const 4096) "https://a.example/x")
    "#;
    let body = "
        (call $play (i32.const 0) (i32.const 4096) (i32.const 19) (i32.const 1) (i32.const 512))
        (call $open (i32.const 0) (i32.const 0) (i32.const 1024))
        (call $increment (i32.load offset=4 (i32.const 1024)) (i32.const 4096) (i32.const 5) (i64.const 1) (i32.const 1024))";
    guest(items, body)
}

/// The story's end, what reached the call, how many pairs there are, and what was logged.
async fn run(grants: Grants) -> (StoryEnd, Vec<Command>, usize, Vec<String>) {
    let port = Obedient::default();
    let (commands, pairs) = (Arc::clone(&port.commands), Arc::clone(&port.pairs));
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let setup = StorySetup {
        grants: Arc::new(grants),
        log: Arc::new(move |line| sink.lock().unwrap().push(line.message)),
        ..setup()
    };
    let end = engine().load(&nosy()).unwrap().start(setup, port).await;
    let commands = commands.lock().unwrap().clone();
    let pairs = pairs.lock().unwrap().iter().count();
    let lines = lines.lock().unwrap().clone();
    (end, commands, pairs, lines)
}

#[tokio::test]
async fn what_is_not_granted_reaches_nobody_and_is_told() {
    let (end, commands, pairs, lines) = run(Grants::default()).await;
    assert_eq!((commands.len(), pairs), (0, 0));
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert!(line.contains("hosts = [\"a.example\"]"), "{line}");
    let journal = Journal::read(&end.journal).unwrap();
    let refused = journal.entries.iter().filter(|entry| {
        matches!(
            entry,
            Entry::Command { result: Err(CallError::NotGranted(why)), .. } if why == line.strip_prefix("not granted: ").unwrap()
        ) || matches!(entry, Entry::KeyValue { result: Err(_), .. })
    });
    assert_eq!(refused.count(), 2);
    // Whoever replays it need not know what was granted then.
    let again = replay(&engine().load(&nosy()).unwrap(), &end.journal).await;
    assert_eq!(again.unwrap().steps, 2);
}

#[tokio::test]
async fn what_is_granted_is_there() {
    let grants = Grants {
        hosts: vec!["*.example".to_owned()],
        key_value: true,
        ..Grants::default()
    };
    let (_, commands, pairs, lines) = run(grants).await;
    assert_eq!((commands.len(), pairs), (1, 1));
    assert!(lines.is_empty(), "{lines:?}");
}
