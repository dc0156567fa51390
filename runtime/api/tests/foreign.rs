//! Every route that names a thing, asked for another account's and for one that is nowhere: the answers are the same, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use call::{CallRecord, CallStatus, ConferenceSid, ConferenceTurn, Participant};
use http_body_util::BodyExt as _;
use store::{
    Author, CallbackOutcome, CallerId, ConferenceNote, OperatorEdit, Scope, Store as _,
    random_caller_id_sid,
};
use support::{Api, OTHER_SID, OTHER_TOKEN, SID, START_UNIX_MS, TOKEN, request};
use tower::ServiceExt as _;

/// Methods, a path with the kinds of the things it names, and a form that would be taken.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET POST", ".json", "FriendlyName=x"),
    ("GET", "/Calls/{call}.json", ""),
    ("POST", "/Calls/{call}.json", "Status=completed"),
    ("GET", "/Calls/{call}/Journal", ""),
    ("GET", "/Calls/{call}/Events.json", ""),
    ("GET", "/Calls/{call}/Notifications.json", ""),
    ("GET", "/Notifications/{notification}.json", ""),
    ("GET POST", "/Calls/{call}/Recordings.json", ""),
    (
        "GET DELETE",
        "/Calls/{call}/Recordings/{recording}.json",
        "",
    ),
    (
        "POST",
        "/Calls/{call}/Recordings/{recording}.json",
        "Status=stopped",
    ),
    ("POST", "/Calls/{call}/Streams.json", "Url=wss://a/"),
    ("POST", "/Calls/{call}/Streams/ear.json", "Status=stopped"),
    ("GET DELETE", "/Recordings/{recording}.json", ""),
    ("GET", "/Recordings/{recording}.wav", ""),
    ("GET", "/Recordings/{recording}.mp3", ""),
    ("GET", "/Recordings/{recording}", ""),
    (
        "GET POST",
        "/Conferences/{conference}.json",
        "Status=completed",
    ),
    ("GET", "/Conferences/{conference}/Participants.json", ""),
    ("GET", "/Conferences/{conference}/Recordings.json", ""),
    (
        "GET POST DELETE",
        "/Conferences/{conference}/Recordings/{recording}.json",
        "Status=stopped",
    ),
    (
        "GET POST DELETE",
        "/Conferences/{conference}/Participants/{call}.json",
        "Muted=true",
    ),
    ("GET POST DELETE", "/Queues/{queue}.json", "MaxSize=1"),
    ("GET", "/Queues/{queue}/Members.json", ""),
    (
        "GET POST",
        "/Queues/{queue}/Members/{call}.json",
        "Url=https://a/",
    ),
    ("POST", "/UndeliveredCallbacks/{callback}.json", ""),
    ("GET POST DELETE", "/Keys/{key}.json", "FriendlyName=x"),
    (
        "GET POST DELETE",
        "/Applications/{application}.json",
        "FriendlyName=x",
    ),
    (
        "GET POST DELETE",
        "/IncomingPhoneNumbers/{number}.json",
        "FriendlyName=x",
    ),
    (
        "GET POST DELETE",
        "/OutgoingCallerIds/{caller_id}.json",
        "FriendlyName=x",
    ),
    ("GET DELETE", "/People/{person}", ""),
    ("GET", "/Plugins/{plugin}", ""),
    ("GET", "/Plugins/{plugin}/Versions", ""),
    ("GET", "/Plugins/{plugin}/History", ""),
    ("GET", "/Plugins/{plugin}/Log", ""),
    ("POST", "/Plugins/{plugin}/Activate", "Version=1"),
    ("POST", "/Plugins/{plugin}/Canary", "Version=1&Percent=1"),
    ("POST", "/Plugins/{plugin}/Rollback", ""),
];

/// A kind, the id of one of the account `hotline`, and one that nobody has.
type Id = (&'static str, String, &'static str);

