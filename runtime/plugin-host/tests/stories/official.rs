//! A PIN that a guest does not see, and a recording that it keeps.

use std::sync::Arc;

use call::{Event, Grants};
use plugin_host::journal::Journal;
use plugin_host::{Outcome, StoryEnd, StorySetup, replay};

use crate::guests::guest;
use crate::ports::{Deaf, Obedient, engine, setup};

const PIN: &str = "24681357";
const SID: &str = "RE11111111111111111111111111111111";

/// The secret's name, "message-pin", lies at 4096; the recording's SID at 4200, a file's name, "flood.wav", at 4300.
fn official(body: &str) -> Vec<u8> {
    let items = format!(
        r#"
        (import "jackfield:pin/pin@0.1.0" "conceal" (func $conceal))
        (import "jackfield:pin/pin@0.1.0" "check" (func $check (param i32 i32 i32)))
        (import "jackfield:media/files@0.1.0" "prepare" (func $prepare (param i32 i32 i32)))
        (import "jackfield:media/files@0.1.0" "keep" (func $keep (param i32 i32 i32 i32 i32)))
        (data (i32.const 4096) "message-pin")
        (data (i32.const 4200) "{SID}")
        (data (i32.const 4300) "flood.wav")
    "#
    );
    guest(&items, body)
}

/// Takes nine events, and says each key by the number of a playback that it stops; then what became of them, 10 and the verdict's case, and the key
/// that follows.
fn asks_for_a_pin() -> String {
    let key = "(call $next-event (i32.const 0) (i32.const 0) (i32.const 1024))
        (call $stop-playback (i32.load offset=16 (i32.const 1024)) (i32.const 512))";
    format!(
        "(call $conceal) {} (call $check (i32.const 4096) (i32.const 11) (i32.const 1024))
        (if (i32.load8_u (i32.const 1024)) (then unreachable))
        (call $stop-playback (i32.add (i32.const 10) (i32.load8_u offset=4 (i32.const 1024))) (i32.const 512))
        {key}",
        key.repeat(9)
    )
}

/// Prepares the recording, and keeps it.
const KEEPS: &str = "
    (call $prepare (i32.const 4200) (i32.const 34) (i32.const 1024))
    (if (i32.load8_u (i32.const 1024)) (then (call $stop-playback (i32.load8_u offset=4 (i32.const 1024)) (i32.const 512)) (return (global.get $ok))))
    (call $keep (i32.load offset=4 (i32.const 1024)) (i32.load offset=8 (i32.const 1024)) (i32.const 4300) (i32.const 9) (i32.const 1024))
    (if (i32.load8_u (i32.const 1024)) (then unreachable))
    (call $stop-playback (i32.const 9) (i32.const 512))";

type Pairs = Vec<(String, String)>;

/// What it said, what was typed, what was kept.
async fn run(wasm: &[u8], keys: &str, grants: Grants) -> (StoryEnd, Vec<u32>, Pairs, Pairs) {
    let port = Obedient::telling(keys.chars().map(Event::Digit));
    let commands = Arc::clone(&port.commands);
    let (typed, kept) = (Arc::clone(&port.typed), Arc::clone(&port.kept));
    let setup = StorySetup {
        grants: Arc::new(grants),
        ..setup()
    };
    let end = engine().load(wasm).unwrap().start(setup, port).await;
    let said = commands.lock().unwrap().iter().map(spoken).collect();
    let (typed, kept) = (typed.lock().unwrap().clone(), kept.lock().unwrap().clone());
    (end, said, typed, kept)
}

fn spoken(command: &call::Command) -> u32 {
    match command {
        call::Command::StopPlayback(call::PlaybackId(number)) => *number,
        other => panic!("{other:?}"),
    }
}

fn pair(one: &str, other: &str) -> Pairs {
    vec![(one.to_owned(), other.to_owned())]
}

#[tokio::test]
async fn a_guest_is_told_zeros_and_the_port_what_was_typed() {
    let wasm = official(&asks_for_a_pin());
    for (typed, verdict, then) in [(PIN, 10, '9'), ("99999999", 11, '0')] {
        let keys = format!("{typed}#9");
        let (end, said, given, _) = run(&wasm, &keys, Grants::everything()).await;
        assert_eq!(end.outcome, Outcome::Finished(Ok(())));
        let mut expected = vec![u32::from('0'); 8];
        expected.extend([u32::from('#'), verdict, u32::from(then)]);
        assert_eq!(said, expected);
        assert_eq!(given, pair("message-pin", typed));
    }
}

