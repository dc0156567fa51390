//! What a call's journals tell, and what an account's calls came to.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use call::{
    CallRecord, CallSid, CallStatus, Exchange, HttpError, HttpMethod, HttpRequest, HttpResponse,
};
use serde_json::{Value, json};
use store::{CallbackOutcome, Store as _};
use support::{Api, START_UNIX_MS};

/// A call that was up for so many seconds and is over.
async fn over(api: &Api, duration_s: u32) -> String {
    let call = api.new_call().await;
    api.advance(call, CallStatus::InProgress);
    let record = CallRecord {
        duration_s,
        ..CallRecord::new(CallStatus::Completed, "hung up")
    };
    let at = START_UNIX_MS + 5_000 + u64::from(duration_s) * 1_000;
    let ended = api
        .store
        .finish_call(call, record, at, Some(b"[1,2]".to_vec()));
    ended.wait().unwrap();
    call.to_string()
}

fn column(rows: &Value, name: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[name].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_requests_of_a_call_are_its_events() {
    let api = Api::new();
    let call = over(&api, 7).await;
    let first = api
        .get(&format!("Calls/{call}/Events.json?PageSize=1"))
        .await;
    let event = &first.json["events"][0];
    assert_eq!(event["request"]["url"], "http://b/");
    assert_eq!(event["response"]["response_code"], json!(null));
    assert_eq!(event["response"]["error"], "unreachable: http://b/");
    let second = api.get(first.json["next_page_uri"].as_str().unwrap()).await;
    let event = &second.json["events"][0];
    assert_eq!(event["request"]["method"], "POST");
    assert_eq!(
        event["request"]["parameters"],
        json!({ "CallSid": "CA1", "To": "+1" })
    );
    assert_eq!(event["response"]["response_code"], 200);
    assert_eq!(event["response"]["content_type"], "text/xml");
    assert_eq!(event["response"]["response_body"], "<Response/>");
    assert_eq!(event["response"]["request_duration"], 120);
    assert_eq!(second.json["next_page_uri"], json!(null));
}

#[tokio::test]
async fn what_went_wrong_is_told_with_its_code() {
    let api = Api::new();
    let call = over(&api, 7).await;
    let listed = api.get(&format!("Calls/{call}/Notifications.json")).await;
    let rows = &listed.json["notifications"];
    assert_eq!(column(rows, "error_code"), ["11200", "12200"]);
    assert_eq!(column(rows, "log"), ["0", "1"]);
    assert_eq!(column(rows, "call_sid"), [&*call, &*call]);
    assert_eq!(rows[0]["message_text"], "http://b/: unreachable");
    for row in rows.as_array().unwrap() {
        let one = api.get(row["uri"].as_str().unwrap()).await;
        assert_eq!(one.json, *row);
        let sid = row["sid"].as_str().unwrap();
        let path = format!("Calls/{call}/Notifications/{sid}.json");
        assert_eq!(api.get(&path).await.json, *row);
    }
    let other = over(&api, 7).await;
    let sid = rows[0]["sid"].as_str().unwrap();
    let of_another = format!("Calls/{other}/Notifications/{sid}.json");
    assert_eq!(api.get(&of_another).await.problem(), (404, 20404));
    let all = api.get("Notifications.json?PageSize=1").await;
    assert_eq!(
        all.json["notifications"].as_array().unwrap().len(),
        2,
        "of one call"
    );
    let rest = api.get(all.json["next_page_uri"].as_str().unwrap()).await;
    assert_eq!(rest.json["notifications"].as_array().unwrap().len(), 2);
    let errors = api.get("Notifications.json?Log=0").await;
    assert_eq!(
        column(&errors.json["notifications"], "error_code"),
        ["11200", "11200"]
    );
    assert_eq!(
        api.get("Notifications.json?Log=2").await.problem(),
        (400, 20001)
    );
}

#[tokio::test]
async fn a_page_of_notifications_reads_a_hundred_calls_at_most() {
    let api = Api::new();
    for _ in 0..101 {
        over(&api, 1).await;
    }
    let first = api.get("Notifications.json?PageSize=1000").await;
    assert_eq!(first.json["notifications"].as_array().unwrap().len(), 200);
    let next = first.json["next_page_uri"].as_str().unwrap();
    assert!(next.contains("PageSize=1000"), "{next}");
    let rest = api.get(next).await;
    assert_eq!(rest.json["notifications"].as_array().unwrap().len(), 2);
    assert_eq!(rest.json["next_page_uri"], json!(null));
}

#[tokio::test]
async fn a_call_that_is_up_tells_what_its_stories_asked_so_far() {
    let api = Api::new();
    let call = api.new_call().await;
    let events = format!("Calls/{call}/Events.json");
    let none = api.get(&events).await;
    assert_eq!(none.json["events"], json!([]), "nothing asked yet");
    let journals = &api.live.journals;
    journals.lock().unwrap().insert(call, b"[1,2]".to_vec());
    let some = api.get(&events).await;
    assert_eq!(some.json["events"].as_array().unwrap().len(), 2);
    let faults = api.get(&format!("Calls/{call}/Notifications.json")).await;
    let rows = &faults.json["notifications"];
    assert_eq!(column(rows, "error_code"), ["11200", "12200"]);
    let all = api.get("Notifications.json").await;
    assert_eq!(all.json["notifications"], *rows);
}

/// The callback of a call's end was answered so, in this order, from this second on.
async fn answered(api: &Api, answers: Vec<Result<HttpResponse, HttpError>>) -> CallSid {
    let form =
        "To=%2B85512345678&From=345&Url=http://a/&StatusCallback=https://user:pass@a/told?x=1";
    let row = api.post("Calls.json", form).await.json;
    let call: CallSid = row["sid"].as_str().unwrap().parse().unwrap();
    let record = CallRecord::new(CallStatus::Failed, "nobody");
    let ended = api.store.finish_call(call, record, START_UNIX_MS, None);
    ended.wait().unwrap();
    let told = api.store.callbacks_after(0, 10).unwrap();
    let last = answers.len() - 1;
    for (number, answer) in answers.into_iter().enumerate() {
        let at = START_UNIX_MS + 1_000 * number as u64;
        let request = HttpRequest {
            method: HttpMethod::Post,
            url: told[0].to.url.clone(),
            headers: Vec::new(),
            body: b"CallStatus=failed".to_vec(),
            sign: true,
        };
        let exchange = Exchange {
            at_unix_ms: at,
            request,
            answer: Some((at + 30, answer)),
        };
        let outcome = CallbackOutcome::Failed {
            attempts: number as u32 + 1,
            due_unix_ms: (number < last).then_some(at),
            error: "failed".to_owned(),
        };
        let settled = api
            .store
            .settle_callback(told[0].id, outcome, Some(exchange));
        settled.wait().unwrap();
    }
    call
}

#[tokio::test]
async fn what_a_callback_was_answered_is_an_event_and_its_failure_a_notification() {
    let api = Api::new();
    let response = |status| HttpResponse {
        status,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: b"no".to_vec(),
        url: String::new(),
    };
    let away = HttpError::Unreachable("http://a/told".to_owned());
    let call = answered(&api, vec![Err(away), Ok(response(500)), Ok(response(204))]).await;
    let events = api.get(&format!("Calls/{call}/Events.json")).await;
    let events = events.json["events"].as_array().unwrap().clone();
    let codes: Vec<_> = events
        .iter()
        .map(|event| event["response"]["response_code"].clone())
        .collect();
    assert_eq!(codes, [json!(204), json!(500), json!(null)]);
    // Each has what Twilio's have, whether or not it was answered.
    for event in &events {
        for (part, names) in [
            ("request", &["method", "url", "parameters", "headers"][..]),
            (
                "response",
                &[
                    "response_code",
                    "content_type",
                    "date_created",
                    "request_duration",
                    "response_body",
                ],
            ),
        ] {
            for name in names {
                assert!(event[part].get(name).is_some(), "{part} {name}: {event}");
            }
        }
    }
    assert_eq!(events[0]["request"]["url"], "https://a/told?x=1");
    assert_eq!(
        events[0]["request"]["parameters"],
        json!({ "CallStatus": "failed" })
    );
    assert_eq!(events[1]["response"]["response_body"], "no");
    assert_eq!(events[1]["response"]["request_duration"], 30);
    let told = api.get(&format!("Calls/{call}/Notifications.json")).await;
    let rows = &told.json["notifications"];
    assert_eq!(column(rows, "error_code"), ["11200", "11205"]);
    assert_eq!(
        column(rows, "message_text"),
        [
            "https://a/told?x=1 answered 500",
            "unreachable: http://a/told"
        ]
    );
    assert_eq!(column(rows, "request_method"), ["POST", "POST"]);
    assert_eq!(column(rows, "request_variables"), ["CallStatus=failed"; 2]);
    assert_eq!(rows[0]["response_headers"], "content-type: text/plain");
    assert_eq!(rows[0]["response_body"], "no");
    for row in rows.as_array().unwrap() {
        let sid = row["sid"].as_str().unwrap();
        for path in [
            format!("Notifications/{sid}.json"),
            format!("Calls/{call}/Notifications/{sid}.json"),
        ] {
            assert_eq!(api.get(&path).await.json, *row, "{path}");
        }
        let other = api.new_call().await;
        let elsewhere = format!("Calls/{other}/Notifications/{sid}.json");
        assert_eq!(api.get(&elsewhere).await.problem(), (404, 20404));
    }
    assert_eq!(
        api.request("DELETE", &format!("Calls/{call}.json"), "")
            .await
            .status,
        204
    );
    let gone = api.get(&format!("Calls/{call}/Events.json")).await;
    assert_eq!(gone.problem(), (404, 20404));
}

#[tokio::test]
async fn a_callback_that_found_no_way_says_what_stood_in_it() {
    let api = Api::new();
    let protocol = |why: &str| Err(HttpError::Protocol(format!("https://a/told: {why}")));
    let nobody = "a: failed to lookup address information: Name or service not known";
    let answers = vec![
        Err(HttpError::Unreachable(nobody.to_owned())),
        Err(HttpError::Unreachable("a: Connection refused".to_owned())),
        protocol("TLS: client error (Connect): invalid peer certificate: Expired"),
        protocol("TLS: client error (Connect): invalid peer certificate: UnknownIssuer"),
        protocol("TLS: client error (Connect): tls handshake eof"),
        protocol("invalid HTTP version parsed"),
    ];
    let call = answered(&api, answers).await;
    let told = api.get(&format!("Calls/{call}/Notifications.json")).await;
    let mut codes = column(&told.json["notifications"], "error_code");
    codes.reverse();
    let expected = ["11210", "11205", "11236", "11237", "11220", "11206"];
    assert_eq!(codes, expected, "{told:?}");
}

#[tokio::test]
async fn notifications_are_listed_by_their_date() {
    let api = Api::new();
    over(&api, 7).await;
    for (query, count) in [
        ("MessageDate=2010-08-31", 2),
        ("MessageDate=2010-09-01", 0),
        ("MessageDate%3C=2010-08-31", 0),
        ("MessageDate%3E=2010-08-31", 2),
        ("MessageDate%3E=2010-08-31&Log=0", 1),
    ] {
        let answer = api.get(&format!("Notifications.json?{query}")).await;
        let rows = answer.json["notifications"].as_array().unwrap();
        assert_eq!(rows.len(), count, "{query}");
    }
    let wrong = api.get("Notifications.json?MessageDate=yesterday").await;
    assert_eq!(wrong.problem(), (400, 20001));
}

#[tokio::test]
async fn what_calls_came_to_is_counted_by_category_and_day() {
    let api = Api::new();
    over(&api, 7).await;
    over(&api, 61).await;
    let unanswered = api.new_call().await;
    let record = CallRecord::new(CallStatus::NoAnswer, "nobody");
    api.store
        .finish_call(unanswered, record, START_UNIX_MS, None)
        .wait()
        .unwrap();
    let all = api.get("Usage/Records.json").await;
    let rows = &all.json["usage_records"];
    let mut found: Vec<_> = column(rows, "category")
        .into_iter()
        .zip(column(rows, "count"))
        .zip(column(rows, "usage"))
        .collect();
    found.sort();
    let row = |category: &str, count: &str, minutes: &str| {
        ((category.to_owned(), count.to_owned()), minutes.to_owned())
    };
    let expected = [
        row("calls", "2", "3"),
        row("calls-inbound", "0", "0"),
        row("calls-outbound", "2", "3"),
        row("recordings", "0", "0"),
    ];
    assert_eq!(found, expected);
    assert_eq!(rows[0]["end_date"], "2010-08-31");
    let daily = api.get("Usage/Records/Daily.json?Category=calls").await;
    let rows = &daily.json["usage_records"];
    assert_eq!(
        (column(rows, "start_date"), column(rows, "count")),
        (vec!["2010-08-31".to_owned()], vec!["2".to_owned()])
    );
    for (query, calls) in [
        ("StartDate=2010-08-31&EndDate=2010-08-31", "2"),
        ("EndDate=2010-08-30", "0"),
        ("StartDate=-1day", "2"),
        ("StartDate=%2B1days", "0"),
        ("IncludeSubaccounts=false", "2"),
    ] {
        let answer = api
            .get(&format!("Usage/Records.json?Category=calls&{query}"))
            .await;
        assert_eq!(
            column(&answer.json["usage_records"], "count"),
            [calls],
            "{query}"
        );
    }
    for wrong in [
        "Category=sms",
        "StartDate=yesterday",
        "IncludeSubaccounts=maybe",
    ] {
        let answer = api.get(&format!("Usage/Records.json?{wrong}")).await;
        assert_eq!(answer.problem(), (400, 20001), "{wrong}");
    }
}
