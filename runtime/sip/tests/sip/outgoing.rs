//! Calls of ours: RFC 3261 §13.2, §9.1, §17.1.1 as seen on the wire.

use std::collections::HashSet;
use std::time::Duration;

use jackfield_sip::{Command, Config, DialogId, Event, InviteTarget, OutgoingInvite, Request};

use crate::host::{
    Ask, Host, INVITE, PEER, Reply, SDP, T1, US, origin, outgoing, parse_request, udp,
};

const CALL: DialogId = DialogId(2);

/// A host that sent an INVITE, and the INVITE.
fn calling() -> (Host, Request) {
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let invite = parse_request(&host.sent_text().into());
    (host, invite)
}

/// A host whose INVITE rings.
fn ringing() -> (Host, Request) {
    let (mut host, invite) = calling();
    host.receive(Reply::new(180, "b1").to(&invite));
    assert_eq!(host.events(), "provisional:180");
    (host, invite)
}

/// A host whose INVITE was answered.
fn talking() -> (Host, Request) {
    let (mut host, invite) = ringing();
    host.receive(Reply::with_sdp(200, "b1").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "answered+sdp")
    );
    (host, invite)
}

fn cancel(host: &mut Host) {
    host.command(Command::Cancel {
        dialog: CALL,
        cause: None,
    });
}

#[test]
fn an_invite_says_who_calls_whom() {
    let mut config = Config::new(US.parse().unwrap());
    config.user_agent = Some("Jackfield".to_owned());
    let mut host = Host::with(config, 1, origin());
    let invite = OutgoingInvite {
        call_id: Some("attempt-7".to_owned()),
        ..*outgoing(PEER)
    };
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
    let (destination, bytes) = host.transmitted().remove(0);
    assert_eq!(destination, udp(PEER));
    let request = parse_request(&bytes);
    assert_eq!(
        request.request_uri().to_string(),
        format!("sip:+85512345678@{PEER}")
    );
    assert_eq!(request.from().uri().to_string(), format!("sip:1294@{US}"));
    assert_eq!(request.call_id(), "attempt-7");
    for (name, value) in [
        ("Contact", format!("<sip:{US}>")),
        ("Max-Forwards", "70".to_owned()),
        ("User-Agent", "Jackfield".to_owned()),
        ("X-Account", "ac1".to_owned()),
        ("Content-Type", "application/sdp".to_owned()),
    ] {
        assert_eq!(
            request.header(name).as_deref(),
            Some(value.as_str()),
            "{name}"
        );
    }
    assert!(request.via().branch().is_some());
    assert!(bytes.len() < 1300, "fits a datagram everywhere");
}

