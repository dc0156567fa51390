//! Random worlds, watched by an observer that keeps its own counts.
//!
//! `JACKFIELD_SEEDS=20000` runs the first 20,000 of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Instant;

use call::{AccountSid, CallSid};
use jackfield_dial::{CallRequest, Dialer, Input, Output, QueueLimits};
use store::{Priority, QueueTerms, TrunkId};

use crate::random::Random;
use crate::world::{World, account, at, call, ms, origin, request, request_over, request_to};

const SEEDS: u64 = 300;
const CALLS: u64 = 80;
const FAST: f32 = 10_000.0;
/// Parts of trunk 0, by the beginning of the called number, and a number of each; the last number is of no part.
const PARTS: [&str; 2] = ["+85510", "+8551"];
const CALLED: [&str; 3] = ["+85510111111", "+85512111111", "+85599999999"];

impl Random {
    fn limits(&mut self, fast: bool) -> (u32, f32) {
        let rate = [0.5, 1.0, 3.0, 8.0, 20.0][self.below(5) as usize];
        (1 + self.below(5) as u32, if fast { FAST } else { rate })
    }

    /// One or two trunks, one to six accounts. In a fast world no rate is ever reached.
    fn world(&mut self, fast: bool) -> World {
        let trunks: Vec<_> = (0..=self.below(2)).map(|_| self.limits(fast)).collect();
        let accounts: Vec<_> = (0..=self.below(6)).map(|_| self.limits(fast)).collect();
        World {
            parts: self.parts(trunks[0].0),
            outbound: ", highest_priority = \"emergency\"",
            ..World::new(&trunks, &accounts)
        }
    }

    /// Each part at most the whole trunk.
    fn parts(&mut self, channels: u32) -> Vec<(&'static str, u32)> {
        PARTS
            .map(|prefix| (prefix, (1 + self.below(3) as u32).min(channels)))
            .to_vec()
    }
}

/// What is bound to happen, by virtual milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Accept(u64),
    Cancel(u64),
    End(u64),
    Change,
    /// The process is killed and starts anew: calls that are up are lost, those that wait are read from the store.
    Crash,
}

/// What a call needs channels of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wants {
    trunk: usize,
    /// Of trunk 0, as [`PARTS`] counts.
    part: Option<usize>,
    account: usize,
    class: Priority,
}

/// Counts for itself what the dialer does, and complains.
struct Observer {
    seed: u64,
    fast: bool,
    world: World,
    /// The calls that wait, with their line and their place in the order they came.
    waiting: BTreeMap<CallSid, (Wants, u64)>,
    up: BTreeMap<CallSid, Wants>,
    starts: BTreeMap<(&'static str, usize), Vec<u64>>,
    attempted: BTreeSet<CallSid>,
    refused: BTreeSet<CallSid>,
    canceled: BTreeSet<CallSid>,
    /// Calls come back one by one: an urgent one may be behind others.
    is_rebuilding: bool,
}

impl Observer {
    fn fail(&self, what: &str) -> ! {
        panic!("seed {}: {what}; {:?}", self.seed, self.world);
    }

    fn up_on(&self, trunk: usize) -> u32 {
        self.up.values().filter(|up| up.trunk == trunk).count() as u32
    }

    fn up_of(&self, account: usize) -> u32 {
        self.up.values().filter(|up| up.account == account).count() as u32
    }

    /// Whether something that the call needs has no channel.
    fn is_full(&self, wants: Wants) -> bool {
        let part_is_full = wants.part.is_some_and(|part| {
            let up = self.up.values().filter(|up| up.part == Some(part)).count();
            up as u32 >= self.world.parts[part].1
        });
        part_is_full
            || self.up_on(wants.trunk) >= self.world.trunks[wants.trunk].0
            || self.up_of(wants.account) >= self.world.accounts[wants.account].0
    }