#[tokio::test]
async fn the_port_knows_how_long_keys_are_a_secret() {
    let wasm = official(&asks_for_a_pin());
    for (typed, told) in [(PIN, &[true, false][..]), ("99999999", &[true])] {
        let port = Obedient::telling(format!("{typed}#9").chars().map(Event::Digit));
        let concealed = Arc::clone(&port.concealed);
        let flow = engine().load(&wasm).unwrap();
        flow.start(setup(), port).await;
        assert_eq!(*concealed.lock().unwrap(), told);
    }
}

#[tokio::test]
async fn the_journal_has_no_key_of_it_and_replays_whole_and_redacted() {
    let wasm = official(&asks_for_a_pin());
    let (end, ..) = run(&wasm, &format!("{PIN}#9"), Grants::everything()).await;
    let journal = Journal::read(&end.journal).unwrap();
    let lines: Vec<String> = journal.lines().map(|line| line.words).collect();
    let digits = lines.iter().filter(|line| line.ends_with("digit 0"));
    assert_eq!(digits.count(), 8, "{lines:#?}");
    assert!(
        lines.contains(&"pin: check message-pin: right".to_owned()),
        "{lines:#?}"
    );
    let said = format!("{:?}", journal.entries);
    for key in PIN.chars() {
        assert!(!said.contains(&format!("Digit('{key}')")), "{said}");
    }
    let flow = engine().load(&wasm).unwrap();
    let again = replay(&flow, &end.journal).await.unwrap();
    assert_eq!(again.outcome, end.outcome);
    let redacted = journal.redacted().to_bytes();
    // The key after the PIN is another one now, and so is what is said of it.
    let error = replay(&flow, &redacted)
        .await
        .expect_err("a key was hidden");
    assert!(error.to_string().contains("stop playback"), "{error}");
}

#[tokio::test]
async fn what_was_recorded_is_prepared_and_kept_and_the_journal_has_it() {
    let wasm = official(KEEPS);
    let (end, said, _, kept) = run(&wasm, "", Grants::everything()).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    assert_eq!(
        (said, kept),
        (vec![9], pair(&format!("p-{SID}"), "flood.wav"))
    );
    let journal = Journal::read(&end.journal).unwrap();
    let lines = journal.lines().map(|line| line.words);
    let lines: Vec<String> = lines.filter(|line| line.starts_with("audio")).collect();
    assert_eq!(
        lines,
        [
            format!("audio: prepare {SID}: p-{SID}"),
            format!("audio: keep p-{SID} as flood.wav: done"),
        ]
    );
    let flow = engine().load(&wasm).unwrap();
    let again = replay(&flow, &end.journal).await.unwrap();
    assert_eq!(again.outcome, end.outcome);
}

#[tokio::test]
async fn without_the_grants_nothing_is_compared_and_nothing_kept() {
    let nothing = Grants {
        media: false,
        secrets: Vec::new(),
        ..Grants::everything()
    };
    let (end, said, _, kept) = run(&official(KEEPS), "", nothing.clone()).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    assert_eq!((said, kept), (vec![0], Vec::new()), "not-granted");

    let checks = "(call $conceal) (call $check (i32.const 4096) (i32.const 11) (i32.const 1024))
        (if (i32.eqz (i32.load8_u (i32.const 1024))) (then unreachable))
        (call $stop-playback (i32.load8_u offset=4 (i32.const 1024)) (i32.const 512))";
    let (end, said, typed, _) = run(&official(checks), PIN, nothing).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    assert_eq!((said, typed), (vec![0], Vec::new()), "not-granted");

    // A port that has no secrets refuses, too.
    let refused = "(call $check (i32.const 4096) (i32.const 11) (i32.const 1024))
        (if (i32.or (i32.eqz (i32.load8_u (i32.const 1024))) (i32.load8_u offset=4 (i32.const 1024))) (then unreachable))";
    let flow = engine().load(&official(refused)).unwrap();
    let end = flow.start(setup(), Deaf).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
}

#[test]
fn the_import_alone_asks_for_audio() {
    assert!(!plugin_host::asks(&guest("", "")).unwrap().media);
    assert!(plugin_host::asks(&official(KEEPS)).unwrap().media);
}
