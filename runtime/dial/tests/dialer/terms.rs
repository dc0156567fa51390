//! Classes, times, hours, ends, and the rate of a carrier.

use jackfield_dial::{CallRequest, Input, NotNow};
use store::{Priority, QueueTerms};

use crate::rows::Story;
use crate::world::{World, call, request, request_over};

const FAST: f32 = 10_000.0;
const MINUTE: u64 = 60_000;
const ANY_CLASS: &str = ", highest_priority = \"emergency\"";

fn with(terms: QueueTerms, number: u64, of: usize) -> Input {
    Input::Accepted(CallRequest {
        terms,
        ..request(number, of)
    })
}

fn of_class(priority: Priority) -> QueueTerms {
    QueueTerms {
        priority,
        ..QueueTerms::default()
    }
}

/// Everything that waits, in the order in which one channel lets it go.
fn in_turn(story: &mut Story, first: u64) -> Vec<u8> {
    let mut up = first;
    let mut order = Vec::new();
    loop {
        let dialled = story.feed(Input::Ended(call(up)));
        let Some(line) = dialled.first() else {
            return order;
        };
        let number = line.split(' ').nth(1).unwrap().parse().unwrap();
        order.push(number);
        up = u64::from(number);
    }
}

#[test]
fn a_more_urgent_class_goes_first_and_accounts_take_turns_in_it() {
    use Priority::{Bulk, Emergency, Normal};
    let world = World {
        outbound: ANY_CLASS,
        ..World::new(&[(1, FAST)], &[(9, FAST); 2])
    };
    let mut story = Story::new(&world);
    assert_eq!(
        story.feed(Input::Accepted(request(1, 0))),
        ["dial 1 over t0"]
    );
    for (number, of, priority) in [
        (2, 0, Bulk),
        (3, 0, Normal),
        (4, 0, Normal),
        (5, 1, Normal),
        (6, 1, Bulk),
        (7, 0, Emergency),
        (8, 0, Emergency),
        (9, 1, Emergency),
    ] {
        assert_eq!(story.feed(with(of_class(priority), number, of)), [""; 0]);
    }
    assert_eq!(in_turn(&mut story, 1), [7, 9, 8, 3, 5, 4, 2, 6]);
}

#[test]
fn a_class_above_what_the_account_may_have_counts_as_the_highest_that_it_may() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(9, FAST); 2]));
    story.feed(Input::Accepted(request(1, 0)));
    story.feed(Input::Accepted(request(2, 0)));
    story.feed(with(of_class(Priority::Emergency), 3, 1));
    story.feed(with(of_class(Priority::Bulk), 4, 1));
    story.feed(Input::Accepted(request(5, 0)));
    assert_eq!(in_turn(&mut story, 1), [2, 3, 5, 4]);
}

#[test]
fn an_urgent_call_without_a_channel_of_its_account_lets_others_pass() {
    let world = World {
        outbound: ANY_CLASS,
        ..World::new(&[(9, FAST)], &[(1, FAST), (9, FAST)])
    };
    let mut story = Story::new(&world);
    story.feed(Input::Accepted(request(1, 0)));
    assert_eq!(
        story.feed(with(of_class(Priority::Emergency), 2, 0)),
        [""; 0]
    );
    assert_eq!(
        story.feed(with(of_class(Priority::Bulk), 3, 1)),
        ["dial 3 over t0"]
    );
}

#[test]
fn a_call_is_not_dialled_before_its_time() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(9, FAST)]));
    let later = QueueTerms {
        not_before_unix_ms: Some(3 * MINUTE),
        ..QueueTerms::default()
    };
    assert_eq!(story.feed(with(later, 1, 0)), [""; 0]);
    // The clock on the wall is looked at every minute.
    assert_eq!((story.wait(), story.wait()), (vec![], vec![]));
    assert_eq!(story.wait(), ["dial 1 over t0"]);
    assert_eq!((story.unix_ms, story.dialer.deadline()), (3 * MINUTE, None));
}

#[test]
fn a_call_that_waits_to_its_end_is_never_dialled() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(9, FAST)]));
    let until = |minutes| QueueTerms {
        expires_unix_ms: Some(minutes * MINUTE),
        ..QueueTerms::default()
    };
    story.feed(Input::Accepted(request(1, 0)));
    assert_eq!(story.feed(with(until(1), 2, 0)), [""; 0]);
    assert_eq!(story.feed(with(until(9), 3, 0)), [""; 0]);
    assert_eq!(story.feed(with(until(0), 4, 0)), ["expire 4"]);
    assert_eq!(story.wait(), ["expire 2"]);
    assert_eq!(story.feed(Input::Ended(call(1))), ["dial 3 over t0"]);
    // Its end is of no account once it is dialled.
    assert_eq!((story.dialer.deadline(), story.dialer.waiting()), (None, 0));
}

