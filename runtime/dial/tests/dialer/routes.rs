//! Calls that several trunks may carry.

use std::collections::BTreeSet;

use jackfield_dial::{CallRequest, Input, PlannedAttempt, Vacancies, chosen};
use store::TrunkId;

use crate::rows::Story;
use crate::world::{World, account, call, ms, request, request_to};

const FAST: f32 = 10_000.0;

/// `t0` serves all numbers, `t1` those with +8559, `t2` those with +85599; each has this many channels.
fn world(channels: u32) -> World {
    World {
        prefixes: vec!["+8559", "+85599"],
        ..World::new(&[(channels, FAST); 3], &[(99, FAST); 2])
    }
}

fn down(trunks: &[usize]) -> Input {
    let trunks = trunks.iter().map(|at| TrunkId(format!("t{at}")));
    Input::Down(trunks.collect::<BTreeSet<_>>())
}

#[test]
fn the_longest_prefix_is_tried_first_and_a_full_trunk_passed_over() {
    let mut story = Story::new(&world(1));
    let mut accept = |number| story.feed(Input::Accepted(request(number, 0)));
    assert_eq!(accept(1), ["dial 1 over t2"]);
    assert_eq!(accept(2), ["dial 2 over t1"]);
    assert_eq!(accept(3), ["dial 3 over t0"]);
    assert_eq!(accept(4), [""; 0]);
    assert_eq!(accept(5), [""; 0]);
    // Whichever comes free first takes the one that waits longest, and each is dialled once.
    assert_eq!(story.feed(Input::Ended(call(2))), ["dial 4 over t1"]);
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 5 over t2"]);
    assert_eq!(story.feed(Input::Ended(call(3))), [""; 0]);
    assert_eq!(story.dialer.waiting(), 0);
}

#[test]
fn a_trunk_that_does_not_serve_the_number_is_none_of_its_ways() {
    let mut story = Story::new(&world(1));
    let to = |number| Input::Accepted(request_to(number, 0, "+85512345678"));
    assert_eq!(story.feed(to(1)), ["dial 1 over t0"]);
    assert_eq!(story.feed(to(2)), [""; 0]);
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 2 over t0"]);
}

#[test]
fn one_that_is_cancelled_stands_in_no_line_any_more() {
    let mut story = Story::new(&world(1));
    for number in 1..=4 {
        story.feed(Input::Accepted(request(number, 0)));
    }
    assert_eq!(story.feed(Input::Cancel(call(4))), ["canceled 4"]);
    for number in 1..=3 {
        assert_eq!(story.feed(Input::Ended(call(number))), [""; 0]);
    }
}

#[test]
fn a_trunk_that_is_down_is_left_out_while_there_are_others() {
    let mut story = Story::new(&world(1));
    assert_eq!(story.feed(down(&[1, 2])), [""; 0]);
    assert_eq!(
        story.feed(Input::Accepted(request(1, 0))),
        ["dial 1 over t0"]
    );
    // It waits for the one that is up rather than fail over one that is not.
    assert_eq!(story.feed(Input::Accepted(request(2, 0))), [""; 0]);
    assert_eq!(story.feed(down(&[2])), ["dial 2 over t1"]);
    // All down: they are tried all the same.
    assert_eq!(story.feed(down(&[0, 1, 2])), [""; 0]);
    assert_eq!(
        story.feed(Input::Accepted(request(3, 0))),
        ["dial 3 over t2"]
    );
}

#[test]
fn a_story_that_dials_takes_the_first_trunk_with_room() {
    let mut story = Story::new(&world(1));
    let mut begin = |number| story.dialer.begin_now(story.now, &request(number, 0));
    for at in [2, 1, 0] {
        let (trunk, because) = begin(at).unwrap();
        assert_eq!(trunk, TrunkId(format!("t{at}")));
        assert!(because.unwrap().contains("0 of 1 channels in use"));
    }
    assert!(begin(9).is_err());
}

