//! Hostile and broken guests: each ends with a value, and the host goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use call::{CallError, Command};
use plugin_host::journal::{Entry, Journal};
use plugin_host::{Allowance, Engine, EngineConfig, Limit, Limits, Outcome, StorySetup};

use crate::guests::guest;
use crate::ports::{Deaf, Obedient, engine, run, setup};

fn entries(journal: &[u8]) -> Vec<Entry> {
    Journal::read(journal).unwrap().entries
}

#[tokio::test]
async fn guests_that_compute_without_end_run_out_of_time() {
    for (name, items, body) in [
        ("a loop", "", "(loop br 0)"),
        ("nested loops", "", "(loop (loop br 0) br 0)"),
        (
            "a loop in the start function",
            "(func $spin (loop br 0)) (start $spin)",
            "",
        ),
        (
            "calls without end",
            "(func $a call $b) (func $b (loop br 0))",
            "call $a",
        ),
        (
            "filling memory",
            "",
            "(loop (memory.fill (i32.const 16384) (i32.const 0) (i32.const 65536)) br 0)",
        ),
    ] {
        let end = run(&guest(items, body)).await;
        assert_eq!(end.outcome, Outcome::OutOfTime, "{name}");
        assert_eq!(
            entries(&end.journal).last(),
            Some(&Entry::Ended(Outcome::OutOfTime)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn broken_guests_trap_and_say_why() {
    for (name, items, body, why) in [
        ("unreachable", "", "unreachable", "unreachable"),
        ("recursion", "(func $deep (param i64) (call $deep (local.get 0)))", "(call $deep (i64.const 1))", "call stack exhausted"),
        ("a load far away", "", "(drop (i32.load (i32.const -8)))", "out of bounds"),
        ("a division", "", "(drop (i32.div_s (i32.const 1) (i32.load (i32.const 4096))))", "divide by zero"),
        (
            "a string outside of memory",
            "",
            "(call $play (i32.const 0) (i32.const 0x7fffffff) (i32.const 100) (i32.const 1) (global.get $area))",
            "out of bounds",
        ),
        (
            "a string that is no UTF-8",
            "(data (i32.const 4096) \"\\ff\\fe\")",
            "(call $play (i32.const 0) (i32.const 4096) (i32.const 2) (i32.const 1) (global.get $area))",
            "utf-8",
        ),
        (
            "more than a mebibyte in one call",
            "",
            "(drop (memory.grow (i32.const 64)))
             (call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x200000))",
            "fuel",
        ),
        ("an unknown enum case", "", "(call $log (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))", "discriminant"),
        (
            "streams without end",
            "(import \"wasi:cli/stdout@0.2.6\" \"get-stdout\" (func $stdout (result i32)))",
            "(loop (drop (call $stdout)) br 0)",
            "table",
        ),
        (
            "a sleep",
            "(import \"wasi:clocks/monotonic-clock@0.2.6\" \"subscribe-duration\" (func $sleep (param i64) (result i32)))",
            "(drop (call $sleep (i64.const 1000)))",
            "next-event",
        ),
    ] {
        let end = run(&guest(items, body)).await;
        let Outcome::Trapped(text) = &end.outcome else { panic!("{name}: {:?}", end.outcome) };
        assert!(text.to_lowercase().contains(why), "{name}: {text}");
    }
}

#[tokio::test]
async fn memory_beyond_the_limit_is_refused_and_written_down() {
    // 4 pages to begin with; 512 pages are the limit.
    let end = run(&guest(
        "",
        "(if (i32.ne (memory.grow (i32.const 509)) (i32.const -1)) (then unreachable))",
    ))
    .await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    assert_eq!(end.memory_bytes, 4 * 65_536);
    let refused = Entry::MemoryRefused {
        current: 4 * 65_536,
        desired: 513 * 65_536,
    };
    assert_eq!(
        entries(&end.journal),
        [refused, Entry::Ended(Outcome::Finished(Ok(())))]
    );

    let end = run(&guest(
        "",
        "(if (i32.eq (memory.grow (i32.const 508)) (i32.const -1)) (then unreachable))",
    ))
    .await;
    assert_eq!(
        (end.outcome, end.memory_bytes),
        (Outcome::Finished(Ok(())), 512 * 65_536)
    );
}

#[tokio::test]
async fn memory_that_others_have_is_refused_and_a_replay_refuses_it_too() {
    // 4 pages to begin with; tells by the command that it gives whether it got one more.
    let flow = engine()
        .load(&guest(
            "",
            "(call $echo (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (global.get $area))",
        ))
        .unwrap();
    const PAGE: u64 = 65_536;
    for (pages, refused) in [(5, false), (4, true)] {
        let memory = Allowance::of(pages * PAGE);
        let setup = StorySetup {
            memory: memory.clone(),
            ..setup()
        };
        let port = Obedient::default();
        let commands = Arc::clone(&port.commands);
        let end = flow.start(setup, port).await;
        assert_eq!(end.outcome, Outcome::Finished(Ok(())));
        assert_eq!(*commands.lock().unwrap(), [Command::Echo(refused)]);
        assert_eq!(end.limits.contains(&Limit::SharedMemory), refused);
        let again = plugin_host::replay(&flow, &end.journal).await;
        assert!(again.is_ok(), "{again:?}");
        assert_eq!(memory.taken_bytes(), 0, "all is given back");
    }
}

#[tokio::test]
async fn a_story_has_so_many_commands() {
    // Echo, until it is refused; the refusal has 1 in its first byte, and 6 (limit-reached) in the fifth.
    let body = "(loop (call $echo (i32.const 1) (global.get $area))
                      (br_if 0 (i32.eqz (i32.load8_u (global.get $area)))))
                (if (i32.ne (i32.load8_u offset=4 (global.get $area)) (i32.const 6)) (then unreachable))";
    let flow = engine().load(&guest("", body)).unwrap();
    let setup = StorySetup {
        limits: Limits {
            commands: 25,
            ..Limits::default()
        },
        ..setup()
    };
    let end = flow.start(setup, Obedient::default()).await;
    assert_eq!(
        (&end.outcome, end.commands),
        (&Outcome::Finished(Ok(())), 25)
    );
    let echoes = entries(&end.journal)
        .iter()
        .filter(|entry| {
            matches!(
                entry,
                Entry::Command {
                    command: Command::Echo(true),
                    ..
                }
            )
        })
        .count();
    assert_eq!(echoes, 25);
}

#[tokio::test]
async fn an_error_of_the_story_is_its_end() {
    // `hung-up` is case 2 of the error.
    let end = run(&guest(
        "",
        "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 2))",
    ))
    .await;
    assert_eq!(end.outcome, Outcome::Finished(Err(CallError::HungUp)));
}

#[tokio::test]
async fn a_guest_that_computes_lets_others_run() {
    let turns = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let end = run(&guest("", "(loop br 0)")).await;
    other.abort();
    assert_eq!(end.outcome, Outcome::OutOfTime);
    let turns = turns.load(Ordering::Relaxed);
    assert!(
        turns >= 9,
        "50 ms have 10 ticks of 5 ms, the other task ran {turns} times"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_answer_stalls_its_story() {
    let flow = engine()
        .load(&guest("", "(call $answer (global.get $area))"))
        .unwrap();
    let began = tokio::time::Instant::now();
    let end = flow.start(setup(), Deaf).await;
    assert_eq!(end.outcome, Outcome::Stalled);
    assert_eq!(began.elapsed(), Limits::default().command_wait);
}

#[tokio::test]
async fn a_story_is_stopped_where_it_waits_and_leaves_its_journal() {
    let flow = engine()
        .load(&guest(
            "",
            "(call $next-event (i32.const 0) (i32.const 0) (global.get $area))",
        ))
        .unwrap();
    let setup = setup();
    let stop = setup.stop.clone();
    let story = tokio::spawn(flow.start(setup.clone(), Deaf));
    tokio::task::yield_now().await;
    assert!(!story.is_finished());
    stop.stop();
    let end = story.await.unwrap();
    assert_eq!(end.outcome, Outcome::Stopped);
    assert_eq!(entries(&end.journal), [Entry::Ended(Outcome::Stopped)]);

    assert_eq!(
        flow.start(setup, Deaf).await.outcome,
        Outcome::Stopped,
        "stopped before its start"
    );
}

#[tokio::test]
async fn a_full_engine_has_no_room() {
    let engine = Engine::new(EngineConfig {
        max_stories: 1,
        cache: None,
    })
    .unwrap();
    let flow = engine
        .load(&guest(
            "",
            "(call $next-event (i32.const 0) (i32.const 0) (global.get $area))",
        ))
        .unwrap();
    let (one, other) = (setup(), setup());
    let stop = one.stop.clone();
    let first = tokio::spawn(flow.start(one, Deaf));
    tokio::task::yield_now().await;
    assert_eq!(
        flow.start(other.clone(), Deaf).await.outcome,
        Outcome::NoRoom
    );
    stop.stop();
    assert_eq!(first.await.unwrap().outcome, Outcome::Stopped);
    assert_eq!(
        flow.start(other, Obedient::default()).await.outcome,
        Outcome::Finished(Ok(())),
        "there is room again"
    );
}
