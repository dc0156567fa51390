//! What the order for a call says besides whom to call, what is changed later, and calls that are deleted.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use call::{CallRecord, CallSid, CallStatus, RecordingSource, RecordingTurn};
use store::{AccountStore as _, RecordingEnding, RecordingStatus, Scope, Store as _};
use support::{Api, OTHER_SID, OTHER_TOKEN, RE, SID, START_UNIX_MS, TENANTS, request};

/// Accepts a call; its SID.
async fn accepted(api: &Api, orders: &str) -> CallSid {
    let form = format!("To=%2B85512345678&From=345&Twiml=x&{orders}");
    let answer = api.post("Calls.json", &form).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json["sid"].as_str().unwrap().parse().unwrap()
}

fn own() -> Scope {
    Scope::of_host(SID.parse().unwrap())
}

#[tokio::test]
async fn a_call_is_ordered_with_a_time_a_recording_and_a_reason() {
    let api = Api::new();
    let orders = "TimeLimit=90&Record=true&RecordingChannels=dual&RecordingStatusCallback=http://a/r&RecordingStatusCallbackEvent=absent&RecordingStatusCallbackEvent=completed&CallerId=345&CallReason=Flood+warning";
    let call = accepted(&api, orders).await;
    let kept = api.store.call(own(), call).unwrap().unwrap().orders;
    assert_eq!(kept.time_limit_s, Some(90));
    assert_eq!(kept.caller_id.as_deref(), Some("345"));
    assert_eq!(kept.reason.as_deref(), Some("Flood warning"));
    let recording = kept.recording.unwrap();
    assert_eq!(recording.source, RecordingSource::OutboundApi);
    let told = recording.callback.unwrap();
    assert_eq!(told.on, [RecordingTurn::Completed, RecordingTurn::Absent]);
    for (wrong, code) in [
        ("TimeLimit=0", 20001),
        ("TimeLimit=soon", 20001),
        ("Record=yes", 20001),
        ("RecordingTrack=both", 20001),
        ("CallerId=me", 21210),
        ("CallReason=a%0d%0ab", 20001),
        ("Byoc=BY1", 20001),
        ("CallToken=x", 20001),
    ] {
        let form = format!("To=%2B85512345678&From=345&Twiml=x&{wrong}");
        let answer = api.post("Calls.json", &form).await;
        assert_eq!(answer.problem(), (400, code), "{wrong}");
    }
    let form = "To=%2B85512345678&From=345&Twiml=x&CallerId=%2B15005550999";
    let answer = api.post("Calls.json", form).await;
    assert_eq!(
        answer.status, 400,
        "a number that the account does not have"
    );
}

/// One that ended as it should has none.
#[tokio::test]
async fn what_the_host_knows_of_a_calls_end_is_among_its_notifications() {
    let api = Api::new();
    for (reason, code) in [
        (call::NOT_HEARD, Some("32014")),
        (call::LIMIT_REACHED, Some("32015")),
        (call::NOT_CONFIRMED, Some("32022")),
        (call::HUNG_UP_BY_US, None),
        // As the far end put it.
        ("503 ended at its limit", None),
    ] {
        let call = accepted(&api, "").await;
        let (status, reason) = match reason.strip_prefix("503 ") {
            Some(reason) => (CallStatus::Failed, reason),
            None => (CallStatus::Completed, reason),
        };
        let mut record = CallRecord::new(status, reason);
        record.sip_status = (status == CallStatus::Failed).then_some(503);
        let ended = api.store.finish_call(call, record, START_UNIX_MS, None);
        ended.wait().unwrap();
        let told = api.get(&format!("Calls/{call}/Notifications.json")).await;
        let told = told.json["notifications"].as_array().unwrap().clone();
        let codes: Vec<_> = told.iter().map(|one| &one["error_code"]).collect();
        assert_eq!(codes, Vec::from_iter(code), "{reason}");
        if let Some(one) = told.first() {
            let fetched = api.get(one["uri"].as_str().unwrap()).await;
            assert_eq!(&fetched.json, one);
            assert_eq!(one["log"], "0", "an error");
        }
    }
}

