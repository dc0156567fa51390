use jackfield_guest::Referee;

use super::*;

const NAMES: [&str; 4] = [
    "ReferCallStatus",
    "ReferSipResponseCode",
    "NotifySipResponseCode",
    "CallStatus",
];
const SECOND: Duration = Duration::from_secs(1);
const TO_ALICE: &str = "refer to sip:alice@example.com";
const WITH_ACTION: &str =
    "<Refer action='/after'><Sip>sip:alice@example.com</Sip></Refer><Say>no</Say>";
const PAGES: &[Page] = &[("http://app.example/after", "<Say>Still here</Say>")];

#[test]
fn without_an_action_the_document_goes_on() {
    let document = "<Refer><Sip>sip:alice@example.com</Sip></Refer><Say>Sorry</Say>";
    let caller = caller(document, &[]).referee(Referee::refuses(405));
    check(&caller, &["answer", TO_ALICE, "say Sorry", "hang up"]);
    assert_eq!(complaints(&caller), ["warn: referred in vain: refused"]);
}

#[test]
fn the_action_hears_what_became_of_it() {
    for (referee, expected) in [
        (
            Referee::reports(3 * SECOND, 200),
            "ReferCallStatus=in-progress ReferSipResponseCode=202 NotifySipResponseCode=200",
        ),
        (
            Referee::reports(SECOND, 486),
            "ReferCallStatus=busy ReferSipResponseCode=202 NotifySipResponseCode=486",
        ),
        (
            Referee::reports(SECOND, 480),
            "ReferCallStatus=no-answer ReferSipResponseCode=202 NotifySipResponseCode=480",
        ),
        (
            Referee::reports(SECOND, 404),
            "ReferCallStatus=failed ReferSipResponseCode=202 NotifySipResponseCode=404",
        ),
        (
            Referee::refuses(405),
            "ReferCallStatus=failed ReferSipResponseCode=405",
        ),
        (Referee::silent(), "ReferSipResponseCode=202"),
    ] {
        let caller = caller(WITH_ACTION, PAGES).referee(referee);
        check(&caller, &["answer", TO_ALICE, "say Still here", "hang up"]);
        let asked = asked(&caller, &NAMES);
        let expected =
            format!("HttpMethod::Post http://app.example/after CallStatus=in-progress {expected}");
        assert_eq!(asked[1], expected);
    }
}

#[test]
fn a_hang_up_in_the_middle_is_told_to_the_action() {
    let caller = caller(WITH_ACTION, PAGES)
        .referee(Referee::silent())
        .hang_up(5.0);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    assert_eq!(
        asked(&caller, &NAMES)[1],
        "HttpMethod::Post http://app.example/after CallStatus=completed ReferCallStatus=canceled ReferSipResponseCode=202"
    );
}
