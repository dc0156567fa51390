//! A call that was dialled leaves whoever dialled it.

use super::dial::{answered, dialled, returned, whispering};
use super::*;
use crate::DetectionRequest;

fn end() -> Input {
    Input::HangUp(HangUpCause::Local)
}

fn bye() -> Input {
    Input::Sip(sip::Event::Bye { cause: None })
}

#[test]
fn to_its_parent_it_has_ended_and_it_goes_on_with_a_story() {
    let mut run = dialled();
    run.feed(answered());
    run.now += Duration::from_millis(4_001);
    assert_eq!(
        run.feed(Input::Redirect),
        [
            "leave",
            "parent: ended completed 5 s",
            "media Echo",
            "start Flow"
        ]
    );
    assert_eq!(
        run.feed(Input::Media(MediaEvent::Digit('1'))),
        ["tell Digit('1')"]
    );
    assert_eq!(run.feed(play("a.wav"))[0], "fetch 1");
    run.now += Duration::from_secs(3);
    assert_eq!(run.feed(bye()), ["tell HungUp(Remote)", "completed"]);
    run.feed(returned(Err(CallError::HungUp)));
    assert_eq!(run.record(), (CallStatus::Completed, Some(200), 8));
}

#[test]
fn a_story_of_its_own_may_dial_and_fall_back() {
    let mut run = dialled();
    run.call.limits.has_fallback = true;
    run.feed(answered());
    run.feed(Input::Redirect);
    let dial = Command::Dial(super::dial::request(&["b"]));
    assert_eq!(run.feed(command(dial))[0], "call b as 1");
    assert_eq!(
        run.feed(returned(Err(CallError::NotAnswered))),
        ["end 1", "hush", "media Echo", "start Fallback"]
    );
}

#[test]
fn the_whisper_has_no_fallback_and_its_place_is_taken() {
    let mut run = whispering();
    run.call.limits.has_fallback = true;
    run.feed(play("a.wav"));
    run.feed(Input::Fetched(PlaybackId(1), Ok(prompt())));
    assert_eq!(
        run.feed(returned(Err(CallError::NotAnswered))),
        ["media Stop", "media Echo", "fetch 2 apology"]
    );
    let mut run = whispering();
    assert_eq!(
        run.feed(Input::Redirect),
        ["leave", "parent: ended no-answer 0 s", "media Echo", "stop"]
    );
    // That it returned meanwhile joins nobody.
    assert_eq!(run.feed(returned(Ok(()))), ["start Flow"]);
    assert_eq!(run.feed(returned(Ok(()))), ["sip Bye", "completed"]);
}

#[test]
fn one_that_rings_stays_with_its_parent() {
    let mut run = dialled();
    assert!(run.feed(Input::Redirect).is_empty());
    assert_eq!(
        run.feed(answered()),
        ["in-progress", "media Connect", "parent: Answered"]
    );
}

#[test]
fn the_time_of_the_conversation_bounds_the_conversation() {
    let minute = Duration::from_secs(60);
    let up = || {
        let mut run = dialled();
        run.call.limit_conversation(minute);
        run.feed(answered());
        run
    };
    let ended = ["sip Bye", "parent: ended completed 60 s", "completed"];
    assert_eq!(up().wait_for_deadline(minute), ended);
    let mut run = up();
    run.feed(Input::Redirect);
    let ended = run.wait_for_deadline(LIMITS.max_duration);
    assert_eq!(ended, ["sip Bye", "tell HungUp(Limit)", "completed"]);
    // What the API says of its time counts on.
    let mut run = up();
    run.feed(Input::LimitTo(2 * minute));
    run.feed(Input::Redirect);
    run.wait_for_deadline(2 * minute);
}

#[test]
fn whoever_dialled_it_orders_it_no_more() {
    let mut run = dialled();
    run.feed(answered());
    run.feed(Input::TakeTransfer);
    run.feed(Input::Redirect);
    assert!(run.feed(Input::TakeTransfer).is_empty());
    assert!(run.feed(Input::ConcludeTransfer(true)).is_empty());
    assert_eq!(run.feed(end())[0], "sip Bye"); // that of the API
}

/// Nobody decides any more on what the other side asks for, or has asked for.
#[test]
fn a_wish_of_the_other_side_comes_to_nothing() {
    let wish = || {
        Input::Sip(sip::Event::ReferAsked(Box::new(sip::ReferAsked {
            to: "sip:desk@192.0.2.9".to_owned(),
            fields: Vec::new(),
        })))
    };
    let up = || {
        let mut run = dialled();
        run.feed(answered());
        run.feed(Input::TakeTransfer);
        run
    };
    let mut late = up();
    late.feed(Input::Redirect);
    assert_eq!(late.feed(wish()), ["sip Report"]);
    let mut early = up();
    early.feed(wish());
    let effects = early.feed(Input::Redirect);
    assert_eq!(effects[..2], ["leave", "sip Report"]);
}

#[test]
fn who_dialled_it_is_told_who_answered_though_another_story_goes_on() {
    let (mut run, _) = Run::outbound();
    run.call.dialled = Some(Dialled::new(crate::CallSid::from_bytes([9; 16]), true));
    run.call.detect_at_answer(DetectionRequest {
        options: media::MachineDetectionOptions::default(),
        status_callback: Some(crate::StatusCallback {
            url: "http://a/who".to_owned(),
            method: HttpMethod::Post,
        }),
    });
    run.feed(answered());
    run.feed(Input::Redirect);
    run.feed(returned(Ok(())));
    let human = crate::Detection {
        answered_by: AnsweredBy::Human,
        duration_ms: 2_000,
    };
    let told = run.feed(Input::Media(MediaEvent::MachineDetected(human)));
    assert_eq!(told[0], "callback http://a/who Human");
}
