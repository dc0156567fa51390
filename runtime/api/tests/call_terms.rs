//! When, and before whom, a call is dialled.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;

use call::CallSid;
use store::{AccountStore as _, CallRow, Priority, QueueTerms, Scope};
use support::{Api, SID, TENANTS};

const CALL: &str = "To=%2B85512345678&From=345&Twiml=x";

/// On 2026-11-22.
fn at_the_day_before() -> Api {
    let api = Api::new();
    api.now.store(1_795_305_600_000, Ordering::SeqCst);
    api
}

async fn kept(api: &Api, parameters: &str) -> CallRow {
    let answer = api
        .post("Calls.json", &format!("{CALL}&{parameters}"))
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let sid: CallSid = answer.json["sid"].as_str().unwrap().parse().unwrap();
    let own = Scope::of_host(SID.parse().unwrap());
    api.store.call(own, sid).unwrap().unwrap()
}

#[tokio::test]
async fn a_call_says_when_and_before_whom() {
    let api = at_the_day_before();
    let said = "Priority=bulk&NotBefore=2026-11-23T09:00:00%2B07:00&ExpiresAt=2026-11-24T02:00:00Z&Window=08:00-20:00+mon-fri+Asia/Phnom_Penh";
    let row = kept(&api, said).await;
    let expected = QueueTerms {
        priority: Priority::Bulk,
        not_before_unix_ms: Some(1_795_399_200_000),
        expires_unix_ms: Some(1_795_485_600_000),
        window: Some("08:00-20:00 mon-fri Asia/Phnom_Penh".parse().unwrap()),
    };
    assert_eq!(row.orders.queue, expected);
    assert_eq!(row.due_unix_ms, Some(1_795_399_200_000));
    assert_eq!(kept(&api, "").await.orders.queue, QueueTerms::default());
}

#[tokio::test]
async fn an_account_has_terms_for_calls_that_say_nothing() {
    let given = "outbound.allow = [\"+855\", \"1294\", \"sip:\"]\noutbound.priority = \"bulk\"\noutbound.highest_priority = \"emergency\"\noutbound.expires_after_s = 60\noutbound.window = \"00:00-24:00 UTC\"";
    let api =
        Api::with(&TENANTS.replacen("outbound.allow = [\"+855\", \"1294\", \"sip:\"]", given, 1));
    let row = kept(&api, "").await;
    let terms = row.orders.queue;
    assert_eq!(terms.priority, Priority::Bulk);
    assert_eq!(terms.expires_unix_ms, Some(row.created_unix_ms + 60_000));
    assert_eq!(terms.window, Some("00:00-24:00 UTC".parse().unwrap()));
    let urgent = kept(&api, "Priority=emergency").await.orders.queue;
    assert_eq!(urgent.priority, Priority::Emergency);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_what_to_do() {
    let api = at_the_day_before();
    for (wrong, told) in [
        (
            "Priority=high",
            "a priority is `emergency`, `normal` or `bulk`",
        ),
        (
            "Priority=emergency",
            "the operator sets its `outbound.highest_priority`",
        ),
        (
            "NotBefore=tomorrow",
            "`NotBefore` must be a time with its offset",
        ),
        ("NotBefore=2026-11-23T09:00:00", "with its offset"),
        ("NotBefore=2999-01-01T00:00:00Z", "more than a year away"),
        (
            "ExpiresAt=1999-01-01T00:00:00Z",
            "`ExpiresAt` has passed already",
        ),
        ("Window=always", "\"always\" is not hours"),
        (
            "Window=08:00-20:00+Nowhere",
            "there is no time zone \"Nowhere\"",
        ),
        (
            "NotBefore=2026-11-24T00:00:00Z&ExpiresAt=2026-11-24T00:00:00Z",
            "could never be dialled",
        ),
    ] {
        let answer = api.post("Calls.json", &format!("{CALL}&{wrong}")).await;
        assert_eq!(answer.problem(), (400, 20001), "{wrong}");
        let message = answer.json["message"].as_str().unwrap();
        assert!(message.contains(told), "{wrong}: {message}");
    }
}
