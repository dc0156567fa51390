//! Scripts that the story does not follow.

use std::time::Duration;

use harness::{Script, run};

use crate::{ECHO, MENU};

#[test]
fn the_first_difference_is_told_with_the_call_up_to_there() {
    for (script, why) in [
        (
            Script::new().expect_play("menu.wav"),
            "the script has `play …menu.wav`, the story does `answer`",
        ),
        (
            Script::new().expect_answer().expect_say("Welcome"),
            "the script has `say \"…Welcome…\"`, the story does `play prompts/menu.wav`",
        ),
        (
            Script::new()
                .expect_answer()
                .expect_play("menu.wav")
                .press("1")
                .expect_hang_up(),
            "the script has `hang up`, the story does `play prompts/sales.wav`",
        ),
        (
            Script::new()
                .expect_answer()
                .expect_play("menu.wav")
                .press("1")
                .expect_play("sales.wav")
                .expect_hang_up()
                .expect_play("encore.wav"),
            "the script has `play …encore.wav`, the story finished",
        ),
    ] {
        let error = run(&MENU, script).unwrap_err();
        assert_eq!(error.why, why);
        assert!(error.to_string().contains("story   answer"), "{error}");
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
        "the script has `hang up`, the story waits for ever"
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
