//! Status callbacks: asked for with a call, and found again when nobody took them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;

use call::CallStatus;
use store::{AccountStore as _, CallbackOutcome, Store as _};
use support::{Answer, Api, OTHER_SID, OTHER_TOKEN, SID, request};

const LIST: &str = "UndeliveredCallbacks.json";

async fn foreign(api: &Api, method: &str, path: &str) -> Answer {
    let path = format!("/2010-04-01/Accounts/{OTHER_SID}/{path}");
    api.send(request(method, &path, "", (OTHER_SID, OTHER_TOKEN)))
        .await
}

/// A call that was answered, with both of its callbacks given up. Their ids.
async fn given_up(api: &Api) -> Vec<u64> {
    let form = "To=%2B85512345678&From=345&Twiml=x&StatusCallback=https://user:canary@a/status&StatusCallbackEvent=initiated&StatusCallbackEvent=answered";
    let answer = api.post("Calls.json", form).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let call = answer.json["sid"].as_str().unwrap().parse().unwrap();
    api.advance(call, CallStatus::InProgress);
    let rows = api.store.callbacks_after(0, 10).unwrap();
    for row in &rows {
        let outcome = CallbackOutcome::Failed {
            attempts: 17,
            due_unix_ms: None,
            error: "status 500".to_owned(),
        };
        api.store
            .settle_callback(row.id, outcome, None)
            .wait()
            .unwrap();
    }
    rows.iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn what_nobody_took_is_listed_for_its_account() {
    let api = Api::new();
    assert_eq!(
        api.get(LIST).await.json["callbacks"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let ids = given_up(&api).await;
    let answer = api.get(LIST).await;
    let rows = answer.json["callbacks"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{answer:?}");
    assert_eq!(
        (rows[0]["event"].as_str(), rows[1]["event"].as_str()),
        (Some("initiated"), Some("answered"))
    );
    assert_eq!(rows[1]["sequence_number"], 1);
    assert_eq!(rows[1]["attempts"], 17);
    assert_eq!(rows[1]["error"], "status 500");
    assert_eq!(rows[1]["url"], "https://a/status");
    assert_eq!(answer.json["next_page_uri"], serde_json::Value::Null);
    let rest = api.get(&format!("{LIST}?After={}", ids[0])).await;
    assert_eq!(rest.json["callbacks"][0]["id"], ids[1]);
    let theirs = foreign(&api, "GET", LIST).await;
    assert_eq!(theirs.json["callbacks"].as_array().unwrap().len(), 0);
    assert_eq!(
        api.get(&format!("{LIST}?After=x")).await.problem(),
        (400, 20001)
    );
}

#[tokio::test]
async fn it_is_tried_again_once_for_each_order() {
    let api = Api::new();
    let ids = given_up(&api).await;
    let path = format!("UndeliveredCallbacks/{}.json", ids[0]);
    assert_eq!(foreign(&api, "POST", &path).await.problem(), (404, 20404));
    let answer = api.post(&path, "").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.json["attempts"], 0);
    assert_eq!(
        api.live.callbacks.load(Ordering::SeqCst),
        1,
        "the worker is told"
    );
    assert_eq!(api.post(&path, "").await.problem(), (404, 20404));
    assert_eq!(
        api.post("UndeliveredCallbacks/x.json", "").await.problem(),
        (404, 20404)
    );
    let scope = store::Scope::of_host(SID.parse().unwrap());
    assert_eq!(api.store.undelivered(scope, 0, 10).unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_callback_makes_no_call() {
    let api = Api::new();
    let answer = api
        .post(
            "Calls.json",
            "To=1294&From=345&Twiml=x&StatusCallback=ftp://a/",
        )
        .await;
    assert_eq!(answer.problem(), (400, 21609));
    assert!(api.live.accepted.lock().unwrap().is_empty());
}
