//! Calls that a story dials, from both sides.

use super::*;
use crate::{
    CallSid, ChildEnd, ChildId, DialId, DialRequest, DialTarget, Password, SipLogin,
    StatusCallback, StoryFlow, TargetTerms, Whisper,
};

pub(super) fn request(targets: &[&str]) -> DialRequest {
    DialRequest {
        targets: targets
            .iter()
            .map(|target| DialTarget::from(*target))
            .collect(),
        in_turn: false,
        caller_id: None,
        ring_timeout_s: 30,
        time_limit_s: None,
        answer_on_bridge: false,
        hang_up_on_star: false,
        ring_tone: None,
    }
}

fn sid(number: u8) -> CallSid {
    CallSid::from_bytes([number; 16])
}

fn ended(number: u8, status: CallStatus) -> ChildNews {
    ChildNews::Ended(ChildEnd {
        status,
        call_sid: Some(sid(number)),
        duration_s: if status == CallStatus::Completed {
            7
        } else {
            0
        },
        sip_status: None,
        reason: String::new(),
    })
}

/// Short words for what children say: `+1` answered, `~1` heard early, `?1` whispered to, `-1 busy` ended.
fn news(words: &str) -> Input {
    let (child, rest) = words[1..].split_once(' ').unwrap_or((&words[1..], ""));
    let number: u8 = child.parse().unwrap();
    let status = match rest {
        "completed" => CallStatus::Completed,
        "busy" => CallStatus::Busy,
        "no-answer" => CallStatus::NoAnswer,
        "canceled" => CallStatus::Canceled,
        _ => CallStatus::Failed,
    };
    let news = match &words[..1] {
        "+" => ChildNews::Answered(sid(number)),
        "~" => ChildNews::EarlyMedia,
        "?" => ChildNews::Whispering,
        _ => ended(number, status),
    };
    Input::Child(ChildId(number.into()), news)
}

/// Effects in short words; what a dial came to is `over STATUS by CHILD`.
fn say(effects: Vec<String>) -> Vec<String> {
    let number = |text: &str| text.split("CA").nth(1).map(|sid| sid[1..2].to_owned());
    let short = |effect: String| match effect.strip_prefix("tell Dial") {
        Some(told) if told.starts_with("Answered") => {
            format!("joined to {}", number(told).unwrap())
        }
        Some(told) => {
            let status = told.split("status: ").nth(1).unwrap();
            let status = status.split(',').next().unwrap();
            format!("over {status} by {}", number(told).unwrap())
        }
        None => effect,
    };
    effects.into_iter().map(short).collect()
}

/// A story on an answered call, or with `rings` on one that rings, dials these; then this happens.
#[track_caller]
fn check(request: DialRequest, rings: bool, steps: &[(&str, &[&str])]) {
    let mut run = if rings {
        Run::inbound(Some(OFFER)).0
    } else {
        Run::up()
    };
    for (step, expected) in steps {
        let input = match *step {
            "dial" => command(Command::Dial(request.clone())),
            "stop" => command(Command::StopDial(DialId(1))),
            "answer" => command(Command::Answer),
            "bye" => Input::Sip(sip::Event::Bye { cause: None }),
            "cancel" => Input::Sip(sip::Event::Canceled { cause: None }),
            "broke" => broke(),
            key if key.starts_with("key ") => {
                Input::Media(MediaEvent::Digit(key.chars().last().unwrap()))
            }
            words => news(words),
        };
        assert_eq!(say(run.feed(input)), *expected, "{step}");
    }
}

#[test]
fn one_is_called_answers_and_hangs_up() {
    check(
        request(&["+1"]),
        false,
        &[
            ("dial", &["call +1 as 1", "ring", "Dial(DialId(1))"]),
            ("dial", &["refused: LimitReached"]),
            ("+1", &["hush", "join 1", "joined to 1"]),
            ("key 5", &["tell Digit('5')"]),
            ("key *", &["tell Digit('*')"]),
            ("-1 completed", &["leave", "over Completed by 1"]),
            ("dial", &["call +1 as 2", "ring", "Dial(DialId(2))"]),
            ("-2 busy", &["hush", "over Busy by 2"]),
        ],
    );
}

