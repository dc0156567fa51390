//! Why each call went over the trunk that it went over.

use std::time::Duration;

use jackfield_dial::{CallRequest, Dialer, Input, Now, Output, PlannedAttempt, QueueLimits};
use store::TrunkId;

use crate::world::{World, at, call, ms, origin, request};

const FAST: f32 = 10_000.0;

/// `t2` is the first choice of every call, `t1` the second, `t0` the last; each has this many channels.
struct Bench {
    dialer: Dialer,
    now: Now,
}

impl Bench {
    fn new(channels: u32) -> Self {
        let world = World {
            prefixes: vec!["+8559", "+85599"],
            ..World::new(&[(channels, FAST); 3], &[(99, FAST); 2])
        };
        Self {
            dialer: Dialer::new(world.directory(), QueueLimits::default()),
            now: at(origin()),
        }
    }

    /// The trunk of the one call that this lets go, and why it is that one.
    #[track_caller]
    fn dials(&mut self, input: Input) -> (String, Option<String>) {
        self.now.instant += ms(1);
        self.dialer.handle(self.now, input);
        match self.dialer.poll() {
            Some(Output::Attempt { trunk, because, .. }) => (trunk.0, because),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check(&mut self, input: Input, trunk: &str, because: &str) {
        let told = (trunk.to_owned(), Some(because.to_owned()));
        assert_eq!(self.dials(input), told);
    }
}

fn failed(number: u64, congested: Option<Option<Duration>>) -> Input {
    let call = call(number);
    Input::AttemptFailed { call, congested }
}

fn trunks(trunks: &[usize]) -> impl Iterator<Item = TrunkId> {
    trunks.iter().map(|at| TrunkId(format!("t{at}")))
}

#[test]
fn each_attempt_says_whom_it_passed_over_and_why() {
    let mut bench = Bench::new(1);
    bench.check(
        Input::Accepted(request(1, 0)),
        "t2",
        "serves numbers that begin with +85599; 0 of 1 channels in use",
    );
    bench.check(
        Input::Accepted(request(2, 0)),
        "t1",
        "serves numbers that begin with +8559; 0 of 1 channels in use; passed over: t2 (all channels of the trunk are taken)",
    );
    let (dialer, now) = (&mut bench.dialer, bench.now);
    dialer.handle(now, Input::Down(trunks(&[1]).collect()));
    let third = "serves all numbers, or is named; 0 of 1 channels in use; \
                 passed over: t2 (all channels of the trunk are taken), t1 (its targets do not answer)";
    bench.check(Input::Accepted(request(3, 0)), "t0", third);
}

#[test]
fn a_call_that_failed_over_one_says_so_of_the_next() {
    let mut bench = Bench::new(2);
    bench.dials(Input::Accepted(request(1, 0)));
    let second = "serves numbers that begin with +8559; 0 of 2 channels in use; passed over: t2 (tried in vain)";
    bench.check(failed(1, None), "t1", second);
    let third = "serves all numbers, or is named; 0 of 2 channels in use; passed over: t2 (tried in vain), t1 (tried in vain)";
    bench.check(failed(1, Some(None)), "t0", third);
}

#[test]
fn where_none_answers_it_is_tried_all_the_same() {
    let mut bench = Bench::new(1);
    let (dialer, now) = (&mut bench.dialer, bench.now);
    dialer.handle(now, Input::Down(trunks(&[0, 1, 2]).collect()));
    bench.check(
        Input::Accepted(request(1, 0)),
        "t2",
        "serves numbers that begin with +85599; 0 of 1 channels in use; none of its trunks answers",
    );
}

#[test]
fn what_a_policy_chose_has_the_policys_reason_alone() {
    let mut bench = Bench::new(1);
    bench.dials(Input::Accepted(request(1, 0)));
    let plan = trunks(&[0]).map(PlannedAttempt::over).collect();
    let planned = Input::Planned {
        call: call(1),
        plan,
    };
    assert_eq!(bench.dials(planned), ("t0".to_owned(), None));
    // One about which the policy did not decide has the built-in order's, also where it must take its start anew.
    let undecided = |number| Input::Undecided(call(number));
    let because = "serves numbers that begin with +85599; 0 of 1 channels in use";
    bench.check(Input::Accepted(request(2, 0)), "t2", because);
    bench.check(undecided(2), "t2", because);
    bench.dialer.handle(bench.now, Input::Ended(call(2)));
    bench.check(Input::Accepted(request(3, 0)), "t2", because);
    bench.now.instant += ms(60);
    bench.check(undecided(3), "t2", because);
}

#[test]
fn no_more_than_five_are_named() {
    let mut bench = Bench::new(1);
    let asked = CallRequest {
        tried: (3..9).map(|at| TrunkId(format!("t{at}"))).collect(),
        ..request(1, 0)
    };
    let (_, because) = bench.dials(Input::Accepted(asked));
    let because = because.expect("the built-in order chose");
    assert!(
        because.ends_with("t7 (tried in vain) and 1 more"),
        "{because}"
    );
}
