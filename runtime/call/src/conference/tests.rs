use super::*;

mod turns;

fn sid(number: u8) -> CallSid {
    CallSid::from_bytes([number; 16])
}

/// A conference that says what it does, in short words.
struct Run(Conference);

impl Run {
    fn new(most: u32) -> Self {
        Self(Conference::new(ConferenceSid::from_bytes([9; 16]), most))
    }

    fn feed(&mut self, input: ConferenceInput) -> Vec<String> {
        self.0.handle(input);
        std::iter::from_fn(|| self.0.poll())
            .filter(|effect| !matches!(effect, ConferenceEffect::Note(_)))
            .map(|effect| words(&effect))
            .collect()
    }

    fn join(&mut self, number: u8, options: ConferenceOptions) -> Vec<String> {
        self.feed(ConferenceInput::Join {
            call: sid(number),
            options: Box::new(options),
            terms: Box::default(),
        })
    }

    fn leave(&mut self, number: u8) -> Vec<String> {
        self.feed(ConferenceInput::Leave {
            call: sid(number),
            hung_up: false,
        })
    }
}

fn words(effect: &ConferenceEffect) -> String {
    let number = |call: &CallSid| call.as_bytes()[0];
    match effect {
        ConferenceEffect::Record(_) => "record".to_owned(),
        ConferenceEffect::Tell(call, ConferenceEvent::Joined(place)) => {
            format!("{}: joined as {}", number(call), place.participants)
        }
        ConferenceEffect::Tell(call, ConferenceEvent::Began) => format!("{}: began", number(call)),
        ConferenceEffect::Tell(call, ConferenceEvent::Left(end)) => {
            format!("{}: left, {end:?}", number(call))
        }
        ConferenceEffect::Seat(call) => format!("seat {}", number(call)),
        ConferenceEffect::Unseat(call) => format!("unseat {}", number(call)),
        ConferenceEffect::Hear(call, hearing) => {
            let mut words = format!("{}:", number(call));
            words.push_str(if hearing.muted { " muted" } else { " heard" });
            words.push_str(if hearing.held { ", held" } else { "" });
            if let Some(coached) = &hearing.coaches {
                words.push_str(&format!(" by {} alone", number(coached)));
            }
            words
        }
        ConferenceEffect::BeepEnter => "beep in".to_owned(),
        ConferenceEffect::BeepExit => "beep out".to_owned(),
        ConferenceEffect::Tell(..) | ConferenceEffect::Announce(..) | ConferenceEffect::Note(_) => {
            format!("{effect:?}")
        }
    }
}

fn plain() -> ConferenceOptions {
    ConferenceOptions {
        beep: Beep::Never,
        ..ConferenceOptions::default()
    }
}

#[test]
fn it_begins_with_the_second_one() {
    let mut run = Run::new(10);
    assert_eq!(
        run.join(1, plain()),
        ["1: joined as 1", "seat 1", "1: heard, held"]
    );
    assert_eq!(
        run.join(2, plain()),
        [
            "2: joined as 2",
            "seat 2",
            "2: heard, held",
            "1: began",
            "1: heard",
            "2: began",
            "2: heard",
        ]
    );
    assert_eq!(
        run.join(3, plain()),
        ["3: joined as 3", "seat 3", "3: heard", "3: began"]
    );
}

#[test]
fn it_begins_with_one_who_may_begin_it() {
    let listener = || ConferenceOptions {
        start_on_enter: false,
        ..plain()
    };
    let mut run = Run::new(10);
    run.join(1, listener());
    assert_eq!(
        run.join(2, listener()),
        ["2: joined as 2", "seat 2", "2: heard, held"]
    );
    let begun = run.join(3, plain());
    assert_eq!(
        begun.iter().filter(|line| line.ends_with("began")).count(),
        3
    );
    let joined = run.join(4, listener());
    assert_eq!(joined.last().unwrap(), "4: began");
}

#[test]
fn it_goes_on_with_one_and_is_empty_with_none() {
    let mut run = Run::new(10);
    run.join(1, plain());
    run.join(2, plain());
    assert_eq!(run.leave(1), ["unseat 1", "1: left, Left"]);
    assert!(!run.0.is_empty());
    assert_eq!(run.leave(1), [""; 0], "it is gone");
    assert_eq!(
        run.join(3, plain()),
        ["3: joined as 2", "seat 3", "3: heard", "3: began"]
    );
    run.leave(2);
    run.leave(3);
    assert!(run.0.is_empty());
}

#[test]
fn who_ends_it_takes_all_along() {
    let mut run = Run::new(10);
    run.join(1, plain());
    run.join(
        2,
        ConferenceOptions {
            end_on_exit: true,
            ..ConferenceOptions::default()
        },
    );
    run.join(3, plain());
    assert_eq!(
        run.leave(2),
        [
            "unseat 2",
            "2: left, Left",
            "unseat 1",
            "1: left, Ended",
            "unseat 3",
            "3: left, Ended",
        ]
    );
    assert!(run.0.is_empty());
}