#[test]
fn a_call_outside_of_its_hours_waits_for_them() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(9, FAST)]));
    let hours = QueueTerms {
        window: Some("00:05-00:10 UTC".parse().unwrap()),
        ..QueueTerms::default()
    };
    story.unix_ms = 5 * MINUTE;
    assert_eq!(story.feed(with(hours.clone(), 1, 0)), ["dial 1 over t0"]);
    assert_eq!(story.feed(with(hours, 2, 0)), [""; 0]);
    // It stood in line as the hours ended.
    story.unix_ms = 10 * MINUTE;
    assert_eq!(story.feed(Input::Ended(call(1))), [""; 0]);
    story.unix_ms = (24 * 60 + 5) * MINUTE;
    assert_eq!(story.feed(Input::Timeout), ["dial 2 over t0"]);
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_early() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(9, FAST)]));
    story.unix_ms = 10 * MINUTE;
    story.feed(Input::Accepted(request(1, 0)));
    let not_before = QueueTerms {
        not_before_unix_ms: Some(10 * MINUTE),
        ..QueueTerms::default()
    };
    assert_eq!(story.feed(with(not_before, 2, 0)), [""; 0]);
    story.unix_ms = 0;
    assert_eq!(story.feed(Input::Ended(call(1))), [""; 0]);
    assert_eq!(
        story.feed(Input::Accepted(request(3, 0))),
        ["dial 3 over t0"]
    );
    story.unix_ms = 10 * MINUTE;
    assert_eq!(story.feed(Input::Ended(call(3))), ["dial 2 over t0"]);
}

#[test]
fn a_clock_that_is_set_back_into_the_hours_lets_calls_go() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(9, FAST)]));
    let hours = QueueTerms {
        window: Some("00:05-00:10 UTC".parse().unwrap()),
        ..QueueTerms::default()
    };
    // A clock that was wrong by a year: the hours of that day are over, and the next ones are a year away.
    story.unix_ms = (365 * 24 * 60 + 10) * MINUTE;
    assert_eq!(story.feed(with(hours, 1, 0)), [""; 0]);
    story.unix_ms = 4 * MINUTE;
    assert_eq!(story.feed(Input::Timeout), [""; 0]);
    assert_eq!(story.wait(), ["dial 1 over t0"]);
    assert_eq!(story.unix_ms, 5 * MINUTE);
}

#[test]
fn the_most_urgent_of_those_who_are_taken_in_goes_first() {
    let world = World {
        outbound: ANY_CLASS,
        ..World::new(&[(1, FAST)], &[(9, FAST); 2])
    };
    let mut story = Story::new(&world);
    let now = crate::world::at(story.now);
    for (number, of, priority) in [
        (1, 0, Priority::Bulk),
        (2, 0, Priority::Emergency),
        (3, 0, Priority::Emergency),
    ] {
        let Input::Accepted(request) = with(of_class(priority), number, of) else {
            unreachable!("it makes such inputs")
        };
        story.dialer.take_in(now, 10 - number, request);
    }
    assert_eq!(story.feed(Input::Timeout), ["dial 3 over t0"]);
    assert_eq!(in_turn(&mut story, 3), [2, 1]);
}

#[test]
fn one_that_waits_for_its_time_can_be_cancelled() {
    let mut story = Story::new(&World::new(&[(1, FAST)], &[(9, FAST)]));
    let later = QueueTerms {
        not_before_unix_ms: Some(MINUTE),
        expires_unix_ms: Some(2 * MINUTE),
        ..QueueTerms::default()
    };
    story.feed(with(later, 1, 0));
    assert_eq!(story.feed(Input::Cancel(call(1))), ["canceled 1"]);
    assert_eq!((story.dialer.deadline(), story.dialer.waiting()), (None, 0));
}

#[test]
fn the_trunks_of_a_carrier_share_its_calls_per_second() {
    let world = World {
        carrier_rate: Some(10.0),
        ..World::new(&[(9, FAST), (9, FAST)], &[(99, FAST), (99, FAST)])
    };
    let mut story = Story::new(&world);
    for number in [1, 3, 5] {
        story.feed(Input::Accepted(request(number, 0)));
        story.feed(Input::Accepted(request_over(number + 1, 1, 1)));
    }
    let begun = story.now;
    // One each 100 ms, and neither trunk before the other.
    let order: Vec<_> = (0..5).flat_map(|_| story.wait()).collect();
    let expected = [(2, 1), (3, 0), (4, 1), (5, 0), (6, 1)];
    let expected = expected.map(|(call, trunk)| format!("dial {call} over t{trunk}"));
    assert_eq!(order, expected);
    assert_eq!((story.now - begun).as_millis(), 450);
    let refused = story.dialer.begin_now(story.now, &request(7, 0));
    assert!(matches!(refused, Err(NotNow::NotBefore(_))), "{refused:?}");
}
