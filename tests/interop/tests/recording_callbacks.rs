//! What an application is told of recordings, also by a server that was killed in between; and components that take calls over.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
const SILENCE: &str = "<Response><Pause length=\"30\"/></Response>";
const TURNS: &str = "RecordingStatusCallbackEvent=in-progress+completed+absent";

fn callee(sipp: Sipp) -> RunningSipp {
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    sipp.start(nobody).listening()
}

/// Places a call, and records it once it is up. The SIDs of the call and of its recording.
fn recorded(server: &Server, url: &str) -> (String, String) {
    let form = format!("To=%2B15005550100&From=1000&Twiml={SILENCE}");
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    let call = call["sid"].as_str().expect("a SID").to_owned();
    eventually("the call is up", LIMIT, || {
        (server.rest().newest_call()["status"] == "in-progress").then_some(())
    });
    let form = format!("RecordingChannels=dual&RecordingStatusCallback={url}&{TURNS}");
    let (status, recording) = server
        .rest()
        .post(&format!("Calls/{call}/Recordings.json"), &form);
    assert_eq!(status, 201, "{recording}");
    let recording = recording["sid"].as_str().expect("a SID").to_owned();
    (call, recording)
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

#[test]
fn the_turns_of_a_recording_are_told_and_its_file_is_there() {
    let app = VoiceApp::serve(vec![Page::twiml("/recorded", "")]);
    let callee = callee(Sipp::new("uas_bye").holding(Duration::from_secs(5)));
    let server = Server::start(&Tenants::calling(callee.address));
    let (call, recording) = recorded(&server, &app.url("/recorded"));
    callee.succeed(LIMIT);
    let told = told(&app, 2);
    assert_eq!(
        values(&told, "RecordingStatus"),
        ["in-progress", "completed"]
    );
    assert_eq!(values(&told, "CallSid"), [call.as_str(); 2]);
    assert_eq!(values(&told, "RecordingSid"), [recording.as_str(); 2]);
    assert_eq!(values(&told, "RecordingChannels"), ["2", "2"]);
    assert_eq!(
        values(&told, "RecordingSource"),
        ["StartCallRecordingAPI"; 2]
    );
    let ["", seconds] = values(&told, "RecordingDuration")[..] else {
        panic!("at the end alone: {told:?}");
    };
    assert!(seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0));
    let is_signed = |asked: &Asked| asked.headers.contains_key("x-twilio-signature");
    assert!(told.iter().all(is_signed));
    let url = values(&told, "RecordingUrl")[1];
    assert!(url.ends_with(&format!("/Recordings/{recording}")), "{url}");
    let file = server
        .rest()
        .download(&format!("Recordings/{recording}.wav"));
    assert_eq!(&file[..4], b"RIFF");
    server.stop();
    assert_eq!(app.asked().len(), 2, "and no more");
}

/// The message of a `<Record>`, which has nothing else to say of it: nobody spoke, so that its action is not asked.
#[test]
fn the_end_of_a_message_by_a_hang_up_is_told() {
    let app = VoiceApp::serve(vec![Page::twiml("/recorded", "")]);
    let document = format!(
        "<Response><Record trim=\"do-not-trim\" playBeep=\"false\" timeout=\"60\" action=\"{}\" recordingStatusCallback=\"{}\"/></Response>",
        app.url("/done"),
        app.url("/recorded")
    );
    let numbers = vec![("1000", Flow::Twiml(document))];
    let server = Server::start(&Tenants::with_numbers(numbers));
    let caller = Sipp::new("uac_bye")
        .holding(Duration::from_secs(3))
        .dialling("1000")
        .start(server.sip);
    caller.succeed(LIMIT);
    let told = told(&app, 1);
    assert_eq!(values(&told, "RecordingStatus"), ["completed"]);
    assert_eq!(values(&told, "RecordingSource"), ["RecordVerb"]);
    let call = server.rest().newest_call();
    assert_eq!(values(&told, "CallSid"), [call["sid"].as_str().unwrap()]);
    let seconds: u32 = values(&told, "RecordingDuration")[0].parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds} s");
    server.stop();
    assert_eq!(app.asked().len(), 1, "and no more");
}

