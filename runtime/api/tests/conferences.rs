//! The `Conferences` and `Participants` resources.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::http::StatusCode;
use call::{
    CallSid, ConferenceCallback, ConferenceInput, ConferenceSid, ConferenceTerms, ConferenceTopic,
    ConferenceTurn, HttpMethod, OrderedSound, Participant, ParticipantChange, RecordingChannels,
    RecordingSource, RecordingTracks, RecordingTurn, StatusCallback, WaitSound,
};
use serde_json::{Value, json};
use store::{
    AccountStore as _, CallFilter, CallbackOutcome, ConferenceNote, Flow, NewRecording, Scope,
    Store as _,
};
use support::{Api, OTHER_SID, OTHER_TOKEN, RE, SID, START_UNIX_MS, TOKEN, request};
use tower::ServiceExt as _;

fn cf(number: u8) -> ConferenceSid {
    ConferenceSid::from_bytes([number; 16])
}

fn ca(number: u8) -> CallSid {
    CallSid::from_bytes([number; 16])
}

fn note(api: &Api, number: u8, name: &str, at_unix_ms: u64, turn: ConferenceTurn) {
    let note = ConferenceNote {
        sid: cf(number),
        name: name.to_owned(),
        turn,
        at_unix_ms,
    };
    let scope = Scope::of_host(SID.parse().unwrap());
    api.store.note_conference(scope, note).wait().unwrap();
}

fn joined(call: u8, label: Option<&str>) -> ConferenceTurn {
    ConferenceTurn::Joined(Participant {
        call: ca(call),
        label: label.map(str::to_owned),
        muted: false,
        held: false,
        coaches: None,
        start_on_enter: true,
        end_on_exit: false,
    })
}

/// A conference that goes on, of two.
fn begun(api: &Api) -> String {
    let callback = ConferenceCallback {
        to: StatusCallback {
            url: "https://app.example/told".to_owned(),
            method: HttpMethod::Post,
        },
        topics: vec![ConferenceTopic::Announcement],
    };
    let opened = ConferenceTurn::Opened(Some(callback));
    note(api, 1, "weekly", START_UNIX_MS, opened);
    note(api, 1, "weekly", START_UNIX_MS, joined(1, None));
    note(api, 1, "weekly", START_UNIX_MS, joined(2, Some("chair")));
    note(api, 1, "weekly", START_UNIX_MS, ConferenceTurn::Began);
    format!("Conferences/{}", cf(1))
}

#[tokio::test]
async fn a_conference_is_shown_as_twilio_shows_it() {
    let api = Api::new();
    let path = begun(&api);
    let answer = api.get(&format!("{path}.json")).await;
    assert_eq!(answer.status, 200);
    let root = format!("/2010-04-01/Accounts/{SID}/{path}");
    assert_eq!(
        answer.json,
        json!({
            "sid": cf(1),
            "account_sid": SID,
            "api_version": "2010-04-01",
            "friendly_name": "weekly",
            "status": "in-progress",
            "date_created": "Tue, 31 Aug 2010 20:36:28 +0000",
            "date_updated": "Tue, 31 Aug 2010 20:36:28 +0000",
            "reason_conference_ended": null,
            "call_sid_ending_conference": null,
            "region": null,
            "uri": format!("{root}.json"),
            "subresource_uris": {
                "participants": format!("{root}/Participants.json"),
                "recordings": format!("{root}/Recordings.json"),
            },
        })
    );
    let one = format!("{path}/Participants/{}.json", ca(2));
    let answer = api.get(&one).await;
    assert_eq!(
        answer.json,
        json!({
            "account_sid": SID,
            "conference_sid": cf(1),
            "call_sid": ca(2),
            "label": "chair",
            "muted": false,
            "hold": false,
            "coaching": false,
            "call_sid_to_coach": null,
            "start_conference_on_enter": true,
            "end_conference_on_exit": false,
            "status": "connected",
            "queue_time": null,
            "api_version": "2010-04-01",
            "date_created": "Tue, 31 Aug 2010 20:36:28 +0000",
            "date_updated": "Tue, 31 Aug 2010 20:36:28 +0000",
            "uri": format!("/2010-04-01/Accounts/{SID}/{one}"),
        })
    );
    let recordings = api.get(&format!("{path}/Recordings.json")).await;
    assert_eq!(recordings.json["recordings"], json!([]));
    let labelled = api.get(&format!("{path}/Participants/chair.json")).await;
    assert_eq!(labelled.json, answer.json);
}