/// One thing of each kind, all of the account `hotline`.
async fn things(api: &Api) -> Vec<Id> {
    let text = |json: &serde_json::Value| json.as_str().unwrap().to_owned();
    let call = "To=%2B85512345678&From=345&Twiml=x&StatusCallback=https://a/";
    let call = api
        .post(
            "Calls.json",
            &format!("{call}&StatusCallbackEvent=answered"),
        )
        .await;
    let call = text(&call.json["sid"]);
    api.advance(call.parse().unwrap(), CallStatus::InProgress);
    let recording = api.post(&format!("Calls/{call}/Recordings.json"), "").await;
    let callback = api.store.callbacks_after(0, 1).unwrap()[0].id;
    let given_up = CallbackOutcome::Failed {
        attempts: 17,
        due_unix_ms: None,
        error: "status 500".to_owned(),
    };
    api.store
        .settle_callback(callback, given_up)
        .wait()
        .unwrap();
    let conference = ConferenceSid::from_bytes([5; 16]);
    let participant = Participant {
        call: call.parse().unwrap(),
        label: None,
        muted: false,
        held: false,
        coaches: None,
        start_on_enter: true,
        end_on_exit: false,
    };
    for turn in [
        ConferenceTurn::Opened(None),
        ConferenceTurn::Joined(participant),
    ] {
        let note = ConferenceNote {
            sid: conference,
            name: "weekly".to_owned(),
            turn,
            at_unix_ms: START_UNIX_MS,
        };
        let scope = Scope::of_host(SID.parse().unwrap());
        api.store.note_conference(scope, note).wait().unwrap();
    }
    let queue = api.post("Queues.json", "FriendlyName=support").await;
    let over = api.new_call().await;
    let record = CallRecord::new(CallStatus::Failed, "x");
    let journal = Some(b"[1,2]".to_vec());
    let ended = api.store.finish_call(over, record, START_UNIX_MS, journal);
    ended.wait().unwrap();
    let notifications = api.get("Notifications.json").await;
    let notification = text(&notifications.json["notifications"][0]["sid"]);
    let key = api.post("Keys.json", "").await;
    let application = api.post("Applications.json", "").await;
    let numbers = api.get("IncomingPhoneNumbers.json").await;
    let caller_id = CallerId {
        sid: random_caller_id_sid(),
        account: SID.parse().unwrap(),
        number: "+85599999999".parse().unwrap(),
        name: String::new(),
        created_unix_ms: START_UNIX_MS,
        updated_unix_ms: START_UNIX_MS,
    };
    let (shown, made) = (
        caller_id.sid.to_string(),
        OperatorEdit::MakeCallerId(caller_id),
    );
    api.store
        .administer(made, Author::operator(1))
        .wait()
        .unwrap();
    let plugin = format!("/v1/Accounts/{SID}/Plugins/survey/Versions");
    let pushed = api
        .send(request("POST", &plugin, "\0asm", (SID, TOKEN)))
        .await;
    assert_eq!(pushed.status, 201, "{pushed:?}");
    let person = format!("/v1/Accounts/{SID}/People/+8562055500001");
    let saved = api.send(request("PUT", &person, "", (SID, TOKEN))).await;
    assert_eq!(saved.status, 201, "{saved:?}");
    vec![
        ("call", call, "CA00000000000000000000000000000000"),
        (
            "recording",
            text(&recording.json["sid"]),
            "RE00000000000000000000000000000000",
        ),
        ("callback", callback.to_string(), "999999"),
        (
            "conference",
            conference.to_string(),
            "CF00000000000000000000000000000000",
        ),
        (
            "queue",
            text(&queue.json["sid"]),
            "QU00000000000000000000000000000000",
        ),
        (
            "key",
            text(&key.json["sid"]),
            "SK00000000000000000000000000000000",
        ),
        (
            "application",
            text(&application.json["sid"]),
            "AP00000000000000000000000000000000",
        ),
        (
            "number",
            text(&numbers.json["incoming_phone_numbers"][0]["sid"]),
            "PN00000000000000000000000000000000",
        ),
        ("caller_id", shown, "PN00000000000000000000000000000000"),
        (
            "notification",
            notification,
            "NO00000000000000000000000000000000",
        ),
        ("plugin", "survey".to_owned(), "nobody"),
        ("person", "+8562055500001".to_owned(), "+8562055500002"),
    ]
}

/// Everything of an answer but the path that it names.
async fn answer(api: &Api, method: &str, path: &str, form: &str) -> String {
    let request = request(method, path, form, (OTHER_SID, OTHER_TOKEN));
    let response = api.router.clone().oneshot(request).await.unwrap();
    let (status, mut headers) = (response.status(), response.headers().clone());
    headers.remove("content-length");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains(path), "{method} {path}: {body}");
    format!("{status} {headers:?} {}", body.replace(path, "PATH"))
}

fn path(account: &str, rest: &str, ids: &[Id], id: impl Fn(&Id) -> String) -> String {
    let is_own = ["/Plugins", "/People"];
    let root = match is_own.iter().any(|own| rest.starts_with(own)) {
        true => "/v1/Accounts",
        false => "/2010-04-01/Accounts",
    };
    let filled = ids.iter().fold(rest.to_owned(), |path, one| {
        path.replace(&format!("{{{}}}", one.0), &id(one))
    });
    assert!(!filled.contains('{'), "{filled}");
    format!("{root}/{account}{filled}")
}

#[tokio::test]
async fn a_foreign_id_is_answered_like_one_that_nobody_has() {
    let api = Api::new();
    let ids = things(&api).await;
    let expected = answer(
        &api,
        "GET",
        &path(OTHER_SID, "/nothing", &ids, |_| String::new()),
        "",
    )
    .await;
    assert!(expected.starts_with("404"), "{expected}");
    let mut asked = 0;
    for (methods, rest, form) in ROUTES {
        for method in methods.split(' ') {
            let mut paths = vec![
                path(SID, rest, &ids, |(_, own, _)| own.clone()),
                path(SID, rest, &ids, |(_, _, nobody)| (*nobody).to_owned()),
                path(support::NOBODY_SID, rest, &ids, |(_, own, _)| own.clone()),
                path("AC1", rest, &ids, |(_, own, _)| own.clone()),
            ];
            if rest.contains('{') {
                paths.extend([
                    path(OTHER_SID, rest, &ids, |(_, own, _)| own.clone()),
                    path(OTHER_SID, rest, &ids, |(_, _, nobody)| (*nobody).to_owned()),
                    path(OTHER_SID, rest, &ids, |_| "x".to_owned()),
                    path(OTHER_SID, rest, &ids, |_| SID.to_owned()),
                ]);
            }
            for path in paths {
                let form = if method == "POST" { form } else { "" };
                let answer = answer(&api, method, &path, form).await;
                assert_eq!(answer, expected, "{method} {path}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 2 * 4 + 56 * 8);
    let own: Vec<_> = ids.iter().map(|(_, own, _)| own).collect();
    let left = api.get("Calls.json").await;
    let calls = left.json["calls"].as_array().unwrap().iter();
    let up = calls.filter(|call| call["status"] == "in-progress");
    assert_eq!(up.count(), 1, "{own:?} is untouched");
}
