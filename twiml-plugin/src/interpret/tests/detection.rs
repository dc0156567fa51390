//! Who answered, told to the voice URL.

use jackfield_guest::AnsweredBy;

use super::*;

fn asking(mode: &str) -> Rehearsal {
    serving(
        Rehearsal::outbound()
            .setting("voice-url", VOICE)
            .setting("machine-detection", mode),
        "<Say>Hi</Say>",
        &[],
    )
}

#[test]
fn the_first_request_waits_for_who_answered() {
    let caller = asking("DetectMessageEnd").answered_by(AnsweredBy::MachineEndBeep, 7.0);
    let ask = "detect who answered, to the end of a message";
    check(&caller, &[ask, "say Hi", "hang up"]);
    let expected =
        ["HttpMethod::Post http://app.example/voice/start.php?id=1 AnsweredBy=machine_end_beep"];
    assert_eq!(asked(&caller, &["AnsweredBy"]), expected);
}

#[test]
fn it_waits_no_longer_than_it_was_told_to() {
    let caller = asking("Enable")
        .setting("machine-detection-timeout", "3")
        .answered_by(AnsweredBy::Human, 20.0);
    check(&caller, &["detect who answered", "say Hi", "hang up"]);
    let expected = ["HttpMethod::Post http://app.example/voice/start.php?id=1 AnsweredBy=unknown"];
    assert_eq!(asked(&caller, &["AnsweredBy"]), expected);
    assert_eq!(
        caller.elapsed().as_millis(),
        5_100,
        "3 s, the request, the prompt"
    );
}

#[test]
fn nobody_waits_where_a_callback_is_told() {
    let caller = asking("Enable")
        .setting("async-amd", "true")
        .setting("async-amd-status-callback", "http://app.example/amd")
        .answered_by(AnsweredBy::Fax, 20.0);
    check(&caller, &["detect who answered", "say Hi", "hang up"]);
    let expected = ["HttpMethod::Post http://app.example/voice/start.php?id=1"];
    assert_eq!(asked(&caller, &["AnsweredBy"]), expected);
}
