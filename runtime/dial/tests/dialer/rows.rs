//! Short stories: what goes in, what comes out.

use std::time::Instant;

use jackfield_dial::{Dialer, Full, Input, NotNow, Now, Output, QueueLimits, Refusal};
use store::TrunkId;

use crate::world::{World, account, call, ms, origin, request, request_over, request_to};

/// More than any row needs.
const FAST: f32 = 10_000.0;
/// A caller who has no lines of an operator's.
const ANYBODY: &str = "+85599000000";

pub(crate) struct Story {
    pub(crate) dialer: Dialer,
    pub(crate) now: Instant,
    pub(crate) unix_ms: u64,
}

impl Story {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            dialer: Dialer::new(world.directory(), QueueLimits::default()),
            now: origin(),
            unix_ms: 0,
        }
    }

    /// Feeds one input and gives what comes out, in few words.
    pub(crate) fn feed(&mut self, input: Input) -> Vec<String> {
        let now = Now {
            instant: self.now,
            unix_ms: self.unix_ms,
        };
        self.dialer.handle(now, input);
        std::iter::from_fn(|| self.dialer.poll())
            .map(|output| in_words(&output))
            .collect()
    }

    /// Lets time pass to the dialer's deadline.
    pub(crate) fn wait(&mut self) -> Vec<String> {
        let deadline = self.dialer.deadline().expect("something waits for a time");
        self.unix_ms += (deadline - self.now).as_micros().div_ceil(1_000) as u64;
        self.now = deadline;
        self.feed(Input::Timeout)
    }
}

fn in_words(output: &Output) -> String {
    let number = |call: &call::CallSid| call.as_bytes()[15];
    match output {
        Output::Attempt { call, trunk, .. } => format!("dial {} over {trunk}", number(call)),
        Output::Leave(call) => format!("leave {}", number(call)),
        Output::Refuse { call, reason, .. } => {
            format!("refuse {}: {}", number(call), reason.twilio_code())
        }
        Output::Expire { call, .. } => format!("expire {}", number(call)),
        Output::Canceled { call, .. } => format!("canceled {}", number(call)),
    }
}

fn t(at: usize) -> TrunkId {
    TrunkId(format!("t{at}"))
}

#[test]
fn a_call_with_room_is_dialled_at_once() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(1, FAST)]));
    assert_eq!(
        story.feed(Input::Accepted(request(1, 0))),
        ["dial 1 over t0"]
    );
    assert_eq!(
        (
            story.dialer.waiting(),
            story.dialer.channels_held(&t(0)),
            story.dialer.deadline()
        ),
        (0, 1, None)
    );
}

#[test]
fn a_full_trunk_lets_calls_wait_until_one_ends() {
    let mut story = Story::new(&World::new(&[(2, FAST)], &[(10, FAST)]));
    story.feed(Input::Accepted(request(1, 0)));
    story.feed(Input::Accepted(request(2, 0)));
    assert_eq!(story.feed(Input::Accepted(request(3, 0))), [""; 0]);
    assert_eq!(story.feed(Input::Accepted(request(4, 0))), [""; 0]);
    assert_eq!(story.dialer.deadline(), None);
    assert_eq!(story.feed(Input::Ended(call(2))), ["dial 3 over t0"]);
    assert_eq!(
        story.feed(Input::Ended(call(2))),
        [""; 0],
        "a call ends once"
    );
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 4 over t0"]);
}

#[test]
fn channels_of_lost_calls_are_free_when_the_far_end_has_noticed() {
    let world = World {
        parts: vec![("+85599", 2)],
        ..World::new(&[(3, FAST)], &[(10, FAST)])
    };
    let mut story = Story::new(&world);
    let until = story.now + ms(30_000);
    // More than there are by now.
    for number in 1..=4 {
        let to = request(number, 0).to;
        story
            .dialer
            .take_lost(call(number), account(0), &t(0), &to, false, until);
    }
    assert_eq!(story.dialer.channels_held(&t(0)), 4);
    assert_eq!(story.feed(Input::Accepted(request(5, 0))), [""; 0]);
    assert_eq!(
        story.feed(Input::Accepted(request_to(6, 0, "+85512345678"))),
        [""; 0]
    );
    assert_eq!(story.dialer.deadline(), Some(until));
    assert_eq!(story.wait(), ["dial 5 over t0", "dial 6 over t0"]);
    assert_eq!(story.dialer.channels_held(&t(0)), 2);
    assert_eq!(story.dialer.deadline(), None);
}