#[test]
fn the_first_of_several_to_answer_is_joined_and_the_others_end() {
    check(
        request(&["a", "b", "c"]),
        false,
        &[
            (
                "dial",
                &[
                    "call a as 1",
                    "call b as 2",
                    "call c as 3",
                    "ring",
                    "Dial(DialId(1))",
                ],
            ),
            ("~2", &[]), // nobody knows who will answer
            ("-1 busy", &[]),
            ("+3", &["end 2", "hush", "join 3", "joined to 3"]),
            ("+2", &["end 2"]), // its answer crossed our wish
            ("-2 completed", &[]),
            ("-3 completed", &["leave", "over Completed by 3"]),
        ],
    );
}

#[test]
fn several_that_come_to_nothing_end_as_the_one_that_got_furthest() {
    for (ends, expected) in [
        (
            ["-1 failed", "-2 busy", "-3 no-answer"],
            "over NoAnswer by 3",
        ),
        (
            ["-1 no-answer", "-2 busy", "-3 failed"],
            "over NoAnswer by 1",
        ),
        (["-1 busy", "-2 failed", "-3 busy"], "over Busy by 1"),
        (["-1 failed", "-2 failed", "-3 failed"], "over Failed by 1"),
    ] {
        let mut run = Run::up();
        run.feed(command(Command::Dial(request(&["a", "b", "c"]))));
        assert!(run.feed(news(ends[0])).is_empty());
        assert!(run.feed(news(ends[1])).is_empty());
        assert_eq!(say(run.feed(news(ends[2]))), ["hush", expected], "{ends:?}");
    }
}

#[test]
fn in_turn_the_next_is_called_when_the_one_before_came_to_nothing() {
    let in_turn = DialRequest {
        in_turn: true,
        ..request(&["a", "b"])
    };
    check(
        in_turn.clone(),
        false,
        &[
            ("dial", &["call a as 1", "ring", "Dial(DialId(1))"]),
            ("~1", &["hush", "join 1"]),
            ("-1 no-answer", &["leave", "call b as 2", "ring"]),
            ("-2 busy", &["hush", "over NoAnswer by 1"]),
        ],
    );
    check(
        in_turn,
        false,
        &[
            ("dial", &["call a as 1", "ring", "Dial(DialId(1))"]),
            ("-1 failed", &["call b as 2"]),
            ("~2", &["hush", "join 2"]),
            ("+2", &["joined to 2"]), // it is joined already
            ("-2 completed", &["leave", "over Completed by 2"]),
        ],
    );
}

#[test]
fn a_call_that_rings_is_answered_when_somebody_has_answered() {
    let on_bridge = DialRequest {
        answer_on_bridge: true,
        ..request(&["a"])
    };
    check(
        on_bridge.clone(),
        true,
        &[
            ("dial", &["call a as 1", "Dial(DialId(1))"]),
            ("~1", &[]), // its own network rings for it
            (
                "+1",
                &["sip Answer", "in-progress", "hush", "join 1", "joined to 1"],
            ),
            ("-1 completed", &["leave", "over Completed by 1"]),
        ],
    );
    check(
        on_bridge.clone(),
        true,
        &[
            ("dial", &["call a as 1", "Dial(DialId(1))"]),
            ("answer", &["sip Answer", "in-progress", "ring", "Done"]),
            ("-1 busy", &["hush", "over Busy by 1"]),
        ],
    );
    check(
        on_bridge,
        true,
        &[
            ("dial", &["call a as 1", "Dial(DialId(1))"]),
            (
                "cancel",
                &["end 1", "hush", "tell HungUp(Cancelled)", "no-answer"],
            ),
            ("+1", &[]), // it was told to end
        ],
    );
    check(
        request(&["a"]),
        true,
        &[("dial", &["refused: NotAnswered"])],
    );
}

#[test]
fn a_star_ends_the_conversation_where_that_is_wished() {
    let star = DialRequest {
        hang_up_on_star: true,
        ..request(&["a"])
    };
    check(
        star,
        false,
        &[
            ("dial", &["call a as 1", "ring", "Dial(DialId(1))"]),
            ("key *", &["tell Digit('*')"]), // nobody is there yet
            ("+1", &["hush", "join 1", "joined to 1"]),
            ("key 1", &["tell Digit('1')"]),
            ("key *", &["end 1"]),
            ("-1 completed", &["leave", "over Completed by 1"]),
        ],
    );
}

