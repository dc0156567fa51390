//! Several recordings in each of many calls at once, also by a server that is killed in between: each belongs to its call, in order, and is told of
//! once, when it can be fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::server::{Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
/// Calls at once.
const CALLS: u32 = 8;
/// Recordings of each.
const EACH: usize = 3;

/// Calls that are recorded one second after the other; their SIDs.
fn place(server: &Server, app: &VoiceApp) -> BTreeSet<String> {
    let record = format!(
        "<Record playBeep=\"false\" trim=\"do-not-trim\" timeout=\"0\" maxLength=\"1\" recordingStatusCallback=\"{}\" \
         recordingStatusCallbackEvent=\"completed absent\"/>",
        app.url("/recorded")
    );
    let document = format!("<Response>{}</Response>", record.repeat(EACH));
    let place = |_| server.rest().place("1000", "+15005550100", &document);
    (0..CALLS).map(place).collect()
}

/// What was told, each once, in order.
fn told(app: &VoiceApp) -> Vec<Asked> {
    let mut seen = BTreeSet::new();
    let mut told = app.asked();
    told.retain(|asked| seen.insert(asked.headers["i-twilio-idempotency-token"].clone()));
    told
}

/// Waits until so much was told, and fetches each recording as soon as it is told of.
fn fetched(server: &Server, app: &VoiceApp, known: &mut BTreeSet<String>, count: usize) {
    eventually("the recordings are told of", LIMIT, || {
        let told = told(app);
        for asked in &told {
            let sid = asked.parameters["RecordingSid"].clone();
            if asked.parameters["RecordingStatus"] == "completed" && known.insert(sid.clone()) {
                let file = server.rest().download(&format!("Recordings/{sid}.wav"));
                assert_eq!(&file[..4], b"RIFF", "{sid}");
            }
        }
        (told.len() >= count).then_some(())
    });
}

/// The recordings that REST shows of a call, the oldest first.
fn shown(server: &Server, call: &str) -> Vec<Value> {
    let (status, page) = server.rest().get(&format!("Calls/{call}/Recordings.json"));
    assert_eq!(status, 200, "{page}");
    let mut rows = page["recordings"].as_array().expect("a list").clone();
    rows.reverse();
    rows
}

/// The SIDs and ends that were told of each call.
fn by_call(told: Vec<Asked>) -> BTreeMap<String, Vec<(String, String)>> {
    let mut calls: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for mut asked in told {
        let mut value = |name: &str| asked.parameters.remove(name).expect("it is told");
        let (sid, status) = (value("RecordingSid"), value("RecordingStatus"));
        calls
            .entry(value("CallSid"))
            .or_default()
            .push((sid, status));
    }
    calls
}

#[test]
fn every_recording_belongs_to_its_call_and_is_told_when_it_is_there() {
    let app = VoiceApp::serve(vec![Page::twiml("/recorded", "")]);
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").calling(2 * CALLS, 2 * CALLS);
    let callee = callee.start(nobody).listening();
    let mut server = Server::start(&Tenants::calling(callee.address));
    let mut known = BTreeSet::new();

    let mut calls = place(&server, &app);
    let all = CALLS as usize * EACH;
    fetched(&server, &app, &mut known, all);
    assert_eq!(known.len(), all, "each is one of its own");
    for call in &calls {
        assert_eq!(shown(&server, call).len(), EACH, "{call}");
    }

    // The next ones are in the middle when the server is killed.
    calls.extend(place(&server, &app));
    fetched(&server, &app, &mut known, all + CALLS as usize);
    server.kill_and_start_again();
    let rows = || -> Vec<(String, Value)> {
        let of = |call: &String| {
            let rows = shown(&server, call).into_iter();
            rows.map(|row| (call.clone(), row)).collect::<Vec<_>>()
        };
        calls.iter().flat_map(of).collect()
    };
    let rows = rows();
    fetched(&server, &app, &mut known, rows.len());
    let told = told(&app);
    assert_eq!(told.len(), rows.len(), "each once, and none besides");
    let mut kept: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (call, row) in rows {
        let text = |name: &str| row[name].as_str().expect("a text").to_owned();
        assert_eq!(text("call_sid"), call);
        assert!(["completed", "absent"].contains(&&*text("status")), "{row}");
        kept.entry(call)
            .or_default()
            .push((text("sid"), text("status")));
    }
    assert_eq!(by_call(told), kept, "of the same call, in the same order");
    assert!(kept.values().all(|rows| rows.len() <= EACH), "{kept:?}");
    server.stop();
    drop(callee);
}
