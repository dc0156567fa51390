//! A machine that stands still for a while is heard: a telephone that did not run sent nothing. An observer that has nothing to do with the
//! server tells whether it did.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

const BEAT: Duration = Duration::from_millis(5);
/// A frame and a half: a telephone that comes so late sends its next packet where its peer has begun to play silence.
const STILL: Duration = Duration::from_millis(30);
const ATTEMPTS: u32 = 4;

/// Runs a test that listens. One that fails while the machine stood still is run again, at most three times: what was heard then says nothing
/// about the server. One that fails on a machine that did not is a failure at once.
///
/// # Panics
/// As the test does, in its last attempt.
pub fn on_a_steady_machine(test: impl Fn()) {
    for attempt in 1.. {
        let metronome = Metronome::start();
        let result = catch_unwind(AssertUnwindSafe(&test));
        let longest = metronome.stop();
        match result {
            Ok(()) => return,
            Err(_) if says_nothing(longest, attempt) => {
                eprintln!("a processor stood still for {longest:?} in attempt {attempt}: again");
            }
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Whether a failure may be the machine's, and there is another attempt to see.
fn says_nothing(longest: Duration, attempt: u32) -> bool {
    longest >= STILL && attempt < ATTEMPTS
}

/// A thread on each processor that wants to run every five milliseconds, and notes how late it came at worst.
struct Metronome {
    is_over: Arc<AtomicBool>,
    longest_us: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Metronome {
    fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let longest_us = Arc::new(AtomicU64::new(0));
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..processors)
            .map(|processor| {
                let (is_over, longest_us) = (Arc::clone(&is_over), Arc::clone(&longest_us));
                thread::spawn(move || {
                    stay_on(processor);
                    while !is_over.load(Ordering::Relaxed) {
                        let due = Instant::now() + BEAT;
                        thread::sleep(BEAT);
                        let late = due.elapsed().as_micros();
                        let late = u64::try_from(late).unwrap_or(u64::MAX);
                        longest_us.fetch_max(late, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        Self {
            is_over,
            longest_us,
            threads,
        }
    }

    /// The longest that one of them was late.
    fn stop(self) -> Duration {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a metronome does not panic");
        }
        Duration::from_micros(self.longest_us.load(Ordering::Relaxed))
    }
}

/// Where that is not allowed, the thread beats wherever it is put.
fn stay_on(processor: usize) {
    let mut set = CpuSet::new();
    if set.set(processor).is_ok() {
        let _ = sched_setaffinity(Pid::from_raw(0), &set);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_failure_is_forgiven_where_the_machine_stood_still_and_not_for_ever() {
        for (longest, attempt, again) in [
            (STILL, 1, true),
            (STILL, ATTEMPTS - 1, true),
            (STILL, ATTEMPTS, false),
            (STILL - BEAT, 1, false),
        ] {
            assert_eq!(
                says_nothing(longest, attempt),
                again,
                "{longest:?}, attempt {attempt}"
            );
        }
    }

    #[test]
    fn what_is_right_runs_once_and_what_is_wrong_fails() {
        let runs = Cell::new(0);
        on_a_steady_machine(|| runs.set(runs.get() + 1));
        assert_eq!(runs.get(), 1);
        let wrong = || on_a_steady_machine(|| panic!("heard nothing"));
        assert!(catch_unwind(wrong).is_err());
    }
}
