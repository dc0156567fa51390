//! Sessions that expire (RFC 4028): who refreshes, how, and what becomes of a call that nobody refreshes.

use std::time::Duration;

use jackfield_sip::{Command, DialogId, OutgoingInvite, Request};

use crate::host::{
    Ask, FIRST, Host, INVITE, PEER, Reply, SDP, T1, outgoing, parse_request, parse_response, to_tag,
};

const CALL: DialogId = DialogId(2);
const SECOND: Duration = Duration::from_secs(1);

/// A host that answered an INVITE with these fields and got the ACK: what its 200 says, and our tag.
fn answering(fields: &str) -> (Host, String, String) {
    let mut host = Host::new();
    let fields = format!("{}{fields}", INVITE.fields);
    host.receive(
        Ask {
            fields: &fields,
            ..INVITE
        }
        .text(),
    );
    host.transmitted();
    host.command(Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    let ok = host.sent_text();
    let tag = to_tag(&ok);
    host.receive(Ask::ack(1, &tag).text());
    assert_eq!(host.events(), "acked");
    (host, ok, tag)
}

/// A host whose INVITE was answered with these fields.
fn calling(fields: &str) -> Host {
    let mut host = Host::new();
    let invite = OutgoingInvite {
        session_expires: Some(1800 * SECOND),
        ..*outgoing(PEER)
    };
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
    let invite = parse_request(&host.sent_text().into());
    let fields =
        format!("Contact: <sip:bob@10.0.0.2>\r\nContent-Type: application/sdp\r\n{fields}");
    host.receive(
        Reply {
            fields: &fields,
            ..Reply::with_sdp(200, "b1")
        }
        .to(&invite),
    );
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "answered+sdp")
    );
    host
}

/// The only request sent within this time, which comes at its end.
fn after(host: &mut Host, wait: Duration) -> Request {
    host.advance(wait - Duration::from_millis(1));
    assert_eq!(host.sent(), "");
    host.advance(Duration::from_millis(1));
    parse_request(&host.sent_text().into())
}

fn field(text: &str, name: &str) -> Option<String> {
    parse_response(text)
        .header(name)
        .map(std::borrow::Cow::into_owned)
}

#[test]
fn our_answer_says_who_refreshes() {
    for (fields, expires, require) in [
        ("", None, None),
        ("Supported: timer\r\n", None, None),
        (
            "Supported: timer\r\nSession-Expires: 1800\r\n",
            Some("1800;refresher=uac"),
            Some("timer"),
        ),
        (
            "Require: timer\r\nSupported: timer\r\nSession-Expires: 90;refresher=uas\r\n",
            Some("90;refresher=uas"),
            Some("timer"),
        ),
        ("Session-Expires: 600\r\n", Some("600;refresher=uas"), None),
    ] {
        let (_, ok, _) = answering(fields);
        assert_eq!(
            field(&ok, "Session-Expires").as_deref(),
            expires,
            "{fields}"
        );
        assert_eq!(field(&ok, "Require").as_deref(), require, "{fields}");
    }
}

#[test]
fn a_short_session_is_refused_with_what_we_take() {
    let mut host = Host::new();
    let fields = format!(
        "{}Supported: timer\r\nSession-Expires: 60\r\n",
        INVITE.fields
    );
    host.receive(
        Ask {
            fields: &fields,
            ..INVITE
        }
        .text(),
    );
    let text = host.sent_text();
    assert!(
        text.starts_with("SIP/2.0 422 Session Interval Too Small\r\n"),
        "{text}"
    );
    assert!(text.contains("Min-SE: 90\r\n"), "{text}");
    assert!(host.incoming().is_empty());
}

