//! INVITEs on the wire: disks and name servers that stall, and how many leave in every span of time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Instant;

use jackfield_dial::{CallRequest, Dialer, Input, Output, QueueLimits};

use store::TrunkId;

use crate::random::Random;
use crate::rows::Story;
use crate::world::{World, at, call, ms, origin, request, request_over};

const FAST: f32 = 10_000.0;
/// How far a start may come before its time, in milliseconds.
const TOLERANCE_MS: u64 = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Ready(u64),
    End(u64),
}

/// What was seen of a call, in virtual milliseconds.
#[derive(Debug, Clone, Copy)]
struct Seen {
    number: u64,
    begun: u64,
    ready: u64,
    left: u64,
}

/// Calls that wait, and what keeps them between their beginning and their INVITE.
struct Wire<'s> {
    dialer: Dialer,
    origin: Instant,
    at_ms: u64,
    /// When the INVITE of a call is ready that begins at this time.
    stall: &'s mut dyn FnMut(u64) -> u64,
    /// Milliseconds that a call is up.
    lasts: u64,
    agenda: BinaryHeap<Reverse<(u64, Happening)>>,
    begun: BTreeMap<u64, (u64, u64)>,
    seen: Vec<Seen>,
}

impl Wire<'_> {
    /// Lets all of the calls be made; what was seen of each, in the order in which they left.
    fn run(
        world: &World,
        requests: Vec<CallRequest>,
        lasts: u64,
        stall: &mut dyn FnMut(u64) -> u64,
    ) -> Vec<Seen> {
        let mut wire = Wire {
            dialer: Dialer::new(world.directory(), QueueLimits::default()),
            origin: origin(),
            at_ms: 0,
            stall,
            lasts,
            agenda: BinaryHeap::new(),
            begun: BTreeMap::new(),
            seen: Vec::new(),
        };
        let all = requests.len();
        for request in requests {
            wire.feed(Input::Accepted(request));
        }
        while wire.seen.len() < all {
            wire.step();
        }
        wire.seen
    }

    fn step(&mut self) {
        let deadline = self.dialer.deadline().map(|deadline| {
            let after = deadline.saturating_duration_since(self.origin);
            (after.as_nanos().div_ceil(1_000_000) as u64).max(self.at_ms)
        });
        let next = self.agenda.peek().map(|Reverse((at, _))| *at);
        let soonest = [deadline, next].into_iter().flatten().min();
        self.at_ms = soonest.expect("calls are left, and something goes on");
        if next != Some(self.at_ms) {
            return self.feed(Input::Timeout);
        }
        match self.agenda.pop() {
            Some(Reverse((_, Happening::Ready(number)))) => self.feed(Input::Ready(call(number))),
            Some(Reverse((_, Happening::End(number)))) => self.feed(Input::Ended(call(number))),
            None => {}
        }
    }

    fn feed(&mut self, input: Input) {
        let number =
            |sid: call::CallSid| u64::from_be_bytes(sid.as_bytes()[8..].try_into().unwrap());
        self.dialer.handle(at(self.origin + ms(self.at_ms)), input);
        while let Some(output) = self.dialer.poll() {
            match output {
                Output::Attempt { call, .. } => {
                    let ready = (self.stall)(self.at_ms).max(self.at_ms);
                    self.begun.insert(number(call), (self.at_ms, ready));
                    let happening = Happening::Ready(number(call));
                    self.agenda.push(Reverse((ready, happening)));
                }
                Output::Leave(call) => {
                    let number = number(call);
                    let (begun, ready) = self.begun.remove(&number).unwrap();
                    assert!(ready <= self.at_ms, "{number} leaves before it is ready");
                    self.seen.push(Seen {
                        number,
                        begun,
                        ready,
                        left: self.at_ms,
                    });
                    let ends = self.at_ms + self.lasts;
                    self.agenda.push(Reverse((ends, Happening::End(number))));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Checks every span of time between two INVITEs: no more than `1 + rate * (span + 0.05 s)` leave in it.
#[track_caller]
fn check_rate(whose: &str, left: &[u64], per_second: f32) {
    for (first, begins) in left.iter().enumerate() {
        for (more, ends) in left[first..].iter().enumerate() {
            let span_s = (ends - begins + TOLERANCE_MS) as f32 / 1_000.0;
            // Both ends count; half a millisecond for the rounding of virtual time.
            let most = 1.0 + per_second * (span_s + 0.001);
            assert!(
                (more + 1) as f32 <= most,
                "{} INVITEs of {whose} from {begins} to {ends} ms",
                more + 1
            );
        }
    }
}

fn left(seen: &[Seen]) -> Vec<u64> {
    seen.iter().map(|seen| seen.left).collect()
}

fn most_ready_at_once(seen: &[Seen]) -> usize {
    let mut counts = BTreeMap::new();
    for seen in seen {
        *counts.entry(seen.ready).or_insert(0) += 1;
    }
    counts.into_values().max().unwrap_or(0)
}

/// Fifty calls begin in a second, and in that second the disk takes nothing.
#[test]
fn calls_that_a_disk_held_up_leave_one_after_the_other() {
    let world = World::new(&[(500, 50.0)], &[(500, FAST)]);
    let requests = (1..=400).map(|number| request(number, 0)).collect();
    let mut stall = |begun: u64| match begun {
        2_000..3_000 => 3_000,
        _ => begun + 5,
    };
    let seen = Wire::run(&world, requests, 1_000, &mut stall);
    assert!(most_ready_at_once(&seen) >= 48, "the disk did not stall");
    check_rate("the trunk", &left(&seen), 50.0);
    let last = seen.last().unwrap().left;
    assert!(last <= 9_100, "a second is lost and no more: {last} ms");
}

/// A process that starts looks for its name servers with the queue full.
#[test]
fn after_a_long_stall_those_go_first_who_are_ready() {
    let world = World::new(&[(2_000, 50.0)], &[(2_000, FAST)]);
    let requests = (1..=1_500).map(|number| request(number, 0)).collect();
    let mut stall = |begun: u64| begun.max(10_000) + 5;
    let seen = Wire::run(&world, requests, 1_000, &mut stall);
    assert!(most_ready_at_once(&seen) >= 450, "nothing stalled");
    check_rate("the trunk", &left(&seen), 50.0);
    let numbers: Vec<u64> = seen.iter().map(|seen| seen.number).collect();
    assert!(numbers.is_sorted(), "they leave as they came");
    // A second after the stall nobody begins any more, until those who began are gone.
    let (behind, fresh): (Vec<&Seen>, Vec<&Seen>) =
        seen.iter().partition(|seen| seen.begun < 11_100);
    assert!((500..=560).contains(&behind.len()), "{}", behind.len());
    assert!(fresh.iter().all(|seen| seen.left - seen.begun <= 1_100));
    let end = seen.last().unwrap().left;
    assert!(end <= 41_500, "the rate is used throughout: {end} ms");
}

/// A slow disk that writes some together costs no starts.
#[test]
fn a_delay_that_is_always_there_costs_nothing() {
    let world = World::new(&[(500, 50.0)], &[(500, FAST)]);
    let requests: Vec<_> = (1..=500).map(|number| request(number, 0)).collect();
    let mut stall = |begun: u64| (begun / 200 + 1) * 200 + 400;
    let seen = Wire::run(&world, requests, 1_000, &mut stall);
    assert!(most_ready_at_once(&seen) >= 10, "one after the other");
    check_rate("the trunk", &left(&seen), 50.0);
    let last = seen.last().unwrap().left;
    assert!(last <= 10_000 + 600 + 200, "{last} ms");
}

/// Trunks, accounts and a carrier, each with its own rate, and calls that are ready in any order.
#[test]
fn each_rate_holds_whatever_comes_between() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let rates = [20.0, 7.0, 3.0];
        let trunks = [(300, rates[0]), (300, rates[1])];
        let accounts = [(300, rates[0]), (300, rates[2])];
        let carrier = 20.0 + random.below(10) as f32;
        let world = World {
            carrier_rate: Some(carrier),
            ..World::new(&trunks, &accounts)
        };
        let whose = |number: u64| ((number % 2) as usize, (number / 2 % 2) as usize);
        let requests = (1..=160).map(|number| {
            let (of, trunk) = whose(number);
            request_over(number, of, trunk)
        });
        let requests = requests.collect();
        let mut stall = |begun: u64| match random.below(4) {
            0 => (begun / 3_000 + 1) * 3_000,
            _ => begun + random.below(400),
        };
        let seen = Wire::run(&world, requests, 500, &mut stall);
        check_rate("the carrier", &left(&seen), carrier);
        for at in 0..2 {
            let of_account: Vec<_> = seen
                .iter()
                .copied()
                .filter(|seen| whose(seen.number).0 == at)
                .collect();
            check_rate("an account", &left(&of_account), accounts[at].1);
            let over_trunk: Vec<_> = seen
                .iter()
                .copied()
                .filter(|seen| whose(seen.number).1 == at)
                .collect();
            check_rate("a trunk", &left(&over_trunk), trunks[at].1);
        }
    }
}

/// A call that another call's story dials takes the same way, and one that is given up takes no start.
#[test]
fn who_is_given_up_before_the_invite_takes_no_start() {
    let mut story = Story::new(&World::new(&[(9, 1.0)], &[(9, FAST)]));
    for number in 1..=3 {
        let request = request(number, 0);
        let begun = story.dialer.begin_now(story.now, &request);
        begun.unwrap();
        story.now += ms(1_000);
    }
    // All are ready at once, three seconds after the first began.
    assert_eq!(story.feed(Input::Ready(call(1))), ["leave 1"]);
    assert_eq!(story.feed(Input::Ready(call(2))), [""; 0]);
    assert_eq!(story.feed(Input::Ready(call(3))), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(2))), [""; 0]);
    let before = story.now;
    assert_eq!(story.wait(), ["leave 3"]);
    assert_eq!(story.now - before, ms(950));
    assert_eq!(story.dialer.deadline(), None);
    // What holds nothing waits for nothing.
    assert_eq!(story.feed(Input::Ready(call(2))), ["leave 2"]);
}

