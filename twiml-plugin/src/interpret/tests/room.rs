//! Conferences and queues, from documents.

use jackfield_guest::{ConferenceEnd, ConferenceEvent, OrderedSound, StatusCallback};

use super::*;

#[test]
fn a_conference_is_joined_and_the_document_goes_on_after_it() {
    let caller = caller(
        "<Dial><Conference muted='true' beep='false'>weekly</Conference></Dial><Say>Bye</Say>",
        &[],
    )
    .conference_ends(40.0);
    let expected = [
        "answer",
        "join conference weekly [muted, no beep]",
        "say Bye",
        "hang up",
    ];
    check(&caller, &expected);
    assert_eq!(caller.elapsed(), Duration::from_secs(42));
}

#[test]
fn a_conference_is_recorded_and_told_of_at_urls_of_the_document() {
    let dial = "<Dial><Conference record='record-from-start' recordingStatusCallback='/recorded' \
                statusCallback='/told' statusCallbackEvent='speaker'>weekly</Conference></Dial>";
    let caller = caller(dial, &[]).conference_ends(9.0);
    let join = "join conference weekly [recorded, trimmed, tells http://app.example/recorded of the recording, tells who speaks]";
    check(&caller, &["answer", join, "hang up"]);
}

#[test]
fn a_star_leaves_where_it_may_and_the_action_is_told() {
    let pages: &[Page] = &[("http://app.example/done", "<Say>Bye</Say>")];
    let dial = "<Dial hangupOnStar='true' action='/done'><Conference>weekly</Conference></Dial>";
    let caller = caller(dial, pages).press(20.1, "*");
    let expected = [
        "answer",
        "join conference weekly",
        "leave conference",
        "say Bye",
        "hang up",
    ];
    check(&caller, &expected);
    assert_eq!(
        asked(&caller, &["DialCallStatus", "DialCallDuration"])[1],
        "HttpMethod::Post http://app.example/done DialCallStatus=answered DialCallDuration=20"
    );
}

#[test]
fn a_sound_to_wait_with_is_the_hosts_to_play() {
    let dial = "<Dial><Conference waitUrl='/wait.MP3?x=1'>weekly</Conference></Dial>";
    let caller = caller(dial, &[])
        .conference_begins(9.0)
        .conference_ends(10.0);
    let join = "join conference weekly [waits with http://app.example/wait.MP3?x=1]";
    check(&caller, &["answer", join, "hang up"]);
    assert_eq!(caller.requests().len(), 1);
}

#[test]
fn a_document_to_wait_with_is_heard_over_and_over_until_somebody_comes() {
    let pages: &[Page] = &[(
        "http://app.example/wait",
        "<Say>Wait</Say><Pause length='2'/>",
    )];
    let dial = "<Dial><Conference waitUrl='/wait'>weekly</Conference></Dial>";
    let caller = caller(dial, pages)
        .conference_begins(5.3)
        .conference_ends(9.0);
    let expected = [
        "answer",
        "join conference weekly [waits with silence]",
        "say Wait",
        "say Wait",
        "stop",
        "hang up",
    ];
    check(&caller, &expected);
    assert_eq!(caller.requests().len(), 3);
}

#[test]
fn a_document_to_hold_with_is_heard_over_and_over_until_the_call_is_taken_off() {
    let pages: &[Page] = &[(
        "http://app.example/hold",
        "<Say>Hold</Say><Pause length='2'/>",
    )];
    let document = StatusCallback {
        url: "http://app.example/hold".to_owned(),
        method: HttpMethod::Post,
    };
    let held = ConferenceEvent::Held(Some(OrderedSound::Document(document)));
    let dial = "<Dial><Conference>weekly</Conference></Dial>";
    let caller = caller(dial, pages)
        .conference_orders(2.0, held)
        .conference_orders(7.3, ConferenceEvent::Held(None))
        .conference_ends(9.0);
    let expected = [
        "answer",
        "join conference weekly",
        "hold with silence",
        "say Hold",
        "say Hold",
        "stop",
        "hang up",
    ];
    check(&caller, &expected);
    let asked = caller.requests();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[1].method, HttpMethod::Post);
    assert_eq!(caller.elapsed(), Duration::from_secs(9));
}

