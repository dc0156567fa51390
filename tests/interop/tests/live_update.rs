//! An application takes a call that is up elsewhere: what runs is broken off.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "gateway-1";
const PASSWORD: &str = "a-password-of-tests";

/// The calls that are up, the caller's first.
fn up(server: &Server, count: usize) -> Vec<Value> {
    eventually("the calls are up", LIMIT, || {
        let mut calls = server.rest().calls();
        calls.retain(|call| call["status"] == "in-progress");
        calls.sort_by_key(|call| call["direction"] != "inbound");
        (calls.len() == count).then_some(calls)
    })
}

fn update(server: &Server, call: &Value, form: &str) -> (u16, Value) {
    let sid = call["sid"].as_str().expect("a SID");
    server.rest().post(&format!("Calls/{sid}.json"), form)
}

#[test]
fn a_prompt_that_would_never_end_is_broken_off() {
    on_a_steady_machine(|| {
        let app = VoiceApp::serve(vec![
            Page::twiml("/next", "<Response><Play>goodbye.wav</Play></Response>"),
            Page::prompt("goodbye"),
        ]);
        let endless = "<Response><Play loop='0'>prompts/menu.wav</Play></Response>";
        let numbers = vec![("1000", Flow::Twiml(endless.to_owned()))];
        let server = Server::start(&Tenants::with_numbers(numbers));
        let phone = Softphone::call(server.sip, "1000", "PCMU", &[]);
        let call = up(&server, 1).remove(0);
        let (status, answer) = update(&server, &call, &format!("Url={}", app.url("/next")));
        assert_eq!(
            (status, &answer["status"]),
            (200, &Value::from("in-progress")),
            "{answer}"
        );
        let heard = phone.finish(LIMIT);
        let goodbye = audio::find(&prompt("goodbye"), &heard);
        assert!(goodbye.is_heard(), "{goodbye:?}");
        let asked = &app.asked()[0].parameters;
        assert_eq!(asked["CallStatus"], "in-progress");
        assert_eq!(asked["CallSid"], call["sid"]);
        let (status, answer) = update(&server, &call, "Twiml=%3CResponse/%3E");
        assert_eq!(
            (status, &answer["code"]),
            (400, &Value::from(21220)),
            "it is over"
        );
        server.stop();
    });
}

#[test]
fn who_was_dialled_is_let_go() {
    on_a_steady_machine(|| {
        let nobody: SocketAddr = (Ipv4Addr::LOCALHOST, 9).into();
        let callee = Sipp::new("uas_wait_bye").start(nobody).listening();
        let mut tenants = Tenants::calling(callee.address).from_source(Ipv4Addr::LOCALHOST);
        let dial = "<Response><Dial>+15005550001</Dial></Response>";
        tenants.numbers = vec![("1000", Flow::Twiml(dial.to_owned()))];
        let server = Server::start(&tenants);
        let phone = Softphone::call(server.sip, "1000", "PCMU", &[]);
        let calls = up(&server, 2);
        let goodbye = "Twiml=%3CResponse%3E%3CPlay%3Eprompts/goodbye.wav%3C/Play%3E%3C/Response%3E";
        let (status, answer) = update(&server, &calls[0], goodbye);
        assert_eq!(status, 200, "{answer}");
        callee.succeed(LIMIT);
        let goodbye = audio::find(&prompt("goodbye"), &phone.finish(LIMIT));
        assert!(goodbye.is_heard(), "{goodbye:?}");
        server.stop();
    });
}

/// A gateway that registers and is called, and a trunk from which `1000` is called, which asks the application.
fn with_gateway(app: &VoiceApp) -> Tenants {
    let trunk = format!(
        "targets = [\"registered\"]\n\
         nat = {{ to_source = true, symmetric_rtp = true }}\n\
         [trunk.login]\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"\nregisters = true\n\
         [trunk.numbers]\ndial_as = \"e164\"\n\
         [[trunk]]\nid = \"with-callers\"\ncarrier = \"interop\"\nsources = [\"127.0.0.1\"]\n\
         max_channels = 50\ncalls_per_second = 50.0\n"
    );
    Tenants::over_trunk(&trunk, vec![("1000", Flow::VoiceUrl(app.url("/voice")))])
}