/// A rate that is raised lets those leave who wait, and one that is lowered counts from the last INVITE.
#[test]
fn a_new_rate_holds_for_those_who_are_ready() {
    let world = |rate| World::new(&[(9, rate)], &[(9, FAST)]);
    let mut story = Story::new(&world(10.0));
    for number in 1..=3 {
        let begun = story.dialer.begin_now(story.now, &request(number, 0));
        begun.unwrap();
        story.now += ms(100);
    }
    assert_eq!(story.feed(Input::Ready(call(1))), ["leave 1"]);
    assert_eq!(story.feed(Input::Ready(call(2))), [""; 0]);
    assert_eq!(story.feed(Input::Ready(call(3))), [""; 0]);
    let since = story.now;
    story.feed(Input::Directory(world(0.5).directory()));
    assert_eq!(story.wait(), ["leave 2"]);
    assert_eq!(story.now - since, ms(1_950));
    story.feed(Input::Directory(world(1_000.0).directory()));
    assert_eq!(story.wait(), ["leave 3"]);
    assert_eq!(story.now - since, ms(1_951));
}

/// An account with a slow rate has others on its trunk, whose calls begin and leave as if it were not there.
#[test]
fn who_waits_for_his_own_rate_holds_up_no_other() {
    let mut story = Story::new(&World::new(&[(99, 10.0)], &[(99, 10.0), (99, 0.05)]));
    for number in [1, 2] {
        let begun = story.dialer.begin_now(story.now, &request(number, 1));
        begun.unwrap();
        story.now += ms(20_000);
    }
    assert_eq!(story.feed(Input::Ready(call(1))), ["leave 1"]);
    assert_eq!(story.feed(Input::Ready(call(2))), [""; 0]);
    story.now += ms(5_000); // by now it is late
    for number in 3..=12 {
        let begun = story.dialer.begin_now(story.now, &request(number, 0));
        begun.unwrap_or_else(|why| panic!("{number}: {why:?}"));
        story.now += ms(100);
        let left = story.feed(Input::Ready(call(number)));
        assert_eq!(left, [format!("leave {number}")]);
    }
    assert_eq!(story.wait(), ["leave 2"]);
}