#[test]
fn the_end_of_a_recording_is_told_by_the_next_process() {
    let app = VoiceApp::serve(vec![Page::twiml("/recorded", "")]);
    let callee = callee(Sipp::new("uas_wait_bye"));
    let mut server = Server::start(&Tenants::calling(callee.address));
    let (_, recording) = recorded(&server, &app.url("/recorded"));
    told(&app, 1);
    server.kill_and_start_again();
    let told = told(&app, 2);
    let (_, kept) = server.rest().get(&format!("Recordings/{recording}.json"));
    let end = kept["status"].as_str().expect("a status");
    assert!(matches!(end, "completed" | "absent"), "{kept}");
    assert_eq!(values(&told, "RecordingStatus"), ["in-progress", end]);
    server.stop();
}

/// A call is recorded from its answer on, lasts as long as its order says, and goes with all that is known of it.
#[test]
fn a_call_is_recorded_and_limited_as_its_order_says_and_deleted() {
    let app = VoiceApp::serve(vec![
        Page::twiml("/recorded", ""),
        Page::twiml("/ended", ""),
    ]);
    let callee = callee(Sipp::new("uas_wait_bye"));
    let server = Server::start(&Tenants::calling(callee.address));
    let form = format!(
        "To=%2B15005550100&From=1000&Twiml={SILENCE}&TimeLimit=3&Record=true&RecordingStatusCallback={}&{TURNS}&StatusCallback={}",
        app.url("/recorded"),
        app.url("/ended")
    );
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    let call = call["sid"].as_str().expect("a SID").to_owned();
    callee.succeed(LIMIT);
    let (told, ends): (Vec<_>, Vec<_>) = told(&app, 3)
        .into_iter()
        .partition(|asked| asked.path == "/recorded");
    assert_eq!(
        values(&told, "RecordingStatus"),
        ["in-progress", "completed"]
    );
    assert_eq!(values(&told, "RecordingSource"), ["OutboundAPI"; 2]);
    // The end of the call tells where its recording is.
    assert_eq!(values(&ends, "CallStatus"), ["completed"]);
    for name in ["RecordingSid", "RecordingUrl", "RecordingDuration"] {
        assert_eq!(values(&ends, name), values(&told, name)[1..], "{name}");
    }
    let ended = server.rest().ended(&call, LIMIT);
    assert_eq!(ended["status"], "completed", "{ended}");
    let seconds = ended["duration"]
        .as_str()
        .and_then(|text| text.parse().ok());
    assert!(seconds.is_some_and(|seconds: u32| seconds >= 3), "{ended}");
    let path = format!("Calls/{call}.json");
    assert_eq!(server.rest().delete(&path), 204);
    assert_eq!(server.rest().get(&path).0, 404);
    let recording = format!("Recordings/{}.json", values(&told, "RecordingSid")[0]);
    assert_eq!(server.rest().get(&recording).0, 404);
    server.stop();
}

/// The child call of a `<Dial>` tells of its own turns.
#[test]
fn the_turns_of_a_dialled_call_are_told() {
    let app = VoiceApp::serve(vec![Page::twiml("/progress", "")]);
    let callee = callee(Sipp::new("uas_wait_bye").calling(2, 2));
    let server = Server::start(&Tenants::calling(callee.address));
    let document = format!(
        "<Response><Dial><Number statusCallback=\"{}\" statusCallbackEvent=\"initiated ringing answered completed\">+15005550101</Number></Dial></Response>",
        app.url("/progress")
    );
    let parent = server.rest().place("1000", "+15005550100", &document);
    told(&app, 3);
    server.rest().end(&parent);
    let told = told(&app, 4);
    assert_eq!(
        values(&told, "CallStatus"),
        ["initiated", "ringing", "in-progress", "completed"]
    );
    assert_eq!(values(&told, "SequenceNumber"), ["0", "1", "2", "3"]);
    assert_eq!(values(&told, "ParentCallSid"), [parent.as_str(); 4]);
    assert_eq!(values(&told, "Direction"), ["outbound-dial"; 4]);
    assert_eq!(values(&told, "To"), ["+15005550101"; 4]);
    callee.succeed(LIMIT);
    server.stop();
}

/// A document sends the call on to a component before it is answered, and the component answers it.
#[test]
fn a_component_takes_a_call_over_from_a_document() {
    let document = "<Response><Redirect>plugin:menu</Redirect></Response>";
    let numbers = vec![("1000", Flow::Twiml(document.to_owned()))];
    let server = Server::start(&Tenants::with_numbers(numbers));
    let caller = Sipp::new("uac_bye").dialling("1000").start(server.sip);
    caller.succeed(LIMIT);
    let call = server.rest().newest_call();
    let sid = call["sid"].as_str().expect("a SID");
    // The end is on disk a moment after the BYE.
    let call = server.rest().ended(sid, LIMIT);
    assert_eq!(call["status"], "completed", "{call}");
    server.stop();
}