#[test]
fn what_would_be_chosen_is_told_with_its_reasons() {
    let mut story = Story::new(&world(1));
    story.feed(Input::Accepted(request(1, 0)));
    story.feed(down(&[1]));
    let from = request(1, 0).from;
    let explain = |story: &Story| {
        story
            .dialer
            .explain(story.now, account(0), &from, "+85599999999")
            .unwrap()
    };
    let choices = explain(&story);
    let reasons: Vec<_> = choices.iter().map(|choice| choice.reason()).collect();
    assert_eq!(
        reasons,
        [
            "serves numbers that begin with +85599; 1 of 1 channels in use; a call would wait: all channels of the trunk are taken",
            "serves numbers that begin with +8559; 0 of 1 channels in use; its targets do not answer",
            "serves all numbers, or is named; 0 of 1 channels in use; has room",
        ]
    );
    assert_eq!(chosen(&choices).unwrap().trunk.0, "t0");
    story.feed(Input::Accepted(request(2, 0)));
    assert_eq!(chosen(&explain(&story)), None, "it would wait");
}

/// Trunks that a policy has planned, in its order.
fn plan(number: u64, trunks: &[usize]) -> Input {
    let planned = |at: &usize| PlannedAttempt::over(TrunkId(format!("t{at}")));
    Input::Planned {
        call: call(number),
        plan: trunks.iter().map(planned).collect(),
    }
}

#[test]
fn what_is_planned_goes_before_the_built_in_order() {
    let mut story = Story::new(&world(1));
    let mut accept = |number| story.feed(Input::Accepted(request(number, 0)));
    assert_eq!(accept(1), ["dial 1 over t2"]);
    let unplanned = story.dialer.unplanned(call(1)).cloned();
    assert_eq!(unplanned, Some(request(1, 0)));
    let states = story
        .dialer
        .trunk_states(story.now, &request(1, 0))
        .unwrap();
    let states = states
        .iter()
        .map(|one| (one.trunk.0.as_str(), one.channels));
    let idle = [("t2", (0, 1)), ("t1", (0, 1)), ("t0", (0, 1))];
    assert_eq!(states.collect::<Vec<_>>(), idle, "its own channel is none");
    assert_eq!(story.feed(plan(1, &[0, 1])), ["dial 1 over t0"]);
    assert_eq!(story.dialer.unplanned(call(1)), None);
    assert_eq!(story.dialer.channels_held(&TrunkId("t2".to_owned())), 0);
    // One that has the trunk of its plan already stays there.
    let accepted = Input::Accepted(request(2, 0));
    assert_eq!(story.feed(accepted), ["dial 2 over t2"]);
    assert_eq!(story.feed(plan(2, &[2])), ["dial 2 over t2"]);
    // It fails over within its plan, and goes over no other trunk.
    let failed = |number| Input::AttemptFailed {
        call: call(number),
        congested: None,
    };
    assert!(!story.dialer.has_other_way(call(2)));
    assert!(story.dialer.has_other_way(call(1)));
    assert_eq!(story.feed(failed(1)), ["dial 1 over t1"]);
    assert!(!story.dialer.has_other_way(call(1)));
}

#[test]
fn a_planned_trunk_that_is_full_is_waited_for() {
    let mut story = Story::new(&world(1));
    assert_eq!(
        story.feed(Input::Accepted(request(1, 0))),
        ["dial 1 over t2"]
    );
    story.feed(plan(1, &[0]));
    let accepted = Input::Accepted(request(2, 0));
    assert_eq!(story.feed(accepted), ["dial 2 over t2"]);
    assert_eq!(story.feed(plan(2, &[0])), [""; 0]);
    assert_eq!(story.dialer.waiting(), 1);
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 2 over t0"]);
}

