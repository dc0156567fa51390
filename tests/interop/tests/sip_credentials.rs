//! Calls that bring a user name and a password along: Kamailio asks for them, and nobody else sees them.

use std::time::Duration;

use jackfield_interop::kamailio::{Customer, Kamailio};
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "ward-7";
const PASSWORD: &str = "hush-4711-do-not-tell";
const WRONG: &str = "another-4712-that-is-wrong";
const SHORT: &str = "%3CResponse%3E%3CPause/%3E%3C/Response%3E";

/// Somebody behind a provider that lets nobody call without the password.
fn behind_a_provider() -> (RunningSipp, Kamailio) {
    let customer = Customer {
        user: USER,
        password: PASSWORD,
        algorithm: "SHA-256",
    };
    let nowhere = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").start(nowhere).listening();
    let provider = Kamailio::provider_of(&customer, callee.address);
    (callee, provider)
}

/// A server whose trunk to the provider has no password, and whose number 1000 does this.
fn server(provider: &Kamailio, flow: Flow) -> Server {
    let trunk = format!(
        "sources = [\"127.0.0.1\"]\ntargets = [\"sip:{}\"]\n",
        provider.front
    );
    Server::start(&Tenants::over_trunk(&trunk, vec![("1000", flow)]))
}

/// Places a call over REST and waits for its end: its SID and its status.
fn placed(server: &Server, provider: &Kamailio, password: &str) -> (String, String) {
    let rest = server.rest();
    let form = format!(
        "From=1000&To=sip:ward@{}&Twiml={SHORT}&SipAuthUsername={USER}&SipAuthPassword={password}",
        provider.front
    );
    let (status, call) = rest.post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    let sid = call["sid"].as_str().expect("a SID").to_owned();
    let ended = rest.ended(&sid, LIMIT);
    (sid, ended["status"].as_str().expect("a status").to_owned())
}

/// Nothing that can be asked of the server has the text in it.
fn nobody_tells(server: &Server, sid: &str, secret: &str) {
    let rest = server.rest();
    let of_call = |part: &str| rest.get(&format!("Calls/{sid}{part}.json")).1.to_string();
    for (what, text) in [
        ("the server's log", server.log()),
        ("the call", of_call("")),
        ("its events", of_call("/Events")),
        ("its notifications", of_call("/Notifications")),
        ("the list of calls", rest.get("Calls.json").1.to_string()),
        ("the numbers of the process", server.status()),
    ] {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

/// The journal of a call, as far as it is text.
fn journal(server: &Server, sid: &str) -> String {
    let journal = server.rest().download(&format!("Calls/{sid}/Journal"));
    String::from_utf8_lossy(&journal).into_owned()
}

/// The only notification of a call is that its password was not taken.
fn is_told_of(server: &Server, sid: &str) {
    let path = format!("Calls/{sid}/Notifications.json");
    let (_, told) = server.rest().get(&path);
    let told = &told["notifications"];
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told[0]["error_code"], "32202", "{told}");
}

#[test]
fn a_call_over_rest_proves_what_it_brings_along() {
    let (callee, provider) = behind_a_provider();
    let server = server(&provider, Flow::Component("menu"));
    let (sid, status) = placed(&server, &provider, PASSWORD);
    assert_eq!(status, "completed");
    callee.succeed(LIMIT);
    assert!(provider.count_logged("proved: ward-7 calls ward") >= 1);
    nobody_tells(&server, &sid, PASSWORD);
    assert!(!journal(&server, &sid).contains(PASSWORD));
    server.stop();
}

#[test]
fn a_wrong_password_fails_the_call_and_says_so() {
    let (_callee, provider) = behind_a_provider();
    let server = server(&provider, Flow::Component("menu"));
    let (sid, status) = placed(&server, &provider, WRONG);
    assert_eq!(status, "failed");
    assert_eq!(provider.count_logged("proved: "), 0);
    is_told_of(&server, &sid);
    nobody_tells(&server, &sid, WRONG);
    server.stop();
}

/// Who calls 1000 is joined to the callee by a document with this password: the SIDs of the caller's call and of the callee's, both over.
fn joined_by_a_document(
    provider: &Kamailio,
    password: &str,
    meanwhile: impl FnOnce(&Server),
) -> (Server, String, String) {
    let document = format!(
        "<Response><Dial><Sip username=\"{USER}\" password=\"{password}\">sip:ward@{}</Sip></Dial></Response>",
        provider.front
    );
    let app = VoiceApp::serve(vec![Page::twiml("/voice", &document)]);
    let server = server(provider, Flow::VoiceUrl(app.url("/voice")));
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    meanwhile(&server);
    caller.succeed(LIMIT);
    let rest = server.rest();
    let [caller, callee] = ["inbound", "outbound-dial"].map(|direction| {
        let found = eventually(direction, LIMIT, || {
            let mut calls = rest.calls().into_iter();
            calls.find(|call| call["direction"] == direction)
        });
        found["sid"].as_str().expect("a SID").to_owned()
    });
    for sid in [&caller, &callee] {
        let _ = rest.ended(sid, LIMIT);
        nobody_tells(&server, sid, password);
    }
    let journal = journal(&server, &caller);
    assert!(journal.contains("********") && journal.contains(USER));
    assert!(!journal.contains(password));
    let (_, told) = rest.get(&format!("Calls/{caller}/Events.json"));
    let shown = told["events"][0]["response"]["response_body"].as_str();
    assert!(
        shown.is_some_and(|body| body.contains("password=\"********\"")),
        "{told}"
    );
    (server, caller, callee)
}

#[test]
fn a_document_proves_what_it_brings_along_and_is_kept_without_it() {
    let (phone, provider) = behind_a_provider();
    let (server, caller, callee) = joined_by_a_document(&provider, PASSWORD, |server| {
        let rest = server.rest();
        let call = eventually("the two are joined", LIMIT, || {
            let calls = rest.calls();
            let is_up = |call: &&serde_json::Value| call["status"] == "in-progress";
            let mut up = calls.iter().filter(is_up);
            up.find(|call| call["direction"] == "outbound-dial")
                .cloned()
        });
        rest.end(call["sid"].as_str().expect("a SID"));
    });
    phone.succeed(LIMIT);
    assert!(provider.count_logged("proved: ward-7 calls ward") >= 1);
    for sid in [caller, callee] {
        assert_eq!(server.rest().call(&sid)["status"], "completed");
    }
    server.stop();
}

#[test]
fn a_document_with_a_wrong_password_joins_nobody() {
    let (_phone, provider) = behind_a_provider();
    let (server, caller, callee) = joined_by_a_document(&provider, WRONG, |_| {});
    assert_eq!(provider.count_logged("proved: "), 0);
    assert_eq!(server.rest().call(&caller)["status"], "completed");
    assert_eq!(server.rest().call(&callee)["status"], "failed");
    is_told_of(&server, &callee);
    server.stop();
}