#[test]
fn a_dial_may_be_stopped_before_and_after_the_answer() {
    let begun: (&str, &[&str]) = (
        "dial",
        &["call a as 1", "call b as 2", "ring", "Dial(DialId(1))"],
    );
    check(
        request(&["a", "b"]),
        false,
        &[
            ("stop", &["refused: UnknownId"]),
            begun,
            ("stop", &["end 1", "end 2", "Done"]),
            ("-1 canceled", &[]),
            ("+2", &["end 2"]), // crossed
            ("-2 completed", &["hush", "over Canceled by 1"]),
            ("stop", &["refused: UnknownId"]),
        ],
    );
    check(
        request(&["a", "b"]),
        false,
        &[
            begun,
            ("+1", &["end 2", "hush", "join 1", "joined to 1"]),
            ("-2 canceled", &[]),
            ("stop", &["end 1", "Done"]),
            ("-1 completed", &["leave", "over Completed by 1"]),
        ],
    );
}

#[test]
fn the_end_of_a_call_ends_those_it_dialled() {
    check(
        request(&["a"]),
        false,
        &[
            ("dial", &["call a as 1", "ring", "Dial(DialId(1))"]),
            (
                "bye",
                &["end 1", "hush", "tell HungUp(Remote)", "completed"],
            ),
            ("-1 canceled", &[]),
        ],
    );
    check(
        request(&["a"]),
        false,
        &[
            ("dial", &["call a as 1", "ring", "Dial(DialId(1))"]),
            ("+1", &["hush", "join 1", "joined to 1"]),
            (
                "bye",
                &["end 1", "leave", "tell HungUp(Remote)", "completed"],
            ),
            ("-1 completed", &[]), // both hung up
        ],
    );
}

#[test]
fn a_story_that_breaks_ends_those_it_dialled_and_does_not_dial_again() {
    check(
        request(&["a"]),
        false,
        &[
            ("dial", &["call a as 1", "ring", "Dial(DialId(1))"]),
            ("broke", &["end 1", "hush", "media Echo", "fetch 1 apology"]),
        ],
    );
}

#[test]
fn what_cannot_be_dialled_is_refused() {
    let base = request(&["a"]);
    let eleven = ["a"; 11];
    for (bad, reason) in [
        (request(&[]), "0 targets: give 1 to 10"),
        (request(&eleven), "11 targets: give 1 to 10"),
        (
            DialRequest {
                ring_timeout_s: 0,
                ..base.clone()
            },
            "ring-timeout-s is 0: give 1 to 600",
        ),
        (
            DialRequest {
                time_limit_s: Some(86_401),
                ..base.clone()
            },
            "time-limit-s is 86401: give 1 to 86400",
        ),
        (
            DialRequest {
                ring_tone: Some("gb".to_owned()),
                ..base
            },
            "\"gb\" is no ring tone: give one of us,",
        ),
    ] {
        let mut run = Run::up();
        run.call.handle(run.now, command(Command::Dial(bad)));
        let Some(Effect::Reply(Err(CallError::InvalidArgument(why)))) = run.call.poll() else {
            panic!("{reason}");
        };
        assert!(why.starts_with(reason), "{why}");
        assert!(run.call.poll().is_none());
    }
}

pub(super) fn dialled() -> Run {
    let (mut run, _) = Run::outbound();
    run.call.dialled = Some(Dialled::new(sid(9), false));
    run
}

fn provisional(sdp: Option<&str>) -> Input {
    Input::Sip(sip::Event::Provisional {
        status: 183,
        sdp: sdp.map(bytes),
    })
}

pub(super) fn answered() -> Input {
    Input::Sip(sip::Event::Answered {
        sdp: Some(bytes(OFFER)),
    })
}

#[test]
fn a_dialled_call_has_no_story_and_tells_its_parent() {
    let mut run = dialled();
    assert_eq!(run.feed(provisional(None)), ["ringing"]);
    assert_eq!(
        run.feed(provisional(Some(OFFER))),
        ["ringing", "media Connect", "parent: EarlyMedia"]
    );
    assert_eq!(run.feed(provisional(Some(OFFER))), ["ringing"]);
    assert_eq!(
        run.feed(answered()),
        ["in-progress", "media Connect", "parent: Answered"]
    );
    assert!(run.feed(Input::Media(MediaEvent::Digit('1'))).is_empty());
    run.now += Duration::from_millis(6_001);
    assert_eq!(
        run.feed(Input::Sip(sip::Event::Bye { cause: None })),
        ["parent: ended completed 7 s", "completed"]
    );
    assert!(run.call.is_ended());
}

