//! What is noted of a conference, and what the API may change in it.

use super::*;

/// What is noted of one input, in short words.
fn noted(run: &mut Run, input: ConferenceInput) -> Vec<String> {
    run.0.handle(input);
    notes(&drain(run))
}

fn drain(run: &mut Run) -> Vec<ConferenceEffect> {
    std::iter::from_fn(|| run.0.poll()).collect()
}

fn notes(effects: &[ConferenceEffect]) -> Vec<String> {
    let notes = effects.iter().filter_map(|effect| match effect {
        ConferenceEffect::Note(turn) => Some(turn_words(turn)),
        _ => None,
    });
    notes.collect()
}

fn turn_words(turn: &ConferenceTurn) -> String {
    let number = |one: &Participant| one.call.as_bytes()[0];
    match turn {
        ConferenceTurn::Opened(told) => format!("opened, told {}", told.is_some()),
        ConferenceTurn::Placed(region) => format!("placed in {region}"),
        ConferenceTurn::Expected(one) => format!("{} expected", number(one)),
        ConferenceTurn::Missed(call) => format!("{} missed", call.as_bytes()[0]),
        ConferenceTurn::Announced {
            participant,
            outcome,
            ..
        } => {
            let who = participant.as_ref().map(number);
            format!("announced to {who:?}: {outcome:?}")
        }
        ConferenceTurn::Joined(one) => format!("{} joined", number(one)),
        ConferenceTurn::Began => "began".to_owned(),
        ConferenceTurn::Muted(one) => format!("{} muted {}", number(one), one.muted),
        ConferenceTurn::Held(one) => format!("{} held {}", number(one), one.held),
        ConferenceTurn::Modified(one) => {
            let coaches = one.coaches.map(|coached| coached.as_bytes()[0]);
            format!(
                "{} modified: coaches {coaches:?}, ends it {}",
                number(one),
                one.end_on_exit
            )
        }
        ConferenceTurn::Speaks(one, speaks) => format!("{} speaks {speaks}", number(one)),
        ConferenceTurn::Left(one, how) => format!("{} left: {how:?}", number(one)),
        ConferenceTurn::Ended(reason, by) => {
            format!("{} by {:?}", reason.as_str(), by.as_ref().map(number))
        }
    }
}

fn join(number: u8, end_on_exit: bool) -> ConferenceInput {
    let options = ConferenceOptions {
        end_on_exit,
        ..plain()
    };
    ConferenceInput::Join {
        call: sid(number),
        options: Box::new(options),
        terms: Box::default(),
    }
}

fn leave(number: u8, hung_up: bool) -> ConferenceInput {
    ConferenceInput::Leave {
        call: sid(number),
        hung_up,
    }
}

fn kick(number: u8) -> ConferenceInput {
    ConferenceInput::Kick(sid(number))
}

/// Two are in it; the second one ends it when it goes, or does not.
fn two(end_on_exit: bool) -> Run {
    let mut run = Run::new(10);
    assert_eq!(
        noted(&mut run, join(1, false)),
        ["opened, told false", "1 joined"]
    );
    assert_eq!(noted(&mut run, join(2, end_on_exit)), ["2 joined", "began"]);
    run
}

#[test]
fn coming_beginning_going_and_the_end_are_noted_with_their_reasons() {
    let mut run = two(false);
    assert_eq!(noted(&mut run, leave(1, false)), ["1 left: Left"]);
    assert_eq!(
        noted(&mut run, leave(2, true)),
        ["2 left: HungUp", "last-participant-left by Some(2)"]
    );
    let mut run = two(false);
    assert_eq!(noted(&mut run, kick(1)), ["1 left: Kicked"]);
    assert_eq!(
        noted(&mut run, kick(2)),
        ["2 left: Kicked", "last-participant-kicked by Some(2)"]
    );
    for (input, how, reason) in [
        (leave(2, true), "HungUp", "left"),
        (kick(2), "Kicked", "kicked"),
    ] {
        assert_eq!(
            noted(&mut two(true), input),
            [
                format!("2 left: {how}"),
                "1 left: Ended".to_owned(),
                format!("participant-with-end-conference-on-exit-{reason} by Some(2)"),
            ]
        );
    }
    let mut run = two(true);
    assert_eq!(
        noted(&mut run, ConferenceInput::End),
        [
            "1 left: Ended",
            "2 left: Ended",
            "conference-ended-via-api by None"
        ]
    );
    assert_eq!(noted(&mut run, ConferenceInput::End), [""; 0], "over once");
}

#[test]
fn only_what_is_different_is_noted() {
    let mut run = two(false);
    for (input, expected) in [
        (ConferenceInput::Mute(sid(1), true), Some("1 muted true")),
        (ConferenceInput::Mute(sid(1), true), None),
        (ConferenceInput::Mute(sid(1), false), Some("1 muted false")),
        (ConferenceInput::Hold(sid(2), true), Some("2 held true")),
        (ConferenceInput::Hold(sid(2), true), None),
        (ConferenceInput::Hold(sid(9), true), None),
    ] {
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(noted(&mut run, input), expected);
    }
}