/// From a cancel on none is dialled, those included whose attempt is on disk and whose INVITE has not left.
#[test]
fn a_queue_that_is_given_up_gives_up_those_who_have_not_left() {
    let mut story = Story::new(&World::new(&[(9, 1.0)], &[(9, FAST)]));
    story.feed(Input::Accepted(request(1, 0)));
    story.feed(Input::Accepted(request(2, 0)));
    story.feed(Input::Accepted(request(3, 0)));
    assert_eq!(story.wait(), ["dial 2 over t0"]);
    assert_eq!(story.wait(), ["dial 3 over t0"]);
    assert_eq!(story.feed(Input::Ready(call(1))), ["leave 1"]);
    assert_eq!(story.feed(Input::Ready(call(2))), [""; 0]);
    let cancel = Input::CancelAll {
        account: request(1, 0).account,
        class: None,
    };
    assert_eq!(story.feed(cancel), ["canceled 2"]);
    // The disk was slower than the order.
    assert_eq!(story.feed(Input::Ready(call(3))), ["canceled 3"]);
    for number in [2, 3] {
        assert_eq!(story.feed(Input::Ended(call(number))), [""; 0]);
    }
    assert_eq!(story.dialer.deadline(), None);
    assert_eq!(story.dialer.channels_held(&TrunkId("t0".to_owned())), 1);
}
