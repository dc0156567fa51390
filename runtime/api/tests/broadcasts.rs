//! Broadcasts over REST: drafted, ordered, shown.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use store::{BroadcastWork as _, Judgement};
use support::{Answer, Api, SID, TOKEN, request};
use tower::ServiceExt as _;

fn path(below: &str) -> String {
    format!("/v1/Accounts/{SID}/Broadcasts{below}")
}

async fn send(api: &Api, method: &str, below: &str, body: &Value) -> Answer {
    let body = match body {
        Value::Null => String::new(),
        Value::String(table) => table.clone(),
        body => body.to_string(),
    };
    api.send(request(method, &path(below), &body, (SID, TOKEN)))
        .await
}

fn flood() -> Value {
    json!({
        "name": "Flood",
        "from": "345",
        "message": { "twiml": "<Response><Say>{{name}}, leave now.</Say></Response>" },
    })
}

async fn created(api: &Api, more: Value) -> Value {
    let mut body = flood();
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = send(api, "POST", "", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json
}

fn sid(row: &Value) -> &str {
    row["sid"].as_str().unwrap()
}

#[tokio::test]
async fn a_broadcast_is_drafted_and_shown() {
    let api = Api::new();
    let more = json!({
        "recipients": [{"number": "+855 12 345 678", "language": "khm", "fields": {"name": "Sok"}}],
        "expires": "2010-09-02T00:00:00Z",
        "window": "08:00-20:00 Asia/Phnom_Penh",
        "max_attempts": 2,
        "gap_s": 120,
        "reached_after_s": 5,
        "ring_timeout_s": 40,
        "webhook": {"url": "https://app.example/reached"},
    });
    let row = created(&api, more).await;
    let progress = json!({
        "recipients": 1, "waiting": 1, "again": 0, "calling": 0, "reached": 0, "given_up": 0,
        "attempts": 0, "outcomes": {}, "attempts_per_minute": null, "time_left_s": null,
        "by_operator": {"other": {"recipients": 1, "reached": 0, "given_up": 0, "outcomes": {}}},
    });
    let expected = json!({
        "sid": sid(&row),
        "account_sid": SID,
        "name": "Flood",
        "from": "345",
        "message": flood()["message"],
        "state": "draft",
        "priority": "normal",
        "not_before": null,
        "expires": "2010-09-02T00:00:00Z",
        "window": "08:00-20:00 Asia/Phnom_Penh",
        "retry_strategy": null,
        "max_attempts": 2,
        "gap_s": 120,
        "bounds": { "max_attempts": 2, "gap_s": 120 },
        "reached_after_s": 5,
        "ring_timeout_s": 40,
        "webhook": {"url": "https://app.example/reached", "method": "POST"},
        "rapidpro": null,
        "progress": progress,
        "date_created": "2010-08-31T20:36:28Z",
        "date_updated": "2010-08-31T20:36:28Z",
        "date_started": null,
        "date_ended": null,
    });
    assert_eq!(row, expected);
    let one = format!("/{}", sid(&row));
    assert_eq!(send(&api, "GET", &one, &Value::Null).await.json, row);
    let list = send(&api, "GET", "", &Value::Null).await.json;
    assert_eq!(list["broadcasts"], json!([row]));
    let recipient = format!("{one}/Recipients/+85512345678");
    let recipient = send(&api, "GET", &recipient, &Value::Null).await.json;
    assert_eq!(recipient["fields"], json!({"name": "Sok"}));
    assert_eq!(recipient["state"], "waiting");
}

#[tokio::test]
async fn a_flow_of_rapidpros_is_named_and_its_token_is_never_shown() {
    let api = Api::new();
    let flow = "F5901b62-ba76-4003-9c62-72fdacc1b7b7";
    let start = json!({"url": "https://rapidpro.example/", "flow": flow, "token": "s3cret"});
    let row = created(&api, json!({ "rapidpro": start })).await;
    let shown = json!({"url": "https://rapidpro.example", "flow": flow.to_lowercase()});
    assert_eq!(row["rapidpro"], shown);
    assert!(!row.to_string().contains("s3cret"), "{row}");
    let one = format!("/{}", sid(&row));
    for (name, value, said) in [
        (
            "url",
            json!("rapidpro.example"),
            "`rapidpro.url` must begin with",
        ),
        (
            "url",
            json!("https://r.example/api/v2/flow_starts.json"),
            "without a path of its API",
        ),
        ("flow", json!("welcome"), "is the UUID of a flow"),
        (
            "flow",
            json!("g5901b62-ba76-4003-9c62-72fdacc1b7b7"),
            "is the UUID of a flow",
        ),
        ("token", json!(""), "`rapidpro.token` is an API token"),
        ("token", json!("a b"), "`rapidpro.token` is an API token"),
        ("token", Value::Null, "invalid type: null"),
    ] {
        let mut change = start.clone();
        change[name] = value;
        let answer = send(&api, "PATCH", &one, &json!({ "rapidpro": change })).await;
        assert_eq!(answer.problem(), (400, 20001), "{change}");
        let message = answer.json["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
    // What is not said stays.
    let answer = send(&api, "PATCH", &one, &json!({"name": "Flood 2"})).await;
    assert_eq!(answer.json["rapidpro"], shown);
    // And null takes it off, the webhook too.
    let webhook = json!({"webhook": {"url": "https://app.example/reached"}});
    let with_webhook = send(&api, "PATCH", &one, &webhook).await.json;
    assert_eq!(with_webhook["webhook"]["method"], "POST", "{with_webhook}");
    let off = json!({"rapidpro": null});
    let without = send(&api, "PATCH", &one, &off).await.json;
    assert_eq!(
        (&without["rapidpro"], &without["webhook"]),
        (&Value::Null, &with_webhook["webhook"])
    );
    let off = json!({"webhook": null});
    let without = send(&api, "PATCH", &one, &off).await.json;
    assert_eq!(without["webhook"], Value::Null);
}

#[tokio::test]
async fn long_reads_are_few_at_once() {
    let api = Api::new();
    let row = created(&api, json!({})).await;
    let one = format!("/{}", sid(&row));
    for page in 0..4 {
        let numbers = (0..1_000).map(|of| format!("+85512{page}{of:05}\n"));
        let table = format!("number\n{}", numbers.collect::<String>());
        let added = send(
            &api,
            "POST",
            &format!("{one}/Recipients.csv"),
            &json!(table),
        )
        .await;
        assert_eq!(added.status, 200, "{added:?}");
    }
    let results = path(&format!("{one}/Results.csv"));
    let open = async || {
        let asked = request("GET", &results, "", (SID, TOKEN));
        api.router.clone().oneshot(asked).await.unwrap()
    };
    // Nobody reads what they answer, so that they go on.
    let (first, second) = (open().await, open().await);
    assert_eq!(
        (first.status(), second.status()),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    for what in ["Results.csv", "Statistics", "DryRun"] {
        let answer = send(&api, "GET", &format!("{one}/{what}"), &Value::Null).await;
        assert_eq!(answer.problem(), (429, 20429), "{what}");
    }
    let calls = api.get(&format!("/v1/Accounts/{SID}/RoutedCalls")).await;
    assert_eq!(calls.problem(), (429, 20429));
    let told = api.get("Notifications.json").await;
    assert_eq!(told.problem(), (429, 20429));
    drop(first);
    let statistics = format!("{one}/Statistics");
    let given_back = async {
        while send(&api, "GET", &statistics, &Value::Null).await.status == 429 {
            tokio::task::yield_now().await;
        }
    };
    let given_back = tokio::time::timeout(Duration::from_secs(30), given_back).await;
    given_back.expect("the place of one that is over is given back");
    drop(second);
}

#[tokio::test]
async fn a_draft_is_changed_in_part() {
    let api = Api::new();
    let row = created(&api, json!({"max_attempts": 5, "gap_s": 600})).await;
    let one = format!("/{}", sid(&row));
    let change = json!({"name": "Flood 2", "gap_s": 60});
    let changed = send(&api, "PATCH", &one, &change).await.json;
    assert_eq!(
        (
            &changed["name"],
            &changed["max_attempts"],
            &changed["gap_s"]
        ),
        (&json!("Flood 2"), &json!(5), &json!(60))
    );
    assert_eq!(changed["message"], row["message"]);
    let csv = "number,language,areas,name\n+85512000001,khm,14,Sok\n+85512000002,,,\n";
    let added = send(&api, "POST", &format!("{one}/Recipients.csv"), &json!(csv)).await;
    assert_eq!(added.json["progress"]["recipients"], 2, "{added:?}");
    let wrong = send(
        &api,
        "POST",
        &format!("{one}/Recipients.csv"),
        &json!("number\nx\n"),
    )
    .await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.json["rows"][0]["line"]),
        (400, &json!(2))
    );
}

#[tokio::test]
async fn people_who_fit_become_recipients() {
    let api = Api::new();
    let csv = "number,language,areas,name\n+85512000001,khm,1401,Sok\n+85512000002,khm,16,Dara\n+85512000003,en,14,Ann\n";
    let people = format!("/v1/Accounts/{SID}/People.csv");
    api.send(request("POST", &people, csv, (SID, TOKEN))).await;
    let row = created(
        &api,
        json!({"people": {"areas": ["14"], "language": "khm"}}),
    )
    .await;
    assert_eq!(row["progress"]["recipients"], 1);
    let row = created(&api, json!({"people": {}})).await;
    assert_eq!(row["progress"]["recipients"], 3);
    let one = format!("/{}/Recipients?PageSize=2", sid(&row));
    let page = send(&api, "GET", &one, &Value::Null).await.json;
    assert_eq!(page["recipients"][0]["fields"]["name"], "Sok");
    let next = api.get(page["next_page_uri"].as_str().unwrap()).await.json;
    assert_eq!(next["recipients"][0]["number"], "+85512000003");
    assert_eq!(next["next_page_uri"], Value::Null);
}

#[tokio::test]
async fn orders_are_kept_and_told_to_the_host() {
    let api = Api::new();
    let row = created(&api, json!({})).await;
    let one = format!("/{}", sid(&row));
    let order = |order: &str| format!("{one}/{order}");
    let empty = send(&api, "POST", &order("Start"), &Value::Null).await;
    assert_eq!(empty.problem(), (409, 20409));
    assert!(empty.message().contains("no recipients"));
    let add = json!({"recipients": [{"number": "+85512345678"}, {"number": "+85512345679"}]});
    send(&api, "PATCH", &one, &add).await;
    let paused = send(&api, "POST", &order("Pause"), &Value::Null).await;
    assert!(paused.message().contains("start it first"));
    for (word, state) in [
        ("Start", "running"),
        ("Pause", "paused"),
        ("Resume", "running"),
        ("Stop", "stopped"),
    ] {
        let before = api.live.broadcast_changes.load(Ordering::SeqCst);
        let ordered = send(&api, "POST", &order(word), &Value::Null).await;
        assert_eq!(ordered.json["state"], state);
        assert_eq!(
            api.live.broadcast_changes.load(Ordering::SeqCst),
            before + 1
        );
    }
    let changed = send(&api, "PATCH", &one, &json!({"name": "x"})).await;
    assert_eq!(changed.problem(), (409, 20409));
    let judgement = Judgement::GiveUp("stopped, \"for good\"".to_owned());
    let judgements = vec![("+85512345678".parse().unwrap(), judgement)];
    let judged = api
        .store
        .judge_recipients(sid(&row).parse().unwrap(), judgements, 1);
    judged.wait().unwrap();
    let table = request("GET", &path(&order("Results.csv")), "", (SID, TOKEN));
    let table = api.router.clone().oneshot(table).await.unwrap();
    let table = table.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        String::from_utf8(table.to_vec()).unwrap(),
        "number,language,state,reason,attempts,outcome,sip_status,duration_s,started,ended,call_sid\n\
         +85512345678,,given-up,\"stopped, \"\"for good\"\"\",0,,,,,,\n\
         +85512345679,,waiting,,0,,,,,,\n"
    );
}

#[tokio::test]
async fn a_draft_is_deleted_and_one_that_runs_is_not() {
    let api = Api::new();
    let more = json!({"recipients": [{"number": "+85512345678"}]});
    let row = created(&api, more).await;
    let one = format!("/{}", sid(&row));
    let start = send(&api, "POST", &format!("{one}/Start"), &Value::Null).await;
    assert_eq!(start.status, 200, "{start:?}");
    let refused = send(&api, "DELETE", &one, &Value::Null).await;
    assert_eq!(refused.problem(), (409, 20409));
    assert!(refused.message().contains("stop it first"));

    let row = created(&api, json!({})).await;
    let one = format!("/{}", sid(&row));
    let before = api.live.broadcast_changes.load(Ordering::SeqCst);
    for (method, status) in [("DELETE", 204), ("GET", 404), ("DELETE", 404)] {
        let answer = send(&api, method, &one, &Value::Null).await;
        assert_eq!(answer.status, status, "{method}: {answer:?}");
    }
    let told = api.live.broadcast_changes.load(Ordering::SeqCst) - before;
    assert_eq!(told, 1, "the recipients are to be swept");
}

#[tokio::test]
async fn what_is_wrong_with_a_draft_is_said_before_there_is_one() {
    let api = Api::new();
    for (more, code, expected) in [
        (json!({"name": " "}), 20001, "`name` has 1 to 100"),
        (
            json!({"from": "+85522222222"}),
            21210,
            "is not a number of this account",
        ),
        (
            json!({"message": {}}),
            20001,
            "one of `audio`, `twiml`, `url` and `plugin`",
        ),
        (
            json!({"message": {"twiml": "x", "plugin": "y"}}),
            20001,
            "one of `audio`",
        ),
        (
            json!({"message": {"url": "ftp://a/"}}),
            20001,
            "http:// or https://",
        ),
        (
            json!({"message": {"twiml": "x", "method": "GET"}}),
            20001,
            "no effect without `url`",
        ),
        (
            json!({"message": {"plugin": "nobody"}}),
            20001,
            "no plugin `nobody`",
        ),
        (
            json!({"message": {"audio": {}}}),
            20001,
            "a file for each of",
        ),
        (json!({"gap_s": 1}), 20001, "`gap_s` must be 60 to"),
        (
            json!({"max_attempts": 11}),
            20001,
            "`max_attempts` must be 1 to 10",
        ),
        (
            json!({"priority": "high"}),
            20001,
            "`emergency`, `normal` or `bulk`",
        ),
        (json!({"priority": "emergency"}), 20001, "at most `normal`"),
        (json!({"window": "8-20"}), 20001, "`window`"),
        (
            json!({"expires": "2010-08-31T20:36:00Z"}),
            20001,
            "Nobody could ever be called",
        ),
        (
            json!({"not_before": "tomorrow"}),
            20001,
            "`not_before` is a time",
        ),
        (
            json!({"recipients": [{"number": "x"}]}),
            21211,
            "is not a telephone number",
        ),
        (json!({"colour": "red"}), 20001, "unknown field `colour`"),
    ] {
        let mut body = flood();
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = send(&api, "POST", "", &body).await;
        assert_eq!(answer.problem(), (400, code), "{more}: {answer:?}");
        assert!(answer.message().contains(expected), "{}", answer.message());
    }
    let list = send(&api, "GET", "", &Value::Null).await.json;
    assert_eq!(list["broadcasts"], json!([]));
}

#[tokio::test]
async fn a_dry_run_says_who_could_be_called_and_how_long_it_takes() {
    let api = Api::new();
    let message = json!({"message": {"audio": {"khm": "a.wav"}}, "max_attempts": 2, "gap_s": 600});
    let row = created(&api, message).await;
    let one = format!("/{}", sid(&row));
    let csv = "number,language,areas\n+85512000001,khm,14;1401\n+85512000002,khm,16\n+85512000003,en,\n+12025550123,khm,14\n";
    send(&api, "POST", &format!("{one}/Recipients.csv"), &json!(csv)).await;
    let path = format!("{one}/DryRun?MeanCallSeconds=60");
    let dry = send(&api, "GET", &path, &Value::Null).await.json;
    assert_eq!(
        (&dry["recipients"], &dry["callable"]),
        (&json!(4), &json!(2))
    );
    let refused = dry["refused"].as_object().unwrap();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused.values().all(|count| *count == 1));
    assert_eq!(dry["by_language"]["khm"]["recipients"], 3);
    assert_eq!(dry["by_area"]["14"]["recipients"], 2);
    assert_eq!(dry["by_area"]["other"]["recipients"], 1);
    assert_eq!(dry["by_operator"]["other"]["recipients"], 4);
    // Two calls of a minute in ten channels: 12 s; twice, with ten minutes between.
    assert_eq!(dry["everybody_once_s"], 12.0);
    assert_eq!(dry["nobody_answers_s"], 624.0);
    *api.live.retry_strategy.lock().unwrap() = Some("patient".to_owned());
    let dry = send(&api, "GET", &path, &Value::Null).await.json;
    assert_eq!(dry["retry_strategy"], "patient");
    assert_eq!(dry["nobody_answers_s"], Value::Null, "nobody knows");
    let shown = send(&api, "GET", &one, &Value::Null).await;
    assert_eq!(shown.json["retry_strategy"], "patient");
    let wrong = send(
        &api,
        "GET",
        &format!("{one}/DryRun?MeanCallSeconds=0"),
        &Value::Null,
    )
    .await;
    assert_eq!(wrong.problem(), (400, 20001));
    let judgement = vec![(
        "+85512000003".parse().unwrap(),
        Judgement::GiveUp("x".to_owned()),
    )];
    let judged = api
        .store
        .judge_recipients(sid(&row).parse().unwrap(), judgement, 1);
    judged.wait().unwrap();
    let told = send(&api, "GET", &format!("{one}/Statistics"), &Value::Null)
        .await
        .json;
    let english = json!({"recipients": 1, "reached": 0, "given_up": 1, "attempts": 0});
    assert_eq!(told["by_language"]["en"], english);
}