#[test]
fn who_is_changed_from_outside_is_told() {
    let mut run = two(false);
    let sound = OrderedSound::Sound(WaitSound::Silence);
    let change = ParticipantChange {
        muted: Some(true),
        hold: Some(Some(sound.clone())),
        end_on_exit: Some(true),
        coach: Some(Some(sid(2))),
        beep_on_exit: Some(true),
        wait_sound: Some(sound.clone()), // it has begun: too late
    };
    run.0.handle(ConferenceInput::Change(sid(1), change));
    let effects = drain(&mut run);
    let told = effects.iter().filter_map(|effect| match effect {
        ConferenceEffect::Tell(call, event) if *call == sid(1) => Some(event.clone()),
        _ => None,
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ConferenceEvent::Muted(true),
            ConferenceEvent::Held(Some(sound))
        ]
    );
    assert_eq!(
        notes(&effects),
        [
            "1 modified: coaches Some(2), ends it true",
            "1 muted true",
            "1 held true"
        ]
    );
    assert_eq!(
        run.leave(1),
        ["unseat 1", "1: left, Left", "unseat 2", "2: left, Ended"],
        "it ends with this one now"
    );
}

#[test]
fn a_tone_on_going_is_added_and_taken_away() {
    for (beep, on_exit, expected) in [
        (Beep::Never, true, true),
        (Beep::Always, false, false),
        (Beep::OnEnter, true, true),
        (Beep::OnExit, false, false),
    ] {
        let mut run = Run::new(10);
        run.join(1, plain());
        run.join(2, ConferenceOptions { beep, ..plain() });
        let change = ParticipantChange {
            beep_on_exit: Some(on_exit),
            ..ParticipantChange::default()
        };
        run.feed(ConferenceInput::Change(sid(2), change));
        let is_heard = run.leave(2).contains(&"beep out".to_owned());
        assert_eq!(is_heard, expected, "{beep:?}");
    }
}

#[test]
fn a_url_is_a_sound_by_its_name_or_a_document() {
    let at = |url: &str| {
        OrderedSound::at(crate::StatusCallback {
            url: url.to_owned(),
            method: crate::HttpMethod::Get,
        })
    };
    assert!(matches!(at("https://a/b.MP3?c=d"), OrderedSound::Sound(_)));
    let document = at("https://a/hold?c=.mp3");
    assert_eq!(document.sound(), WaitSound::Music);
    assert!(matches!(document, OrderedSound::Document(_)));
}

fn callback() -> ConferenceCallback {
    ConferenceCallback {
        to: crate::StatusCallback {
            url: "https://a/told".to_owned(),
            method: crate::HttpMethod::Post,
        },
        topics: vec![ConferenceTopic::Join],
    }
}

#[test]
fn who_is_told_is_the_first_ones_to_say() {
    let mut run = Run::new(10);
    for (number, expected) in [
        (1, vec!["opened, told true", "1 joined"]),
        (2, vec!["2 joined", "began"]),
    ] {
        let options = ConferenceOptions {
            status_callback: Some(callback()),
            ..plain()
        };
        let call = sid(number);
        let options = Box::new(options);
        let join = ConferenceInput::Join {
            call,
            options,
            terms: Box::default(),
        };
        assert_eq!(noted(&mut run, join), expected);
    }
}

#[test]
fn who_speaks_is_noted_once_and_only_where_somebody_is_told() {
    let speaks = |number, speaks| ConferenceInput::Speaks(sid(number), speaks);
    let mut run = two(false);
    assert_eq!(noted(&mut run, speaks(1, true)), [""; 0], "nobody is told");
    let mut run = Run::new(10);
    let told = ConferenceCallback {
        topics: vec![ConferenceTopic::Speaker],
        ..callback()
    };
    let somebody = |number, callback| {
        let options = ConferenceOptions {
            status_callback: callback,
            ..plain()
        };
        ConferenceInput::Join {
            call: sid(number),
            options: Box::new(options),
            terms: Box::default(),
        }
    };
    noted(&mut run, somebody(1, Some(told)));
    assert_eq!(noted(&mut run, speaks(1, true)), [""; 0], "it is alone");
    noted(&mut run, somebody(2, None));
    assert_eq!(noted(&mut run, speaks(1, true)), ["1 speaks true"]);
    assert_eq!(noted(&mut run, speaks(1, true)), [""; 0]);
    assert_eq!(noted(&mut run, speaks(2, true)), ["2 speaks true"]);
    assert_eq!(noted(&mut run, speaks(1, false)), ["1 speaks false"]);
    assert_eq!(noted(&mut run, speaks(9, true)), [""; 0], "nobody");
}

