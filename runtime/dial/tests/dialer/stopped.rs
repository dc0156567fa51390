//! Queues that are stopped, go on, and are given up.

use jackfield_dial::{CallRequest, Input, Waits};
use store::{Priority, QueueTerms};

use crate::rows::Story;
use crate::world::{World, account, call, request};

const FAST: f32 = 10_000.0;

fn world(stopped: &[usize]) -> World {
    World {
        stopped: stopped.to_vec(),
        ..World::new(&[(2, FAST)], &[(9, FAST); 2])
    }
}

#[test]
fn the_calls_of_a_stopped_queue_wait_until_it_goes_on() {
    let mut story = Story::new(&world(&[0]));
    assert_eq!(story.feed(Input::Accepted(request(1, 0))), [""; 0]);
    assert_eq!(story.feed(Input::Accepted(request(2, 0))), [""; 0]);
    // Another account's go on.
    assert_eq!(
        story.feed(Input::Accepted(request(3, 1))),
        ["dial 3 over t0"]
    );
    assert_eq!(story.feed(Input::Cancel(call(2))), ["canceled 2"]);
    let resumed = Input::Directory(world(&[]).directory());
    assert_eq!(story.feed(resumed), ["dial 1 over t0"]);
}

#[test]
fn a_queue_is_stopped_while_calls_stand_in_line() {
    let mut story = Story::new(&world(&[]));
    for number in 1..=4 {
        story.feed(Input::Accepted(request(number, 0)));
    }
    story.feed(Input::Directory(world(&[0]).directory()));
    assert_eq!(story.feed(Input::Ended(call(1))), [""; 0]);
    let resumed = Input::Directory(world(&[]).directory());
    assert_eq!(story.feed(resumed), ["dial 3 over t0"]);
    assert_eq!(story.feed(Input::Ended(call(2))), ["dial 4 over t0"]);
}

#[test]
fn calls_that_wait_are_counted_and_given_up_by_class() {
    let mut story = Story::new(&world(&[0]));
    let bulk = |number, not_before_unix_ms| {
        Input::Accepted(CallRequest {
            terms: QueueTerms {
                priority: Priority::Bulk,
                not_before_unix_ms,
                ..QueueTerms::default()
            },
            ..request(number, 0)
        })
    };
    story.feed(Input::Accepted(request(1, 0)));
    story.feed(bulk(2, None));
    story.feed(bulk(3, Some(60_000)));
    let counts = |story: &Story| {
        let waits = story.dialer.waits(account(0));
        waits
            .by_class()
            .map(|(_, Waits { due, later })| (due, later))
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(&story), [(0, 0), (1, 0), (1, 1)]);
    let all_of = |of, class| Input::CancelAll {
        account: account(of),
        class,
    };
    assert_eq!(story.feed(all_of(1, None)), [""; 0], "another account's");
    let canceled = story.feed(all_of(0, Some(Priority::Bulk)));
    assert_eq!(canceled, ["canceled 2", "canceled 3"]);
    assert_eq!(counts(&story), [(0, 0), (1, 0), (0, 0)]);
    assert_eq!(story.feed(all_of(0, None)), ["canceled 1"]);
    assert_eq!(story.dialer.waits(account(0)).total(), 0);
}
