//! Conferences and queues, as the TwiML component takes part in them.

use std::time::Duration;

use harness::{Script, run, xml};

use crate::TWIML;

const VOICE: &str = "http://app.example/voice";

fn calling(twiml: &str) -> Script {
    Script::new()
        .setting("voice-url", VOICE)
        .respond(VOICE, Ok(xml(&format!("<Response>{twiml}</Response>"))))
        .expect_answer()
}

#[test]
fn the_first_one_waits_for_the_second() {
    let script = calling("<Dial><Conference>weekly</Conference></Dial><Say>Bye</Say>")
        .expect_join("weekly")
        .wait(Duration::from_secs(30))
        .other_joins()
        .wait(Duration::from_secs(60))
        .other_ends_conference()
        .expect_say("Bye")
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    for line in [
        "joined as participant 1",
        "the conference began",
        "the conference ended",
    ] {
        assert!(run.transcript.contains(line), "{}", run.transcript);
    }
    assert!(
        run.duration >= Duration::from_secs(90),
        "{}",
        run.transcript
    );
}

#[test]
fn who_comes_late_finds_the_conference_under_way() {
    let script = calling("<Dial hangupOnStar='true'><Conference>weekly</Conference></Dial>")
        .others_in_conference(3)
        .expect_join("weekly")
        .wait(Duration::from_secs(5))
        .press("*")
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    for line in [
        "joined as participant 4",
        "leave conference",
        "left the conference",
    ] {
        assert!(run.transcript.contains(line), "{}", run.transcript);
    }
}

#[test]
fn who_waits_in_a_queue_is_served() {
    let script = calling("<Enqueue>support</Enqueue>")
        .expect_enqueue("support")
        .wait(Duration::from_secs(20))
        .other_comes_to_queue()
        .wait(Duration::from_secs(40))
        .other_leaves_queue()
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    for line in ["waits as 1 of 1", "after 20 s", "left the queue: bridged"] {
        assert!(run.transcript.contains(line), "{}", run.transcript);
    }
}

#[test]
fn who_serves_a_queue_waits_for_somebody() {
    let script = calling("<Dial><Queue>support</Queue></Dial>")
        .expect_serve("support")
        .wait(Duration::from_secs(10))
        .other_comes_to_queue()
        .wait(Duration::from_secs(10))
        .other_leaves_queue()
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    assert!(run.transcript.contains("after 0 s"), "{}", run.transcript);
}

#[test]
fn another_conference_than_expected_is_told() {
    let script = calling("<Dial><Conference>weekly</Conference></Dial>").expect_join("monthly");
    let why = run(&TWIML, script).unwrap_err().why;
    assert_eq!(
        why,
        "step 2: the script has `join conference monthly`, the story does `join conference weekly`"
    );
}
