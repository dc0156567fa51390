//! Offers of ours within a dialog (RFC 3261 §14.1).

use std::time::Duration;

use jackfield_sip::{Command, Config, DialogId, Request};

use crate::host::{
    Ask, FIRST, Host, INVITE, PEER, Reply, SDP, T1, US, origin, outgoing, parse_request, talking,
    to_tag, udp,
};

const CALL: DialogId = DialogId(2);
const NEW: &str = "v=0\r\ns=new\r\n";

fn offer(host: &mut Host, dialog: DialogId) {
    host.command(Command::Offer {
        dialog,
        sdp: NEW.into(),
    });
}

/// A host in a dialog its peer made that sent a re-INVITE, and the re-INVITE.
fn offering() -> (Host, String, Request) {
    let (mut host, tag) = talking();
    offer(&mut host, FIRST);
    let text = host.sent_text();
    (host, tag, parse_request(&text.into()))
}

/// The host in a dialog that it made.
fn called(mut host: Host) -> Host {
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let invite = parse_request(&host.sent_text().into());
    host.receive(Reply::with_sdp(200, "b1").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "answered+sdp")
    );
    host
}

#[test]
fn an_offer_goes_out_and_its_answer_is_told() {
    let (mut host, _, invite) = offering();
    assert_eq!(invite.request_uri().to_string(), "sip:alice@10.0.0.2");
    assert_eq!(
        invite.header("Contact").as_deref(),
        Some("<sip:10.0.0.1:5060>")
    );
    assert_eq!(
        (invite.cseq().number, invite.body().as_ref()),
        (1, NEW.as_bytes())
    );
    host.receive(Reply::new(100, "").to(&invite));
    let moved = Reply {
        fields: "Contact: <sip:alice@10.0.0.8:5070>\r\nContent-Type: application/sdp\r\n",
        ..Reply::with_sdp(200, "")
    };
    host.receive(moved.to(&invite));
    let (to, ack) = host.transmitted().remove(0);
    assert_eq!(to, udp("10.0.0.8:5070"));
    assert!(ack.starts_with(b"ACK sip:alice@10.0.0.8:5070 SIP/2.0\r\n"));
    assert_eq!(parse_request(&ack).cseq().number, 1);
    assert_eq!(host.events(), "offer-answered+sdp");
    // Each copy of the 2xx gets the same ACK and is told no second time.
    host.receive(moved.to(&invite));
    assert_eq!(host.transmitted(), [(to, ack)]);
    assert_eq!(host.events(), "");
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    assert_eq!(parse_request(&host.sent_text().into()).cseq().number, 2);
    host.advance(64 * T1);
    host.receive(moved.to(&invite));
    assert_eq!(host.endpoint.counters().strays, 1);
    host.expect_idle();
}

#[test]
fn a_refused_offer_leaves_the_session() {
    let (mut host, tag, invite) = offering();
    host.receive(Reply::new(488, "").to(&invite));
    host.receive(Reply::new(488, "").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK ACK", "offer-refused:488")
    );
    offer(&mut host, FIRST);
    assert_eq!(host.sent(), "INVITE");
    host.receive(Ask::within("BYE", 2, &tag).text());
    assert_eq!(host.events(), "bye");
}

#[test]
fn a_peer_that_does_not_know_the_dialog_has_left_it() {
    for status in [481, 408] {
        let (mut host, _, invite) = offering();
        host.receive(Reply::new(status, "").to(&invite));
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            ("ACK BYE", "terminated"),
            "{status}"
        );
        host.expect_idle();
    }
    let (mut host, _, _) = offering();
    host.advance(64 * T1);
    assert!(host.sent().ends_with("INVITE BYE"));
    assert_eq!(host.events(), "terminated");
    host.expect_idle();
    // Nor is one that says that it is at it waited for as long as we live.
    let (mut host, _, invite) = offering();
    host.receive(Reply::new(100, "").to(&invite));
    host.advance(63 * T1);
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
    host.advance(T1);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("BYE", "terminated")
    );
    host.expect_idle();
    // Should the peer hang up meanwhile, nothing is left either.
    let (mut host, tag, invite) = offering();
    host.receive(Reply::new(100, "").to(&invite));
    host.receive(Ask::within("BYE", 2, &tag).text());
    assert_eq!(host.events(), "bye");
    host.expect_idle();
}

