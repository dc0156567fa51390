//! Accounts below accounts, what their users prove themselves by, and what these reach.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;

use serde_json::json;
use store::AccountStore as _;
use support::{Answer, Api, OTHER_SID, OTHER_TOKEN, SID, TOKEN, request};

const ACCOUNTS: &str = "/2010-04-01/Accounts.json";

/// A subaccount of `hotline`: its SID and token.
async fn subaccount(api: &Api, name: &str) -> (String, String) {
    let answer = api.post(ACCOUNTS, &format!("FriendlyName={name}")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let text = |name: &str| answer.json[name].as_str().unwrap().to_owned();
    assert_eq!(text("owner_account_sid"), SID);
    (text("sid"), text("auth_token"))
}

async fn ask(api: &Api, method: &str, path: &str, form: &str, user: (&str, &str)) -> Answer {
    api.send(request(method, path, form, user)).await
}

#[tokio::test]
async fn a_parent_reaches_what_its_subaccounts_have_and_nobody_else_does() {
    let api = Api::new();
    let (sid, token) = subaccount(&api, "clinic").await;
    assert_eq!(api.live.directory_changes.load(Ordering::SeqCst), 1);
    let calls = format!("/2010-04-01/Accounts/{sid}/Calls.json");
    let own = format!("/2010-04-01/Accounts/{sid}.json");
    for (user, path, status) in [
        ((SID, TOKEN), &calls, 200),
        ((SID, TOKEN), &own, 200),
        ((&*sid, &*token), &calls, 200),
        ((&*sid, &*token), &own, 200),
        ((OTHER_SID, OTHER_TOKEN), &calls, 404),
        ((OTHER_SID, OTHER_TOKEN), &own, 404),
        ((&*sid, TOKEN), &own, 401),
        ((SID, &*token), &own, 401),
    ] {
        let answer = ask(&api, "GET", path, "", user).await;
        assert_eq!(answer.status, status, "{} {path}", user.0);
    }
    let parents = format!("/2010-04-01/Accounts/{SID}.json");
    let answer = ask(&api, "GET", &parents, "", (&sid, &token)).await;
    assert_eq!(answer.problem(), (404, 20404), "the way leads down only");
    let shown = ask(&api, "GET", &own, "", (&sid, &token)).await;
    assert_eq!(shown.json["auth_token"], json!(null), "who asks has it");

    let grandchild = ask(&api, "POST", ACCOUNTS, "", (&sid, &token)).await;
    assert_eq!(grandchild.problem(), (400, 20001));
    let taken = api.post(ACCOUNTS, "FriendlyName=other").await;
    assert_eq!(taken.problem(), (400, 20001), "a name of the carrier's");
    assert!(taken.message().contains("choose another"));
}

#[tokio::test]
async fn accounts_are_listed_by_name_and_status_a_page_at_a_time() {
    let api = Api::new();
    for name in ["a", "b", "c"] {
        api.now.fetch_add(1000, Ordering::SeqCst);
        subaccount(&api, name).await;
    }
    let names = |answer: &Answer| -> Vec<String> {
        let accounts = answer.json["accounts"].as_array().unwrap().iter();
        accounts
            .map(|account| account["friendly_name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = api.get(&format!("{ACCOUNTS}?PageSize=3")).await;
    assert_eq!(names(&first), ["c", "b", "a"]);
    let next = first.json["next_page_uri"].as_str().unwrap();
    let second = api.get(next).await;
    assert_eq!(names(&second), ["hotline"]);
    assert_eq!(second.json["next_page_uri"], json!(null));
    let named = api.get(&format!("{ACCOUNTS}?FriendlyName=b")).await;
    assert_eq!(names(&named), ["b"]);
    let none = api.get(&format!("{ACCOUNTS}?Status=suspended")).await;
    assert_eq!(names(&none), [""; 0]);
    let wrong = api.get(&format!("{ACCOUNTS}?Status=asleep")).await;
    assert_eq!(wrong.problem(), (400, 20001));
}

#[tokio::test]
async fn a_suspended_account_has_no_api_until_its_parent_makes_it_active_again() {
    let api = Api::new();
    let (sid, token) = subaccount(&api, "clinic").await;
    let own = format!("/2010-04-01/Accounts/{sid}.json");
    let calls = format!("/2010-04-01/Accounts/{sid}/Calls.json");
    let by_itself = ask(&api, "POST", &own, "Status=suspended", (&sid, &token)).await;
    assert_eq!(by_itself.problem(), (400, 20001));
    let suspended = api.post(&own, "Status=suspended").await;
    assert_eq!(suspended.json["status"], "suspended");
    for (user, path) in [
        ((&*sid, &*token), &calls),
        ((&*sid, &*token), &own),
        ((SID, TOKEN), &calls),
    ] {
        let answer = ask(&api, "GET", path, "", user).await;
        assert_eq!(answer.problem(), (403, 20005), "{} {path}", user.0);
        assert!(answer.message().contains(&sid));
    }
    assert_eq!(api.get(&own).await.json["status"], "suspended");
    api.post(&own, "Status=active").await;
    assert_eq!(
        ask(&api, "GET", &calls, "", (&sid, &token)).await.status,
        200
    );

    assert_eq!(
        api.post(&own, "Status=closed").await.json["status"],
        "closed"
    );
    let again = api.post(&own, "Status=active").await;
    assert_eq!(again.problem(), (400, 20001), "for ever");
    assert_eq!(
        ask(&api, "GET", &calls, "", (&sid, &token)).await.problem(),
        (403, 20005)
    );
}

#[tokio::test]
async fn a_second_token_is_as_good_and_takes_the_place_of_the_first() {
    let api = Api::new();
    let secondary = "/v1/AuthTokens/Secondary";
    let made = api.post(secondary, "").await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json["account_sid"], SID);
    let second = made.json["secondary_auth_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(api.post(secondary, "").await.problem(), (400, 20001), "one");
    let account = store::AccountStore::directory(&*api.store);
    let account = account.account(SID.parse().unwrap()).unwrap().clone();
    assert_eq!(account.auth_token.expose(), TOKEN, "which signs still");
    for token in [TOKEN, &second] {
        let answer = ask(&api, "GET", "Calls.json", "", (SID, token)).await;
        assert_eq!(answer.status, 200);
    }
    let promoted = ask(&api, "POST", "/v1/AuthTokens/Promote", "", (SID, &second)).await;
    assert_eq!(promoted.json["auth_token"], second.as_str(), "{promoted:?}");
    assert_eq!(api.get("Calls.json").await.problem(), (401, 20003));
    let none = ask(&api, "POST", "/v1/AuthTokens/Promote", "", (SID, &second)).await;
    assert_eq!(none.problem(), (404, 20404));

    let third = ask(&api, "POST", secondary, "", (SID, &second)).await;
    let third = third.json["secondary_auth_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/2010-04-01/Accounts/{SID}/Calls.json");
    let response = api.status("DELETE", secondary, (SID, &second)).await;
    assert_eq!(response, 204);
    assert_eq!(api.status("GET", &path, (SID, &third)).await, 401);
    assert_eq!(api.status("DELETE", secondary, (SID, &second)).await, 404);
}

#[tokio::test]
async fn a_key_reaches_everything_but_accounts_tokens_and_keys() {
    let api = Api::new();
    let made = api.post("Keys.json", "FriendlyName=shop").await;
    assert_eq!(made.status, 201, "{made:?}");
    let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
    let (sid, secret) = (text("sid"), text("secret"));
    let key = (&*sid, &*secret);
    let one = format!("Keys/{sid}.json");
    let base = format!("/2010-04-01/Accounts/{SID}");
    assert_eq!(ask(&api, "GET", "Calls.json", "", key).await.status, 200);
    for (method, path) in [
        ("GET", "Keys.json".to_owned()),
        ("POST", "Keys.json".to_owned()),
        ("GET", one.clone()),
        ("GET", format!("{base}.json")),
        ("POST", ACCOUNTS.to_owned()),
        ("POST", "/v1/AuthTokens/Secondary".to_owned()),
    ] {
        let answer = ask(&api, method, &path, "", key).await;
        assert_eq!(answer.problem(), (403, 20006), "{method} {path}");
    }
    for wrong in [(&*sid, TOKEN), (SID, &*secret), (&*sid, "")] {
        let answer = ask(&api, "GET", "Calls.json", "", wrong).await;
        assert_eq!(answer.problem(), (401, 20003), "{wrong:?}");
    }
    let shown = api.get(&one).await;
    assert_eq!(shown.json["friendly_name"], "shop");
    assert_eq!(shown.json["secret"], json!(null), "told once");
    let renamed = api.post(&one, "FriendlyName=counter").await;
    assert_eq!(renamed.json["friendly_name"], "counter");
    assert_eq!(
        api.get("Keys.json").await.json["keys"],
        json!([renamed.json])
    );
    let foreign = format!("/2010-04-01/Accounts/{OTHER_SID}/Keys/{sid}.json");
    let answer = ask(&api, "GET", &foreign, "", (OTHER_SID, OTHER_TOKEN)).await;
    assert_eq!(answer.problem(), (404, 20404));
    assert_eq!(
        api.status("DELETE", &format!("{base}/{one}"), (SID, TOKEN))
            .await,
        204
    );
    assert_eq!(
        ask(&api, "GET", "Calls.json", "", key).await.problem(),
        (401, 20003)
    );
}

#[tokio::test]
async fn a_subaccounts_calls_are_bounded_by_what_its_parent_may() {
    let api = Api::new();
    let (sid, token) = subaccount(&api, "clinic").await;
    let directory = api.store.directory();
    let child = directory.account(sid.parse().unwrap()).unwrap();
    let parent = directory.account(SID.parse().unwrap()).unwrap();
    assert_eq!(child.outbound, parent.outbound);
    assert_eq!(directory.payer(child.sid), parent.sid);
    let calls = format!("/2010-04-01/Accounts/{sid}/Calls.json");
    let form = "To=%2B85512345678&From=%2B85511111111&Twiml=x";
    let answer = ask(&api, "POST", &calls, form, (&sid, &token)).await;
    assert_eq!(answer.problem(), (400, 21210), "its parent's number");
}

#[tokio::test]
async fn who_changed_what_is_written_down_without_values() {
    let api = Api::new();
    let (sid, _) = subaccount(&api, "clinic").await;
    let own = format!("/2010-04-01/Accounts/{sid}.json");
    api.post(&own, "Status=suspended&FriendlyName=ward").await;
    let entries = api.store.audit(None, 2).unwrap();
    let [update, create] = &entries[..] else {
        panic!("{entries:?}")
    };
    assert_eq!(create.deed, "account.create");
    assert_eq!(
        (&*update.who, &*update.deed, &*update.thing),
        (SID, "account.update", &*format!("account {sid}"))
    );
    assert_eq!(update.fields, ["Status", "FriendlyName"]);
    assert!(update.id > create.id);
    let refused = api.post(&own, "Status=asleep").await;
    assert_eq!(refused.problem(), (400, 20001));
    assert_eq!(api.store.audit(None, 10).unwrap()[0].id, update.id);
}
