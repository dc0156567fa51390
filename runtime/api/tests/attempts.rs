//! Over which trunks a call was tried.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use call::CallStatus;
use serde_json::{Value, json};
use store::{Attempt, FailedAttempt, Leg, RoutedBy, Store as _, StoreError, TrunkId};
use support::{Api, SID, START_UNIX_MS};

fn leg(trunk: &str) -> Leg {
    Leg {
        trunk: TrunkId(trunk.to_owned()),
        sip_call_id: "x".to_owned(),
    }
}

#[tokio::test]
async fn the_attempts_of_a_call_are_told_in_order_and_why_each_ended() {
    let api = Api::new();
    let sid = api.new_call().await;
    let path = format!("/v1/Accounts/{SID}/Calls/{sid}/Attempts");
    let answer = api.get(&path).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["attempts"], json!([]));

    let at = START_UNIX_MS;
    let failed = |trunk: &str, sip_status, reason: &str| FailedAttempt {
        trunk: TrunkId(trunk.to_owned()),
        sip_status,
        reason: reason.to_owned(),
        because: None,
    };
    // No server of `west` was found, and `north` had no room.
    let store = &api.store;
    let west = FailedAttempt {
        because: Some("serves numbers that begin with +855".to_owned()),
        ..failed("west", None, "no such host")
    };
    store.fail_attempt(sid, west, at).wait().unwrap();
    let over_north = Attempt {
        leg: leg("north"),
        because: Some("passed over: west (tried in vain)".to_owned()),
    };
    store.begin_attempt(sid, over_north, at).wait().unwrap();
    let north = failed("north", Some(503), "Service Unavailable");
    store.fail_attempt(sid, north, at).wait().unwrap();
    let routed = RoutedBy {
        plugin: "cheapest".to_owned(),
        version: 3,
        attempts: vec![(TrunkId("south".to_owned()), "it is left".to_owned())],
    };
    store.note_route(sid, routed.clone(), at).wait().unwrap();
    let over_south = leg("south").into();
    store.begin_attempt(sid, over_south, at).wait().unwrap();
    let shown = |answer: &Value| {
        let attempts = answer["attempts"].as_array().unwrap().iter();
        let short = attempts.map(|one| {
            let began = one["date_started"].is_string();
            json!([
                one["trunk"],
                began,
                one["result"],
                one["sip_status"],
                one["reason"]
            ])
        });
        Value::Array(short.collect())
    };
    let west = json!(["west", false, "failed-over", null, "no such host"]);
    let north = json!(["north", true, "failed-over", 503, "Service Unavailable"]);
    let answer = api.get(&path).await;
    let south = json!(["south", true, "under-way", null, null]);
    assert_eq!(shown(&answer.json), json!([west, north, south]));
    let by = json!({ "plugin": "cheapest", "version": 3 });
    for (attempt, by, because) in [
        (0, Value::Null, "serves numbers that begin with +855"),
        (1, Value::Null, "passed over: west (tried in vain)"),
        (2, by, "it is left"),
    ] {
        let attempt = &answer.json["attempts"][attempt];
        assert_eq!(attempt["chosen_by"], by, "{attempt}");
        assert_eq!(attempt["chosen_because"], because, "{attempt}");
    }

    let end = call::CallRecord {
        sip_status: Some(486),
        ..call::CallRecord::new(CallStatus::Busy, "Busy Here")
    };
    store.finish_call(sid, end, at, None).wait().unwrap();
    let late = store.note_route(sid, routed, at).wait();
    assert_eq!(late, Err(StoreError::NotQueued(sid)), "it is over");
    let answer = api.get(&path).await;
    let south = json!(["south", true, "busy", 486, "Busy Here"]);
    assert_eq!(shown(&answer.json), json!([west, north, south]));
}

#[tokio::test]
async fn what_is_no_call_of_the_account_is_not_there() {
    let api = Api::new();
    for call in ["CA00000000000000000000000000000009", "x"] {
        let answer = api
            .get(&format!("/v1/Accounts/{SID}/Calls/{call}/Attempts"))
            .await;
        assert_eq!(answer.problem(), (404, 20404), "{call}");
    }
}
