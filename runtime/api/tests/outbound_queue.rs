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
async fn the_operator_gives_an_accounts_calls_up() {
    let api = Api::new();
    let ask = async |account: &str, query: &str| {
        let path = format!("/operator/v1/accounts/{account}/queue/cancel{query}");
        api.send(routes::request("POST", &path, "", (SID, TOKEN)))
            .await
    };
    let answer = ask(SID, "?priority=bulk").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json["canceled"], 3);
    assert_eq!(answer.json["account_sid"], SID);
    assert_eq!(ask(SID, "").await.status, 200);
    for wrong in ["?priority=low", "?class=bulk"] {
        let answer = ask(SID, wrong).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.json["error"].is_string(), "{answer:?}");
    }
    assert_eq!(ask(NOBODY_SID, "").await.status, 404);
    let own = SID.parse().unwrap();
    let asked = [(own, Some(Priority::Bulk)), (own, None)];
    assert_eq!(*api.live.cancelled.lock().unwrap(), asked);
    let entries = api.store.audit(None, 10).unwrap();
    let entries = entries.iter().filter(|one| one.deed == "queue.cancel");
    let noted: Vec<_> = entries
        .map(|one| (one.who.as_str(), one.thing.as_str(), one.fields.as_slice()))
        .collect();
    let thing = format!("account {SID}");
    let class = ["priority".to_owned()];
    let expected = [
        ("operator", thing.as_str(), &[][..]),
        ("operator", &thing, &class),
    ];
    assert_eq!(noted, expected);
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
    let noted = api.store.audit(None, 10).unwrap();
    let noted = noted.iter().filter(|one| one.deed == "queue.cancel");
    assert!(noted.clone().all(|one| one.who == SID));
    assert_eq!(noted.count(), 2);
}