/// The name reads back as it was given; the call's later requests and its tag are none the worse for it.
#[test]
fn from_has_the_display_name_it_should() {
    for (name, written) in [
        (None, ""),
        (Some("Anonymous"), "\"Anonymous\" "),
        (Some(""), "\"\" "),
        (
            Some("Sok, Dara <1294>;tag=x"),
            "\"Sok, Dara <1294>;tag=x\" ",
        ),
        (Some(r#"Say "hi" \o/"#), r#""Say \"hi\" \\o/" "#),
        (Some("សុខ"), "\"សុខ\" "),
    ] {
        let mut host = Host::new();
        let invite = OutgoingInvite {
            from_name: name.map(str::to_owned),
            ..*outgoing(PEER)
        };
        host.command(Command::Invite {
            dialog: CALL,
            invite: Box::new(invite),
        });
        let text = host.sent_text();
        let from = format!("\nFrom: {written}<sip:1294@{US}>;tag=");
        assert!(text.contains(&from), "{text}");
        let invite = parse_request(&text.into());
        assert_eq!(invite.from().display_name().as_deref(), name);
        assert_eq!(invite.from().uri().to_string(), format!("sip:1294@{US}"));
        host.receive(Reply::with_sdp(200, "b1").to(&invite));
        assert_eq!(host.sent(), "ACK");
        host.command(Command::Bye {
            dialog: CALL,
            cause: None,
        });
        let bye = parse_request(&host.sent_text().into());
        assert_eq!(bye.from().tag(), invite.from().tag());
    }
}

#[test]
fn identifiers_are_new_for_each_call() {
    let mut host = Host::new();
    let mut seen = HashSet::new();
    for call in 1..=50 {
        host.command(Command::Invite {
            dialog: DialogId(2 * call),
            invite: outgoing(PEER),
        });
        let invite = parse_request(&host.sent_text().into());
        seen.insert(invite.via().branch().unwrap().to_vec());
        seen.insert(invite.from().tag().to_vec());
        seen.insert(invite.call_id().into_owned().into_bytes());
    }
    assert_eq!(seen.len(), 150);
}

#[test]
fn a_call_is_answered_and_ended() {
    let (mut host, invite) = calling();
    host.receive(Reply::new(100, "").to(&invite));
    assert_eq!(host.events(), "");
    host.receive(Reply::with_sdp(183, "b1").to(&invite));
    host.receive(Reply::new(180, "b1").to(&invite));
    assert_eq!(host.events(), "provisional:183+sdp provisional:180");
    host.receive(Reply::with_sdp(200, "b1").to(&invite));
    let ack = host.sent_text();
    assert_eq!(host.events(), "answered+sdp");
    assert!(ack.starts_with("ACK sip:bob@10.0.0.2 SIP/2.0\r\n"), "{ack}");
    assert!(
        ack.contains("CSeq: 1 ACK\r\n") && ack.contains(";tag=b1\r\n"),
        "{ack}"
    );
    assert_ne!(
        parse_request(&ack.clone().into()).via().branch(),
        invite.via().branch()
    );
    // Each retransmission gets the same ACK, told no second time.
    host.receive(Reply::with_sdp(200, "b1").to(&invite));
    assert_eq!(host.sent_text(), ack);
    host.command(Command::Bye {
        dialog: CALL,
        cause: None,
    });
    let bye = parse_request(&host.sent_text().into());
    assert_eq!(bye.cseq().number, 2);
    host.receive(Reply::new(200, "").to(&bye));
    assert_eq!(host.events(), "terminated");
    // A late copy of the 200 still gets its ACK.
    host.receive(Reply::with_sdp(200, "b1").to(&invite));
    assert_eq!((host.sent_text(), host.events().as_str()), (ack, ""));
    host.expect_idle();
}

#[test]
fn the_peer_ends_the_call() {
    let (mut host, invite) = talking();
    let tag = String::from_utf8(invite.from().tag().to_vec()).unwrap();
    let bye = Ask::within("BYE", 1, &tag)
        .text()
        .replace("call-1", &invite.call_id())
        .replace("tag=a1", "tag=b1");
    host.receive(bye);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "bye")
    );
    host.expect_idle();
}

#[test]
fn a_failure_is_acknowledged_and_told() {
    let (mut host, invite) = ringing();
    let busy = Reply {
        fields: "Retry-After: 120 (in a meeting);duration=60\r\n",
        ..Reply::new(486, "b1")
    };
    host.receive(busy.to(&invite));
    host.receive(busy.to(&invite));
    assert_eq!(host.sent(), "ACK ACK");
    let events = host.all_events();
    let retry_after = Some(Duration::from_secs(120));
    assert_eq!(
        events,
        [(
            CALL,
            Event::Failed {
                status: 486,
                reason: "Words".to_owned(),
                retry_after,
                cause: None,
                contacts: Vec::new(),
            }
        )]
    );
    host.expect_idle();
}

/// Those of the final response alone, and before what it means.
#[test]
fn what_is_for_the_application_is_told_before_the_end() {
    let fields = "Contact: <sip:bob@10.0.0.2>\r\nContent-Type: application/sdp\r\nX-Ward: 7 & 8\r\nuser-to-user: ab\r\nServer: s\r\n";
    for (status, expected) in [
        (200, "own-fields:X-Ward=7 & 8,user-to-user=ab answered+sdp"),
        (486, "own-fields:X-Ward=7 & 8,user-to-user=ab failed:486"),
    ] {
        let (mut host, invite) = calling();
        let reply = |status| Reply {
            fields,
            ..Reply::with_sdp(status, "b1")
        };
        host.receive(reply(183).to(&invite));
        assert_eq!(host.events(), "provisional:183+sdp");
        host.receive(reply(status).to(&invite));
        assert_eq!(host.events(), expected);
    }
}

#[test]
fn silence_ends_in_408() {
    let mut host = Host::new();
    let invite = OutgoingInvite {
        ring_timeout: Duration::from_secs(60),
        ..*outgoing(PEER)
    };
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
    host.advance(64 * T1 - Duration::from_millis(1));
    assert_eq!(
        (host.sent(), host.events().as_str()),
        (["INVITE"; 7].join(" "), "")
    );
    host.advance(Duration::from_millis(1));
    assert_eq!(host.events(), "failed:408");
    assert_eq!(
        (host.endpoint.dialogs(), host.endpoint.transactions()),
        (0, 0)
    );
}

