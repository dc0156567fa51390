//! The `Recordings` resource: begin, change, list, fetch, delete.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use call::CallStatus;
use http_body_util::BodyExt as _;
use serde_json::Value;
use store::{RecordingEnding, RecordingStatus, Store as _};
use support::{
    Api, MIXED_MP3, NOBODY_SID, OTHER_SID, OTHER_TOKEN, RE, SID, START_UNIX_MS, TENANTS, TOKEN,
    WAV, request,
};
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
    for (asked, expected) in [
        (".wav?RequestedChannels=2", WAV),
        (".mp3?RequestedChannels=2", WAV),
        (".mp3?RequestedChannels=1", MIXED_MP3),
    ] {
        let path = format!("Recordings/{RE}{asked}");
        let request = request("GET", &path, "", (SID, TOKEN));
        let response = api.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{asked}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, expected, "{asked}");
    }
    for asked in [".wav?RequestedChannels=3", ".mp3?RequestedChannels=0"] {
        let refused = api.get(&format!("Recordings/{RE}{asked}")).await;
        assert_eq!(refused.problem(), (400, 20001), "{asked}");
    }
    let delete = request("DELETE", &one, "", (SID, TOKEN));
    let deleted = api.router.clone().oneshot(delete).await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(api.get(&one).await.problem(), (404, 20404));
}

/// Slow clients of one account bound each other, and nobody else: whoever has taken all or leaves makes room.
#[tokio::test]
async fn a_recording_without_a_whole_file_says_why() {
    for (status, code) in [
        (RecordingStatus::Completed, Value::Null),
        (RecordingStatus::Absent, 16_102.into()),
        (RecordingStatus::Failed, 12_400.into()),
    ] {
        let api = Api::new();
        recorded(&api).await;
        let path = format!("Recordings/{RE}.json");
        assert_eq!(api.get(&path).await.json["error_code"], Value::Null);
        let ending = RecordingEnding {
            status,
            duration_ms: 0,
            file_bytes: 0,
        };
        let ended = api.store.finish_recording(RE, ending, START_UNIX_MS);
        ended.wait().unwrap();
        let shown = api.get(&path).await;
        assert_eq!(shown.json["error_code"], code, "{shown:?}");
    }
}

#[tokio::test]
async fn an_account_fetches_so_many_mp3_files_at_once() {
    let api = Api::new();
    let path = recorded(&api).await;
    let current = format!("{path}/Twilio.CURRENT.json");
    let stopped = api.post(&current, "Status=stopped").await;
    assert_eq!(stopped.json["status"], "completed");
    let fetch = async |suffix: &str| {
        let path = format!("Recordings/{RE}{suffix}");
        let request = request("GET", &path, "", (SID, TOKEN));
        api.router.clone().oneshot(request).await.unwrap()
    };
    let mut slow = Vec::new();
    for _ in 0..32 {
        slow.push(fetch(".mp3").await);
    }
    assert!(slow.iter().all(|answer| answer.status() == StatusCode::OK));
    let refused = fetch(".mp3").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(fetch(".wav").await.status(), StatusCode::OK);
    let taken = slow.pop().unwrap().into_body().collect().await;
    assert_eq!(taken.unwrap().to_bytes(), WAV);
    assert_eq!(fetch(".mp3").await.status(), StatusCode::OK);
    drop(slow.pop());
    slow.push(fetch(".mp3").await);
    slow.push(fetch(".mp3").await);
    assert_eq!(fetch(".mp3").await.status(), StatusCode::TOO_MANY_REQUESTS);
    // Nor does whoever takes nothing hold a place for ever.
    tokio::task::yield_now().await; // their times begin
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(601)).await;
    tokio::time::resume();
    let is_refused = async || fetch(".mp3").await.status() != StatusCode::OK;
    let mut turns = 0..100;
    while is_refused().await {
        turns.next().expect("their places are free again");
        tokio::task::yield_now().await;
    }
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

/// What somebody without credentials gets.
async fn asked_by_nobody(api: &Api, method: &str, path: &str) -> (StatusCode, Vec<u8>) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/2010-04-01/Accounts/{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("Status=stopped"))
        .unwrap();
    let response = api.router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, body.into())
}

/// An account's recording that is over, where the tenants file says this of the account.
async fn whole(line: &str) -> (Api, String) {
    let name = "name = \"hotline\"";
    let api = Api::with(&TENANTS.replacen(name, &format!("{name}\n{line}"), 1));
    let path = recorded(&api).await;
    let current = format!("{path}/Twilio.CURRENT.json");
    let stopped = api.post(&current, "Status=stopped").await;
    assert_eq!(stopped.json["status"], "completed", "{stopped:?}");
    (api, path)
}

