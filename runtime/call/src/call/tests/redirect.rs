//! Another story takes the place of the one that runs.

use super::*;
use crate::{RecordingCommand, RecordingOptions};

fn ended() -> Input {
    Input::StoryEnded(StoryOutcome::Returned(Err(CallError::HungUp)))
}

#[test]
fn what_a_story_does_is_broken_off_and_the_next_one_begins_when_it_has_ended() {
    let mut run = Run::up();
    run.feed(play("menu.wav"));
    run.feed(Input::Fetched(PlaybackId(1), Ok(prompt())));
    let whole = RecordingOptions {
        silence_timeout: None,
        finish_keys: String::new(),
        ..RecordingOptions::of_verb()
    };
    for options in [RecordingOptions::of_verb(), whole] {
        run.feed(command(Command::Recording(RecordingCommand::Start(
            options.into(),
        ))));
    }
    assert_eq!(
        run.feed(Input::Redirect),
        ["media Stop", "media Echo", "media Recording", "stop"],
        "the message ends, the recording of the whole call does not"
    );
    assert_eq!(run.feed(ended()), ["start Flow"]);
    assert_eq!(
        run.feed(Input::Media(MediaEvent::Digit('1'))),
        ["tell Digit('1')"]
    );
    assert_eq!(
        run.feed(ended()),
        ["sip Bye", "media Recording", "media Recording", "completed"]
    );
}

#[test]
fn one_that_broke_in_the_meantime_is_replaced_too() {
    let mut run = Run::up();
    run.feed(Input::Redirect);
    assert_eq!(run.feed(broke()), ["start Flow"]);
    assert_eq!(
        run.feed(broke()),
        ["start Flow"],
        "and has a second try of its own"
    );
}

#[test]
fn two_orders_are_one_story() {
    let mut run = Run::up();
    run.feed(Input::Redirect);
    run.feed(Input::Redirect);
    assert_eq!(run.feed(ended()), ["start Flow"]);
    assert_eq!(run.feed(ended()), ["sip Bye", "completed"]);
}

#[test]
fn a_call_that_is_not_up_goes_on_as_it_is() {
    let (mut run, _) = Run::outbound();
    assert_eq!(run.feed(Input::Redirect), [""; 0]);
    let (mut run, _) = Run::inbound(Some(OFFER));
    assert_eq!(run.feed(Input::Redirect), [""; 0]);
    let mut run = Run::up();
    run.feed(Input::Sip(sip::Event::Bye { cause: None }));
    assert_eq!(run.feed(Input::Redirect), [""; 0]);
}