#[test]
fn one_who_is_called_keeps_the_conference_until_the_call_is_over() {
    let somebody = |number| Participant {
        call: sid(number),
        label: None,
        muted: false,
        held: false,
        coaches: None,
        start_on_enter: true,
        end_on_exit: false,
    };
    let mut run = Run::new(10);
    let expect = ConferenceInput::Expect(somebody(1), Some(callback()), Box::default());
    assert_eq!(noted(&mut run, expect), ["opened, told true", "1 expected"]);
    assert!(!run.0.is_empty());
    let expect = ConferenceInput::Expect(somebody(2), None, Box::default());
    assert_eq!(noted(&mut run, expect), ["2 expected"]);
    assert_eq!(noted(&mut run, join(1, false)), ["1 joined"]);
    let forget = |number| ConferenceInput::Forget(sid(number));
    assert_eq!(noted(&mut run, forget(1)), [""; 0], "it has come");
    assert_eq!(noted(&mut run, leave(1, true)), ["1 left: HungUp"]);
    assert!(!run.0.is_empty(), "somebody is called still");
    assert_eq!(
        noted(&mut run, forget(2)),
        ["2 missed", "last-participant-left by None"]
    );
    assert!(run.0.is_empty());
}

/// The first one says it, as all that holds for the whole.
#[test]
fn it_is_where_whoever_opened_it_said() {
    let mut run = Run::new(10);
    let expect = |number, region: &str| {
        let somebody = Participant {
            call: sid(number),
            label: None,
            muted: false,
            held: false,
            coaches: None,
            start_on_enter: true,
            end_on_exit: false,
        };
        let terms = ConferenceTerms {
            region: Some(region.to_owned()),
            ..ConferenceTerms::default()
        };
        ConferenceInput::Expect(somebody, None, Box::new(terms))
    };
    let first = ["opened, told false", "placed in ie1", "1 expected"];
    assert_eq!(noted(&mut run, expect(1, "ie1")), first);
    assert_eq!(noted(&mut run, expect(2, "us1")), ["2 expected"]);
}

#[test]
fn it_is_recorded_from_its_beginning_as_whoever_opened_it_said() {
    let recorded = |trim_silence| {
        Box::new(ConferenceTerms {
            recording: Some(ConferenceRecording {
                trim_silence,
                callback: None,
            }),
            region: None,
        })
    };
    let join = |number, terms| ConferenceInput::Join {
        call: sid(number),
        options: Box::new(plain()),
        terms,
    };
    let recordings = |run: &mut Run, input| {
        run.0.handle(input);
        let effects = drain(run).into_iter();
        let recordings = effects.filter_map(|effect| match effect {
            ConferenceEffect::Record(recording) => Some(recording.trim_silence),
            _ => None,
        });
        recordings.collect::<Vec<_>>()
    };
    let mut run = Run::new(10);
    assert_eq!(recordings(&mut run, join(1, recorded(true))), [false; 0]);
    assert_eq!(recordings(&mut run, join(2, recorded(false))), [true]);
    assert_eq!(recordings(&mut run, join(3, recorded(true))), [false; 0]);
    let mut run = Run::new(10);
    assert_eq!(recordings(&mut run, join(1, Box::default())), [false; 0]);
    assert_eq!(recordings(&mut run, join(2, recorded(true))), [false; 0]);
}

#[test]
fn an_announcement_is_over_when_all_have_heard_it_or_are_gone() {
    let source = || crate::MediaSource::File("a.wav".to_owned());
    let heard = |number, outcome| ConferenceInput::Announced(sid(number), outcome);
    let mut run = two(false);
    let all = ConferenceInput::Announce(None, source());
    run.0.handle(all.clone());
    let effects = drain(&mut run);
    assert_eq!(
        effects,
        [
            ConferenceEffect::Announce(sid(1), source()),
            ConferenceEffect::Announce(sid(2), source())
        ]
    );
    let one = ConferenceInput::Announce(Some(sid(2)), source());
    assert_eq!(noted(&mut run, one), [""; 0]);
    assert_eq!(noted(&mut run, heard(1, Ok(()))), [""; 0]);
    let failed = heard(2, Err("broken".to_owned()));
    assert_eq!(
        noted(&mut run, failed.clone()),
        ["announced to None: Ok(())"]
    );
    assert_eq!(
        noted(&mut run, failed.clone()),
        ["announced to Some(2): Err(\"broken\")"]
    );
    assert_eq!(noted(&mut run, failed), [""; 0], "nothing is announced");
    run.0.handle(all);
    drain(&mut run);
    assert_eq!(noted(&mut run, heard(1, Err("no".to_owned()))), [""; 0]);
    assert_eq!(
        noted(&mut run, leave(2, true)),
        ["announced to None: Err(\"no\")", "2 left: HungUp"]
    );
}
