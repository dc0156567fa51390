//! Conferences that are recorded: through the API, and by a server that was killed in between.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

fn callee(calls: u32) -> RunningSipp {
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").calling(calls, calls);
    callee.start(nobody).listening()
}

/// Calls two into a conference that is recorded; its SID.
fn begin(server: &Server, app: &VoiceApp) -> String {
    let callback = app.url("/recorded");
    let recorded = format!(
        "ConferenceRecord=true&ConferenceTrim=do-not-trim&ConferenceRecordingStatusCallback={callback}\
         &ConferenceRecordingStatusCallbackEvent=in-progress+completed+absent"
    );
    let mut sid = String::new();
    for more in [recorded.as_str(), "ConferenceRecord=false"] {
        let form = format!("To=%2B15005550100&From=1000&{more}");
        let (status, one) = server
            .rest()
            .post("Conferences/weekly/Participants.json", &form);
        assert_eq!(status, 201, "{one}");
        sid = one["conference_sid"].as_str().expect("a SID").to_owned();
    }
    sid
}

/// What was told, each once, when there is so much of it.
fn told(app: &VoiceApp, count: usize) -> Vec<Asked> {
    eventually("the callbacks came", LIMIT, || {
        let mut told = app.asked();
        told.dedup_by_key(|asked| asked.headers["i-twilio-idempotency-token"].clone());
        (told.len() >= count).then_some(told)
    })
}

fn values<'a>(told: &'a [Asked], name: &str) -> Vec<&'a str> {
    let value = |asked: &'a Asked| asked.parameters.get(name).map_or("", String::as_str);
    told.iter().map(value).collect()
}

fn recordings(server: &Server, conference: &str) -> Vec<Value> {
    let path = format!("Conferences/{conference}/Recordings.json");
    let (status, page) = server.rest().get(&path);
    assert_eq!(status, 200, "{page}");
    page["recordings"].as_array().expect("a list").clone()
}

#[test]
fn a_conference_is_recorded_paused_stopped_told_and_fetched() {
    let app = VoiceApp::serve(vec![Page::twiml("/recorded", "")]);
    let callee = callee(2);
    let server = Server::start(&Tenants::calling(callee.address));
    let conference = begin(&server, &app);
    let first = told(&app, 1);
    let sid = values(&first, "RecordingSid")[0].to_owned();
    let rest = server.rest();
    let one = format!("Conferences/{conference}/Recordings/{sid}.json");
    // Somebody came just after it began: a second of it has the tone that all hear then.
    std::thread::sleep(Duration::from_secs(2));
    for (form, status) in [
        ("Status=paused&PauseBehavior=skip", "paused"),
        ("Status=in-progress", "in-progress"),
        ("Status=stopped", "processing"),
    ] {
        let (code, recording) = rest.post(&one, form);
        assert_eq!(code, 200, "{form}: {recording}");
        let is = recording["status"].as_str().expect("a status");
        assert!(is == status || is == "completed", "{form}: {recording}");
    }
    let told = told(&app, 2);
    assert_eq!(
        values(&told, "RecordingStatus"),
        ["in-progress", "completed"]
    );
    assert_eq!(values(&told, "ConferenceSid"), [conference.as_str(); 2]);
    assert_eq!(values(&told, "CallSid"), [""; 2]);
    assert_eq!(values(&told, "RecordingSource"), ["Conference"; 2]);
    assert_eq!(values(&told, "RecordingSid"), [sid.as_str(); 2]);
    let listed = recordings(&server, &conference);
    assert_eq!(listed.len(), 1, "one, however many join: {listed:?}");
    assert_eq!(listed[0]["status"], "completed");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let bytes = rest.download(&format!("Recordings/{sid}.wav"));
    std::fs::write(file.path(), bytes).expect("it is written");
    let samples = audio::read_wav(file.path());
    assert!(
        (8_000..40_000).contains(&samples.len()),
        "{}",
        samples.len()
    );
    let loud = audio::loud_seconds(&samples);
    assert!(loud > 0.05, "{loud} s of tone");
    assert_eq!(rest.post(&one, "Status=paused").0, 404, "it is over");
    assert_eq!(rest.delete(&one), 204);
    assert_eq!(recordings(&server, &conference), [] as [Value; 0]);
    let end = format!("Conferences/{conference}.json");
    assert_eq!(rest.post(&end, "Status=completed").0, 200);
    callee.succeed(LIMIT);
    server.stop();
    assert_eq!(app.asked().len(), 2, "and no more");
}

