//! The operator API.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::json;
use store::AccountStore as _;
use support::{Answer, Api, OPERATOR_KEY, SID, TENANTS, TOKEN};
use tower::ServiceExt as _;

async fn apply(api: &Api, query: &str, authorization: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(format!("/operator/v1/apply{query}"))
        .header("authorization", authorization)
        .body(body.into())
        .unwrap();
    api.send(request).await
}

fn bearer() -> String {
    format!("Bearer {OPERATOR_KEY}")
}

const NEW: &str = r#"
[[carrier]]
id = "new"

[[account]]
carrier = "new"
name = "first"
"#;

#[tokio::test]
async fn a_tenants_file_is_applied_and_told_in_a_summary() {
    let api = Api::new();
    let answer = apply(&api, "?folder=/tmp", &bearer(), NEW).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = &answer.json["tokens"][0];
    let (account, secret) = (token["account"].as_str().unwrap(), &token["auth_token"]);
    assert_eq!(
        answer.json["created"],
        json!(["carrier new", format!("account first ({account})")])
    );
    assert_eq!(
        (&answer.json["changed"], &answer.json["unchanged"]),
        (&json!([]), &json!(0))
    );
    assert_eq!(token["name"], "first");
    let path = format!("/2010-04-01/Accounts/{account}.json");
    let credentials = (account, secret.as_str().unwrap());
    let own = api
        .send(support::request("GET", &path, "", credentials))
        .await;
    assert_eq!(
        own.json["friendly_name"], "first",
        "the token is good at once"
    );
    let again = apply(&api, "?folder=/tmp", &bearer(), NEW).await;
    assert_eq!(
        again.json,
        json!({
            "created": [], "changed": [], "kept": [], "overwritten": [], "unchanged": 2, "tokens": [],
        })
    );
    let more = TENANTS.replace("\"1294\"", "\"1295\"");
    let changed = apply(&api, "?folder=/tmp", &bearer(), more).await;
    assert_eq!(
        changed.json["changed"],
        json!([format!("account hotline ({SID})")])
    );
}

#[tokio::test]
async fn only_the_operators_key_opens_apply() {
    let api = Api::new();
    let basic = support::request("GET", "Calls.json", "", (SID, TOKEN));
    let basic = basic.headers()["authorization"]
        .to_str()
        .unwrap()
        .to_owned();
    let key_twice = format!("Bearer {OPERATOR_KEY}{OPERATOR_KEY}");
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        OPERATOR_KEY,
        &key_twice,
        &basic,
    ] {
        let answer = apply(&api, "?folder=/tmp", wrong, NEW).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    assert_eq!(api.store.directory().accounts().count(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_tenants_file_is_told_with_its_line() {
    let api = Api::new();
    let folder = std::env::temp_dir().join(format!("jackfield-api-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bad.wasm"), "nonsense").unwrap();
    std::fs::write(folder.join("good.wasm"), b"\0asm").unwrap();
    let component = |file: &str| {
        format!("{NEW}\n[[component]]\naccount = \"first\"\nname = \"own\"\nfile = \"{file}\"\n")
    };
    let query = format!("?folder={}", folder.display());
    let taken = NEW.replace("[[account]]", &format!("[[account]]\nsid = \"{SID}\""));
    for (query, body, status, told) in [
        ("", NEW.to_owned(), 400, "?folder="),
        ("?folder=relative", NEW.to_owned(), 400, "?folder="),
        (
            &query,
            "[[carrier]]\nid = \"a\"\nnonsense = 1\n".to_owned(),
            400,
            "line 3",
        ),
        (&query, "not toml".to_owned(), 400, "line 1"),
        (&query, component("bad.wasm"), 400, "not a component"),
        (&query, component("missing.wasm"), 400, "missing.wasm"),
        (&query, taken, 409, "belongs to carrier `demo` already"),
        (&query, "x".repeat((4 << 20) + 1), 413, "length limit"),
    ] {
        let answer = apply(&api, query, &bearer(), body).await;
        let text = answer.json["error"].as_str().unwrap();
        assert_eq!(answer.status, status, "{text}");
        assert!(text.contains(told), "{text}");
    }
    let binary = apply(&api, &query, &bearer(), vec![0xff, 0xfe]).await;
    assert_eq!(
        (binary.status.as_u16(), &binary.json["error"]),
        (400, &json!("the body is not UTF-8"))
    );
    assert_eq!(
        api.store.directory().accounts().count(),
        2,
        "nothing was applied"
    );
    let good = apply(&api, &query, &bearer(), component("good.wasm")).await;
    assert_eq!(good.status, 200, "{good:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn health_needs_no_key() {
    let api = Api::new();
    let request = Request::get("/operator/v1/health")
        .body(Body::empty())
        .unwrap();
    let answer = api.send(request).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json),
        (200, json!({ "status": "ok" }))
    );
}

#[tokio::test]
async fn metrics_are_in_prometheus_text_format_and_need_the_key() {
    let api = Api::new();
    let get = |authorization: &str| {
        Request::get("/operator/v1/metrics")
            .header("authorization", authorization)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(api.send(get("Bearer x")).await.status, 401);
    let response = api.router.clone().oneshot(get(&bearer())).await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        text,
        "# HELP jackfield_calls what it counts\n# TYPE jackfield_calls gauge\njackfield_calls 2\n\
         # HELP jackfield_trunk_channels what it counts\n# TYPE jackfield_trunk_channels gauge\n\
         jackfield_trunk_channels{trunk=\"north\"} 7\n\
         jackfield_trunk_channels{trunk=\"a \\\"b\\\\\"} 8\n\
         # HELP jackfield_sip_malformed_total what it counts\n# TYPE jackfield_sip_malformed_total counter\n\
         jackfield_sip_malformed_total 3\n"
    );
}

#[tokio::test]
async fn trunks_are_told_to_the_operator_alone() {
    let api = Api::new();
    let get = |authorization: &str| {
        Request::get("/operator/v1/trunk-status")
            .header("authorization", authorization)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(api.send(get("Bearer x")).await.status, 401);
    let answer = api.send(get(&bearer())).await;
    assert_eq!(answer.status, 200);
    let gateway =
        json!({ "contact": "sip:gw@10.0.0.7", "hop": "udp:192.0.2.7:40000", "expires_in_s": 500 });
    let trunk = json!({
        "id": "vientiane-1", "carrier": "laos", "channels_in_use": 3, "max_channels": 8,
        "learned": [{ "prefix": "+25261", "channels": 5 }],
        "registration": null, "down": [], "gateways": [gateway],
    });
    assert_eq!(answer.json, json!({ "trunks": [trunk] }));
}