#[test]
fn early_media_is_for_parents_only_and_may_be_nonsense() {
    let (mut run, _) = Run::outbound();
    assert_eq!(run.feed(provisional(Some(OFFER))), ["ringing"]);
    let mut run = dialled();
    assert_eq!(run.feed(provisional(Some(VIDEO_ONLY))), ["ringing"]);
    assert_eq!(
        run.feed(answered()),
        ["in-progress", "media Connect", "parent: Answered"]
    );
}

#[test]
fn a_dialled_call_that_is_ended_says_so_whatever_crosses() {
    let mut run = dialled();
    let end = || Input::HangUp(HangUpCause::Local);
    assert_eq!(run.feed(end()), ["sip Cancel"]);
    assert!(run.feed(end()).is_empty());
    assert_eq!(
        run.feed(answered()),
        ["sip Bye", "parent: ended canceled 0 s", "canceled"]
    );
    assert!(run.feed(end()).is_empty());

    let mut run = dialled();
    run.feed(answered());
    assert_eq!(
        run.feed(end()),
        ["sip Bye", "parent: ended completed 0 s", "completed"]
    );
    assert!(
        run.feed(Input::Sip(sip::Event::Bye { cause: None }))
            .is_empty()
    );
}

#[test]
fn the_caller_goes_on_hearing_it_ring_while_the_callee_is_whispered_to() {
    let begun: (&str, &[&str]) = ("dial", &["call a as 1", "ring", "Dial(DialId(1))"]);
    check(
        request(&["a"]),
        false,
        &[
            begun,
            ("?1", &[]),
            ("+1", &["hush", "join 1", "joined to 1"]),
            ("-1 completed", &["leave", "over Completed by 1"]),
        ],
    );
    check(
        request(&["a"]),
        false,
        &[
            begun,
            ("~1", &["hush", "join 1"]),
            ("?1", &["leave", "ring"]), // what was heard early is heard no longer
            ("-1 no-answer", &["hush", "over NoAnswer by 1"]),
        ],
    );
    check(
        request(&["a", "b"]),
        false,
        &[
            (
                "dial",
                &["call a as 1", "call b as 2", "ring", "Dial(DialId(1))"],
            ),
            ("?1", &[]),
            ("?2", &[]),
            ("+2", &["end 1", "hush", "join 2", "joined to 2"]),
        ],
    );
}

/// A call that was answered, and hears its story.
pub(super) fn whispering() -> Run {
    let (mut run, _) = Run::outbound();
    run.call.dialled = Some(Dialled::new(sid(9), true));
    assert_eq!(
        run.feed(answered()),
        [
            "in-progress",
            "media Connect",
            "parent: Whispering",
            "start Flow"
        ]
    );
    run
}

pub(super) fn returned(result: Result<(), CallError>) -> Input {
    Input::StoryEnded(StoryOutcome::Returned(result))
}

#[test]
fn a_whisper_that_returns_puts_the_callee_through() {
    let mut run = whispering();
    run.feed(play("a.wav"));
    run.feed(Input::Fetched(PlaybackId(1), Ok(prompt())));
    run.now += Duration::from_secs(3);
    assert_eq!(
        run.feed(returned(Ok(()))),
        ["media Stop", "media Echo", "parent: Answered"]
    );
    assert!(run.feed(Input::Media(MediaEvent::Digit('1'))).is_empty());
    assert_eq!(
        run.wait_for_deadline(LIMITS.max_duration),
        ["sip Bye", "parent: ended completed 3603 s", "completed"]
    );
    assert!(run.call.is_ended());
}

