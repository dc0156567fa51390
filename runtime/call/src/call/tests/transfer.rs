//! Whoever was dialled asks that the caller be sent on.

use super::*;
use crate::{
    CallSid, ChildEnd, ChildId, DialId, DialRequest, DialTarget, Event, Transfer, TransferCommand,
};

const SID: CallSid = CallSid::from_bytes([1; 16]);

fn asked() -> Transfer {
    Transfer {
        target: "sip:desk@192.0.2.9".to_owned(),
        fields: vec![("X-Case".to_owned(), "12".to_owned())],
        call_sid: Some(SID),
    }
}

pub(super) fn dial() -> Input {
    command(Command::Dial(DialRequest {
        targets: vec![DialTarget::from("+1")],
        in_turn: false,
        caller_id: None,
        ring_timeout_s: 30,
        time_limit_s: None,
        answer_on_bridge: false,
        hang_up_on_star: false,
        ring_tone: None,
    }))
}

fn allow() -> Input {
    command(Command::Transfer(TransferCommand::Allow(DialId(1))))
}

fn conclude(is_taken: bool) -> Input {
    let dial = DialId(1);
    command(Command::Transfer(TransferCommand::Conclude {
        dial,
        is_taken,
    }))
}

pub(super) fn news(news: ChildNews) -> Input {
    Input::Child(ChildId(1), news)
}

pub(super) fn gone() -> Input {
    news(ChildNews::Ended(ChildEnd {
        status: CallStatus::Completed,
        call_sid: Some(SID),
        duration_s: 5,
        sip_status: Some(200),
        reason: String::new(),
    }))
}

/// They ask.
pub(super) fn wishes() -> ChildNews {
    ChildNews::Transfers(asked())
}

/// A caller whose story lets the other side ask, and who talks with it.
fn talking() -> Run {
    let mut run = Run::up();
    run.feed(dial());
    assert_eq!(run.feed(allow()), ["Done"]);
    assert_eq!(
        run.feed(news(ChildNews::Answered(SID)))[..3],
        ["hush", "join 1", "may ask 1"]
    );
    run.now += Duration::from_millis(4_001);
    run
}

/// They ask; gives what the story is told.
fn asks(run: &mut Run) {
    let told = run.feed(news(ChildNews::Transfers(asked())));
    assert_eq!(told[0], "leave");
    assert!(
        told[1].starts_with("tell DialTransferred(DialId(1)"),
        "{told:?}"
    );
    assert!(told[1].contains("duration_s: 5"), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[test]
fn a_wish_ends_the_dial_and_who_asked_hears_what_became_of_it() {
    for is_taken in [true, false] {
        let mut run = talking();
        asks(&mut run);
        // The dial is over: another one may begin.
        assert_eq!(run.feed(dial())[0], "call +1 as 2");
        let expected = [format!("tell 1 {is_taken}"), "Done".to_owned()];
        assert_eq!(run.feed(conclude(is_taken)), expected);
        assert_eq!(run.feed(conclude(is_taken)), ["refused: UnknownId"]);
        assert_eq!(run.feed(gone()), Vec::<String>::new());
    }
}

#[test]
fn who_asked_may_hang_up_before() {
    let mut run = talking();
    asks(&mut run);
    assert_eq!(run.feed(gone()), Vec::<String>::new());
    assert_eq!(run.feed(conclude(true)), ["Done"]);
}

#[test]
fn whoever_may_not_ask_is_told_that_nothing_comes_of_it() {
    let refused = ["tell 1 false"];
    let asks = || news(ChildNews::Transfers(asked()));
    assert!(Run::up().feed(asks()).is_empty()); // of nobody who was dialled
    let mut run = Run::up();
    run.feed(dial());
    assert_eq!(run.feed(asks()), refused); // not answered
    run.feed(news(ChildNews::Answered(SID)));
    assert_eq!(run.feed(asks()), refused); // not allowed
    assert_eq!(run.feed(allow()), ["may ask 1", "Done"]);
    assert_eq!(run.feed(asks())[0], "leave");
    assert_eq!(run.feed(allow()), ["refused: UnknownId"]);
}

#[test]
fn a_caller_who_hangs_up_or_another_story_leaves_nobody_behind() {
    let mut run = talking();
    asks(&mut run);
    let ended = run.feed(Input::Sip(sip::Event::Bye { cause: None }));
    assert!(ended.contains(&"end 1".to_owned()), "{ended:?}");
    let mut run = talking();
    asks(&mut run);
    let redirected = run.feed(Input::Redirect);
    assert!(redirected.contains(&"end 1".to_owned()), "{redirected:?}");
}

#[test]
fn who_asked_first_is_let_go_when_the_next_one_asks_too() {
    let mut run = talking();
    asks(&mut run);
    assert_eq!(run.feed(dial())[0], "call +1 as 2");
    let second = |news| Input::Child(ChildId(2), news);
    run.feed(second(ChildNews::Answered(SID)));
    let allow = TransferCommand::Allow(DialId(2));
    assert_eq!(
        run.feed(command(Command::Transfer(allow))),
        ["may ask 2", "Done"]
    );
    let told = run.feed(second(ChildNews::Transfers(asked())));
    assert_eq!(told[..2], ["end 1", "leave"]);
    assert_eq!(run.feed(conclude(true)), ["refused: UnknownId"]);
}

#[test]
fn the_dialled_call_takes_the_order_and_reports() {
    for (is_taken, status) in [(true, 200), (false, 503)] {
        let mut run = super::dial::dialled();
        run.feed(super::dial::answered());
        assert_eq!(run.feed(Input::TakeTransfer), ["sip TakeRefer"]);
        let order = sip::ReferAsked {
            to: asked().target,
            fields: asked().fields,
        };
        let order = Input::Sip(sip::Event::ReferAsked(Box::new(order)));
        assert_eq!(run.feed(order), ["parent: Transfers"]);
        run.call.handle(run.now, Input::ConcludeTransfer(is_taken));
        let Some(Effect::Sip(sip::Command::Report { status: told, .. })) = run.call.poll() else {
            panic!("nothing is reported");
        };
        assert_eq!(told, status);
        assert_eq!(
            run.effects(),
            ["sip Bye", "parent: ended completed 0 s", "completed"]
        );
        assert!(run.feed(Input::TakeTransfer).is_empty());
        assert!(run.feed(Input::ConcludeTransfer(true)).is_empty());
    }
}

/// The event is one that a story of 0.1.0 is told as the end of its dial.
#[test]
fn the_wish_comes_with_the_end() {
    let mut run = talking();
    run.call
        .handle(run.now, news(ChildNews::Transfers(asked())));
    run.call.poll();
    let Some(Effect::Tell(Event::DialTransferred(DialId(1), end, wish))) = run.call.poll() else {
        panic!("the story is told nothing");
    };
    assert_eq!(
        (end.status, end.call_sid),
        (CallStatus::Completed, Some(SID))
    );
    assert_eq!(wish, asked());
}
