//! Requests within a dialog that do not end it (RFC 3261 §12.2, §14).

use jackfield_sip::{Command, Warning};

use crate::host::{
    Ask, FIRST, Host, INVITE, Reply, SDP, T1, US, answered, parse_request, talking, udp,
};

fn reinvite<'a>(cseq: u32, branch: &'a str, tag: &'a str) -> Ask<'a> {
    Ask {
        cseq,
        branch,
        to_tag: tag,
        ..INVITE
    }
}

fn accept(host: &mut Host) {
    host.command(Command::AcceptOffer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
}

#[test]
fn an_offer_is_told_and_accepted() {
    let (mut host, tag) = talking();
    let offer = reinvite(2, "two", &tag);
    host.receive(offer.text());
    host.receive(offer.text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("100 100", "offer+sdp")
    );
    accept(&mut host);
    host.advance(T1);
    assert_eq!(host.sent(), "200 200");
    host.receive(Ask::ack(1, &tag).text()); // late: not this INVITE's
    assert_eq!(host.events(), "");
    host.receive(Ask::ack(2, &tag).text());
    host.advance(64 * T1);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "acked")
    );
    assert_eq!(host.endpoint.dialogs(), 1);
}

#[test]
fn an_offer_can_ask_for_ours() {
    let (mut host, tag) = talking();
    let fields = "Contact: <sip:alice@10.0.0.2>\r\n";
    host.receive(
        Ask {
            fields,
            body: "",
            ..reinvite(2, "two", &tag)
        }
        .text(),
    );
    assert_eq!(host.events(), "offer");
    accept(&mut host);
    let fields = "Content-Type: application/sdp\r\n";
    host.receive(
        Ask {
            fields,
            body: SDP,
            ..Ask::ack(2, &tag)
        }
        .text(),
    );
    assert_eq!(host.events(), "acked+sdp");
}

#[test]
fn an_offer_moves_the_target_when_accepted() {
    let (mut host, tag) = talking();
    let fields = "Contact: <sip:moved@10.0.0.7:5090>\r\nContent-Type: application/sdp\r\n";
    host.receive(
        Ask {
            fields,
            ..reinvite(2, "two", &tag)
        }
        .text(),
    );
    accept(&mut host);
    host.receive(Ask::ack(2, &tag).text());
    host.transmitted();
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    let (destination, bytes) = host.transmitted().remove(0);
    assert_eq!(destination, udp("10.0.0.7:5090"));
    assert!(bytes.starts_with(b"BYE sip:moved@10.0.0.7:5090 SIP/2.0\r\n"));
}

#[test]
fn an_offer_is_refused_without_harm() {
    let (mut host, tag) = talking();
    host.receive(reinvite(2, "two", &tag).text());
    host.command(Command::RejectOffer {
        dialog: FIRST,
        status: 488,
        warning: Some(Warning {
            code: 305,
            text: "no common codec".to_owned(),
        }),
    });
    let (_, refusal) = host.transmitted().pop().unwrap();
    let text = String::from_utf8_lossy(&refusal);
    assert!(text.starts_with("SIP/2.0 488 "), "{text}");
    let warning = format!("Warning: 305 {US} \"no common codec\"\r\n");
    assert!(text.contains(&warning), "{text}");
    host.receive(
        Ask {
            branch: "two",
            ..Ask::ack(2, &tag)
        }
        .text(),
    );
    host.advance(64 * T1);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "offer+sdp")
    );
    host.receive(Ask::within("BYE", 3, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "bye")
    );
}

#[test]
fn an_offer_can_be_canceled_without_harm() {
    let (mut host, tag) = talking();
    host.receive(reinvite(2, "two", &tag).text());
    host.receive(
        Ask {
            branch: "two",
            ..Ask::within("CANCEL", 2, &tag)
        }
        .text(),
    );
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("100 200 487", "offer+sdp")
    );
    accept(&mut host);
    assert_eq!(host.sent(), "");
    assert_eq!(
        (
            host.endpoint.dialogs(),
            host.endpoint.counters().commands_ignored
        ),
        (1, 1)
    );
}