#[tokio::test]
async fn audio_is_uploaded_and_looked_for_before_a_start() {
    let api = Api::new();
    let media = |below: &str| format!("/v1/Accounts/{SID}/Media{below}");
    let put = |name: &str, bytes: &str| request("PUT", &media(name), bytes, (SID, TOKEN));
    for (name, bytes, expected) in [
        ("/.hidden.wav", "RIFF", "A file's name has"),
        ("/a%20b.wav", "RIFF", "A file's name has"),
        ("/lo.wav", "", "cannot be played"),
    ] {
        let refused = api.send(put(name, bytes)).await;
        assert_eq!(refused.problem(), (400, 20001), "{name}");
        assert!(
            refused.message().contains(expected),
            "{}",
            refused.message()
        );
    }
    let message = json!({"audio": {"lo": "lo.wav"}, "fallback": "en.wav"});
    let more = json!({"message": message, "recipients": [{"number": "+85512345678"}]});
    let row = created(&api, more).await;
    let start = format!("/{}/Start", sid(&row));
    for file in ["lo.wav", "en.wav"] {
        let refused = send(&api, "POST", &start, &Value::Null).await;
        assert_eq!(refused.problem(), (409, 20409));
        assert!(refused.message().contains(&format!("no file `{file}`")));
        let kept = api.send(put(&format!("/{file}"), "RIFF")).await;
        assert_eq!(
            (kept.status.as_u16(), &kept.json["bytes"]),
            (201, &json!(4))
        );
    }
    let started = send(&api, "POST", &start, &Value::Null).await;
    assert_eq!(started.json["state"], "running");
    let names = api.get(&media("")).await.json["media"].clone();
    assert_eq!(
        (&names[0]["name"], &names[1]["name"]),
        (&json!("en.wav"), &json!("lo.wav"))
    );
    assert_eq!(
        api.request("DELETE", &media("/en.wav"), "").await.status,
        204
    );
    let again = api.request("DELETE", &media("/en.wav"), "").await;
    assert_eq!(again.problem(), (404, 20404));
}
