//! What applications notice, and no other test shows: how long a conversation may last, and who calls when nobody is to know.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
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
