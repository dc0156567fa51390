use call::{CallSid, HttpMethod, StatusCallback};

use super::*;

fn answered(status: u16) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse {
        status,
        headers: Vec::new(),
        body: Vec::new(),
        url: "https://a/".to_owned(),
    })
}

fn timed_out() -> Result<HttpResponse, HttpError> {
    Err(HttpError::TimedOut("no answer in 15 s".to_owned()))
}

fn unreachable() -> Result<HttpResponse, HttpError> {
    Err(HttpError::Unreachable("nobody is there".to_owned()))
}

fn row(start: Option<FlowStart>) -> CallbackRow {
    CallbackRow {
        id: 1,
        account: AccountSid::from_bytes([1; 16]),
        subject: CallbackSubject::Call(CallSid::from_bytes([2; 16])),
        event: "reached".to_owned(),
        sequence: 0,
        to: StatusCallback {
            url: "https://a/".to_owned(),
            method: HttpMethod::Post,
        },
        parameters: Vec::new(),
        token: [0; 16],
        created_unix_ms: 0,
        attempts: 0,
        due_unix_ms: Some(0),
        error: None,
        start,
    }
}

fn word(result: Result<(), Failure>) -> &'static str {
    match result {
        Ok(()) => "taken",
        Err(failure) if failure.may_try_again => "again",
        Err(_) => "refused",
    }
}

#[test]
fn which_answers_are_taken_and_which_are_asked_for_again() {
    for (answer, expected) in [
        (answered(200), "taken"),
        (answered(204), "taken"),
        (answered(304), "refused"),
        (answered(400), "refused"),
        (answered(404), "refused"),
        (answered(408), "again"),
        (answered(429), "again"),
        (answered(500), "again"),
        (answered(503), "again"),
        (timed_out(), "again"),
        (unreachable(), "again"),
        (Err(HttpError::Protocol("torn".to_owned())), "again"),
        (Err(HttpError::TooLarge("huge".to_owned())), "refused"),
    ] {
        // However often it was tried before.
        for error in [None, Some("status 500".to_owned())] {
            let row = CallbackRow { error, ..row(None) };
            assert_eq!(word(judge(&row, &answer)), expected, "{answer:?}");
        }
    }
}

#[test]
fn whose_server_does_not_answer_is_told_from_whose_refuses() {
    let unanswered = |answer| judge(&row(None), &answer).unwrap_err().unanswered;
    assert!(unanswered(timed_out()) && unanswered(unreachable()));
    assert!(!unanswered(answered(500)) && !unanswered(answered(404)));
}

/// `RapidPro` starts a flow for each request that it takes: what it may have taken is sent once more, whatever comes in between.
#[test]
fn a_flow_that_may_have_started_is_asked_for_once_more_at_most() {
    let start = json!({ "server": "https://a", "flow": "a flow", "sealed_token": [] });
    let start: FlowStart = serde_json::from_value(start).unwrap();
    for perhaps in [
        timed_out(),
        answered(500),
        answered(502),
        Err(HttpError::Protocol("torn".to_owned())),
    ] {
        let mut row = row(Some(start.clone()));
        let answers = [
            (unreachable(), "again"),
            (answered(503), "again"),
            (perhaps.clone(), "again"),
            (answered(429), "again"),
            (unreachable(), "again"),
            (perhaps.clone(), "refused"),
        ];
        for (answer, expected) in answers {
            let failure = judge(&row, &answer).unwrap_err();
            row.error = Some(failure.why.clone());
            assert_eq!(word(Err(failure)), expected, "{answer:?}: {perhaps:?}");
        }
        let why = row.error.expect("it failed");
        assert!(
            why.starts_with("it may have started all the same: "),
            "{why}"
        );
    }
}
