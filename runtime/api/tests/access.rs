//! Who may see what: credentials, foreign and unknown ids, unknown routes and methods.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::body::Body;
use axum::http::Request;
use support::{Api, NOBODY_SID, OTHER_SID, OTHER_TOKEN, SID, TOKEN, request};

#[tokio::test]
async fn without_valid_credentials_every_path_gets_the_same_401() {
    let api = Api::new();
    let call = api.new_call().await;
    let paths = [
        format!("/2010-04-01/Accounts/{SID}.json"),
        format!("/2010-04-01/Accounts/{SID}/Calls.json"),
        format!("/2010-04-01/Accounts/{SID}/Calls/{call}.json"),
        format!("/2010-04-01/Accounts/{NOBODY_SID}/Calls.json"),
        "/2010-04-01/nonsense".to_owned(),
        "/".to_owned(),
    ];
    let wrong = [
        (SID, ""),
        (SID, OTHER_TOKEN),
        (SID, "0123456789ABCDEF0123456789ABCDEF"),
        (NOBODY_SID, TOKEN),
        (NOBODY_SID, ""),
        ("", TOKEN),
        ("", ""),
        ("hotline", TOKEN),
    ];
    let mut answers = Vec::new();
    for path in &paths {
        for credentials in wrong {
            answers.push(api.send(request("GET", path, "", credentials)).await);
            answers.push(api.send(request("POST", path, "To=1", credentials)).await);
        }
        for header in [
            "",
            "Basic",
            "Basic !",
            "Basic QUM=",
            "Bearer x",
            "Digest username=x",
        ] {
            let request = Request::get(path)
                .header("authorization", header)
                .body(Body::empty())
                .unwrap();
            answers.push(api.send(request).await);
        }
        answers.push(
            api.send(Request::get(path).body(Body::empty()).unwrap())
                .await,
        );
    }
    assert_eq!(answers.len(), paths.len() * (2 * wrong.len() + 7));
    for answer in &answers {
        assert_eq!(answer.problem(), (401, 20003));
        assert_eq!(answer.json, answers[0].json);
        assert_eq!(
            answer.headers["www-authenticate"],
            "Basic realm=\"Twilio API\""
        );
    }
    let scheme_in_any_case = request("GET", "Calls.json", "", (SID, TOKEN));
    let (mut parts, body) = scheme_in_any_case.into_parts();
    let header = parts.headers["authorization"]
        .to_str()
        .unwrap()
        .replace("Basic", "basic");
    parts
        .headers
        .insert("authorization", header.parse().unwrap());
    assert_eq!(api.send(Request::from_parts(parts, body)).await.status, 200);
}

#[tokio::test]
async fn a_foreign_id_is_a_404_like_one_that_does_not_exist() {
    let api = Api::new();
    let call = api.new_call().await;
    let no_call = "CA00000000000000000000000000000000";
    let routes = [
        ("GET", ".json"),
        ("GET", "/Calls.json"),
        ("POST", "/Calls.json"),
    ];
    let form = "To=%2B85512345678&From=%2B85522222222&Twiml=x";
    let mut requests: Vec<(&str, String)> = Vec::new();
    // The path of another account, of none, and of what is no account.
    for account in [
        SID,
        NOBODY_SID,
        "AC1",
        "",
        "..",
        "%41C",
        "AC11111111111111111111111111111111x",
    ] {
        for (method, rest) in routes {
            requests.push((method, format!("/2010-04-01/Accounts/{account}{rest}")));
        }
        for id in [&call.to_string(), no_call] {
            requests.push((
                "GET",
                format!("/2010-04-01/Accounts/{account}/Calls/{id}.json"),
            ));
            requests.push((
                "POST",
                format!("/2010-04-01/Accounts/{account}/Calls/{id}.json"),
            ));
        }
    }
    // The own path with another account's call, with none, and with what is no call.
    let own = format!("/2010-04-01/Accounts/{OTHER_SID}");
    for id in [
        &call.to_string(),
        no_call,
        "CA1",
        "",
        SID,
        "%2e%2e",
        "CA%00",
    ] {
        for suffix in [".json", "", ".xml", ".json.json"] {
            requests.push(("GET", format!("{own}/Calls/{id}{suffix}")));
            requests.push(("POST", format!("{own}/Calls/{id}{suffix}")));
        }
    }
    for unknown in [
        "",
        ".xml",
        "/Calls",
        "/Banana.json",
        "/Calls/",
        "/Calls/x/y.json",
    ] {
        requests.push(("GET", format!("{own}{unknown}")));
    }
    for (method, path) in &requests {
        let form = if path.ends_with("Calls.json") {
            form
        } else {
            "Status=completed"
        };
        let form = if *method == "POST" { form } else { "" };
        let answer = api
            .send(request(method, path, form, (OTHER_SID, OTHER_TOKEN)))
            .await;
        assert_eq!(answer.problem(), (404, 20404), "{method} {path}");
        let expected = format!("The requested resource {path} was not found");
        assert_eq!(answer.message(), expected, "{method} {path}");
    }
    assert_eq!(requests.len(), 7 * 7 + 7 * 8 + 6);
    assert!(api.live.ended.lock().unwrap().is_empty());
    let list = api.send(request(
        "GET",
        &format!("{own}/Calls.json"),
        "",
        (OTHER_SID, OTHER_TOKEN),
    ));
    assert_eq!(list.await.json["calls"], serde_json::json!([]));
    assert_eq!(
        api.get(&format!("Calls/{call}.json")).await.json["status"],
        "queued"
    );
}

#[tokio::test]
async fn a_method_that_a_resource_does_not_have_is_a_405() {
    let api = Api::new();
    let call = api.new_call().await;
    for (method, path, allowed) in [
        ("DELETE", "Calls.json".to_owned(), "POST,GET,HEAD"),
        ("PUT", "Calls.json".to_owned(), "POST,GET,HEAD"),
        (
            "PATCH",
            format!("Calls/{call}.json"),
            "POST,GET,HEAD,DELETE",
        ),
        ("PUT", format!("Calls/{call}.json"), "POST,GET,HEAD,DELETE"),
        (
            "DELETE",
            format!("/2010-04-01/Accounts/{SID}.json"),
            "POST,GET,HEAD",
        ),
    ] {
        let answer = api.request(method, &path, "").await;
        assert_eq!(answer.problem(), (405, 20004), "{method} {path}");
        assert_eq!(answer.headers["allow"], allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_beyond_64_kib_is_a_413() {
    let api = Api::new();
    let form = |length: usize| format!("Twiml={}", "x".repeat(length - 6));
    assert_eq!(
        api.post("Calls.json", &form((64 << 10) + 1))
            .await
            .problem()
            .0,
        413
    );
    assert_eq!(
        api.post("Calls.json", &form(64 << 10)).await.problem(),
        (400, 21201)
    );
}

#[tokio::test]
async fn an_account_sees_itself() {
    let api = Api::new();
    let answer = api.get(&format!("/2010-04-01/Accounts/{SID}.json")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["sid"], SID);
    assert_eq!(answer.json["friendly_name"], "hotline");
    assert_eq!(answer.json["status"], "active");
    assert!(!answer.json.to_string().contains(TOKEN));
}