    fn attempt(&mut self, at_ms: u64, sid: CallSid, over: &TrunkId, by: AccountSid) {
        let Some((wants, came)) = self.waiting.remove(&sid) else {
            self.fail("dials a call that does not wait")
        };
        let (trunk, of) = (wants.trunk, wants.account);
        if *over != TrunkId(format!("t{trunk}")) || by != account(of) {
            self.fail("dials over another trunk, or for another account");
        }
        if self
            .waiting
            .values()
            .any(|(other, earlier)| *other == wants && *earlier < came)
        {
            self.fail("overtakes an earlier call of the same account");
        }
        let mut waiting = self.waiting.values();
        if self.fast
            && !self.is_rebuilding
            && waiting.any(|(other, _)| other.class < wants.class && !self.is_full(*other))
        {
            self.fail("lets a more urgent call wait that could go");
        }
        if self.is_full(wants) {
            self.fail("takes a channel too many");
        }
        self.up.insert(sid, wants);
        for (key, rate) in [
            (("trunk", trunk), self.world.trunks[trunk].1),
            (("account", of), self.world.accounts[of].1),
        ] {
            let starts = self.starts.entry(key).or_default();
            starts.push(at_ms);
            let within_a_second = starts
                .iter()
                .rev()
                .take_while(|start| **start + 1_000 > at_ms)
                .count();
            if within_a_second as f32 > 1.0 + rate * 1.05 {
                self.fail(&format!(
                    "{within_a_second} starts in a second at {rate} of {key:?}"
                ));
            }
        }
        if !self.attempted.insert(sid) {
            self.fail("dials a call twice");
        }
    }

    /// In a fast world a call waits only for a channel.
    fn check_nobody_waits_in_vain(&self) {
        for (wants, _) in self.waiting.values() {
            if self.fast && !self.is_full(*wants) {
                self.fail("lets a call wait although its trunk and account have room");
            }
        }
    }
}

struct Simulation {
    random: Random,
    dialer: Dialer,
    observer: Observer,
    origin: Instant,
    agenda: BinaryHeap<Reverse<(u64, Happening)>>,
    requests: BTreeMap<u64, (CallRequest, Wants)>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let fast = random.below(2) == 0;
        let world = random.world(fast);
        let mut agenda = BinaryHeap::new();
        let mut requests = BTreeMap::new();
        for number in 0..CALLS {
            let of = random.below(world.accounts.len() as u64) as usize;
            let trunk = random.below(world.trunks.len() as u64) as usize;
            let called = random.below(CALLED.len() as u64) as usize;
            let class = Priority::ALL[random.below(3) as usize];
            let asked = if trunk == 0 {
                request_to(number, of, CALLED[called])
            } else {
                request_over(number, of, trunk)
            };
            let wants = Wants {
                trunk,
                part: (trunk == 0 && called < PARTS.len()).then_some(called),
                account: of,
                class,
            };
            let terms = QueueTerms {
                priority: class,
                ..QueueTerms::default()
            };
            requests.insert(number, (CallRequest { terms, ..asked }, wants));
            let at = random.below(10_000);
            agenda.push(Reverse((at, Happening::Accept(number))));
            if random.below(6) == 0 {
                agenda.push(Reverse((
                    at + random.below(5_000),
                    Happening::Cancel(number),
                )));
            }
        }
        for _ in 0..random.below(4) {
            agenda.push(Reverse((random.below(20_000), Happening::Change)));
        }
        for _ in 0..random.below(3) {
            agenda.push(Reverse((random.below(20_000), Happening::Crash)));
        }
        let dialer = Dialer::new(world.directory(), QueueLimits::default());
        let observer = Observer {
            seed,
            fast,
            world,
            waiting: BTreeMap::new(),
            up: BTreeMap::new(),
            starts: BTreeMap::new(),
            attempted: BTreeSet::new(),
            refused: BTreeSet::new(),
            canceled: BTreeSet::new(),
            is_rebuilding: false,
        };
        Self {
            random,
            dialer,
            observer,
            origin: origin(),
            agenda,
            requests,
        }
    }

