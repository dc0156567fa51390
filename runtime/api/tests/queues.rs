//! The `Queues` and `Members` resources.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::http::StatusCode;
use call::CallSid;
use serde_json::{Value, json};
use support::{Answer, Api, OTHER_SID, OTHER_TOKEN, SID, TOKEN, request};
use tower::ServiceExt as _;

async fn created(api: &Api, name: &str) -> Answer {
    let form = format!("FriendlyName={name}&MaxSize=7");
    let answer = api.post("Queues.json", &form).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

async fn path(api: &Api, name: &str) -> String {
    let json = created(api, name).await.json;
    format!("Queues/{}", json["sid"].as_str().unwrap())
}

fn ca(number: u8) -> String {
    CallSid::from_bytes([number; 16]).to_string()
}

#[tokio::test]
async fn a_queue_is_made_shown_changed_and_deleted() {
    let api = Api::new();
    let answer = created(&api, "support").await;
    let sid = answer.json["sid"].as_str().unwrap().to_owned();
    let root = format!("/2010-04-01/Accounts/{SID}/Queues/{sid}");
    assert_eq!(
        answer.json,
        json!({
            "sid": sid,
            "account_sid": SID,
            "friendly_name": "support",
            "current_size": 0,
            "average_wait_time": 0,
            "max_size": 7,
            "date_created": "Tue, 31 Aug 2010 20:36:28 +0000",
            "date_updated": "Tue, 31 Aug 2010 20:36:28 +0000",
            "uri": format!("{root}.json"),
            "subresource_uris": {"members": format!("{root}/Members.json")},
        })
    );
    let one = format!("Queues/{sid}.json");
    assert_eq!(api.get(&one).await.json, answer.json);
    let changed = api.post(&one, "FriendlyName=sales&MaxSize=5000").await;
    assert_eq!(changed.json["friendly_name"], "sales");
    assert_eq!(changed.json["max_size"], 5_000);
    let delete = request("DELETE", &one, "", (SID, TOKEN));
    let deleted = api.router.clone().oneshot(delete).await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(api.get(&one).await.problem(), (404, 20404));
}

#[tokio::test]
async fn queues_are_listed_a_page_at_a_time_with_who_waits() {
    let api = Api::new();
    for name in ["quiet", "busy"] {
        created(&api, name).await;
        api.now
            .fetch_add(1_000, std::sync::atomic::Ordering::SeqCst);
    }
    let first = api.get("Queues.json?PageSize=1").await.json;
    assert_eq!(first["queues"][0]["friendly_name"], "busy");
    assert_eq!(first["queues"][0]["current_size"], 3);
    assert_eq!(first["queues"][0]["average_wait_time"], 2);
    let next = first["next_page_uri"].as_str().unwrap();
    let second = api.get(next).await.json;
    assert_eq!(second["queues"][0]["friendly_name"], "quiet");
    assert_eq!(second["queues"][0]["current_size"], 0);
    assert_eq!(second["next_page_uri"], Value::Null);
}

#[tokio::test]
async fn who_waits_is_listed_in_order_and_found_by_sid_or_in_front() {
    let api = Api::new();
    let path = path(&api, "busy").await;
    let first = api.get(&format!("{path}/Members.json?PageSize=2")).await;
    let next = first.json["next_page_uri"].as_str().unwrap().to_owned();
    let second = api.get(&next).await;
    let found: Vec<_> = [&first, &second]
        .into_iter()
        .flat_map(|page| page.json["queue_members"].as_array().unwrap())
        .map(|member| (member["call_sid"].clone(), member["position"].clone()))
        .collect();
    let expected: Vec<_> = (1..=3)
        .map(|number| (json!(ca(number)), json!(number)))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(second.json["next_page_uri"], Value::Null);
    let front = api.get(&format!("{path}/Members/Front.json")).await;
    let sid = path.strip_prefix("Queues/").unwrap();
    assert_eq!(
        front.json,
        json!({
            "queue_sid": sid,
            "call_sid": ca(1),
            "date_enqueued": "Tue, 31 Aug 2010 20:36:28 +0000",
            "position": 1,
            "wait_time": 3,
            "uri": format!("/2010-04-01/Accounts/{SID}/{path}/Members/{}.json", ca(1)),
        })
    );
    let third = api.get(&format!("{path}/Members/{}.json", ca(3))).await;
    assert_eq!(third.json["position"], 3);
    let nobody = api.get(&format!("{path}/Members/{}.json", ca(9))).await;
    assert_eq!(nobody.problem(), (404, 20404));
}

#[tokio::test]
async fn who_waits_is_sent_on_to_a_document() {
    let api = Api::new();
    let path = path(&api, "busy").await;
    let front = format!("{path}/Members/Front.json");
    for (form, code) in [
        ("", 21205),
        ("Url=ftp%3A%2F%2Fa", 21205),
        ("Url=http%3A%2F%2Fa&Method=PUT", 21209),
        ("Url=http%3A%2F%2Fa&Nonsense=1", 20001),
    ] {
        let answer = api.post(&front, form).await;
        assert_eq!(answer.problem(), (400, code), "{form}");
    }
    let answer = api
        .post(&front, "Url=http%3A%2F%2Fa%2Fnext&Method=GET")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json["call_sid"], ca(1));
    assert_eq!(api.live.redirected.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_queue_is_told() {
    let api = Api::new();
    let long = "x".repeat(65);
    for (form, words) in [
        (String::new(), "`FriendlyName` is required"),
        (format!("FriendlyName={long}"), "at most 64"),
        ("FriendlyName=a&MaxSize=5001".to_owned(), "1 to 5000"),
        ("FriendlyName=a&MaxSize=0".to_owned(), "1 to 5000"),
        ("FriendlyName=a&Nonsense=1".to_owned(), "`Nonsense`"),
    ] {
        let answer = api.post("Queues.json", &form).await;
        assert_eq!(answer.problem(), (400, 20001), "{form}");
        assert!(answer.message().contains(words), "{form}: {answer:?}");
    }
    let first = path(&api, "first").await;
    let busy = path(&api, "busy").await;
    let again = api.post("Queues.json", "FriendlyName=first").await;
    assert_eq!(again.problem(), (409, 20409));
    for (method, path, form) in [
        ("POST", format!("{first}.json"), "FriendlyName=busy"),
        ("POST", format!("{busy}.json"), "FriendlyName=other"),
        ("DELETE", format!("{busy}.json"), ""),
    ] {
        let answer = api.request(method, &path, form).await;
        assert_eq!(answer.problem(), (409, 20409), "{method} {path}");
    }
    let resized = api.post(&format!("{busy}.json"), "MaxSize=9").await;
    assert_eq!(resized.json["max_size"], 9, "calls may be at it");
}

#[tokio::test]
async fn another_accounts_queue_is_not_there() {
    let api = Api::new();
    let path = path(&api, "busy").await;
    let root = format!("/2010-04-01/Accounts/{OTHER_SID}/{path}");
    let other = (OTHER_SID, OTHER_TOKEN);
    for (method, path, form) in [
        ("GET", format!("{root}.json"), ""),
        ("POST", format!("{root}.json"), "MaxSize=1"),
        ("DELETE", format!("{root}.json"), ""),
        ("GET", format!("{root}/Members.json"), ""),
        ("GET", format!("{root}/Members/Front.json"), ""),
        (
            "POST",
            format!("{root}/Members/Front.json"),
            "Url=http%3A%2F%2Fa",
        ),
    ] {
        let answer = api.send(request(method, &path, form, other)).await;
        assert_eq!(answer.problem(), (404, 20404), "{method} {path}");
    }
    let list = format!("/2010-04-01/Accounts/{OTHER_SID}/Queues.json");
    let answer = api.send(request("GET", &list, "", other)).await;
    assert_eq!(answer.json["queues"], json!([]));
}
