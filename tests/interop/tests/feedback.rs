//! What a caller has to say to a registration line is told to an application, over HTTP.

use std::thread::sleep;
use std::time::Duration;

use jackfield_interop::baresip::Softphone;
use jackfield_interop::needs;
use jackfield_interop::plugins::plugin_in;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);

/// A minute of a tone that comes and goes, as speech does.
fn speech() -> Vec<i16> {
    let sample = |at: u32| {
        let is_loud = at % 8_000 < 6_000;
        let phase = f64::from(at) * std::f64::consts::TAU * 440.0 / 8_000.0;
        if is_loud {
            (phase.sin() * 8_000.0) as i16
        } else {
            0
        }
    };
    (0..60 * 8_000).map(sample).collect()
}

/// Number 1000 runs the line, under the name of a flow that every server has. It has no prompts: what cannot be played is passed over.
fn server(app: &VoiceApp) -> Server {
    let plugin = needs::workspace().join("examples/plugins/cambodia-registration");
    let gazetteer = std::fs::read_to_string(plugin.join("gazetteer.csv"));
    let account = format!(
        "grants = {{ people = true, hosts = [\"127.0.0.1\"], settings = [\"*\"] }}\n\
         settings = {{ feedback-numbers = \"1000\", feedback-url = \"{}\", gazetteer = '''{}''' }}",
        app.url("/recorded"),
        gazetteer.expect("the plugin has a table of places"),
    );
    let numbers = Tenants::with_numbers(vec![("1000", Flow::Component("menu"))]);
    let server = Server::start(&Tenants { account, ..numbers });
    let (pushed, told) = plugin_in(&plugin, &server, &["push", "--name", "menu"]);
    assert!(pushed, "{told}");
    server
}

fn recording(server: &Server) -> Option<Value> {
    let (_, page) = server.rest().get("Recordings.json");
    page["recordings"].get(0).cloned()
}

#[test]
fn what_a_caller_says_is_told_once_its_file_is_there() {
    let app = VoiceApp::serve(vec![Page::twiml("/recorded", "")]);
    let server = server(&app);
    let mut phone = Softphone::call(server.sip, "1000", "PCMU", &speech());
    phone.expect("Call established", LIMIT);
    // Keys that come before the menu are no answer to it; those that come later end what is recorded.
    eventually("it is recorded", LIMIT, || {
        phone.press('2');
        phone.press('#');
        let looks = (0..30).find_map(|_| {
            sleep(Duration::from_millis(100));
            recording(&server)
        });
        looks.map(drop)
    });
    sleep(Duration::from_secs(3)); // that is said
    phone.hang_up();
    let told = eventually("the application is told", LIMIT, || {
        let told = app.asked();
        (!told.is_empty()).then_some(told)
    });
    let row = recording(&server).expect("there is one");
    let told = &told[0];
    assert_eq!((&*told.method, &*told.path), ("POST", "/recorded"));
    assert_eq!(told.parameters["RecordingStatus"], "completed");
    assert_eq!(row["sid"], *told.parameters["RecordingSid"]);
    assert_eq!(row["duration"], *told.parameters["RecordingDuration"]);
    assert!(told.headers.contains_key("x-twilio-signature"));
    let sid = row["sid"].as_str().expect("a SID");
    assert!(told.parameters["RecordingUrl"].ends_with(sid), "{told:?}");
    let file = server.rest().download(&format!("Recordings/{sid}.wav"));
    assert_eq!(&file[..4], b"RIFF");
    server.stop();
    assert_eq!(app.asked().len(), 1, "and no more");
}