/// That of a number is taken and asked by nobody.
#[tokio::test]
async fn the_application_is_asked_to_wake_a_device_and_nothing_else() {
    let device = "outbound.allow = [\"client:alice\", \"+855\", \"1294\", \"sip:\"]";
    let tenants = TENANTS.replacen("outbound.allow = [\"+855\", \"1294\", \"sip:\"]", device, 1);
    let login =
        "[trunk.login]\nusername = \"alice\"\npassword = \"a-long-password\"\nregisters = true\n";
    let trunk = "\n[[trunk]]\nid = \"telephone\"\ncarrier = \"demo\"\ntargets = [\"registered\"]\nmax_channels = 1\ncalls_per_second = 1.0\n";
    let api = Api::with(&format!("{tenants}{trunk}{login}"));
    let wake = "ClientNotificationUrl=https%3A%2F%2Fapp.example%2Fwake%3Fa%3Db";
    for (path, to, waking) in [
        ("Calls.json", "%2B85512345678", 0),
        ("Calls.json", "sip:a@127.0.0.1:5080", 0),
        ("Calls.json", "client:alice", 1),
        ("Conferences/weekly/Participants.json", "%2B85512345679", 1),
        ("Conferences/weekly/Participants.json", "client:alice", 2),
    ] {
        let form = format!("To={to}&From=345&{wake}");
        let document = if path.starts_with("Calls") {
            "&Twiml=x"
        } else {
            ""
        };
        let answer = api.post(path, &format!("{form}{document}")).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let outbox = api.store.callbacks_after(0, 9).unwrap();
        let urls = outbox.iter().map(|row| row.to.url.as_str());
        assert!(
            urls.eq(vec!["https://app.example/wake?a=b"; waking]),
            "{to}"
        );
        let told = api.live.callbacks.load(Ordering::SeqCst);
        assert_eq!(usize::try_from(told).unwrap(), waking, "{to}");
        let wrong = format!("To={to}&From=345&ClientNotificationUrl=ftp://a/{document}");
        let answer = api.post(path, &wrong).await;
        assert_eq!(answer.problem(), (400, 21205), "{to}");
    }
}

