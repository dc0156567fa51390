//! A client as `RapidPro` is one: its channel has a base URL, a SID and a token. It makes a call, hangs it up, is told of the end once; and takes a
//! call, and fetches what was said.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::baresip::Softphone;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_call_is_made_hung_up_and_its_end_is_told_once() {
    let ask = "<Response><Gather numDigits=\"1\" timeout=\"30\"><Play loop=\"5\">menu.wav</Play></Gather></Response>";
    let app = VoiceApp::serve(vec![
        Page::twiml("/handle/1/", ask),
        Page::twiml("/status/1/", ""),
        Page::prompt("menu"),
    ]);
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").start(nobody).listening();
    let server = Server::start(&Tenants::calling(callee.address));
    let form = format!(
        "To=%2B15005550100&From=1000&Url={}&StatusCallback={}&MachineDetection=",
        app.url("/handle/1/"),
        app.url("/status/1/")
    );
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    assert_ne!(call["status"], "failed");
    let sid = call["sid"].as_str().expect("a SID");
    server.rest().wait_for(sid, "in-progress", LIMIT);
    eventually("the document was asked for", LIMIT, || {
        app.asked()
            .iter()
            .any(|asked| asked.path == "/handle/1/")
            .then_some(())
    });
    let (status, ended) = server
        .rest()
        .post(&format!("Calls/{sid}.json"), "Status=completed");
    assert_eq!(status, 200, "{ended}");
    callee.succeed(LIMIT);
    server.rest().wait_for(sid, "completed", LIMIT);
    server.stop();

    let mut told = app.asked();
    told.retain(|asked| asked.path == "/status/1/");
    assert_eq!(told.len(), 1, "{told:?}");
    let parameters = &told[0].parameters;
    assert_eq!(parameters["CallStatus"], "completed");
    assert_eq!(parameters["CallSid"], sid);
    assert_eq!(parameters["SequenceNumber"], "0");
    assert!(parameters.contains_key("CallDuration"), "{parameters:?}");
    assert!(
        app.asked().iter().all(|asked| asked.path.ends_with(".wav")
            || asked.headers.contains_key("x-twilio-signature"))
    );
}

#[test]
fn a_call_is_taken_and_its_recording_fetched() {
    on_a_steady_machine(|| {
        let record = "<Response><Record action=\"/recorded/\" maxLength=\"20\" timeout=\"2\" playBeep=\"false\"/></Response>";
        let app = VoiceApp::serve(vec![
            Page::twiml("/handle/", record),
            Page::twiml("/recorded/", "<Response><Hangup/></Response>"),
        ]);
        let numbers = vec![("1000", Flow::VoiceUrl(app.url("/handle/")))];
        let server = Server::start(&Tenants::with_numbers(numbers));
        let said = prompt("support");
        let phone = Softphone::call(server.sip, "1000", "PCMU", &said);
        let recorded = eventually("the recording is told", LIMIT, || {
            app.asked()
                .into_iter()
                .find(|asked| asked.path == "/recorded/")
        });
        drop(phone);
        let url = &recorded.parameters["RecordingUrl"];
        let (_, path) = url.split_once("/Recordings/").expect("a URL of the API");
        let mp3 = server.rest().download(&format!("Recordings/{path}.mp3"));
        let is_mp3 = mp3.starts_with(b"ID3") || (mp3[0] == 0xff && mp3[1] & 0xe0 == 0xe0);
        assert!(is_mp3, "{:?}", &mp3[..4]);
        let seconds: usize = recorded.parameters["RecordingDuration"]
            .parse()
            .expect("seconds");
        assert!(seconds.abs_diff(said.len() / 8_000) <= 1, "{seconds} s");
        server.stop();
    });
}