/// An account whose limit was lowered while more were up: the far end holds a line for each of them.
#[test]
fn lost_calls_that_came_in_count_on_the_trunk_however_few_the_account_may_have() {
    let mut story = Story::new(&World::new(&[(3, FAST)], &[(1, FAST)]));
    let until = story.now + ms(30_000);
    for number in [1, 2] {
        story
            .dialer
            .take_lost(call(number), account(0), &t(0), ANYBODY, true, until);
    }
    assert_eq!(story.dialer.channels_held(&t(0)), 2);
    for number in [1, 2] {
        story.feed(Input::Ended(call(number)));
    }
    assert_eq!(story.dialer.channels_held(&t(0)), 0);
}

#[test]
fn a_full_account_waits_while_others_go() {
    let mut story = Story::new(&World::new(&[(10, FAST)], &[(1, FAST), (10, FAST)]));
    story.feed(Input::Accepted(request(1, 0)));
    assert_eq!(story.feed(Input::Accepted(request(2, 0))), [""; 0]);
    assert_eq!(
        story.feed(Input::Accepted(request(3, 1))),
        ["dial 3 over t0"]
    );
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 2 over t0"]);
}

#[test]
fn a_full_trunk_does_not_hold_up_another() {
    let mut story = Story::new(&World::new(&[(1, FAST), (1, FAST)], &[(10, FAST)]));
    story.feed(Input::Accepted(request(1, 0)));
    assert_eq!(story.feed(Input::Accepted(request(2, 0))), [""; 0]);
    assert_eq!(
        story.feed(Input::Accepted(request_over(3, 0, 1))),
        ["dial 3 over t1"]
    );
}

#[test]
fn a_rate_spaces_calls_evenly() {
    for (trunk, account) in [(2.0, FAST), (FAST, 2.0)] {
        let mut story = Story::new(&World::new(&[(10, trunk)], &[(10, account)]));
        let start = story.now;
        assert_eq!(
            story.feed(Input::Accepted(request(1, 0))),
            ["dial 1 over t0"]
        );
        for number in 2..=4 {
            assert_eq!(story.feed(Input::Accepted(request(number, 0))), [""; 0]);
        }
        assert_eq!(story.wait(), ["dial 2 over t0"]);
        assert_eq!(story.now - start, ms(450), "50 ms before its time");
        assert_eq!(story.wait(), ["dial 3 over t0"]);
        assert_eq!(story.wait(), ["dial 4 over t0"]);
        assert_eq!(story.now - start, ms(1_450));
        assert_eq!(story.dialer.deadline(), None);
    }
}

#[test]
fn accounts_take_turns_and_calls_of_one_keep_their_order() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(10, FAST); 3]));
    story.feed(Input::Accepted(request(1, 0)));
    for (number, of) in [(2, 0), (3, 0), (4, 0), (5, 1), (6, 2), (7, 1)] {
        story.feed(Input::Accepted(request(number, of)));
    }
    let mut order = Vec::new();
    for last in [1, 2, 5, 6, 3, 7, 4] {
        order.extend(story.feed(Input::Ended(call(last))));
    }
    let expected = [2, 5, 6, 3, 7, 4].map(|number| format!("dial {number} over t0"));
    assert_eq!(order, expected);
}

#[test]
fn a_call_cancelled_while_it_waits_leaves() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(10, FAST)]));
    for number in 1..=3 {
        story.feed(Input::Accepted(request(number, 0)));
    }
    assert_eq!(story.feed(Input::Cancel(call(2))), ["canceled 2"]);
    assert_eq!(story.feed(Input::Cancel(call(2))), [""; 0]);
    assert_eq!(
        story.feed(Input::Cancel(call(1))),
        [""; 0],
        "one that is dialled is its actor's to end"
    );
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 3 over t0"]);
}

