//! One side of a dial asks that the other be sent on (REFER): `SIPp` asks, and the application says what becomes of them.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

/// A callee, which waits for a call.
fn callee(sipp: Sipp) -> RunningSipp {
    sipp.start(SocketAddr::from(([127, 0, 0, 1], 9)))
        .listening()
}

/// A server whose `1000` asks this application; its calls to SIP URIs go to these callees.
fn server(app: &VoiceApp, callees: &[&RunningSipp]) -> Server {
    let targets: Vec<String> = callees
        .iter()
        .map(|callee| format!("\"{}\"", callee.address))
        .collect();
    let trunk = format!(
        "sources = [\"127.0.0.1\"]\ntargets = [{}]\n",
        targets.join(", ")
    );
    let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
    Server::start(&Tenants::over_trunk(&trunk, numbers))
}

/// What was asked for at `path`.
fn asked(app: &VoiceApp, path: &str) -> Vec<Asked> {
    let asked = app.asked().into_iter();
    asked.filter(|asked| asked.path == path).collect()
}

/// The statuses of the calls that were dialled, once there are so many.
fn dialled(server: &Server, count: usize) -> Vec<Value> {
    eventually("the calls are over", LIMIT, || {
        let calls = server.rest().calls();
        let dialled: Vec<Value> = calls
            .into_iter()
            .filter(|call| call["direction"] == "outbound-dial")
            .collect();
        let are_over = dialled.iter().all(|call| call["status"] == "completed");
        (dialled.len() == count && are_over).then_some(dialled)
    })
}

#[test]
fn the_caller_goes_on_with_what_the_application_says() {
    let agent = callee(Sipp::new("uas_refers").with_outcome("200 OK"));
    let desk = callee(Sipp::new("uas_bye"));
    let first = format!(
        "<Response><Dial referUrl=\"/to\" action=\"/never\"><Sip>sip:agent@{}</Sip></Dial></Response>",
        agent.address
    );
    let then = format!(
        "<Response><Dial action=\"/done\"><Sip>sip:desk@{}</Sip></Dial></Response>",
        desk.address
    );
    let app = VoiceApp::serve(vec![
        Page::twiml("/voice", &first),
        Page::twiml("/to", &then),
        Page::twiml("/done", "<Response><Hangup/></Response>"),
    ]);
    let server = server(&app, &[&agent, &desk]);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    agent.succeed(LIMIT);
    desk.succeed(LIMIT);
    caller.succeed(LIMIT);
    let transfer = asked(&app, "/to");
    assert_eq!(transfer.len(), 1, "{:?}", app.asked());
    let told = |name: &str| transfer[0].parameters.get(name).map(String::as_str);
    assert_eq!(
        told("ReferTransferTarget"),
        Some("sip:desk@pbx.example.net")
    );
    assert_eq!(told("SipHeader_X-Case"), Some("12 a"));
    assert_eq!(
        told("SipHeader_Referred-By"),
        Some("<sip:agent@pbx.example.net>")
    );
    assert_eq!(told("CallStatus"), Some("in-progress"));
    let done = asked(&app, "/done");
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].parameters["DialCallStatus"], "completed");
    assert!(asked(&app, "/never").is_empty());
    let calls = dialled(&server, 2);
    let parent = &transfer[0].parameters["CallSid"];
    assert!(calls.iter().all(|call| call["parent_call_sid"] == **parent));
    let who_asked = &transfer[0].parameters["ReferCallSid"];
    assert!(calls.iter().any(|call| call["sid"] == **who_asked));
    server.stop();
}

/// There is no document: whoever asked hears that, and the caller the apology.
#[test]
fn an_application_that_fails_is_reported() {
    let agent = callee(Sipp::new("uas_refers").with_outcome("503 Service Unavailable"));
    let first = format!(
        "<Response><Dial referUrl=\"/gone\"><Sip>sip:agent@{}</Sip></Dial></Response>",
        agent.address
    );
    let app = VoiceApp::serve(vec![Page::twiml("/voice", &first)]);
    let server = server(&app, &[&agent]);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    agent.succeed(LIMIT);
    caller.succeed(LIMIT);
    assert_eq!(asked(&app, "/gone").len(), 1);
    server.stop();
}

#[test]
fn without_a_refer_url_nobody_says_whom_we_call() {
    let agent = callee(Sipp::new("uas_refer_refused"));
    let first = format!(
        "<Response><Dial action=\"/done\"><Sip>sip:agent@{}</Sip></Dial></Response>",
        agent.address
    );
    let app = VoiceApp::serve(vec![
        Page::twiml("/voice", &first),
        Page::twiml("/done", "<Response><Hangup/></Response>"),
    ]);
    let server = server(&app, &[&agent]);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    agent.succeed(LIMIT);
    caller.succeed(LIMIT);
    let done = asked(&app, "/done");
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].parameters["DialCallStatus"], "completed");
    server.stop();
}

/// The caller leaves the agent to the application, which dials the desk for them: on a call of the agent's own.
#[test]
fn whom_the_caller_leaves_goes_on_alone() {
    let agent = callee(Sipp::new("uas_wait_bye"));
    let desk = callee(Sipp::new("uas_bye"));
    let first = format!(
        "<Response><Dial answerOnBridge=\"true\" referUrl=\"/to\" action=\"/never\"><Sip>sip:agent@{}</Sip></Dial></Response>",
        agent.address
    );
    let then = format!(
        "<Response><Dial action=\"/done\"><Sip>sip:desk@{}</Sip></Dial></Response>",
        desk.address
    );
    let app = VoiceApp::serve(vec![
        Page::twiml("/voice", &first),
        Page::twiml("/to", &then),
        Page::twiml("/done", "<Response><Hangup/></Response>"),
    ]);
    let server = server(&app, &[&agent, &desk]);
    let caller = Sipp::new("uac_refers").with_outcome("200 OK");
    let caller = caller.dialling("1000").start(server.sip);
    caller.succeed(LIMIT);
    desk.succeed(LIMIT);
    agent.succeed(LIMIT);
    let of_caller = &asked(&app, "/voice")[0].parameters["CallSid"];
    let transfer = asked(&app, "/to");
    assert_eq!(transfer.len(), 1, "{:?}", app.asked());
    let told = |name: &str| transfer[0].parameters.get(name).map(String::as_str);
    assert_eq!(
        told("ReferTransferTarget"),
        Some("sip:desk@pbx.example.net")
    );
    assert_eq!(told("ReferCallSid"), Some(of_caller.as_str()));
    assert_eq!(told("ParentCallSid"), Some(of_caller.as_str()));
    assert_eq!(told("SipHeader_X-Case"), Some("12 a"));
    assert_eq!(told("Direction"), Some("outbound-dial"));
    assert_eq!(told("CallStatus"), Some("in-progress"));
    let done = asked(&app, "/done");
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].parameters["DialCallStatus"], "completed");
    assert!(asked(&app, "/never").is_empty());
    let calls = dialled(&server, 2);
    let of_agent = &transfer[0].parameters["CallSid"];
    assert!(calls.iter().any(|call| call["sid"] == **of_agent));
    let of_desk = calls.iter().find(|call| call["sid"] != **of_agent);
    assert_eq!(of_desk.expect("two calls")["parent_call_sid"], **of_agent);
    server.stop();
}
