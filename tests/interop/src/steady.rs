//! A machine that stands still for a while, or has more to do than it can, is heard: a telephone that did not run sent nothing. An observer
//! that has nothing to do with the server tells whether it did, and the kernel whether somebody had to wait for a processor.

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
/// Of a test's time, how much of it somebody waited for a processor on a machine that had too much to do, in hundredths. One who sleeps is put in
/// front of those: the metronome does not see it.
const CROWDED: u64 = 20;
const ATTEMPTS: u32 = 4;

/// Runs a test that listens, or counts what is repeated after half a second. One that fails while the machine stood still or was crowded is run
/// again, at most three times: what was heard then says nothing about the server. One that fails on a machine that was not is a failure at once.
///
/// # Panics
/// As the test does, in its last attempt.
pub fn on_a_steady_machine(test: impl Fn()) {
    for attempt in 1.. {
        let (metronome, crowd) = (Metronome::start(), Crowd::now());
        let result = catch_unwind(AssertUnwindSafe(&test));
        let (longest, crowded) = (metronome.stop(), crowd.hundredths());
        match result {
            Ok(()) => return,
            Err(_) if says_nothing(longest, crowded, attempt) => {
                eprintln!(
                    "in attempt {attempt} a processor stood still for {longest:?}, and somebody waited for one in {crowded} hundredths of the time: again"
                );
            }
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Whether a failure may be the machine's, and there is another attempt to see.
fn says_nothing(longest: Duration, crowded: u64, attempt: u32) -> bool {
    (longest >= STILL || crowded >= CROWDED) && attempt < ATTEMPTS
}

/// For how long somebody has had to wait for a processor, as the kernel counts it (pressure stall information). Where it does not, nobody has.
struct Crowd {
    since: Instant,
    waited: Duration,
}

impl Crowd {
    fn now() -> Self {
        let pressure = std::fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
        Self {
            since: Instant::now(),
            waited: waited(&pressure),
        }
    }

    /// In how much of the time since then.
    fn hundredths(&self) -> u64 {
        let now = Self::now();
        let waited = now.waited.saturating_sub(self.waited).as_micros();
        let elapsed = now.since.duration_since(self.since).as_micros().max(1);
        u64::try_from(waited * 100 / elapsed).unwrap_or(u64::MAX)
    }
}

/// The total of the kernel's line `some avg10=… avg60=… avg300=… total=MICROSECONDS`.
fn waited(pressure: &str) -> Duration {
    let some = pressure.lines().find(|line| line.starts_with("some "));
    let total = some.and_then(|line| line.rsplit_once("total="));
    let us = total.and_then(|(_, us)| us.trim().parse().ok());
    Duration::from_micros(us.unwrap_or(0))
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
        for (longest, crowded, attempt, again) in [
            (STILL, 0, 1, true),
            (STILL, 0, ATTEMPTS - 1, true),
            (STILL, 0, ATTEMPTS, false),
            (STILL - BEAT, CROWDED - 1, 1, false),
            (BEAT, CROWDED, 1, true),
            (BEAT, CROWDED, ATTEMPTS, false),
        ] {
            assert_eq!(
                says_nothing(longest, crowded, attempt),
                again,
                "{longest:?}, {crowded} hundredths, attempt {attempt}"
            );
        }
    }

    #[test]
    fn the_kernel_says_how_long_somebody_waited() {
        let pressure = "some avg10=91.75 avg60=90.97 avg300=89.36 total=39224479127\n\
                        full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(waited(pressure), Duration::from_micros(39_224_479_127));
        assert_eq!(waited(""), Duration::ZERO);
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