#[test]
fn a_start_that_was_not_made_is_free_for_another_call() {
    let slow = World {
        prefixes: vec!["+8559"],
        ..World::new(&[(9, FAST), (9, 1.0)], &[(9, 1.0); 2])
    };
    let mut story = Story::new(&slow);
    assert_eq!(
        story.feed(Input::Accepted(request(1, 0))),
        ["dial 1 over t1"]
    );
    // The account's start of this second is taken by it still, and the trunk's by the next account's call.
    assert_eq!(story.feed(plan(1, &[0])), ["dial 1 over t0"]);
    assert_eq!(
        story.feed(Input::Accepted(request(2, 1))),
        ["dial 2 over t1"]
    );
    assert_eq!(story.feed(Input::Accepted(request(3, 0))), [""; 0]);
}

#[test]
fn a_call_that_is_put_off_is_begun_again_at_its_time() {
    let mut story = Story::new(&world(1));
    story.feed(Input::Accepted(request(1, 0)));
    let put_off = Input::PutOff {
        call: call(1),
        until_unix_ms: 5_000,
    };
    assert_eq!(story.feed(put_off), [""; 0]);
    let held = story.dialer.channels_held(&TrunkId("t2".to_owned()));
    assert_eq!((story.dialer.waiting(), held), (1, 0));
    let before = story.now;
    let mut dialled = story.wait();
    while dialled.is_empty() {
        dialled = story.wait();
    }
    assert_eq!(dialled, ["dial 1 over t2"]);
    assert!(story.now - before >= ms(5_000));
}

/// A policy that lets its calls wait takes no start of the trunk from the calls of others, and none of its own account's is given back.
#[test]
fn what_is_put_off_leaves_the_trunks_start_to_others() {
    let mut story = Story::new(&World::new(&[(9, 1.0)], &[(9, 1.0), (9, FAST)]));
    let over = "dial 1 over t0";
    assert_eq!(story.feed(Input::Accepted(request(1, 0))), [over]);
    assert_eq!(story.feed(Input::Accepted(request(2, 0))), [""; 0]);
    assert_eq!(story.feed(Input::Accepted(request(3, 1))), [""; 0]);
    let put_off = Input::PutOff {
        call: call(1),
        until_unix_ms: 60_000,
    };
    assert_eq!(story.feed(put_off), ["dial 3 over t0"]);
}

/// A queue that is cancelled while a call of it is asked about, or tried, does not get it back.
#[test]
fn a_call_of_a_cancelled_queue_does_not_wait_again() {
    let all = || Input::CancelAll {
        account: account(0),
        class: None,
    };
    let until_unix_ms = 60_000;
    let comes_back = [
        Input::PutOff {
            call: call(1),
            until_unix_ms,
        },
        plan(1, &[1]),
        plan(1, &[2]),
        Input::AttemptFailed {
            call: call(1),
            congested: None,
        },
    ];
    for input in comes_back {
        let mut story = Story::new(&world(1));
        story.feed(Input::Accepted(request(1, 0)));
        assert_eq!(story.feed(all()), [""; 0], "it does not wait");
        assert_eq!(story.feed(input), ["canceled 1"]);
        let held = story.dialer.channels_held(&TrunkId("t2".to_owned()));
        assert_eq!((story.dialer.waiting(), held), (0, 0));
    }
}

/// Calls are accepted for lines that have room; an operator whose line is full or down takes no more than its own.
#[test]
fn a_call_has_a_place_where_a_line_has_fewer_than_its_channels() {
    let mut story = Story::new(&world(2));
    let to_t0 = |number| request_to(number, 0, "+85512345678");
    let places = |story: &Story, requests: &[CallRequest]| -> Vec<bool> {
        let mut vacancies = Vacancies::default();
        let take = |request| vacancies.take(&story.dialer, request);
        requests.iter().map(take).collect()
    };
    // Two go at once, two wait; what was taken before is counted too.
    let four = [1, 2, 3, 4].map(to_t0);
    assert_eq!(places(&story, &four), [true, true, false, false]);
    for number in 1..=4 {
        story.feed(Input::Accepted(to_t0(number)));
    }
    assert_eq!(story.dialer.waiting(), 2);
    let mixed = [to_t0(5), request(6, 0), to_t0(7), request(8, 0)];
    assert_eq!(places(&story, &mixed), [false, true, false, true]);
    // One goes, and leaves its place.
    story.feed(Input::Ended(call(1)));
    assert_eq!(places(&story, &[5, 6].map(to_t0)), [true, false]);
    // Another account has places of its own; a call that is refused is its taker's to tell.
    assert_eq!(places(&story, &[request_to(9, 1, "+85512345678")]), [true]);
    assert_eq!(places(&story, &[request_to(10, 0, "117")]), [true]);
}

