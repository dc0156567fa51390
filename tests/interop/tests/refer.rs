//! A story sends the other side on: `SIPp` and PJSIP are asked, do it or refuse, and the application hears what came of it.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
/// Where nobody is: `SIPp` only says that it calls there.
const DESK: &str = "sip:desk@pbx.example.net";

/// An application that refers its callers to `target`, and a server whose `1000` it is.
fn referring(target: &str) -> (VoiceApp, Server) {
    let document =
        format!("<Response><Refer action=\"/after\"><Sip>{target}</Sip></Refer></Response>");
    let app = VoiceApp::serve(vec![
        Page::twiml("/voice", &document),
        Page::twiml("/after", "<Response><Hangup/></Response>"),
    ]);
    let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
    let server = Server::start(&Tenants::with_numbers(numbers));
    (app, server)
}

/// What `/after` was told: status, answer to the REFER, last report.
fn told(app: &VoiceApp) -> [Option<String>; 3] {
    let asked = app.asked();
    let after: Vec<&Asked> = asked
        .iter()
        .filter(|asked| asked.path == "/after")
        .collect();
    assert_eq!(after.len(), 1, "{asked:?}");
    [
        "ReferCallStatus",
        "ReferSipResponseCode",
        "NotifySipResponseCode",
    ]
    .map(|name| after[0].parameters.get(name).cloned())
}

#[test]
fn sipp_goes_where_it_is_sent() {
    let (app, server) = referring(DESK);
    let caller = Sipp::new("uac_referred").dialling("1000").start(server.sip);
    caller.succeed(LIMIT);
    let expected = ["in-progress", "202", "200"].map(|word| Some(word.to_owned()));
    assert_eq!(told(&app), expected);
    server.stop();
}

#[test]
fn who_refuses_is_told_of() {
    for status in [405, 603] {
        let (app, server) = referring(DESK);
        let caller = Sipp::new("uac_not_referred")
            .with_status(status)
            .dialling("1000")
            .start(server.sip);
        caller.succeed(LIMIT);
        let expected = [Some("failed".to_owned()), Some(status.to_string()), None];
        assert_eq!(told(&app), expected);
        server.stop();
    }
}

/// The phone calls the one it is sent to, reports by its own stack, and its first call ends.
#[test]
fn pjsip_calls_whom_it_is_sent_to() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let desk = Sipp::new("uas_bye").start(nobody).listening();
    let (app, server) = referring(&format!("sip:desk@{}", desk.address));
    let phone = Pjsip::new(server.sip)
        .dialling("1000")
        .doing("1", LIMIT)
        .start();
    let conversation = phone.finish(LIMIT);
    desk.succeed(LIMIT);
    let expected = ["in-progress", "202", "200"].map(|word| Some(word.to_owned()));
    assert_eq!(told(&app), expected, "{}", conversation.log);
    server.stop();
}