#[test]
fn it_takes_so_many_and_not_one_more() {
    for (most, first, second, expected) in [
        (3, None, None, 3),
        (3, Some(2), None, 2),
        (3, Some(200), None, 3),
        (3, None, Some(2), 3),
    ] {
        let mut run = Run::new(most);
        let limited = |max_participants| ConferenceOptions {
            max_participants,
            ..plain()
        };
        run.join(1, limited(first));
        run.join(2, limited(second));
        run.join(3, plain());
        let refused = format!(
            "4: left, Refused(\"the conference is full: it takes {expected} participants\")"
        );
        assert_eq!(run.join(4, plain()), [refused]);
        assert_eq!(run.0.participants.len(), expected);
    }
}

#[test]
fn the_251st_is_turned_away() {
    let mut run = Run::new(250);
    for number in 0..250 {
        assert!(run.join(number, plain()).len() > 1, "{number}");
    }
    let refused =
        "250: left, Refused(\"the conference is full: it takes 250 participants\")".to_owned();
    assert_eq!(run.join(250, plain()), [refused]);
    run.leave(7);
    assert!(run.join(250, plain())[0].ends_with("joined as 250"));
}

#[test]
fn a_label_is_one_participants() {
    let labelled = |label: &str| ConferenceOptions {
        label: Some(label.to_owned()),
        ..plain()
    };
    let refused = ["3: left, Refused(\"the label is in use by another participant\")"];
    let mut run = Run::new(10);
    run.join(1, labelled("chair"));
    run.feed(ConferenceInput::Expect(
        Participant {
            call: sid(2),
            label: Some("guest".to_owned()),
            muted: false,
            held: false,
            coaches: None,
            start_on_enter: true,
            end_on_exit: false,
        },
        None,
        Box::default(),
    ));
    for taken in ["chair", "guest"] {
        assert!(run.0.is_label_taken(taken, sid(3)), "{taken}");
        assert_eq!(run.join(3, labelled(taken)), refused, "{taken}");
    }
    assert!(
        run.join(2, labelled("guest"))[0].ends_with("joined as 2"),
        "its own"
    );
    assert_eq!(run.join(3, labelled("guest")), refused);
    run.leave(1);
    assert!(
        run.join(3, labelled("chair"))[0].ends_with("joined as 2"),
        "it is free again"
    );
    assert!(
        run.join(4, plain())[0].ends_with("joined as 3"),
        "none is nobody's"
    );
}

#[test]
fn mute_and_hold_are_told_to_the_mixer() {
    let mut run = Run::new(10);
    run.join(
        1,
        ConferenceOptions {
            muted: true,
            ..plain()
        },
    );
    run.join(2, plain());
    for (input, expected) in [
        (ConferenceInput::Hold(sid(1), true), "1: muted, held"),
        (ConferenceInput::Mute(sid(1), false), "1: heard, held"),
        (ConferenceInput::Hold(sid(1), false), "1: heard"),
        (ConferenceInput::Mute(sid(1), true), "1: muted"),
    ] {
        assert_eq!(run.feed(input), [expected]);
    }
    assert_eq!(run.feed(ConferenceInput::Mute(sid(7), true)), [""; 0]);
}

#[test]
fn a_coach_is_heard_by_one_and_by_nobody_while_that_one_is_away() {
    let coach = ConferenceOptions {
        coach: Some(sid(3)),
        ..plain()
    };
    let mut run = Run::new(10);
    run.join(1, plain());
    run.join(2, plain());
    assert_eq!(
        run.join(4, coach),
        ["4: joined as 3", "seat 4", "4: muted", "4: began"]
    );
    assert_eq!(run.join(3, plain()).last().unwrap(), "4: heard by 3 alone");
    assert_eq!(run.leave(3), ["unseat 3", "3: left, Left", "4: muted"]);
}

#[test]
fn beeps_are_heard_on_coming_and_going() {
    for (beep, on_enter, on_exit) in [
        (Beep::Never, false, false),
        (Beep::OnEnter, true, false),
        (Beep::OnExit, false, true),
        (Beep::Always, true, true),
    ] {
        let mut run = Run::new(10);
        run.join(1, plain());
        let options = ConferenceOptions { beep, ..plain() };
        let last = |lines: Vec<String>| lines.last().cloned().unwrap();
        assert_eq!(
            last(run.join(2, options)) == "beep in",
            on_enter,
            "{beep:?}"
        );
        assert_eq!(last(run.leave(2)) == "beep out", on_exit, "{beep:?}");
    }
}
