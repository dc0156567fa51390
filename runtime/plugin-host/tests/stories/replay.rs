//! A journal tells a story again.

use call::Event;
use plugin_host::{Limits, Outcome, ReplayError, StorySetup, replay};

use crate::guests::guest;
use crate::ports::{Obedient, engine, setup};

const RANDOM: &str =
    r#"(import "wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64)))"#;

/// Answers, says a random number, waits for two events and hangs up; `more` comes before the hang-up.
fn story(more: &str) -> Vec<u8> {
    let body = format!(
        "(call $answer (global.get $area))
         (call $stop-playback (i32.wrap_i64 (call $random)) (global.get $area))
         (call $next-event (i32.const 1) (i32.const 5000) (i32.const 512))
         (call $next-event (i32.const 0) (i32.const 0) (i32.const 512))
         {more}
         (call $hang-up (global.get $area))"
    );
    guest(RANDOM, &body)
}

async fn journal(wasm: &[u8], limits: Limits) -> Vec<u8> {
    let port = Obedient::telling([Event::Digit('1'), Event::Digit('2')]);
    engine()
        .load(wasm)
        .unwrap()
        .start(StorySetup { limits, ..setup() }, port)
        .await
        .journal
}

#[tokio::test]
async fn the_same_component_does_the_same() {
    let wasm = story("");
    let journal = journal(&wasm, Limits::default()).await;
    let again = replay(&engine().load(&wasm).unwrap(), &journal)
        .await
        .unwrap();
    assert!(again.same_component);
    assert_eq!((again.steps, again.outcome), (5, Outcome::Finished(Ok(()))));
}

#[tokio::test]
async fn a_changed_component_shows_the_first_difference() {
    let written = journal(&story(""), Limits::default()).await;
    for (name, more, words) in [
        (
            "a command more",
            "(call $echo (i32.const 1) (global.get $area))",
            "after 4 equal steps the journal has `hang up`, the component `echo on`",
        ),
        (
            "a wait more",
            "(call $next-event (i32.const 1) (i32.const 7) (i32.const 512))",
            "after 4 equal steps the journal has `hang up`, the component `wait 7 ms`",
        ),
        (
            "an earlier end",
            "(return (global.get $ok))",
            "after 4 equal steps the journal has `hang up`, the component `finished`",
        ),
        (
            "a trap",
            "unreachable",
            "after 4 equal steps the journal has `hang up`, the component `trapped: wasm trap: wasm `unreachable` instruction executed`",
        ),
    ] {
        let changed = engine().load(&story(more)).unwrap();
        let error = replay(&changed, &written).await.expect_err(name);
        assert_eq!(error.to_string(), words, "{name}");
    }
    let longer = journal(
        &story("(call $echo (i32.const 1) (global.get $area))"),
        Limits::default(),
    )
    .await;
    let error = replay(&engine().load(&story("")).unwrap(), &longer)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "after 4 equal steps the journal has `echo on`, the component `hang up`"
    );
}

#[tokio::test]
async fn a_story_that_broke_breaks_again() {
    for more in ["unreachable", "(loop br 0)"] {
        let wasm = story(more);
        let journal = journal(&wasm, Limits::default()).await;
        let again = replay(&engine().load(&wasm).unwrap(), &journal)
            .await
            .unwrap();
        assert_eq!(again.steps, 4);
        assert!(
            matches!(again.outcome, Outcome::Trapped(_) | Outcome::OutOfTime),
            "{:?}",
            again.outcome
        );
    }
}

#[tokio::test]
async fn a_cut_journal_replays_as_far_as_it_goes() {
    let wasm = story("");
    let whole = journal(&wasm, Limits::default()).await;
    let journal_bytes = u32::try_from(whole.len()).unwrap() - 16;
    let limits = Limits {
        journal_bytes,
        ..Limits::default()
    };
    let written = journal(&wasm, limits).await;
    let error = replay(&engine().load(&wasm).unwrap(), &written)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ReplayError::Incomplete { steps: 1..5 }),
        "{error}"
    );
}
