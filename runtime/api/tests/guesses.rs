//! Guesses, the operator's API one thing at a time, and carriers' own host names.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, Api, NOBODY_SID, OPERATOR_KEY, OTHER_SID, SID, TOKEN, request};

const HERE: &str = "192.0.2.1:1000";
const ELSEWHERE: &str = "198.51.100.1:1000";

/// The same request, from there.
fn from(address: &str, mut request: Request<Body>) -> Request<Body> {
    let address: SocketAddr = address.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(address));
    request
}

async fn calls(api: &Api, address: &str, user: (&str, &str)) -> Answer {
    let request = request(
        "GET",
        &format!("/2010-04-01/Accounts/{SID}/Calls.json"),
        "",
        user,
    );
    api.send(from(address, request)).await
}

async fn operate(api: &Api, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/operator/v1/{path}"))
        .header("authorization", format!("Bearer {OPERATOR_KEY}"))
        .body(Body::from(match body {
            Value::Null => String::new(),
            body => body.to_string(),
        }))
        .unwrap();
    if method == "DELETE" {
        let response = tower::ServiceExt::oneshot(api.router.clone(), request).await;
        return (response.unwrap().status().as_u16(), Value::Null);
    }
    let answer = api.send(request).await;
    (answer.status.as_u16(), answer.json)
}

#[tokio::test]
async fn who_guesses_is_turned_away_and_nobody_else() {
    let api = Api::new();
    for _ in 0..10 {
        assert_eq!(
            calls(&api, HERE, (SID, "wrong")).await.problem(),
            (401, 20003)
        );
    }
    for token in ["wrong", TOKEN] {
        let answer = calls(&api, HERE, (SID, token)).await;
        assert_eq!(answer.problem(), (429, 20429), "right or wrong");
        assert_eq!(answer.headers["retry-after"], "6");
    }
    assert_eq!(calls(&api, ELSEWHERE, (SID, TOKEN)).await.status, 200);
    assert_eq!(
        calls(&api, HERE, (OTHER_SID, support::OTHER_TOKEN))
            .await
            .status,
        404,
        "another account is asked who it is"
    );
    api.now.fetch_add(6_000, Ordering::SeqCst);
    assert_eq!(calls(&api, HERE, (SID, TOKEN)).await.status, 200);
}

#[tokio::test]
async fn the_operators_key_is_not_guessed_either() {
    let api = Api::new();
    let health = |key: &str, address| {
        let request = Request::get("/operator/v1/carriers")
            .header("authorization", format!("Bearer {key}"))
            .body(Body::empty())
            .unwrap();
        from(address, request)
    };
    for _ in 0..10 {
        assert_eq!(api.send(health("wrong", HERE)).await.status, 401);
    }
    assert_eq!(api.send(health(OPERATOR_KEY, HERE)).await.status, 429);
    assert_eq!(api.send(health(OPERATOR_KEY, ELSEWHERE)).await.status, 200);
}

