//! An aggregator whose lines nobody told us: what it refuses teaches the dialler how many there are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

use jackfield_dial::{Dialer, Input, Output, QueueLimits};

use crate::random::Random;
use crate::world::{World, at, call, ms, origin, request_to};

/// Operators behind the aggregator, by the beginning of their numbers.
const OPERATORS: [&str; 5] = ["+85510", "+85511", "+85512", "+85515", "+85516"];
/// What is configured where nobody knows: more than there can be.
const SURELY_ENOUGH: u32 = 100;
/// From an INVITE to a 503 at most.
const REFUSED_WITHIN_MS: u64 = 300;

/// Something that the far end does, by virtual milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Refuse(u64),
    End(u64),
}

/// Calls without end over one trunk, against a far end that has `lines` for each operator.
struct Emergency {
    random: Random,
    dialer: Dialer,
    origin: Instant,
    at_ms: u64,
    lines: [usize; OPERATORS.len()],
    /// Which operator's line each call has that is up.
    up: BTreeMap<u64, usize>,
    agenda: BinaryHeap<Reverse<(u64, Happening)>>,
    retry_after: Option<Duration>,
    next: u64,
    /// Since the counts were last taken, by operator.
    attempts: [u64; OPERATORS.len()],
    refused: u64,
    line_ms: u64,
}

/// What was counted in a span of time.
#[derive(Debug, Clone, Copy)]
struct Counts {
    attempts: u64,
    /// Of the first operator alone.
    attempts_of_first: u64,
    refused: u64,
    /// How much of the lines' time was used, in percent.
    used: u64,
}

impl Emergency {
    fn new(seed: u64, lines: [usize; OPERATORS.len()]) -> Self {
        Self::with(seed, lines, 0)
    }

    /// Of each operator's channels so many are reserved for calls that come in.
    fn with(seed: u64, lines: [usize; OPERATORS.len()], reserved: u32) -> Self {
        let fast = 10_000.0;
        let world = World {
            parts: OPERATORS.map(|prefix| (prefix, SURELY_ENOUGH)).to_vec(),
            reserved_parts: OPERATORS.map(|prefix| (prefix, reserved)).to_vec(),
            ..World::new(&[(1_000, fast)], &[(1_000, fast)])
        };
        let mut emergency = Self {
            random: Random::new(seed),
            dialer: Dialer::new(world.directory(), QueueLimits::default()),
            origin: origin(),
            at_ms: 0,
            lines,
            up: BTreeMap::new(),
            agenda: BinaryHeap::new(),
            retry_after: None,
            next: 0,
            attempts: [0; OPERATORS.len()],
            refused: 0,
            line_ms: 0,
        };
        for operator in 0..OPERATORS.len() {
            for _ in 0..2 * SURELY_ENOUGH {
                emergency.accept(operator);
            }
        }
        emergency
    }

    /// Somebody more is to be called, so that the queue never empties.
    fn accept(&mut self, operator: usize) {
        self.next += 1;
        let called = format!("{}{:06}", OPERATORS[operator], self.next);
        self.feed(Input::Accepted(request_to(self.next, 0, &called)));
    }

    fn feed(&mut self, input: Input) {
        self.dialer.handle(at(self.origin + ms(self.at_ms)), input);
        while let Some(output) = self.dialer.poll() {
            let Output::Attempt { call, .. } = output else {
                panic!("{output:?}")
            };
            let number = u64::from_be_bytes(call.as_bytes()[8..].try_into().unwrap());
            self.attempts[self.operator(number)] += 1;
            self.ring(number);
        }
    }

    fn ring(&mut self, number: u64) {
        let operator = self.operator(number);
        let taken = self.up.values().filter(|other| **other == operator).count();
        let happening = if taken < self.lines[operator] {
            self.up.insert(number, operator);
            (5_000 + self.random.below(35_000), Happening::End(number))
        } else {
            (
                1 + self.random.below(REFUSED_WITHIN_MS),
                Happening::Refuse(number),
            )
        };
        self.agenda
            .push(Reverse((self.at_ms + happening.0, happening.1)));
    }

    /// Calls come in the order of their operators, round and round.
    fn operator(&self, number: u64) -> usize {
        let first = OPERATORS.len() as u64 * u64::from(2 * SURELY_ENOUGH);
        if number <= first {
            ((number - 1) / u64::from(2 * SURELY_ENOUGH)) as usize
        } else {
            (number % OPERATORS.len() as u64) as usize
        }
    }