/// It hears other documents, the caller's go on, and the end of the caller's call is not its own.
#[test]
fn who_was_dialled_goes_on_alone() {
    on_a_steady_machine(|| {
        let dial = "<Response><Dial action=\"/done\">+15005550001</Dial></Response>";
        let waits = "<Response><Pause length=\"600\"/></Response>";
        let app = VoiceApp::serve(vec![
            Page::twiml("/voice", dial),
            Page::twiml("/done", "<Response><Play>support.wav</Play></Response>"),
            Page::twiml("/elsewhere", waits),
            Page::prompt("support"),
        ]);
        let server = Server::start(&with_gateway(&app));
        let rest = server.rest();
        let mut callee = Pjsip::new(server.sip)
            .registered("jackfield", USER, PASSWORD)
            .waiting()
            .doing("1", 5 * LIMIT)
            .start();
        callee.expect("registered 200", LIMIT);
        let caller = Softphone::call(server.sip, "1000", "PCMU", &[]);
        let calls = up(&server, 2);
        let [parent, dialled] = [0, 1].map(|at| calls[at]["sid"].as_str().expect("a SID"));
        callee.expect("did 1", LIMIT);
        let url = format!("Url={}", app.url("/elsewhere"));
        let (status, answer) = update(&server, &calls[1], &url);
        assert_eq!(status, 200, "{answer}");

        let support = audio::find(&prompt("support"), &caller.finish(LIMIT));
        assert!(support.is_heard(), "{support:?}");
        assert_eq!(rest.ended(parent, LIMIT)["status"], "completed");
        assert_eq!(rest.call(dialled)["status"], "in-progress");
        let goodbye = "Twiml=%3CResponse%3E%3CPlay%3Eprompts/goodbye.wav%3C/Play%3E%3C/Response%3E";
        let (status, answer) = update(&server, &calls[1], goodbye);
        assert_eq!(status, 200, "{answer}");
        let heard = callee.finish(LIMIT).heard;
        let goodbye = audio::find(&prompt("goodbye"), &heard);
        assert!(goodbye.is_heard(), "{goodbye:?}");
        let support = audio::find(&prompt("support"), &heard);
        assert!(support.is_absent(), "{support:?}");
        let over = rest.ended(dialled, LIMIT);
        assert_eq!(
            (&over["status"], &over["parent_call_sid"]),
            (&Value::from("completed"), &Value::from(parent))
        );

        let asked = |path: &str| {
            let mut asked = app.asked().into_iter();
            let found = asked.find(|asked| asked.path == path);
            found
                .unwrap_or_else(|| panic!("{path} was not asked for"))
                .parameters
        };
        let done = asked("/done");
        assert_eq!(done["DialCallStatus"], "completed");
        assert_eq!(done["DialCallSid"], dialled);
        assert_eq!(done["DialBridged"], "true");
        assert_ne!(done["DialCallDuration"], "0");
        let elsewhere = asked("/elsewhere");
        assert_eq!(elsewhere["CallSid"], dialled);
        assert_eq!(elsewhere["ParentCallSid"], parent);
        assert_eq!(elsewhere["Direction"], "outbound-dial");
        assert_eq!(elsewhere["CallStatus"], "in-progress");
        server.stop();
    });
}

/// They were never put through: to the caller nobody has answered.
#[test]
fn who_still_hears_a_whisper_is_taken_away_too() {
    let nobody: SocketAddr = (Ipv4Addr::LOCALHOST, 9).into();
    let callee = Sipp::new("uas_wait_bye").start(nobody).listening();
    let dial = "<Response><Dial action=\"/done\"><Number url=\"/whisper\">+15005550001</Number></Dial></Response>";
    let app = VoiceApp::serve(vec![
        Page::twiml("/voice", dial),
        Page::twiml("/whisper", "<Response><Pause length=\"600\"/></Response>"),
        Page::twiml("/done", "<Response><Hangup/></Response>"),
        Page::twiml("/elsewhere", "<Response><Hangup/></Response>"),
    ]);
    let mut tenants = Tenants::calling(callee.address).from_source(Ipv4Addr::LOCALHOST);
    tenants.numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
    let server = Server::start(&tenants);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    let calls = up(&server, 2);
    let url = format!("Url={}", app.url("/elsewhere"));
    let (status, answer) = update(&server, &calls[1], &url);
    assert_eq!(status, 200, "{answer}");
    callee.succeed(LIMIT);
    caller.succeed(LIMIT);
    let asked = app.asked();
    let of = |path: &str| asked.iter().filter(|asked| asked.path == path).count();
    assert_eq!((of("/whisper"), of("/elsewhere"), of("/done")), (1, 1, 1));
    let done = asked.iter().find(|asked| asked.path == "/done");
    let done = &done.expect("counted above").parameters;
    assert_eq!(done["DialCallStatus"], "no-answer");
    server.stop();
}
