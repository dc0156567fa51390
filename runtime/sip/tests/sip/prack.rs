//! Provisional responses that must arrive, ours and the peer's (RFC 3262).

use std::time::Duration;

use jackfield_sip::{Command, DialogId, OutgoingInvite, Reliable, Request};

use crate::host::{
    Ask, FIRST, Host, INVITE, PEER, Reply, SDP, T1, outgoing, parse_request, parse_response, to_tag,
};

const CALL: DialogId = DialogId(2);
const WITH_SDP: &str = "Contact: <sip:alice@10.0.0.2>\r\nContent-Type: application/sdp\r\n";
const RELIABLY: &str =
    "Require: 100rel\r\nContact: <sip:alice@10.0.0.2>\r\nContent-Type: application/sdp\r\n";

fn calling() -> (Host, Request) {
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let invite = parse_request(&host.sent_text().into());
    (host, invite)
}

/// A reliable provisional response with a description.
fn reliable(status: u16, tag: &str, rseq: u32, invite: &Request) -> String {
    let fields = format!(
        "Require: 100rel\r\nRSeq: {rseq}\r\nContact: <sip:bob@10.0.0.2:5090>\r\nContent-Type: application/sdp\r\n"
    );
    Reply {
        fields: &fields,
        ..Reply::with_sdp(status, tag)
    }
    .to(invite)
}

#[test]
fn an_invite_says_what_it_wants_of_provisional_responses() {
    for (reliable, line) in [
        (Reliable::No, None),
        (Reliable::Supported, Some("Supported: timer, 100rel\r\n")),
        (Reliable::Required, Some("Require: 100rel\r\n")),
    ] {
        let mut host = Host::new();
        let invite = OutgoingInvite {
            reliable,
            ..*outgoing(PEER)
        };
        host.command(Command::Invite {
            dialog: CALL,
            invite: Box::new(invite),
        });
        let text = host.sent_text();
        assert_eq!(text.contains("100rel"), line.is_some(), "{text}");
        assert!(line.is_none_or(|line| text.contains(line)), "{text}");
    }
}

#[test]
fn a_reliable_response_gets_one_prack_and_is_told_once() {
    let (mut host, invite) = calling();
    host.receive(reliable(183, "b1", 776_656, &invite));
    let text = host.sent_text();
    assert!(
        text.starts_with("PRACK sip:bob@10.0.0.2:5090 SIP/2.0\r\n"),
        "{text}"
    );
    assert!(text.contains("RAck: 776656 1 INVITE\r\n"), "{text}");
    assert!(
        text.contains("CSeq: 2 PRACK\r\n") && text.contains(";tag=b1\r\n"),
        "{text}"
    );
    assert_eq!(host.events(), "provisional:183+sdp");
    // A copy is not answered a second time: the PRACK's own transaction repeats it.
    host.receive(reliable(183, "b1", 776_656, &invite));
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
    host.advance(T1);
    assert_eq!(host.sent(), "PRACK");
    host.receive(Reply::new(200, "").to(&parse_request(&text.into())));
    host.advance(32 * T1);
    assert_eq!(host.sent(), "");
}

#[test]
fn reliable_responses_come_in_order() {
    let (mut host, invite) = calling();
    host.receive(reliable(183, "b1", 10, &invite));
    host.receive(reliable(180, "b1", 12, &invite)); // one is missing: it will come again
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("PRACK", "provisional:183+sdp")
    );
    host.receive(reliable(180, "b1", 11, &invite));
    host.receive(reliable(180, "b1", 12, &invite));
    host.receive(reliable(180, "b1", 10, &invite));
    let numbers: Vec<_> = host
        .transmitted()
        .iter()
        .map(|(_, bytes)| parse_request(bytes).header("RAck").unwrap().into_owned())
        .collect();
    assert_eq!(numbers, ["11 1 INVITE", "12 1 INVITE"]);
    assert_eq!(host.events(), "provisional:180+sdp provisional:180+sdp");
}

#[test]
fn each_fork_counts_for_itself() {
    let (mut host, invite) = calling();
    for (tag, rseq) in [("b1", 10), ("b2", 10), ("b2", 11), ("b1", 11), ("b1", 13)] {
        host.receive(reliable(183, tag, rseq, &invite));
    }
    let pracks: Vec<_> = host
        .transmitted()
        .iter()
        .map(|(_, bytes)| {
            let prack = parse_request(bytes);
            let tag = String::from_utf8_lossy(prack.to().tag()).into_owned();
            (
                tag,
                prack.header("RAck").unwrap().into_owned(),
                prack.cseq().number,
            )
        })
        .collect();
    let expected = [
        ("b1", "10", 2),
        ("b2", "10", 2),
        ("b2", "11", 3),
        ("b1", "11", 3),
    ];
    let expected =
        expected.map(|(tag, rseq, cseq)| (tag.to_owned(), format!("{rseq} 1 INVITE"), cseq));
    assert_eq!(pracks, expected);
}

