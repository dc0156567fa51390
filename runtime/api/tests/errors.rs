//! Every code that REST answers; `docs/book/error-codes.md` is made of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use call::{CallRecord, CallStatus};
use store::Store as _;
use support::broken::Broken;
use support::routes::request;
use support::{Answer, Api, OTHER_SID, OTHER_TOKEN, SID, START_UNIX_MS, TOKEN};

/// The page that is made of it.
const PAGE: &str = include_str!("../../../docs/book/error-codes.md");
const PAGE_FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/book/error-codes.md"
);
/// Writes the page anew.
const WRITE: &str = "JACKFIELD_TABLE";

/// Where the codes stand: the API, and what the outbound policy refuses.
const SOURCES: [&str; 2] = ["src", "../dial/src/policy.rs"];

/// A code, its status, and what it says.
const CODES: &[(u32, u16, &str)] = &[
    (
        16024,
        400,
        "`Label` of a participant is longer than 128 characters, has a `/`, or is a call's SID",
    ),
    (
        16026,
        400,
        "`Label` is that of another participant of the conference",
    ),
    (16028, 400, "`CallSidToCoach` is not in the conference"),
    (
        20001,
        400,
        "A parameter is unknown, missing or wrong, or has no effect with the others; the message names it. 413 where the body is too large",
    ),
    (20003, 401, "The credentials are missing or wrong"),
    (
        20004,
        405,
        "The path is there, and is not asked with this method; `Allow` tells which",
    ),
    (
        20005,
        403,
        "The account is suspended or closed, or its parent is",
    ),
    (
        20006,
        403,
        "A key cannot do this: the account's SID and token can",
    ),
    (20404, 404, "Nothing is there, or nothing of this account"),
    (
        20409,
        409,
        "What is there stands in the way: a name is taken, or calls are at the queue",
    ),
    (
        20429,
        429,
        "Too many calls wait, too many long answers are being read, or too many wrong credentials came from there; `Retry-After` says when to come back",
    ),
    (20500, 500, "The server failed; nothing was done"),
    (
        20503,
        503,
        "The server is too busy to keep this; `Retry-After` says when to come back",
    ),
    (21201, 400, "`To` is missing"),
    (
        21205,
        400,
        "A URL does not begin with http:// or https://, or there is none",
    ),
    (
        21206,
        400,
        "`SendDigits` has something that is no key, or too many",
    ),
    (21208, 400, "`Timeout` is not 1 to 600 seconds"),
    (21209, 400, "A method is not `GET` or `POST`"),
    (21210, 400, "The caller's number is none of this account's"),
    (21211, 400, "`To` is no telephone number, SIP URI or device"),
    (21212, 400, "`From` is no telephone number"),
    (21213, 400, "`From` is missing"),
    (21214, 400, "No trunk of the carrier leads there"),
    (
        21215,
        400,
        "The operator does not let this account call there",
    ),
    (
        21216,
        400,
        "An emergency number that the operator has not named for this account",
    ),
    (
        21218,
        400,
        "No application of this account has that SID, or it has no `VoiceUrl`",
    ),
    (
        21220,
        400,
        "The call is over, or too far for what is asked of it",
    ),
    (21221, 400, "`SipAuthUsername` has more than 255 bytes"),
    (21222, 400, "`SipAuthUsername` has control characters"),
    (21223, 400, "`SipAuthPassword` has more than 255 bytes"),
    (21224, 400, "`SipAuthPassword` has control characters"),
    (
        21225,
        400,
        "`SipAuthUsername` is given without `SipAuthPassword`",
    ),
    (
        21402,
        400,
        "A URL of a number or an application does not begin with http:// or https://",
    ),
    (
        21403,
        400,
        "A method of a number or an application is not `GET` or `POST`",
    ),
    (
        21421,
        400,
        "`PhoneNumber` and `AreaCode` are missing, or it is no telephone number",
    ),
    (21422, 400, "The number is not free in the carrier's pool"),
    (21451, 400, "`AreaCode` is not 1 to 8 digits"),
    (
        21452,
        400,
        "No number of that area is free in the carrier's pool",
    ),
    (
        21457,
        400,
        "`AreaCode` is given where numbers of one kind are taken",
    ),
    (21458, 400, "The number is of another kind"),
    (21602, 400, "`Body` of a text is missing"),
    (21603, 400, "`From` of a text is missing"),
    (21604, 400, "`To` of a text is missing"),
    (
        21606,
        400,
        "`From` of a text is no number of this account, or the account has no connector for texts",
    ),
    (
        21609,
        400,
        "The URL of a status callback does not begin with http:// or https://",
    ),
    (
        21617,
        400,
        "`Body` of a text has more than 1,600 characters",
    ),
    (
        31922,
        400,
        "The URL of a media stream does not begin with wss://",
    ),
    (32018, 400, "`Twiml` is longer than 4,000 characters"),
];