#[test]
fn offers_that_cross_are_made_again_later() {
    // Whoever made the call waits 2.1 to 4 s, the other at most 2 s.
    let mut theirs = Vec::new();
    let mut ours = Vec::new();
    for seed in 0..60 {
        let seeded = || Host::with(Config::new(US.parse().unwrap()), seed, origin());
        let mut host = seeded();
        host.receive(INVITE.text());
        host.command(Command::Answer {
            dialog: FIRST,
            sdp: SDP.into(),
        });
        let ok = host.transmitted().remove(1).1;
        let tag = to_tag(&String::from_utf8_lossy(&ok));
        host.receive(Ask::ack(1, &tag).text());
        theirs.push(wait_after_crossing(host, FIRST));
        ours.push(wait_after_crossing(called(seeded()), CALL));
    }
    assert!(
        theirs.iter().all(|wait| (0..=2000).contains(wait)),
        "{theirs:?}"
    );
    assert!(
        ours.iter().all(|wait| (2100..=4000).contains(wait)),
        "{ours:?}"
    );
    assert!(theirs.iter().chain(&ours).all(|wait| wait % 10 == 0));
}

/// How many milliseconds pass until an offer that crossed another is made again.
fn wait_after_crossing(mut host: Host, dialog: DialogId) -> u128 {
    offer(&mut host, dialog);
    let invite = parse_request(&host.sent_text().into());
    host.receive(Reply::new(491, "").to(&invite));
    assert_eq!(host.sent(), "ACK");
    let before = host.now;
    while host.transmitted().is_empty() {
        let deadline = host.endpoint.deadline().unwrap();
        host.advance(deadline - host.now);
        assert!(
            host.now - before <= Duration::from_secs(5),
            "no INVITE came"
        );
    }
    (host.now - before).as_millis()
}

#[test]
fn crossings_come_to_an_end() {
    let (mut host, _, mut invite) = offering();
    for _ in 0..5 {
        host.receive(Reply::new(491, "").to(&invite));
        assert_eq!(host.sent(), "ACK");
        host.advance(Duration::from_secs(2));
        let sent = host.transmitted();
        invite = parse_request(&sent[0].1);
    }
    host.receive(Reply::new(491, "").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "offer-refused:491")
    );
}

#[test]
fn one_offer_at_a_time() {
    let (mut host, tag, _) = offering();
    offer(&mut host, FIRST);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "offer-refused:491")
    );
    // The peer's offers are refused while ours is out, by whatever request they come.
    host.receive(
        Ask {
            cseq: 2,
            branch: "two",
            to_tag: &tag,
            ..INVITE
        }
        .text(),
    );
    host.receive(
        Ask {
            fields: INVITE.fields,
            body: SDP,
            ..Ask::within("UPDATE", 3, &tag)
        }
        .text(),
    );
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("491 491", "")
    );
}

#[test]
fn an_offer_waits_for_what_is_open() {
    let (mut host, tag) = talking();
    host.receive(
        Ask {
            cseq: 2,
            branch: "two",
            to_tag: &tag,
            ..INVITE
        }
        .text(),
    );
    offer(&mut host, FIRST);
    assert_eq!(host.sent(), "100");
    host.command(Command::AcceptOffer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    host.receive(Ask::ack(2, &tag).text());
    assert_eq!(host.sent(), "200");
    host.advance(Duration::from_secs(2));
    assert!(host.sent().starts_with("INVITE"));
    // And for the ACK of our answer to the call.
    let (mut host, tag) = crate::host::answered();
    offer(&mut host, FIRST);
    host.receive(Ask::ack(1, &tag).text());
    assert_eq!(host.sent(), "");
    host.advance(Duration::from_secs(2));
    assert!(host.sent().starts_with("INVITE"));
}

#[test]
fn provisional_responses_to_an_offer_get_their_pracks() {
    let (mut host, _, invite) = offering();
    for rseq in ["1", "1", "2", "4"] {
        let fields = format!("Require: 100rel\r\nRSeq: {rseq}\r\n");
        host.receive(
            Reply {
                fields: &fields,
                ..Reply::new(183, "")
            }
            .to(&invite),
        );
    }
    let pracks: Vec<_> = host
        .transmitted()
        .iter()
        .map(|(_, bytes)| parse_request(bytes).header("RAck").unwrap().into_owned())
        .collect();
    assert_eq!(pracks, ["1 1 INVITE", "2 1 INVITE"]);
    host.receive(Reply::with_sdp(200, "").to(&invite));
    let ack = parse_request(&host.transmitted()[0].1);
    assert_eq!(
        (ack.cseq().number, host.events().as_str()),
        (1, "offer-answered+sdp")
    );
}

#[test]
fn an_answer_after_our_bye_is_still_acknowledged() {
    let (mut host, _, invite) = offering();
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    host.receive(Reply::with_sdp(200, "").to(&invite));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("BYE ACK", "")
    );
}
