//! The `Streams` of a call: begun and ended while it goes on.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use call::{CallSid, CallStatus, HttpMethod, StreamTracks};
use serde_json::Value;
use support::{Api, SID};

/// A call that is up, and the path of its streams.
async fn up(api: &Api) -> (CallSid, String) {
    let call = api.new_call().await;
    api.advance(call, CallStatus::InProgress);
    (call, format!("Calls/{call}/Streams"))
}

#[tokio::test]
async fn a_stream_is_begun_and_ended_by_its_sid_or_its_name() {
    let api = Api::new();
    let (call, path) = up(&api).await;
    let form = "Url=wss://a.example/listen&Name=ear&Track=both_tracks&StatusCallback=https://a.example/told&StatusCallbackMethod=GET\
        &Parameter2.Name=empty&Parameter1.Name=customer&Parameter1.Value=47%2011";
    let begun = api.post(&format!("{path}.json"), form).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let sid = begun.json["sid"].as_str().unwrap().to_owned();
    assert!(sid.starts_with("MZ") && sid.len() == 34, "{sid}");
    let mut properties: Vec<_> = begun.json.as_object().unwrap().keys().collect();
    properties.sort();
    let known = [
        "account_sid",
        "call_sid",
        "date_updated",
        "name",
        "sid",
        "status",
        "uri",
    ];
    assert_eq!(properties, known);
    let text = |json: &Value, name: &str| json[name].as_str().unwrap().to_owned();
    assert_eq!(text(&begun.json, "account_sid"), SID);
    assert_eq!(text(&begun.json, "call_sid"), call.to_string());
    assert_eq!(text(&begun.json, "name"), "ear");
    assert_eq!(text(&begun.json, "status"), "in-progress");
    assert_eq!(
        text(&begun.json, "date_updated"),
        "Tue, 31 Aug 2010 20:36:28 +0000"
    );
    let one = format!("/2010-04-01/Accounts/{SID}/{path}/{sid}.json");
    assert_eq!(text(&begun.json, "uri"), one);
    for name in [format!("{path}/{sid}.json"), format!("{path}/ear.json")] {
        let stopped = api.post(&name, "Status=stopped").await;
        assert_eq!(stopped.status, 200, "{stopped:?}");
        assert_eq!(text(&stopped.json, "status"), "stopped");
        assert_eq!(text(&stopped.json, "sid"), sid);
    }
    let request = api.taps.begun.lock().unwrap().remove(0);
    assert_eq!(
        (request.tracks, request.both_ways),
        (StreamTracks::Both, false)
    );
    let pairs = [("customer", "47 11"), ("empty", "")];
    assert_eq!(
        request.parameters,
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let callback = request.status_callback.unwrap();
    assert_eq!(
        (callback.url.as_str(), callback.method),
        ("https://a.example/told", HttpMethod::Get)
    );
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_is_done() {
    let api = Api::new();
    let (call, path) = up(&api).await;
    for (form, code, words) in [
        ("", 20001, "`Url` is required"),
        ("Url=https://a.example/", 31922, "wss://"),
        ("Url=wss", 31922, "wss://"),
        (
            "Url=wss://a/&Track=inbound",
            20001,
            "inbound_track, outbound_track, both_tracks",
        ),
        ("Url=wss://a/&ConnectorName=x", 20001, "not supported"),
        ("Url=wss://a/&StatusCallback=ftp://a/", 21609, "http://"),
        (
            "Url=wss://a/&StatusCallbackMethod=GET",
            20001,
            "without `StatusCallback`",
        ),
        (
            "Url=wss://a/&Parameter1.Value=x",
            20001,
            "without `Parameter1.Name`",
        ),
        (
            "Url=wss://a/&Parameter100.Name=x",
            20001,
            "Unknown parameter `Parameter100.Name`",
        ),
        (
            "Url=wss://a/&Parameter01.Name=x",
            20001,
            "Unknown parameter `Parameter01.Name`",
        ),
        (
            "Url=wss://a/&Parameter1.Names=x",
            20001,
            "Unknown parameter `Parameter1.Names`",
        ),
    ] {
        let answer = api.post(&format!("{path}.json"), form).await;
        assert_eq!(answer.problem(), (400, code), "{form}");
        assert!(answer.message().contains(words), "{}", answer.message());
    }
    assert_eq!(api.taps.begun.lock().unwrap().len(), 0);
    let taken = api
        .post(&format!("{path}.json"), "Url=wss://a/&Name=taken")
        .await;
    assert_eq!(taken.problem(), (400, 20001));
    assert_eq!(taken.message(), "that name is taken");
    let one = format!("{path}/ear.json");
    for form in ["", "Status=in-progress"] {
        assert_eq!(api.post(&one, form).await.problem(), (400, 20001), "{form}");
    }
    let other = format!("{path}/mouth.json");
    assert_eq!(
        api.post(&other, "Status=stopped").await.problem(),
        (404, 20404)
    );
    assert_eq!(api.get(&one).await.problem(), (405, 20004));
    let ended = api
        .post(&format!("Calls/{call}.json"), "Status=completed")
        .await;
    assert_eq!(ended.json["status"], "completed", "{ended:?}");
    let over = api.post(&format!("{path}.json"), "Url=wss://a/").await;
    assert_eq!(over.problem(), (400, 21220), "{over:?}");
}