#[test]
fn nobody_answers_in_time() {
    // Ringing: cancelled, and told when the peer agrees.
    let (mut host, invite) = ringing();
    host.advance(Duration::from_secs(20));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("CANCEL", "")
    );
    host.receive(Reply::new(487, "b1").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "failed:487")
    );
    host.expect_idle();
    // Nothing heard: told at once.
    let (mut host, _) = calling();
    host.advance(Duration::from_secs(20));
    assert_eq!(host.events(), "failed:408");
    assert!(!host.sent().contains("CANCEL"));
    assert_eq!(host.endpoint.dialogs(), 0);
    host.expect_idle();
}

#[test]
fn cancel_while_it_rings() {
    let (mut host, invite) = ringing();
    cancel(&mut host);
    let text = host.sent_text();
    let request = parse_request(&text.clone().into());
    assert_eq!(request.via(), invite.via());
    assert_eq!((request.cseq().number, request.from()), (1, invite.from()));
    cancel(&mut host); // a second one says nothing new
    host.receive(Reply::new(200, "b1").to(&request));
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
    host.receive(Reply::new(487, "b1").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "failed:487")
    );
    host.expect_idle();
}

#[test]
fn cancel_before_anything_is_heard_waits_for_a_provisional() {
    let (mut host, invite) = calling();
    cancel(&mut host);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "failed:487")
    );
    host.receive(Reply::new(100, "").to(&invite));
    assert_eq!(host.sent(), "CANCEL");
    host.receive(Reply::new(180, "b1").to(&invite));
    host.receive(Reply::new(487, "b1").to(&invite));
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("ACK", ""));
    host.expect_idle();
}

#[test]
fn cancel_crosses_the_answer() {
    for is_heard in [true, false] {
        let (mut host, invite) = if is_heard { ringing() } else { calling() };
        cancel(&mut host);
        host.transmitted();
        host.receive(Reply::with_sdp(200, "b1").to(&invite));
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            ("ACK BYE", "failed:487")
        );
        host.receive(Reply::with_sdp(200, "b1").to(&invite));
        assert_eq!(host.sent(), "ACK");
        host.expect_idle();
    }
}

#[test]
fn cancel_crosses_a_failure() {
    let (mut host, invite) = ringing();
    cancel(&mut host);
    host.receive(Reply::new(486, "b1").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("CANCEL ACK", "failed:486")
    );
    host.expect_idle();
}

#[test]
fn no_final_answer_after_cancel() {
    let (mut host, invite) = ringing();
    cancel(&mut host);
    let request = parse_request(&host.sent_text().into());
    host.receive(Reply::new(200, "b1").to(&request));
    host.advance(64 * T1 - Duration::from_millis(1));
    assert_eq!(host.events(), "");
    host.advance(Duration::from_millis(1));
    assert_eq!(host.events(), "failed:487");
    assert_eq!(
        (host.endpoint.dialogs(), host.endpoint.transactions()),
        (0, 0)
    );
    host.receive(Reply::new(487, "b1").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.endpoint.counters().strays),
        ("", 1)
    );
}

#[test]
fn ending_a_call_that_rings_cancels_it() {
    let (mut host, _) = ringing();
    host.command(Command::Bye {
        dialog: CALL,
        cause: None,
    });
    assert_eq!(host.sent(), "CANCEL");
}

#[test]
fn forks_ring_and_one_wins() {
    let (mut host, invite) = calling();
    host.receive(Reply::new(180, "b1").to(&invite));
    host.receive(Reply::with_sdp(183, "b2").to(&invite));
    assert_eq!(host.events(), "provisional:180 provisional:183+sdp");
    host.receive(Reply::with_sdp(200, "b2").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "answered+sdp")
    );
    host.receive(Reply::with_sdp(200, "b1").to(&invite));
    let loser: Vec<_> = host
        .transmitted()
        .iter()
        .map(|(_, bytes)| parse_request(bytes))
        .collect();
    let methods: Vec<_> = loser
        .iter()
        .map(|request| request.method().to_string())
        .collect();
    assert_eq!(methods, ["ACK", "BYE"]);
    assert!(loser.iter().all(|request| request.to().tag() == b"b1"));
    host.receive(Reply::with_sdp(200, "b1").to(&invite));
    host.receive(Reply::with_sdp(200, "b2").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK ACK", "")
    );
    host.command(Command::Bye {
        dialog: CALL,
        cause: None,
    });
    assert_eq!(parse_request(&host.sent_text().into()).to().tag(), b"b2");
    host.expect_idle();
}

