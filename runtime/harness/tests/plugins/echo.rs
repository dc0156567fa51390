use std::time::Duration;

use call::CallStatus;
use harness::{Script, run};

use crate::ECHO;

#[test]
fn it_echoes_until_the_hash_key() {
    let script = Script::new()
        .expect_answer()
        .expect_play("echo.wav")
        .expect_echo(true)
        .wait(Duration::from_secs(60))
        .press("12#")
        .expect_echo(false)
        .expect_play("goodbye.wav")
        .expect_hang_up();
    let run = run(&ECHO, script).unwrap();
    let record = run.record.unwrap();
    assert_eq!(record.status, CallStatus::Completed);
    // Two prompts of two seconds, a minute of echo, three keys 200 ms apart.
    assert_eq!(run.duration, Duration::from_millis(64_400));
    assert_eq!(record.duration_s, 65);
}

#[test]
fn a_caller_who_hangs_up_ends_it() {
    let script = Script::new()
        .expect_answer()
        .expect_play("echo.wav")
        .expect_echo(true)
        .hang_up();
    let run = run(&ECHO, script).unwrap();
    assert_eq!(
        run.record.unwrap().end_reason,
        "the other side hung up",
        "{}",
        run.transcript
    );
}
