//! Trunks that are alike: the one with the most room goes first.

use std::time::Duration;

use jackfield_dial::{Input, chosen};

use crate::rows::Story;
use crate::world::{World, account, call, request};

const FAST: f32 = 10_000.0;

/// `t1` and `t2` serve the number alike, with so many channels; `t0` serves all numbers.
fn world(first: u32, second: u32) -> World {
    World {
        prefixes: vec!["+8559", "+8559"],
        ..World::new(&[(99, FAST), (first, FAST), (second, FAST)], &[(99, FAST)])
    }
}

fn accept(story: &mut Story, number: u64) -> Vec<String> {
    story.feed(Input::Accepted(request(number, 0)))
}

#[test]
fn calls_go_where_most_channels_are_free() {
    let mut story = Story::new(&world(2, 4));
    let expected = ["t2", "t2", "t1", "t2", "t1", "t2", "t0"];
    for (number, trunk) in (1..).zip(expected) {
        let dialled = format!("dial {number} over {trunk}");
        assert_eq!(accept(&mut story, number), [dialled]);
    }
    // What comes free is used again.
    story.feed(Input::Ended(call(3)));
    story.feed(Input::Ended(call(5)));
    story.feed(Input::Ended(call(1)));
    assert_eq!(accept(&mut story, 8), ["dial 8 over t1"]);
}

#[test]
fn what_comes_in_is_load_too_and_what_is_kept_for_callers_is_no_room() {
    let mut story = Story::new(&world(3, 3));
    let trunk = store::TrunkId("t1".to_owned());
    let caller = "+85512345678";
    let taken = story
        .dialer
        .take_channel(call(1), account(0), &trunk, caller);
    taken.unwrap();
    assert_eq!(accept(&mut story, 2), ["dial 2 over t2"]);

    // Both serve all numbers; of the five channels of `t0` three are kept.
    let kept = World {
        everything: vec![1],
        reserved: 3,
        ..World::new(&[(5, FAST), (4, FAST)], &[(99, FAST)])
    };
    let mut story = Story::new(&kept);
    assert_eq!(accept(&mut story, 1), ["dial 1 over t1"]);
}

#[test]
fn the_lines_of_an_operator_are_the_room_that_counts() {
    let world = World {
        parts: vec![("+85599", 1)],
        everything: vec![1],
        ..World::new(&[(30, FAST), (2, FAST)], &[(99, FAST)])
    };
    let mut story = Story::new(&world);
    // One line of `t0` leads there, and `t1` has two.
    assert_eq!(accept(&mut story, 1), ["dial 1 over t1"]);
    assert_eq!(accept(&mut story, 2), ["dial 2 over t0"]);
    assert_eq!(accept(&mut story, 3), ["dial 3 over t1"]);
}

#[test]
fn what_a_far_end_taught_is_the_room_that_counts() {
    let mut story = Story::new(&world(9, 6));
    for number in 1..=4 {
        accept(&mut story, number);
    }
    // Nine are configured, and the far end had room for three.
    let congested = Input::Congested {
        call: call(4),
        retry_after: Some(Duration::ZERO),
    };
    assert_eq!(story.feed(congested), [""; 0]);
    assert_eq!(accept(&mut story, 5), ["dial 5 over t2"]);
}

#[test]
fn a_route_is_explained_as_it_stands() {
    let mut story = Story::new(&world(2, 2));
    assert_eq!(accept(&mut story, 1), ["dial 1 over t1"]);
    let from = request(1, 0).from;
    let choices = story
        .dialer
        .explain(story.now, account(0), &from, "+85599999999")
        .unwrap();
    let order: Vec<_> = choices
        .iter()
        .map(|choice| choice.trunk.0.as_str())
        .collect();
    assert_eq!(order, ["t2", "t1", "t0"]);
    assert_eq!(chosen(&choices).unwrap().trunk.0, "t2");
}