#[test]
fn forks_are_bounded() {
    let (mut host, invite) = calling();
    for fork in 0..20 {
        host.receive(Reply::with_sdp(200, &format!("b{fork}")).to(&invite));
    }
    assert_eq!(host.sent().matches("ACK").count(), 16);
    assert_eq!(host.endpoint.counters().strays, 4);
}

#[test]
fn answers_without_a_tag_are_taken() {
    let (mut host, invite) = calling();
    host.receive(Reply::with_sdp(183, "").to(&invite));
    host.receive(Reply::with_sdp(200, "").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "provisional:183+sdp answered+sdp")
    );
    let tag = String::from_utf8(invite.from().tag().to_vec()).unwrap();
    let bye = Ask::within("BYE", 1, &tag)
        .text()
        .replace("call-1", &invite.call_id())
        .replace(";tag=a1", "");
    host.receive(bye);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "bye")
    );
}

#[test]
fn responses_may_be_compact_folded_and_in_any_case() {
    let (mut host, invite) = calling();
    let text = Reply::with_sdp(200, "b1")
        .to(&invite)
        .replace("Via:", "v:")
        .replace("From:", "fRoM\t:")
        .replace("To:", "t:\r\n ")
        .replace("Call-ID:", "I:")
        .replace("CSeq: 1 ", "cseq: 001\r\n ")
        .replace("Content-Length: 5\r\n", "");
    host.receive(text);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "answered+sdp")
    );
}

#[test]
fn responses_that_are_not_ours_are_dropped() {
    let (mut host, invite) = calling();
    let ok = Reply::with_sdp(200, "b1").to(&invite);
    let branch = String::from_utf8(invite.via().branch().unwrap().to_vec()).unwrap();
    for text in [
        ok.replace(&branch, "z9hG4bKguess"),
        ok.replace(&branch, ""),
        ok.replace("UDP 10.0.0.1", "UDP 10.0.0.9"),
        ok.replace("\r\nFrom:", ", SIP/2.0/UDP 10.0.0.9\r\nFrom:"),
        ok.replace("1 INVITE", "1 BYE"),
    ] {
        host.receive(text);
    }
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
    assert_eq!(host.endpoint.counters().strays, 5);
    host.receive(ok);
    assert_eq!(host.events(), "answered+sdp");
}

#[test]
fn a_bye_that_overtakes_the_answer_ends_the_call() {
    let (mut host, invite) = ringing();
    let tag = String::from_utf8(invite.from().tag().to_vec()).unwrap();
    let bye = Ask::within("BYE", 1, &tag)
        .text()
        .replace("call-1", &invite.call_id())
        .replace("tag=a1", "tag=b1");
    host.receive(bye);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 CANCEL", "")
    );
    host.receive(Reply::with_sdp(200, "b1").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK BYE", "failed:487")
    );
    host.expect_idle();
}

/// Who registered with its provider calls under the name it registered (and takes part in its calls under it).
#[test]
fn our_contact_has_the_user_it_should() {
    let contact = |text: &str| {
        let lines = text.lines();
        let found = lines.filter_map(|line| line.strip_prefix("Contact: "));
        found.map(str::to_owned).collect::<Vec<_>>()
    };
    for (user, expected) in [
        (None, "<sip:10.0.0.1:5060>"),
        (Some("us"), "<sip:us@10.0.0.1:5060>"),
        (Some("+855 1@x"), "<sip:+855%201%40x@10.0.0.1:5060>"),
    ] {
        let expected = [expected];
        let mut host = Host::new();
        let invite = OutgoingInvite {
            contact_user: user.map(str::to_owned),
            ..*outgoing(PEER)
        };
        host.command(Command::Invite {
            dialog: CALL,
            invite: Box::new(invite),
        });
        let text = host.sent_text();
        assert_eq!(contact(&text), expected);
        let invite = parse_request(&text.into());
        host.receive(Reply::with_sdp(200, "b1").to(&invite));
        assert_eq!(host.sent(), "ACK");
        host.command(Command::Offer {
            dialog: CALL,
            sdp: SDP.into(),
        });
        let text = host.sent_text();
        assert_eq!(contact(&text), expected);
        host.receive(Reply::with_sdp(200, "").to(&parse_request(&text.into())));
        assert_eq!(host.sent(), "ACK");
        host.receive(
            Ask {
                branch: "re",
                ..INVITE
            }
            .of_callee(&invite, "b1"),
        );
        host.sent();
        host.command(Command::AcceptOffer {
            dialog: CALL,
            sdp: SDP.into(),
        });
        assert_eq!(contact(&host.sent_text()), expected);
    }
}