/// By its document: what is said is in the recording, and who speaks is told.
#[test]
fn a_document_has_its_conference_recorded_and_is_told_who_speaks() {
    on_a_steady_machine(|| {
        let app = VoiceApp::serve(vec![Page::twiml("/recorded", ""), Page::twiml("/told", "")]);
        let document = format!(
            "<Response><Dial><Conference beep=\"false\" record=\"record-from-start\" trim=\"do-not-trim\" \
         recordingStatusCallback=\"{}\" statusCallback=\"{}\" statusCallbackEvent=\"speaker\">weekly</Conference></Dial></Response>",
            app.url("/recorded"),
            app.url("/told"),
        );
        let server = Server::start(&Tenants::with_numbers(vec![(
            "1000",
            Flow::Twiml(document),
        )]));
        let listens = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
        eventually("the first one is there", LIMIT, || {
            let (_, list) = server.rest().get("Conferences.json");
            list["conferences"][0]["sid"].as_str().map(str::to_owned)
        });
        let speaks = Softphone::call(server.sip, "1000", "PCMU", &prompt("welcome"));
        let told = eventually("both were told of who speaks", LIMIT, || {
            let told = app.asked();
            let events = values(&told, "StatusCallbackEvent");
            let of = |name: &str| events.contains(&name);
            (of("participant-speech-start") && of("participant-speech-stop")).then_some(told)
        });
        let speech: Vec<&Asked> = told.iter().filter(|asked| asked.path == "/told").collect();
        assert_eq!(
            speech[0].parameters["StatusCallbackEvent"],
            "participant-speech-start"
        );
        let (_, calls) = server.rest().get("Calls.json");
        assert_eq!(
            speech[0].parameters["CallSid"], calls["calls"][0]["sid"],
            "who came last speaks"
        );
        let (_, list) = server.rest().get("Conferences.json");
        let conference = list["conferences"][0]["sid"].as_str().expect("a SID");
        let end = format!("Conferences/{conference}.json");
        assert_eq!(server.rest().post(&end, "Status=completed").0, 200);
        listens.succeed(LIMIT);
        let _ = speaks.finish(LIMIT);
        let recorded = eventually("the recording is told of", LIMIT, || {
            let told = app.asked();
            told.into_iter().find(|asked| asked.path == "/recorded")
        });
        assert_eq!(recorded.parameters["RecordingStatus"], "completed");
        assert_eq!(recorded.parameters["ConferenceSid"], conference);
        let sid = &recorded.parameters["RecordingSid"];
        let file = tempfile::NamedTempFile::new().expect("a file");
        let bytes = server.rest().download(&format!("Recordings/{sid}.wav"));
        std::fs::write(file.path(), bytes).expect("it is written");
        let found = audio::find(&prompt("welcome"), &audio::read_wav(file.path()));
        assert!(found.is_heard(), "{found:?}");
        server.stop();
    });
}

#[test]
fn the_recording_of_a_conference_outlives_the_server() {
    let app = VoiceApp::serve(vec![Page::twiml("/recorded", "")]);
    let callee = callee(2);
    let mut server = Server::start(&Tenants::calling(callee.address));
    let conference = begin(&server, &app);
    told(&app, 1);
    std::thread::sleep(Duration::from_secs(2)); // of audio
    server.kill_and_start_again();
    let told = told(&app, 2);
    assert_eq!(
        values(&told, "RecordingStatus"),
        ["in-progress", "completed"]
    );
    assert_eq!(values(&told, "ConferenceSid"), [conference.as_str(); 2]);
    let listed = recordings(&server, &conference);
    assert_eq!(listed[0]["status"], "completed", "{listed:?}");
    let sid = listed[0]["sid"].as_str().expect("a SID");
    let bytes = server.rest().download(&format!("Recordings/{sid}.wav"));
    assert!(bytes.len() > 44 + 8_000, "{} bytes", bytes.len());
    server.stop();
    drop(callee);
}
