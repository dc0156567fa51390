//! One thing of each kind, whoever's they are.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use call::{
    CallRecord, CallStatus, ConferenceSid, ConferenceTurn, Participant, RecordingSid,
    RecordingSource, RecordingTracks,
};
use serde_json::Value;
use store::{
    Author, CallbackOutcome, CallerId, ConferenceNote, NewRecording, OperatorEdit, Scope,
    Store as _, random_caller_id_sid,
};

use super::routes::authorization;
use super::{Api, OTHER_SID, OTHER_TOKEN, SID, START_UNIX_MS, TOKEN, member, request};

/// An account and its token.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) sid: String,
    pub(crate) token: String,
}

/// What an account has: the id of a thing by its name in paths.
pub(crate) type Things = BTreeMap<&'static str, String>;

impl Owner {
    pub(crate) fn hotline() -> Self {
        Self::new(SID, TOKEN)
    }

    pub(crate) fn new(sid: &str, token: &str) -> Self {
        let (sid, token) = (sid.to_owned(), token.to_owned());
        Self { sid, token }
    }

    pub(crate) fn user(&self) -> (&str, &str) {
        (&self.sid, &self.token)
    }

    async fn ask(&self, api: &Api, method: &str, path: &str, form: &str) -> Value {
        let path = format!("/2010-04-01/Accounts/{}/{path}", self.sid);
        let answer = api.send(request(method, &path, form, self.user())).await;
        assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
        answer.json
    }
}

/// A new account below `hotline`.
pub(crate) async fn subaccount(api: &Api, name: &str) -> Owner {
    let accounts = "/2010-04-01/Accounts.json";
    let made = api.post(accounts, &format!("FriendlyName={name}")).await;
    Owner::new(&text(&made.json["sid"]), &text(&made.json["auth_token"]))
}