#[tokio::test]
async fn conferences_are_listed_and_filtered() {
    const DAY: u64 = 86_400_000;
    let api = Api::new();
    begun(&api);
    let opened = ConferenceTurn::Opened(None);
    note(&api, 2, "daily", START_UNIX_MS + DAY, opened);
    note(&api, 2, "daily", START_UNIX_MS + DAY, joined(3, None));
    for (query, expected) in [
        ("", vec!["daily", "weekly"]),
        ("?Status=init", vec!["daily"]),
        ("?Status=in-progress", vec!["weekly"]),
        ("?FriendlyName=weekly", vec!["weekly"]),
        ("?DateCreated=2010-08-31", vec!["weekly"]),
        ("?DateCreated%3E=2010-09-01", vec!["daily"]),
        ("?DateCreated%3C=2010-09-01", vec!["weekly"]),
        ("?DateUpdated%3C=2010-08-31T20:36:28Z", vec!["weekly"]),
        ("?DateUpdated=2010-08-30", vec![]),
    ] {
        let answer = api.get(&format!("Conferences.json{query}")).await;
        let found = answer.json["conferences"].as_array().unwrap();
        let names: Vec<_> = found.iter().map(|one| &one["friendly_name"]).collect();
        assert_eq!(names, expected, "{query}");
    }
    let first = api
        .get("Conferences.json?PageSize=1&DateCreated%3E=2010-08-31")
        .await;
    let next = first.json["next_page_uri"].as_str().unwrap();
    let second = api.get(next).await;
    assert_eq!(second.json["conferences"][0]["friendly_name"], "weekly");
    assert_eq!(second.json["next_page_uri"], Value::Null);
    for query in ["Status=over", "DateCreated=soon", "Nonsense=1"] {
        let answer = api.get(&format!("Conferences.json?{query}")).await;
        assert_eq!(answer.problem(), (400, 20001), "{query}");
    }
}

#[tokio::test]
async fn participants_are_changed_listed_and_removed() {
    let api = Api::new();
    let path = begun(&api);
    let one = format!("{path}/Participants/{}.json", ca(1));
    for (form, property, expected) in [
        ("Muted=true", "muted", json!(true)),
        (
            "Hold=true&HoldUrl=http%3A%2F%2Fa%2Fb.mp3",
            "hold",
            json!(true),
        ),
        ("Hold=false", "hold", json!(false)),
        (
            "EndConferenceOnExit=true",
            "end_conference_on_exit",
            json!(true),
        ),
    ] {
        let answer = api.post(&one, form).await;
        assert_eq!(answer.status, 200, "{form}: {answer:?}");
        assert_eq!(answer.json[property], expected, "{form}");
    }
    let form = format!("Coaching=true&CallSidToCoach={}", ca(2));
    let coach = api.post(&one, &form).await;
    assert_eq!(coach.json["call_sid_to_coach"], ca(2).to_string());
    for (query, expected) in [
        ("", 2),
        ("?Muted=true", 1),
        ("?Muted=false", 1),
        ("?Hold=true", 0),
        ("?Coaching=true", 1),
    ] {
        let answer = api.get(&format!("{path}/Participants.json{query}")).await;
        let found = answer.json["participants"].as_array().unwrap();
        assert_eq!(found.len(), expected, "{query}");
    }
    let kick = request("DELETE", &one, "", (SID, TOKEN));
    let kicked = api.router.clone().oneshot(kick).await.unwrap();
    assert_eq!(kicked.status(), StatusCode::NO_CONTENT);
    assert_eq!(api.get(&one).await.problem(), (404, 20404));
    let again = api.request("DELETE", &one, "").await;
    assert_eq!(again.problem(), (404, 20404));
}

