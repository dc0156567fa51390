use super::*;
use crate::Rehearsal;

const PATIENCE: Duration = Duration::from_secs(5);

fn request() -> ListeningRequest {
    ListeningRequest::new("en-US").hint("yes")
}

/// A question of two seconds; what came of it, when, and what was done to the call after the answer to it.
#[track_caller]
fn check(caller: &Rehearsal, expected: &Answer, at: f32, done: &[&str]) {
    let call = Call::on(caller.clone());
    call.answer().unwrap();
    let question = call.say("Yes?").unwrap();
    let answer = question.ask(request(), Digits::up_to(2), PATIENCE).unwrap();
    assert_eq!(answer, *expected);
    assert!(
        (call.elapsed().as_secs_f32() - at).abs() < 0.001,
        "at {:?}",
        call.elapsed()
    );
    let transcript = caller.transcript();
    assert_eq!(
        transcript[..3],
        ["answer", "say Yes?", "listen in en-US for yes"]
    );
    assert_eq!(transcript[3..], *done);
}

fn words(text: &str) -> Answer {
    Answer::Words(Words {
        text: text.to_owned(),
        confidence_permille: Some(900),
    })
}

fn keys(keys: &str) -> Answer {
    Answer::Keys(keys.to_owned())
}

#[test]
fn who_speaks_stops_the_question_and_is_heard_to_the_end() {
    check(
        &Rehearsal::new().says(1.0, "yes"),
        &words("yes"),
        3.0,
        &["stop"],
    );
    check(&Rehearsal::new().says(6.9, "yes"), &words("yes"), 8.9, &[]);
}

#[test]
fn who_is_silent_has_said_nothing() {
    check(
        &Rehearsal::new(),
        &Answer::Nothing,
        7.0,
        &["stop listening"],
    );
    let late = Rehearsal::new().says(7.1, "yes");
    check(&late, &Answer::Nothing, 7.0, &["stop listening"]);
}

#[test]
fn the_first_key_ends_the_listening() {
    let caller = Rehearsal::new().press(0.5, "12");
    check(&caller, &keys("12"), 0.5, &["stop", "stop listening"]);
    let slow = Rehearsal::new().press(3.0, "1").says(4.0, "yes");
    check(&slow, &keys("1"), 8.0, &["stop listening"]);
    let both = Rehearsal::new().says(3.0, "yes").press(4.0, "12");
    check(&both, &keys("12"), 4.0, &["stop listening"]);
}

#[test]
fn a_cough_is_listened_past_but_not_for_ever() {
    let again = "listen in en-US for yes";
    let caller = Rehearsal::new().mumbles(1.0).says(4.0, "yes");
    check(&caller, &words("yes"), 6.0, &["stop", again]);
    let noisy = (0..5).fold(Rehearsal::new(), |caller, at| {
        caller.mumbles(1.0 + 2.0 * at as f32)
    });
    // Four sounds, each of a second, then the time for keys.
    check(
        &noisy,
        &Answer::Nothing,
        13.0,
        &["stop", again, again, again],
    );
}

#[test]
fn keys_are_heard_where_words_are_not() {
    let deaf = Rehearsal::new().without_recogniser().press(3.0, "12");
    let call = Call::on(deaf.clone());
    call.answer().unwrap();
    let answer = call.ask(request(), Digits::up_to(2), PATIENCE).unwrap();
    assert_eq!(answer, keys("12"));
    assert_eq!(deaf.log(), ["warn: only keys are heard: no recogniser"]);

    let broken = Rehearsal::new()
        .recogniser_fails(2.5, "it broke")
        .press(4.0, "12");
    check(&broken, &keys("12"), 4.0, &[]);
    assert_eq!(broken.log(), ["warn: speech is not understood: it broke"]);
}

#[test]
fn words_are_told_as_they_are_said() {
    let caller = Rehearsal::new().says(1.0, "one two three");
    let call = Call::on(caller);
    call.answer().unwrap();
    let listening = call.listen(request().with_partial_results()).unwrap();
    let mut so_far = Vec::new();
    let answer = listening.answer(Digits::any(), PATIENCE, |words| so_far.push(words.clone()));
    assert_eq!(answer.unwrap(), words("one two three"));
    let [partial] = &so_far[..] else {
        panic!("{so_far:?}");
    };
    assert_eq!(
        (partial.stable.as_str(), partial.unstable.as_str()),
        ("one two", "three")
    );
}

#[test]
fn the_story_may_go_on_while_somebody_speaks() {
    let call = Call::on(Rehearsal::new().says(1.0, "two").press(1.5, "7"));
    call.answer().unwrap();
    let listening = call.listen(request()).unwrap();
    call.say("Go on.").unwrap().finish().unwrap();
    let heard = listening.finish().unwrap().unwrap();
    assert_eq!(
        (heard.text.as_str(), heard.confidence()),
        ("two", Some(0.9))
    );
    assert_eq!(call.key(), Ok('7'), "keys are kept");
    assert!(call.listen(request()).is_ok());
}

#[test]
fn keys_are_no_answer_where_words_are_asked_for() {
    let caller = Rehearsal::new().press(0.5, "1").says(1.0, "yes");
    let call = Call::on(caller.clone());
    call.answer().unwrap();
    let listening = call.listen(request()).unwrap().words_only();
    let question = call.say("Yes?").unwrap();
    assert_eq!(question.until_answer(&listening), Ok(true));
    assert_eq!(call.elapsed(), Duration::from_secs(1));
    let answer = listening.answer(Digits::any(), PATIENCE, |_| {});
    assert_eq!(answer, Ok(words("yes")));
    assert_eq!(call.key(), Ok('1'), "it is kept");
}

#[test]
fn a_recogniser_that_fails_does_not_stop_the_question() {
    let call = Call::on(Rehearsal::new().recogniser_fails(1.0, "it broke"));
    call.answer().unwrap();
    let listening = call.listen(request()).unwrap().words_only();
    let question = call.say("Yes?").unwrap();
    assert_eq!(question.until_answer(&listening), Ok(false));
    let answer = listening.answer(Digits::any(), PATIENCE, |_| {});
    assert_eq!(answer, Ok(Answer::Nothing));
    assert_eq!(call.elapsed(), Duration::from_secs(2));
}

#[test]
fn a_hang_up_ends_it() {
    let call = Call::on(Rehearsal::new().hang_up(2.0));
    call.answer().unwrap();
    let answer = call.ask(request(), Digits::any(), PATIENCE);
    assert_eq!(answer, Err(CallError::HungUp));
    let call = Call::on(Rehearsal::new());
    assert_eq!(
        call.listen(request()).map(drop),
        Err(CallError::NotAnswered)
    );
}
