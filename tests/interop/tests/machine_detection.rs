//! Who answers our calls: PJSIP says what people, answering machines and fax machines say.

use std::time::Duration;

use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "gateway-1";
const PASSWORD: &str = "a-password-of-tests";

/// A trunk where PJSIP registers.
fn gateway() -> Tenants {
    let trunk = format!(
        "targets = [\"registered\"]\n\
         nat = {{ to_source = true, symmetric_rtp = true }}\n\
         [trunk.login]\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"\nregisters = true\n\
         [trunk.numbers]\ndial_as = \"e164\"\n"
    );
    Tenants::over_trunk(&trunk, vec![("1000", Flow::Component("menu"))])
}

fn quiet(ms: usize) -> Vec<i16> {
    vec![0; ms * 8]
}

fn tone(hz: f64, ms: usize) -> Vec<i16> {
    let step = hz * std::f64::consts::TAU / 8_000.0;
    (0..ms * 8)
        .map(|at| ((at as f64 * step).sin() * 8_000.0) as i16)
        .collect()
}

/// A word or two.
fn hello() -> Vec<i16> {
    let speech = prompt("support");
    let begin = speech.iter().position(|sample| sample.abs() > 1_000);
    let begin = begin.expect("somebody speaks");
    [
        quiet(400),
        speech[begin..begin + 5_600].to_vec(),
        quiet(30_000),
    ]
    .concat()
}

/// More than anybody says at once.
fn greeting() -> Vec<i16> {
    [
        quiet(400),
        prompt("welcome"),
        prompt("menu"),
        prompt("support"),
    ]
    .concat()
}

/// Calls somebody who says this, with these parameters; the call when it is over, and what the application was asked.
fn call(says: &[i16], parameters: &str) -> (serde_json::Value, VoiceApp) {
    let app = VoiceApp::serve(vec![
        Page::twiml("/voice", r#"<Response><Pause length="1"/></Response>"#),
        Page::twiml("/patient", r#"<Response><Pause length="8"/></Response>"#),
        Page::twiml("/amd", ""),
    ]);
    let server = Server::start(&gateway());
    let rest = server.rest();
    let mut phone = Pjsip::new(server.sip)
        .registered("jackfield", USER, PASSWORD)
        .speaking(says)
        .waiting()
        .doing("", LIMIT)
        .start();
    phone.expect("registered 200", LIMIT);
    let parameters = parameters.replace("APP", &app.url(""));
    let form = format!("From=1000&To=%2B15005550001&{parameters}");
    let (status, placed) = rest.post("Calls.json", &form);
    assert_eq!(status, 201, "{placed}");
    let sid = placed["sid"].as_str().expect("a SID");
    let ended = rest.ended(sid, LIMIT);
    assert_eq!(ended["status"], "completed", "{ended}");
    let _ = phone.finish(LIMIT);
    (ended, app)
}

/// The voice URL and the call's resource hear who answered.
#[track_caller]
fn check(says: &[i16], parameters: &str, expected: &str) {
    let (ended, app) = call(says, &format!("Url=APP/voice&{parameters}"));
    let asked = app.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let told = asked[0].parameters.get("AnsweredBy");
    assert_eq!(told.map(String::as_str), Some(expected), "{parameters}");
    assert_eq!(ended["answered_by"], expected);
}

#[test]
fn somebody_says_hello() {
    on_a_steady_machine(|| {
        check(&hello(), "MachineDetection=Enable", "human");
    });
}

#[test]
fn a_machine_talks_on() {
    on_a_steady_machine(|| {
        let says = [greeting(), quiet(20_000)].concat();
        check(&says, "MachineDetection=Enable", "machine_start");
    });
}

#[test]
fn a_greeting_ends_with_a_beep() {
    on_a_steady_machine(|| {
        let says = [greeting(), quiet(300), tone(1_000.0, 600), quiet(20_000)].concat();
        check(
            &says,
            "MachineDetection=DetectMessageEnd",
            "machine_end_beep",
        );
    });
}

#[test]
fn a_greeting_ends_in_silence() {
    on_a_steady_machine(|| {
        let says = [greeting(), quiet(20_000)].concat();
        check(
            &says,
            "MachineDetection=DetectMessageEnd",
            "machine_end_silence",
        );
    });
}

#[test]
fn nobody_speaks() {
    on_a_steady_machine(|| {
        let parameters = "MachineDetection=Enable&MachineDetectionSilenceTimeout=2500";
        check(&quiet(30_000), parameters, "unknown");
    });
}

#[test]
fn a_fax_machine_calls_or_answers() {
    on_a_steady_machine(|| {
        let calling = [tone(1_100.0, 500), quiet(3_000)].concat().repeat(4);
        let answering = [quiet(1_000), tone(2_100.0, 3_000), quiet(20_000)].concat();
        for says in [calling, answering] {
            check(&says, "MachineDetection=Enable", "fax");
        }
    });
}

#[test]
fn the_flow_goes_on_where_a_callback_is_told() {
    on_a_steady_machine(|| {
        let (ended, app) = call(
            &hello(),
            "Url=APP/patient&MachineDetection=Enable&AsyncAmd=true&AsyncAmdStatusCallback=APP/amd",
        );
        assert_eq!(ended["answered_by"], "human");
        let asked = eventually("the callback", LIMIT, || {
            Some(app.asked()).filter(|asked| asked.len() == 2)
        });
        assert_eq!(asked[0].path, "/patient");
        assert_eq!(asked[0].parameters.get("AnsweredBy"), None);
        assert_eq!(asked[1].path, "/amd");
        assert_eq!(asked[1].parameters["AnsweredBy"], "human");
        assert_eq!(asked[1].parameters["CallSid"], ended["sid"]);
        let listened: u32 = asked[1].parameters["MachineDetectionDuration"]
            .parse()
            .expect("milliseconds");
        assert!((1_000..8_000).contains(&listened), "{listened} ms");
        assert!(asked[1].headers.contains_key("x-twilio-signature"));
    });
}
