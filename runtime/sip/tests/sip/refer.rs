//! Asking the peer to call somebody else (RFC 3515, RFC 4488).

use jackfield_sip::{Command, Request};

use crate::host::{Ask, FIRST, Host, Reply, T1, parse_request, talking};

const TO: &str = "sip:+252611234567@carrier.example";

fn refer(host: &mut Host, to: &str) {
    host.command(Command::Refer {
        dialog: FIRST,
        to: to.to_owned(),
    });
}

/// A host that sent a REFER, our tag, and the REFER.
fn referring() -> (Host, String, Request) {
    let (mut host, tag) = talking();
    refer(&mut host, TO);
    let request = parse_request(&host.sent_text().into());
    (host, tag, request)
}

/// A report with this state of the subscription and this body.
fn report(cseq: u32, state: &str, body: &str, tag: &str) -> String {
    let fields = format!(
        "Event: refer;id=1\r\nSubscription-State: {state}\r\nContact: <sip:alice@10.0.0.2>\r\n\
         Content-Type: message/sipfrag;version=2.0\r\n"
    );
    let branch = format!("notify{cseq}");
    Ask {
        fields: &fields,
        body,
        branch: &branch,
        ..Ask::within("NOTIFY", cseq, tag)
    }
    .text()
}

#[test]
fn a_refer_is_sent_and_its_reports_are_told() {
    let (mut host, tag, request) = referring();
    assert_eq!(request.method().to_string(), "REFER");
    assert_eq!(
        request.header("Refer-To").as_deref(),
        Some("<sip:+252611234567@carrier.example>")
    );
    assert!(request.header("Contact").is_some());
    let ours = request.from().uri().to_string();
    assert_eq!(
        request.header("Referred-By").as_deref(),
        Some(format!("<{ours}>").as_str())
    );
    host.receive(report(
        2,
        "active;expires=60",
        "SIP/2.0 100 Trying\r\n",
        &tag,
    )); // before the 202
    host.receive(Reply::new(202, "").to(&request));
    host.receive(report(3, "active;expires=50", "SIP/2.0 180 Ringing", &tag));
    host.receive(report(
        4,
        "terminated;reason=noresource",
        "SIP/2.0 200 OK\r\n",
        &tag,
    ));
    host.receive(report(
        5,
        "terminated;reason=noresource",
        "SIP/2.0 200 OK\r\n",
        &tag,
    ));
    assert_eq!(host.sent(), "200 200 200 200");
    assert_eq!(
        host.events(),
        "referred:100 refer-answered:202 referred:180 referred:200!"
    );
    // Only then may the next go out.
    refer(&mut host, TO);
    refer(&mut host, TO);
    assert_eq!(
        (
            host.sent().as_str(),
            host.endpoint.counters().commands_ignored
        ),
        ("REFER", 1)
    );
}

#[test]
fn how_a_refer_ends() {
    for (status, fields, told) in [
        (603, "", "refer-answered:603!"),
        (405, "", "refer-answered:405!"),
        (200, "Refer-Sub: false\r\n", "refer-answered:200!"),
        (202, "Refer-Sub: true\r\n", "refer-answered:202"),
        (481, "", "terminated"),
    ] {
        let (mut host, _, request) = referring();
        host.receive(
            Reply {
                fields,
                ..Reply::new(status, "")
            }
            .to(&request),
        );
        assert_eq!(host.events(), told, "{status}");
    }
    let (mut host, _, _) = referring();
    host.advance(64 * T1);
    assert_eq!(host.events(), "refer-answered:408!");
    // A subscription may end without a word on the call.
    let (mut host, tag, _) = referring();
    host.receive(report(2, "terminated;reason=giveup", "", &tag));
    assert_eq!(host.events(), "referred:0!");
    // A report that says nothing is answered, and told nothing of.
    let (mut host, tag, _) = referring();
    host.receive(report(2, "active", "no status line", &tag));
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("200", ""));
}

/// The last report overtook the answer (RFC 3515 §2.4.4): nothing is told after it.
#[test]
fn an_answer_may_come_after_the_last_report() {
    let (mut host, tag, request) = referring();
    host.receive(report(2, "terminated", "SIP/2.0 486 Busy Here", &tag));
    host.receive(Reply::new(202, "").to(&request));
    assert_eq!(host.events(), "referred:486!");
}

#[test]
fn reports_nobody_asked_for_are_refused() {
    let (mut host, tag) = talking();
    host.receive(report(2, "active", "SIP/2.0 100 Trying\r\n", &tag));
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("481", ""));
    let (mut host, tag, _) = referring();
    host.receive(
        report(2, "active", "SIP/2.0 100 Trying\r\n", &tag).replace("refer;id=1", "dialog"),
    );
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("489", ""));
}

#[test]
fn what_is_no_uri_is_not_sent() {
    let (mut host, _) = talking();
    for to in ["", "alice", "sip:a@b>\r\nX: y", "sip:a@b> <sip:c"] {
        refer(&mut host, to);
    }
    assert_eq!(
        (
            host.sent().as_str(),
            host.endpoint.counters().commands_ignored
        ),
        ("", 4)
    );
}