#[test]
fn what_cannot_be_written_is_not_sent() {
    let good = || *outgoing(PEER);
    let field = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for invite in [
        OutgoingInvite {
            targets: vec![
                InviteTarget::new(udp(PEER), "sip:a@b"),
                InviteTarget::new(udp(PEER), "sip:a@b SIP/2.0\r\nX: y"),
            ],
            ..good()
        },
        OutgoingInvite {
            targets: vec![InviteTarget {
                routes: vec!["<sip:p;lr>\r\nX: y".to_owned()],
                ..InviteTarget::new(udp(PEER), "sip:a@b")
            }],
            ..good()
        },
        OutgoingInvite {
            from: "sip:a@b>;tag=x".to_owned(),
            ..good()
        },
        OutgoingInvite {
            from_name: Some("A\r\nX: y".to_owned()),
            ..good()
        },
        OutgoingInvite {
            to: "alice".to_owned(),
            ..good()
        },
        OutgoingInvite {
            headers: field("X", "a\r\nVia: b"),
            ..good()
        },
        OutgoingInvite {
            headers: field("X: y\r\nZ", "a"),
            ..good()
        },
        OutgoingInvite {
            headers: field("v", "SIP/2.0/UDP h"),
            ..good()
        },
        OutgoingInvite {
            headers: field("content-length", "0"),
            ..good()
        },
        OutgoingInvite {
            headers: field("Route", "<sip:x>"),
            ..good()
        },
        OutgoingInvite {
            call_id: Some("a b".to_owned()),
            ..good()
        },
        OutgoingInvite {
            call_id: Some(String::new()),
            ..good()
        },
        OutgoingInvite {
            sdp: bytes::Bytes::new(),
            ..good()
        },
    ] {
        let mut host = Host::new();
        host.command(Command::Invite {
            dialog: CALL,
            invite: Box::new(invite),
        });
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            ("", "failed:400")
        );
        assert_eq!(
            (host.endpoint.dialogs(), host.endpoint.transactions()),
            (0, 0)
        );
    }
}

#[test]
fn timers_without_length_come_to_an_end() {
    let mut config = Config::new(US.parse().unwrap());
    config.timing = jackfield_sip::Timing {
        t1: Duration::ZERO,
        t2: Duration::ZERO,
        t4: Duration::ZERO,
    };
    let mut host = Host::with(config, 1, origin());
    let invite = OutgoingInvite {
        ring_timeout: Duration::MAX,
        ..*outgoing(PEER)
    };
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
    host.advance(Duration::from_secs(1));
    assert_eq!(host.events(), "failed:408");
}

#[test]
fn a_response_cannot_change_our_own_words() {
    let (mut host, invite) = calling();
    let ok = Reply::with_sdp(200, "b1").to(&invite);
    let tag = String::from_utf8(invite.from().tag().to_vec()).unwrap();
    host.receive(
        ok.replace("CSeq: 1 ", "CSeq: 2147483647 ")
            .replace(&tag, "other"),
    );
    let ack = parse_request(&host.sent_text().into());
    assert_eq!((ack.cseq().number, ack.from()), (1, invite.from()));
    host.command(Command::Bye {
        dialog: CALL,
        cause: None,
    });
    assert_eq!(parse_request(&host.sent_text().into()).cseq().number, 2);
}

#[test]
fn an_id_is_even_and_used_once() {
    let (mut host, _) = calling();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    host.command(Command::Invite {
        dialog: DialogId(3),
        invite: outgoing(PEER),
    });
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
    assert_eq!(host.endpoint.counters().commands_ignored, 2);
}

#[test]
fn beyond_the_bounds_a_call_fails() {
    let mut config = Config::new(US.parse().unwrap());
    config.max_dialogs = 1;
    let mut host = Host::with(config, 1, origin());
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    host.command(Command::Invite {
        dialog: DialogId(4),
        invite: outgoing(PEER),
    });
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("INVITE", "failed:503")
    );
}
