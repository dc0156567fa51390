use jackfield_guest::Callee;

use super::*;

const NAMES: [&str; 3] = ["ReferTransferTarget", "ReferCallSid", "DialCallStatus"];

/// `+1` wants the caller to be sent on after a while, and `+2` does not.
fn asking(caller: Rehearsal) -> Rehearsal {
    let second = Duration::from_secs(1);
    let callee = || Callee::answers(second).talks_for(3 * second);
    caller
        .callee("+1", callee())
        .callee("+2", callee())
        .transfer("+1", "sip:desk@192.0.2.9")
}

#[test]
fn a_transfer_goes_on_with_its_own_document() {
    let pages: &[Page] = &[("http://app.example/to", "<Dial>+2</Dial><Say>Bye</Say>")];
    let twiml = "<Dial referUrl='/to' action='/done'>+1</Dial><Say>no</Say>";
    let caller = asking(caller(twiml, pages));
    check(
        &caller,
        &[
            "answer",
            "dial +1",
            "transfer granted",
            "dial +2",
            "say Bye",
            "hang up",
        ],
    );
    let expected = "HttpMethod::Post http://app.example/to ReferTransferTarget=sip%3Adesk%40192.0.2.9 \
                    ReferCallSid=CA00000000000000000000000000000001";
    assert_eq!(asked(&caller, &NAMES)[1..], [expected]);
}

#[test]
fn whoever_asks_hears_that_there_is_no_document() {
    let caller = asking(caller("<Dial referUrl='/gone'>+1</Dial>", &[]));
    let expected = [
        "answer",
        "dial +1",
        "transfer not granted",
        SORRY,
        "hang up",
    ];
    check(&caller, &expected);
}

#[test]
fn without_a_refer_url_or_a_wish_the_document_goes_on() {
    for twiml in [
        "<Dial>+1</Dial><Say>Bye</Say>",
        "<Dial referUrl='/to'>+2</Dial><Say>Bye</Say>",
    ] {
        let caller = asking(caller(twiml, &[]));
        let dialled = if twiml.contains("+1") {
            "dial +1"
        } else {
            "dial +2"
        };
        check(&caller, &["answer", dialled, "say Bye", "hang up"]);
        assert_eq!(asked(&caller, &NAMES).len(), 1, "{twiml}");
    }
}

#[test]
fn whom_the_caller_leaves_goes_on_with_the_document() {
    let second = Duration::from_secs(1);
    let twiml = "<Dial referUrl='/to' action='/done'>+1</Dial><Say>no</Say>";
    let caller = caller(twiml, &[])
        .callee("+1", Callee::answers(second).talks_for(3 * second))
        .own_transfer("+1", "sip:desk@192.0.2.9");
    check(
        &caller,
        &[
            "answer",
            "dial +1",
            "hand over to http://app.example/to",
            "hang up",
        ],
    );
    assert_eq!(asked(&caller, &NAMES).len(), 1, "the other call asks");
}

/// A caller who wants whoever was dialled to be sent on.
fn leaving(twiml: &'static str, target: &str) -> Rehearsal {
    let second = Duration::from_secs(1);
    caller(twiml, &[])
        .callee(target, Callee::answers(second).talks_for(3 * second))
        .own_transfer(target, "sip:desk@192.0.2.9")
}

#[test]
fn a_dial_that_is_recorded_is_left_before_its_file_is_there() {
    let twiml = "<Dial record='record-from-answer' referUrl='/to'>+1</Dial>";
    let expected = [
        "answer",
        "dial +1",
        "record",
        "hand over to http://app.example/to",
        "hang up",
    ];
    check(&leaving(twiml, "+1"), &expected);
}

#[test]
fn a_caller_of_an_application_leaves_nobody() {
    let twiml = "<Dial referUrl='/to'><Application>AP1</Application></Dial><Say>Bye</Say>";
    let expected = ["answer", "dial app:AP1", "say Bye", "hang up"];
    check(&leaving(twiml, "app:AP1"), &expected);
}

#[test]
fn what_is_no_url_is_handed_to_nobody() {
    let expected = [
        "answer",
        "dial +1",
        "transfer not granted",
        SORRY,
        "hang up",
    ];
    check(
        &leaving("<Dial referUrl='ftp://a.example/to'>+1</Dial>", "+1"),
        &expected,
    );
}
