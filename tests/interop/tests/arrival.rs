//! What an INVITE says beside who calls whom reaches the application: with every document, with what the call's end is told by, and over the
//! API. Both ends are `SIPp`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);

/// The one request for this path.
fn asked(app: &VoiceApp, path: &str) -> BTreeMap<String, String> {
    let mut asked = eventually("the application is asked", LIMIT, || {
        let mut asked = app.asked();
        asked.retain(|asked| asked.path == path);
        (!asked.is_empty()).then_some(asked)
    });
    assert_eq!(asked.len(), 1, "{path}");
    asked.remove(0).parameters
}

/// Of these parameters those that are there.
fn told<'a>(parameters: &'a BTreeMap<String, String>, names: &[&'a str]) -> Vec<&'a str> {
    let values = names.iter().filter_map(|name| parameters.get(*name));
    values.map(String::as_str).collect()
}

#[test]
fn an_application_hears_what_the_invite_said() {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let fields = ["X-Ward: 9", "User-to-User: 6162;encoding=hex"];
    let callee = Sipp::new("uas_bye").with_fields(&fields).start(nowhere);
    let callee = callee.listening();
    let first = format!(
        "<Response><Dial action=\"/done\"><Sip>sip:ward@{}</Sip></Dial></Response>",
        callee.address
    );
    let app = VoiceApp::serve(vec![
        Page::twiml("/voice", &first),
        Page::twiml("/done", "<Response><Hangup/></Response>"),
        Page::twiml("/status", ""),
    ]);
    let trunk = format!(
        "sources = [\"127.0.0.1\"]\ntarget = \"{}\"\nnumbers = {{ country = \"KH\" }}\n",
        callee.address
    );
    let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
    let tenants = Tenants::over_trunk(&trunk, numbers).telling(&app.url("/status"));
    let server = Server::start(&tenants);
    let caller = Sipp::new("uac_wait_bye")
        .dialling("1000")
        .with_fields(&[
            "Diversion: \"Desk\" <sip:023111111@127.0.0.1>;reason=unconditional",
            "X-Ward: 7 & up",
            "Subject: not told",
        ])
        .start(server.sip);
    callee.succeed(LIMIT);
    caller.succeed(LIMIT);

    let names = [
        "ForwardedFrom",
        "CallerName",
        "SipDomain",
        "SipSourceIp",
        "SipHeader_X-Ward",
    ];
    let expected = ["+85523111111", "Caller", "127.0.0.1", "127.0.0.1", "7 & up"];
    let requests = ["/voice", "/done", "/status"].map(|path| asked(&app, path));
    for parameters in &requests {
        assert_eq!(told(parameters, &names), expected);
        let others = told(parameters, &["SipHeader_Subject", "SipUsername"]);
        assert_eq!(others, [""; 0]);
    }
    let [first, done, status] = &requests;
    let call_id = &first["SipCallId"];
    assert!(call_id.contains('@'), "{call_id} is SIPp's");
    assert_eq!([&done["SipCallId"], &status["SipCallId"]], [call_id; 2]);

    let of_dial = ["DialBridged", "DialSipResponseCode", "DialSipHeader_X-Ward"];
    assert_eq!(told(done, &of_dial), ["true", "200", "9"]);
    assert_eq!(done["DialSipHeader_User-to-User"], "6162;encoding=hex");
    assert_ne!(&done["DialSipCallId"], call_id);
    assert!(told(first, &["DialSipCallId"]).is_empty());

    let (_, call) = server
        .rest()
        .get(&format!("Calls/{}.json", first["CallSid"]));
    assert_eq!(call["forwarded_from"], "+85523111111");
    assert_eq!(call["caller_name"], "Caller");
    server.stop();
}
