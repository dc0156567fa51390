//! Calls that are turned away.

use std::time::Duration;

use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;

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
