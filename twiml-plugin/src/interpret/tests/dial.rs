use jackfield_guest::Callee;

use super::*;

const NAMES: [&str; 5] = [
    "DialCallStatus",
    "DialBridged",
    "DialCallSid",
    "DialCallDuration",
    "CallStatus",
];

fn callee(caller: Rehearsal) -> Rehearsal {
    let second = Duration::from_secs(1);
    caller
        .callee("+1", Callee::answers(second).talks_for(3 * second))
        .callee("+2", Callee::busy())
}

#[test]
fn without_an_action_the_document_goes_on() {
    let caller = callee(caller("<Dial>+1</Dial><Say>Bye</Say>", &[]));
    check(&caller, &["answer", "dial +1", "say Bye", "hang up"]);
    assert_eq!(complaints(&caller), [""; 0]);
}

#[test]
fn the_action_hears_what_became_of_it() {
    let pages: &[Page] = &[("http://app.example/done", "<Hangup/>")];
    for (number, expected) in [
        (
            "+1",
            "CallStatus=in-progress DialCallStatus=completed DialBridged=true DialCallSid=CA00000000000000000000000000000001 DialCallDuration=3",
        ),
        (
            "+2",
            "CallStatus=in-progress DialCallStatus=busy DialBridged=false DialCallSid=CA00000000000000000000000000000001",
        ),
        (
            "+3",
            "CallStatus=in-progress DialCallStatus=failed DialBridged=false",
        ),
    ] {
        let twiml: &'static str =
            format!("<Dial action='/done'>{number}</Dial><Say>no</Say>").leak();
        let caller = callee(caller(twiml, pages));
        let dialled = format!("dial {number}");
        check(&caller, &["answer", &dialled, "hang up"]);
        assert_eq!(
            asked(&caller, &NAMES)[1],
            format!("HttpMethod::Post http://app.example/done {expected}")
        );
    }
}

/// With whoever the dial ended by, and nobody where no INVITE left.
#[test]
fn the_action_hears_what_passed_in_sip() {
    let pages: &[Page] = &[("http://app.example/done", "<Hangup/>")];
    let sid = "CA00000000000000000000000000000001";
    for (number, expected) in [
        (
            "+1",
            format!(
                " DialSipCallId={sid}%40example.net SipHeader_X-Ward=3 DialSipHeader_X-Ward=7+%26+8"
            ),
        ),
        (
            "+2",
            format!(" DialSipCallId={sid}%40example.net SipHeader_X-Ward=3"),
        ),
        ("+3", " SipHeader_X-Ward=3".to_owned()),
    ] {
        let twiml: &'static str = format!("<Dial action='/done'>{number}</Dial>").leak();
        let caller = caller(twiml, pages)
            .setting("arrival", "SipHeader_X-Ward=3")
            .answering_with("+1", "X-Ward", "7 & 8");
        let caller = callee(caller);
        assert_eq!(run(&Call::on(caller.clone())), Ok(()));
        let names = ["DialSipCallId", "SipHeader_X-Ward", "DialSipHeader_X-Ward"];
        let expected = format!("HttpMethod::Post http://app.example/done{expected}");
        assert_eq!(asked(&caller, &names)[1], expected);
    }
}

#[test]
fn a_call_may_ring_until_somebody_has_answered() {
    let pages: &[Page] = &[("http://app.example/done", "<Reject/>")];
    let busy = "<Dial answerOnBridge='true' action='/done'>+2</Dial>";
    let refused = callee(caller(busy, pages));
    check(&refused, &["dial +2", "reject declined"]);
    assert!(asked(&refused, &NAMES)[1].contains("CallStatus=ringing DialCallStatus=busy"));
    let answered = "<Dial answerOnBridge='true'>+1</Dial><Say>Bye</Say>";
    let joined = callee(caller(answered, &[]));
    check(&joined, &["dial +1", "say Bye", "hang up"]);
}

#[test]
fn the_end_of_the_call_is_the_end_of_it() {
    let caller = callee(caller("<Dial>+1</Dial><Say>no</Say>", &[])).hang_up(2.0);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    assert_eq!(caller.transcript(), ["answer", "dial +1"]);
}

#[test]
fn a_conversation_is_recorded_from_its_answer_or_from_its_ringing() {
    let pages: &[Page] = &[("http://app.example/done", "<Hangup/>")];
    for (record, number, expected) in [
        (
            "record-from-answer",
            "+1",
            vec!["answer", "dial +1", "record", "stop recording", "hang up"],
        ),
        (
            "record-from-ringing",
            "+1",
            vec!["answer", "dial +1", "record", "stop recording", "hang up"],
        ),
        (
            "record-from-answer",
            "+2",
            vec!["answer", "dial +2", "hang up"],
        ),
        ("do-not-record", "+1", vec!["answer", "dial +1", "hang up"]),
    ] {
        let twiml: &'static str =
            format!("<Dial action='/done' record='{record}'>{number}</Dial>").leak();
        let caller = callee(caller(twiml, pages));
        check(&caller, &expected);
        let is_told = asked(&caller, &["RecordingUrl"])[1].contains("RecordingUrl=");
        assert_eq!(is_told, expected.contains(&"record"), "{record} {number}");
    }
}

#[test]
fn an_application_is_dialled_with_what_it_is_told() {
    let to = "app:AP1;copy-parent-to?customerId=clinic&Param_ward=7";
    let second = Duration::from_secs(1);
    let caller = caller(
        "<Dial><Application customerId='clinic' copyParentTo='true'>AP1<Parameter name='ward' value='7'/></Application></Dial><Say>Bye</Say>",
        &[],
    )
    .callee(to, Callee::answers(second).talks_for(second));
    check(
        &caller,
        &["answer", &format!("dial {to}"), "say Bye", "hang up"],
    );
    assert_eq!(complaints(&caller), [""; 0]);
}

#[test]
fn an_application_s_first_request_has_what_it_was_told() {
    let caller = caller(
        "<Redirect>/next</Redirect>",
        &[("http://app.example/next", "<Say>Hi</Say>")],
    )
    .setting("parameters", "customerId=clinic&Param_ward=7+%26+8");
    check(&caller, &["answer", "say Hi", "hang up"]);
    assert_eq!(
        asked(&caller, &["customerId", "Param_ward", "Direction"]),
        [
            format!(
                "HttpMethod::Post {VOICE} Direction=inbound customerId=clinic Param_ward=7+%26+8"
            ),
            "HttpMethod::Post http://app.example/next Direction=inbound".to_owned(),
        ]
    );
}
