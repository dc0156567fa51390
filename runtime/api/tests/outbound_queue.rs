//! The calls that wait: shown, stopped, resumed, given up.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;

use store::{AccountStore as _, Priority};
use support::{Api, NOBODY_SID, SID, TOKEN, request, routes};

const QUEUE: &str = "/v1/Accounts/AC11111111111111111111111111111111/OutboundQueue";

#[tokio::test]
async fn a_queue_is_stopped_and_goes_on() {
    let api = Api::new();
    let ask = async |method, path: &str, form| {
        let asked = request(method, &format!("{QUEUE}{path}"), form, (SID, TOKEN));
        api.send(asked).await
    };
    let answer = ask("GET", "", "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json["state"], "running");
    assert_eq!(answer.json["waiting"], 0);
    assert_eq!(answer.json["by_priority"]["bulk"]["later"], 0);
    for (path, state) in [("/Stop", "stopped"), ("/Resume", "running")] {
        let before = api.live.directory_changes.load(Ordering::SeqCst);
        let answer = ask("POST", path, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json["state"], state);
        let stopped = api.store.directory().is_queue_stopped(SID.parse().unwrap());
        assert_eq!(stopped, state == "stopped");
        let after = api.live.directory_changes.load(Ordering::SeqCst);
        assert_eq!(after, before + 1, "it is in force");
    }
    let deeds: Vec<_> = api.store.audit(None, 2).unwrap();
    let deeds: Vec<_> = deeds.iter().map(|entry| entry.deed.as_str()).collect();
    assert_eq!(deeds, ["queue.resume", "queue.stop"]);
    assert_eq!(ask("POST", "/Stop", "Now=1").await.problem(), (400, 20001));
}

#[tokio::test]
async fn the_operator_stops_an_accounts_queue_and_lets_it_go_on() {
    let api = Api::new();
    let ask = async |method, path: &str| {
        let asked = routes::request(method, path, "", (SID, TOKEN));
        api.send(asked).await
    };
    let queue = format!("/operator/v1/accounts/{SID}/queue");
    let answer = ask("GET", &queue).await;
    assert_eq!(
        (answer.status, &answer.json["state"]),
        (200.try_into().unwrap(), &"running".into())
    );
    for (deed, state) in [("stop", "stopped"), ("resume", "running")] {
        let answer = ask("POST", &format!("{queue}/{deed}")).await;
        assert_eq!(answer.json["state"], state, "{answer:?}");
        let stopped = api.store.directory().is_queue_stopped(SID.parse().unwrap());
        assert_eq!(stopped, state == "stopped");
    }
    assert_eq!(
        api.live.directory_changes.load(Ordering::SeqCst),
        2,
        "it is in force"
    );
    let deeds = api.store.audit(None, 2).unwrap();
    let deeds: Vec<_> = deeds
        .iter()
        .map(|one| (one.who.as_str(), one.deed.as_str()))
        .collect();
    assert_eq!(
        deeds,
        [("operator", "queue.resume"), ("operator", "queue.stop")]
    );
    let nobodys = format!("/operator/v1/accounts/{NOBODY_SID}/queue/stop");
    assert_eq!(ask("POST", &nobodys).await.status, 404);
}

#[tokio::test]
async fn waiting_calls_are_given_up_by_class_or_all() {
    let api = Api::new();
    let ask = async |form| {
        let asked = request("POST", &format!("{QUEUE}/Cancel"), form, (SID, TOKEN));
        api.send(asked).await
    };
    let answer = ask("Priority=bulk").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json["canceled"], 3);
    assert_eq!(ask("").await.status, 200);
    assert_eq!(ask("Priority=low").await.problem(), (400, 20001));
    let own = SID.parse().unwrap();
    let asked = [(own, Some(Priority::Bulk)), (own, None)];
    assert_eq!(*api.live.cancelled.lock().unwrap(), asked);
}
