//! UPDATE: a new description or a new target without an INVITE, also before the answer (RFC 3311).

use jackfield_sip::{Command, DialogId, Request};

use crate::host::{
    Ask, FIRST, Host, INVITE, PEER, Reply, SDP, T1, outgoing, parse_request, parse_response,
    talking, to_tag, udp,
};

const CALL: DialogId = DialogId(2);
const WITH_SDP: &str = "Contact: <sip:alice@10.0.0.2>\r\nContent-Type: application/sdp\r\n";

fn update<'a>(cseq: u32, branch: &'a str, tag: &'a str) -> Ask<'a> {
    Ask {
        branch,
        fields: WITH_SDP,
        body: SDP,
        ..Ask::within("UPDATE", cseq, tag)
    }
}

fn accept(host: &mut Host, dialog: DialogId) {
    host.command(Command::AcceptOffer {
        dialog,
        sdp: SDP.into(),
    });
}

#[test]
fn an_offer_is_told_and_accepted() {
    let (mut host, tag) = talking();
    let offer = update(2, "two", &tag);
    host.receive(offer.text());
    host.receive(offer.text()); // absorbed while the answer is not there
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "offer+sdp")
    );
    accept(&mut host, FIRST);
    let text = host.sent_text();
    assert!(
        text.starts_with("SIP/2.0 200 ") && text.contains("Contact: ") && text.ends_with(SDP),
        "{text}"
    );
    host.receive(offer.text());
    host.advance(64 * T1);
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("200", "")); // no ACK is awaited
    assert_eq!(host.endpoint.dialogs(), 1);
}

#[test]
fn an_offer_is_refused_without_harm() {
    let (mut host, tag) = talking();
    host.receive(update(2, "two", &tag).text());
    host.command(Command::RejectOffer {
        dialog: FIRST,
        status: 488,
        warning: None,
    });
    host.advance(64 * T1);
    assert_eq!((host.sent().as_str(), host.endpoint.dialogs()), ("488", 1));
}

#[test]
fn without_an_offer_it_moves_the_target() {
    let (mut host, tag) = talking();
    let fields = "Contact: <sip:moved@10.0.0.7:5090>\r\n";
    host.receive(
        Ask {
            fields,
            ..Ask::within("UPDATE", 2, &tag)
        }
        .text(),
    );
    let text = host.sent_text();
    assert!(
        text.starts_with("SIP/2.0 200 ") && text.contains("Contact: "),
        "{text}"
    );
    assert_eq!(host.events(), "");
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    assert_eq!(host.transmitted()[0].0, udp("10.0.0.7:5090"));
}

#[test]
fn offers_do_not_cross() {
    // A second one before the answer to the first, and a re-INVITE likewise.
    let (mut host, tag) = talking();
    host.receive(update(2, "two", &tag).text());
    host.receive(update(3, "three", &tag).text());
    let text = host.sent_text();
    assert!(
        text.starts_with("SIP/2.0 500 ") && text.contains("Retry-After: 3\r\n"),
        "{text}"
    );
    host.receive(
        Ask {
            cseq: 4,
            branch: "four",
            to_tag: &tag,
            ..INVITE
        }
        .text(),
    );
    assert_eq!(host.sent(), "500");
    // While an offer of ours waits for the ACK that answers it.
    let mut host = Host::new();
    host.receive(
        Ask {
            fields: "Contact: <sip:alice@10.0.0.2>\r\n",
            body: "",
            ..INVITE
        }
        .text(),
    );
    host.transmitted();
    host.command(Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    let tag = to_tag(&host.sent_text());
    host.receive(update(2, "two", &tag).text());
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("491", ""));
    // Before the ACK of an answer it is in time.
    let (mut host, tag) = crate::host::answered();
    host.receive(update(2, "two", &tag).text());
    assert_eq!(host.events(), "offer+sdp");
}

#[test]
fn a_caller_updates_once_its_offer_is_answered() {
    // Nothing of ours has answered yet.
    let mut host = crate::host::invited();
    host.command(Command::Ring { dialog: FIRST });
    let tag = to_tag(&host.sent_text());
    host.receive(update(2, "two", &tag).text());
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("500", ""));
    // A reliable description has, and its PRACK came.
    let mut host = Host::new();
    let fields = format!("Require: 100rel\r\n{WITH_SDP}");
    host.receive(
        Ask {
            fields: &fields,
            ..INVITE
        }
        .text(),
    );
    host.transmitted();
    host.command(Command::Progress {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    let progress = host.sent_text();
    let tag = to_tag(&progress);
    let rseq = parse_response(&progress)
        .header("RSeq")
        .unwrap()
        .into_owned();
    let rack = format!("RAck: {rseq} 1 INVITE\r\n");
    host.receive(
        Ask {
            fields: &rack,
            ..Ask::within("PRACK", 2, &tag)
        }
        .text(),
    );
    host.receive(update(3, "three", &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "offer+sdp")
    );
    // It may be answered after the call is.
    host.command(Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    accept(&mut host, FIRST);
    assert_eq!(host.sent(), "200 200");
    host.receive(Ask::ack(1, &tag).text());
    host.advance(64 * T1);
    assert_eq!(host.events(), "acked");
}

fn calling() -> (Host, Request) {
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let invite = parse_request(&host.sent_text().into());
    (host, invite)
}

#[test]
fn a_callee_updates_before_it_answers() {
    let (mut host, invite) = calling();
    let fields = format!("Require: 100rel\r\nRSeq: 1\r\n{WITH_SDP}");
    host.receive(
        Reply {
            fields: &fields,
            ..Reply::with_sdp(183, "b1")
        }
        .to(&invite),
    );
    host.receive(update(1, "one", "").of_callee(&invite, "b1"));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("PRACK", "provisional:183+sdp offer+sdp")
    );
    accept(&mut host, CALL);
    host.receive(Reply::new(200, "b1").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 ACK", "answered+sdp")
    );
}

#[test]
fn a_callee_that_has_not_answered_our_offer_makes_none() {
    let (mut host, invite) = calling();
    host.receive(Reply::new(180, "b1").to(&invite));
    host.receive(update(1, "one", "").of_callee(&invite, "b1"));
    host.receive(update(1, "two", "").of_callee(&invite, "b2")); // a fork nobody heard of
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("491 481", "provisional:180")
    );
}

#[test]
fn a_call_that_fails_answers_what_is_open() {
    let (mut host, invite) = calling();
    let fields = format!("Require: 100rel\r\nRSeq: 1\r\n{WITH_SDP}");
    host.receive(
        Reply {
            fields: &fields,
            ..Reply::with_sdp(183, "b1")
        }
        .to(&invite),
    );
    host.receive(update(1, "one", "").of_callee(&invite, "b1"));
    host.transmitted();
    host.receive(Reply::new(486, "b1").to(&invite));
    assert_eq!(host.sent(), "ACK 487");
    assert_eq!(host.events(), "provisional:183+sdp offer+sdp failed:486");
    host.expect_idle();
}

#[test]
fn hanging_up_answers_an_open_offer() {
    let (mut host, tag) = talking();
    host.receive(update(2, "two", &tag).text());
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    assert_eq!(host.sent(), "487 BYE");
    host.receive(update(3, "three", &tag).text());
    assert_eq!(host.sent(), "481");
    host.expect_idle();
}
