//! Which seeds a simulation runs, and how one that fails is run again.
//!
//! `JACKFIELD_SEEDS=20000` runs the first 20,000; `JACKFIELD_SEED=17` runs that one alone and prints all that arrived.

use std::collections::BTreeSet;
use std::ops::Range;

/// What a run leaves to look at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Everything that reached somebody.
    pub(crate) transcript: Vec<String>,
    /// What kinds of events there were.
    pub(crate) kinds: BTreeSet<&'static str>,
}

/// The kinds of events in the runs of all seeds, those below `usual` unless the environment says otherwise; none where one
/// seed is looked at. `test` is the name of the test that runs them.
pub(crate) fn kinds_of_all(
    test: &str,
    usual: u64,
    run: impl Fn(u64) -> Outcome,
) -> Option<BTreeSet<&'static str>> {
    if let Some(seed) = watched() {
        run_named(test, seed, run);
        return None;
    }
    let seeds: Range<u64> = 0..setting("JACKFIELD_SEEDS").unwrap_or(usual).max(usual);
    println!("{} seeds", seeds.end);
    let kinds = seeds.flat_map(|seed| run_named(test, seed, &run).kinds);
    Some(kinds.collect())
}

/// The seed that somebody wants to look at.
pub(crate) fn watched() -> Option<u64> {
    setting("JACKFIELD_SEED")
}

/// Names the seed of a run that panics, wherever it does.
fn run_named(test: &str, seed: u64, run: impl Fn(u64) -> Outcome) -> Outcome {
    struct OnPanic<'a>(&'a str, u64);
    impl Drop for OnPanic<'_> {
        fn drop(&mut self) {
            let Self(test, seed) = self;
            if std::thread::panicking() {
                eprintln!(
                    "seed {seed} fails; again: JACKFIELD_SEED={seed} cargo test -p jackfield-sip --test sip {test} -- --nocapture"
                );
            }
        }
    }
    let _name = OnPanic(test, seed);
    run(seed)
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}