/// Whoever may have few calls at once does not have all of them wait for one line.
#[test]
fn one_line_has_places_for_half_of_an_accounts_channels() {
    let story = Story::new(&World::new(&[(30, FAST)], &[(8, FAST)]));
    let mut vacancies = Vacancies::default();
    let taken = (1..=9).filter(|number| vacancies.take(&story.dialer, &request(*number, 0)));
    assert_eq!(taken.count(), 4);
}

/// Questions that are answered late, all at once, as when a policy is put to rest: these calls do not leave together, each takes a start anew.
#[test]
fn calls_whose_question_took_long_do_not_leave_in_a_burst() {
    let mut story = Story::new(&World::new(&[(9, 10.0)], &[(9, FAST)]));
    let mut asked = story.feed(Input::Accepted(request(1, 0))).len();
    for number in 2..=6 {
        story.feed(Input::Accepted(request(number, 0)));
    }
    while asked < 5 {
        asked += story.wait().len();
    }
    // One question took half a second, and the others waited for it.
    story.now += ms(60);
    let mut left = Vec::new();
    for number in 1..=5 {
        let inputs = [plan(number, &[0]), Input::Undecided(call(number))];
        let [planned, undecided] = inputs;
        let input = if number % 2 == 0 { planned } else { undecided };
        let outputs = story.feed(input);
        left.extend(outputs.into_iter().map(|output| (story.now, output)));
    }
    assert!(left.len() <= 1, "{left:?}");
    while left.len() < 6 {
        let outputs = story.wait();
        left.extend(outputs.into_iter().map(|output| (story.now, output)));
    }
    for pair in left.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= ms(45), "{left:?}");
    }
}

/// One about which nobody decided is not asked about again for the same attempt.
#[test]
fn an_undecided_call_goes_as_the_built_in_order_has_it() {
    let mut story = Story::new(&world(1));
    story.feed(Input::Accepted(request(1, 0)));
    assert!(story.dialer.unplanned(call(1)).is_some());
    assert_eq!(story.feed(Input::Undecided(call(1))), ["dial 1 over t2"]);
    let failed = Input::AttemptFailed {
        call: call(1),
        congested: None,
    };
    assert_eq!(story.feed(failed), ["dial 1 over t1"]);
    assert!(
        story.dialer.unplanned(call(1)).is_some(),
        "the next attempt is another question"
    );
}

/// While somebody was asked the call's time may have ended, or its hours.
#[test]
fn what_is_over_when_the_answer_comes_is_not_dialled() {
    let of = |window: Option<&str>, expires_unix_ms| {
        let mut story = Story::new(&world(1));
        let mut request = request(1, 0);
        request.terms.window = window.map(|window| window.parse().unwrap());
        request.terms.expires_unix_ms = expires_unix_ms;
        assert_eq!(story.feed(Input::Accepted(request)).len(), 1);
        story.unix_ms = 60_000;
        story
    };
    for answer in [plan(1, &[2]), Input::Undecided(call(1))] {
        let mut story = of(None, Some(60_000));
        assert_eq!(story.feed(answer.clone()), ["expire 1"]);
        let mut story = of(Some("00:00-00:01 UTC"), None);
        assert_eq!(story.feed(answer), [""; 0]);
        assert_eq!(story.dialer.waiting(), 1);
        let held = story.dialer.channels_held(&TrunkId("t2".to_owned()));
        assert_eq!(held, 0, "it waits for the next day without a channel");
    }
}
