//! Calls that are turned away.

use std::time::Duration;

use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(30);

fn menu() -> Server {
    Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]))
}

#[test]
fn nobody_has_that_number() {
    let server = menu();
    Sipp::new("uac_refused")
        .with_status(404)
        .dialling("1999")
        .start(server.sip)
        .succeed(LIMIT);
    assert_eq!(
        server.rest().calls().len(),
        0,
        "a number of nobody is nobody's call"
    );
}

#[test]
fn an_address_that_is_no_trunk() {
    let server = menu();
    Sipp::new("uac_refused")
        .with_status(403)
        .from_address("127.0.0.2")
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);
    assert_eq!(server.rest().calls().len(), 0);
}

#[test]
fn a_flow_that_rejects() {
    for (reason, status) in [("busy", 486), ("rejected", 603)] {
        let document = format!(r#"<Response><Reject reason="{reason}"/></Response>"#);
        let server = Server::start(&Tenants::with_numbers(vec![(
            "1000",
            Flow::Twiml(document),
        )]));
        Sipp::new("uac_refused")
            .with_status(status)
            .dialling("1000")
            .start(server.sip)
            .succeed(LIMIT);
    }
}

/// A number that would do, if it were the account's: nobody is called, the document goes on, and 13214 says why.
#[test]
fn a_caller_id_of_somebody_else() {
    let callees = Callees::start(|_, _| Manner::Answers);
    let document = "<Response><Play digits=\"1\"/><Dial callerId=\"+15005559999\">+15005550001</Dial><Play digits=\"2\"/></Response>";
    let tenants = Tenants {
        callee: Some(callees.address),
        ..Tenants::with_numbers(vec![("1000", Flow::Twiml(document.to_owned()))])
    };
    let server = Server::start(&tenants);
    Sipp::new("uac_wait_bye")
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);
    let rest = server.rest();
    let codes = eventually("the call's notifications are there", LIMIT, || {
        let calls = rest.calls();
        assert_eq!(calls.len(), 1, "nobody else is called: {calls:?}");
        let sid = calls[0]["sid"].as_str().expect("a SID");
        let (status, told) = rest.get(&format!("Calls/{sid}/Notifications.json"));
        assert_eq!(status, 200, "{told}");
        let told = told["notifications"].as_array().expect("a list");
        let code = |one: &Value| one["error_code"].as_str().map(str::to_owned);
        let codes: Vec<_> = told.iter().map(code).collect();
        (!codes.is_empty()).then_some(codes)
    });
    assert_eq!(codes, [Some("13214".to_owned())]);
    assert!(callees.called().is_empty());
    server.stop();
}