#[test]
fn a_peers_refresh_keeps_the_call() {
    let timer = "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\n";
    let (mut host, _, tag) = answering(timer);
    for cseq in 2..6 {
        host.advance(900 * SECOND);
        let branch = format!("refresh{cseq}");
        host.receive(
            Ask {
                fields: timer,
                branch: &branch,
                ..Ask::within("UPDATE", cseq, &tag)
            }
            .text(),
        );
        let ok = host.sent_text();
        assert_eq!(
            field(&ok, "Session-Expires").as_deref(),
            Some("1800;refresher=uac")
        );
    }
    assert_eq!((host.events().as_str(), host.endpoint.dialogs()), ("", 1));
    // By re-INVITE, too, which a peer sends that knows nothing of our timer.
    host.advance(900 * SECOND);
    let fields = format!("{}{timer}", INVITE.fields);
    host.receive(
        Ask {
            cseq: 6,
            branch: "six",
            to_tag: &tag,
            fields: &fields,
            ..INVITE
        }
        .text(),
    );
    host.command(Command::AcceptOffer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    host.receive(Ask::ack(6, &tag).text());
    let sent = host.transmitted();
    let ok = String::from_utf8_lossy(&sent[1].1).into_owned();
    assert_eq!(
        field(&ok, "Session-Expires").as_deref(),
        Some("1800;refresher=uac")
    );
    host.advance(1767 * SECOND);
    assert_eq!(host.events(), "offer+sdp acked");
    host.advance(SECOND);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("BYE", "terminated")
    );
    host.expect_idle();
}

#[test]
fn a_refresh_without_a_timer_is_answered_all_the_same() {
    let (mut host, _, tag) = answering("");
    host.advance(900 * SECOND);
    let timer = "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\n";
    host.receive(
        Ask {
            fields: timer,
            ..Ask::within("UPDATE", 2, &tag)
        }
        .text(),
    );
    assert_eq!(
        field(&host.sent_text(), "Session-Expires").as_deref(),
        Some("1800;refresher=uac")
    );
    host.advance(1768 * SECOND);
    assert_eq!(host.events(), "terminated", "now the session has an end");
}

#[test]
fn we_refresh_by_update_where_the_peer_takes_it() {
    let (mut host, _, _) = answering("Allow: INVITE, UPDATE\r\nSession-Expires: 1800\r\n");
    for _ in 0..3 {
        let update = after(&mut host, 900 * SECOND);
        assert_eq!(update.method().to_string(), "UPDATE");
        assert_eq!(
            update.header("Session-Expires").as_deref(),
            Some("1800;refresher=uac")
        );
        assert_eq!(update.header("Supported").as_deref(), Some("timer"));
        assert!(update.header("Contact").is_some() && update.body().is_empty());
        let fields = "Session-Expires: 1800;refresher=uac\r\n";
        host.receive(
            Reply {
                fields,
                ..Reply::new(200, "")
            }
            .to(&update),
        );
    }
    assert_eq!((host.events().as_str(), host.endpoint.dialogs()), ("", 1));
    // An answer that speaks of no timer ends it (RFC 4028 §7.2).
    let update = after(&mut host, 900 * SECOND);
    host.receive(Reply::new(200, "").to(&update));
    host.advance(10_000 * SECOND);
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
}

#[test]
fn we_refresh_by_offering_the_same_again_where_it_does_not() {
    let mut host = calling("Session-Expires: 1800;refresher=uac\r\n");
    let invite = after(&mut host, 900 * SECOND);
    assert_eq!(invite.method().to_string(), "INVITE");
    assert_eq!(
        (invite.body().as_ref(), invite.cseq().number),
        (SDP.as_bytes(), 2)
    );
    let fields = "Content-Type: application/sdp\r\nSession-Expires: 600;refresher=uas\r\n";
    host.receive(
        Reply {
            fields,
            ..Reply::with_sdp(200, "")
        }
        .to(&invite),
    );
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "offer-answered+sdp")
    );
    // Now it is the peer's to refresh, and it does not.
    host.advance(567 * SECOND);
    assert_eq!(host.events(), "");
    host.advance(SECOND);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("BYE", "terminated")
    );
}

#[test]
fn an_update_that_is_not_known_after_all_is_replaced() {
    for status in [405, 501] {
        let (mut host, _, _) = answering("Allow: INVITE, UPDATE\r\nSession-Expires: 1800\r\n");
        let update = after(&mut host, 900 * SECOND);
        host.receive(Reply::new(status, "").to(&update));
        let invite = parse_request(&host.sent_text().into());
        assert_eq!(
            (invite.method().to_string().as_str(), invite.body().as_ref()),
            ("INVITE", SDP.as_bytes())
        );
    }
}