#[test]
fn a_call_that_is_known_is_not_taken_twice() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(10, FAST)]));
    story.feed(Input::Accepted(request(1, 0)));
    story.feed(Input::Accepted(request(2, 0)));
    for number in [1, 2] {
        assert_eq!(story.feed(Input::Accepted(request(number, 0))), [""; 0]);
    }
    assert_eq!(story.dialer.waiting(), 1);
    story.feed(Input::Ended(call(1)));
    assert_eq!(story.feed(Input::Ended(call(2))), [""; 0]);
}

#[test]
fn what_is_not_permitted_is_refused() {
    let mut story = Story::new(&World {
        first_may_call: false,
        ..World::new(&[(1, FAST)], &[(1, FAST)])
    });
    assert_eq!(
        story.feed(Input::Accepted(request(1, 0))),
        ["refuse 1: 21215"]
    );
    assert_eq!(
        story.feed(Input::Accepted(request(2, 5))),
        ["refuse 2: 20404"]
    );
    assert_eq!(story.dialer.waiting(), 0);
}

#[test]
fn calls_that_come_in_have_channels_which_others_leave_free() {
    let world = World {
        parts: vec![("+85510", 3)],
        reserved: 2,
        reserved_parts: vec![("+85510", 1)],
        ..World::new(&[(6, FAST)], &[(20, FAST)])
    };
    let mut story = Story::new(&world);
    let mut to = |at, number: &str| story.feed(Input::Accepted(request_to(at, 0, number)));
    assert_eq!(to(1, "+85510111111"), ["dial 1 over t0"]);
    assert_eq!(to(2, "+85510222222"), ["dial 2 over t0"]);
    assert_eq!(to(3, "+85510333333"), [""; 0], "the operator's third line");
    assert_eq!(to(4, "+85599444444"), ["dial 4 over t0"]);
    assert_eq!(to(5, "+85599555555"), ["dial 5 over t0"]);
    assert_eq!(to(6, "+85599666666"), [""; 0], "the trunk's fifth channel");
    let mut comes_in = |at, from| {
        story
            .dialer
            .take_channel(call(at), account(0), &t(0), from)
            .is_ok()
    };
    assert!(comes_in(7, "+85510777777"));
    assert!(comes_in(8, "+85510888888"), "it has a line already");
    assert!(!comes_in(9, ANYBODY), "all six are taken");
    // Nobody is dialled until more lines are free than are to be left free.
    assert_eq!(story.feed(Input::Ended(call(1))), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(7))), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(4))), ["dial 6 over t0"]);
    assert_eq!(story.feed(Input::Ended(call(2))), ["dial 3 over t0"]);
}