#[test]
fn who_is_not_put_through_has_not_answered() {
    let not_answered = "parent: ended no-answer 0 s";
    let mut refuses = whispering();
    assert_eq!(
        refuses.feed(command(Command::HangUp)),
        [
            "sip Bye",
            not_answered,
            "tell HungUp(Local)",
            "completed",
            "Done"
        ]
    );
    assert!(refuses.feed(returned(Ok(()))).is_empty());
    assert!(refuses.call.is_ended());

    let mut leaves = whispering();
    assert_eq!(
        leaves.feed(Input::Sip(sip::Event::Bye { cause: None })),
        [not_answered, "tell HungUp(Remote)", "completed"]
    );

    let mut fails = whispering();
    assert_eq!(fails.feed(broke()), ["start Flow"]); // nothing was heard yet
    assert_eq!(fails.feed(broke()), ["media Echo", "fetch 1 apology"]);
    fails.feed(Input::Fetched(PlaybackId(1), Err(String::new())));
    assert_eq!(
        fails.call.record().unwrap().status,
        CallStatus::Completed,
        "the call itself was answered"
    );

    let mut is_ended = whispering();
    let end = Input::HangUp(HangUpCause::Local);
    assert_eq!(is_ended.feed(end)[..2], ["sip Bye", not_answered]);
}

#[test]
fn a_whisper_joins_nobody_else() {
    let mut run = whispering();
    assert_eq!(
        run.feed(command(Command::Dial(request(&["b"])))),
        ["refused: InvalidArgument"]
    );
    let serve = crate::QueueCommand::Serve {
        name: "support".to_owned(),
    };
    assert_eq!(
        run.feed(command(Command::Queue(serve))),
        ["refused: InvalidArgument"]
    );
}

#[test]
fn a_whisper_that_cannot_be_is_refused() {
    let url = |url: &str, method| {
        let url = url.to_owned();
        StoryFlow::VoiceUrl(StatusCallback { url, method })
    };
    for (story, settings, expected) in [
        (StoryFlow::Component(String::new()), 0, "without a name"),
        (url("ftp://a/", HttpMethod::Get), 0, "begins with http://"),
        (url("http://a/", HttpMethod::Put), 0, "a GET or a POST"),
        (StoryFlow::Twiml("x".repeat(60_000)), 6_000, "66004 bytes"),
    ] {
        let mut run = Run::up();
        let mut whispered = request(&["a"]);
        whispered.targets[0].whisper = Some(Whisper {
            story,
            settings: vec![("name".to_owned(), "x".repeat(settings))],
        });
        run.call.handle(run.now, command(Command::Dial(whispered)));
        let Some(Effect::Reply(Err(CallError::InvalidArgument(why)))) = run.call.poll() else {
            panic!("{expected}");
        };
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn each_target_is_dialled_on_its_own_terms() {
    let login = |username: &str, password: &str| TargetTerms {
        login: Some(SipLogin {
            username: username.to_owned(),
            password: Password::new(password.to_owned()),
        }),
    };
    let dial = |targets: &[&str], terms: Vec<TargetTerms>| {
        let request = request(targets);
        let mut run = Run::up();
        run.call
            .handle(run.now, command(Command::DialWith { request, terms }));
        let (mut logins, mut refusals) = (Vec::new(), Vec::new());
        while let Some(effect) = run.call.poll() {
            match effect {
                Effect::PlaceChild(_, call) => {
                    let login = call.login;
                    logins.push(login.map(|login| login.password.expose().to_owned()));
                }
                Effect::Reply(Err(error)) => refusals.push(error),
                _ => {}
            }
        }
        (logins, refusals)
    };
    let two = ["sip:a@b", "+1"];
    let (logins, refusals) = dial(&two, vec![login("u", "hush")]);
    assert_eq!(logins, [Some("hush".to_owned()), None]);
    assert_eq!(refusals, []);
    let long = "x".repeat(256);
    for (targets, terms) in [
        (&two[..], vec![TargetTerms::default(), login("u", "hush")]),
        (&two[..1], vec![TargetTerms::default(); 2]),
        (&two[..1], vec![login("", "hush")]),
        (&two[..1], vec![login("u", "")]),
        (&two[..1], vec![login("u", &long)]),
        (&two[..1], vec![login("a\r\nb", "hush")]),
    ] {
        let (logins, refusals) = dial(targets, terms);
        assert_eq!(logins, []);
        let [refusal] = &refusals[..] else {
            panic!("{refusals:?}");
        };
        assert!(!format!("{refusal:?}").contains("hush"), "{refusal:?}");
    }
}
