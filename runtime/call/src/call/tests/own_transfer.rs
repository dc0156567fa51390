//! The caller asks that whoever was dialled be sent on.

use super::transfer::{dial, gone, news, wishes};
use super::*;
use crate::{CallSid, ChildId, ChildNews, Continuation, DialId, Event, StoryFlow, TransferCommand};

const SID: CallSid = CallSid::from_bytes([1; 16]);

fn own(what: TransferCommand) -> Input {
    command(Command::Transfer(what))
}

fn allow_own(dial: u32) -> Input {
    own(TransferCommand::AllowOwn(DialId(dial)))
}

fn conclude(is_taken: bool) -> Input {
    let dial = DialId(1);
    own(TransferCommand::Conclude { dial, is_taken })
}

fn hand_over(story: StoryFlow) -> Input {
    let (dial, settings) = (DialId(1), Vec::new());
    let next = Continuation { story, settings };
    own(TransferCommand::HandOver { dial, next })
}

fn to_desk() -> Input {
    hand_over(StoryFlow::Component("desk".to_owned()))
}

fn refer() -> Input {
    Input::Sip(sip::Event::ReferAsked(Box::new(sip::ReferAsked {
        to: "sip:desk@192.0.2.9".to_owned(),
        fields: vec![("X-Case".to_owned(), "12".to_owned())],
    })))
}

/// A caller who may ask, and who talks with whoever was dialled.
fn talking() -> Run {
    let mut run = Run::up();
    run.feed(dial());
    assert_eq!(run.feed(allow_own(1)), ["Done"]);
    assert_eq!(
        run.feed(news(ChildNews::Answered(SID)))[..3],
        ["hush", "join 1", "sip TakeRefer"]
    );
    run.now += Duration::from_millis(4_001);
    run
}

/// The same, once they have asked.
fn asked() -> Run {
    let mut run = talking();
    let told = run.feed(refer());
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "leave");
    assert!(
        told[1].starts_with("tell DialTransferred(DialId(1)"),
        "{told:?}"
    );
    run
}

/// What the last report said.
fn reported(run: &mut Run, input: Input) -> (u16, Vec<String>) {
    run.call.handle(run.now, input);
    let mut effects = std::iter::from_fn(|| run.call.poll());
    let (mut status, mut others) = (0, Vec::new());
    for effect in &mut effects {
        match effect {
            Effect::Sip(sip::Command::Report { status: told, .. }) => status = told,
            effect => others.push(words(&effect)),
        }
    }
    (status, others)
}

#[test]
fn whoever_was_dialled_is_handed_over() {
    let mut run = asked();
    let (status, effects) = reported(&mut run, to_desk());
    assert_eq!(status, 200);
    assert_eq!(effects, ["hand over 1: Component(\"desk\")", "Done"]);
    assert_eq!(run.feed(to_desk()), ["refused: UnknownId"]);
    // It goes on whatever becomes of the caller.
    assert!(run.feed(gone()).is_empty());
    assert_eq!(
        run.feed(Input::Sip(sip::Event::Bye { cause: None })),
        ["tell HungUp(Remote)", "completed"]
    );
}

#[test]
fn the_story_is_told_what_the_caller_asks_for() {
    let mut run = talking();
    run.call.handle(run.now, refer());
    run.call.poll();
    let Some(Effect::Tell(Event::DialTransferred(DialId(1), end, wish))) = run.call.poll() else {
        panic!("the story is told nothing");
    };
    assert_eq!(
        (end.status, end.call_sid, end.duration_s),
        (CallStatus::Completed, Some(SID), 5)
    );
    assert_eq!(wish.call_sid, None);
    assert_eq!(wish.target, "sip:desk@192.0.2.9");
    assert_eq!(wish.fields, [("X-Case".to_owned(), "12".to_owned())]);
}

#[test]
fn the_caller_hears_what_became_of_it() {
    for (is_taken, expected) in [(true, 200), (false, 503)] {
        let (status, effects) = reported(&mut asked(), conclude(is_taken));
        assert_eq!(status, expected);
        assert_eq!(effects, ["end 1", "Done"]);
    }
    let mut alone = asked();
    alone.feed(gone());
    let (status, effects) = reported(&mut alone, to_desk());
    assert_eq!((status, &effects[..]), (503, &["Done".to_owned()][..]));
    let (status, effects) = reported(&mut asked(), Input::Redirect);
    assert_eq!(status, 503, "another story took the place of the one asked");
    assert!(effects.contains(&"end 1".to_owned()), "{effects:?}");
}

#[test]
fn a_caller_who_may_not_ask_is_told_that_nothing_comes_of_it() {
    let nothing = |run: &mut Run| assert_eq!(reported(run, refer()), (503, Vec::new()));
    nothing(&mut Run::up());
    let mut run = Run::up();
    run.feed(dial());
    nothing(&mut run); // nobody has answered
    run.feed(news(ChildNews::Answered(SID)));
    nothing(&mut run); // not allowed
    assert_eq!(run.feed(allow_own(1)), ["sip TakeRefer", "Done"]);
    assert_eq!(run.feed(refer())[0], "leave");
    assert_eq!(run.feed(allow_own(1)), ["refused: UnknownId"]);
}

#[test]
fn the_end_of_the_dial_ends_that_too() {
    assert_eq!(talking().feed(gone())[..2], ["leave", "sip RefuseRefer"]);
    let redirected = talking().feed(Input::Redirect);
    assert!(
        redirected.contains(&"sip RefuseRefer".to_owned()),
        "{redirected:?}"
    );
    let ended = talking().feed(Input::Sip(sip::Event::Bye { cause: None }));
    assert!(!ended.contains(&"sip RefuseRefer".to_owned()), "{ended:?}");
    let mut both = talking();
    let allow = TransferCommand::Allow(DialId(1));
    assert_eq!(both.feed(own(allow)), ["may ask 1", "Done"]);
    let effects = both.feed(Input::Child(ChildId(1), wishes()));
    assert_eq!(effects[..2], ["sip RefuseRefer", "leave"]);
    assert_eq!(both.feed(to_desk()), ["refused: UnknownId"]);
}

#[test]
fn a_story_that_cannot_be_is_refused_and_the_wish_stands() {
    let mut run = asked();
    assert_eq!(
        run.feed(hand_over(StoryFlow::Component(String::new()))),
        ["refused: InvalidArgument"]
    );
    assert_eq!(run.feed(to_desk()).last().unwrap(), "Done");
}
