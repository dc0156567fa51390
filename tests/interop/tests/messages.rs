//! Texts: of the API through Twilio's helper library, and of a document, to a connector that is a web server.

use std::time::Duration;

use jackfield_interop::baresip::Softphone;
use jackfield_interop::helper_library;
use jackfield_interop::process::eventually;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const TO: &str = "+15005550100";

fn asked(app: &VoiceApp, path: &str, count: usize) -> Vec<Asked> {
    eventually(&format!("{path} was asked"), LIMIT, || {
        let mut asked = app.asked();
        asked.retain(|asked| asked.path == path);
        (asked.len() == count).then_some(asked)
    })
}

#[test]
fn texts_are_handed_to_the_accounts_connector() {
    texts_are_handed_over(|user, all| helper_library::run("messages.py", user, all));
}

#[test]
fn the_library_for_node_sends_texts_too() {
    texts_are_handed_over(|user, all| helper_library::run_in_node("messages.mjs", user, all));
}

fn texts_are_handed_over(send: impl Fn(&Rest, &[&str]) -> Vec<Value>) {
    let app = VoiceApp::serve(vec![
        Page::json("/connector", "{}"),
        Page::twiml("/told", ""),
    ]);
    let document = format!(
        "<Response><Sms to=\"{TO}\" statusCallback=\"{}\">From a call</Sms><Hangup/></Response>",
        app.url("/told")
    );
    let mut tenants = Tenants::with_numbers(vec![("1000", Flow::Twiml(document))]);
    tenants.account = format!(
        "settings = {{ message-url = \"{}\", message-secret = \"sms\" }}\nsecrets = {{ sms = \"a secret of tests\" }}",
        app.url("/connector")
    );
    let server = Server::start(&tenants);
    let lines = send(
        &server.rest(),
        &[
            "--from",
            "1000",
            "--to",
            TO,
            "--status-callback",
            &app.url("/told"),
            "By the API",
        ],
    );
    assert_eq!(lines[0]["status"], "sent", "{lines:?}");
    let taken = asked(&app, "/connector", 1).remove(0);
    let of = |name: &str| taken.parameters[name].as_str();
    assert_eq!(
        (of("From"), of("To"), of("Body")),
        ("1000", TO, "By the API")
    );
    assert_eq!(of("MessageSid"), lines[0]["sid"]);
    assert_eq!(taken.headers["authorization"], "Bearer a secret of tests");
    assert!(taken.headers.contains_key("x-twilio-signature"));
    let told = asked(&app, "/told", 1).remove(0);
    assert_eq!(told.parameters["MessageStatus"], "sent");
    assert!(!told.headers.contains_key("authorization"));

    let phone = Softphone::call(server.sip, "1000", "PCMU", &[]);
    let taken = asked(&app, "/connector", 2).remove(1);
    drop(phone); // a call of less than a second tells of no duration
    let of = |name: &str| taken.parameters[name].as_str();
    assert_eq!(
        (of("From"), of("To"), of("Body")),
        ("1000", TO, "From a call")
    );
    assert_eq!(taken.headers["authorization"], "Bearer a secret of tests");
    assert!(of("CallSid").starts_with("CA"));
    assert!(!server.log().contains("a secret of tests"));
    server.stop();
}

#[test]
fn an_account_without_a_connector_is_told_so() {
    let tenants = Tenants::with_numbers(vec![("1000", Flow::Component("menu"))]);
    let server = Server::start(&tenants);
    let arguments = ["--from", "1000", "--to", TO, "x"];
    let rest = server.rest();
    for lines in [
        helper_library::run("messages.py", &rest, &arguments),
        helper_library::run_in_node("messages.mjs", &rest, &arguments),
    ] {
        assert_eq!(
            (&lines[0]["refused"], &lines[0]["code"]),
            (&400.into(), &21606.into())
        );
    }
    server.stop();
}
