//! Another story takes the place of the one that runs.

use super::*;
use crate::{
    QueueCommand, QueueEvent, QueueExit, QueueOutcome, QueuePlace, QueueSid, RecordingCommand,
    RecordingOptions, WaitSound,
};

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

/// A call that waits in a queue, with this last news of it.
fn at_a_queue(event: impl FnOnce(QueueSid) -> QueueEvent) -> Run {
    let mut run = Run::up();
    run.feed(command(Command::Queue(QueueCommand::Wait {
        name: "support".to_owned(),
        sound: WaitSound::Silence,
        max_size: None,
    })));
    run.feed(Input::Queue(event(QueueSid::from_bytes([7; 16]))));
    run
}

fn left(outcome: QueueOutcome) -> Input {
    Input::Queue(QueueEvent::Left(QueueExit {
        sid: QueueSid::from_bytes([7; 16]),
        outcome,
        waited_s: 9,
    }))
}

fn waiting(sid: QueueSid) -> QueueEvent {
    QueueEvent::Waiting(QueuePlace {
        sid,
        position: 1,
        size: 1,
        average_wait_s: 0,
    })
}

#[test]
fn a_story_at_a_queue_may_say_that_its_call_is_taken_away() {
    let mut run = at_a_queue(waiting);
    let taken = run.feed(Input::Redirect);
    assert!(!taken.contains(&"stop".to_owned()), "{taken:?}");
    assert_eq!(run.feed(play("menu.wav")), ["refused: HungUp"]);
    let told = run.feed(left(QueueOutcome::Left));
    assert!(
        matches!(&told[..], [one] if one.starts_with("tell TakenFromQueue(")),
        "{told:?}"
    );
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: "http://a/left".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        sign: true,
    };
    let sent = run.feed(command(Command::Http(request)));
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert_eq!(run.feed(ended()), ["start Flow"]);
    assert_ne!(run.feed(play("menu.wav")), ["refused: HungUp"]);
}

#[test]
fn one_that_says_nothing_is_broken_off_after_a_while() {
    let mut run = at_a_queue(waiting);
    run.feed(Input::Redirect);
    run.feed(left(QueueOutcome::Left));
    assert_eq!(run.wait_for_deadline(Duration::from_secs(2)), ["stop"]);
    assert_eq!(run.feed(ended()), ["start Flow"]);
}
