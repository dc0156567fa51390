//! Plugins over REST: uploads, versions, history; and who may not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use store::tenants::MAX_COMPONENT_BYTES;
use support::{Answer, Api, OPERATOR_KEY, OTHER_SID, OTHER_TOKEN, SID, TOKEN, request};

/// A path below the plugins of the account `hotline`.
fn own(path: &str) -> String {
    format!("/v1/Accounts/{SID}/Plugins{path}")
}

async fn push(api: &Api, path: &str, wasm: impl Into<Body>) -> Answer {
    let mut asked = request("POST", &own(path), "", (SID, TOKEN));
    *asked.body_mut() = wasm.into();
    api.send(asked).await
}

async fn survey(api: &Api, method: &str, verb: &str, form: &str) -> Answer {
    let path = own(&format!("/survey{verb}"));
    api.request(method, &path, form).await
}

#[tokio::test]
async fn versions_are_uploaded_listed_and_changed() {
    let api = Api::new();
    let first = push(&api, "/survey/Versions", "\0asm one").await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(
        (&first.json["version"], &first.json["state"]),
        (&json!(1), &json!("active"))
    );
    assert_eq!(
        first.json["self_test"],
        json!({ "result": "passed", "cases": 2 })
    );
    assert_eq!(first.json["uploaded"], "2010-08-31T20:36:28Z");
    let again = push(&api, "/survey/Versions", "\0asm one").await;
    assert_eq!((again.status.as_u16(), &again.json), (200, &first.json));
    let second = push(&api, "/survey/Versions?Activate=false", "\0asm two").await;
    assert_eq!(second.json["state"], "inactive");
    let failed = push(&api, "/survey/Versions", "\0asm fails").await;
    assert_eq!(
        (failed.status.as_u16(), &failed.json["state"]),
        (201, &json!("inactive"))
    );
    assert_eq!(failed.json["self_test"]["why"], "it said something else");

    let canary = survey(&api, "POST", "/Canary", "Version=2&Percent=10").await;
    assert_eq!(
        canary.json["canary"],
        json!({ "version": 2, "percent": 10 })
    );
    let active = survey(&api, "POST", "/Activate", "Version=2").await;
    assert_eq!(
        (
            &active.json["active"],
            &active.json["last_good"],
            &active.json["canary"]
        ),
        (&json!(2), &json!(1), &json!(null))
    );
    let back = survey(&api, "POST", "/Rollback", "").await;
    assert_eq!(back.json["active"], 1);
    let listed = api.get(&own("")).await;
    assert_eq!(
        listed.json["plugins"][0],
        survey(&api, "GET", "", "").await.json
    );
    let history = survey(&api, "GET", "/History", "").await;
    let newest = &history.json["history"][0];
    assert_eq!(
        newest,
        &json!({ "at": "2010-08-31T20:36:28Z", "who": SID, "what": "rolled back from version 2 to version 1" })
    );
    assert_eq!(history.json["history"].as_array().unwrap().len(), 8);
    let versions = survey(&api, "GET", "/Versions", "").await;
    let calls = |place: usize| &versions.json["versions"][place]["usage"]["calls"];
    assert_eq!((calls(2), calls(1)), (&json!(7), &json!(0)));
    let log = survey(&api, "GET", "/Log", "").await;
    assert_eq!(
        log.json["log"],
        json!([{ "at": "2010-08-31T20:36:28Z", "version": 1, "call": "CA1", "level": "warn", "message": "three callers" }])
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_words() {
    let api = Api::new();
    for (path, wasm, expected) in [
        ("/survey/Versions", "text", (400, 20001)),
        ("/Survey/Versions", "\0asm", (400, 20001)),
        ("/survey/Versions?Activate=maybe", "\0asm", (400, 20001)),
        ("/survey/Versions?Aktivate=true", "\0asm", (400, 20001)),
    ] {
        assert_eq!(push(&api, path, wasm).await.problem(), expected, "{path}");
    }
    let large = vec![0; usize::try_from(MAX_COMPONENT_BYTES).unwrap() + 1];
    let answer = push(&api, "/survey/Versions", large).await;
    assert_eq!(answer.problem(), (413, 20001));
    assert!(answer.message().contains("32 MiB"), "{answer:?}");
    push(&api, "/survey/Versions", "\0asm").await;
    for (verb, form, expected) in [
        ("/Rollback", "", (409, 20409)),
        ("/Activate", "Version=7", (409, 20409)),
        ("/Activate", "Version=x", (400, 20001)),
        ("/Activate", "", (400, 20001)),
        ("/Canary", "Version=1&Percent=101", (400, 20001)),
        ("/Canary", "Version=1&Percent=10", (409, 20409)),
    ] {
        let answer = survey(&api, "POST", verb, form).await;
        assert_eq!(answer.problem(), expected, "{verb} {form}");
    }
}

#[tokio::test]
async fn a_foreign_plugin_looks_like_one_that_does_not_exist() {
    let api = Api::new();
    push(&api, "/survey/Versions", "\0asm").await;
    let other = (OTHER_SID, OTHER_TOKEN);
    let theirs = format!("/v1/Accounts/{OTHER_SID}/Plugins/survey");
    for (method, path) in [
        ("GET", own("/survey")),
        ("POST", own("/survey/Rollback")),
        ("POST", own("/survey/Versions")),
        ("GET", theirs.clone()),
        ("GET", format!("{theirs}/History")),
        ("GET", format!("{theirs}/Log")),
        ("POST", format!("{theirs}/Rollback")),
    ] {
        let answer = api.send(request(method, &path, "", other)).await;
        assert_eq!(answer.problem(), (404, 20404), "{method} {path}");
    }
    let wrong = request("GET", &own("/survey"), "", (SID, OTHER_TOKEN));
    assert_eq!(api.send(wrong).await.status, 401);
}

#[tokio::test]
async fn a_carriers_plugins_are_the_operators() {
    let api = Api::new();
    let ask = async |method: &str, path: &str, key: &str, wasm: &str| {
        let asked = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {key}"))
            .body(Body::from(wasm.to_owned()))
            .unwrap();
        api.send(asked).await
    };
    let path = "/v1/Carriers/demo/Plugins/survey";
    let pushed = ask("POST", &format!("{path}/Versions"), OPERATOR_KEY, "\0asm").await;
    assert_eq!(
        (pushed.status.as_u16(), &pushed.json["by"]),
        (201, &json!("operator"))
    );
    assert_eq!(ask("GET", path, OPERATOR_KEY, "").await.json["active"], 1);
    assert_eq!(ask("GET", path, "another key", "").await.status, 401);
    let nobody = "/v1/Carriers/nobody/Plugins/survey";
    assert_eq!(
        ask("GET", nobody, OPERATOR_KEY, "").await.problem(),
        (404, 20404)
    );
    let of_account = survey(&api, "GET", "", "").await;
    assert_eq!(
        of_account.problem(),
        (404, 20404),
        "the account has none of its own"
    );
}
