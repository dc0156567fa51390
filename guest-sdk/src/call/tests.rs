use super::*;
use crate::Rehearsal;

const PATIENCE: Duration = Duration::from_secs(5);

fn answered(caller: &Rehearsal) -> Call {
    let call = Call::on(caller.clone());
    call.answer().unwrap();
    call
}

fn seconds(call: &Call) -> f32 {
    call.elapsed().as_secs_f32()
}

/// A two-second question; `press` says what is pressed when. Gives the digits, and when they were complete.
#[track_caller]
fn check_gather(press: &[(f32, &str)], wanted: Digits, expected: &str, complete_at: f32) {
    let caller = press.iter().fold(Rehearsal::new(), |caller, (at, keys)| {
        caller.press(*at, keys)
    });
    let call = answered(&caller);
    let question = call.play("prompts/menu.wav").unwrap();
    assert_eq!(question.gather(wanted, PATIENCE).unwrap(), expected);
    assert!(
        (seconds(&call) - complete_at).abs() < 0.001,
        "at {} s",
        seconds(&call)
    );
}

#[test]
fn a_question_collects_its_answer() {
    check_gather(&[(3.0, "1")], Digits::up_to(1), "1", 3.0);
    check_gather(&[(0.5, "1")], Digits::up_to(1), "1", 0.5);
    check_gather(&[(3.0, "1"), (4.0, "2")], Digits::exactly(2), "12", 4.0);
    check_gather(&[(3.0, "15#")], Digits::any().until('#'), "15", 3.0);
}

#[test]
fn the_timeout_begins_at_the_end_of_the_prompt_and_anew_with_each_key() {
    check_gather(&[], Digits::up_to(1), "", 7.0);
    check_gather(&[(6.9, "1")], Digits::up_to(1), "1", 6.9);
    check_gather(&[(7.1, "1")], Digits::up_to(1), "", 7.0);
    check_gather(&[(6.0, "1"), (10.0, "2")], Digits::up_to(3), "12", 15.0);
    check_gather(&[(0.5, "1")], Digits::up_to(2), "1", 5.5);
}

#[test]
fn a_key_stops_the_prompt_once() {
    let caller = Rehearsal::new().press(0.5, "12");
    let call = answered(&caller);
    let digits = call
        .play("a.wav")
        .unwrap()
        .gather(Digits::up_to(2), PATIENCE);
    assert_eq!(digits.unwrap(), "12");
    call.play("b.wav").unwrap().finish().unwrap();
    assert_eq!(
        caller.transcript(),
        ["answer", "play a.wav", "stop", "play b.wav"]
    );
    assert!((seconds(&call) - 2.5).abs() < 0.001);
}

#[test]
fn keys_typed_ahead_are_kept_in_order() {
    let caller = Rehearsal::new().press(0.5, "12").press(2.5, "3");
    let call = answered(&caller);
    assert_eq!(
        call.play("a.wav").unwrap().finish().unwrap(),
        PlaybackEnd::Finished
    );
    call.pause(Duration::from_secs(1)).unwrap();
    for expected in ["1", "2", "3", ""] {
        assert_eq!(call.gather(Digits::up_to(1), PATIENCE).unwrap(), expected);
    }
}

#[test]
fn cleared_keys_are_gone_whether_or_not_they_were_seen() {
    let caller = Rehearsal::new()
        .press(0.5, "12")
        .press(2.0, "3")
        .press(2.1, "4");
    let call = answered(&caller);
    call.play("a.wav").unwrap().finish().unwrap(); // has heard 12; the 3 waits at the host
    call.clear_digits().unwrap();
    assert_eq!(call.gather(Digits::up_to(1), PATIENCE).unwrap(), "4");
}

#[test]
fn a_pause_lasts_its_time_or_until_a_key() {
    let caller = Rehearsal::new().press(1.0, "1").press(2.5, "2");
    let call = answered(&caller);
    call.pause(Duration::from_secs(2)).unwrap();
    assert!((seconds(&call) - 2.0).abs() < 0.001);
    assert_eq!(call.key().unwrap(), '1');
    assert!(call.pause_until_key(Duration::from_secs(2)).unwrap());
    assert!((seconds(&call) - 2.5).abs() < 0.001);
    assert!(
        call.pause_until_key(Duration::from_secs(2)).unwrap(),
        "the key still waits"
    );
    assert_eq!(call.key().unwrap(), '2');
    assert!(!call.pause_until_key(Duration::from_secs(2)).unwrap());
}

#[test]
fn playbacks_are_waited_for_in_any_order() {
    let caller = Rehearsal::new();
    let call = answered(&caller);
    let first = call.play("a.wav").unwrap();
    let second = call.say_times("b", 2).unwrap();
    assert_eq!(second.finish().unwrap(), PlaybackEnd::Finished);
    assert!((seconds(&call) - 6.0).abs() < 0.001);
    assert_eq!(first.finish().unwrap(), PlaybackEnd::Finished);
    assert!((seconds(&call) - 6.0).abs() < 0.001);
}

#[test]
fn a_playback_may_be_stopped_late() {
    let caller = Rehearsal::new();
    let call = answered(&caller);
    let prompt = call.play("a.wav").unwrap();
    call.pause(Duration::from_secs(3)).unwrap();
    assert_eq!(prompt.stop(), Ok(()));
}