const CALL: &str = "To=%2B85512345678&From=345";
const CALL_TO_URI: &str = "To=sip:a@127.0.0.1:5080&From=345&Twiml=x";

/// Requests of `hotline` that are refused with the code.
const REFUSED: &[(u32, &str, &str, &str)] = &[
    (20001, "POST", "Calls.json", "To=1&Hat=red"),
    (20004, "DELETE", "Calls.json", ""),
    (
        20404,
        "GET",
        "Calls/CA00000000000000000000000000000000.json",
        "",
    ),
    (21201, "POST", "Calls.json", "From=345&Twiml=x"),
    (21205, "POST", "Calls.json", CALL),
    (
        21206,
        "POST",
        "Calls.json",
        "To=%2B85512345678&From=345&Twiml=x&SendDigits=x",
    ),
    (
        21208,
        "POST",
        "Calls.json",
        "To=%2B85512345678&From=345&Twiml=x&Timeout=0",
    ),
    (
        21209,
        "POST",
        "Calls.json",
        "To=%2B85512345678&From=345&Url=http://a/&Method=PUT",
    ),
    (
        21210,
        "POST",
        "Calls.json",
        "To=%2B85512345678&From=%2B85522222222&Twiml=x",
    ),
    (21211, "POST", "Calls.json", "To=nobody&From=345&Twiml=x"),
    (
        21212,
        "POST",
        "Calls.json",
        "To=%2B85512345678&From=nobody&Twiml=x",
    ),
    (21213, "POST", "Calls.json", "To=%2B85512345678&Twiml=x"),
    (
        21215,
        "POST",
        "Calls.json",
        "To=%2B14155550123&From=345&Twiml=x",
    ),
    (
        21214,
        "POST",
        "Calls.json",
        "To=sip:a@192.0.2.9&From=345&Twiml=x",
    ),
    (21216, "POST", "Calls.json", "To=112&From=345&Twiml=x"),
    (
        21218,
        "POST",
        "Calls.json",
        "To=%2B85512345678&From=345&ApplicationSid=AP1",
    ),
    (21602, "POST", "Messages.json", "To=%2B85512345678&From=345"),
    (21603, "POST", "Messages.json", "To=%2B85512345678&Body=x"),
    (21604, "POST", "Messages.json", "From=345&Body=x"),
    (
        21606,
        "POST",
        "Messages.json",
        "To=%2B85512345678&From=%2B85522222222&Body=x",
    ),
    (21402, "POST", "Applications.json", "VoiceUrl=ftp://a/"),
    (
        21403,
        "POST",
        "Applications.json",
        "VoiceUrl=http://a/&VoiceMethod=PUT",
    ),
    (21421, "POST", "IncomingPhoneNumbers.json", ""),
    (
        21422,
        "POST",
        "IncomingPhoneNumbers.json",
        "PhoneNumber=%2B14155550123",
    ),
    (21451, "POST", "IncomingPhoneNumbers.json", "AreaCode=x"),
    (21452, "POST", "IncomingPhoneNumbers.json", "AreaCode=415"),
    (
        21457,
        "POST",
        "IncomingPhoneNumbers/Local.json",
        "AreaCode=415",
    ),
    (
        21458,
        "POST",
        "IncomingPhoneNumbers/TollFree.json",
        "PhoneNumber=%2B14155550123",
    ),
    (
        21609,
        "POST",
        "Calls.json",
        "To=%2B85512345678&From=345&Twiml=x&StatusCallback=ftp://a/",
    ),
    (
        16024,
        "POST",
        "Conferences/weekly/Participants.json",
        "To=%2B85512345678&From=345&Label=a%2Fb",
    ),
    (
        16028,
        "POST",
        "Conferences/weekly/Participants.json",
        "To=%2B85512345678&From=345&CallSidToCoach=CA00000000000000000000000000000000",
    ),
];

