use jackfield_guest::{Call, CallError, Rehearsal};

use super::run;

#[test]
fn echoes_until_the_hash_key() {
    let caller = Rehearsal::new().press(10.0, "1*").press(12.0, "#");
    assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    let expected = [
        "answer",
        "play prompts/echo.wav",
        "echo on",
        "echo off",
        "play prompts/goodbye.wav",
        "hang up",
    ];
    assert_eq!(caller.transcript(), expected);
}

#[test]
fn ends_with_the_caller() {
    let caller = Rehearsal::new().hang_up(10.0);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    assert_eq!(
        caller.transcript(),
        ["answer", "play prompts/echo.wav", "echo on"]
    );
}
