//! People of the account: what a guest asks, what it gets, and that its journal has all of it.

use std::sync::Arc;

use call::{Grants, People, PeopleCommand, PersonChange};
use plugin_host::journal::Journal;
use plugin_host::{Limits, Outcome, StoryEnd, StorySetup, replay};

use crate::guests::guest;
use crate::ports::{Deaf, Obedient, engine, setup};

/// The number "+85620" lies at 4096, the area "1401" at 4102. `$say` tells what the guest saw by the numbers of playbacks that it stops. A
/// person for `save` lies at 5000: number, no language, one area, no fields; what a result is begins at 1024.
fn clerk(body: &str) -> Vec<u8> {
    let items = r#"
        (import "jackfield:people/people@0.1.0" "get" (func $get (param i32 i32 i32)))
        (import "jackfield:people/people@0.1.0" "save" (func $save (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
        (import "jackfield:people/people@0.1.0" "remove" (func $remove (param i32 i32 i32)))
        (data (i32.const 4096) "+856201401")
        (data (i32.const 5000) "\06\10\00\00\04\00\00\00")
    "#;
    guest(items, body)
}

/// Looks for the number, saves a person in the area, looks again, forgets them, and looks a third time.
const EVERYTHING: &str = "
    (call $get (i32.const 4096) (i32.const 6) (i32.const 1024))
    (call $stop-playback (i32.load8_u offset=4 (i32.const 1024)) (i32.const 512))
    (call $save (i32.const 4096) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 1) (i32.const 5000) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 1024))
    (call $get (i32.const 4096) (i32.const 6) (i32.const 1024))
    (call $stop-playback (i32.load8_u offset=4 (i32.const 1024)) (i32.const 512))
    (call $remove (i32.const 4096) (i32.const 6) (i32.const 1024))
    (call $get (i32.const 4096) (i32.const 6) (i32.const 1024))
    (call $stop-playback (i32.load8_u offset=4 (i32.const 1024)) (i32.const 512))";

/// Saves somebody whose number is the text at 4096 of so many bytes; then says which case the error is, 9 for none.
fn save(number_bytes: usize) -> String {
    format!(
        "(call $save (i32.const 4096) (i32.const {number_bytes}) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.const 1) (i32.const 5000) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 1024))
         (if (i32.load8_u (i32.const 1024))
             (then (call $stop-playback (i32.load8_u offset=4 (i32.const 1024)) (i32.const 512)))
             (else (call $stop-playback (i32.const 9) (i32.const 512))))"
    )
}

/// With somebody else among the people. What it said, too.
async fn run(wasm: &[u8], grants: Grants) -> (StoryEnd, Vec<u32>, People) {
    let port = Obedient::default();
    let (commands, people) = (Arc::clone(&port.commands), Arc::clone(&port.people));
    let other = PeopleCommand::Save(PersonChange {
        number: "+15550001".to_owned(),
        language: None,
        areas: None,
        fields: [("name".to_owned(), "Bounmy".to_owned())].into(),
    });
    people.lock().unwrap().obey(other).unwrap();
    let setup = StorySetup {
        grants: Arc::new(grants),
        ..setup()
    };
    let end = engine().load(wasm).unwrap().start(setup, port).await;
    let said = commands.lock().unwrap().iter().map(spoken).collect();
    let people = people.lock().unwrap().clone();
    (end, said, people)
}

fn spoken(command: &call::Command) -> u32 {
    match command {
        call::Command::StopPlayback(call::PlaybackId(number)) => *number,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_guest_finds_saves_and_forgets_people() {
    let (end, said, people) = run(&clerk(EVERYTHING), Grants::everything()).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    assert_eq!(said, [0, 1, 0]);
    assert_eq!(people.iter().count(), 1);

    let (_, said, people) = run(&clerk(&save(6)), Grants::everything()).await;
    assert_eq!(said, [9]);
    let saved = people
        .iter()
        .find(|person| person.number == "+85620")
        .unwrap();
    assert_eq!(saved.areas, ["1401"]);
}

#[tokio::test]
async fn the_journal_has_all_of_it_so_that_a_replay_needs_no_people() {
    let wasm = clerk(EVERYTHING);
    let (end, ..) = run(&wasm, Grants::everything()).await;
    let lines: Vec<String> = Journal::read(&end.journal)
        .unwrap()
        .lines()
        .map(|line| line.words)
        .filter(|words| words.starts_with("people"))
        .collect();
    assert_eq!(
        lines,
        [
            "people: get +85620: nobody",
            "people: save +85620, areas 1401: done",
            "people: get +85620: +85620, areas 1401",
            "people: remove +85620: done",
            "people: get +85620: nobody",
        ]
    );
    let flow = engine().load(&wasm).unwrap();
    let again = replay(&flow, &end.journal).await.unwrap();
    assert_eq!((again.steps, again.outcome), (8, end.outcome));

    let other = clerk(&EVERYTHING.replace(
        "(i32.const 5000) (i32.const 1)",
        "(i32.const 5000) (i32.const 0)",
    ));
    let difference = replay(&engine().load(&other).unwrap(), &end.journal).await;
    let told = difference.unwrap_err().to_string();
    assert!(
        told.contains("the component `people: save +85620, areas `"),
        "{told}"
    );
}

#[tokio::test]
async fn a_redacted_journal_has_neither_numbers_nor_places_and_replays() {
    let (end, ..) = run(&clerk(EVERYTHING), Grants::everything()).await;
    let bytes = Journal::read(&end.journal).unwrap().redacted().to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("85620") && !text.contains("1401"), "{text}");
    let flow = engine().load(&clerk(EVERYTHING)).unwrap();
    assert!(replay(&flow, &bytes).await.is_ok());
}

#[tokio::test]
async fn what_is_refused_is_told_and_changes_nothing() {
    let nothing = Grants {
        people: false,
        ..Grants::everything()
    };
    // The error's case: 0 for what is not granted, 1 for what is no number.
    for (body, grants, said) in [
        (save(6), nothing, 0),
        (save(1), Grants::everything(), 1),
        (save(0), Grants::everything(), 1),
    ] {
        let (end, told, people) = run(&clerk(&body), grants).await;
        assert_eq!(end.outcome, Outcome::Finished(Ok(())), "{body}");
        assert_eq!((told, people.iter().count()), (vec![said], 1), "{body}");
    }
}

#[tokio::test]
async fn people_count_as_commands_and_a_port_that_keeps_none_refuses() {
    let limits = Limits {
        commands: 2,
        ..Limits::default()
    };
    let once = "(call $get (i32.const 4096) (i32.const 6) (i32.const 1024))";
    let flow = engine().load(&clerk(&once.repeat(5))).unwrap();
    let limited = StorySetup { limits, ..setup() };
    let end = flow.start(limited, Obedient::default()).await;
    assert_eq!(end.commands, 2);
    assert_eq!(end.limits, [plugin_host::Limit::Commands]);

    let refused = format!(
        "{once} (if (i32.or (i32.ne (i32.load8_u (i32.const 1024)) (i32.const 1)) (i32.load8_u offset=4 (i32.const 1024))) (then unreachable))"
    );
    let flow = engine().load(&clerk(&refused)).unwrap();
    let end = flow.start(setup(), Deaf).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
}

#[test]
fn the_import_alone_asks_for_them() {
    assert!(!plugin_host::asks(&guest("", "")).unwrap().people);
    assert!(plugin_host::asks(&clerk(EVERYTHING)).unwrap().people);
}