#[test]
fn forks_that_ring_are_bounded() {
    let (mut host, invite) = calling();
    for fork in 0..20 {
        host.receive(reliable(183, &format!("b{fork}"), 1, &invite));
    }
    assert_eq!(host.sent().matches("PRACK").count(), 16);
    assert_eq!(host.endpoint.counters().strays, 4);
    // One that is gone makes room.
    host.receive(Reply::new(199, "b3").to(&invite));
    host.receive(reliable(183, "b17", 1, &invite));
    assert_eq!(host.sent(), "PRACK");
}

#[test]
fn both_fields_are_needed_for_a_prack() {
    let (mut host, invite) = calling();
    for fields in [
        "Require: 100rel\r\n",
        "RSeq: 1\r\n",
        "Require: 100rel\r\nRSeq: x\r\n",
    ] {
        host.receive(
            Reply {
                fields,
                ..Reply::new(180, "b1")
            }
            .to(&invite),
        );
    }
    assert_eq!(host.sent(), "");
    assert_eq!(
        host.events(),
        "provisional:180 provisional:180 provisional:180"
    );
}

#[test]
fn an_answer_without_description_stands_for_the_reliable_one() {
    let (mut host, invite) = calling();
    host.receive(reliable(183, "b1", 1, &invite));
    let contact = "Contact: <sip:bob@10.0.0.2:5091>\r\n";
    host.receive(
        Reply {
            fields: contact,
            ..Reply::new(200, "b1")
        }
        .to(&invite),
    );
    assert_eq!(host.events(), "provisional:183+sdp answered+sdp");
    let ack = parse_request(&host.transmitted().remove(1).1);
    assert_eq!(
        (ack.cseq().number, ack.request_uri().to_string().as_str()),
        (1, "sip:bob@10.0.0.2:5091")
    );
    host.command(Command::Bye {
        dialog: CALL,
        cause: None,
    });
    let bye = parse_request(&host.sent_text().into());
    assert_eq!(bye.cseq().number, 3, "the PRACK had 2");
    // What another fork described is not this one's.
    let (mut host, invite) = calling();
    host.receive(reliable(183, "b1", 1, &invite));
    host.receive(
        Reply {
            fields: contact,
            ..Reply::new(200, "b2")
        }
        .to(&invite),
    );
    assert_eq!(host.events(), "provisional:183+sdp answered");
}

#[test]
fn an_unreliable_description_is_not_kept() {
    let (mut host, invite) = calling();
    host.receive(Reply::with_sdp(183, "b1").to(&invite));
    host.receive(Reply::new(200, "b1").to(&invite));
    assert_eq!(host.events(), "provisional:183+sdp answered");
}

/// A host whose peer wants PRACKs; the 100 is looked at.
fn invited() -> Host {
    let mut host = Host::new();
    host.receive(
        Ask {
            fields: RELIABLY,
            ..INVITE
        }
        .text(),
    );
    assert_eq!(host.sent(), "100");
    host
}

/// The number of a reliable response, and our tag in it.
fn number_and_tag(text: &str) -> (u32, String) {
    let response = parse_response(text);
    assert_eq!(
        response.header("Require").as_deref(),
        Some("100rel"),
        "{text}"
    );
    (
        response.header("RSeq").unwrap().parse().unwrap(),
        to_tag(text),
    )
}

fn prack(rseq: u32, cseq: u32, tag: &str) -> String {
    let fields = format!("RAck: {rseq} 1 INVITE\r\n");
    let branch = format!("prack{cseq}");
    Ask {
        fields: &fields,
        branch: &branch,
        ..Ask::within("PRACK", cseq, tag)
    }
    .text()
}

fn progress(host: &mut Host) {
    host.command(Command::Progress {
        dialog: FIRST,
        sdp: SDP.into(),
    });
}

