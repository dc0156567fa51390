//! A client that means harm, or has been written carelessly: each of its requests is answered by an error of Twilio's shape, and does nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use support::routes::{authorization, filled, is_operators, kinds, methods, of, paths};
use support::things::{Owner, operators, things};
use support::{Answer, Api, SID, TOKEN};

fn own(path: &str) -> String {
    format!("/2010-04-01/Accounts/{SID}/{path}")
}

fn builder(method: &str, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", authorization(path, (SID, TOKEN)))
}

async fn send(api: &Api, method: &str, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
    let request = builder(method, path).header("content-type", kind);
    api.send(request.body(body.into()).unwrap()).await
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn methods_that_a_route_has_not_are_told_those_that_it_has() {
    let api = Api::new();
    let mut all = things(&api, &Owner::hotline(), "345").await;
    let operators = operators(&api).await;
    let mut asked = 0;
    for path in paths(&api.router) {
        let things = if is_operators(&path) {
            &operators
        } else {
            &mut all
        };
        let asked_path = match kinds(&path).is_empty() {
            true => path.clone(),
            false => filled(&path, &of(things, &path))[0].clone(),
        };
        // Whether the server lives is asked without a key.
        if path == "/operator/v1/health" {
            continue;
        }
        let known = methods(&api.router, &asked_path, (SID, TOKEN)).await;
        for method in [
            "GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "BREW",
        ] {
            if known.iter().any(|one| one == method) {
                continue;
            }
            let answer = send(&api, method, &asked_path, FORM, "x=1").await;
            match path.starts_with("/operator/") {
                true => assert!(answer.status == 405 && answer.json["error"].is_string()),
                false => assert_eq!(answer.problem(), (405, 20004), "{method} {path}"),
            }
            let allowed = answer.headers["allow"].to_str().unwrap();
            for one in &known {
                assert!(allowed.contains(one.as_str()), "{path}: {allowed}");
            }
            asked += 1;
        }
    }
    assert!(asked > 300, "{asked}");
}

#[tokio::test]
async fn bodies_that_are_no_forms_are_refused() {
    let api = Api::new();
    let calls = own("Calls.json");
    let form = "To=%2B85512345678&From=345&Twiml=x";
    for (kind, body, expected) in [
        (
            "application/json",
            r#"{"To":"+85512345678"}"#.to_owned(),
            (400, 20001),
        ),
        ("text/xml", "<Response/>".to_owned(), (400, 20001)),
        (
            "multipart/form-data; boundary=x",
            "--x--".to_owned(),
            (400, 20001),
        ),
        (FORM, format!("{form}&To=%2B85512345679"), (400, 20001)),
        (FORM, format!("{form}&to=1"), (400, 20001)),
        (FORM, format!("{form}&%FF=1"), (400, 20001)),
        (FORM, "\u{0}".to_owned(), (400, 20001)),
        (FORM, "&".repeat(1000), (400, 21201)),
        (FORM, "a".repeat(65 << 10), (413, 20001)),
        (
            FORM,
            "To=%2B855%00&From=345&Twiml=x".to_owned(),
            (400, 21211),
        ),
        (
            FORM,
            "To=%F0%9F%93%9E&From=345&Twiml=x".to_owned(),
            (400, 21211),
        ),
        (FORM, "To=%FF%FE&From=345&Twiml=x".to_owned(), (400, 21211)),
        (
            FORM,
            format!("{form}&Url=javascript:alert(1)"),
            (400, 21205),
        ),
        (FORM, format!("{form}&Timeout=-1"), (400, 21208)),
        (FORM, format!("{form}&Timeout=1e3"), (400, 21208)),
        (
            FORM,
            format!("{form}&Timeout=99999999999999999999"),
            (400, 21208),
        ),
        (FORM, format!("{form}&TimeLimit=NaN"), (400, 20001)),
        (
            FORM,
            format!("{form}&SendDigits={}", "1".repeat(33)),
            (400, 21206),
        ),
        (
            FORM,
            format!("{form}&CallReason=a%0D%0AX-Evil:1"),
            (400, 20001),
        ),
        (
            FORM,
            format!("{form}&StatusCallback=https://a/%0D%0A&StatusCallbackEvent=x"),
            (400, 20001),
        ),
        (
            FORM,
            "To=sip:a@b%0D%0AX:1&From=345&Twiml=x".to_owned(),
            (400, 21211),
        ),
    ] {
        let shown: String = body.chars().take(80).collect();
        let answer = send(&api, "POST", &calls, kind, body).await;
        assert_eq!(
            answer.problem(),
            expected,
            "{kind} {shown}: {}",
            answer.message()
        );
    }
    assert!(api.live.accepted.lock().unwrap().is_empty());
    let listed = api.get("Calls.json").await;
    assert_eq!(listed.json["calls"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn lists_are_asked_wrongly() {
    let api = Api::new();
    for _ in 0..3 {
        api.new_call().await;
    }
    let token = "ffffffffffffffff-CAffffffffffffffffffffffffffffffff";
    let huge = "9".repeat(40);
    for query in [
        "PageSize=0".to_owned(),
        "PageSize=-1".to_owned(),
        format!("PageSize={huge}"),
        "PageSize=5&PageSize=6".to_owned(),
        "Page=1".to_owned(),
        format!("Page={huge}&PageToken={token}"),
        format!("PageToken={token}"),
        "Page=1&PageToken=".to_owned(),
        "Page=1&PageToken=x".to_owned(),
        "Page=1&PageToken=1-RE00000000000000000000000000000000".to_owned(),
        "Page=1&PageToken=../../etc".to_owned(),
        format!("Page=1&PageToken=PA{token}"),
        format!("Page=1&PageToken={token}.{token}"),
        format!("Page=2&PageToken={token}."),
        format!("Page=99&PageToken={}", [token; 21].join(".")),
        "StartTime=0000-01-01".to_owned(),
        "StartTime=-001970-01-01".to_owned(),
        "StartTime=99999-01-01".to_owned(),
        "StartTime=2010-02-30".to_owned(),
        "StartTime=2010-08-31T25:00:00Z".to_owned(),
        "StartTime%3E=1".to_owned(),
        "EndTime=%00".to_owned(),
        "StartTime%3E%3E=2010-01-01".to_owned(),
        "Status=done".to_owned(),
        "ParentCallSid=..".to_owned(),
        "%FF=1".to_owned(),
        "__proto__=1".to_owned(),
    ] {
        let answer = api.get(&format!("Calls.json?{query}")).await;
        assert_eq!(answer.problem(), (400, 20001), "{query}");
        assert!(answer.message().len() < 700, "{}", answer.message());
    }
    // What is well formed and fits nothing is no error.
    for (query, rows) in [
        (format!("Page=1&PageToken={token}"), 3),
        (
            "Page=1&PageToken=0-CA00000000000000000000000000000000".to_owned(),
            0,
        ),
        ("StartTime=9000-01-01".to_owned(), 0),
        ("StartTime%3C=1970-01-01".to_owned(), 0),
        ("To=%F0%9F%93%9E".to_owned(), 0),
        ("To=%00".to_owned(), 0),
        ("Page=0&PageToken=".to_owned(), 3),
    ] {
        let answer = api.get(&format!("Calls.json?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        assert_eq!(
            answer.json["calls"].as_array().unwrap().len(),
            rows,
            "{query}"
        );
    }
}

#[tokio::test]
async fn paths_are_no_way_to_elsewhere() {
    let api = Api::new();
    let call = api.new_call().await;
    for path in [
        own(&format!("Calls/{call}%2F..%2F{call}.json")),
        own(&format!("Calls/../Calls/{call}.json")),
        own(&format!("Calls//{call}.json")),
        own(&format!("Calls/{call}.json/")),
        own(&format!("Calls/{call}.json.json")),
        own(&format!("Calls/{call}.JSON")),
        own(&format!("Calls/{call}%00.json")),
        own(&format!("calls/{call}.json")),
        own(&format!("Calls/{}.json", call.to_string().to_uppercase())),
        own(&format!("Calls/{}.json", "A".repeat(4000))),
        own("Recordings/..%2F..%2Fjackfield.toml"),
        own("Recordings/RE00000000000000000000000000000000.exe"),
        own("Calls/%F0%9F%93%9E.json"),
        own("Calls/%FF.json"),
        own("Queues/%FF/Members.json"),
        own("Conferences/%C3%28/Participants/%FF.json"),
        format!("/2010-04-01/Accounts/%FF/Calls/{call}.json"),
        format!("/2010-04-01/Accounts/{SID}%2FCalls.json"),
        format!("/2010-04-01/accounts/{SID}/Calls.json"),
        format!("//2010-04-01/Accounts/{SID}/Calls.json"),
        format!("/v1/Accounts/{SID}/Plugins/%FF"),
        format!("/v1/Accounts/{SID}/Plugins/%FF/Versions"),
        format!("/v1/Accounts/{SID}/People/%FF"),
        format!("/v1/Accounts/{SID}/Broadcasts/%FF"),
    ] {
        let answer = send(&api, "GET", &path, FORM, "").await;
        assert_eq!(answer.problem(), (404, 20404), "{path}");
    }
}

#[tokio::test]
async fn whoever_sends_strange_credentials_is_not_let_in() {
    let api = Api::new();
    let path = own("Calls.json");
    for value in [
        &b"Basic"[..],
        b"Basic ",
        b"Basic ====",
        b"Basic \xff\xfe",
        b"Basic Og==",
        b"Bearer the operator's key",
        b"Digest username=x",
        b"basic QUM6",
    ] {
        let request = Request::get(&path).header("authorization", value);
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), (401, 20003), "{value:?}");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    assert_eq!(api.live.directory_changes.load(Ordering::SeqCst), 0);
}