    fn run(&mut self) {
        let mut at_ms = 0;
        for _ in 0..100 * CALLS {
            let deadline = self.dialer.deadline().map(|deadline| {
                (deadline
                    .saturating_duration_since(self.origin)
                    .as_micros()
                    .div_ceil(1_000) as u64)
                    .max(at_ms)
            });
            let next = self.agenda.peek().map(|Reverse((at, _))| *at);
            let input = match (deadline, next) {
                (None, None) => return,
                (Some(deadline), next) if next.is_none_or(|next| deadline <= next) => {
                    at_ms = deadline;
                    Input::Timeout
                }
                _ => {
                    let Some(Reverse((at, happening))) = self.agenda.pop() else {
                        return;
                    };
                    at_ms = at;
                    if happening == Happening::Crash {
                        self.crash(at_ms);
                        continue;
                    }
                    self.input(happening)
                }
            };
            self.dialer.handle(at(self.origin + ms(at_ms)), input);
            self.observe(at_ms);
        }
        self.observer.fail("does not come to an end");
    }

    /// Calls that are up end with the process, and their ends are never told.
    fn crash(&mut self, at_ms: u64) {
        let directory = self.observer.world.directory();
        self.dialer = Dialer::new(directory, QueueLimits::default());
        self.observer.up.clear();
        self.observer.starts.clear();
        let waiting = self.observer.waiting.iter();
        let mut waiting: Vec<_> = waiting.map(|(sid, (_, came))| (*came, *sid)).collect();
        waiting.sort_unstable();
        self.observer.is_rebuilding = true;
        for (_, sid) in waiting {
            let (request, _) = &self.requests[&number(sid)];
            let again = Input::Accepted(request.clone());
            self.dialer.handle(at(self.origin + ms(at_ms)), again);
        }
        self.observe(at_ms);
        self.observer.is_rebuilding = false;
    }

    fn input(&mut self, happening: Happening) -> Input {
        match happening {
            Happening::Crash => unreachable!("a crash is no input"),
            Happening::Accept(number) => {
                let (request, wants) = &self.requests[&number];
                self.observer
                    .waiting
                    .insert(request.call, (*wants, self.observer.waiting_so_far()));
                Input::Accepted(request.clone())
            }
            Happening::Cancel(number) => Input::Cancel(call(number)),
            Happening::End(number) => {
                self.observer.up.remove(&call(number));
                Input::Ended(call(number))
            }
            Happening::Change => {
                let world = &mut self.observer.world;
                world.first_may_call = self.random.below(3) > 0;
                for limits in world.trunks.iter_mut().chain(&mut world.accounts) {
                    limits.0 = 1 + self.random.below(5) as u32;
                }
                world.parts = self.random.parts(world.trunks[0].0);
                Input::Directory(world.directory())
            }
        }
    }

    fn observe(&mut self, at_ms: u64) {
        while let Some(output) = self.dialer.poll() {
            match output {
                Output::Attempt {
                    call,
                    account,
                    trunk,
                    ..
                } => {
                    self.observer.attempt(at_ms, call, &trunk, account);
                    let number = number(call);
                    let ends = at_ms + 1 + self.random.below(3_000);
                    self.agenda.push(Reverse((ends, Happening::End(number))));
                }
                Output::Refuse {
                    call, account: of, ..
                } => {
                    if of != account(0) || self.observer.world.first_may_call {
                        self.observer.fail("refuses what is allowed");
                    }
                    self.observer.waiting.remove(&call);
                    self.observer.refused.insert(call);
                }
                Output::Leave(_) => self.observer.fail("lets leave what is not ready"),
                Output::Expire { .. } => self.observer.fail("expires what has no end"),
                Output::Canceled { call, .. } => {
                    self.observer.waiting.remove(&call);
                    self.observer.canceled.insert(call);
                }
            }
        }
        self.observer.check_nobody_waits_in_vain();
        if self.dialer.waiting() != self.observer.waiting.len() {
            self.observer.fail("miscounts what waits");
        }
        for trunk in 0..self.observer.world.trunks.len() {
            if self.dialer.channels_held(&TrunkId(format!("t{trunk}")))
                != self.observer.up_on(trunk)
            {
                self.observer.fail("miscounts what is up");
            }
        }
    }
}

