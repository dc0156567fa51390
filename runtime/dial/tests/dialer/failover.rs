//! Calls that fail over one trunk and go over another.
//!
//! `JACKFIELD_SEEDS=20000` runs the first 20,000 random worlds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::{Duration, Instant};

use jackfield_dial::{CallRequest, Dialer, Input, Output, QueueLimits};
use store::TrunkId;

use crate::random::Random;
use crate::rows::Story;
use crate::world::{World, account, at, call, ms, origin, request};

const FAST: f32 = 10_000.0;
const SEEDS: u64 = 300;
const CALLS: u64 = 60;
const TRUNKS: usize = 3;

/// `t2` is the first choice of every call, `t1` the second, `t0` the last.
fn world(channels: [u32; TRUNKS], account_channels: u32) -> World {
    World {
        prefixes: vec!["+8559", "+85599"],
        ..World::new(
            &channels.map(|channels| (channels, FAST)),
            &[(account_channels, FAST); 2],
        )
    }
}

fn failed(number: u64) -> Input {
    Input::AttemptFailed {
        call: call(number),
        congested: None,
    }
}

#[test]
fn each_trunk_is_tried_once() {
    let mut story = Story::new(&world([1; 3], 9));
    let accepted = Input::Accepted(request(1, 0));
    assert_eq!(story.feed(accepted), ["dial 1 over t2"]);
    assert!(story.dialer.has_other_way(call(1)));
    assert_eq!(story.feed(failed(1)), ["dial 1 over t1"]);
    assert_eq!(story.feed(failed(1)), ["dial 1 over t0"]);
    assert!(!story.dialer.has_other_way(call(1)));
    assert_eq!(story.feed(failed(1)), ["refuse 1: 21214"]);
    let trunks = ["t0", "t1", "t2"].map(|trunk| TrunkId(trunk.to_owned()));
    let held = trunks.map(|trunk| story.dialer.channels_held(&trunk));
    assert_eq!((story.dialer.waiting(), held), (0, [0; 3]));
}

#[test]
fn a_full_trunk_is_waited_for_at_the_old_place() {
    let mut story = Story::new(&world([1, 1, 1], 9));
    for number in 1..=4 {
        story.feed(Input::Accepted(request(number, 0)));
    }
    // Call 4 takes what call 1 left; call 1 waits for `t1` and `t0`, before call 5, which came later.
    assert_eq!(story.feed(failed(1)), ["dial 4 over t2"]);
    story.feed(Input::Accepted(request(5, 0)));
    assert_eq!(story.feed(Input::Ended(call(2))), ["dial 1 over t1"]);
    assert_eq!(story.feed(Input::Ended(call(3))), ["dial 5 over t0"]);
}

#[test]
fn one_that_waits_for_another_trunk_is_cancelled_like_any_other() {
    let mut story = Story::new(&world([1, 1, 1], 9));
    for number in 1..=3 {
        story.feed(Input::Accepted(request(number, 0)));
    }
    assert_eq!(story.feed(failed(1)), [""; 0]);
    assert_eq!(story.feed(Input::Cancel(call(1))), ["canceled 1"]);
    assert_eq!(story.feed(Input::Ended(call(2))), [""; 0]);
    assert_eq!(story.feed(failed(1)), [""; 0], "it is gone");
}

#[test]
fn a_trunk_without_room_is_learned_from_and_left_alone() {
    let mut story = Story::new(&world([5; 3], 9));
    story.feed(Input::Accepted(request(1, 0)));
    let congested = Input::AttemptFailed {
        call: call(1),
        congested: Some(Some(Duration::from_secs(30))),
    };
    assert_eq!(story.feed(congested), ["dial 1 over t1"]);
    let next = Input::Accepted(request(2, 0));
    assert_eq!(story.feed(next), ["dial 2 over t1"], "t2 has its silence");
}

#[test]
fn what_was_tried_before_a_restart_is_not_tried_again() {
    let mut story = Story::new(&world([1; 3], 9));
    let again = CallRequest {
        tried: vec![TrunkId("t2".to_owned()), TrunkId("t1".to_owned())],
        ..request(1, 0)
    };
    assert_eq!(story.feed(Input::Accepted(again)), ["dial 1 over t0"]);
    assert!(!story.dialer.has_other_way(call(1)));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Accept(u64),
    Cancel(u64),
    Fail(u64),
    End(u64),
    /// What is up is lost, what waits is read from the store with where it was tried.
    Crash,
}

/// Counts for itself what the dialer does, and complains.
struct Simulation {
    seed: u64,
    random: Random,
    world: World,
    dialer: Dialer,
    origin: Instant,
    at_ms: u64,
    agenda: BinaryHeap<Reverse<(u64, Happening)>>,
    /// Over which trunk each call is up.
    up: BTreeMap<u64, TrunkId>,
    waiting: BTreeSet<u64>,
    tried: BTreeMap<u64, Vec<TrunkId>>,
    /// Each call once.
    over: BTreeSet<u64>,
    failovers: u64,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let channels = [(); TRUNKS].map(|()| 1 + random.below(4) as u32);
        let world = world(channels, 1 + random.below(8) as u32);
        let mut agenda = BinaryHeap::new();
        for number in 0..CALLS {
            let accepted = random.below(5_000);
            agenda.push(Reverse((accepted, Happening::Accept(number))));
            if random.below(5) == 0 {
                let canceled = accepted + random.below(4_000);
                agenda.push(Reverse((canceled, Happening::Cancel(number))));
            }
        }
        for _ in 0..random.below(3) {
            agenda.push(Reverse((random.below(10_000), Happening::Crash)));
        }
        Self {
            seed,
            random,
            dialer: Dialer::new(world.directory(), QueueLimits::default()),
            world,
            origin: origin(),
            at_ms: 0,
            agenda,
            up: BTreeMap::new(),
            waiting: BTreeSet::new(),
            tried: BTreeMap::new(),
            over: BTreeSet::new(),
            failovers: 0,
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!("seed {}: {what}", self.seed)
    }

