//! Whole emergencies by chance: carriers, accounts, trunks that fail and come back, far ends with fewer lines than they say, processes
//! that are killed, clocks that are set, and people who are called again until they are reached.
//!
//! The store is real and outlives the process; the clock that never goes back and the one on the wall are told apart. A seed is a whole
//! run. `JACKFIELD_SEEDS=5000` runs more of them than the tests take, `JACKFIELD_SEED=17` one.

mod agenda;
mod meddle;
mod observer;
mod people;
mod plan;
mod run;
mod totals;

use self::run::Run;
use self::totals::Totals;

const SEEDS: u64 = 300;

#[test]
fn limits_terms_and_turns_hold_whatever_happens() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let seeds = match number("JACKFIELD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("JACKFIELD_SEEDS").unwrap_or(SEEDS),
    };
    let is_many = seeds.end - seeds.start >= SEEDS;
    let mut totals = Totals::default();
    for seed in seeds {
        let run = std::panic::AssertUnwindSafe(|| Run::new(seed).finish());
        totals += std::panic::catch_unwind(run).unwrap_or_else(|panic| {
            eprintln!("JACKFIELD_SEED={seed} cargo test -p jackfield-dial --test dialer storm");
            std::panic::resume_unwind(panic)
        });
    }
    eprintln!("{totals:?}");
    assert!(!is_many || totals.has_seen_all(), "too alike: {totals:?}");
}
