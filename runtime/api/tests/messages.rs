//! Texts over REST: handed to a connector, whose answer is the answer.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use support::{Api, SID};

const TEXT: &str = "To=%2B855%2012%20345%20678&From=345&Body=Come%20at%209";

#[tokio::test]
async fn a_text_is_sent_or_not_as_its_connector_says() {
    let api = Api::new();
    let form = format!("{TEXT}&StatusCallback=https://a.example/told");
    let sent = api.post("Messages.json", &form).await;
    assert_eq!(sent.status, 201, "{sent:?}");
    let sid = sent.json["sid"].as_str().unwrap();
    assert!(sid.starts_with("SM") && sid.len() == 34, "{sid}");
    for (name, expected) in [
        ("status", "sent"),
        ("to", "+85512345678"),
        ("from", "345"),
        ("body", "Come at 9"),
        ("direction", "outbound-api"),
        ("date_sent", "Tue, 31 Aug 2010 20:36:28 +0000"),
        ("account_sid", SID),
    ] {
        assert_eq!(sent.json[name], expected, "{name}");
    }
    assert!(sent.json["error_code"].is_null(), "{sent:?}");
    let told = api.taps.messages.lock().unwrap().remove(0);
    assert_eq!(told.sid.to_string(), sid);
    assert_eq!(told.status_callback.unwrap().url, "https://a.example/told");

    let lost = api
        .post("Messages.json", "To=%2B85512345678&From=345&Body=lost")
        .await;
    assert_eq!(lost.status, 201, "{lost:?}");
    assert_eq!(lost.json["status"], "failed");
    assert_eq!(lost.json["error_code"], 30_008);
    assert_eq!(lost.json["error_message"], "nobody there");
    assert!(lost.json["date_sent"].is_null(), "{lost:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_has_twilios_code() {
    let api = Api::new();
    let long = format!("To=%2B85512345678&From=345&Body={}", "x".repeat(1_601));
    for (form, code, words) in [
        ("From=345&Body=x", 21604, "`To` is required"),
        ("To=%2B85512345678&Body=x", 21603, "`From` is required"),
        (
            "To=%2B85512345678&From=345&Body=",
            21602,
            "`Body` is required",
        ),
        ("To=alice&From=345&Body=x", 21211, "`To`"),
        (
            "To=%2B85512345678&From=%2B85522222222&Body=x",
            21606,
            "`From`",
        ),
        (&long, 21617, "1600 characters"),
        (
            "To=%2B85512345678&From=345&Body=x&MediaUrl=https://a/",
            20001,
            "`MediaUrl` is not supported",
        ),
        (
            "To=%2B85512345678&From=345&Body=x&StatusCallback=ftp://a/",
            21609,
            "http://",
        ),
        (
            "To=%2B85512345678&From=345&Body=unconnected",
            21606,
            "`message-url`",
        ),
    ] {
        let answer = api.post("Messages.json", form).await;
        assert_eq!(answer.problem(), (400, code), "{form}");
        assert!(answer.message().contains(words), "{}", answer.message());
    }
    assert_eq!(api.get("Messages.json").await.problem(), (405, 20004));
}

/// A client that leaves while the connector thinks.
#[tokio::test]
async fn a_text_is_sent_though_its_client_leaves() {
    let api = Api::new();
    let form = "To=%2B85512345678&From=345&Body=slow";
    {
        let asking = api.post("Messages.json", form);
        tokio::pin!(asking);
        // The connector has it and waits.
        tokio::select! {
            _ = &mut asking => panic!("the connector has not answered yet"),
            () = api.taps.slow.begun.notified() => {}
        }
    }
    assert!(api.taps.messages.lock().unwrap().is_empty());
    api.taps.slow.answers.notify_one();
    let taken = tokio::time::timeout(Duration::from_secs(60), api.taps.slow.taken.notified());
    taken.await.expect("the text was given up with its client");
    assert_eq!(api.taps.messages.lock().unwrap()[0].body, "slow");
}