    fn end(&mut self, number: u64) {
        if !self.over.insert(number) {
            self.fail("a call ends twice");
        }
    }

    fn run(&mut self) {
        loop {
            let deadline = self.dialer.deadline().map(|deadline| {
                let after = deadline.saturating_duration_since(self.origin);
                (after.as_micros().div_ceil(1_000) as u64).max(self.at_ms)
            });
            let next = self.agenda.peek().map(|Reverse((at, _))| *at);
            let Some(at_ms) = [deadline, next].into_iter().flatten().min() else {
                return;
            };
            self.at_ms = at_ms;
            if next == Some(at_ms) {
                self.happen();
            } else {
                self.feed(Input::Timeout);
            }
            if self.dialer.waiting() != self.waiting.len() {
                self.fail("miscounts what waits");
            }
        }
    }

    fn happen(&mut self) {
        let Some(Reverse((_, happening))) = self.agenda.pop() else {
            return;
        };
        match happening {
            Happening::Accept(number) => {
                self.waiting.insert(number);
                self.feed(Input::Accepted(request(number, number as usize % 2)));
            }
            Happening::Cancel(number) => self.feed(Input::Cancel(call(number))),
            Happening::End(number) => {
                if self.up.remove(&number).is_some() {
                    self.end(number);
                    self.feed(Input::Ended(call(number)));
                }
            }
            Happening::Fail(number) => self.attempt_fails(number),
            Happening::Crash => self.crash(),
        }
    }

    fn attempt_fails(&mut self, number: u64) {
        let Some(trunk) = self.up.get(&number).cloned() else {
            return;
        };
        let tried = self.tried.entry(number).or_default();
        tried.push(trunk);
        let is_left = tried.len() < TRUNKS;
        if self.dialer.has_other_way(call(number)) != is_left {
            self.fail("miscounts the ways that are left");
        }
        self.up.remove(&number);
        if is_left {
            self.failovers += 1;
            self.waiting.insert(number);
            let congested = (self.random.below(2) == 0).then_some(None);
            self.feed(Input::AttemptFailed {
                call: call(number),
                congested,
            });
        } else {
            self.end(number);
            self.feed(Input::Ended(call(number)));
        }
    }

    fn crash(&mut self) {
        self.dialer = Dialer::new(self.world.directory(), QueueLimits::default());
        for number in std::mem::take(&mut self.up).into_keys() {
            self.end(number);
        }
        for number in self.waiting.clone() {
            self.feed(Input::Accepted(CallRequest {
                tried: self.tried.get(&number).cloned().unwrap_or_default(),
                ..request(number, number as usize % 2)
            }));
        }
    }

    fn feed(&mut self, input: Input) {
        self.dialer.handle(at(self.origin + ms(self.at_ms)), input);
        while let Some(output) = self.dialer.poll() {
            self.observe(output);
        }
    }

    fn observe(&mut self, output: Output) {
        let number =
            |sid: call::CallSid| u64::from_be_bytes(sid.as_bytes()[8..].try_into().unwrap());
        match output {
            Output::Attempt {
                call,
                account: by,
                trunk,
                ..
            } => {
                let number = number(call);
                if !self.waiting.remove(&number) || by != account(number as usize % 2) {
                    self.fail("dials what does not wait");
                }
                if self
                    .tried
                    .get(&number)
                    .is_some_and(|tried| tried.contains(&trunk))
                {
                    self.fail("dials a call over a trunk a second time");
                }
                self.up.insert(number, trunk.clone());
                self.check_limits(&trunk);
                let happening = match self.random.below(2) {
                    0 => Happening::Fail(number),
                    _ => Happening::End(number),
                };
                let at = self.at_ms + 1 + self.random.below(2_000);
                self.agenda.push(Reverse((at, happening)));
            }
            Output::Canceled { call, .. } => {
                let number = number(call);
                if !self.waiting.remove(&number) {
                    self.fail("cancels what does not wait");
                }
                self.end(number);
            }
            Output::Leave(_) => self.fail("lets leave what is not ready"),
            Output::Refuse { .. } | Output::Expire { .. } => self.fail("ends a call that may go"),
        }
    }

    fn check_limits(&self, trunk: &TrunkId) {
        let index: usize = trunk.0[1..].parse().expect("a number behind the t");
        let used = self.up.values().filter(|other| *other == trunk).count();
        if used > self.world.trunks[index].0 as usize {
            self.fail("takes a channel too many");
        }
        for of in 0..2 {
            let up = self.up.keys().filter(|number| **number % 2 == of).count();
            if up > self.world.accounts[of as usize].0 as usize {
                self.fail("takes more channels than the account has");
            }
        }
    }
}

#[test]
fn no_call_goes_over_a_trunk_twice_and_each_ends_once() {
    let asked = std::env::var("JACKFIELD_SEEDS").ok();
    let seeds = asked.and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let mut failovers = 0;
    for seed in 0..seeds.max(SEEDS) {
        let mut simulation = Simulation::new(seed);
        simulation.run();
        assert_eq!(simulation.over.len() as u64, CALLS, "seed {seed}");
        failovers += simulation.failovers;
    }
    assert!(failovers > 1_000, "the worlds are too tame: {failovers}");
}