#[test]
fn inbound_calls_take_channels_too() {
    let mut story = Story::new(&World::new(&[(2, FAST)], &[(10, FAST), (1, FAST)]));
    assert_eq!(
        story
            .dialer
            .take_channel(call(1), account(1), &t(0), ANYBODY),
        Ok(())
    );
    assert_eq!(
        story
            .dialer
            .take_channel(call(1), account(1), &t(0), ANYBODY),
        Ok(()),
        "the same call takes one channel"
    );
    assert_eq!(
        story
            .dialer
            .take_channel(call(2), account(1), &t(0), ANYBODY),
        Err(Full::Account)
    );
    assert_eq!(
        story.dialer.channels_held(&t(0)),
        1,
        "a refused call holds nothing"
    );
    assert_eq!(
        story.feed(Input::Accepted(request(3, 0))),
        ["dial 3 over t0"]
    );
    assert_eq!(
        story
            .dialer
            .take_channel(call(4), account(0), &t(0), ANYBODY),
        Err(Full::Trunk)
    );
    assert_eq!(story.feed(Input::Accepted(request(5, 0))), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 5 over t0"]);
    assert_eq!(
        story
            .dialer
            .take_channel(call(6), account(0), &t(9), ANYBODY),
        Err(Full::Trunk),
        "no such trunk"
    );
}

#[test]
fn an_account_whose_calls_all_go_out_is_still_reached() {
    let mut story = Story::new(&World::new(&[(5, FAST)], &[(2, FAST)]));
    for number in 1..=3 {
        story.feed(Input::Accepted(request(number, 0)));
    }
    let comes_in = |story: &mut Story, number| {
        let dialer = &mut story.dialer;
        dialer.take_channel(call(number), account(0), &t(0), ANYBODY)
    };
    assert_eq!(comes_in(&mut story, 4), Ok(()));
    assert_eq!(comes_in(&mut story, 5), Ok(()));
    assert_eq!(comes_in(&mut story, 6), Err(Full::Account), "as many again");
    // Neither takes what the other gives back.
    assert_eq!(story.feed(Input::Ended(call(4))), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 3 over t0"]);
    assert_eq!(comes_in(&mut story, 7), Ok(()));
    assert_eq!(comes_in(&mut story, 8), Err(Full::Account));
}

#[test]
fn a_call_that_does_not_queue_has_the_limits_of_all_others() {
    let world = World {
        parts: vec![("+85512", 1)],
        ..World::new(&[(3, 2.0), (9, FAST)], &[(2, FAST), (9, FAST)])
    };
    let mut story = Story::new(&world);
    let begin = |story: &mut Story, number, account, to: &str| {
        let request = request_to(number, account, to);
        let begun = story.dialer.begin_now(story.now, &request);
        begun.map(|(trunk, _)| trunk)
    };
    assert_eq!(begin(&mut story, 1, 0, "+85512000001"), Ok(t(0)));
    let NotNow::NotBefore(at) = begin(&mut story, 2, 0, "+85598000001").unwrap_err() else {
        panic!("two calls in half a second");
    };
    assert!(at > story.now && at <= story.now + ms(500));
    story.now = at;
    assert_eq!(
        begin(&mut story, 2, 0, "+85512000002"),
        Err(NotNow::Full(Full::Part))
    );
    assert_eq!(begin(&mut story, 2, 0, "+85598000001"), Ok(t(0)));
    story.now += ms(500);
    assert_eq!(
        begin(&mut story, 3, 0, "+85598000001"),
        Err(NotNow::Full(Full::Account))
    );
    assert!(matches!(
        begin(&mut story, 3, 1, "+12025550123"),
        Err(NotNow::Refused(Refusal::NotAllowed(_)))
    ));
    assert_eq!(begin(&mut story, 3, 1, "+85598000001"), Ok(t(0)));
    story.now += ms(500);
    assert_eq!(
        begin(&mut story, 4, 1, "+85598000001"),
        Err(NotNow::Full(Full::Trunk))
    );
    assert_eq!(story.dialer.channels_held(&t(0)), 3);
    // One that waits in the queue gets the channel that comes free.
    assert_eq!(story.feed(Input::Accepted(request(5, 1))), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 5 over t0"]);
}

#[test]
fn a_full_queue_refuses() {
    let world = World {
        outbound: ", max_waiting = 2",
        ..World::new(&[(1, FAST)], &[(10, FAST); 3])
    };
    let limits = QueueLimits { all: 3 };
    let mut story = Story {
        dialer: Dialer::new(world.directory(), limits),
        now: origin(),
        unix_ms: 0,
    };
    let request_of = |number, of| Input::Accepted(request(number, of));
    story.feed(request_of(1, 0));
    story.feed(request_of(2, 0));
    story.feed(request_of(3, 0));
    let permit = |story: &Story, of| {
        let asked = request(9, of);
        let dialer = &story.dialer;
        dialer.permit(asked.account, &asked.from, &asked.to)
    };
    assert_eq!(permit(&story, 0), Err(Refusal::QueueFull));
    assert_eq!(permit(&story, 1), Ok(t(0)));
    assert_eq!(story.feed(request_of(5, 1)), [""; 0]);
    assert_eq!(permit(&story, 2), Err(Refusal::QueueFull));
    // It was asked about in time, and is on disk.
    assert_eq!(story.feed(request_of(6, 2)), [""; 0]);
    story.feed(Input::Cancel(call(6)));
    assert_eq!(permit(&story, 2), Err(Refusal::QueueFull));
    story.feed(Input::Cancel(call(3)));
    assert_eq!(permit(&story, 2), Ok(t(0)));
}

#[test]
fn a_new_directory_judges_waiting_calls_anew() {
    let world = World::new(&[(1, FAST)], &[(10, FAST); 2]);
    let mut story = Story::new(&world);
    for (number, of) in [(1, 0), (2, 0), (3, 1), (4, 1)] {
        story.feed(Input::Accepted(request(number, of)));
    }
    let denied = World {
        first_may_call: false,
        ..world.clone()
    };
    assert_eq!(
        story.feed(Input::Directory(denied.directory())),
        ["refuse 2: 21215"]
    );
    assert_eq!(
        story.dialer.channels_held(&t(0)),
        1,
        "a call that is up stays up"
    );
    let wider = World {
        trunks: vec![(3, FAST)],
        ..denied
    };
    assert_eq!(
        story.feed(Input::Directory(wider.directory())),
        ["dial 3 over t0", "dial 4 over t0"]
    );
    let narrow = World {
        trunks: vec![(1, FAST)],
        ..wider
    };
    story.feed(Input::Directory(narrow.directory()));
    story.feed(Input::Accepted(request(5, 1)));
    assert_eq!(story.feed(Input::Ended(call(1))), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(3))), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(4))), ["dial 5 over t0"]);
}