fn answer(host: &mut Host) {
    host.command(Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
}

#[test]
fn a_provisional_response_is_repeated_until_its_prack() {
    let mut host = invited();
    host.command(Command::Ring { dialog: FIRST });
    let (rseq, tag) = number_and_tag(&host.sent_text());
    host.advance(7 * T1);
    assert_eq!(host.sent(), "180 180 180"); // at T1, 3 T1 and 7 T1
    assert_eq!(host.endpoint.counters().retransmissions_sent, 3);
    host.receive(prack(rseq, 2, &tag));
    host.receive(prack(rseq, 2, &tag));
    assert_eq!(host.sent(), "200 200");
    host.advance(60 * T1);
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
}

#[test]
fn a_prack_that_matches_nothing_is_refused() {
    let mut host = invited();
    host.command(Command::Ring { dialog: FIRST });
    let (rseq, tag) = number_and_tag(&host.sent_text());
    host.receive(prack(rseq + 1, 2, &tag));
    host.receive(prack(rseq, 3, &tag).replace("1 INVITE", "2 INVITE"));
    host.receive(prack(rseq, 4, &tag).replace("RAck: ", "X-RAck: "));
    host.receive(prack(rseq, 5, &tag));
    host.receive(prack(rseq, 6, &tag)); // it has its PRACK already
    assert_eq!(host.sent(), "481 481 481 200 481");
}

#[test]
fn one_is_on_its_way_at_a_time() {
    let mut host = invited();
    host.command(Command::Ring { dialog: FIRST });
    progress(&mut host);
    let (rseq, tag) = number_and_tag(&host.sent_text());
    host.receive(prack(rseq, 2, &tag));
    let sent = host.transmitted();
    let next = String::from_utf8_lossy(&sent[1].1).into_owned();
    assert!(next.starts_with("SIP/2.0 183 "), "{next}");
    assert_eq!(number_and_tag(&next), (rseq + 1, tag));
}

#[test]
fn an_answer_waits_for_the_prack_of_a_description() {
    let mut host = invited();
    progress(&mut host);
    let (rseq, tag) = number_and_tag(&host.sent_text());
    answer(&mut host);
    assert_eq!(host.sent(), "");
    host.receive(prack(rseq, 2, &tag));
    let sent = host.transmitted();
    let ok = parse_response(&String::from_utf8_lossy(&sent[1].1));
    assert_eq!((sent.len(), ok.status()), (2, 200));
    assert!(
        ok.body().is_empty(),
        "the description has arrived: a second one would be no answer"
    );
    host.receive(Ask::ack(1, &tag).text());
    host.advance(64 * T1);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "acked")
    );
}

#[test]
fn an_answer_does_not_wait_for_the_prack_of_a_ringing() {
    let mut host = invited();
    host.command(Command::Ring { dialog: FIRST });
    let (rseq, tag) = number_and_tag(&host.sent_text());
    answer(&mut host);
    assert!(host.sent_text().ends_with(SDP));
    host.receive(Ask::ack(1, &tag).text());
    host.receive(prack(rseq, 2, &tag)); // late, and still known
    host.receive(prack(rseq, 3, &tag));
    host.advance(64 * T1);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 481", "acked")
    );
}

#[test]
fn without_prack_the_call_is_given_up() {
    let mut host = invited();
    progress(&mut host);
    host.advance(64 * T1 - Duration::from_millis(1));
    assert_eq!(
        (host.sent(), host.events().as_str()),
        (["183"; 7].join(" "), "")
    ); // 1 and 6 more, doubling
    host.advance(Duration::from_millis(1));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("504", "no-ack")
    );
    host.expect_idle();
}

#[test]
fn a_late_offer_may_be_answered_in_the_prack() {
    let mut host = Host::new();
    host.receive(
        Ask {
            fields: "Require: 100rel\r\nContact: <sip:alice@10.0.0.2>\r\n",
            body: "",
            ..INVITE
        }
        .text(),
    );
    host.transmitted();
    progress(&mut host);
    let (rseq, tag) = number_and_tag(&host.sent_text());
    let fields = format!("RAck: {rseq} 1 INVITE\r\n{WITH_SDP}");
    host.receive(
        Ask {
            fields: &fields,
            body: SDP,
            ..Ask::within("PRACK", 2, &tag)
        }
        .text(),
    );
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "offer-answered+sdp")
    );
    answer(&mut host);
    assert!(host.sent_text().ends_with("Content-Length: 0\r\n\r\n"));
}

#[test]
fn a_prack_may_bring_an_offer() {
    let mut host = invited();
    progress(&mut host);
    let (rseq, tag) = number_and_tag(&host.sent_text());
    let fields = format!("RAck: {rseq} 1 INVITE\r\n{WITH_SDP}");
    let offer = Ask {
        fields: &fields,
        body: SDP,
        ..Ask::within("PRACK", 2, &tag)
    };
    host.receive(offer.text());
    host.receive(offer.text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "offer+sdp")
    );
    host.command(Command::AcceptOffer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    let text = host.sent_text();
    assert!(
        text.contains("CSeq: 2 PRACK\r\n") && text.ends_with(SDP),
        "{text}"
    );
    host.receive(offer.text());
    assert_eq!(host.sent(), "200");
    // A call that ends meanwhile answers it, too.
    host.receive(
        Ask {
            branch: "again",
            cseq: 3,
            ..Ask::within("UPDATE", 3, &tag)
        }
        .text(),
    );
    host.receive(
        Ask {
            branch: INVITE.branch,
            ..Ask::within("CANCEL", 1, "")
        }
        .text(),
    );
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 200 487", "canceled")
    );
}
