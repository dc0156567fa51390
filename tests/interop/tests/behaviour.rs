//! What applications notice, and no other test shows: how long a conversation may last, who calls when nobody is to know, that a voice URL may be
//! a sound, when keys are pressed for a machine, and what is heard before an answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::{Sipp, recording};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::udp_tap::{Datagram, UdpTap};
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);

/// The first request for a path.
fn asked(app: &VoiceApp, path: &str) -> Asked {
    eventually(&format!("{path} was asked"), LIMIT, || {
        app.asked().into_iter().find(|asked| asked.path == path)
    })
}

#[test]
fn a_conversation_ends_at_its_time_limit_and_the_document_goes_on() {
    let app = VoiceApp::serve(vec![Page::twiml("/done", "<Response><Hangup/></Response>")]);
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").start(nobody).listening();
    let document = format!(
        "<Response><Dial timeLimit=\"1\" action=\"{}\">+15005550100</Dial></Response>",
        app.url("/done")
    );
    let server = Server::start(&Tenants {
        numbers: vec![("1000", Flow::Twiml(document))],
        ..Tenants::calling(callee.address)
    });
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    callee.succeed(LIMIT); // it waits for our BYE
    let done = asked(&app, "/done");
    assert_eq!(done.parameters["DialCallStatus"], "completed");
    assert_eq!(done.parameters["DialBridged"], "true");
    let talked: u32 = done.parameters["DialCallDuration"]
        .parse()
        .expect("seconds");
    assert!(talked >= 1, "{talked} s");
    caller.succeed(LIMIT); // after the document
    server.stop();
}

#[test]
fn who_withholds_their_number_is_anonymous() {
    let app = VoiceApp::serve(vec![Page::twiml(
        "/voice",
        "<Response><Reject/></Response>",
    )]);
    let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
    let server = Server::start(&Tenants::with_numbers(numbers));
    for (count, caller) in ["anonymous", "+266696687"].into_iter().enumerate() {
        let call = Sipp::new("uac_wait_bye")
            .calling_from(caller)
            .dialling("1000")
            .start(server.sip);
        eventually("the document was asked for", LIMIT, || {
            (app.asked().len() > count).then_some(())
        });
        drop(call); // it is rejected
    }
    for request in app.asked() {
        assert_eq!(request.parameters["From"], "anonymous");
        assert_eq!(request.parameters["Caller"], "anonymous");
        assert_eq!(request.headers["x-home-region"], "us1");
    }
    server.stop();
}

/// Twilio plays it and hangs up. It is larger than any document may be.
#[test]
fn a_voice_url_that_answers_with_audio_is_played() {
    on_a_steady_machine(|| {
        let voice = Page::prompt("goodbye").padded("/voice", 300 << 10);
        let app = VoiceApp::serve(vec![voice]);
        let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
        let server = Server::start(&Tenants::with_numbers(numbers));
        let heard = Softphone::call(server.sip, "1000", "PCMU", &[]).finish(LIMIT);
        let found = audio::find(&prompt("goodbye"), &heard);
        assert!(found.is_heard(), "{found:?}");
        let methods: Vec<String> = app.asked().into_iter().map(|asked| asked.method).collect();
        assert_eq!(methods, ["POST", "GET"], "the document, then the sound");
        server.stop();
    });
}

/// The key whose event (RFC 4733) ends with a datagram for that port: its code, 0 to 9 for digits.
fn pressed(datagram: &Datagram, port: u16) -> Option<u8> {
    match datagram.rtp()? {
        (101, [key, flags, ..]) if datagram.port == port && flags & 0x80 != 0 => Some(*key),
        _ => None,
    }
}

/// Behind the keys the machine has eight seconds, so that whoever listens on a busy machine still hears them before the document is asked for.
#[test]
fn keys_for_a_machine_are_pressed_before_the_document_is_asked_for() {
    let app = Arc::new(VoiceApp::serve(vec![Page::twiml(
        "/voice",
        "<Response><Hangup/></Response>",
    )]));
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").start(nobody).listening();
    let server = Server::start(&Tenants::calling(callee.address));
    let keys = Arc::new(Mutex::new(Vec::new()));
    let (port, heard, asked_of) = (callee.media_port, Arc::clone(&keys), Arc::clone(&app));
    let tap = UdpTap::on(Ipv4Addr::LOCALHOST, move |datagram| {
        if let Some(key) = pressed(datagram, port) {
            let is_first = asked_of.asked().is_empty();
            heard.lock().expect("a test").push((key, is_first));
        }
        false
    });
    let form = format!(
        "To=%2B15005550100&From=1000&SendDigits=w1W2WWWWWWWW&Url={}",
        app.url("/voice")
    );
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    asked(&app, "/voice");
    callee.succeed(LIMIT);
    drop(tap);
    let mut keys = keys.lock().expect("a test").clone();
    keys.dedup(); // the end of an event is sent three times
    assert_eq!(keys, [(1, true), (2, true)]);
    server.stop();
}

/// With our ringing over it, it would not be found.
#[test]
fn what_a_callee_says_before_its_answer_is_heard_in_place_of_ringing() {
    on_a_steady_machine(|| {
        let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
        let callee = Sipp::new("uas_early_sound")
            .playing("g711a.pcap")
            .holding(Duration::from_secs(6))
            .start(nobody)
            .listening();
        let document = "<Response><Dial>+15005550100</Dial></Response>";
        let server = Server::start(&Tenants {
            numbers: vec![("1000", Flow::Twiml(document.to_owned()))],
            ..Tenants::calling(callee.address)
        });
        let heard = Softphone::call(server.sip, "1000", "PCMA", &[]).finish(LIMIT);
        callee.succeed(LIMIT);
        let says = audio::read_capture(&recording("g711a.pcap"));
        let found = audio::find(&says[..24_000], &heard);
        assert!(found.is_heard(), "{found:?}");
        server.stop();
    });
}
