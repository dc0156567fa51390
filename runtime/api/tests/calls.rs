//! The `Calls` resource: create, fetch, update, list.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use call::{CallSid, CallStatus};
use jackfield_api::{End, EndError};
use serde_json::{Value, json};
use store::{AccountStore as _, CallFilter, CallRow, Flow, Scope, StoreError, WebhookMethod};
use support::broken::Broken;
use support::{Answer, Api, SID, START_UNIX_MS};

fn scope() -> Scope {
    Scope::of_host(SID.parse().unwrap())
}

fn kept(api: &Api) -> Vec<CallRow> {
    api.store
        .calls(scope(), &CallFilter::default(), None, 100)
        .unwrap()
        .rows
}

#[tokio::test]
async fn a_new_call_is_kept_queued_and_handed_on() {
    let api = Api::new();
    let form = "To=%2B855+12+345-678&From=%2B85511111111&Url=https%3A%2F%2Fapp.example%2Fv%3Fa%3D1&Method=GET&Timeout=25";
    let answer = api.post("Calls.json", form).await;
    assert_eq!(answer.status, 201);
    let rows = kept(&api);
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (row.to.as_str(), row.from.as_str()),
        ("+85512345678", "+85511111111")
    );
    assert_eq!(row.ring_timeout_s, Some(25));
    let url = "https://app.example/v?a=1".to_owned();
    assert_eq!(
        row.flow,
        Flow::VoiceUrl {
            url,
            method: WebhookMethod::Get
        }
    );
    assert_eq!(*api.live.accepted.lock().unwrap(), [row.sid]);
    let sid = row.sid.to_string();
    let date = "Tue, 31 Aug 2010 20:36:28 +0000";
    let own = api.get("IncomingPhoneNumbers.json?PhoneNumber=%2B85511111111");
    let own = own.await.json["incoming_phone_numbers"][0]["sid"].clone();
    assert!(own.is_string(), "{own}");
    let expected = json!({
        "sid": sid,
        "date_created": date,
        "date_updated": date,
        "parent_call_sid": null,
        "account_sid": SID,
        "to": "+85512345678",
        "to_formatted": "+85512345678",
        "from": "+85511111111",
        "from_formatted": "+85511111111",
        "phone_number_sid": own,
        "status": "queued",
        "start_time": null,
        "end_time": null,
        "duration": null,
        "price": null,
        "price_unit": null,
        "direction": "outbound-api",
        "answered_by": null,
        "api_version": "2010-04-01",
        "forwarded_from": null,
        "group_sid": null,
        "caller_name": null,
        "queue_time": null,
        "trunk_sid": null,
        "uri": format!("/2010-04-01/Accounts/{SID}/Calls/{sid}.json"),
        "subresource_uris": {
            "events": format!("/2010-04-01/Accounts/{SID}/Calls/{sid}/Events.json"),
            "notifications": format!("/2010-04-01/Accounts/{SID}/Calls/{sid}/Notifications.json"),
            "recordings": format!("/2010-04-01/Accounts/{SID}/Calls/{sid}/Recordings.json"),
        },
    });
    assert_eq!(answer.json, expected);
    assert_eq!(api.get(&format!("Calls/{sid}.json")).await.json, expected);
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn what_a_call_does_comes_from_url_or_twiml() {
    const URL: &str = "http://app.example/";
    let voice = |method| Flow::VoiceUrl {
        url: URL.to_owned(),
        method,
    };
    for (form, flow) in [
        ("Url=http://app.example/", voice(WebhookMethod::Post)),
        (
            "Url=http://app.example/&Method=post",
            voice(WebhookMethod::Post),
        ),
        (
            "Url=http://app.example/&Method=GET",
            voice(WebhookMethod::Get),
        ),
        (
            "Url=http://app.example/&Twiml=x",
            voice(WebhookMethod::Post),
        ),
        (
            "Url=&Twiml=%3CResponse/%3E",
            Flow::Twiml("<Response/>".to_owned()),
        ),
    ] {
        let api = Api::new();
        let answer = api
            .post("Calls.json", &format!("To=1294&From=345&{form}"))
            .await;
        assert_eq!(answer.status, 201, "{form}: {answer:?}");
        let row = kept(&api).remove(0);
        assert_eq!(row.flow, flow, "{form}");
        // The story warns of what it does not run.
        let is_ignored = form.ends_with("/&Twiml=x");
        assert_eq!(row.settings.contains_key("twiml-ignored"), is_ignored);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_new_call_has_twilios_code() {
    let api = Api::new();
    let long = format!("To=1294&From=345&Twiml={}", "%C3%A9".repeat(4001));
    for (form, status, code, named) in [
        ("", 400, 21201, "`To`"),
        ("From=345&Twiml=x", 400, 21201, "`To`"),
        ("To=&From=345&Twiml=x", 400, 21201, "`To`"),
        ("To=1294&Twiml=x", 400, 21213, "`From`"),
        ("To=1294&From=345", 400, 21205, "`Url` or `Twiml`"),
        ("To=1294&From=345&Url=voice.xml", 400, 21205, "`Url`"),
        ("To=1294&From=345&Url=ftp://a.example/", 400, 21205, "`Url`"),
        ("To=1294&From=345&Url=http://", 400, 21205, "`Url`"),
        (
            "To=1294&From=345&Twiml=x&Method=PUT",
            400,
            21209,
            "`Method`",
        ),
        (
            "To=1294&From=345&Twiml=x&Timeout=0",
            400,
            21208,
            "`Timeout`",
        ),
        (
            "To=1294&From=345&Twiml=x&Timeout=601",
            400,
            21208,
            "`Timeout`",
        ),
        (
            "To=1294&From=345&Twiml=x&Timeout=x",
            400,
            21208,
            "`Timeout`",
        ),
        (&long, 400, 32018, "`Twiml`"),
        ("To=1294&From=anonymous&Twiml=x", 400, 21212, "`From`"),
        ("To=1294&From=sip:a@192.0.2.1&Twiml=x", 400, 21212, "`From`"),
        ("To=1294&From=999&Twiml=x", 400, 21210, "`From`"),
        ("To=1294&From=%2B85522222222&Twiml=x", 400, 21210, "`From`"),
        ("To=nobody&From=345&Twiml=x", 400, 21211, "`To`"),
        ("To=client:a@b&From=345&Twiml=x", 400, 21211, "`To`"),
        (
            "To=client:alice&From=345&Twiml=x",
            400,
            21215,
            "outbound.allow",
        ),
        ("To=%2B1&From=345&Twiml=x", 400, 21211, "`To`"),
        (
            "To=%2B252611234567&From=345&Twiml=x",
            400,
            21215,
            "outbound.allow",
        ),
        ("To=1295&From=345&Twiml=x", 400, 21215, "outbound.allow"),
        ("To=sip:a@192.0.2.9&From=345&Twiml=x", 400, 21214, "trunk"),
        (
            "To=1294&From=345&Twiml=x&Record=maybe",
            400,
            20001,
            "`Record`",
        ),
        (
            "To=1294&From=345&Twiml=x&MachineDetection=Maybe",
            400,
            20001,
            "`MachineDetection`",
        ),
        (
            "To=1294&From=345&Twiml=x&CallToken=x",
            400,
            20001,
            "`CallToken`",
        ),
        (
            "To=1294&From=345&Twiml=x&SendDigits=a",
            400,
            21206,
            "`SendDigits`",
        ),
        (
            "To=1294&From=345&Twiml=x&Nonsense=1",
            400,
            20001,
            "`Nonsense`",
        ),
        ("To=1294&To=1294&From=345&Twiml=x", 400, 20001, "`To`"),
    ] {
        let answer = api.post("Calls.json", form).await;
        assert_eq!(answer.problem(), (status, code), "{form}: {answer:?}");
        assert!(answer.message().contains(named), "{form}: {answer:?}");
    }
    assert!(kept(&api).is_empty());
    assert!(api.live.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let api = Api::new();
    let mut request = support::request("POST", "Calls.json", "{}", (SID, support::TOKEN));
    request
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    let answer = api.send(request).await;
    assert_eq!(answer.problem(), (400, 20001));
    assert!(answer.message().contains("x-www-form-urlencoded"));
}

#[tokio::test]
async fn without_room_in_the_queue_a_new_call_is_a_429() {
    let api = Api::new();
    api.live.full.store(true, Ordering::SeqCst);
    let answer = api.post("Calls.json", "To=1294&From=345&Twiml=x").await;
    assert_eq!(answer.problem(), (429, 20429));
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(kept(&api).is_empty());
}

#[tokio::test]
async fn a_call_that_is_not_kept_is_not_acknowledged() {
    let api = Api::over(|store| Arc::new(Broken(store)));
    let answer = api.post("Calls.json", "To=1294&From=345&Twiml=x").await;
    assert_eq!(answer.problem(), (500, 20500));
    assert!(api.live.accepted.lock().unwrap().is_empty());
    let answer = api
        .get("Calls/CA00000000000000000000000000000000.json")
        .await;
    assert_eq!(answer.problem(), (500, 20500));
    assert!(!answer.message().contains("bytes"));
    let answer = api.get("Calls.json").await;
    assert_eq!(answer.problem(), (503, 20503));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn completed_and_canceled_end_a_call() {
    for (reached, asked, how, then, duration) in [
        (CallStatus::Queued, "canceled", End::Cancel, "canceled", "0"),
        (
            CallStatus::Queued,
            "completed",
            End::Complete,
            "canceled",
            "0",
        ),
        (
            CallStatus::Ringing,
            "canceled",
            End::Cancel,
            "canceled",
            "0",
        ),
        (
            CallStatus::Ringing,
            "completed",
            End::Complete,
            "canceled",
            "0",
        ),
        (
            CallStatus::InProgress,
            "completed",
            End::Complete,
            "completed",
            "7",
        ),
    ] {
        let api = Api::new();
        let call = api.new_call().await;
        if reached != CallStatus::Queued {
            api.advance(call, reached);
        }
        let path = format!("Calls/{call}.json");
        let answer = api.post(&path, &format!("Status={asked}")).await;
        assert_eq!(answer.status, 200, "{reached} {asked}: {answer:?}");
        assert_eq!(answer.json["status"], then, "{reached} {asked}");
        assert_eq!(answer.json["duration"], duration, "{reached} {asked}");
        assert_eq!(answer.json["end_time"], "Tue, 31 Aug 2010 20:36:37 +0000");
        let account = SID.parse().unwrap();
        assert_eq!(*api.live.ended.lock().unwrap(), [(account, call, how)]);
        let again = api.post(&path, &format!("Status={asked}")).await;
        assert_eq!(again.problem(), (400, 21220), "a call ends once");
        assert_eq!(api.live.ended.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_call_shows_when_it_was_dialled() {
    let api = Api::new();
    let call = api.new_call().await;
    api.advance(call, CallStatus::InProgress);
    let json = api.get(&format!("Calls/{call}.json")).await.json;
    assert_eq!(json["status"], "in-progress");
    assert_eq!(json["start_time"], "Tue, 31 Aug 2010 20:36:33 +0000");
    assert_eq!(json["queue_time"], "5000");
    assert_eq!(
        (&json["end_time"], &json["duration"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_update_has_twilios_code() {
    let api = Api::new();
    let call = api.new_call().await;
    let path = format!("Calls/{call}.json");
    for (form, named) in [
        ("", "`Status`"),
        ("Status=ringing", "`Status`"),
        ("TimeLimit=0", "`TimeLimit`"),
        ("Twiml=x&Status=completed", "`Twiml`"),
        ("FallbackUrl=http://a/", "`FallbackUrl` has no effect"),
        ("Method=GET&Status=completed", "`Method` has no effect"),
        (
            "FallbackMethod=GET&TimeLimit=9",
            "`FallbackMethod` has no effect",
        ),
        ("Twiml=x&FallbackMethod=GET", "without `FallbackUrl`"),
        ("Nonsense=1", "`Nonsense`"),
    ] {
        let answer = api.post(&path, form).await;
        assert_eq!(answer.problem(), (400, 20001), "{form}");
        assert!(answer.message().contains(named), "{form}: {answer:?}");
    }
    api.advance(call, CallStatus::InProgress);
    let answer = api.post(&path, "Status=canceled").await;
    assert_eq!(answer.problem(), (400, 21220));
    assert!(answer.message().contains("in-progress"));
    assert!(api.live.ended.lock().unwrap().is_empty());
    for (failure, expected) in [
        (EndError::WrongState, (400, 21220)),
        (EndError::Store(StoreError::Busy), (503, 20503)),
    ] {
        *api.live.failure.lock().unwrap() = Some(failure);
        assert_eq!(
            api.post(&path, "Status=completed").await.problem(),
            expected
        );
    }
}

#[tokio::test]
async fn a_list_is_walked_by_its_next_page_uri() {
    let api = Api::new();
    let mut made = Vec::new();
    for n in 0..5 {
        api.now.store(START_UNIX_MS + n, Ordering::SeqCst);
        made.push(api.new_call().await.to_string());
    }
    let mut seen: Vec<String> = Vec::new();
    let mut uri = "Calls.json?PageSize=2&To=%2B85512345678".to_owned();
    let mut previous = Value::Null;
    for (page, count) in [(0, 2), (1, 2), (2, 1)] {
        let answer: Answer = api.get(&uri).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let json = answer.json;
        let first =
            format!("/2010-04-01/Accounts/{SID}/Calls.json?To=%2B85512345678&PageSize=2&Page=0");
        assert_eq!(json["first_page_uri"], first);
        assert_eq!(
            (&json["page"], &json["page_size"]),
            (&json!(page), &json!(2))
        );
        assert_eq!(
            (&json["start"], &json["end"]),
            (&json!(page * 2), &json!(page * 2 + count - 1))
        );
        assert_eq!(json["previous_page_uri"], previous);
        previous = json["uri"].clone();
        if page > 0 {
            assert_eq!(json["uri"], uri.as_str());
            let back = api.get(json["previous_page_uri"].as_str().unwrap()).await;
            assert_eq!(back.json["calls"].as_array().unwrap().len(), 2);
            assert_eq!(back.json["next_page_uri"], uri.as_str());
        }
        let calls = json["calls"].as_array().unwrap();
        assert_eq!(calls.len(), count);
        seen.extend(
            calls
                .iter()
                .map(|call| call["sid"].as_str().unwrap().to_owned()),
        );
        assert_eq!(json["next_page_uri"].is_null(), page == 2);
        json["next_page_uri"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut uri);
    }
    made.reverse();
    assert_eq!(seen, made, "each once, newest first");
}

#[tokio::test]
async fn a_list_is_walked_back_twenty_pages() {
    let api = Api::new();
    for n in 0..23 {
        api.now.store(START_UNIX_MS + n, Ordering::SeqCst);
        api.new_call().await;
    }
    let mut walked = vec![api.get("Calls.json?PageSize=1").await.json];
    while let Some(next) = walked.last().unwrap()["next_page_uri"].as_str() {
        walked.push(api.get(next).await.json);
    }
    assert_eq!(walked.len(), 23);
    let mut page = walked.pop().unwrap();
    for _ in 0..19 {
        page = api
            .get(page["previous_page_uri"].as_str().unwrap())
            .await
            .json;
        assert_eq!(page["calls"], walked.pop().unwrap()["calls"]);
    }
    assert_eq!(
        (&page["page"], &page["previous_page_uri"]),
        (&json!(3), &Value::Null)
    );
    let of_another = page["uri"].as_str().unwrap().replace("Page=3", "Page=0");
    assert_eq!(api.get(&of_another).await.problem(), (400, 20001));
}

#[tokio::test]
async fn a_page_has_a_thousand_rows_at_most() {
    let api = Api::new();
    api.new_call().await;
    let large = api.get("Calls.json?PageSize=1001").await.json;
    assert_eq!(large["page_size"], 1000);
    assert!(large["uri"].as_str().unwrap().contains("PageSize=1000&"));
}

#[tokio::test]
async fn a_list_is_filtered_by_what_it_names() {
    let api = Api::new();
    let (ringing, queued) = (api.new_call().await, api.new_call().await);
    api.advance(ringing, CallStatus::Ringing);
    for (query, expected) in [
        ("", vec![ringing, queued]),
        ("?Status=ringing", vec![ringing]),
        ("?Status=queued&From=345", vec![queued]),
        ("?Status=completed", vec![]),
        ("?To=855+12345678", vec![ringing, queued]),
        ("?From=346", vec![]),
        ("?ParentCallSid=CA00000000000000000000000000000000", vec![]),
        ("?StartTime=", vec![ringing, queued]),
    ] {
        let answer = api.get(&format!("Calls.json{query}")).await;
        let calls = answer.json["calls"]
            .as_array()
            .unwrap_or_else(|| panic!("{query} {answer:?}"));
        let sids = calls
            .iter()
            .map(|call| call["sid"].as_str().unwrap().parse().unwrap());
        let mut sids: Vec<CallSid> = sids.collect();
        let mut expected = expected;
        sids.sort();
        expected.sort();
        assert_eq!(sids, expected, "{query}");
        let page = (
            &answer.json["page"],
            &answer.json["page_size"],
            &answer.json["start"],
        );
        assert_eq!(page, (&json!(0), &json!(50), &json!(0)));
    }
    for (query, named) in [
        ("Status=ended", "`Status`"),
        ("ParentCallSid=x", "`ParentCallSid`"),
        ("PageSize=0", "`PageSize`"),
        ("PageSize=x", "`PageSize`"),
        ("Page=1", "`PageToken`"),
        ("PageToken=x&Page=1", "`PageToken`"),
        ("StartTime%3C=soon", "`StartTime<`"),
        ("Nonsense=1", "`Nonsense`"),
    ] {
        let answer = api.get(&format!("Calls.json?{query}")).await;
        assert_eq!(answer.problem(), (400, 20001), "{query}");
        assert!(answer.message().contains(named), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_call_that_is_up_gets_other_documents() {
    let api = Api::new();
    let call = api.new_call().await;
    let path = format!("Calls/{call}.json");
    let update = "Url=https://a.example/next&Method=GET&FallbackUrl=https://a.example/sorry";
    assert_eq!(
        api.post(&path, update).await.problem(),
        (400, 21220),
        "it waits"
    );
    api.advance(call, CallStatus::InProgress);
    assert_eq!(api.post(&path, update).await.status, 200);
    assert_eq!(api.post(&path, "Twiml=%3CResponse/%3E").await.status, 200);
    let redirected = api.live.redirected.lock().unwrap().clone();
    let flow = Flow::VoiceUrl {
        url: "https://a.example/next".to_owned(),
        method: WebhookMethod::Get,
    };
    assert_eq!((redirected[0].0, &redirected[0].1), (call, &flow));
    assert_eq!(redirected[0].2["fallback-url"], "https://a.example/sorry");
    assert_eq!(redirected[1].1, Flow::Twiml("<Response/>".to_owned()));
    assert!(redirected[1].2.is_empty());
    let both = "Url=https://a.example/next&Twiml=%3CResponse/%3E";
    assert_eq!(api.post(&path, both).await.status, 200);
    let (_, ran, settings) = api.live.redirected.lock().unwrap()[2].clone();
    assert!(matches!(ran, Flow::VoiceUrl { .. }), "{ran:?}");
    assert_eq!(settings["twiml-ignored"], "true");

    for (form, code) in [
        ("Url=ftp://a/", 21205),
        ("Twiml=x&Method=PUT", 21209),
        ("Method=GET", 20001),
    ] {
        assert_eq!(api.post(&path, form).await.problem(), (400, code), "{form}");
    }
    api.live.full.store(true, Ordering::SeqCst);
    let answer = api.post(&path, update).await;
    assert_eq!(answer.problem(), (400, 21220), "it is gone in the meantime");
}

#[tokio::test]
async fn keys_and_a_fallback_go_with_the_call() {
    let api = Api::new();
    let form = "To=1294&From=345&Url=http://a/&SendDigits=wW12%23*&FallbackUrl=http://a/sorry&FallbackMethod=get";
    assert_eq!(api.post("Calls.json", form).await.status, 201);
    let settings = kept(&api).remove(0).settings;
    let expected = [
        ("fallback-method", "GET"),
        ("fallback-url", "http://a/sorry"),
        ("send-digits", "wW12#*"),
    ];
    assert_eq!(
        settings,
        expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
    for (form, code) in [
        ("SendDigits=12a", 21206),
        ("SendDigits=123456789012345678901234567890123", 21206),
        ("FallbackUrl=voice.xml", 21205),
        ("FallbackUrl=http://a/&FallbackMethod=PUT", 21209),
        ("FallbackMethod=GET", 20001),
    ] {
        let answer = api
            .post(
                "Calls.json",
                &format!("To=1294&From=345&Url=http://a/&{form}"),
            )
            .await;
        assert_eq!(answer.problem(), (400, code), "{form}");
    }
}
