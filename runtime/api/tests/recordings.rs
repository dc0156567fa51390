//! The `Recordings` resource: begin, change, list, fetch, delete.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::http::StatusCode;
use call::CallStatus;
use http_body_util::BodyExt as _;
use support::{Api, OTHER_SID, OTHER_TOKEN, RE, SID, TOKEN, WAV, request};
use tower::ServiceExt as _;

/// A call that is up and recorded: its path.
async fn recorded(api: &Api) -> String {
    let call = api.new_call().await;
    api.advance(call, CallStatus::InProgress);
    let path = format!("Calls/{call}/Recordings");
    let begun = api
        .post(&format!("{path}.json"), "RecordingChannels=dual")
        .await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    assert_eq!(begun.json["sid"], RE.to_string());
    assert_eq!(begun.json["status"], "in-progress");
    assert_eq!(
        (&begun.json["channels"], &begun.json["duration"]),
        (&2.into(), &"-1".into())
    );
    path
}

#[tokio::test]
async fn a_recording_is_begun_paused_stopped_fetched_and_deleted() {
    let api = Api::new();
    let path = recorded(&api).await;
    let current = format!("{path}/Twilio.CURRENT.json");
    let paused = api.post(&current, "Status=paused&PauseBehavior=skip").await;
    assert_eq!(paused.json["status"], "paused", "{paused:?}");
    let one = format!("Recordings/{RE}.json");
    assert_eq!(
        api.request("DELETE", &one, "").await.problem(),
        (400, 20001)
    );
    let stopped = api.post(&current, "Status=stopped").await;
    assert_eq!(stopped.json["status"], "completed");
    assert_eq!(stopped.json["duration"], "4");
    let fetched = api.get(&one).await;
    assert_eq!(fetched.json, stopped.json);
    assert_eq!(
        fetched.json["media_url"],
        format!("https://voice.example/2010-04-01/Accounts/{SID}/Recordings/{RE}")
    );
    for (suffix, media_type, format) in [
        ("", "audio/x-wav", "wav"),
        (".wav", "audio/x-wav", "wav"),
        (".mp3", "audio/mpeg", "mp3"),
    ] {
        let path = format!("Recordings/{RE}{suffix}");
        let request = request("GET", &path, "", (SID, TOKEN));
        let response = api.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], media_type);
        assert_eq!(response.headers()["x-recording-format"], format);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, WAV);
    }
    let both = request(
        "GET",
        &format!("Recordings/{RE}.wav?RequestedChannels=2"),
        "",
        (SID, TOKEN),
    );
    let both = api.router.clone().oneshot(both).await.unwrap();
    assert_eq!(both.status(), StatusCode::OK);
    for asked in [".wav?RequestedChannels=3", ".mp3?RequestedChannels=1"] {
        let refused = api.get(&format!("Recordings/{RE}{asked}")).await;
        assert_eq!(refused.problem(), (400, 20001), "{asked}");
    }
    let delete = request("DELETE", &one, "", (SID, TOKEN));
    let deleted = api.router.clone().oneshot(delete).await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(api.get(&one).await.problem(), (404, 20404));
}

#[tokio::test]
async fn recordings_are_listed_for_their_account_and_their_call() {
    let api = Api::new();
    let path = recorded(&api).await;
    for list in [format!("{path}.json"), "Recordings.json".to_owned()] {
        let page = api.get(&list).await;
        assert_eq!(
            page.json["recordings"][0]["sid"],
            RE.to_string(),
            "{page:?}"
        );
    }
    let other = format!("/2010-04-01/Accounts/{OTHER_SID}/Recordings");
    let theirs = request(
        "GET",
        &format!("{other}.json"),
        "",
        (OTHER_SID, OTHER_TOKEN),
    );
    assert_eq!(
        api.send(theirs).await.json["recordings"],
        serde_json::json!([])
    );
    let theirs = request(
        "GET",
        &format!("{other}/{RE}.wav"),
        "",
        (OTHER_SID, OTHER_TOKEN),
    );
    assert_eq!(api.send(theirs).await.problem(), (404, 20404));
}

#[tokio::test]
async fn what_cannot_be_recorded_is_refused() {
    let api = Api::new();
    let call = api.new_call().await;
    let path = format!("Calls/{call}/Recordings.json");
    assert_eq!(api.post(&path, "").await.problem(), (400, 21220));
    api.advance(call, CallStatus::InProgress);
    for form in [
        "RecordingChannels=three",
        "RecordingTrack=x",
        "Trim=x",
        "RecordingStatusCallbackEvent=absent",
    ] {
        assert_eq!(
            api.post(&path, form).await.problem(),
            (400, 20001),
            "{form}"
        );
    }
    let unknown = format!("Calls/{call}/Recordings/{RE}.json");
    assert_eq!(
        api.post(&unknown, "Status=stopped").await.problem(),
        (404, 20404)
    );
    assert_eq!(
        api.get(&format!("Recordings/{RE}")).await.problem(),
        (404, 20404)
    );
}
