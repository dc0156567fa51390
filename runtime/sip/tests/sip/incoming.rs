//! Calls of the peer: RFC 3261 §13.3, §9.2, §15 as seen on the wire.

use std::time::Duration;

use jackfield_sip::{Command, Config, DialogId, Warning};

use crate::host::{
    Ask, FIRST, Host, INVITE, PEER, SDP, T1, US, answered, invited, talking, to_tag, udp,
};

fn ring() -> Command {
    Command::Ring { dialog: FIRST }
}

fn answer() -> Command {
    Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    }
}

fn reject(status: u16) -> Command {
    Command::Reject {
        dialog: FIRST,
        status,
        reason: None,
        retry_after: None,
        cause: None,
        warning: None,
    }
}

fn bye() -> Command {
    Command::Bye {
        dialog: FIRST,
        cause: None,
    }
}

#[test]
fn an_invite_is_told_once_and_answered_100_at_once() {
    let mut host = Host::new();
    for _ in 0..3 {
        host.receive(INVITE.text());
        assert_eq!(host.sent(), "100");
    }
    let incoming = host.incoming();
    assert_eq!(incoming.len(), 1);
    assert_eq!(incoming[0].dialog, FIRST);
    assert_eq!(incoming[0].source, udp(PEER));
    assert_eq!(incoming[0].sdp.as_deref(), Some(SDP.as_bytes()));
    assert_eq!(
        incoming[0].request.request_uri().user().as_deref(),
        Some("1294")
    );
    assert_eq!(
        incoming[0].request.from().display_name().as_deref(),
        Some("Alice")
    );
    assert_eq!(host.endpoint.counters().retransmissions_absorbed, 2);
}

#[test]
fn answers_repeat_the_recorded_route_and_name_us() {
    let mut host = Host::new();
    let fields =
        "Record-Route: <sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>\r\nContact: <sip:alice@10.0.0.2>\r\n";
    host.receive(
        Ask {
            fields,
            body: "",
            ..INVITE
        }
        .text(),
    );
    host.transmitted();
    host.command(ring());
    let ringing = host.sent_text();
    host.command(answer());
    let ok = host.sent_text();
    for text in [&ringing, &ok] {
        assert!(
            text.contains("Record-Route: <sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>\r\n"),
            "{text}"
        );
        assert!(text.contains(&format!("Contact: <sip:{US}>\r\n")), "{text}");
        assert!(
            text.contains(
                "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY\r\n"
            ),
            "{text}"
        );
        assert!(!text.contains("Server:"), "{text}");
    }
    assert_eq!(to_tag(&ringing), to_tag(&ok));
    assert!(to_tag(&ok).len() >= 13, "64 random bits at five a letter");
    assert!(
        ok.ends_with("Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"),
        "{ok}"
    );
    host.receive(Ask::ack(1, &to_tag(&ok)).text());
    host.command(bye());
    let (destination, bytes) = host.transmitted().remove(0);
    assert_eq!(destination, udp("10.0.0.9:5060"));
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(
        text.contains("Route: <sip:10.0.0.9;lr>\r\nRoute: <sip:10.0.0.8;lr>\r\n"),
        "{text}"
    );
}

#[test]
fn a_retransmission_gets_the_last_provisional() {
    let mut host = invited();
    host.command(ring());
    host.command(Command::Progress {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    host.receive(INVITE.text());
    assert_eq!(host.sent(), "180 183 183");
}

#[test]
fn a_2xx_is_repeated_until_its_ack() {
    let (mut host, tag) = answered();
    host.advance(4 * T1);
    assert_eq!(host.sent(), "200 200"); // at T1 and 3 T1
    host.receive(INVITE.text());
    assert_eq!(host.sent(), ""); // absorbed: the 200 is on its way by itself
    host.receive(Ask::ack(1, &tag).text());
    host.receive(Ask::ack(1, &tag).text());
    host.advance(100 * T1);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "acked")
    );
    assert_eq!(host.endpoint.counters().retransmissions_sent, 2);
}

#[test]
fn without_ack_the_dialog_is_ended() {
    let (mut host, _) = answered();
    host.advance(64 * T1 - Duration::from_millis(1));
    assert_eq!(host.sent(), ["200"; 10].join(" ")); // and the first: 11, doubling up to T2
    assert_eq!(host.events(), "");
    host.advance(Duration::from_millis(1));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("BYE", "no-ack")
    );
    assert_eq!(host.endpoint.dialogs(), 0);
    host.expect_idle();
    assert_eq!(host.events(), "");
}