#[test]
fn a_new_directory_does_not_refill_a_rate() {
    let world = World::new(&[(10, 1.0)], &[(10, FAST)]);
    let mut story = Story::new(&world);
    story.feed(Input::Accepted(request(1, 0)));
    story.feed(Input::Accepted(request(2, 0)));
    assert_eq!(story.feed(Input::Directory(world.directory())), [""; 0]);
    let before = story.now;
    assert_eq!(story.wait(), ["dial 2 over t0"]);
    assert_eq!(story.now - before, ms(950));
}

#[test]
fn a_full_part_of_a_trunk_lets_the_others_pass() {
    let world = World {
        parts: vec![("+85510", 1), ("+8551", 2)],
        ..World::new(&[(4, FAST)], &[(10, FAST)])
    };
    let mut story = Story::new(&world);
    let mut call_to = |number, to| story.feed(Input::Accepted(request_to(number, 0, to)));
    assert_eq!(call_to(1, "+85510111111"), ["dial 1 over t0"]);
    assert_eq!(call_to(2, "+85510111112"), [""; 0], "its part is full");
    // The longest prefix counts: the shorter one's channels are for the rest of its numbers.
    assert_eq!(call_to(3, "+85512111111"), ["dial 3 over t0"]);
    assert_eq!(call_to(4, "+85512111112"), ["dial 4 over t0"]);
    assert_eq!(call_to(5, "+85512111113"), [""; 0], "its part is full");
    assert_eq!(call_to(6, "+85599999999"), ["dial 6 over t0"], "of no part");
    assert_eq!(call_to(7, "+85599999999"), [""; 0], "the trunk is full");
    assert_eq!(
        story.feed(Input::Ended(call(3))),
        ["dial 5 over t0"],
        "call 2 came before, but its part has no channel"
    );
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 2 over t0"]);
    assert_eq!(story.feed(Input::Ended(call(2))), ["dial 7 over t0"]);
}

#[test]
fn a_part_that_is_no_more_keeps_count_of_its_calls() {
    let world = World {
        parts: vec![("+85510", 2)],
        ..World::new(&[(9, FAST)], &[(10, FAST)])
    };
    let mut story = Story::new(&world);
    for number in 1..=3 {
        story.feed(Input::Accepted(request_to(number, 0, "+85510111111")));
    }
    let without = World {
        parts: Vec::new(),
        ..world.clone()
    };
    assert_eq!(
        story.feed(Input::Directory(without.directory())),
        ["dial 3 over t0"]
    );
    story.feed(Input::Directory(world.directory()));
    let again = |number| Input::Accepted(request_to(number, 0, "+85510111111"));
    assert_eq!(story.feed(again(4)), [""; 0], "1 and 2 are still up in it");
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 4 over t0"]);
}