#[test]
fn a_refresh_that_is_too_short_is_repeated_at_once() {
    let (mut host, _, _) = answering("Allow: UPDATE\r\nSession-Expires: 1800\r\n");
    let update = after(&mut host, 900 * SECOND);
    let longer = Reply {
        fields: "Min-SE: 3600\r\n",
        ..Reply::new(422, "")
    };
    host.receive(longer.to(&update));
    let again = parse_request(&host.sent_text().into());
    assert_eq!(
        again.header("Session-Expires").as_deref(),
        Some("3600;refresher=uac")
    );
    host.receive(longer.to(&again)); // it says so once more: not at once, then
    assert_eq!(host.sent(), "");
}

#[test]
fn a_refused_refresh_is_repeated_and_then_the_call_ends() {
    let (mut host, _, _) = answering("Allow: UPDATE\r\nSession-Expires: 1800\r\n");
    let waits = [900, 434, 217];
    for wait in waits {
        let update = after(&mut host, wait * SECOND);
        host.receive(Reply::new(500, "").to(&update));
    }
    host.advance(218 * SECOND);
    let sent = host.sent();
    assert!(
        sent.starts_with("UPDATE") && sent.ends_with("BYE"),
        "{sent}"
    );
    assert_eq!(host.events(), "terminated");
    host.expect_idle();
}

#[test]
fn a_refresh_without_any_answer_ends_the_call() {
    let (mut host, _, _) = answering("Allow: UPDATE\r\nSession-Expires: 1800\r\n");
    host.advance(900 * SECOND + 64 * T1);
    assert!(host.sent().ends_with("UPDATE BYE"));
    assert_eq!(host.events(), "terminated");
    host.advance(1800 * SECOND);
    host.expect_idle();
}

#[test]
fn an_invite_asks_for_a_timer_where_wanted() {
    for (wanted, expires) in [
        (None, None),
        (Some(1800), Some("1800")),
        (Some(5), Some("90")),
    ] {
        let mut host = Host::new();
        let session_expires = wanted.map(Duration::from_secs);
        let invite = OutgoingInvite {
            session_expires,
            ..*outgoing(PEER)
        };
        host.command(Command::Invite {
            dialog: CALL,
            invite: Box::new(invite),
        });
        let invite = parse_request(&host.sent_text().into());
        assert_eq!(invite.header("Session-Expires").as_deref(), expires);
        assert_eq!(invite.header("Supported").as_deref(), Some("timer"));
    }
}

#[test]
fn without_a_word_of_the_callee_there_is_no_timer() {
    let mut host = calling("");
    host.advance(100_000 * SECOND);
    assert_eq!(
        (
            host.sent().as_str(),
            host.events().as_str(),
            host.endpoint.dialogs()
        ),
        ("", "", 1)
    );
}

#[test]
fn a_callee_that_wants_a_longer_session_gets_it_once() {
    let mut host = Host::new();
    let invite = OutgoingInvite {
        session_expires: Some(100 * SECOND),
        ..*outgoing(PEER)
    };
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
    let first = parse_request(&host.sent_text().into());
    let longer = Reply {
        fields: "Min-SE: 1800\r\n",
        ..Reply::new(422, "b1")
    };
    host.receive(longer.to(&first));
    let sent = host.transmitted();
    assert_eq!(sent.len(), 2, "the ACK, and the INVITE again");
    let again = parse_request(&sent[1].1);
    assert_eq!(
        (again.call_id(), again.from()),
        (first.call_id(), first.from())
    );
    assert_eq!(again.cseq().number, 2);
    assert_ne!(again.via().branch(), first.via().branch());
    assert_eq!(again.header("Session-Expires").as_deref(), Some("1800"));
    assert_eq!(again.header("Min-SE").as_deref(), Some("1800"));
    host.receive(longer.to(&again));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "failed:422")
    );
    host.expect_idle();
}
