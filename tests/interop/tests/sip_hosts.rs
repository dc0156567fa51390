//! Calls to SIP URIs whose host no trunk has as a target: where the operator names it, found by DNS, and nowhere else. Those who are called are
//! `SIPp`, DNS is dnsmasq.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::dns::Dns;
use jackfield_interop::server::{Flow, Place, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
const NAME: &str = "pbx.voice.test";

/// Somebody who waits for a call.
fn callee(sipp: Sipp) -> RunningSipp {
    sipp.start(SocketAddr::from(([127, 0, 0, 1], 9)))
        .listening()
}

/// A server that calls these hosts. Its number 1000 asks this application.
fn server(hosts: &str, dns: &Dns, app: &VoiceApp) -> Server {
    let trunk = format!("sources = [\"127.0.0.1\"]\nsip_hosts = {hosts}\n");
    let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
    let tenants = Tenants::over_trunk(&trunk, numbers);
    Server::start_at(Place::on_loopback().asking(dns.address), &tenants)
}

/// An application whose callers are joined to this URI.
fn app(uri: &str) -> VoiceApp {
    let first = format!("<Response><Dial action=\"/done\"><Sip>{uri}</Sip></Dial></Response>");
    VoiceApp::serve(vec![
        Page::twiml("/voice", &first),
        Page::twiml("/done", "<Response><Hangup/></Response>"),
    ])
}

/// What `action` heard of the one dial.
fn outcome(app: &VoiceApp) -> (String, Option<String>) {
    let mut asked = app.asked();
    asked.retain(|asked| asked.path == "/done");
    assert_eq!(asked.len(), 1);
    let parameters = &mut asked[0].parameters;
    let status = parameters.remove("DialCallStatus").expect("a status");
    (status, parameters.remove("DialCallSid"))
}

#[test]
fn a_host_that_the_operator_names_is_called() {
    let callee = callee(Sipp::new("uas_bye"));
    let dns = Dns::with_sip_servers(NAME, &[callee.address.port()]);
    let app = app("sip:ward@PBX.voice.test?X-Ward=7");
    let server = server("[\"*.voice.test\", \"127.0.0.1\"]", &dns, &app);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    callee.succeed(LIMIT);
    caller.succeed(LIMIT);
    let (status, sid) = outcome(&app);
    assert_eq!(status, "completed");
    let sid = sid.expect("the call was made");
    let (_, call) = server.rest().get(&format!("Calls/{sid}.json"));
    assert_eq!(call["to"], "sip:ward@PBX.voice.test?X-Ward=7");
    server.stop();
}

#[test]
fn the_transport_of_the_uri_is_taken() {
    let callee = callee(Sipp::new("uas_bye").over_tcp());
    let dns = Dns::with_sip_servers(NAME, &[]);
    let app = app(&format!("sip:ward@{};transport=tcp", callee.address));
    let server = server("[\"127.0.0.0/8\"]", &dns, &app);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    callee.succeed(LIMIT);
    caller.succeed(LIMIT);
    assert_eq!(outcome(&app).0, "completed");
    server.stop();
}

/// A name of somebody's that leads inside is no way inside, nor is a host that the operator does not name, and REST says so at once.
#[test]
fn what_is_not_named_is_not_called() {
    let dns = Dns::with_sip_servers(NAME, &[9]);
    let app = app(&format!("sip:ward@{NAME}"));
    let server = server(&format!("[\"{NAME}\"]"), &dns, &app);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    caller.succeed(LIMIT);
    let (status, _) = outcome(&app);
    assert_eq!(status, "failed");
    let why = "is at 127.0.0.1, a loopback address: the operator allows it by naming that address";
    assert!(server.log().contains(why), "{}", server.log());

    let rest = server.rest();
    for (to, code) in [
        ("sip:ward@elsewhere.test", 21214),
        ("sip:ward@127.0.0.1", 21214),
        ("sip:ward@pbx.voice.test;edge=dublin", 21211),
        ("sip:ward@pbx.voice.test;secure=true;transport=udp", 21211),
    ] {
        let form = format!("From=1000&To={to}&Twiml=%3CResponse/%3E");
        let (status, refusal) = rest.post("Calls.json", &form);
        assert_eq!(
            (status, refusal["code"].as_u64()),
            (400, Some(code)),
            "{to}"
        );
    }
    assert_eq!(
        rest.calls().len(),
        2,
        "the caller's and the one that failed"
    );
    server.stop();
}
