//! Conferences as an application sees and rules them, through Twilio's official Python helper library.

use std::time::Duration;

use jackfield_interop::helper_library;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

/// In the conference under this label; after it the call is hung up.
fn labelled(label: &str) -> Flow {
    Flow::Twiml(format!(
        "<Response><Dial><Conference participantLabel=\"{label}\">weekly</Conference></Dial></Response>"
    ))
}

fn caller(server: &Server, number: &'static str) -> RunningSipp {
    Sipp::new("uac_wait_bye").dialling(number).start(server.sip)
}

/// Waits until so many are in the conference that goes on.
fn wait_for_participants(server: &Server, count: usize) {
    let rest = server.rest();
    eventually("they are in the conference", LIMIT, || {
        let (_, list) = rest.get("Conferences.json?Status=in-progress");
        let sid = list["conferences"][0]["sid"].as_str()?.to_owned();
        let (_, page) = rest.get(&format!("Conferences/{sid}/Participants.json"));
        (page["participants"].as_array()?.len() == count).then_some(())
    });
}

#[test]
fn the_library_mutes_holds_removes_and_ends() {
    let server = Server::start(&Tenants::with_numbers(vec![
        ("1000", labelled("first")),
        ("1001", labelled("second")),
        ("1002", labelled("third")),
    ]));
    let callers = ["1000", "1001", "1002"].map(|number| caller(&server, number));
    wait_for_participants(&server, 3);
    let lines = helper_library::run("conferences.py", &server.rest(), &["moderate"]);

    assert_eq!(lines[0]["name"], "weekly", "{lines:?}");
    assert_eq!(lines[0]["status"], "in-progress");
    assert_eq!(
        lines[1]["participants"],
        json!(["first", "second", "third"])
    );
    let flags: Vec<_> = lines[2..5]
        .iter()
        .map(|line| (line["muted"].clone(), line["hold"].clone()))
        .collect();
    assert_eq!(
        flags,
        [
            (json!(true), json!(false)),
            (json!(true), json!(true)),
            (json!(false), json!(false))
        ]
    );
    assert_eq!(lines[2]["status"], "connected");
    assert_eq!(lines[5]["muted"], 0);
    assert_eq!(lines[6]["removed"], true);
    assert_eq!(lines[7], json!({"refused": 404, "code": 20404}));
    assert_eq!(
        lines[8],
        json!({"status": "completed", "reason": "conference-ended-via-api"})
    );
    assert_eq!(lines[9]["left"], 0);
    for caller in callers {
        caller.succeed(LIMIT); // each waits for our BYE
    }
}

/// What the application was told, once there is so much of it.
fn told(app: &VoiceApp, count: usize) -> Vec<Asked> {
    eventually("the callbacks came", LIMIT, || {
        let mut told = app.asked();
        told.retain(|asked| asked.path == "/told");
        (told.len() >= count).then_some(told)
    })
}

fn values<'a>(told: &'a [Asked], name: &str) -> Vec<&'a str> {
    let value = |asked: &'a Asked| asked.parameters.get(name).map_or("", String::as_str);
    told.iter().map(value).collect()
}

