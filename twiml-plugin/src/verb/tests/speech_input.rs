//! `<Gather>` with speech.

use jackfield_guest::ListeningRequest;

use super::*;
use crate::verb::SpeechInput;

fn request() -> ListeningRequest {
    ListeningRequest {
        end_silence_ms: Some(5_000),
        ..ListeningRequest::new("en-US")
    }
}

fn speech(request: ListeningRequest) -> SpeechInput {
    SpeechInput {
        request,
        partial: None,
        or_keys: false,
    }
}

fn verb(speech: SpeechInput) -> Verb {
    Verb::Gather(Gather {
        speech: Some(speech),
        ..gather()
    })
}

#[track_caller]
fn check_request(attributes: &str, request: ListeningRequest, warnings: &[&str]) {
    let element = format!("<Gather input='speech' {attributes}/>");
    check(&element, verb(speech(request)), warnings);
}

#[test]
fn words_are_an_answer_alone_or_beside_keys() {
    check("<Gather input='speech'/>", verb(speech(request())), &[]);
    for input in ["dtmf speech", "speech dtmf", "  speech  dtmf "] {
        let both = SpeechInput {
            or_keys: true,
            ..speech(request())
        };
        check(&format!("<Gather input='{input}'/>"), verb(both), &[]);
    }
}

#[test]
fn what_is_said_of_the_listening_goes_to_it() {
    let of_hints = |hints: &[&str]| ListeningRequest {
        hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
        ..request()
    };
    check_request(
        "hints=' yes , no,,$OOV '",
        of_hints(&["yes", "no", "$OOV"]),
        &[],
    );
    for (attributes, expected) in [
        (
            "language='km-KH'",
            ListeningRequest {
                language: "km-KH".to_owned(),
                ..request()
            },
        ),
        (
            "speechTimeout='auto'",
            ListeningRequest {
                end_silence_ms: None,
                ..request()
            },
        ),
        (
            "speechTimeout='2' maxSpeechTime='20'",
            ListeningRequest {
                end_silence_ms: Some(2_000),
                max_speech_ms: 20_000,
                ..request()
            },
        ),
        (
            "speechTimeout='600'",
            ListeningRequest {
                end_silence_ms: Some(60_000),
                ..request()
            },
        ),
        (
            "profanityFilter='false' speechModel='phone_call'",
            ListeningRequest {
                profanity_filter: false,
                model: Some("phone_call".to_owned()),
                ..request()
            },
        ),
        ("speechModel='default'", request()),
    ] {
        check_request(attributes, expected, &[]);
    }
}

#[test]
fn the_silence_at_the_end_is_the_timeout_unless_it_is_said() {
    let expected = Verb::Gather(Gather {
        timeout: Duration::from_secs(3),
        speech: Some(speech(ListeningRequest {
            end_silence_ms: Some(3_000),
            ..request()
        })),
        ..gather()
    });
    check("<Gather input='speech' timeout='3'/>", expected, &[]);
}

#[test]
fn words_so_far_go_to_their_callback() {
    for (attributes, method, warnings) in [
        ("", HttpMethod::Post, &[][..]),
        ("partialResultCallbackMethod='GET'", HttpMethod::Get, &[]),
        (
            "partialResultCallbackMethod='PUT'",
            HttpMethod::Post,
            &["13329 Gather: invalid partialResultCallbackMethod \"PUT\": the default is used"],
        ),
    ] {
        let partial = SpeechInput {
            partial: Some(link("/so-far", method)),
            ..speech(ListeningRequest {
                partial_results: true,
                ..request()
            })
        };
        check(
            &format!("<Gather input='speech' partialResultCallback='/so-far' {attributes}/>"),
            verb(partial),
            warnings,
        );
    }
}

#[test]
fn values_that_do_not_fit_are_warned_of() {
    for (name, value, code) in [
        ("speechTimeout", "soon", 13327),
        ("speechTimeout", "0", 13327),
        ("maxSpeechTime", "-1", 13328),
        ("language", "", 13331),
        ("profanityFilter", "1", 13333),
        ("speechModel", "", 13334),
    ] {
        let warning = format!("{code} Gather: invalid {name} {value:?}: the default is used");
        check_request(&format!("{name}='{value}'"), request(), &[&warning]);
    }
    let long = "a".repeat(101);
    let warning =
        "13330 Gather: 500 hints of 100 characters each are taken, the others are left out";
    let one = ListeningRequest {
        hints: vec!["b".to_owned()],
        ..request()
    };
    check_request(&format!("hints='{long},b'"), one, &[warning]);
}