#[test]
fn a_failed_playback_is_logged_and_goes_on() {
    let caller = Rehearsal::new().without_prompt("a.wav");
    let call = answered(&caller);
    let end = call.play("a.wav").unwrap().finish().unwrap();
    assert_eq!(end, PlaybackEnd::Failed("a.wav is not there".to_owned()));
    assert_eq!(
        caller.log(),
        ["warn: playback 1 failed: a.wav is not there"]
    );
}

#[test]
fn a_hang_up_ends_every_wait() {
    type Wait = fn(&Call) -> Result<(), CallError>;
    let waits: [(&str, Wait); 8] = [
        ("finish", |call| call.play("a.wav")?.finish().map(drop)),
        ("until_key", |call| {
            call.play("a.wav")?.until_key().map(drop)
        }),
        ("gather a prompt", |call| {
            call.play("a.wav")?
                .gather(Digits::any(), PATIENCE)
                .map(drop)
        }),
        ("gather", |call| {
            call.gather(Digits::any(), PATIENCE).map(drop)
        }),
        ("key", |call| call.key().map(drop)),
        ("pause", |call| call.pause(PATIENCE)),
        ("pause_until_key", |call| {
            call.pause_until_key(PATIENCE).map(drop)
        }),
        ("http", |call| {
            call.http(Request::get("http://example.net/")).map(drop)
        }),
    ];
    for (name, wait) in waits {
        let call = answered(&Rehearsal::new().hang_up(0.05));
        assert_eq!(call.hang_up_cause(), None);
        assert_eq!(wait(&call), Err(CallError::HungUp), "{name}");
        assert_eq!(call.hang_up_cause(), Some(HangUpCause::Remote), "{name}");
        assert_eq!(wait(&call), Err(CallError::HungUp), "{name} afterwards");
        assert_eq!(call.clear_digits(), Err(CallError::HungUp));
        assert_eq!(call.hang_up(), Err(CallError::HungUp));
    }
}

#[test]
fn a_request_finds_its_response_and_its_failure() {
    let caller = Rehearsal::new()
        .press(0.05, "7")
        .server(|request| match request.url.as_str() {
            "http://up.example/" => Ok(Response {
                status: 200,
                headers: Vec::new(),
                body: request.body.clone(),
                url: request.url.clone(),
            }),
            _ => Err(HttpError::Unreachable("connection refused".to_owned())),
        });
    let call = Call::on(caller.clone());
    let response = call
        .http(Request::post("http://up.example/").body("ping"))
        .unwrap()
        .unwrap();
    assert_eq!((response.status, response.text().as_ref()), (200, "ping"));
    let error = call
        .http(Request::get("http://down.example/"))
        .unwrap()
        .unwrap_err();
    assert_eq!(error.to_string(), "unreachable: connection refused");
    assert_eq!(call.key().unwrap(), '7', "a key pressed meanwhile is kept");
}

#[test]
fn commands_are_refused_as_the_host_says() {
    let call = Call::on(Rehearsal::new());
    assert_eq!(call.play("a.wav").map(drop), Err(CallError::NotAnswered));
    call.answer().unwrap();
    assert_eq!(call.answer(), Ok(()));
    assert_eq!(
        call.reject(RejectReason::Busy),
        Err(CallError::AlreadyAnswered)
    );
    let refusal = call.play_times("a.wav", 0).map(drop);
    assert!(matches!(refusal, Err(CallError::InvalidArgument(_))));
}

#[test]
fn a_message_is_recorded_until_silence_a_key_or_the_hang_up() {
    use crate::{RecordingEnd, RecordingOptions};
    let record = |caller: Rehearsal| {
        let call = answered(&caller);
        let recorded = call.record(RecordingOptions::of_message()).unwrap();
        (recorded.end, recorded.duration_ms, call)
    };
    let (end, ms, _) = record(Rehearsal::new());
    assert_eq!((end, ms), (RecordingEnd::Silence, 3_000));

    let (end, ms, call) = record(Rehearsal::new().press(2.0, "#1"));
    assert_eq!((end, ms), (RecordingEnd::Key('#'), 2_000));
    assert_eq!(
        call.key(),
        Ok('1'),
        "what ended it is no answer to anything else"
    );

    let (end, ms, call) = record(Rehearsal::new().hang_up(1.0));
    assert_eq!((end, ms), (RecordingEnd::HungUp, 1_000));
    assert_eq!(call.key(), Err(CallError::HungUp));
}

#[test]
fn a_recording_goes_on_beside_the_story_until_it_is_stopped() {
    use crate::{PauseBehavior, RecordingEnd, RecordingOptions};
    let caller = Rehearsal::new();
    let call = answered(&caller);
    let recording = call.start_recording(RecordingOptions::of_call()).unwrap();
    call.say("Hello.").unwrap().finish().unwrap();
    recording.pause(PauseBehavior::Skip).unwrap();
    recording.resume().unwrap();
    let recorded = recording.stop().unwrap();
    assert_eq!(
        (recorded.end, recorded.duration_ms),
        (RecordingEnd::Stopped, 2_000)
    );
    assert_eq!(
        caller.transcript(),
        [
            "answer",
            "record",
            "say Hello.",
            "pause recording",
            "resume recording",
            "stop recording"
        ]
    );
}