#[test]
fn offers_come_one_at_a_time() {
    let (mut host, tag) = talking();
    host.receive(reinvite(2, "two", &tag).text());
    host.transmitted();
    host.receive(reinvite(3, "three", &tag).text());
    let text = host.sent_text();
    assert!(
        text.starts_with("SIP/2.0 500 ") && text.contains("Retry-After: 3\r\n"),
        "{text}"
    );
    accept(&mut host);
    host.transmitted();
    host.receive(reinvite(4, "four", &tag).text()); // before the ACK of the 2xx
    assert_eq!(host.sent(), "491");
    host.receive(Ask::ack(2, &tag).text());
    host.receive(reinvite(5, "five", &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("100", "offer+sdp acked offer+sdp")
    );
}

#[test]
fn an_offer_before_the_first_ack_waits() {
    let (mut host, tag) = answered();
    host.receive(reinvite(2, "two", &tag).text());
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("491", ""));
}

#[test]
fn hanging_up_answers_an_open_offer() {
    let (mut host, tag) = talking();
    host.receive(reinvite(2, "two", &tag).text());
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    assert_eq!(host.sent(), "100 487 BYE");
    host.expect_idle();
    let (mut host, tag) = talking();
    host.receive(reinvite(2, "two", &tag).text());
    host.receive(Ask::within("BYE", 3, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("100 200 487", "offer+sdp bye")
    );
    host.expect_idle();
}

#[test]
fn an_accepted_offer_without_ack_ends_the_dialog() {
    let (mut host, tag) = talking();
    host.receive(reinvite(2, "two", &tag).text());
    accept(&mut host);
    host.advance(64 * T1);
    assert!(host.sent().ends_with("200 BYE"));
    assert_eq!(host.events(), "offer+sdp no-ack");
    host.expect_idle();
}

#[test]
fn late_requests_are_refused() {
    let (mut host, tag) = talking();
    host.receive(Ask::within("OPTIONS", 9, &tag).text());
    host.receive(
        Ask {
            branch: "late",
            ..Ask::within("OPTIONS", 8, &tag)
        }
        .text(),
    );
    host.receive(Ask::within("BYE", 8, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 500 500", "")
    );
}

#[test]
fn other_requests_are_only_answered() {
    for (method, body, status) in [
        ("OPTIONS", "", "200"),
        ("INFO", "", "200"),
        ("INFO", "Signal=5", "415"),
        ("NOTIFY", "", "489"),
        ("SUBSCRIBE", "", "489"),
        ("MESSAGE", "hello", "405"),
        ("REFER", "", "603"),
        ("UPDATE", "", "200"),
        ("PRACK", "", "481"),
        ("WHATEVER", "", "405"),
    ] {
        let (mut host, tag) = talking();
        let ask = Ask {
            body,
            ..Ask::within(method, 2, &tag)
        };
        host.receive(ask.text());
        host.receive(ask.text());
        assert_eq!(host.sent(), format!("{status} {status}"), "{method}");
        assert_eq!((host.events().as_str(), host.endpoint.dialogs()), ("", 1));
    }
}

/// A copy that was long on its way comes when nothing is in the way any more; by then its sender knows of the refusal.
#[test]
fn what_was_refused_stays_so() {
    for method in ["INVITE", "UPDATE"] {
        let (mut host, tag) = talking();
        host.command(Command::Offer {
            dialog: FIRST,
            sdp: SDP.into(),
        });
        let ours = parse_request(&host.sent_text().into());
        let crossing = Ask {
            method,
            ..reinvite(2, "two", &tag)
        };
        host.receive(crossing.text());
        assert_eq!(host.sent(), "491", "{method}");
        if method == "INVITE" {
            let ack = Ask {
                branch: "two",
                ..Ask::ack(2, &tag)
            };
            host.receive(ack.text());
        }
        host.receive(Reply::with_sdp(200, "").to(&ours));
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            ("ACK", "offer-answered+sdp")
        );
        host.receive(crossing.text());
        assert_eq!(host.events(), "", "{method}");
        assert!(["", "491"].contains(&host.sent().as_str()), "{method}");
        let again = Ask {
            cseq: 3,
            branch: "three",
            ..crossing
        };
        host.receive(again.text());
        assert_eq!(host.events(), "offer+sdp", "{method}");
    }
}