fn status_of(code: u32) -> u16 {
    let found = CODES.iter().find(|(known, ..)| *known == code);
    found
        .unwrap_or_else(|| panic!("{code} is not in the table"))
        .1
}

#[track_caller]
fn check(asked: &mut BTreeSet<u32>, code: u32, answer: &Answer) {
    let expected = (status_of(code), u64::from(code));
    assert_eq!(answer.problem(), expected, "{answer:?}");
    asked.insert(code);
}

#[tokio::test]
async fn each_code_comes_with_its_status_and_the_shape_of_twilios_errors() {
    let mut asked = BTreeSet::new();
    for (code, method, path, form) in REFUSED {
        let api = Api::new();
        check(&mut asked, *code, &api.request(method, path, form).await);
    }
    let api = Api::new();
    let anonymous = api.send(request("GET", "/x", "", (SID, ""))).await;
    check(&mut asked, 20003, &anonymous);
    let long = format!("{CALL}&Twiml={}", "x".repeat(4_001));
    check(&mut asked, 32018, &api.post("Calls.json", &long).await);
    let long = format!("{CALL}&Body={}", "x".repeat(1_601));
    check(&mut asked, 21617, &api.post("Messages.json", &long).await);
    let many = "x".repeat(256);
    for (code, login) in [
        (21221, format!("SipAuthUsername={many}&SipAuthPassword=x")),
        (
            21222,
            "SipAuthUsername=a%0d%0ab&SipAuthPassword=x".to_owned(),
        ),
        (21223, format!("SipAuthUsername=x&SipAuthPassword={many}")),
        (21224, "SipAuthUsername=x&SipAuthPassword=a%0ab".to_owned()),
        (21225, "SipAuthUsername=x".to_owned()),
    ] {
        let form = format!("{CALL_TO_URI}&{login}");
        check(&mut asked, code, &api.post("Calls.json", &form).await);
    }
    let (people, guest) = (
        "Conferences/weekly/Participants.json",
        "To=%2B85512345678&From=345&Label=guest",
    );
    api.post(people, guest).await;
    check(&mut asked, 16026, &api.post(people, guest).await);
    let queue = "FriendlyName=x";
    api.post("Queues.json", queue).await;
    check(&mut asked, 20409, &api.post("Queues.json", queue).await);

    let call = api.new_call().await;
    let streams = format!("Calls/{call}/Streams.json");
    check(
        &mut asked,
        31922,
        &api.post(&streams, "Url=http://a/").await,
    );
    let record = CallRecord::new(CallStatus::Failed, "x");
    let unreadable = Some(b"not a journal".to_vec());
    let ended = api
        .store
        .finish_call(call, record, START_UNIX_MS, unreadable);
    ended.wait().unwrap();
    let over = format!("Calls/{call}.json");
    check(
        &mut asked,
        21220,
        &api.post(&over, "Status=completed").await,
    );
    let events = format!("Calls/{call}/Events.json");
    check(&mut asked, 20500, &api.get(&events).await);

    let key = api.post("Keys.json", "").await.json;
    let user = (
        key["sid"].as_str().unwrap(),
        key["secret"].as_str().unwrap(),
    );
    let keys = format!("/2010-04-01/Accounts/{SID}/Keys.json");
    let keys = api.send(request("GET", &keys, "", user)).await;
    check(&mut asked, 20006, &keys);
    let other = format!("/operator/v1/accounts/{OTHER_SID}");
    let suspend = request("PATCH", &other, r#"{"status":"suspended"}"#, (SID, TOKEN));
    assert_eq!(api.send(suspend).await.status, 200);
    let calls = format!("/2010-04-01/Accounts/{OTHER_SID}/Calls.json");
    let calls = request("GET", &calls, "", (OTHER_SID, OTHER_TOKEN));
    check(&mut asked, 20005, &api.send(calls).await);
    api.live.full.store(true, Ordering::SeqCst);
    let call = format!("{CALL}&Twiml=x");
    check(&mut asked, 20429, &api.post("Calls.json", &call).await);

    let busy = Api::over(|store| Arc::new(Broken(store)));
    check(&mut asked, 20503, &busy.get("Calls.json").await);

    let all: BTreeSet<u32> = CODES.iter().map(|(code, ..)| *code).collect();
    assert_eq!(asked, all, "each is asked for");
}

#[test]
fn the_page_has_the_codes_that_stand_in_the_code() {
    let mut found = BTreeSet::new();
    for source in SOURCES {
        read(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(source),
            &mut found,
        );
    }
    let known: BTreeSet<u32> = CODES.iter().map(|(code, ..)| *code).collect();
    assert_eq!(found, known);
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(PAGE_FILE, page).unwrap();
        return;
    }
    assert!(
        page == PAGE,
        "docs/book/error-codes.md is not up to date: run this test with {WRITE}=1 and look at what changes"
    );
}

