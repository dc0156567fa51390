//! Scripts that the story does not follow.

use std::time::Duration;

use harness::{Script, run};

use crate::{ECHO, MENU};

#[test]
fn the_first_difference_is_told_with_the_call_up_to_there() {
    for (script, why) in [
        (
            Script::new().expect_play("menu.wav"),
            "step 1: the script has `play …menu.wav`, the story does `answer`",
        ),
        (
            Script::new().expect_answer().expect_say("Welcome"),
            "step 2: the script has `say \"…Welcome…\"`, the story does `play prompts/menu.wav`",
        ),
        (
            Script::new()
                .expect_answer()
                .expect_play("menu.wav")
                .press("1")
                .expect_hang_up(),
            "step 4: the script has `hang up`, the story does `play prompts/sales.wav`",
        ),
        (
            Script::new()
                .expect_answer()
                .expect_play("menu.wav")
                .press("1")
                .expect_play("sales.wav")
                .expect_hang_up()
                .expect_play("encore.wav"),
            "step 6: the script has `play …encore.wav`, the story finished",
        ),
    ] {
        let error = run(&MENU, script).unwrap_err();
        assert_eq!(error.why, why);
        assert!(error.to_string().contains("story   answer"), "{error}");
    }
}

#[test]
fn each_kind_of_step_is_told_in_words() {
    let second = Duration::from_secs(1);
    let new = Script::new;
    for (script, words) in [
        (new().expect_reject(486), "reject with 486"),
        (new().expect_play("a.wav"), "play …a.wav"),
        (new().expect_say("Hello"), "say \"…Hello…\""),
        (new().expect_press("12#"), "press 12#"),
        (new().expect_echo(true), "echo on"),
        (new().expect_echo(false), "echo off"),
        (new().expect_join("weekly"), "join conference weekly"),
        (new().expect_enqueue("help"), "wait in queue help"),
        (new().expect_serve("help"), "serve queue help"),
        (new().expect_dial(&["+1", "+2"]), "dial +1, +2"),
        (new().expect_stream("wss://a/"), "stream to …wss://a/"),
        (new().expect_record(), "record"),
        (new().expect_hang_up(), "hang up"),
        (new().press("12"), "the caller presses 1"),
        (new().speak(second), "the caller speaks 1000 ms"),
        (new().wait(second), "the caller waits 1000 ms"),
        (new().hang_up(), "the caller hangs up"),
        (new().callee_answers("+1"), "+1 answers"),
        (new().callee_is_busy("+1"), "+1 is busy"),
        (new().callee_hangs_up("+1"), "+1 hangs up"),
        (new().other_joins(), "somebody joins the conference"),
        (
            new().other_leaves_conference(),
            "somebody leaves the conference",
        ),
        (
            new().other_ends_conference(),
            "somebody ends the conference",
        ),
        (new().other_comes_to_queue(), "somebody comes to the queue"),
        (
            new().other_gives_up(),
            "somebody gives up waiting in the queue",
        ),
        (
            new().other_leaves_queue(),
            "somebody hangs up on the caller",
        ),
        (new().api_hangs_up(), "the API hangs up"),
    ] {
        let error = run(&MENU, script).unwrap_err();
        let expected = format!("step 1: the script has `{words}`, the story does `answer`");
        assert_eq!(error.why, expected);
    }
}

#[test]
fn a_story_that_waits_for_ever_is_not_waited_for() {
    let script = Script::new()
        .expect_answer()
        .expect_play("echo.wav")
        .expect_echo(true)
        .expect_hang_up();
    let error = run(&ECHO, script).unwrap_err();
    assert_eq!(
        error.why,
        "step 4: the script has `hang up`, the story waits for ever"
    );
}

#[test]
fn a_caller_without_a_script_listens_for_ten_minutes() {
    let run = run(&ECHO, Script::new()).unwrap();
    let said = run
        .transcript
        .lines()
        .find(|line| line.contains("caller"))
        .unwrap();
    assert_eq!(said.trim_start(), "600.00 s  caller  hangs up");
    assert_eq!(run.duration, Duration::from_secs(600));
}

#[test]
fn a_prompt_that_is_missing_fails_and_the_story_goes_on() {
    let script = Script::new()
        .without_prompt("prompts/menu.wav")
        .expect_answer()
        .expect_play("menu.wav")
        .press("2")
        .expect_play("support.wav")
        .expect_hang_up();
    let run = run(&MENU, script).unwrap();
    assert!(
        run.transcript
            .contains("playback 1 failed: no such prompt: prompts/menu.wav"),
        "{}",
        run.transcript
    );
}