#[test]
fn only_the_right_ack_counts() {
    let (mut host, tag) = answered();
    host.receive(Ask::ack(2, &tag).text());
    host.receive(Ask::ack(1, "other").text());
    host.receive(Ask::ack(1, &tag).text().replace("call-1", "call-2"));
    host.receive(Ask::ack(1, &tag).text().replace("tag=a1", "tag=a2"));
    assert_eq!(host.events(), "");
    // Some peers give it the branch of the INVITE.
    host.receive(
        Ask {
            branch: "one",
            ..Ask::ack(1, &tag)
        }
        .text(),
    );
    assert_eq!(host.events(), "acked");
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let mut host = Host::new();
    host.receive(
        Ask {
            fields: "Contact: <sip:a@10.0.0.2>\r\n",
            body: "",
            ..INVITE
        }
        .text(),
    );
    host.transmitted();
    assert_eq!(host.incoming()[0].sdp, None);
    host.command(answer());
    let tag = to_tag(&host.sent_text());
    let fields = "Content-Type: application/sdp\r\n";
    host.receive(
        Ask {
            fields,
            body: SDP,
            ..Ask::ack(1, &tag)
        }
        .text(),
    );
    assert_eq!(host.events(), "acked+sdp");
}

#[test]
fn a_refusal_is_repeated_until_its_ack() {
    let mut host = invited();
    let reason = Some("Gone\r\nfishing".to_owned());
    let retry_after = Some(Duration::from_millis(1500));
    host.command(Command::Reject {
        dialog: FIRST,
        status: 486,
        reason,
        retry_after,
        cause: None,
        warning: Some(Warning {
            code: 399,
            text: "gone".to_owned(),
        }),
    });
    let text = host.sent_text();
    let warning = format!("Warning: 399 {US} \"gone\"\r\n");
    assert!(text.contains(&warning), "{text}");
    assert!(text.starts_with("SIP/2.0 486 Gonefishing\r\n"), "{text}");
    assert!(text.contains("Retry-After: 2\r\n"), "{text}");
    host.receive(INVITE.text());
    host.advance(T1);
    assert_eq!(host.sent(), "486 486");
    host.receive(
        Ask {
            branch: "one",
            ..Ask::ack(1, &to_tag(&text))
        }
        .text(),
    );
    host.advance(64 * T1);
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
    host.expect_idle();
}

#[test]
fn the_ack_of_a_refusal_is_known_by_its_call_too() {
    let mut host = invited();
    host.command(reject(486));
    let tag = to_tag(&host.sent_text());
    host.receive(
        Ask {
            branch: "wrong",
            ..Ask::ack(1, &tag)
        }
        .text(),
    );
    host.advance(64 * T1);
    assert_eq!(host.sent(), "");
    assert_eq!(host.endpoint.transactions(), 0);
}

#[test]
fn a_status_that_is_no_failure_becomes_500() {
    for status in [0, 180, 200, 700] {
        let mut host = invited();
        host.command(reject(status));
        assert_eq!(host.sent(), "500", "{status}");
    }
}

#[test]
fn cancel_ends_a_ringing_call() {
    let mut host = invited();
    host.command(ring());
    host.transmitted();
    let cancel = Ask {
        branch: "one",
        ..Ask::within("CANCEL", 1, "")
    };
    host.receive(cancel.text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 487", "canceled")
    );
    host.receive(cancel.text());
    assert_eq!(host.sent(), "200");
    host.command(answer()); // crossed the CANCEL
    assert_eq!(host.sent(), "");
    assert_eq!(host.endpoint.counters().commands_ignored, 1);
    host.receive(
        Ask {
            branch: "one",
            ..Ask::ack(1, "x")
        }
        .text(),
    );
    host.expect_idle();
    assert_eq!(host.sent(), "");
}

#[test]
fn cancel_after_the_answer_changes_nothing() {
    let (mut host, tag) = answered();
    host.receive(
        Ask {
            branch: "one",
            ..Ask::within("CANCEL", 1, "")
        }
        .text(),
    );
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("200", ""));
    host.receive(Ask::ack(1, &tag).text());
    host.receive(Ask::within("BYE", 2, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "acked bye")
    );
    host.expect_idle();
}

#[test]
fn cancel_needs_the_invites_branch_and_source() {
    let mut host = invited();
    host.receive(
        Ask {
            branch: "two",
            ..Ask::within("CANCEL", 1, "")
        }
        .text(),
    );
    let cancel = Ask {
        branch: "one",
        ..Ask::within("CANCEL", 1, "")
    };
    host.receive_from("10.0.0.3:5060", cancel.text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("481 481", "")
    );
    assert_eq!(host.endpoint.dialogs(), 1);
}

#[test]
fn bye_of_the_peer_ends_the_dialog_once() {
    let (mut host, tag) = talking();
    let bye = Ask::within("BYE", 2, &tag);
    host.receive(bye.text());
    host.receive(bye.text()); // its retransmission
    host.receive(
        Ask {
            branch: "again",
            cseq: 3,
            ..bye
        }
        .text(),
    ); // another one
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 200 481", "bye")
    );
    assert_eq!(host.endpoint.dialogs(), 0);
    host.expect_idle();
}

