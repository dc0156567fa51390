//! The other side is sent on, and reports.

use super::*;
use crate::{ReferRequest, Referral};

const URI: &str = "sip:+1@192.0.2.1";

/// A story on an answered call refers, then these things happen.
#[track_caller]
fn check(steps: &[(&str, &[&str])]) {
    let mut run = Run::up();
    for (step, expected) in steps {
        let input = match *step {
            "refer" => refer("+1", 30),
            "uri" => Input::ReferTo(Ok(URI.to_owned())),
            "refused" => Input::ReferTo(Err("not there".to_owned())),
            "bye" => Input::Sip(sip::Event::Bye { cause: None }),
            "broke" => broke(),
            words => Input::Sip(peer_says(words)),
        };
        let told: Vec<String> = run.feed(input).into_iter().map(short).collect();
        assert_eq!(told, *expected, "{step}");
    }
}

fn refer(target: &str, timeout_s: u32) -> Input {
    command(Command::Refer(ReferRequest {
        target: target.to_owned(),
        timeout_s,
    }))
}

/// `answers 202`, `reports 180`, `ends` with or without a status; a `!` where nothing follows.
fn peer_says(words: &str) -> sip::Event {
    let is_final = words.ends_with('!');
    let words = words.trim_end_matches('!');
    let (verb, status) = words.split_once(' ').unwrap_or((words, ""));
    let status = status.parse().ok();
    match verb {
        "answers" => sip::Event::ReferAnswered {
            status: status.unwrap(),
            is_final,
        },
        _ => sip::Event::Referred { status, is_final },
    }
}

/// `told REFER-STATUS CALL-STATUS`, a `!` at the end, and the reason.
fn short(effect: String) -> String {
    let Some(told) = effect.strip_prefix("tell Referred(Referral ") else {
        return effect;
    };
    let number = |name: &str| {
        let value = told.split(name).nth(1).unwrap();
        let digits = value.trim_start_matches(": ").trim_start_matches("Some(");
        match digits.starts_with("None") {
            true => "-".to_owned(),
            false => digits.chars().take_while(char::is_ascii_digit).collect(),
        }
    };
    let last = if told.contains("is_over: true") {
        "!"
    } else {
        ""
    };
    let reason = told.split("reason: \"").nth(1).unwrap();
    let reason = reason.split('"').next().unwrap();
    let words = format!(
        "told {} {}{last}",
        number("refer_status"),
        number("call_status")
    );
    format!("{words} {reason}").trim_end().to_owned()
}

const BEGUN: [(&str, &[&str]); 2] = [("refer", &["refer to +1", "Done"]), ("uri", &["sip Refer"])];

#[track_caller]
fn after(steps: &[(&str, &[&str])]) {
    let all: Vec<_> = BEGUN.into_iter().chain(steps.iter().copied()).collect();
    check(&all);
}

#[test]
fn the_other_side_calls_and_reports() {
    after(&[
        ("answers 202", &["told 202 -"]),
        ("reports 100", &["told 202 100"]),
        ("reports 180", &["told 202 180"]),
        ("refer", &["refused: LimitReached"]),
        ("reports 200!", &["told 202 200!"]),
        ("refer", &["refer to +1", "Done"]),
    ]);
    after(&[
        ("reports 180", &["told 202 180"]), // it overtook the answer, which it implies
        ("answers 202", &["told 202 180"]),
        (
            "reports 486!",
            &["told 202 486! the call of the other side ended with 486"],
        ),
    ]);
}

#[test]
fn what_else_it_may_come_to() {
    for (peer, told) in [
        ("answers 603!", "told 603 -! the other side answered 603"),
        ("answers 408!", "told 408 -! the other side answered 408"),
        ("answers 200!", "told 200 -!"),
        ("ends!", "told 202 -! the other side ceased to report"),
    ] {
        after(&[(peer, &[told]), ("reports 200!", &[])]);
    }
    check(&[
        ("refer", &["refer to +1", "Done"]),
        ("refused", &["told - -! not there"]),
        ("uri", &[]),
    ]);
}

#[test]
fn the_last_report_is_waited_for_as_long_as_was_said() {
    let mut run = Run::up();
    run.feed(refer("+1", 30));
    run.feed(Input::ReferTo(Ok(URI.to_owned())));
    run.feed(Input::Sip(peer_says("reports 180")));
    let told = run.wait_for_deadline(Duration::from_secs(30));
    let told: Vec<String> = told.into_iter().map(short).collect();
    assert_eq!(told, ["told 202 180! no last report came in time"]);
    // Its subscription goes on as long as the other side says.
    assert_eq!(run.feed(refer("+2", 30)), ["refused: LimitReached"]);
    assert!(run.feed(Input::Sip(peer_says("reports 200!"))).is_empty());
    assert_eq!(run.feed(refer("+2", 30)), ["refer to +2", "Done"]);
    // The longest duration of the call still counts.
    run.feed(Input::Sip(peer_says("answers 405!")));
    assert_eq!(
        run.wait_for_deadline(LIMITS.max_duration - Duration::from_secs(30)),
        ["sip Bye", "tell HungUp(Limit)", "completed"]
    );
}

#[test]
fn the_end_of_the_call_or_of_the_story_ends_the_waiting() {
    after(&[
        ("answers 202", &["told 202 -"]),
        ("bye", &["tell HungUp(Remote)", "completed"]),
        ("reports 200!", &[]),
    ]);
    check(&[
        ("refer", &["refer to +1", "Done"]),
        ("bye", &["tell HungUp(Remote)", "completed"]),
        ("uri", &[]),
        ("refer", &["refused: HungUp"]),
    ]);
    after(&[
        ("broke", &["media Echo", "fetch 1 apology"]),
        ("reports 200!", &[]),
    ]);
}

#[test]
fn only_an_answered_call_is_sent_on_and_only_for_so_long() {
    let (mut rings, _) = Run::inbound(Some(OFFER));
    assert_eq!(rings.feed(refer("+1", 30)), ["refused: NotAnswered"]);
    for seconds in [0, 601] {
        let mut run = Run::up();
        assert_eq!(run.feed(refer("+1", seconds)), ["refused: InvalidArgument"]);
    }
    let known = Referral {
        refer_status: None,
        call_status: None,
        is_over: true,
        reason: "not there".to_owned(),
    };
    let mut run = Run::up();
    run.feed(refer("+1", 30));
    let told = run.feed(Input::ReferTo(Err("not there".to_owned())));
    assert_eq!(told, [format!("tell Referred({known:?})")]);
}
