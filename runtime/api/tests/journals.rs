//! The journal of a call.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use call::{CallRecord, CallStatus};
use serde_json::json;
use store::Store as _;
use support::{Api, OTHER_SID, OTHER_TOKEN, START_UNIX_MS, request};

#[tokio::test]
async fn a_journal_is_its_accounts_alone_and_there_when_the_call_is_over() {
    let api = Api::new();
    let call = api.new_call().await;
    let path = format!("Calls/{call}/Journal");
    assert_eq!(api.get(&path).await.status, 404);

    api.advance(call, CallStatus::InProgress);
    // Whatever the bytes are: here they are JSON, as the test reads all answers.
    let journal = Some(b"[1,2]".to_vec());
    let record = CallRecord::new(CallStatus::Completed, "hung up");
    let at = START_UNIX_MS + 9_000;
    api.store
        .finish_call(call, record, at, journal)
        .wait()
        .unwrap();
    let answer = api.get(&path).await;
    assert_eq!((answer.status.as_u16(), answer.json), (200, json!([1, 2])));
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let file = format!("attachment; filename=\"{call}.journal\"");
    assert_eq!(answer.headers["content-disposition"], file);

    let redacted = api.get(&format!("{path}?Redacted=true")).await;
    assert_eq!(redacted.json, json!([0, 0]));
    let file = format!("attachment; filename=\"{call}.redacted.journal\"");
    assert_eq!(redacted.headers["content-disposition"], file);
    let whole = api.get(&format!("{path}?Redacted=false")).await;
    assert_eq!(whole.json, json!([1, 2]));
    let odd = api.get(&format!("{path}?Redacted=maybe")).await;
    assert_eq!(odd.status, 400);

    let theirs = format!("/2010-04-01/Accounts/{OTHER_SID}/Calls/{call}/Journal");
    let answer = api.send(request("GET", &theirs, "", (OTHER_SID, OTHER_TOKEN)));
    assert_eq!(answer.await.status, 404);
    assert_eq!(api.get("Calls/CAnone/Journal").await.status, 404);
}