#[test]
fn bye_before_the_ack_ends_the_dialog() {
    let (mut host, tag) = answered();
    host.receive(Ask::within("BYE", 2, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "bye")
    );
    host.receive(Ask::ack(1, &tag).text());
    host.expect_idle();
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
}

#[test]
fn bye_of_an_early_dialog_takes_the_invite_back() {
    let mut host = invited();
    host.command(ring());
    let tag = to_tag(&host.sent_text());
    host.receive(Ask::within("BYE", 2, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 487", "canceled")
    );
}

#[test]
fn a_bye_needs_both_tags_and_the_call_id() {
    let (mut host, tag) = talking();
    let bye = Ask::within("BYE", 2, &tag).text();
    host.receive(bye.replace("tag=a1", "tag=a2"));
    host.receive(bye.replace("call-1", "call-2"));
    host.receive(bye.replace(&tag, "guess"));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("481 481 481", "")
    );
    assert_eq!(host.endpoint.dialogs(), 1);
}

#[test]
fn our_bye_ends_the_dialog_when_answered() {
    for status in [200, 481, 408, 401] {
        let (mut host, _) = talking();
        host.command(bye());
        let sent = host.sent_text();
        assert!(
            sent.starts_with("BYE sip:alice@10.0.0.2 SIP/2.0\r\n"),
            "{sent}"
        );
        let request = crate::host::parse_request(&sent.into());
        host.receive(crate::host::Reply::new(100, "").to(&request));
        assert_eq!(host.events(), "");
        host.receive(crate::host::Reply::new(status, "").to(&request));
        host.receive(crate::host::Reply::new(status, "").to(&request));
        // A challenge is not answered: nobody gets credentials out of us (ES2021-05).
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            ("", "terminated"),
            "{status}"
        );
        host.expect_idle();
    }
}

#[test]
fn our_bye_without_answer_ends_the_dialog_in_the_end() {
    let (mut host, _) = talking();
    host.command(bye());
    host.command(bye());
    host.advance(64 * T1);
    assert_eq!(
        (host.sent(), host.events().as_str()),
        (["BYE"; 11].join(" "), "terminated")
    );
    assert_eq!(host.endpoint.counters().commands_ignored, 1);
    host.expect_idle();
}

#[test]
fn byes_may_cross() {
    let (mut host, tag) = talking();
    host.command(bye());
    host.receive(Ask::within("BYE", 2, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("BYE 200", "terminated")
    );
    host.expect_idle();
    assert_eq!(host.events(), "");
}

#[test]
fn our_bye_waits_for_the_ack() {
    let (mut host, tag) = answered();
    host.command(bye());
    assert_eq!(host.sent(), "");
    host.receive(Ask::ack(1, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("BYE", "acked")
    );
    host.expect_idle();
    assert_eq!(host.events(), "terminated");
}

#[test]
fn our_bye_waits_no_longer_than_for_the_ack() {
    let (mut host, _) = answered();
    host.command(bye());
    host.advance(64 * T1);
    assert!(host.sent().ends_with("200 BYE"));
    assert_eq!(host.events(), "");
    host.expect_idle();
    assert_eq!(host.events(), "terminated");
}

#[test]
fn ending_a_ringing_call_declines_it() {
    let mut host = invited();
    host.command(bye());
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("603", ""));
    assert_eq!(host.endpoint.dialogs(), 0);
}

#[test]
fn commands_for_unknown_dialogs_are_ignored() {
    let mut host = Host::new();
    let dialog = DialogId(7);
    for command in [
        Command::Ring { dialog },
        Command::Progress {
            dialog,
            sdp: SDP.into(),
        },
        Command::Answer {
            dialog,
            sdp: SDP.into(),
        },
        Command::Reject {
            dialog,
            status: 486,
            reason: None,
            retry_after: None,
            cause: None,
            warning: None,
        },
        Command::Cancel {
            dialog,
            cause: None,
        },
        Command::Bye {
            dialog,
            cause: None,
        },
        Command::AcceptOffer {
            dialog,
            sdp: SDP.into(),
        },
        Command::RejectOffer {
            dialog,
            status: 488,
            warning: None,
        },
    ] {
        host.command(command);
    }
    assert_eq!(host.endpoint.counters().commands_ignored, 8);
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
}

#[test]
fn a_server_header_only_where_configured() {
    let mut config = Config::new(US.parse().unwrap());
    config.user_agent = Some("Jackfield".to_owned());
    let mut host = Host::with(config, 1, crate::host::origin());
    host.receive(INVITE.text());
    assert!(host.sent_text().contains("Server: Jackfield\r\n"));
}