#[test]
fn why_a_conference_cannot_be_joined_is_told_with_its_code() {
    let long = "x".repeat(129);
    let sid = format!("CA{}", "0".repeat(32));
    let refused = |why: &str| Some(ConferenceEnd::Refused(why.to_owned()));
    for (label, end, complaint) in [
        (
            "chair",
            refused("the conference is full: it takes 2 participants"),
            "error: 16020 ",
        ),
        (
            "chair",
            refused("the label is in use by another participant"),
            "error: 16025 ",
        ),
        ("chair", refused("too many rooms"), "warn: no conference "),
        ("a/b", None, "error: 16023 "),
        ("a%2Fb", None, "error: 16023 "),
        (&*long, None, "error: 16023 "),
        (&*sid, None, "error: 16023 "),
    ] {
        let dial: &'static str = format!(
            "<Dial action='/done'><Conference participantLabel='{label}'>weekly</Conference></Dial>"
        )
        .leak();
        let pages: &[Page] = &[("http://app.example/done", "<Say>Sorry</Say>")];
        let joins = end.is_some();
        let caller = match end {
            Some(end) => caller(dial, pages).conference_orders(1.0, ConferenceEvent::Left(end)),
            None => caller(dial, pages),
        };
        assert_eq!(run(&Call::on(caller.clone())), Ok(()), "{label}");
        let complaints = complaints(&caller);
        assert!(complaints[0].starts_with(complaint), "{complaints:?}");
        let told = asked(&caller, &["DialCallStatus"]);
        let expected = "HttpMethod::Post http://app.example/done DialCallStatus=failed";
        assert_eq!(told[1], expected, "{label}");
        let commands = caller.transcript();
        let joined = commands.iter().any(|command| command.starts_with("join"));
        assert_eq!(joined, joins, "{label}: {commands:?}");
    }
}

#[test]
fn what_cannot_be_heard_while_waiting_is_warned_of() {
    let pages: &[Page] = &[("http://app.example/wait", "<Gather/>")];
    for (dial, warning) in [
        (
            "<Dial><Conference waitUrl='/wait'>weekly</Conference></Dial>",
            "warn: 13238",
        ),
        (
            "<Dial><Conference waitUrl='/nothing'>weekly</Conference></Dial>",
            "warn: nothing is heard while waiting: 11200",
        ),
    ] {
        let caller = caller(dial, pages)
            .conference_begins(0.5)
            .conference_ends(9.0);
        assert_eq!(run(&Call::on(caller.clone())), Ok(()));
        let complaints = complaints(&caller);
        assert!(complaints[0].starts_with(warning), "{complaints:?}");
        assert_eq!(caller.elapsed(), Duration::from_secs(9));
    }
}

#[test]
fn who_waits_in_a_queue_is_told_of_it() {
    let pages: &[Page] = &[
        ("http://app.example/wait", "<Say>Wait</Say>"),
        ("http://app.example/done", "<Say>Thanks</Say>"),
    ];
    let enqueue = "<Enqueue waitUrl='/wait' action='/done'>support</Enqueue>";
    let caller = caller(enqueue, pages).queue_answers(3.0).queue_ends(60.0);
    let expected = [
        "answer",
        "wait in queue support with silence",
        "say Wait",
        "say Wait",
        "stop",
        "say Thanks",
        "hang up",
    ];
    check(&caller, &expected);
    let told = asked(&caller, &["QueuePosition", "QueueResult", "QueueTime"]);
    assert_eq!(
        told[1..],
        [
            "HttpMethod::Post http://app.example/wait QueueTime=0 QueuePosition=1",
            "HttpMethod::Post http://app.example/wait QueueTime=2 QueuePosition=1",
            "HttpMethod::Post http://app.example/done QueueResult=bridged QueueTime=2",
        ]
    );
}

#[test]
fn who_waits_is_told_how_many_may_where_the_document_says_it() {
    let pages: &[Page] = &[("http://app.example/wait", "<Say>Wait</Say>")];
    for (attribute, expected) in [("maxQueueSize='7'", "MaxQueueSize=7"), ("", "")] {
        let enqueue: &'static str =
            format!("<Enqueue waitUrl='/wait' {attribute}>support</Enqueue>").leak();
        let caller = caller(enqueue, pages).hang_up(3.0);
        assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
        let told = &asked(&caller, &["MaxQueueSize"])[1];
        let expected = format!("HttpMethod::Post http://app.example/wait {expected}");
        assert_eq!(told, expected.trim_end());
    }
}