/// A carrier of this name, with a trunk, a number that is free and an account that may call anywhere.
pub(crate) async fn stranger(api: &Api, carrier: &str) -> Owner {
    let carrier_table = format!(r#"{{"id":"{carrier}","number_pool":["+85544444444"]}}"#);
    operate(api, "/operator/v1/carriers", &carrier_table).await;
    let trunk = format!(
        r#"{{"id":"{carrier}-trunk","carrier":"{carrier}","target":"127.0.0.1:5081","max_channels":1,"calls_per_second":1.0}}"#
    );
    operate(api, "/operator/v1/trunks", &trunk).await;
    let account = format!(
        r#"{{"carrier":"{carrier}","name":"{carrier}-account","outbound":{{"allow":["+"]}}}}"#
    );
    let made = operate(api, "/operator/v1/accounts", &account).await;
    Owner::new(&text(&made["id"]), &text(&made["auth_token"]))
}

/// Posts to the operator's half of the API.
pub(crate) async fn operate(api: &Api, path: &str, body: &str) -> Value {
    let request = Request::post(path)
        .header("authorization", authorization(path, ("", "")))
        .body(Body::from(body.to_owned()))
        .unwrap();
    let answer = api.send(request).await;
    assert!(answer.status.is_success(), "{path}: {answer:?}");
    answer.json
}

/// What the operator has under `/operator/v1/{…}/{id}` and `/v1/Carriers/{carrier}`, by the part of the path before it.
pub(crate) async fn operators(api: &Api) -> Things {
    let plugin = "/v1/Carriers/demo/Plugins/survey/Versions";
    operate(api, plugin, "\0asm").await;
    let numbers = api.get("IncomingPhoneNumbers.json").await;
    let caller_id = format!(r#"{{"account":"{OTHER_SID}","number":"+85599999998"}}"#);
    let caller_id = operate(api, "/operator/v1/caller-ids", &caller_id).await;
    let file = format!("/v1/Accounts/{OTHER_SID}/Media/flood.wav");
    let kept = request("PUT", &file, "RIFF", (OTHER_SID, OTHER_TOKEN));
    assert_eq!(api.send(kept).await.status, 201);
    Things::from([
        ("file", "flood.wav".to_owned()),
        ("carrier", "demo".to_owned()),
        ("carriers", "demo".to_owned()),
        ("accounts", OTHER_SID.to_owned()),
        ("trunks", "gateway".to_owned()),
        (
            "numbers",
            text(&numbers.json["incoming_phone_numbers"][0]["sid"]),
        ),
        ("caller-ids", text(&caller_id["id"])),
        ("name", "survey".to_owned()),
    ])
}

/// One thing of each kind, all of this account, which may call from `from`.
pub(crate) async fn things(api: &Api, owner: &Owner, from: &str) -> Things {
    let mut things = calls(api, owner, from).await;
    things.extend(rooms(api, owner, &things["call"]).await);
    things.extend(directory(api, owner).await);
    things.extend(broadcast(api, owner, from).await);
    things
}

/// Calls: one that is up and recorded, one that is over and has told something, and a callback that nobody took.
async fn calls(api: &Api, owner: &Owner, from: &str) -> Things {
    let from = from.replace('+', "%2B");
    let form = format!(
        "To=%2B85512345678&From={from}&Twiml=x&StatusCallback=https://a/&StatusCallbackEvent=answered"
    );
    let call = text(&owner.ask(api, "POST", "Calls.json", &form).await["sid"]);
    api.advance(call.parse().unwrap(), CallStatus::InProgress);
    let recordings = format!("Calls/{call}/Recordings.json");
    let recording = owner.ask(api, "POST", &recordings, "").await;
    let streams = format!("Calls/{call}/Streams.json");
    let stream = owner.ask(api, "POST", &streams, "Url=wss://a/").await;
    let callbacks = api.store.callbacks_after(0, 100).unwrap();
    let callback = callbacks.last().unwrap().id;
    let given_up = CallbackOutcome::Failed {
        attempts: 17,
        due_unix_ms: None,
        error: "status 500".to_owned(),
    };
    let settled = api.store.settle_callback(callback, given_up, None);
    settled.wait().unwrap();
    let form = format!("To=%2B85512345678&From={from}&Twiml=x");
    let over = text(&owner.ask(api, "POST", "Calls.json", &form).await["sid"]);
    let record = CallRecord {
        duration_s: 7,
        ..CallRecord::new(CallStatus::Completed, "x")
    };
    let journal = Some(b"[1,2]".to_vec());
    let sid = over.parse().unwrap();
    api.advance(sid, CallStatus::InProgress);
    let ended = START_UNIX_MS + 12_000;
    let ended = api.store.finish_call(sid, record, ended, journal);
    ended.wait().unwrap();
    let told = owner.ask(api, "GET", "Notifications.json", "").await;
    Things::from([
        ("call", call),
        ("over", over),
        ("recording", text(&recording["sid"])),
        ("stream", text(&stream["sid"])),
        ("callback", callback.to_string()),
        ("notification", text(&told["notifications"][0]["sid"])),
    ])
}

/// A conference that the call is in, and a queue that somebody waits at.
async fn rooms(api: &Api, owner: &Owner, call: &str) -> Things {
    let account = owner.sid.parse().unwrap();
    let conference = ConferenceSid::from_bytes(*member(account, 5).as_bytes());
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
        let scope = Scope::of_host(account);
        api.store.note_conference(scope, note).wait().unwrap();
    }
    let recording = RecordingSid::from_bytes(*member(account, 0x54).as_bytes());
    let new = NewRecording {
        sid: recording,
        of: conference.into(),
        source: RecordingSource::Conference,
        channels: 1,
        rate_hz: 8_000,
        tracks: RecordingTracks::Both,
        callback: None,
        url: String::new(),
        created_unix_ms: START_UNIX_MS,
    };
    let begun = api.store.begin_recording(Scope::of_host(account), new);
    begun.wait().unwrap();
    let queue = owner.ask(api, "POST", "Queues.json", "FriendlyName=busy");
    Things::from([
        ("conference", conference.to_string()),
        ("conference_recording", recording.to_string()),
        ("participant", call.to_owned()),
        ("queue", text(&queue.await["sid"])),
        ("member", member(account, 1).to_string()),
    ])
}

/// A draft for one recipient.
async fn broadcast(api: &Api, owner: &Owner, from: &str) -> Things {
    let path = format!("/v1/Accounts/{}/Broadcasts", owner.sid);
    let draft = format!(
        r#"{{"name":"x","from":"{from}","message":{{"twiml":"x"}},"recipients":[{{"number":"+8562055500003"}}]}}"#
    );
    let made = api.send(request("POST", &path, &draft, owner.user())).await;
    assert_eq!(made.status, 201, "{made:?}");
    let file = format!("/v1/Accounts/{}/Media/flood.wav", owner.sid);
    let kept = api.send(request("PUT", &file, "RIFF", owner.user())).await;
    assert_eq!(kept.status, 201, "{kept:?}");
    Things::from([
        ("file", "flood.wav".to_owned()),
        ("broadcast", text(&made.json["sid"])),
        ("recipient", "+8562055500003".to_owned()),
    ])
}

/// What an account has beside its calls.
async fn directory(api: &Api, owner: &Owner) -> Things {
    let key = owner.ask(api, "POST", "Keys.json", "").await;
    let application = owner.ask(api, "POST", "Applications.json", "").await;
    let numbers = owner.ask(api, "GET", "IncomingPhoneNumbers.json", "").await;
    let caller_id = CallerId {
        sid: random_caller_id_sid(),
        account: owner.sid.parse().unwrap(),
        number: "+85599999999".parse().unwrap(),
        name: String::new(),
        created_unix_ms: START_UNIX_MS,
        updated_unix_ms: START_UNIX_MS,
    };
    let shown = caller_id.sid.to_string();
    let made = OperatorEdit::MakeCallerId(caller_id);
    let made = api.store.administer(made, Author::operator(1));
    made.wait().unwrap();
    let plugin = format!("/v1/Accounts/{}/Plugins/survey/Versions", owner.sid);
    let pushed = request("POST", &plugin, "\0asm", owner.user());
    assert_eq!(api.send(pushed).await.status, 201);
    let person = format!("/v1/Accounts/{}/People/+8562055500001", owner.sid);
    let saved = api.send(request("PUT", &person, "", owner.user())).await;
    assert_eq!(saved.status, 201, "{saved:?}");
    Things::from([
        ("country", "KH".to_owned()),
        ("person", "+8562055500001".to_owned()),
        ("account", owner.sid.clone()),
        ("key", text(&key["sid"])),
        ("application", text(&application["sid"])),
        ("number", text(&numbers["incoming_phone_numbers"][0]["sid"])),
        ("caller_id", shown),
        ("name", "survey".to_owned()),
    ])
}

pub(crate) fn text(json: &Value) -> String {
    json.as_str().unwrap().to_owned()
}
