//! Components that misbehave (`tests/zoo`): each is refused in words or ends with a value, and its neighbour, a story of the
//! same engine, notices nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use call::{CallError, Command, Event, HangUpCause, PlaybackId, Reply, RequestId};
use plugin_host::{CallPort, Flow, Limit, Limits, Next, Outcome, StoryEnd, StorySetup};

use crate::ports::{STARTED, engine, setup};

/// What becomes of a component.
#[derive(Debug)]
enum Effect {
    /// It is not loaded; the reason has these words.
    Refused(&'static str),
    /// Its story traps; the reason has these words.
    Trapped(&'static str),
    Ended(Outcome),
}
use Effect::{Ended, Refused, Trapped};

/// Obeys everything and tells so many digits, each a second later, and then that the call is over.
struct Caller {
    digits: u64,
    seconds: u64,
}

impl CallPort for Caller {
    async fn command(&mut self, command: Command) -> Result<Reply, CallError> {
        Ok(match command {
            Command::Play { .. } | Command::Say { .. } => Reply::Playback(PlaybackId(1)),
            Command::Http(_) => Reply::Request(RequestId(1)),
            _ => Reply::Done,
        })
    }

    async fn next_event(&mut self, timeout: Option<Duration>) -> Next {
        // Others' turn, as when it really waits.
        tokio::task::yield_now().await;
        let event = if timeout == Some(Duration::ZERO) {
            None
        } else if self.seconds < self.digits {
            self.seconds += 1;
            Some(Event::Digit('1'))
        } else {
            Some(Event::HungUp(HangUpCause::Remote))
        };
        Next {
            event,
            now_unix_ms: STARTED + self.seconds * 1_000,
        }
    }
}

/// With a caller who never hangs up.
async fn run(wasm: &[u8], limits: Limits) -> Result<StoryEnd, String> {
    let flow = engine().load(wasm).map_err(|error| error.to_string())?;
    Ok(call(&flow, limits, u64::MAX).await)
}

async fn call(flow: &Flow, limits: Limits, digits: u64) -> StoryEnd {
    let setup = StorySetup { limits, ..setup() };
    let seconds = 0;
    flow.start(setup, Caller { digits, seconds }).await
}

/// The bundled menu, with somebody who presses 1 and later hangs up.
async fn neighbour(menu: &Flow) -> Vec<u8> {
    let end = call(menu, Limits::default(), 5).await;
    assert!(end.host_calls > 5, "it does something: {end:?}");
    end.journal
}

#[track_caller]
fn compare(name: &str, effect: &Effect, end: &Result<StoryEnd, String>) {
    let fits = match (effect, end) {
        (Refused(words), Err(reason)) => reason.contains(words),
        (Trapped(words), Ok(end)) => {
            matches!(&end.outcome, Outcome::Trapped(why) if why.contains(words))
        }
        (Ended(outcome), Ok(end)) => {
            end.outcome == *outcome
                && outcome
                    .limit()
                    .is_none_or(|limit| end.limits.contains(&limit))
        }
        _ => false,
    };
    let end = end.as_ref().map(|end| (&end.outcome, &end.limits));
    assert!(fits, "{name}: {effect:?} expected, but {end:?}");
}

/// What the host does with each of them, under the limits that every story has.
fn animals() -> Vec<(&'static str, Effect)> {
    let out_of_time = || Ended(Outcome::OutOfTime);
    let flood = || Ended(Outcome::Exceeded(Limit::HostCallsBetweenWaits));
    vec![
        ("loop", out_of_time()),
        ("nested-loops", out_of_time()),
        ("loop-in-start", out_of_time()),
        ("loop-in-realloc", out_of_time()),
        ("loop-in-post-return", out_of_time()),
        ("loop-after-hang-up", out_of_time()),
        ("recursion", Trapped("call stack exhausted")),
        ("mutual-recursion", Trapped("call stack exhausted")),
        ("memory-in-a-loop", out_of_time()),
        ("memory-at-once", Trapped("unreachable")),
        ("fill-memory", out_of_time()),
        ("copy-memory", out_of_time()),
        ("large-from-the-start", Trapped("memory")),
        ("too-large-from-the-start", Refused("memory")),
        ("data-outside", Trapped("out of bounds")),
        ("table-in-a-loop", out_of_time()),
        ("table-at-once", Trapped("unreachable")),
        ("table-fill", out_of_time()),
        ("large-table", Refused("table")),
        ("far-string", Trapped("out of bounds")),
        ("bad-string", Trapped("utf-8")),
        ("endless-list", Trapped("out of bounds")),
        ("long-line", Trapped("fuel")),
        ("unknown-case", Trapped("discriminant")),
        ("memory-of-others", Trapped("realloc")),
        ("crooked-memory", Trapped("aligned")),
        ("trap-in-realloc", Trapped("unreachable")),
        ("call-from-realloc", Trapped("cannot leave")),
        ("result-outside", Trapped("out of bounds")),
        ("crooked-result", Trapped("aligned")),
        ("unknown-result", Trapped("discriminant")),
        ("hoarded-streams", Trapped("table")),
        ("hoarded-buckets", Trapped("table")),
        ("far-key", Trapped("out of bounds")),
        ("long-key", Trapped("fuel")),
        ("dropped-twice", Trapped("handle")),
        ("made-up-handle", Trapped("handle")),
        ("own-handles", Trapped("handle limit")),
        ("log-flood", flood()),
        ("print-flood", flood()),
        ("setting-flood", flood()),
        ("random-flood", flood()),
        ("clock-flood", flood()),
        ("poll-flood", flood()),
        ("hang-up-flood", flood()),
        ("play-flood", flood()),
        ("request-flood", flood()),
        ("key-value-flood", flood()),
        ("patient-flood", Ended(Outcome::Exceeded(Limit::HostCalls))),
        ("sleep", Trapped("next-event")),
        ("contradictions", Ended(Outcome::Finished(Ok(())))),
        ("unreachable", Trapped("unreachable")),
        ("trap-in-start", Trapped("unreachable")),
        ("trap-after-answer", Trapped("unreachable")),
        ("trap-in-post-return", Trapped("unreachable")),
        ("division", Trapped("divide by zero")),
        ("overflow", Trapped("integer overflow")),
        ("not-a-number", Trapped("conversion to integer")),
        ("load-outside", Trapped("out of bounds")),
        ("no-such-function", Trapped("uninitialized element")),
        ("other-function", Trapped("type mismatch")),
        ("last-words", Trapped("panicked: nobody is there")),
        ("exit", Ended(Outcome::Exited(1))),
        (
            "gives-up",
            Ended(Outcome::Finished(Err(CallError::NotAnswered))),
        ),
    ]
}

#[tokio::test]
async fn each_animal_meets_its_bounds_and_its_neighbour_notices_nothing() {
    let menu = engine().load(bundled::MENU).unwrap();
    let alone = neighbour(&menu).await;
    for (name, effect) in animals() {
        let animal = zoo::animal(name);
        let (end, beside) = tokio::join!(run(&animal, Limits::default()), neighbour(&menu));
        compare(name, &effect, &end);
        assert_eq!(beside, alone, "{name}: its neighbour's journal");
    }
}

#[test]
fn every_animal_has_its_row() {
    let rows: BTreeSet<String> = animals()
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .chain(["slow-drip".to_owned()])
        .collect();
    assert_eq!(rows, zoo::names().into_iter().collect());
}

/// One that keeps to its time between two waits comes to that of the whole story.
#[tokio::test]
async fn time_drips_away() {
    let limits = Limits {
        cpu: Duration::from_secs(60),
        cpu_in_all: Duration::from_millis(50),
        ..Limits::default()
    };
    let end = run(&zoo::animal("slow-drip"), limits).await;
    let effect = Ended(Outcome::Exceeded(Limit::CpuInAll));
    compare("slow-drip", &effect, &end);
    assert!(end.unwrap().cpu > limits.cpu_in_all);
}

#[tokio::test]
async fn giants_are_refused_before_they_are_compiled() {
    use zoo::giant;
    for (name, wasm, words) in [
        ("types", giant::types(100_000), "types: at most"),
        (
            "functions",
            giant::functions(30_000, 0, 7, false),
            "functions: at most",
        ),
        (
            "locals",
            giant::functions(1, 40_000, 7, false),
            "local variables in one function: at most",
        ),
        (
            "a body",
            giant::functions(1, 0, 300_000, false),
            "bytes in one function: at most",
        ),
        (
            "exports",
            giant::exports(50_000),
            "imports, exports, aliases and instances: at most",
        ),
        (
            "modules",
            giant::modules(1_000),
            "modules and components: at most",
        ),
        ("nesting", giant::nested(50), "levels of components"),
        ("a lying section", giant::lying_section(), "end-of-file"),
        ("memories", giant::memories(50), "memories"),
        // Nothing is too deep about blocks: they are compiled, and only then it shows that nothing runs calls.
        ("blocks", giant::blocks(2_000), "does not export"),
        ("data", vec![0; 9 * 1024 * 1024], "not WebAssembly"),
    ] {
        let end = run(&wasm, Limits::default()).await;
        compare(name, &Refused(words), &end);
    }
}

#[tokio::test]
async fn what_was_refused_a_story_is_told_at_its_end() {
    for (name, limit, ended_by_it) in [
        ("memory-at-once", Limit::Memory, false),
        ("table-at-once", Limit::TableElements, false),
        ("log-flood", Limit::Log, false),
        ("loop", Limit::Cpu, true),
        ("log-flood", Limit::HostCallsBetweenWaits, true),
    ] {
        let end = run(&zoo::animal(name), Limits::default()).await.unwrap();
        assert!(end.limits.contains(&limit), "{name}: {:?}", end.limits);
        assert_eq!(end.outcome.limit() == Some(limit), ended_by_it, "{name}");
    }
    let end = run(&zoo::animal("log-flood"), Limits::default())
        .await
        .unwrap();
    // The one that was too many is counted too.
    assert_eq!(
        (end.host_calls, end.log_lines, end.log_lines_dropped),
        (1_001, 100, 900)
    );
    let limits = Limits {
        journal_bytes: 1_000,
        ..Limits::default()
    };
    let end = run(&zoo::animal("play-flood"), limits).await.unwrap();
    assert!(end.limits.contains(&Limit::Journal), "{:?}", end.limits);
}

/// Changes to bytes, from a seed.
struct Mutator(u64);

impl Mutator {
    fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    /// One to four changes behind the header: a byte, a bit, a part that is gone, or one that is there twice.
    fn change(&mut self, wasm: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = 8 + self.below(wasm.len() - 8);
            let length = 1 + self.below(16.min(wasm.len() - at));
            match self.below(4) {
                0 => wasm[at] = u8::try_from(self.below(256)).unwrap(),
                1 => wasm[at] ^= 1 << self.below(8),
                2 if wasm.len() > 200 => drop(wasm.drain(at..at + length)),
                _ => {
                    let part = wasm[at..at + length].to_vec();
                    wasm.splice(at..at, part);
                }
            }
        }
    }
}

/// `JACKFIELD_MUTANTS` tries more of them than the tests have time for.
#[tokio::test]
async fn changed_components_are_refused_or_run_and_never_break_the_host() {
    let mutants: u64 = std::env::var("JACKFIELD_MUTANTS").map_or(300, |count| {
        count.parse().expect("JACKFIELD_MUTANTS is a number")
    });
    let animals: Vec<_> = zoo::names().iter().map(|name| zoo::animal(name)).collect();
    let limits = Limits {
        cpu: Duration::from_millis(5),
        host_calls: 100,
        ..Limits::default()
    };
    let (mut refused, mut ran) = (0, 0);
    for seed in 0..mutants {
        let mut mutator = Mutator(seed);
        let mut wasm = animals[mutator.below(animals.len())].clone();
        mutator.change(&mut wasm);
        match run(&wasm, limits).await {
            Err(reason) => {
                assert!(!reason.is_empty(), "seed {seed}");
                refused += 1;
            }
            Ok(_) => ran += 1,
        }
    }
    println!("{refused} refused, {ran} ran");
    assert!(refused > mutants / 10 && ran > mutants / 100);
}

/// `JACKFIELD_SMITH` names a file with more of them (see `tests/smith`).
#[tokio::test]
async fn random_modules_end_and_never_break_the_host() {
    let file = std::env::var("JACKFIELD_SMITH").map_or_else(|_| zoo::smith_file(), Into::into);
    let limits = Limits {
        cpu: Duration::from_millis(5),
        host_calls: 100,
        ..Limits::default()
    };
    let (mut ends, mut ran) = (BTreeMap::<String, u32>::new(), 0);
    for module in zoo::modules_of(&file) {
        let end = match zoo::wrap(&module) {
            Err(reason) => format!("refused: {reason}"),
            Ok(wasm) => match run(&wasm, limits).await {
                Err(reason) => format!("refused: {reason}"),
                Ok(end) => end.outcome.to_string(),
            },
        };
        ran += u32::from(!end.starts_with("refused"));
        // Where in the module something was does not matter.
        let end = end.split_once(" (at offset").map_or(&*end, |(end, _)| end);
        *ends.entry(end.to_owned()).or_default() += 1;
    }
    println!("{ends:#?}");
    let all: u32 = ends.values().sum();
    assert!(ran > all / 5, "enough of them run: {ends:#?}");
}
