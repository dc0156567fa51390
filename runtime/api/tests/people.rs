//! People over REST, one by one and as tables.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use support::{Answer, Api, OTHER_SID, OTHER_TOKEN, SID, TOKEN, request};
use tower::ServiceExt as _;

fn path(below: &str) -> String {
    format!("/v1/Accounts/{SID}/People{below}")
}

async fn put(api: &Api, number: &str, body: Value) -> Answer {
    let path = path(&format!("/{number}"));
    api.send(request("PUT", &path, &body.to_string(), (SID, TOKEN)))
        .await
}

async fn import(api: &Api, csv: &str) -> Answer {
    api.send(request("POST", &path(".csv"), csv, (SID, TOKEN)))
        .await
}

async fn export(api: &Api) -> String {
    let get: Request<Body> = request("GET", &path(".csv"), "", (SID, TOKEN));
    let response = api.router.clone().oneshot(get).await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "text/csv; charset=utf-8"
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

fn numbers(answer: &Answer) -> Vec<&str> {
    let people = answer.json["people"].as_array().unwrap();
    people
        .iter()
        .map(|person| person["number"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_person_is_saved_in_part_shown_and_removed() {
    let api = Api::new();
    let body = json!({"language": "lo", "areas": ["1401"], "fields": {"name": "Noy"}});
    let new = put(&api, "+8562055500001", body).await;
    assert_eq!(new.status, 201);
    api.now
        .fetch_add(60_000, std::sync::atomic::Ordering::SeqCst);
    let changed = put(&api, "8562055500001", json!({"fields": {"boat": "yes"}})).await;
    assert_eq!(changed.status, 200);
    let expected = json!({
        "number": "+8562055500001",
        "language": "lo",
        "areas": ["1401"],
        "fields": {"boat": "yes", "name": "Noy"},
        "date_created": "2010-08-31T20:36:28Z",
        "date_updated": "2010-08-31T20:37:28Z",
    });
    assert_eq!(changed.json, expected);
    let one = path("/+8562055500001");
    assert_eq!(api.get(&one).await.json, expected);
    let theirs = one.replace(SID, OTHER_SID);
    let of_other = request("GET", &theirs, "", (OTHER_SID, OTHER_TOKEN));
    assert_eq!(api.send(of_other).await.problem(), (404, 20404));
    assert_eq!(api.request("DELETE", &one, "").await.status, 204);
    assert_eq!(
        api.request("DELETE", &one, "").await.problem(),
        (404, 20404)
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_person_is_said() {
    let api = Api::new();
    for (number, body, code, expected) in [
        ("+1x", json!({}), 21211, "is not a telephone number"),
        (
            "1294",
            json!({"areas": ["a b"]}),
            20001,
            "an area is a code",
        ),
        (
            "1294",
            json!({"fields": {"language": "x"}}),
            20001,
            "every person has it",
        ),
        ("1294", json!({"name": "x"}), 20001, "unknown field `name`"),
    ] {
        let answer = put(&api, number, body).await;
        assert_eq!(answer.problem(), (400, code), "{answer:?}");
        assert!(answer.message().contains(expected), "{}", answer.message());
    }
    for query in [
        "?Field=x",
        "?CreatedFrom=may",
        "?PageSize=0",
        "?Area=1&Areas=2",
    ] {
        let answer = api.get(&path(query)).await;
        assert_eq!(answer.problem(), (400, 20001), "{query}");
    }
}

#[tokio::test]
async fn lists_are_filtered_and_pages_keep_the_filter() {
    let api = Api::new();
    let csv = "number,language,areas,role\n\
               +8562055500001,lo,1401,chief\n\
               +8562055500002,lo,1402;16,\n\
               +8562055500003,khm,17,chief\n";
    assert_eq!(import(&api, csv).await.json, json!({"new": 3, "known": 0}));
    let first = api.get(&path("?Area=14&Area=17&PageSize=1")).await;
    assert_eq!(numbers(&first), ["+8562055500001"]);
    assert_eq!(first.json["total"], 3);
    let next = first.json["next_page_uri"].as_str().unwrap();
    let second = api.get(next).await;
    assert_eq!(numbers(&second), ["+8562055500002"]);
    let next = second.json["next_page_uri"].as_str().unwrap();
    let third = api.get(next).await;
    assert_eq!(numbers(&third), ["+8562055500003"]);
    assert_eq!(third.json["next_page_uri"], Value::Null);
    let chiefs = api.get(&path("?Field=role:chief&Language=lo")).await;
    assert_eq!(numbers(&chiefs), ["+8562055500001"]);
}

#[tokio::test]
async fn a_table_that_is_given_out_can_be_taken_in_again() {
    let api = Api::new();
    let csv = "\u{feff}language,number,name,areas\r\n\
               lo,+856 20 555 00001,\"Noy, the elder\",1401 14\r\n\
               ,8562055500002,,\r\n";
    assert_eq!(import(&api, csv).await.json, json!({"new": 2, "known": 0}));
    let out = export(&api).await;
    assert_eq!(
        out,
        "number,language,areas,created,updated,name\n\
         +8562055500001,lo,14;1401,2010-08-31T20:36:28Z,2010-08-31T20:36:28Z,\"Noy, the elder\"\n\
         +8562055500002,,,2010-08-31T20:36:28Z,2010-08-31T20:36:28Z,\n"
    );
    assert_eq!(import(&api, &out).await.json, json!({"new": 0, "known": 2}));
    assert_eq!(export(&api).await, out);
}

#[tokio::test]
async fn every_wrong_row_is_told_with_its_line_and_nobody_is_taken() {
    let api = Api::new();
    let csv = "number,areas\n\
               +8562055500001,14\n\
               x,14\n\
               +8562055500002,\"14\n15\"\n\
               +8562055500003,a/b\n\
               +8562055500004\n\
               ,14\n";
    let answer = import(&api, csv).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json["code"]),
        (400, &json!(20001))
    );
    assert!(
        answer
            .message()
            .starts_with("4 of 6 rows are wrong, and nothing was taken; the first is line 3")
    );
    let lines: Vec<u64> = answer.json["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [3, 6, 7, 8]);
    assert!(numbers(&api.get(&path("")).await).is_empty());
    for (csv, expected) in [
        ("", "`number` among them"),
        ("name\nNoy\n", "`number` among them"),
        ("number,a,a\n", "`a` is there twice"),
    ] {
        let answer = import(&api, csv).await;
        assert_eq!(answer.problem(), (400, 20001));
        assert!(answer.message().contains(expected), "{}", answer.message());
    }
}