/// Every number of five digits that begins with 16, 2 or 3, in a file or in all of a folder.
fn read(path: &Path, found: &mut BTreeSet<u32>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            read(&entry.unwrap().path(), found);
        }
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    // What tests say below their code is not answered by it.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = code.split(|character| !is_word(character));
    let numbers = words
        .filter(|word| word.len() == 5 && (word.starts_with("16") || word.starts_with(['2', '3'])));
    found.extend(numbers.filter_map(|word| word.parse::<u32>().ok()));
}

/// What the host itself notes of how a call ended, in the call's notifications.
const NOTED: [(u32, &str); 4] = [
    (
        32_014,
        "Neither RTP nor RTCP came from the other side any more",
    ),
    (
        32_015,
        "The call was up for as long as it may be: `TimeLimit`, the account's or the server's limit",
    ),
    (
        32_022,
        "The ACK of our answer never came; the call is `failed`",
    ),
    (
        32_202,
        "The far end of a call of ours asked for a user name and a password, and took none",
    ),
];

fn page() -> String {
    let mut page = String::from(
        "# Every code of an error\n\n\
         An error of the REST API is `{\"code\", \"message\", \"more_info\", \"status\"}`, as at Twilio, and its code is one of Twilio's. The helper libraries throw it with `code` and `status`. \
         The table is made by a test, which finds the codes in the source and asks for them.\n\n\
         | code | status | what it says |\n|---|---|---|\n",
    );
    for (code, status, meaning) in CODES {
        writeln!(page, "| {code} | {status} | {meaning} |").unwrap();
    }
    page.push_str(
        "\nThe operator's API answers `{\"error\": \"…\"}` with the status alone. What goes wrong in a call has codes of its own: they are in the call's \
         [notifications](accounts.md#what-calls-told-and-came-to), and those of TwiML in [its table](twiml-table.md). Those that no document is to blame for:\n\n\
         | code | what it says |\n|---|---|\n",
    );
    for (code, meaning) in NOTED {
        writeln!(page, "| {code} | {meaning} |").unwrap();
    }
    page
}