impl Observer {
    /// How many calls have come so far: the next one's place in the order.
    fn waiting_so_far(&self) -> u64 {
        (self.waiting.len() + self.attempted.len() + self.refused.len() + self.canceled.len())
            as u64
    }
}

#[test]
fn limits_hold_and_every_call_ends_one_way() {
    let mut totals = [0; 3];
    let asked = std::env::var("JACKFIELD_SEEDS").ok();
    let seeds = asked.and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    for seed in 0..seeds.max(SEEDS) {
        let mut simulation = Simulation::new(seed);
        simulation.run();
        let Observer {
            attempted,
            refused,
            canceled,
            waiting,
            ..
        } = &simulation.observer;
        assert!(
            waiting.is_empty(),
            "seed {seed}: {} calls wait for ever",
            waiting.len()
        );
        let ends = [attempted.len(), refused.len(), canceled.len()];
        let all: BTreeSet<_> = attempted.iter().chain(refused).chain(canceled).collect();
        assert_eq!(all.len() as u64, CALLS, "seed {seed}");
        assert_eq!(
            ends.iter().sum::<usize>() as u64,
            CALLS,
            "seed {seed}: a call ended two ways"
        );
        for (total, end) in totals.iter_mut().zip(ends) {
            *total += end;
        }
    }
    assert!(
        totals.iter().all(|total| *total > 100),
        "the worlds are too alike: {totals:?}"
    );
}

/// A hundred accounts with a backlog share one trunk of 32 channels.
#[test]
fn a_trunk_is_shared_evenly() {
    const ACCOUNTS: usize = 100;
    let world = World::new(&[(32, FAST)], &[(1_000, FAST); ACCOUNTS]);
    let mut dialer = Dialer::new(world.directory(), QueueLimits::default());
    let mut now = origin();
    let mut number = 0;
    for of in 0..ACCOUNTS {
        // The first account floods the queue; every other one has enough.
        for _ in 0..if of == 0 { 2_000 } else { 60 } {
            number += 1;
            dialer.handle(at(now), Input::Accepted(request(number, of)));
        }
    }
    // What found the trunk empty was dialled before anybody else asked.
    let mut up: Vec<CallSid> = std::iter::from_fn(|| dialer.poll())
        .map(|output| sid(&output))
        .collect();
    assert_eq!(up.len(), 32);

    let mut shares = BTreeMap::new();
    for _ in 0..50 * ACCOUNTS {
        now += ms(1); // slow enough that the rate does not matter
        dialer.handle(at(now), Input::Ended(up.remove(0)));
        let output = dialer.poll().expect("a channel is free and calls wait");
        let Output::Attempt { account, .. } = &output else {
            panic!("{output:?}")
        };
        *shares.entry(*account).or_insert(0) += 1;
        up.push(sid(&output));
    }
    assert_eq!(shares.len(), ACCOUNTS);
    assert!(shares.values().all(|share| *share == 50), "{shares:?}");
}

/// What [`call`] made a SID of.
fn number(call: CallSid) -> u64 {
    u64::from_be_bytes(call.as_bytes()[8..].try_into().unwrap())
}

fn sid(output: &Output) -> CallSid {
    match output {
        Output::Attempt { call, .. }
        | Output::Refuse { call, .. }
        | Output::Leave(call)
        | Output::Expire { call, .. }
        | Output::Canceled { call, .. } => *call,
    }
}