#[tokio::test]
async fn what_it_proves_is_sealed_and_gone_when_it_is_over() {
    let api = Api::new();
    let to_uri = "To=sip:a@127.0.0.1:5080&From=345&Twiml=x";
    let login = "SipAuthUsername=gw-7&SipAuthPassword=hush-4711";
    let answer = api.post("Calls.json", &format!("{to_uri}&{login}")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(!answer.json.to_string().contains("hush-4711"), "{answer:?}");
    let call: CallSid = answer.json["sid"].as_str().unwrap().parse().unwrap();
    let row = api.store.call(own(), call).unwrap().unwrap();
    assert!(!format!("{row:?}").contains("hush-4711"), "{row:?}");
    let kept = row.orders.credentials.unwrap();
    assert_eq!(kept.username, "gw-7");
    let directory = api.store.directory();
    let account = directory.account(SID.parse().unwrap()).unwrap();
    let opened = account.open_credentials(call, &kept).unwrap();
    assert_eq!(opened.expose(), "hush-4711");
    let other = accepted(&api, "").await;
    assert!(account.open_credentials(other, &kept).is_err());
    let record = CallRecord {
        sip_status: Some(407),
        ..CallRecord::new(CallStatus::Failed, "407")
    };
    let ended = api.store.finish_call(call, record, START_UNIX_MS, None);
    ended.wait().unwrap();
    let row = api.store.call(own(), call).unwrap().unwrap();
    assert_eq!(row.orders.credentials, None);
    let told = api.get(&format!("Calls/{call}/Notifications.json")).await;
    let told = &told.json["notifications"];
    assert_eq!(told[0]["error_code"], "32202");
    let one = api.get(told[0]["uri"].as_str().unwrap()).await;
    assert_eq!(one.json, told[0]);

    let numbers = "To=%2B85512345678&From=345&Twiml=x";
    for wrong in [
        format!("{to_uri}&SipAuthPassword=hush-4711"),
        format!("{numbers}&{login}"),
    ] {
        let answer = api.post("Calls.json", &wrong).await;
        assert_eq!(answer.problem(), (400, 20001), "{wrong}");
        let said = answer.json["message"].as_str().unwrap();
        assert!(!said.contains("hush-4711"), "{said}");
    }
}

#[tokio::test]
async fn its_time_and_who_is_told_change_until_it_is_over() {
    let api = Api::new();
    let call = accepted(&api, "").await;
    let path = format!("Calls/{call}.json");
    let form = "TimeLimit=60&StatusCallback=http://a/late&StatusCallbackMethod=GET";
    assert_eq!(api.post(&path, form).await.status, 200);
    let limited = api.live.limited.lock().unwrap().clone();
    assert_eq!(limited, [(call, Duration::from_secs(60))]);
    let kept = api.store.call(own(), call).unwrap().unwrap();
    assert_eq!(kept.orders.time_limit_s, Some(60));
    for (wrong, code) in [
        ("TimeLimit=x", 20001),
        ("StatusCallbackMethod=GET", 20001),
        ("StatusCallback=ftp://a/", 21609),
        ("", 20001),
    ] {
        assert_eq!(
            api.post(&path, wrong).await.problem(),
            (400, code),
            "{wrong}"
        );
    }
    let foreign = format!("/2010-04-01/Accounts/{OTHER_SID}/{path}");
    let foreign = request("POST", &foreign, "TimeLimit=1", (OTHER_SID, OTHER_TOKEN));
    assert_eq!(api.send(foreign).await.problem(), (404, 20404));

    api.advance(call, CallStatus::InProgress);
    let ended = api.post(&path, "Status=completed").await;
    assert_eq!(ended.json["status"], "completed", "{ended:?}");
    let rows = api.store.callbacks_after(0, 10).unwrap();
    assert_eq!(rows.len(), 1, "only the end");
    assert_eq!(
        (rows[0].to.url.as_str(), rows[0].event.as_str()),
        ("http://a/late", "completed")
    );
    assert_eq!(api.post(&path, "TimeLimit=9").await.problem(), (400, 21220));
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let api = Api::new();
    let call = accepted(&api, "").await;
    let path = format!("Calls/{call}.json");
    let before = api.store.call(own(), call).unwrap().unwrap();
    let change = "TimeLimit=1&StatusCallback=http://a/late";
    for (wrong, code) in [
        ("Url=ftp://a/", 21205),
        ("Url=http://a/&Method=PUT", 21209),
        ("Twiml=x&FallbackUrl=a", 21205),
        ("FallbackUrl=http://a/", 20001),
        ("Status=ringing", 20001),
        ("Status=completed&Url=http://a/", 20001),
        ("StatusCallbackMethod=PUT", 21209),
        ("Twiml=x", 21220),
    ] {
        let answer = api.post(&path, &format!("{change}&{wrong}")).await;
        assert_eq!(answer.problem(), (400, code), "{wrong}");
    }
    assert_eq!(api.store.call(own(), call).unwrap().unwrap(), before);
    assert!(api.live.limited.lock().unwrap().is_empty());

    api.advance(call, CallStatus::InProgress);
    let cancel = format!("{change}&Status=canceled");
    assert_eq!(api.post(&path, &cancel).await.problem(), (400, 21220));
    let kept = api.store.call(own(), call).unwrap().unwrap();
    assert_eq!(kept.orders, before.orders);
    assert!(api.live.limited.lock().unwrap().is_empty());
    let other = format!("{change}&Url=http://a/");
    assert_eq!(api.post(&path, &other).await.status, 200);
    assert_eq!(api.live.limited.lock().unwrap().len(), 1);
    assert_eq!(api.live.redirected.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_that_is_over_is_deleted_with_its_recordings() {
    let api = Api::new();
    let call = accepted(&api, "StatusCallback=http://a/").await;
    let path = format!("Calls/{call}.json");
    assert_eq!(
        api.request("DELETE", &path, "").await.problem(),
        (400, 21220)
    );
    api.advance(call, CallStatus::InProgress);
    let begun = api.post(&format!("Calls/{call}/Recordings.json"), "").await;
    assert_eq!(begun.status, 201, "{begun:?}");
    api.post(&path, "Status=completed").await;
    let goes_on = api.request("DELETE", &path, "").await;
    assert_eq!(
        goes_on.status, 400,
        "its recording is not over: {goes_on:?}"
    );
    let ending = RecordingEnding {
        status: RecordingStatus::Completed,
        duration_ms: 7_000,
        file_bytes: 9,
    };
    api.store.finish_recording(RE, ending, 9).wait().unwrap();
    let foreign = format!("/2010-04-01/Accounts/{OTHER_SID}/{path}");
    let foreign = request("DELETE", &foreign, "", (OTHER_SID, OTHER_TOKEN));
    assert_eq!(api.send(foreign).await.problem(), (404, 20404));
    assert_eq!(api.request("DELETE", &path, "").await.status, 204);
    assert_eq!(api.get(&path).await.problem(), (404, 20404));
    assert_eq!(
        api.request("DELETE", &path, "").await.problem(),
        (404, 20404)
    );
    assert_eq!(api.store.recording(own(), RE).unwrap(), None);
    assert_eq!(
        api.get("Calls.json").await.json["calls"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(api.store.events(own(), call).unwrap(), None);
    assert_eq!(
        api.store.callbacks_after(0, 9).unwrap().len(),
        1,
        "its end is told all the same"
    );
}

#[tokio::test]
async fn calls_are_found_by_when_they_began_and_ended() {
    let api = Api::new();
    let call = accepted(&api, "").await;
    let count = async |query: &str| {
        let answer = api.get(&format!("Calls.json?{query}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json["calls"].as_array().unwrap().len()
    };
    assert_eq!(
        count("StartTime%3E=1970-01-01").await,
        0,
        "it has not begun"
    );
    api.advance(call, CallStatus::InProgress);
    assert_eq!(count("StartTime%3E=1970-01-01").await, 1);
    assert_eq!(count("StartTime%3C=1970-01-02").await, 0);
    assert_eq!(count("EndTime%3E=1970-01-01").await, 0, "it has not ended");
    api.post(&format!("Calls/{call}.json"), "Status=completed")
        .await;
    assert_eq!(count("EndTime%3E=1970-01-01&Status=completed").await, 1);
    assert_eq!(count("EndTime%3E=2100-01-01").await, 0);
    let answer = api.get("Calls.json?StartTime%3E=1970-01-01").await;
    let uri = answer.json["uri"].as_str().unwrap();
    assert!(uri.contains("StartTime%3E=1970-01-01"), "{uri}");
    assert_eq!(
        api.get("Calls.json?EndTime=soon").await.problem(),
        (400, 20001)
    );
}
