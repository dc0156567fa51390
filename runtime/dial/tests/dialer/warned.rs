//! People who are to be warned over lines that nobody counted: the far end refuses at first, and that costs nobody their attempts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use call::{CallRecord, CallStatus};
use jackfield_dial::retry::{self, Attempt, Decision, Wish};
use jackfield_dial::{Dialer, Input, Output, QueueLimits};
use store::TrunkId;

use crate::random::Random;
use crate::world::{World, at, call, ms, origin, request_to};

const PEOPLE: u64 = 500;
/// Operators behind the aggregator, by the beginning of their numbers, and the lines that each has.
const OPERATORS: [&str; 5] = ["+85510", "+85511", "+85512", "+85515", "+85516"];
const LINES: usize = 32;
/// What is configured where nobody knows.
const SURELY_ENOUGH: u32 = 100;
/// The clock on the wall as it begins.
const NOON_UNIX_MS: u64 = 12 * 3_600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Order {
        person: u64,
    },
    /// The call ends, or is refused with a 503.
    End {
        call: u64,
        is_refused: bool,
    },
}

/// A broadcast by the usual rules, in virtual milliseconds.
struct Warning {
    random: Random,
    dialer: Dialer,
    at_ms: u64,
    agenda: BinaryHeap<Reverse<(u64, Happening)>>,
    /// Whose call is whose.
    people: BTreeMap<u64, u64>,
    attempts: BTreeMap<u64, Vec<Attempt>>,
    up: BTreeMap<u64, usize>,
    refused: u64,
}

impl Warning {
    fn new(seed: u64) -> Self {
        let fast = 10_000.0;
        let world = World {
            parts: OPERATORS.map(|prefix| (prefix, SURELY_ENOUGH)).to_vec(),
            ..World::new(&[(1_000, fast)], &[(1_000, fast)])
        };
        let orders = (0..PEOPLE).map(|person| Reverse((0, Happening::Order { person })));
        Self {
            random: Random::new(seed),
            dialer: Dialer::new(world.directory(), QueueLimits::default()),
            at_ms: 0,
            agenda: orders.collect(),
            people: BTreeMap::new(),
            attempts: BTreeMap::new(),
            up: BTreeMap::new(),
            refused: 0,
        }
    }

    fn run(&mut self) {
        let origin = origin();
        loop {
            let deadline = self.dialer.deadline().map(|deadline| {
                let after = deadline.saturating_duration_since(origin);
                (after.as_micros().div_ceil(1_000) as u64).max(self.at_ms)
            });
            let next = self.agenda.peek().map(|Reverse((at, _))| *at);
            let Some(now) = [deadline, next].into_iter().flatten().min() else {
                return;
            };
            self.at_ms = now;
            let input = if next == Some(now) {
                self.happen()
            } else {
                Input::Timeout
            };
            self.dialer.handle(at(origin + ms(now)), input);
            while let Some(output) = self.dialer.poll() {
                let Output::Attempt { call, .. } = output else {
                    panic!("{output:?}")
                };
                self.ring(u64::from_be_bytes(call.as_bytes()[8..].try_into().unwrap()));
            }
        }
    }

    fn ring(&mut self, number: u64) {
        let operator = (self.people[&number] % 5) as usize;
        let taken = self.up.values().filter(|other| **other == operator).count();
        let is_refused = taken >= LINES;
        let lasts = if is_refused {
            1 + self.random.below(300)
        } else {
            self.up.insert(number, operator);
            5_000 + self.random.below(35_000)
        };
        let end = Happening::End {
            call: number,
            is_refused,
        };
        self.agenda.push(Reverse((self.at_ms + lasts, end)));
    }

    fn happen(&mut self) -> Input {
        let Some(Reverse((_, happening))) = self.agenda.pop() else {
            return Input::Timeout;
        };
        match happening {
            Happening::Order { person } => {
                let number = self.people.len() as u64 + 1;
                self.people.insert(number, person);
                let operator = OPERATORS[(person % 5) as usize];
                let called = format!("{operator}{person:06}");
                Input::Accepted(request_to(number, 0, &called))
            }
            Happening::End {
                call: number,
                is_refused,
            } => {
                self.up.remove(&number);
                self.decide(self.people[&number], is_refused);
                match is_refused {
                    true => Input::Congested {
                        call: call(number),
                        retry_after: None,
                    },
                    false => Input::Ended(call(number)),
                }
            }
        }
    }

    /// Orders another call to somebody who was not reached, if the rules say so.
    fn decide(&mut self, person: u64, is_refused: bool) {
        let now = NOON_UNIX_MS + self.at_ms;
        let record = match is_refused {
            true => CallRecord {
                sip_status: Some(503),
                ..CallRecord::new(CallStatus::Failed, "Service Unavailable")
            },
            false => CallRecord::new(CallStatus::Completed, "over"),
        };
        self.refused += u64::from(is_refused);
        let attempts = self.attempts.entry(person).or_default();
        attempts.push(Attempt {
            started_unix_ms: now,
            ended_unix_ms: now,
            trunk: Some(TrunkId("t0".to_owned())),
            record,
        });
        let wish = Wish {
            max_attempts: Some(1),
            gap: Some(retry::LEAST_GAP),
            ..Wish::default()
        };
        if let Decision::Again { at_unix_ms, .. } = retry::next(attempts, &wish, now) {
            let again = Happening::Order { person };
            self.agenda
                .push(Reverse((at_unix_ms - NOON_UNIX_MS, again)));
        }
    }
}

#[test]
fn nobody_pays_for_lines_that_nobody_counted() {
    for seed in 0..20 {
        let mut warning = Warning::new(seed);
        warning.run();
        assert!(warning.refused > 200, "seed {seed}: {}", warning.refused);
        let reached = |attempts: &&Vec<Attempt>| attempts.iter().any(Attempt::reached);
        let reached = warning.attempts.values().filter(reached).count() as u64;
        assert!(
            reached * 100 >= PEOPLE * 99,
            "seed {seed}: {reached} were reached"
        );
    }
}
