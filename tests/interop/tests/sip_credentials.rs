//! Calls that bring a user name and a password along: Kamailio asks for them, and nobody else sees them.

use std::time::Duration;

use jackfield_interop::kamailio::{Customer, Kamailio};
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};

const LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "ward-7";
const PASSWORD: &str = "hush-4711-do-not-tell";
const SHORT: &str = "%3CResponse%3E%3CPause/%3E%3C/Response%3E";

/// Somebody behind a provider that lets nobody call without the password, and a server whose trunk has none.
fn behind_a_provider() -> (RunningSipp, Kamailio, Server) {
    let customer = Customer {
        user: USER,
        password: PASSWORD,
        algorithm: "SHA-256",
    };
    let nowhere = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").start(nowhere).listening();
    let provider = Kamailio::provider_of(&customer, callee.address);
    let trunk = format!("targets = [\"sip:{}\"]\n", provider.front);
    let server = Server::start(&Tenants::over_trunk(
        &trunk,
        vec![("1000", Flow::Component("menu"))],
    ));
    (callee, provider, server)
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

#[test]
fn a_call_over_rest_proves_what_it_brings_along() {
    let (callee, provider, server) = behind_a_provider();
    let (sid, status) = placed(&server, &provider, PASSWORD);
    assert_eq!(status, "completed");
    callee.succeed(LIMIT);
    assert_eq!(provider.count_logged("proved: ward-7 calls ward"), 1);
    nobody_tells(&server, &sid, PASSWORD);
    let journal = server.rest().download(&format!("Calls/{sid}/Journal"));
    assert!(!String::from_utf8_lossy(&journal).contains(PASSWORD));
    server.stop();
}

#[test]
fn a_wrong_password_fails_the_call_and_says_so() {
    let (_callee, provider, server) = behind_a_provider();
    let wrong = "another-4712-that-is-wrong";
    let (sid, status) = placed(&server, &provider, wrong);
    assert_eq!(status, "failed");
    assert_eq!(provider.count_logged("proved: "), 0);
    let path = format!("Calls/{sid}/Notifications.json");
    let (_, told) = server.rest().get(&path);
    let told = &told["notifications"];
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told[0]["error_code"], "32202", "{told}");
    nobody_tells(&server, &sid, wrong);
    server.stop();
}