#[tokio::test]
async fn with_open_recordings_the_files_alone_are_open() {
    let (api, path) = whole("open_recordings = true").await;
    for suffix in ["", ".wav", ".mp3", ".wav?RequestedChannels=2"] {
        let path = format!("{SID}/Recordings/{RE}{suffix}");
        let got = asked_by_nobody(&api, "GET", &path).await;
        assert_eq!(got, (StatusCode::OK, WAV.to_vec()), "{path}");
        let head = asked_by_nobody(&api, "HEAD", &path).await;
        assert_eq!(head, (StatusCode::OK, Vec::new()), "{path}");
    }
    // What is not there looks the same, whatever is wrong with it.
    let unknown = RE.to_string().replace('4', "5");
    let mut answers = Vec::new();
    for name in [unknown.as_str(), "RE1", "x", ""] {
        for suffix in ["", ".wav", ".mp3"] {
            let path = format!("{SID}/Recordings/{name}{suffix}");
            let (status, body) = asked_by_nobody(&api, "GET", &path).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            let asked = format!("/2010-04-01/Accounts/{path}");
            let text = String::from_utf8(body).unwrap();
            assert!(text.contains(&asked), "{text}");
            answers.push(text.replace(&asked, "PATH"));
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    // All else is asked with credentials, and so is what others have.
    let closed = [
        ("GET", format!("{SID}/Recordings/{RE}.json")),
        ("GET", format!("{SID}/Recordings/{RE}%2Ejson")),
        ("GET", format!("{SID}/Recordings/{RE}.wav/")),
        ("GET", format!("{SID}/Recordings/{RE}.xml")),
        ("GET", format!("{SID}/Recordings.json")),
        ("GET", format!("{SID}/{path}/{RE}.json")),
        ("GET", format!("{SID}/{path}/{RE}.wav")),
        ("DELETE", format!("{SID}/Recordings/{RE}.wav")),
        ("DELETE", format!("{SID}/Recordings/{RE}")),
        ("POST", format!("{SID}/Recordings/{RE}.wav")),
        ("GET", format!("{SID}.json")),
        ("GET", format!("{SID}/Calls.json")),
        ("GET", format!("{OTHER_SID}/Recordings/{RE}.wav")),
        ("GET", format!("{NOBODY_SID}/Recordings/{RE}.wav")),
    ];
    for (method, path) in closed {
        let (status, _) = asked_by_nobody(&api, method, &path).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    // Credentials are good as ever, and wrong ones wrong.
    let path = format!("Recordings/{RE}.wav");
    let with = async |user| api.status("GET", &path, user).await;
    assert_eq!(with((SID, TOKEN)).await, 200);
    assert_eq!(with((SID, OTHER_TOKEN)).await, 401);
    assert_eq!(with((OTHER_SID, OTHER_TOKEN)).await, 404);
    assert!(api.get(&format!("Recordings/{RE}.json")).await.status == 200);
}

#[tokio::test]
async fn without_open_recordings_nothing_is_open() {
    for line in ["", "open_recordings = false"] {
        let (api, _) = whole(line).await;
        for suffix in ["", ".wav", ".mp3", ".json"] {
            let path = format!("{SID}/Recordings/{RE}{suffix}");
            let (status, _) = asked_by_nobody(&api, "GET", &path).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        }
    }
}

#[tokio::test]
async fn whose_voice_is_recorded_is_shown_and_what_is_not_there_is_refused() {
    for (form, track) in [
        ("", "both"),
        ("RecordingTrack=both", "both"),
        ("RecordingTrack=inbound", "inbound"),
        ("RecordingTrack=outbound", "outbound"),
    ] {
        let api = Api::new();
        let call = api.new_call().await;
        api.advance(call, CallStatus::InProgress);
        let path = format!("Calls/{call}/Recordings.json");
        let begun = api.post(&path, form).await;
        assert_eq!(begun.json["track"], track, "{form}: {begun:?}");
        let listed = api.get("Recordings.json").await;
        assert_eq!(listed.json["recordings"][0]["track"], track);
        let refused = api.post(&path, "RecordingConfigurationId=x").await;
        assert_eq!(refused.problem(), (400, 20001));
        let one = format!("Recordings/{RE}.json");
        for path in ["Recordings.json", &one] {
            let asked = |value| format!("{path}?IncludeSoftDeleted={value}");
            assert_eq!(api.get(&asked("true")).await.problem(), (400, 20001));
            assert_eq!(api.get(&asked("false")).await.status, 200, "{path}");
        }
    }
}