#[test]
fn an_application_is_told_of_each_turn_in_order() {
    let app = VoiceApp::serve(vec![Page::twiml("/told", ""), Page::prompt("menu")]);
    let tells = format!(
        "statusCallback=\"{}\" statusCallbackEvent=\"start end join leave mute hold modify announcement\"",
        app.url("/told")
    );
    let with = |label: &str| {
        Flow::Twiml(format!(
            "<Response><Dial><Conference participantLabel=\"{label}\" {tells}>weekly</Conference></Dial></Response>"
        ))
    };
    let server = Server::start(&Tenants::with_numbers(vec![
        ("1000", with("first")),
        ("1001", with("second")),
    ]));
    let first = caller(&server, "1000");
    told(&app, 1);
    let second = caller(&server, "1001");
    told(&app, 3);
    let rest = server.rest();
    let sid = values(&told(&app, 1), "ConferenceSid")[0].to_owned();
    let participant = |label: &str| format!("Conferences/{sid}/Participants/{label}.json");
    for form in [
        "Muted=true",
        "Hold=true",
        "Hold=false",
        "EndConferenceOnExit=true",
    ] {
        let (status, answer) = rest.post(&participant("second"), form);
        assert_eq!(status, 200, "{form}: {answer}");
    }
    told(&app, 7);
    let announce = format!("AnnounceUrl={}", app.url("/menu.wav"));
    for (path, form) in [
        (participant("first"), announce.as_str()),
        (
            participant("first"),
            "AnnounceUrl=http://127.0.0.1:9/gone.wav",
        ),
    ] {
        let (status, answer) = rest.post(&path, form);
        assert_eq!(status, 200, "{form}: {answer}");
        eventually("it was announced", LIMIT, || {
            let events = told(&app, 7);
            let count = |event| values(&events, event).len();
            (count("StatusCallbackEvent") > 7).then_some(())
        });
    }
    told(&app, 9);
    let (status, _) = rest.request_status("DELETE", &participant("second"));
    assert_eq!(status, 204);
    first.succeed(LIMIT);
    second.succeed(LIMIT);
    let told = told(&app, 12);
    assert_eq!(
        values(&told, "StatusCallbackEvent"),
        [
            "participant-join",
            "participant-join",
            "conference-start",
            "participant-mute",
            "participant-hold",
            "participant-unhold",
            "participant-modify",
            "announcement-end",
            "announcement-fail",
            "participant-leave",
            "participant-leave",
            "conference-end",
        ]
    );
    let numbers: Vec<_> = (0..12).map(|number| number.to_string()).collect();
    assert_eq!(values(&told, "SequenceNumber"), numbers);
    assert_eq!(values(&told, "ConferenceSid"), [sid.as_str(); 12]);
    assert_eq!(
        values(&told, "ReasonParticipantLeft")[9..11],
        ["participant_updated_via_api", "conference_ended"]
    );
    let end = &told[11].parameters;
    assert_eq!(
        end["ReasonConferenceEnded"],
        "participant-with-end-conference-on-exit-kicked"
    );
    assert_eq!(end["ParticipantLabelEndingConference"], "second");
    assert!(
        told.iter()
            .all(|asked| asked.headers.contains_key("x-twilio-signature"))
    );
}

#[test]
fn the_library_calls_somebody_into_a_conference() {
    let callee = Sipp::new("uas_wait_bye")
        .start("127.0.0.1:9".parse().expect("an address"))
        .listening();
    let server = Server::start(&Tenants::calling(callee.address));
    let lines = helper_library::run("conferences.py", &server.rest(), &["invite"]);
    assert_eq!(lines[0]["label"], "guest", "{lines:?}");
    assert!(
        ["queued", "connecting", "ringing", "connected"]
            .contains(&lines[0]["status"].as_str().expect("a status")),
        "{lines:?}"
    );
    assert_eq!(lines[1]["status"], "connected", "{lines:?}");
    assert_eq!(lines[2]["name"], "weekly");
    assert_eq!(lines[2]["status"], "init", "one alone waits");
    assert_eq!(
        lines[3],
        json!({"status": "completed", "reason": "conference-ended-via-api"})
    );
    callee.succeed(LIMIT); // it waits for our BYE
}

#[test]
fn the_library_sees_who_waits_and_sends_them_on() {
    let app = VoiceApp::serve(vec![Page::twiml("/next", "<Response><Hangup/></Response>")]);
    let waits = || Flow::Twiml("<Response><Enqueue>support</Enqueue></Response>".to_owned());
    let server = Server::start(&Tenants::with_numbers(vec![("1000", waits())]));
    let callers = [(); 2].map(|()| caller(&server, "1000"));
    eventually("both wait", LIMIT, || {
        let (_, list) = server.rest().get("Queues.json");
        (list["queues"][0]["current_size"] == 2).then_some(())
    });
    let url = app.url("");
    let address = url.strip_prefix("http://").expect("a URL");
    let lines = helper_library::run("conferences.py", &server.rest(), &["queues", address]);
    assert_eq!(
        lines[0],
        json!({"name": "support", "size": 2, "max_size": 100})
    );
    assert_eq!(lines[1]["positions"], json!([1, 2]));
    assert_eq!(lines[3], json!({"left": [1], "sent_on": true}));
    assert_eq!(lines[4], json!({"refused": 409, "code": 20409}));
    assert_eq!(lines[5]["deleted"], true);
    assert_eq!(lines[6], json!({"name": "vip", "max_size": 3, "size": 0}));
    assert_eq!(lines[7]["queues"], json!(["vip"]));
    let asked = app.asked();
    assert_eq!(asked.len(), 2, "each is sent on once");
    assert_eq!(asked[0].parameters["CallSid"], lines[2]["front"]);
    for caller in callers {
        caller.succeed(LIMIT); // each waits for our BYE
    }
}