#[test]
fn a_document_may_say_that_it_is_enough() {
    let pages: &[Page] = &[
        (
            "http://app.example/wait",
            "<Say>Wait</Say><Redirect>/sorry</Redirect>",
        ),
        ("http://app.example/sorry", "<Say>Sorry</Say><Leave/>"),
        ("http://app.example/done", "<Say>Bye</Say>"),
    ];
    let enqueue = "<Enqueue waitUrl='/wait' action='/done'>support</Enqueue>";
    let caller = caller(enqueue, pages);
    let expected = [
        "answer",
        "wait in queue support with silence",
        "say Wait",
        "say Sorry",
        "leave queue",
        "say Bye",
        "hang up",
    ];
    check(&caller, &expected);
    assert!(asked(&caller, &["QueueResult"])[3].ends_with("QueueResult=leave"));
}

#[test]
fn who_hangs_up_in_a_queue_is_told_of_too() {
    let enqueue = "<Enqueue action='/done'>support</Enqueue>";
    let caller = caller(enqueue, &[]).hang_up(30.0);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    let told = asked(&caller, &["QueueResult", "QueueSid"])[1].clone();
    let expected = "HttpMethod::Post http://app.example/done QueueResult=hangup QueueSid=QU";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn who_is_taken_away_from_a_queue_is_told_of_and_nobody_waits_for_that() {
    let enqueue = "<Enqueue action='/done'>support</Enqueue><Say>no</Say>";
    for (caller, expected) in [
        (
            caller(enqueue, &[]).redirected(30.0),
            "QueueResult=redirected QueueTime=29",
        ),
        (
            caller(enqueue, &[]).queue_answers(4.0).redirected(30.0),
            "QueueResult=redirected-from-bridged QueueTime=3",
        ),
    ] {
        assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
        let told = asked(&caller, &["CallStatus", "QueueResult", "QueueTime"]);
        let expected =
            format!("HttpMethod::Post http://app.example/done CallStatus=in-progress {expected}");
        assert_eq!(told[1..], [expected]);
        assert_eq!(caller.transcript(), ["answer", "wait in queue support"]);
    }
    let silent = caller("<Enqueue>support</Enqueue>", &[]).redirected(3.0);
    assert_eq!(run(&Call::on(silent.clone())), Err(CallError::HungUp));
    assert_eq!(silent.requests().len(), 1);
}

#[test]
fn who_waited_hears_a_document_before_who_serves() {
    let dial = "<Dial><Queue url='first?a=1' method='GET'>support</Queue></Dial>";
    let served = caller(dial, &[]).queue_answers(5.0).queue_ends(17.0);
    check(
        &served,
        &["answer", "serve queue support after a whisper", "hang up"],
    );
    assert_eq!(complaints(&served), [""; 0]);
    let who_waited = Rehearsal::outbound()
        .setting("voice-url", VOICE)
        .setting("is-whisper", "true")
        .setting("is-answered", "true");
    let told = serving(who_waited, "<Say>Recorded</Say>", &[])
        .setting("parameters", "QueueSid=QU1&QueueTime=7&DequeingCallSid=CA7");
    check(&told, &["say Recorded"]);
    assert_eq!(
        asked(&told, &["QueueSid", "QueueTime", "DequeingCallSid"]),
        [format!(
            "HttpMethod::Post {VOICE} QueueSid=QU1 QueueTime=7 DequeingCallSid=CA7"
        )]
    );
}

#[test]
fn a_document_that_cannot_be_had_keeps_nobody_from_who_serves() {
    let told = serving(
        Rehearsal::new()
            .setting("voice-url", "http://app.example/gone")
            .setting("is-whisper", "true")
            .setting("is-answered", "true"),
        "",
        &[],
    );
    check(&told, &[]);
    assert_eq!(
        complaints(&told),
        ["error: 11200 http://app.example/gone answered 404"]
    );
}

#[test]
fn a_queue_is_served() {
    let pages: &[Page] = &[("http://app.example/done", "")];
    let dial = "<Dial timeout='20' action='/done'><Queue>support</Queue></Dial>";
    let status = ["DialCallStatus", "DialBridged", "DialCallDuration"];
    let served = caller(dial, pages).queue_answers(5.0).queue_ends(17.0);
    check(&served, &["answer", "serve queue support", "hang up"]);
    assert!(
        asked(&served, &status)[1]
            .ends_with("DialCallStatus=completed DialCallDuration=12 DialBridged=true")
    );
    let nobody = caller(dial, pages);
    check(
        &nobody,
        &["answer", "serve queue support", "leave queue", "hang up"],
    );
    assert!(asked(&nobody, &status)[1].ends_with("DialCallStatus=no-answer"));
}

#[test]
fn leave_outside_of_a_queue_hangs_up() {
    check(
        &caller("<Leave/><Say>no</Say>", &[]),
        &["answer", "hang up"],
    );
}