#[tokio::test]
async fn a_carrier_an_account_a_trunk_and_a_number_are_made_changed_and_deleted() {
    let api = Api::new();
    let none = || Value::Null;
    let carrier =
        json!({ "id": "north", "domain": "voice.north.example", "number_pool": ["+4712345678"] });
    let (status, made) = operate(&api, "POST", "carriers", carrier.clone()).await;
    assert_eq!((status, &made["name"]), (201, &json!("north")), "{made}");
    let (status, told) = operate(&api, "POST", "carriers", carrier).await;
    assert_eq!(status, 409, "{told}");

    let account = json!({ "carrier": "north", "name": "shop", "outbound": { "allow": ["+47"] } });
    let (status, account) = operate(&api, "POST", "accounts", account).await;
    assert_eq!(status, 201, "{account}");
    let sid = account["id"].as_str().unwrap().to_owned();
    assert_eq!(account["auth_token"].as_str().unwrap().len(), 32);
    let one = format!("accounts/{sid}");
    let (_, shown) = operate(&api, "GET", &one, none()).await;
    assert_eq!(
        (&shown["auth_token"], &shown["status"]),
        (&none(), &json!("active"))
    );
    let change =
        json!({ "outbound": { "max_channels": 3 }, "voice": "kal", "status": "suspended" });
    let (status, changed) = operate(&api, "PATCH", &one, change).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(
        changed["outbound"],
        json!({ "allow": ["+47"], "max_channels": 3, "calls_per_second": 1.0 })
    );
    assert_eq!(
        (&changed["voice"], &changed["status"]),
        (&json!("kal"), &json!("suspended"))
    );
    assert_eq!(changed["open_recordings"], none());
    let change = json!({ "voice": null, "open_recordings": true });
    let (_, changed) = operate(&api, "PATCH", &one, change).await;
    assert_eq!(
        (&changed["voice"], &changed["open_recordings"]),
        (&none(), &json!(true))
    );
    let (status, told) = operate(&api, "PATCH", &one, json!({ "open_recordings": "yes" })).await;
    assert_eq!(status, 400, "{told}");

    let trunk = json!({
        "id": "gw", "carrier": "north", "max_channels": 4, "sources": ["203.0.113.9"],
        "login": { "username": "gw", "password": "not-to-be-seen" },
    });
    let (status, trunk) = operate(&api, "POST", "trunks", trunk).await;
    assert_eq!(status, 201, "{trunk}");
    let own = json!({ "account": sid, "rank": 2 });
    let (status, trunk) = operate(&api, "PATCH", "trunks/gw", own).await;
    assert_eq!((status, &trunk["rank"]), (200, &json!(2)), "{trunk}");
    assert!(
        trunk["account"].as_str().unwrap().starts_with("north/"),
        "{trunk}"
    );
    let (_, trunk) = operate(&api, "PATCH", "trunks/gw", json!({ "account": null })).await;
    assert_eq!(trunk["account"], none());
    let (status, trunk) = operate(&api, "PATCH", "trunks/gw", json!({ "max_channels": 5 })).await;
    assert_eq!((status, &trunk["max_channels"]), (200, &json!(5)));
    assert_eq!(trunk["login"], json!({ "username": "gw" }));

    let number = json!({ "number": "+4712345679", "account": sid, "flow": "menu" });
    let (status, number) = operate(&api, "POST", "numbers", number).await;
    assert_eq!(status, 201, "{number}");
    let number = format!("numbers/{}", number["id"].as_str().unwrap());

    for (method, path, body, expected) in [
        ("PATCH", "trunks/gw", json!({ "max_channels": 0 }), 400),
        ("PATCH", "trunks/gw", json!({ "id": "other" }), 400),
        ("PATCH", "trunks/gw", json!([]), 400),
        ("PATCH", "trunks/no", json!({ "max_channels": 1 }), 404),
        ("GET", "accounts/AC1", none(), 404),
        ("GET", "accounts?limit=0", none(), 400),
        (
            "POST",
            "caller-ids",
            json!({ "account": sid, "number": "x" }),
            400,
        ),
    ] {
        let (status, told) = operate(&api, method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {told}");
        assert!(told["error"].as_str().unwrap().len() > 10, "{told}");
    }
    for (path, expected) in [
        ("carriers/north", 409),
        (&*one, 409),
        (&*number, 204),
        (&*number, 404),
        ("trunks/gw", 204),
        ("trunks/gw", 404),
    ] {
        assert_eq!(
            operate(&api, "DELETE", path, none()).await.0,
            expected,
            "{path}"
        );
    }
    operate(&api, "PATCH", &one, json!({ "status": "closed" })).await;
    assert_eq!(operate(&api, "DELETE", &one, none()).await.0, 204);
    assert_eq!(
        operate(&api, "DELETE", "carriers/north", none()).await.0,
        204
    );

    let (_, log) = operate(&api, "GET", "audit?limit=3", none()).await;
    let deeds: Vec<_> = log["audit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["deed"])
        .collect();
    assert_eq!(
        deeds,
        ["carrier.delete", "account.delete", "account.update"]
    );
    assert!(!log.to_string().contains("not-to-be-seen"));
    let next = log["next"].as_u64().unwrap();
    let (_, older) = operate(&api, "GET", &format!("audit?before={next}"), none()).await;
    let older = older["audit"].as_array().unwrap().clone();
    assert!(
        older
            .iter()
            .all(|entry| entry["id"].as_u64().unwrap() < next)
    );
    let patched = older
        .iter()
        .find(|entry| entry["deed"] == "trunk.update")
        .unwrap();
    assert_eq!(
        (&patched["who"], &patched["fields"]),
        (&json!("operator"), &json!(["max_channels"]))
    );
}

#[tokio::test]
async fn lists_come_a_page_at_a_time_and_caller_ids_are_the_operators() {
    let api = Api::new();
    let (_, first) = operate(&api, "GET", "accounts?limit=1", Value::Null).await;
    assert_eq!(first["accounts"][0]["id"], SID);
    assert_eq!(first["next"], SID);
    let (_, second) = operate(&api, "GET", &format!("accounts?after={SID}"), Value::Null).await;
    assert_eq!(second["accounts"][0]["id"], OTHER_SID);
    assert_eq!(second["next"], Value::Null);

    let new = json!({ "account": SID, "number": "+85599999999" });
    let (status, made) = operate(&api, "POST", "caller-ids", new.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(operate(&api, "POST", "caller-ids", new).await.0, 409);
    let (_, listed) = operate(&api, "GET", "caller-ids", Value::Null).await;
    assert_eq!(listed["caller_ids"], json!([made]));
    let one = format!("caller-ids/{}", made["id"].as_str().unwrap());
    assert_eq!(operate(&api, "DELETE", &one, Value::Null).await.0, 204);

    let (_, token) = operate(&api, "POST", &format!("accounts/{SID}/token"), Value::Null).await;
    let token = token["auth_token"].as_str().unwrap();
    assert_eq!(calls(&api, HERE, (SID, TOKEN)).await.status, 401);
    assert_eq!(calls(&api, HERE, (SID, token)).await.status, 200);
}

#[tokio::test]
async fn everything_that_the_openapi_document_names_is_there_and_needs_the_key() {
    let api = Api::new();
    let (status, document) = operate(&api, "GET", "openapi.json", Value::Null).await;
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "nobody").replace("{file}", "x.wav");
        let path = path.replace("{carrier}", "nobody").replace("{name}", "x");
        for method in operations.as_object().unwrap().keys() {
            let without = Request::builder()
                .method(&*method.to_uppercase())
                .uri(&path)
                .body(Body::empty())
                .unwrap();
            let answer = api.send(without).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(answer.json["error"].is_string(), "{method} {path}");
            asked += 1;
        }
        let Some(below) = path.strip_prefix("/operator/v1/") else {
            continue;
        };
        let (status, _) = operate(&api, "QUERY", below, Value::Null).await;
        assert_eq!(status, 405, "{path}");
    }
    assert_eq!(asked, 12 + 4 * 5 + 13);
}

#[tokio::test]
async fn under_a_carriers_host_name_the_api_is_the_carriers() {
    let api = Api::new();
    let carrier = json!({ "id": "north", "domain": "voice.north.example" });
    operate(&api, "POST", "carriers", carrier).await;
    let account = json!({ "carrier": "north", "name": "shop", "auth_token": "0123456789abcdef" });
    let (_, account) = operate(&api, "POST", "accounts", account).await;
    let sid = account["id"].as_str().unwrap();
    let ask = |host: &str, sid: &str, token: &str, rest: &str| {
        let path = format!("/2010-04-01/Accounts/{sid}/{rest}");
        let mut request = request("GET", &path, "", (sid, token));
        request.headers_mut().insert("host", host.parse().unwrap());
        request
    };
    let north = "Voice.North.example:8080";
    let own = api
        .send(ask(north, sid, "0123456789abcdef", "Calls.json"))
        .await;
    assert_eq!(own.status, 200);
    let missing = api
        .send(ask(north, sid, "0123456789abcdef", "Nonsense.json"))
        .await;
    assert_eq!(
        (missing.status.as_u16(), &missing.json["more_info"]),
        (404, &json!("https://voice.north.example/docs/errors/20404"))
    );
    let foreign = api.send(ask(north, SID, TOKEN, "Calls.json")).await;
    assert_eq!(
        (foreign.status.as_u16(), &foreign.json["code"]),
        (401, &json!(20003))
    );
    let realm = &foreign.headers["www-authenticate"];
    assert_eq!(realm, "Basic realm=\"voice.north.example\"");
    let plain = api
        .send(ask("127.0.0.1:8080", SID, TOKEN, "Nonsense.json"))
        .await;
    assert_eq!(plain.problem(), (404, 20404));
}

#[tokio::test]
async fn the_operator_lists_keeps_and_removes_an_accounts_audio() {
    let api = Api::new();
    let put = async |path: &str, body: Vec<u8>| {
        let request = Request::builder()
            .method("PUT")
            .uri(format!("/operator/v1/accounts/{path}"))
            .header("authorization", format!("Bearer {OPERATOR_KEY}"))
            .body(Body::from(body))
            .unwrap();
        let answer = api.send(request).await;
        (answer.status.as_u16(), answer.json)
    };
    let one = format!("{SID}/media/flood-lo.wav");
    // More than a tenants file may have.
    let (status, kept) = put(&one, vec![7; 5 << 20]).await;
    assert_eq!((status, &kept["bytes"]), (201, &json!(5 << 20)), "{kept}");
    let list = format!("accounts/{SID}/media");
    let (status, all) = operate(&api, "GET", &list, Value::Null).await;
    assert_eq!((status, &all["media"]), (200, &json!([kept])));
    let own = api.get(&format!("/v1/Accounts/{SID}/Media")).await;
    assert_eq!(own.json, all, "what the account itself sees");
    let others = format!("accounts/{OTHER_SID}/media");
    let (_, none) = operate(&api, "GET", &others, Value::Null).await;
    assert_eq!(none["media"], json!([]));
    for (path, bytes, words) in [
        (format!("{SID}/media/a%20b.wav"), 1, "name"),
        (format!("{SID}/media/.a"), 1, "name"),
        (one.clone(), 0, "cannot be played"),
        (one.clone(), (10 << 20) + 1, "more than 10 MiB"),
    ] {
        let (status, told) = put(&path, vec![7; bytes]).await;
        let error = told["error"].as_str().unwrap();
        assert!(status == 400 && error.contains(words), "{path}: {told}");
    }
    let nobody = format!("{NOBODY_SID}/media/flood-lo.wav");
    assert_eq!(put(&nobody, vec![7]).await.0, 404);
    for path in [
        format!("{OTHER_SID}/media/flood-lo.wav"),
        nobody,
        "x/media/y".to_owned(),
    ] {
        let path = format!("accounts/{path}");
        let (status, _) = operate(&api, "DELETE", &path, Value::Null).await;
        assert_eq!(status, 404, "{path}");
    }
    let one = format!("accounts/{one}");
    assert_eq!(operate(&api, "DELETE", &one, Value::Null).await.0, 204);
    assert_eq!(operate(&api, "DELETE", &one, Value::Null).await.0, 404);

    // Who brought and removed it is noted, and so is what the account does itself.
    let own = format!("/v1/Accounts/{SID}/Media/own.wav");
    let kept = support::request("PUT", &own, "audio", (SID, TOKEN));
    assert_eq!(api.send(kept).await.status, 201);
    assert_eq!(api.status("DELETE", &own, (SID, TOKEN)).await, 204);
    let (_, log) = operate(&api, "GET", "audit?limit=4", Value::Null).await;
    let entries = log["audit"].as_array().unwrap().iter();
    let entries: Vec<_> = entries
        .map(|entry| ["who", "deed", "thing"].map(|name| entry[name].as_str().unwrap()))
        .collect();
    let things = ["own.wav", "flood-lo.wav"].map(|name| format!("media {name} of account {SID}"));
    assert_eq!(
        entries,
        [
            [SID, "media.delete", &things[0]],
            [SID, "media.update", &things[0]],
            ["operator", "media.delete", &things[1]],
            ["operator", "media.update", &things[1]],
        ]
    );
}
