//! Calls that were carried, as a routing policy can be asked about them again.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use call::{AccountSid, CallRecord, CallSid, CallStatus, Direction};
use serde_json::{Value, json};
use store::broadcast::REFUSED_BY_POLICY;
use store::{AccountStore as _, Attempt, FailedAttempt, Flow, Leg, NewCall, Scope, Store, TrunkId};
use support::{Api, SID, START_UNIX_MS, TENANTS};

const SECOND: &str = r#"
[[trunk]]
id = "mobile"
carrier = "demo"
target = "127.0.0.1:5081"
prefixes = ["+85512"]
max_channels = 5
channels_by_prefix."+855121" = 2
calls_per_second = 1.0

[[operator]]
country = "KH"
name = "Cellcard"
prefixes = ["+85512"]
"#;

fn leg(trunk: &str) -> Leg {
    Leg {
        trunk: TrunkId(trunk.to_owned()),
        sip_call_id: "x".to_owned(),
    }
}

fn new(nth: u8, direction: Direction, from: &str, to: &str, at: u64) -> NewCall {
    NewCall {
        sid: CallSid::from_bytes([nth; 16]),
        from: from.to_owned(),
        to: to.to_owned(),
        direction,
        parent: None,
        flow: Flow::Component("menu".to_owned()),
        ring_timeout_s: None,
        settings: Default::default(),
        callback: None,
        notification: None,
        orders: Default::default(),
        created_unix_ms: at,
    }
}

fn scope() -> Scope {
    let account: AccountSid = SID.parse().unwrap();
    Scope::of_host(account)
}

/// A call of the queue that began, met with congestion, and ended over another trunk.
fn carried(store: &dyn Store, nth: u8, to: &str, at: u64) -> CallSid {
    let sid = CallSid::from_bytes([nth; 16]);
    let call = new(nth, Direction::OutboundApi, "345", to, at);
    store.accept_call(scope(), call).wait().unwrap();
    store
        .begin_attempt(sid, leg("mobile").into(), at + 5)
        .wait()
        .unwrap();
    let failed = FailedAttempt {
        trunk: TrunkId("mobile".to_owned()),
        sip_status: Some(503),
        reason: "Service Unavailable".to_owned(),
        because: None,
    };
    store.fail_attempt(sid, failed, at + 10).wait().unwrap();
    let attempt = Attempt {
        leg: leg("gateway"),
        because: Some("mobile is passed over".to_owned()),
    };
    store.begin_attempt(sid, attempt, at + 20).wait().unwrap();
    let record = CallRecord {
        sip_status: Some(486),
        ..CallRecord::new(CallStatus::Busy, "Busy Here")
    };
    store
        .finish_call(sid, record, at + 30, None)
        .wait()
        .unwrap();
    sid
}

#[tokio::test]
async fn calls_are_told_with_what_a_policy_is_asked() {
    let api = Api::with(&format!("{TENANTS}{SECOND}"));
    let at = START_UNIX_MS;
    let sid = carried(&*api.store, 1, "+85512100000", at);
    // Refused by a policy, and canceled before it was dialled: the first is a decision, the second none.
    for (nth, status, reason) in [
        (
            2,
            CallStatus::Failed,
            format!("{REFUSED_BY_POLICY} `p`: dear"),
        ),
        (3, CallStatus::Canceled, "canceled".to_owned()),
    ] {
        let call = new(
            nth,
            Direction::OutboundApi,
            "345",
            "+85599000000",
            at + 1_000,
        );
        store(&api, call, status, reason);
    }
    let call = new(4, Direction::Inbound, "+85512100000", "345", at + 2_000);
    api.store
        .begin_inbound(scope(), call, leg("mobile"))
        .wait()
        .unwrap();

    let answer = api.get(&format!("/v1/Accounts/{SID}/RoutedCalls")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let calls = answer.json["calls"].as_array().unwrap();
    let [inbound, refused, first] = calls.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(first["call_sid"], sid.to_string());
    assert_eq!(first["trunks"], json!(["mobile", "gateway"]));
    assert_eq!(
        first["operator"],
        json!({ "country": "KH", "name": "Cellcard" })
    );
    assert_eq!(first["date_asked"], "2010-08-31T20:36:28.005Z");
    let ends = first["attempts"].as_array().unwrap().iter();
    let ends: Vec<Value> = ends
        .map(|one| json!([one["trunk"], one["outcome"], one["date_ended"]]))
        .collect();
    assert_eq!(
        ends,
        [
            json!(["mobile", "congestion", "2010-08-31T20:36:28.010Z"]),
            json!(["gateway", "busy", "2010-08-31T20:36:28.030Z"])
        ]
    );
    let second = &first["attempts"][1];
    assert_eq!(second["chosen_because"], "mobile is passed over");
    assert!(refused["refused"].as_str().unwrap().ends_with("dear"));
    assert_eq!(
        (&refused["attempts"], &refused["trunks"]),
        (&json!([]), &json!(["gateway"]))
    );
    assert_eq!(
        (
            &inbound["direction"],
            &inbound["date_asked"],
            &inbound["trunks"]
        ),
        (&json!("inbound"), &Value::Null, &json!([]))
    );
    assert_eq!(inbound["attempts"][0]["trunk"], "mobile");
    assert_eq!(
        answer.json["trunks"]["mobile"],
        json!({ "prefixes": ["+85512"], "max_channels": 5, "channels_by_prefix": { "+855121": 2 } })
    );
    let callers = answer.json["callers"].as_array().unwrap();
    assert!(callers.contains(&json!("345")) && !callers.contains(&json!("+85522222222")));
}

fn store(api: &Api, call: NewCall, status: CallStatus, reason: String) {
    let (sid, at) = (call.sid, call.created_unix_ms);
    api.store.accept_call(scope(), call).wait().unwrap();
    let record = CallRecord::new(status, reason);
    api.store.finish_call(sid, record, at, None).wait().unwrap();
}

#[tokio::test]
async fn pages_follow_each_other_and_what_may_not_be_called_now_says_why() {
    let api = Api::with(&format!("{TENANTS}{SECOND}"));
    for nth in 0..3 {
        let at = START_UNIX_MS + u64::from(nth) * 1_000;
        carried(&*api.store, nth, "+12025550123", at);
    }
    let since = "2010-08-31T20:36:29Z";
    let mut path = format!("/v1/Accounts/{SID}/RoutedCalls?Since={since}&PageSize=1");
    for nth in [2, 1] {
        let answer = api.get(&path).await;
        let calls = answer.json["calls"].as_array().unwrap();
        assert_eq!(calls.len(), 1, "{answer:?}");
        assert_eq!(
            calls[0]["call_sid"],
            CallSid::from_bytes([nth; 16]).to_string()
        );
        assert_eq!(calls[0]["trunks"], json!([]));
        let why = calls[0]["obstacle"].as_str().unwrap();
        assert!(why.contains("may not call +12025550123"), "{why}");
        path = answer.json["next_page_uri"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
    }
    assert!(
        api.store
            .call(scope(), CallSid::from_bytes([0; 16]))
            .unwrap()
            .is_some()
    );
    if !path.is_empty() {
        assert_eq!(api.get(&path).await.json["calls"], json!([]));
    }
    for (query, code) in [
        ("Since=yesterday", 20001),
        ("PageSize=0", 20001),
        ("Before=1", 20001),
    ] {
        let answer = api
            .get(&format!("/v1/Accounts/{SID}/RoutedCalls?{query}"))
            .await;
        assert_eq!(answer.problem(), (400, code), "{query}");
    }
}
