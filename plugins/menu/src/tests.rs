use jackfield_guest::{Call, Rehearsal};

use super::run;

#[track_caller]
fn check(caller: &Rehearsal, expected: &[&str]) {
    assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    assert_eq!(caller.transcript(), expected);
}

const MENU: &str = "play prompts/menu.wav";
const GOODBYE: &str = "play prompts/goodbye.wav";

#[test]
fn a_digit_chooses_a_department() {
    let sales = ["answer", MENU, "play prompts/sales.wav", "hang up"];
    check(&Rehearsal::new().press(3.0, "1"), &sales);
    let support = [
        "answer",
        MENU,
        "stop",
        "play prompts/support.wav",
        "hang up",
    ];
    check(&Rehearsal::new().press(1.0, "2"), &support);
}

#[test]
fn a_wrong_digit_is_asked_again() {
    let expected = [
        "answer",
        MENU,
        "stop",
        MENU,
        "play prompts/sales.wav",
        "hang up",
    ];
    check(&Rehearsal::new().press(1.0, "7").press(4.0, "1"), &expected);
}

#[test]
fn silence_is_asked_three_times() {
    check(
        &Rehearsal::new(),
        &["answer", MENU, MENU, MENU, GOODBYE, "hang up"],
    );
}
