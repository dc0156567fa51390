use std::time::Duration;

use call::CallStatus;
use harness::{Script, run};

use crate::MENU;

#[test]
fn a_digit_chooses_a_department_and_cuts_the_menu() {
    for (digit, department) in [("1", "sales.wav"), ("2", "support.wav")] {
        let script = Script::new()
            .expect_answer()
            .expect_play("menu.wav")
            .wait(Duration::from_secs(1))
            .press(digit)
            .expect_play(department)
            .expect_hang_up();
        let run = run(&MENU, script).unwrap();
        assert_eq!(run.duration, Duration::from_secs(3), "{}", run.transcript);
        assert_eq!(run.record.unwrap().status, CallStatus::Completed);
    }
}

#[test]
fn silence_is_asked_three_times_and_then_told_goodbye() {
    let script = Script::new()
        .prompt("prompts/menu.wav", Duration::from_secs(8))
        .expect_answer()
        .expect_play("menu.wav")
        .expect_play("menu.wav")
        .expect_play("menu.wav")
        .expect_play("goodbye.wav")
        .expect_hang_up();
    let run = run(&MENU, script).unwrap();
    // Three times eight seconds of menu and five of silence, then two of goodbye.
    assert_eq!(run.duration, Duration::from_secs(41), "{}", run.transcript);
}

#[test]
fn a_caller_who_gives_up_before_the_answer_gets_none() {
    let script = Script::new().hang_up();
    // The story answers at once: the caller had no time to give up.
    let error = run(&MENU, script).unwrap_err();
    assert_eq!(
        error.why,
        "step 1: the script has `the caller hangs up`, the story does `answer`"
    );
}

#[test]
fn the_transcript_tells_the_call() {
    let script = Script::new()
        .expect_answer()
        .expect_play("menu.wav")
        .press("1");
    let run = run(&MENU, script).unwrap();
    let lines: Vec<_> = run.transcript.lines().map(str::trim_start).collect();
    assert_eq!(
        lines,
        [
            "0.00 s  story   answer",
            "0.00 s  story   play prompts/menu.wav",
            "0.00 s  call    answered",
            "0.00 s  caller  presses 1",
            "0.00 s  call    digit 1",
            "0.00 s  story   stop playback 1",
            "0.00 s  story   play prompts/sales.wav",
            "0.00 s  call    playback 1 stopped",
            "2.00 s  call    playback 2 finished",
            "2.00 s  story   hang up",
            "2.00 s  story   (finished)",
        ]
    );
}