    /// Goes on for so many seconds, and counts.
    fn run(&mut self, seconds: u64) -> Counts {
        let begun = self.at_ms;
        let until = begun + seconds * 1_000;
        (self.attempts, self.refused, self.line_ms) = Default::default();
        loop {
            let deadline = self.dialer.deadline().map(|deadline| {
                let after = deadline.saturating_duration_since(self.origin);
                (after.as_micros().div_ceil(1_000) as u64).max(self.at_ms)
            });
            let next = self.agenda.peek().map(|Reverse((at, _))| *at);
            let Some(at) = [deadline, next].into_iter().flatten().min() else {
                panic!("nothing goes on");
            };
            let now = at.min(until);
            self.line_ms += (now - self.at_ms) * self.up.len() as u64;
            self.at_ms = now;
            if at > until {
                break;
            }
            if next == Some(at) {
                self.happen();
            } else {
                self.feed(Input::Timeout);
            }
        }
        let lines: usize = self.lines.iter().sum();
        Counts {
            attempts: self.attempts.iter().sum(),
            attempts_of_first: self.attempts[0],
            refused: self.refused,
            used: 100 * self.line_ms / (lines as u64 * (until - begun)).max(1),
        }
    }

    fn happen(&mut self) {
        let Some(Reverse((_, happening))) = self.agenda.pop() else {
            return;
        };
        let number = match happening {
            Happening::End(number) => {
                self.up.remove(&number);
                self.feed(Input::Ended(call(number)));
                number
            }
            Happening::Refuse(number) => {
                self.refused += 1;
                let retry_after = self.retry_after;
                self.feed(Input::Congested {
                    call: call(number),
                    retry_after,
                });
                number
            }
        };
        // As many wait for each operator as ever.
        while self.operator(self.next + 1) != self.operator(number) {
            self.next += 1;
        }
        self.accept(self.operator(number));
    }
}

#[test]
fn unknown_lines_are_found_and_then_seldom_overrun() {
    for seed in 0..30 {
        let mut random = Random::new(seed + 1_000);
        let lines = [(); OPERATORS.len()].map(|()| 4 + random.below(60) as usize);
        let mut emergency = Emergency::new(seed, lines);
        let warm_up = emergency.run(300);
        assert!(warm_up.refused > 0, "seed {seed}: {warm_up:?}");
        let counts = emergency.run(1_800);
        assert!(counts.attempts > 2_000, "seed {seed}: {counts:?}");
        assert!(
            counts.refused * 50 < counts.attempts,
            "seed {seed}, {lines:?}: {counts:?}"
        );
        assert!(counts.used >= 95, "seed {seed}, {lines:?}: {counts:?}");
    }
}

#[test]
fn more_lines_are_used_soon_and_fewer_are_respected() {
    let mut emergency = Emergency::new(7, [8; OPERATORS.len()]);
    emergency.run(600);
    emergency.lines = [32; OPERATORS.len()];
    emergency.run(400);
    let grown = emergency.run(600);
    assert!(grown.used >= 95, "{grown:?}");
    emergency.lines = [16; OPERATORS.len()];
    emergency.run(120);
    let shrunk = emergency.run(600);
    assert!(
        shrunk.refused * 50 < shrunk.attempts && shrunk.used >= 93,
        "{shrunk:?}"
    );
}

#[test]
fn lines_that_are_fewer_than_the_reserve_are_used_all_the_same() {
    let mut emergency = Emergency::with(9, [2; OPERATORS.len()], 4);
    emergency.run(300);
    let counts = emergency.run(1_800);
    assert!(counts.used >= 93, "{counts:?}");
    assert!(counts.refused * 20 < counts.attempts, "{counts:?}");
}

#[test]
fn an_outage_is_probed_gently_and_recovered_from() {
    let mut emergency = Emergency::new(3, [32; OPERATORS.len()]);
    emergency.run(300);
    emergency.lines = [0; OPERATORS.len()];
    emergency.run(120);
    let out = emergency.run(600);
    // Each operator once a minute at least, and not much more.
    assert!((45..=80).contains(&out.attempts), "{out:?}");
    assert_eq!(out.attempts, out.refused);
    emergency.lines = [32; OPERATORS.len()];
    emergency.run(240);
    let recovered = emergency.run(300);
    assert!(recovered.used >= 93, "{recovered:?}");
}

#[test]
fn retry_after_is_a_silence_for_that_operator_alone() {
    let enough = 2 * SURELY_ENOUGH as usize;
    let mut emergency = Emergency::new(5, [4, enough, enough, enough, enough]);
    emergency.retry_after = Some(Duration::from_secs(50));
    emergency.run(1);
    let learned: Vec<_> = emergency
        .dialer
        .learned()
        .map(|(_, prefix, channels)| (prefix.unwrap().to_owned(), channels))
        .collect();
    assert_eq!(learned, [(OPERATORS[0].to_owned(), 4)]);
    let silent = emergency.run(45);
    assert_eq!(silent.attempts_of_first, 0, "{silent:?}");
    assert!(silent.attempts > 500, "the others go on: {silent:?}");
    let after = emergency.run(60);
    assert!(after.attempts_of_first > 4, "{after:?}");
}
