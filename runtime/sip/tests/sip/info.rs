//! INFO: digits that travel in signalling (RFC 6086).

use jackfield_sip::{Command, Event};

use crate::host::{Ask, FIRST, Host, Reply, parse_request, talking};

fn info<'a>(fields: &'a str, body: &'a str, tag: &'a str) -> Ask<'a> {
    Ask {
        fields,
        body,
        ..Ask::within("INFO", 2, tag)
    }
}

/// What is sent and told for one INFO, which comes twice.
fn check(fields: &str, body: &str, status: &str, field: Option<&str>) -> Vec<Event> {
    let (mut host, tag) = talking();
    host.receive(info(fields, body, &tag).text());
    let text = host.sent_text();
    assert!(text.starts_with(&format!("SIP/2.0 {status} ")), "{text}");
    assert!(field.is_none_or(|field| text.contains(field)), "{text}");
    host.receive(info(fields, body, &tag).text());
    assert_eq!((host.sent().as_str(), host.endpoint.dialogs()), (status, 1));
    host.all_events()
        .into_iter()
        .map(|(_, event)| event)
        .collect()
}

#[test]
fn digits_are_told() {
    for (field, content_type, body) in [
        (
            "Content-Type: application/dtmf-relay\r\n",
            "application/dtmf-relay",
            "Signal=5\r\nDuration=160\r\n",
        ),
        ("c: Application/DTMF ;x=y\r\n", "application/dtmf", "5"),
    ] {
        let events = check(field, body, "200", None);
        let body = body.as_bytes().to_vec().into();
        assert_eq!(events, [Event::Info { content_type, body }]);
    }
}

#[test]
fn others_are_answered_as_they_deserve() {
    let accept = "Accept: application/dtmf-relay, application/dtmf\r\n";
    for (fields, body, status, field) in [
        ("", "", "200", None),
        ("Content-Type: application/dtmf\r\n", "", "200", None),
        (
            "Content-Type: application/media_control+xml\r\n",
            "<x/>",
            "415",
            Some(accept),
        ),
        ("", "Signal=5", "415", Some(accept)),
        (
            "Info-Package: foo\r\nContent-Type: application/dtmf\r\n",
            "5",
            "469",
            Some("Recv-Info: \r\n"),
        ),
    ] {
        assert_eq!(check(fields, body, status, field), [], "{fields}");
    }
}

#[test]
fn digits_come_in_early_media_too() {
    let mut host = crate::host::invited();
    host.command(Command::Ring { dialog: FIRST });
    let tag = crate::host::to_tag(&host.sent_text());
    host.receive(info("Content-Type: application/dtmf\r\n", "5", &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "info:application/dtmf")
    );
}

fn send(host: &mut Host, content_type: &str) {
    host.command(Command::Info {
        dialog: FIRST,
        content_type: content_type.to_owned(),
        body: "Signal=5".into(),
    });
}

#[test]
fn ours_are_sent_as_they_are() {
    let (mut host, _) = talking();
    send(&mut host, "application/dtmf-relay");
    let text = host.sent_text();
    assert!(
        text.starts_with("INFO sip:alice@10.0.0.2 SIP/2.0\r\n"),
        "{text}"
    );
    assert!(
        text.ends_with("Content-Type: application/dtmf-relay\r\nContent-Length: 8\r\n\r\nSignal=5"),
        "{text}"
    );
    host.receive(Reply::new(415, "").to(&parse_request(&text.into())));
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
    for content_type in ["text", "text/plain\r\nX: y", "text/"] {
        send(&mut host, content_type);
    }
    assert_eq!(
        (
            host.sent().as_str(),
            host.endpoint.counters().commands_ignored
        ),
        ("", 3)
    );
}

#[test]
fn a_peer_that_knows_no_such_dialog_has_left_it() {
    let (mut host, _) = talking();
    send(&mut host, "application/dtmf");
    let request = parse_request(&host.sent_text().into());
    host.receive(Reply::new(481, "").to(&request));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("BYE", "terminated")
    );
    host.expect_idle();
}
