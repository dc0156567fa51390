//! An application takes a call that is up elsewhere: what runs is broken off.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

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
        let (status, answer) = update(&server, &calls[1], goodbye);
        assert_eq!(
            (status, &answer["code"]),
            (400, &Value::from(21220)),
            "{answer}"
        );
        let (status, answer) = update(&server, &calls[0], goodbye);
        assert_eq!(status, 200, "{answer}");
        callee.succeed(LIMIT);
        let goodbye = audio::find(&prompt("goodbye"), &phone.finish(LIMIT));
        assert!(goodbye.is_heard(), "{goodbye:?}");
        server.stop();
    });
}