#[tokio::test]
async fn a_conference_is_ended() {
    let api = Api::new();
    let path = format!("{}.json", begun(&api));
    let wrong = api.post(&path, "Status=init").await;
    assert_eq!(wrong.problem(), (400, 20001));
    let ended = api.post(&path, "Status=completed").await;
    assert_eq!(ended.json["status"], "completed");
    assert_eq!(
        ended.json["reason_conference_ended"],
        "conference-ended-via-api"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_change_is_told() {
    let api = Api::new();
    let path = begun(&api);
    let one = format!("{path}/Participants/chair.json");
    for (form, code, words) in [
        ("", 20001, "One of these is required"),
        ("Muted=perhaps", 20001, "`true` or `false`"),
        ("HoldUrl=http%3A%2F%2Fa%2F", 20001, "without `Hold=true`"),
        ("Hold=true&HoldUrl=ftp%3A%2F%2Fa", 21205, "http://"),
        (
            "Hold=true&HoldUrl=http%3A%2F%2Fa&HoldMethod=PUT",
            21209,
            "`GET` or `POST`",
        ),
        ("WaitMethod=GET", 20001, "without `WaitUrl`"),
        ("WaitUrl=&WaitMethod=GET", 20001, "without `WaitUrl`"),
        ("Coaching=true", 20001, "`CallSidToCoach` is required"),
        ("CallSidToCoach=CA1", 20001, "`CallSidToCoach`"),
        (
            "CallSidToCoach=CA00000000000000000000000000000000",
            16028,
            "not in the conference",
        ),
        ("Nonsense=1", 20001, "`Nonsense`"),
        ("AnnounceMethod=GET", 20001, "without `AnnounceUrl`"),
        (
            "AnnounceUrl=http%3A%2F%2Fa&AnnounceMethod=POST",
            21209,
            "must be `GET`",
        ),
    ] {
        let answer = api.post(&one, form).await;
        assert_eq!(answer.problem(), (400, code), "{form}");
        assert!(answer.message().contains(words), "{form}: {answer:?}");
    }
}

#[tokio::test]
async fn another_accounts_conference_is_not_there() {
    let api = Api::new();
    let path = begun(&api);
    let root = format!("/2010-04-01/Accounts/{OTHER_SID}/{path}");
    let other = (OTHER_SID, OTHER_TOKEN);
    for (method, path, form) in [
        ("GET", format!("{root}.json"), ""),
        ("POST", format!("{root}.json"), "Status=completed"),
        ("GET", format!("{root}/Participants.json"), ""),
        ("GET", format!("{root}/Participants/chair.json"), ""),
        (
            "POST",
            format!("{root}/Participants/chair.json"),
            "Muted=true",
        ),
        ("DELETE", format!("{root}/Participants/chair.json"), ""),
    ] {
        let answer = api.send(request(method, &path, form, other)).await;
        assert_eq!(answer.problem(), (404, 20404), "{method} {path}");
    }
    let list = format!("/2010-04-01/Accounts/{OTHER_SID}/Conferences.json");
    let answer = api.send(request("GET", &list, "", other)).await;
    assert_eq!(answer.json["conferences"], json!([]));
}

#[tokio::test]
async fn an_announcement_is_ordered_and_told_of() {
    let api = Api::new();
    let path = begun(&api);
    for one in [
        format!("{path}.json"),
        format!("{path}/Participants/chair.json"),
    ] {
        let answer = api.post(&one, "AnnounceUrl=https%3A%2F%2Fa%2Fb.mp3").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let told = api.store.callbacks_after(0, 10).unwrap();
    let labels: Vec<_> = told
        .iter()
        .map(|row| (row.event.as_str(), row.parameter("ParticipantLabel")))
        .collect();
    let end = "announcement-end";
    assert_eq!(labels, [(end, None), (end, Some("chair"))]);
    assert_eq!(told[1].parameter("AnnounceUrl"), Some("https://a/b.mp3"));
}

#[tokio::test]
async fn a_callback_that_nobody_took_names_its_conference() {
    let api = Api::new();
    let path = begun(&api);
    let one = format!("{path}.json");
    let announced = api.post(&one, "AnnounceUrl=https%3A%2F%2Fa%2Fb.mp3").await;
    assert_eq!(announced.status, 200, "{announced:?}");
    let told = api.store.callbacks_after(0, 10).unwrap();
    let outcome = CallbackOutcome::Failed {
        attempts: 1,
        due_unix_ms: None,
        error: "status 401".to_owned(),
    };
    let settled = api.store.settle_callback(told[0].id, outcome, None);
    settled.wait().unwrap();
    let given_up = api.get("UndeliveredCallbacks.json").await;
    let sid = path.rsplit('/').next().unwrap();
    assert_eq!(given_up.json["callbacks"][0]["conference_sid"], sid);
    assert_eq!(given_up.json["callbacks"][0]["call_sid"], Value::Null);
}

#[tokio::test]
async fn an_announcement_that_nobody_can_hear_is_a_404() {
    let api = Api::new();
    let path = format!("{}.json", begun(&api));
    let ended = api.post(&path, "Status=completed").await;
    assert_eq!(ended.status, 200, "{ended:?}");
    let told = api.store.callbacks_after(0, 10).unwrap().len();
    let late = api.post(&path, "AnnounceUrl=https%3A%2F%2Fa%2Fb.mp3").await;
    assert_eq!(late.problem(), (404, 20404));
    assert_eq!(api.store.callbacks_after(0, 10).unwrap().len(), told);
    let again = api.post(&path, "Status=completed").await;
    assert_eq!(again.status, 200, "it stays over: {again:?}");
}

#[tokio::test]
async fn an_empty_wait_url_is_silence() {
    let api = Api::new();
    let one = format!("{}/Participants/chair.json", begun(&api));
    assert_eq!(api.post(&one, "WaitUrl=").await.status, 200);
    let silence = ParticipantChange {
        wait_sound: Some(OrderedSound::Sound(WaitSound::Silence)),
        ..ParticipantChange::default()
    };
    let orders = api.conference_orders.lock().unwrap().clone();
    assert_eq!(orders, [ConferenceInput::Change(ca(2), silence)]);

    let form = "To=%2B85512345678&From=345&WaitUrl=";
    let answer = api.post("Conferences/silent/Participants.json", form).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let scope = Scope::of_host(SID.parse().unwrap());
    let sid = answer.json["call_sid"].as_str().unwrap().parse().unwrap();
    let call = api.store.call(scope, sid).unwrap().unwrap();
    let Flow::Twiml(document) = call.flow else {
        panic!("{:?}", call.flow);
    };
    assert!(document.contains(" waitUrl=\"\">"), "{document}");
}

#[tokio::test]
async fn somebody_is_called_into_a_conference() {
    let api = Api::new();
    let form = "To=%2B85512345678&From=345&Label=a%22b&EndConferenceOnExit=true&Beep=onExit\
                &WaitUrl=https%3A%2F%2Fa%2Fw%3Fx%3D1%26y&Timeout=20\
                &ConferenceStatusCallback=https%3A%2F%2Fa%2Ftold&ConferenceStatusCallbackEvent=join\
                &ConferenceStatusCallbackEvent=leave";
    let answer = api.post("Conferences/weekly/Participants.json", form).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json["status"], "queued");
    assert_eq!(answer.json["label"], "a\"b");
    assert_eq!(answer.json["end_conference_on_exit"], true);
    let scope = Scope::of_host(SID.parse().unwrap());
    let calls = api
        .store
        .calls(scope, &CallFilter::default(), None, 10)
        .unwrap();
    let call = &calls.rows[0];
    assert_eq!(answer.json["call_sid"], call.sid.to_string());
    assert_eq!(call.ring_timeout_s, Some(20));
    let document = "<Response><Dial><Conference muted=\"false\" startConferenceOnEnter=\"true\" \
                    endConferenceOnExit=\"true\" participantLabel=\"a&quot;b\" beep=\"onExit\" \
                    waitUrl=\"https://a/w?x=1&amp;y\" waitMethod=\"POST\">weekly</Conference></Dial></Response>";
    assert_eq!(call.flow, Flow::Twiml(document.to_owned()));
    assert_eq!(api.live.accepted.lock().unwrap().len(), 1);
    let sid = answer.json["conference_sid"].as_str().unwrap();
    let list = api
        .get(&format!("Conferences/{sid}/Participants.json"))
        .await;
    assert_eq!(list.json["participants"].as_array().unwrap().len(), 1);
    let again = api
        .post(
            &format!("Conferences/{sid}/Participants.json"),
            "To=%2B85512345679&From=345",
        )
        .await;
    assert_eq!(again.json["conference_sid"], sid);
}

#[tokio::test]
async fn a_conference_shows_the_region_and_a_sip_uri_the_name_that_it_was_given() {
    let api = Api::new();
    let name = "Flood%20%22line%22";
    let form = format!("To=sip:a@127.0.0.1:5080&From=345&Region=gll&CallerDisplayName={name}");
    let answer = api
        .post("Conferences/weekly/Participants.json", &form)
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let scope = Scope::of_host(SID.parse().unwrap());
    let sid = answer.json["call_sid"].as_str().unwrap().parse().unwrap();
    let call = api.store.call(scope, sid).unwrap().unwrap();
    assert_eq!(call.settings["caller-display-name"], "Flood \"line\"");
    let sid = answer.json["conference_sid"].as_str().unwrap();
    let shown = api.get(&format!("Conferences/{sid}.json")).await;
    assert_eq!(shown.json["region"], "gll");
}

#[tokio::test]
async fn what_is_wrong_with_a_new_participant_is_told_and_nobody_is_called() {
    let api = Api::new();
    let good = "To=%2B85512345678&From=345";
    let uri = "To=sip:a@127.0.0.1:5080&From=345";
    let event = "ConferenceStatusCallbackEvent";
    for (form, expected) in [
        ("From=345".to_owned(), (400, 21201)),
        ("To=%2B85512345678".to_owned(), (400, 21213)),
        (format!("{good}&Label=a%2Fb"), (400, 16024)),
        (format!("{good}&Label=a%252Fb"), (400, 16024)),
        (format!("{good}&Label={}", ca(1)), (400, 16024)),
        (format!("{good}&Label={}", "x".repeat(129)), (400, 16024)),
        (format!("{good}&Beep=loud"), (400, 20001)),
        (format!("{good}&MaxParticipants=1"), (400, 20001)),
        (format!("{good}&WaitUrl=ftp%3A%2F%2Fa"), (400, 21205)),
        (format!("{good}&EarlyMedia=true"), (400, 20001)),
        (format!("{good}&JitterBufferSize=small"), (400, 20001)),
        (format!("{good}&RecordingConfigurationId=x"), (400, 20001)),
        (format!("{good}&Region=xx1"), (400, 20001)),
        (format!("{good}&Region=US1"), (400, 20001)),
        (format!("{good}&CallerDisplayName=Hotline"), (400, 20001)),
        (format!("{uri}&CallerDisplayName=H"), (400, 20001)),
        (format!("{uri}&CallerDisplayName=a%0d%0ab"), (400, 20001)),
        (
            format!("{uri}&CallerDisplayName={}", "x".repeat(256)),
            (400, 20001),
        ),
        (format!("{good}&ConferenceRecord=yes"), (400, 20001)),
        (format!("{good}&ConferenceTrim=do-not-trim"), (400, 20001)),
        (
            format!("{good}&ConferenceRecordingStatusCallback=http%3A%2F%2Fa"),
            (400, 20001),
        ),
        (
            format!("{good}&ConferenceRecord=true&ConferenceRecordingStatusCallback=ftp%3A%2F%2Fa"),
            (400, 21609),
        ),
        (format!("{good}&RecordingChannels=dual"), (400, 20001)),
        (format!("{good}&TimeLimit=0"), (400, 20001)),
        (format!("{good}&MachineDetection=yes"), (400, 20001)),
        (
            format!("{good}&AmdStatusCallback=http%3A%2F%2Fa"),
            (400, 20001),
        ),
        (
            format!("{good}&MachineDetection=Enable&AmdStatusCallbackMethod=GET"),
            (400, 20001),
        ),
        (format!("{good}&{event}=join"), (400, 20001)),
        (
            format!("{good}&ConferenceStatusCallback=http%3A%2F%2Fa&{event}=shout"),
            (400, 20001),
        ),
    ] {
        let answer = api
            .post("Conferences/weekly/Participants.json", &form)
            .await;
        assert_eq!(answer.problem(), expected, "{form}");
    }
    let gone = format!("Conferences/{}/Participants.json", cf(9));
    assert_eq!(api.post(&gone, good).await.problem(), (404, 20404));
    let list = api.get("Conferences.json").await;
    assert_eq!(list.json["conferences"], json!([]));
    assert!(api.live.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_is_not_expected_is_not_called() {
    let api = Api::new();
    let path = "Conferences/weekly/Participants.json";
    let guest = "To=%2B85512345678&From=345&Label=guest";
    assert_eq!(api.post(path, guest).await.status, 201);
    assert_eq!(api.post(path, guest).await.problem(), (400, 16026));
    let coach = format!("To=%2B85512345679&From=345&CallSidToCoach={}", ca(7));
    assert_eq!(api.post(path, &coach).await.problem(), (400, 16028));
    assert_eq!(api.live.accepted.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_participant_says_how_its_call_and_its_conference_are_recorded() {
    let api = Api::new();
    let form = "To=%2B85512345678&From=345&TimeLimit=60&Record=true&RecordingChannels=dual\
                &MachineDetection=Enable&AmdStatusCallback=https%3A%2F%2Fa%2Famd&AmdStatusCallbackMethod=GET\
                &ConferenceRecord=record-from-start&ConferenceTrim=do-not-trim\
                &ConferenceRecordingStatusCallback=https%3A%2F%2Fa%2Ftold\
                &ConferenceRecordingStatusCallbackEvent=in-progress+completed";
    let answer = api.post("Conferences/weekly/Participants.json", form).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let terms = api.terms.lock().unwrap()[0].clone();
    let recording = terms.recording.unwrap();
    assert!(!recording.trim_silence);
    let callback = recording.callback.unwrap();
    assert_eq!(callback.to.url, "https://a/told");
    assert_eq!(
        callback.on,
        [RecordingTurn::InProgress, RecordingTurn::Completed]
    );
    let scope = Scope::of_host(SID.parse().unwrap());
    let calls = api
        .store
        .calls(scope, &CallFilter::default(), None, 10)
        .unwrap();
    let call = &calls.rows[0];
    assert_eq!(call.orders.time_limit_s, Some(60));
    let channels = call.orders.recording.as_ref().unwrap().options.channels;
    assert_eq!(channels, RecordingChannels::Dual);
    for (name, value) in [
        ("machine-detection", "Enable"),
        ("async-amd", "true"),
        ("async-amd-status-callback", "https://a/amd"),
        ("async-amd-status-callback-method", "GET"),
    ] {
        assert_eq!(call.settings[name], value, "{name}");
    }
    let plain = "To=%2B85512345679&From=345";
    let answer = api.post("Conferences/other/Participants.json", plain).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(api.terms.lock().unwrap()[1], ConferenceTerms::default());
}

#[tokio::test]
async fn a_conferences_recording_is_listed_paused_stopped_and_deleted() {
    let api = Api::new();
    begun(&api);
    let sid = cf(1).to_string();
    let scope = Scope::of_host(SID.parse().unwrap());
    let new = NewRecording {
        sid: RE,
        of: cf(1).into(),
        source: RecordingSource::Conference,
        channels: 1,
        rate_hz: 8_000,
        tracks: RecordingTracks::Both,
        callback: None,
        url: String::new(),
        created_unix_ms: START_UNIX_MS,
    };
    api.store.begin_recording(scope, new).wait().unwrap();
    let one = format!("Conferences/{sid}/Recordings/{RE}.json");
    let fetched = api.get(&one).await;
    assert_eq!(fetched.json["conference_sid"], sid, "{fetched:?}");
    assert_eq!(fetched.json["call_sid"], Value::Null);
    assert_eq!(fetched.json["source"], "Conference");
    for list in [
        format!("Conferences/{sid}/Recordings.json"),
        format!("Conferences/{sid}/Recordings.json?DateCreated%3E=2000-01-01"),
        format!("Recordings.json?ConferenceSid={sid}"),
    ] {
        let page = api.get(&list).await;
        assert_eq!(page.json["recordings"], json!([fetched.json]), "{list}");
    }
    let none = api
        .get(&format!("Recordings.json?ConferenceSid={}", cf(9)))
        .await;
    assert_eq!(none.json["recordings"], json!([]));
    let both = format!("Recordings.json?ConferenceSid={sid}&CallSid={}", ca(1));
    assert_eq!(api.get(&both).await.problem(), (400, 20001));
    let paused = api.post(&one, "Status=paused").await;
    assert_eq!(paused.json["status"], "paused", "{paused:?}");
    assert_eq!(api.post(&one, "Status=gone").await.problem(), (400, 20001));
    assert_eq!(
        api.request("DELETE", &one, "").await.problem(),
        (400, 20001)
    );
    let current = format!("Conferences/{sid}/Recordings/Twilio.CURRENT.json");
    let stopped = api.post(&current, "Status=stopped").await;
    assert_eq!(stopped.json["status"], "completed", "{stopped:?}");
    // Not under another conference, nor under a call.
    note(
        &api,
        2,
        "other",
        START_UNIX_MS,
        ConferenceTurn::Opened(None),
    );
    let other = format!("Conferences/{}/Recordings/{RE}.json", cf(2));
    let call = format!("Calls/{}/Recordings/{RE}.json", api.new_call().await);
    for elsewhere in [other, call] {
        assert_eq!(api.get(&elsewhere).await.problem(), (404, 20404));
    }
    assert_eq!(api.request("DELETE", &one, "").await.status, 204);
    assert_eq!(api.get(&one).await.problem(), (404, 20404));
}
