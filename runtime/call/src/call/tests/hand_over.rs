//! A story hands its call over to another one.

use super::*;
use crate::{Continuation, StatusCallback, StoryFlow};

fn hand_over(story: StoryFlow) -> Input {
    command(Command::ContinueWith(Continuation {
        story,
        settings: Vec::new(),
    }))
}

fn to(name: &str) -> Input {
    hand_over(StoryFlow::Component(name.to_owned()))
}

fn returned() -> Input {
    Input::StoryEnded(StoryOutcome::Returned(Err(CallError::HungUp)))
}

#[test]
fn the_next_story_begins_when_this_one_has_returned() {
    let mut run = Run::up();
    run.feed(play("menu.wav"));
    run.feed(Input::Fetched(PlaybackId(1), Ok(prompt())));
    assert_eq!(run.feed(to("survey")), ["Done"]);
    assert_eq!(run.feed(to("desk")), ["Done"], "the last word counts");
    let begun = [
        "media Stop",
        "media Echo",
        "flow Component(\"desk\")",
        "start Flow",
    ];
    assert_eq!(run.feed(returned()), begun);
    assert_eq!(
        run.feed(broke()),
        ["start Flow"],
        "and has a second try of its own"
    );
    assert_eq!(run.feed(returned()), ["sip Bye", "completed"]);
}

#[test]
fn a_call_that_rings_is_handed_over_ringing() {
    let (mut run, _) = Run::inbound(Some(OFFER));
    run.feed(to("desk"));
    assert_eq!(
        run.feed(returned()),
        ["media Echo", "flow Component(\"desk\")", "start Flow"]
    );
    assert_eq!(run.feed(command(Command::Answer))[0], "sip Answer");
}

#[test]
fn a_story_that_fails_has_handed_nothing_over() {
    let mut run = Run::up();
    run.feed(to("desk"));
    assert_eq!(run.feed(broke()), ["start Flow"], "the same once more");
    assert_eq!(run.feed(returned()), ["sip Bye", "completed"]);
}

#[test]
fn the_api_has_the_last_word() {
    let mut run = Run::up();
    run.feed(to("desk"));
    run.feed(Input::Redirect);
    assert_eq!(run.feed(returned()), ["start Flow"]);
    assert_eq!(run.feed(returned()), ["sip Bye", "completed"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let ftp = StatusCallback {
        url: "ftp://a/".to_owned(),
        method: crate::HttpMethod::Get,
    };
    for story in [
        StoryFlow::Component(String::new()),
        StoryFlow::VoiceUrl(ftp),
        StoryFlow::Twiml("x".repeat(65_537)),
    ] {
        assert_eq!(
            Run::up().feed(hand_over(story)),
            ["refused: InvalidArgument"]
        );
    }
    let mut run = Run::up();
    for _ in 0..100 {
        assert_eq!(run.feed(to("desk")), ["Done"]);
        run.feed(returned());
    }
    assert_eq!(run.feed(to("desk")), ["refused: LimitReached"]);
    let mut run = Run::up();
    run.feed(Input::Sip(sip::Event::Bye { cause: None }));
    assert_eq!(run.feed(to("desk")), ["refused: HungUp"]);
}
