//! What is said goes to the action.

use super::*;

const NEXT: &[Page] = &[
    ("http://app.example/next", "<Say>Next</Say>"),
    ("http://app.example/so-far", ""),
];

fn asking(attributes: &str) -> Rehearsal {
    let twiml = format!(
        "<Response><Gather action='http://app.example/next' numDigits='1' hints='yes, no' {attributes}><Say>Yes?</Say></Gather><Say>Nothing</Say></Response>"
    );
    serving(Rehearsal::new().setting("twiml", &twiml), "", NEXT)
}

const LISTEN: &str = "listen in en-US for yes, no";
const NAMES: [&str; 4] = ["SpeechResult", "Confidence", "Language", "Digits"];

#[test]
fn words_go_to_the_action_with_how_sure_they_are() {
    let caller = asking("input='speech'").says(1.0, "yes please");
    let expected = ["answer", LISTEN, "say Yes?", "stop", "say Next", "hang up"];
    check(&caller, &expected);
    assert_eq!(
        asked(&caller, &NAMES),
        [
            "HttpMethod::Post http://app.example/next SpeechResult=yes+please Confidence=0.9 Language=en-US"
        ]
    );
    assert_eq!(complaints(&caller), [""; 0]);
}

#[test]
fn keys_are_an_answer_beside_words_and_not_in_their_place() {
    let both = asking("input='dtmf speech'").press(1.0, "1");
    let expected = [
        "answer",
        LISTEN,
        "say Yes?",
        "stop",
        "stop listening",
        "say Next",
        "hang up",
    ];
    check(&both, &expected);
    let expected = ["HttpMethod::Post http://app.example/next Digits=1"];
    assert_eq!(asked(&both, &NAMES), expected);

    let words = asking("input='speech'").press(1.0, "1");
    let expected = [
        "answer",
        LISTEN,
        "say Yes?",
        "stop listening",
        "say Nothing",
        "hang up",
    ];
    check(&words, &expected);
    assert_eq!(asked(&words, &NAMES), [""; 0]);
}

#[test]
fn who_says_nothing_is_told_where_that_is_wished() {
    for (input, name) in [("speech", "SpeechResult"), ("dtmf speech", "Digits")] {
        let caller = asking(&format!("input='{input}' actionOnEmptyResult='true'"));
        check(
            &caller,
            &[
                "answer",
                LISTEN,
                "say Yes?",
                "stop listening",
                "say Next",
                "hang up",
            ],
        );
        let expected = [format!("HttpMethod::Post http://app.example/next {name}=")];
        assert_eq!(asked(&caller, &NAMES), expected);
    }
}

#[test]
fn words_so_far_are_told_with_a_number() {
    let caller = asking("input='speech' partialResultCallback='http://app.example/so-far'")
        .says(1.0, "one two three");
    check(
        &caller,
        &["answer", LISTEN, "say Yes?", "stop", "say Next", "hang up"],
    );
    let names = [
        "StableSpeechResult",
        "UnstableSpeechResult",
        "SequenceNumber",
        "SpeechResult",
    ];
    assert_eq!(
        asked(&caller, &names),
        [
            "HttpMethod::Post http://app.example/so-far StableSpeechResult=one+two UnstableSpeechResult=three SequenceNumber=0",
            "HttpMethod::Post http://app.example/next SpeechResult=one+two+three",
        ]
    );
}

#[test]
fn without_barge_in_the_listening_begins_behind_the_prompt() {
    let caller = asking("input='speech' bargeIn='false'")
        .says(1.0, "too soon")
        .says(4.0, "yes");
    check(
        &caller,
        &["answer", "say Yes?", LISTEN, "say Next", "hang up"],
    );
    let requests = asked(&caller, &["SpeechResult"]);
    assert_eq!(
        requests,
        ["HttpMethod::Post http://app.example/next SpeechResult=yes"]
    );
}

#[test]
fn where_nobody_understands_speech_keys_are_heard() {
    for input in ["speech", "dtmf speech"] {
        let caller = asking(&format!("input='{input}'"))
            .without_recogniser()
            .press(1.0, "1");
        check(
            &caller,
            &["answer", "say Yes?", "stop", "say Next", "hang up"],
        );
        let expected = ["HttpMethod::Post http://app.example/next Digits=1"];
        assert_eq!(asked(&caller, &NAMES), expected);
        let [warning] = &complaints(&caller)[..] else {
            panic!("{:?}", complaints(&caller));
        };
        assert!(
            warning.starts_with("warn: 13326 Gather: only keys are heard: "),
            "{warning}"
        );
    }
}
