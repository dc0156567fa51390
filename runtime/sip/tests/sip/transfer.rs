//! The peer asks that somebody else be called in its place (RFC 3515, RFC 4488).

use jackfield_sip::{Command, Event, Request};

use crate::host::{Ask, FIRST, Host, Reply, parse_request, talking};

const TO: &str = "sip:+252611234567@carrier.example";

/// A REFER with this `Refer-To` and these further fields.
fn refer(cseq: u32, refer_to: &str, fields: &str, tag: &str) -> String {
    let branch = format!("refer{cseq}");
    let fields = format!("{refer_to}{fields}");
    Ask {
        fields: &fields,
        branch: &branch,
        ..Ask::within("REFER", cseq, tag)
    }
    .text()
}

/// A host that takes a REFER, and our tag.
fn ready() -> (Host, String) {
    let (mut host, tag) = talking();
    host.command(Command::TakeRefer { dialog: FIRST });
    (host, tag)
}

fn report(host: &mut Host, status: u16) {
    host.command(Command::Report {
        dialog: FIRST,
        status,
    });
}

/// What a NOTIFY says: event, state and status line.
fn said(notify: &Request) -> [String; 3] {
    let field = |name: &str| notify.header(name).unwrap_or_default().into_owned();
    let body = String::from_utf8_lossy(notify.body()).into_owned();
    [field("Event"), field("Subscription-State"), body]
}

#[test]
fn a_refer_is_taken_and_reported_on() {
    let (mut host, tag) = ready();
    let target = format!("Refer-To: \"Desk\" <{TO}?X-Ward=7>\r\n");
    let fields = "Referred-By: <sip:alice@a.example>\r\nX-Case: 12\r\nSubject: no\r\n";
    host.receive(refer(2, &target, fields, &tag));
    let sent = host.transmitted();
    let answer = String::from_utf8_lossy(&sent[0].1);
    assert!(answer.starts_with("SIP/2.0 202 "), "{answer}");
    assert!(answer.contains("Contact: <"), "{answer}");
    let first = parse_request(&sent[1].1);
    let event = "refer;id=2".to_owned();
    let active = "active;expires=60".to_owned();
    assert_eq!(
        said(&first),
        [event.clone(), active, "SIP/2.0 100 Trying\r\n".to_owned()]
    );
    assert!(first.header("Contact").is_some());
    assert_eq!(
        first.header("Content-Type").as_deref(),
        Some("message/sipfrag;version=2.0")
    );
    let events = host.all_events();
    let [(FIRST, Event::ReferAsked(asked))] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(asked.to, format!("{TO}?X-Ward=7"));
    let pairs: Vec<_> = asked
        .fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(pairs, ["Referred-By=<sip:alice@a.example>", "X-Case=12"]);

    host.receive(Reply::new(200, "").to(&first));
    // A second one has to wait until the last report.
    host.receive(refer(3, &target, "", &tag));
    assert_eq!(host.sent(), "603");
    report(&mut host, 200);
    let last = parse_request(&host.sent_text().into());
    let terminated = "terminated;reason=noresource".to_owned();
    assert_eq!(
        said(&last),
        [event, terminated, "SIP/2.0 200 OK\r\n".to_owned()]
    );
    // The peer has forgotten what it asked for: the call goes on (RFC 5057 §5.1).
    host.receive(Reply::new(481, "").to(&last));
    report(&mut host, 200);
    host.receive(refer(4, &target, "", &tag));
    assert_eq!(
        (
            host.sent().as_str(),
            host.events().as_str(),
            host.endpoint.counters().commands_ignored
        ),
        ("603", "", 1)
    );
}

#[test]
fn what_is_no_order_is_refused() {
    let one = format!("Refer-To: <{TO}>\r\n");
    for (target, status) in [
        ("", "400"),
        ("Refer-To: nobody\r\n", "400"),
        (&*format!("{one}{one}"), "400"),
    ] {
        let (mut host, tag) = ready();
        host.receive(refer(2, target, "", &tag));
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            (status, ""),
            "{target}"
        );
        // The right one may still come.
        host.receive(refer(3, &one, "", &tag));
        assert_eq!(host.sent(), "202 NOTIFY", "{target}");
    }
    let (mut host, tag) = talking();
    host.receive(refer(2, &one, "", &tag));
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("603", ""));
}

#[test]
fn a_peer_that_wants_no_reports_gets_none() {
    let (mut host, tag) = ready();
    let target = format!("Refer-To: <{TO}>\r\n");
    host.receive(refer(2, &target, "Refer-Sub: false\r\n", &tag));
    let answer = host.sent_text();
    assert!(answer.starts_with("SIP/2.0 202 "), "{answer}");
    assert!(answer.contains("Refer-Sub: false\r\n"), "{answer}");
    assert_eq!(host.events(), format!("refer-asked:{TO}"));
    report(&mut host, 200);
    assert_eq!(
        (
            host.sent().as_str(),
            host.endpoint.counters().commands_ignored
        ),
        ("", 0)
    );
}

#[test]
fn what_is_wanted_no_more_is_refused() {
    let target = format!("Refer-To: <{TO}>\r\n");
    let refuse = |host: &mut Host| host.command(Command::RefuseRefer { dialog: FIRST });
    let (mut host, tag) = ready();
    refuse(&mut host);
    host.receive(refer(2, &target, "", &tag));
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("603", ""));
    // One that is under way is seen through.
    host.command(Command::TakeRefer { dialog: FIRST });
    host.receive(refer(3, &target, "", &tag));
    assert_eq!(host.sent(), "202 NOTIFY");
    refuse(&mut host);
    report(&mut host, 200);
    assert_eq!(host.sent(), "NOTIFY");
}
