//! Requests that make no call: refused without state, or only answered (RFC 3261 §8.2, §11).

use std::net::SocketAddr;

use jackfield_sip::{Command, Config, DialogId, Hop, Transport};

use crate::host::{
    Ask, Host, INVITE, PEER, SDP, US, origin, outgoing, parse_request, parse_response, talking, udp,
};

/// The answer to a request from a peer, which leaves nothing behind.
fn answer(text: &str) -> String {
    let mut host = Host::new();
    host.receive(text);
    let answer = host.sent_text();
    host.receive(text);
    assert_eq!(host.sent_text(), answer, "each copy gets the same answer");
    assert_eq!(
        (host.endpoint.dialogs(), host.endpoint.transactions()),
        (0, 0)
    );
    assert!(host.incoming().is_empty());
    assert!(!parse_response(&answer).to().tag().is_empty());
    answer
}

/// An INVITE of a gateway that sends ISUP along, with this disposition.
fn mixed_invite(disposition: &str) -> String {
    let body = format!(
        "--b\r\nContent-Type: application/isup;version=nxv3\r\nContent-Disposition: {disposition}\r\n\r\n\u{1}\r\n\
         --b\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--b--\r\n"
    );
    Ask {
        fields: "Contact: <sip:alice@10.0.0.2>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;boundary=b\r\n",
        body: &body,
        ..INVITE
    }
    .text()
}

#[test]
fn a_sips_uri_is_called_where_nobody_reads_along() {
    for transport in Transport::ALL {
        let mut host = Host::new();
        let text = INVITE
            .text()
            .replace("sip:1294@10.0.0.1 SIP", "sips:1294@10.0.0.1 SIP");
        let text = text.replace("/UDP", &format!("/{}", transport.name()));
        host.receive_over(Hop::new(transport, PEER.parse().unwrap()), text);
        let expected = if transport.is_secure() { "100" } else { "416" };
        assert_eq!(host.sent(), expected, "{transport}");
    }
}

#[test]
fn what_is_not_for_us_is_refused() {
    let invite = INVITE.text();
    for (text, status, field) in [
        (
            Ask::within("REGISTER", 1, "").text(),
            405,
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY\r\n",
        ),
        (
            Ask::within("invite", 1, "").text(),
            405,
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY\r\n",
        ),
        (Ask::within("BYE", 1, "").text(), 481, ""),
        (Ask::within("BYE", 1, "gone").text(), 481, ""),
        (
            Ask {
                to_tag: "gone",
                ..INVITE
            }
            .text(),
            481,
            "",
        ),
        (Ask::within("CANCEL", 1, "").text(), 481, ""),
        (
            invite.replace("sip:1294@10.0.0.1 SIP", "soap.beep://x SIP"),
            416,
            "",
        ),
        (
            invite.replace("sip:1294@10.0.0.1 SIP", "sips:1294@10.0.0.1 SIP"),
            416,
            "",
        ),
        (
            invite.replace("Max-Forwards: 70", "Max-Forwards: 0"),
            483,
            "",
        ),
        (
            invite.replace("Max-Forwards: 70", "Require: 100rel, x\r\nRequire: y"),
            420,
            "Unsupported: x, y\r\n",
        ),
        (
            invite.replace("application/sdp", "text/plain"),
            415,
            "Accept: application/sdp\r\n",
        ),
        (
            mixed_invite("signal;handling=required"),
            415,
            "Accept: application/sdp\r\n",
        ),
        (mixed_invite("signal").replace("--b--", ""), 400, ""),
        (
            invite.replace("Max-Forwards: 70", "Content-Encoding: gzip"),
            415,
            "Accept: application/sdp\r\n",
        ),
        (
            invite.replace("Max-Forwards: 70", "Accept: text/*, audio/x"),
            406,
            "",
        ),
    ] {
        let answer = answer(&text);
        assert_eq!(parse_response(&answer).status(), status, "{text}");
        assert!(answer.contains(field), "{answer}");
    }
}

#[test]
fn what_only_looks_odd_is_taken() {
    let invite = INVITE.text();
    for text in [
        invite.replace("sip:1294@10.0.0.1 SIP", "tel:+85512345678 SIP"),
        invite.replace(
            "Max-Forwards: 70",
            "Accept: text/plain, application/SDP;level=1",
        ),
        invite.replace("Max-Forwards: 70", "Accept: */*"),
        invite.replace("application/sdp", "APPLICATION/sdp ; charset=x"),
        invite.replace("Max-Forwards: 70\r\n", ""),
        invite.replace("Max-Forwards: 70", "Require:"),
    ] {
        let mut host = Host::new();
        host.receive(&text);
        assert_eq!(
            (host.sent().as_str(), host.incoming().len()),
            ("100", 1),
            "{text}"
        );
    }
}

#[test]
fn a_description_is_found_among_other_parts() {
    for disposition in ["signal;handling=optional", "signal"] {
        let mut host = Host::new();
        host.receive(mixed_invite(disposition));
        let incoming = host.incoming();
        assert_eq!(incoming[0].sdp.as_deref(), Some(SDP.as_bytes()));
    }
}

#[test]
fn options_tell_what_we_do() {
    let answer = answer(
        &Ask::within("OPTIONS", 1, "")
            .text()
            .replace("Forwards: 70", "Forwards: 0"),
    );
    assert_eq!(parse_response(&answer).status(), 200);
    assert!(
        answer.contains("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY\r\nAccept: application/sdp\r\nSupported: timer\r\n"),
        "{answer}"
    );
}

#[test]
fn faults_are_answered_where_there_is_a_way_back() {
    let invite = INVITE.text();
    for (text, expected) in [
        (invite.replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia"), "505"),
        (invite.replace("CSeq: 1", "CSeq: 4294967296"), "400"),
        (invite.replace("Call-ID: call-1\r\n", ""), "400"),
        (
            invite.replace("Content-Length: 5", "Content-Length: 6"),
            "400",
        ),
        (invite.replace("Via: SIP/2.0/UDP", "Via: ???"), ""),
        (invite.replace("\r\n\r\n", "\r\n"), ""),
        (
            Ask {
                method: "ACK",
                ..INVITE
            }
            .text()
            .replace("CSeq: 1", "CSeq: x"),
            "",
        ),
        (
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n\r\n".to_owned(),
            "",
        ),
        ("\u{0}\u{1}\u{2}".to_owned(), ""),
    ] {
        let mut host = Host::new();
        host.receive(&text);
        assert_eq!(host.sent(), expected, "{text}");
        assert_eq!(host.endpoint.counters().malformed, 1, "{text}");
        assert_eq!(
            (host.endpoint.dialogs(), host.endpoint.transactions()),
            (0, 0)
        );
    }
}

#[test]
fn keep_alives_are_no_faults() {
    let mut host = Host::new();
    for text in ["", "\r\n\r\n", "\0\0\0\0"] {
        host.receive(text);
    }
    assert_eq!(
        (
            host.endpoint.counters().keepalives,
            host.endpoint.counters().malformed
        ),
        (3, 0)
    );
    assert_eq!(host.sent(), "");
}

#[test]
fn strangers_are_refused_without_state_and_not_amplified() {
    let mut host = Host::new();
    let stranger = "203.0.113.5:5060";
    let with_contact = |method| {
        Ask {
            fields: INVITE.fields,
            ..Ask::within(method, 1, "")
        }
        .text()
    };
    let mut refused = 0;
    for (text, expected) in [
        (INVITE.text(), "403"),
        (with_contact("OPTIONS"), "403"),
        (with_contact("REGISTER"), "403"),
        (
            Ask {
                fields: INVITE.fields,
                ..Ask::within("BYE", 1, "guess")
            }
            .text(),
            "481",
        ),
        (
            INVITE.text().replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia"),
            "",
        ),
    ] {
        host.receive_from(stranger, &text);
        let answers = host.transmitted();
        for (destination, bytes) in &answers {
            assert!(
                bytes.len() <= text.len(),
                "{} > {}",
                bytes.len(),
                text.len()
            );
            assert!(bytes.ends_with(b"Content-Length: 0\r\n\r\n"));
            assert_eq!(
                destination.address.ip(),
                stranger.parse::<SocketAddr>().unwrap().ip()
            );
        }
        let kinds: Vec<_> = answers
            .iter()
            .map(|(_, bytes)| crate::host::kind(bytes))
            .collect();
        assert_eq!(kinds.join(" "), expected, "{text}");
        refused += u64::from(expected == "403");
    }
    assert_eq!(host.endpoint.counters().refused, refused);
    assert_eq!(
        (host.endpoint.dialogs(), host.endpoint.transactions()),
        (0, 0)
    );
    assert!(host.incoming().is_empty());
}

#[test]
fn an_answer_larger_than_a_strangers_request_is_withheld() {
    let mut host = Host::new();
    let short = "OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP h;rport\r\nf:sip:a\r\nt:sip:a\r\ni:x\r\nCSeq:1 OPTIONS\r\n\r\n";
    host.receive_from("203.0.113.5:5060", short);
    assert_eq!(host.sent(), "");
    assert_eq!(host.endpoint.counters().answers_withheld, 1);
    host.receive(short);
    assert_eq!(host.sent(), "200");
}

#[test]
fn peers_are_known_in_both_spellings() {
    let mut host = Host::new();
    host.receive_from("[::ffff:10.0.0.2]:5060", INVITE.text());
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("100", 1));
}

#[test]
fn a_request_by_two_ways_is_one_call() {
    let mut host = Host::new();
    host.receive(INVITE.text());
    host.receive(
        Ask {
            branch: "fork",
            ..INVITE
        }
        .text(),
    );
    assert_eq!(
        (host.sent().as_str(), host.incoming().len()),
        ("100 482", 1)
    );
    // Another number is another request; it has a dialog of its own.
    host.receive(
        Ask {
            branch: "next",
            cseq: 2,
            ..INVITE
        }
        .text(),
    );
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("100", 1));
}

#[test]
fn answers_go_back_the_way_the_request_came() {
    for (via, source, destination, stamped) in [
        (
            "10.0.0.2:5070;branch=z9hG4bKx",
            "10.0.0.2:9",
            "10.0.0.2:5070",
            "10.0.0.2:5070;branch=z9hG4bKx",
        ),
        (
            "192.168.0.7;branch=z9hG4bKx",
            "10.0.0.2:9",
            "10.0.0.2:5060",
            "192.168.0.7;branch=z9hG4bKx;received=10.0.0.2",
        ),
        (
            "192.168.0.7:5070;rport;branch=z9hG4bKx",
            "10.0.0.2:9",
            "10.0.0.2:9",
            "192.168.0.7:5070;received=10.0.0.2;rport=9;branch=z9hG4bKx",
        ),
        (
            "192.168.0.7;maddr=192.0.2.1;branch=z9hG4bKx",
            "10.0.0.2:9",
            "10.0.0.2:5060",
            "192.168.0.7;maddr=192.0.2.1;branch=z9hG4bKx;received=10.0.0.2",
        ),
    ] {
        let mut host = Host::new();
        let text = INVITE.text().replace("10.0.0.2;branch=z9hG4bKone", via);
        host.receive_from(source, text);
        let (to, bytes) = host.transmitted().remove(0);
        assert_eq!(to, udp(destination), "{via}");
        let answer = String::from_utf8(bytes.to_vec()).unwrap();
        let line = answer
            .lines()
            .find(|line| line.starts_with("Via:"))
            .unwrap();
        assert_eq!(line, format!("Via: SIP/2.0/UDP {stamped}"));
    }
}

#[test]
fn beyond_the_bounds_is_503() {
    let mut config = Config::new(US.parse().unwrap());
    config.max_dialogs = 2;
    let mut host = Host::with(config, 1, origin());
    for call in 0..4 {
        host.receive(
            INVITE
                .text()
                .replace("call-1", &format!("call-{call}"))
                .replace("one", &format!("b{call}")),
        );
    }
    let answers = host.transmitted();
    let kinds: Vec<_> = answers
        .iter()
        .map(|(_, bytes)| crate::host::kind(bytes))
        .collect();
    assert_eq!(kinds, ["100", "100", "503", "503"]);
    assert!(String::from_utf8_lossy(&answers[3].1).contains("Retry-After: 5\r\n"));
    assert_eq!(
        (host.endpoint.dialogs(), host.endpoint.counters().overloaded),
        (2, 2)
    );

    let mut config = Config::new(PEER.parse().unwrap());
    config.max_transactions = 1;
    let mut host = Host::with(config, 1, origin());
    host.receive(INVITE.text());
    host.receive(
        INVITE
            .text()
            .replace("call-1", "call-2")
            .replace("one", "two"),
    );
    assert_eq!(host.sent(), "100 503");
}

#[test]
fn lines_are_folded_compact_and_latin_1() {
    let mut host = Host::new();
    let text = INVITE
        .text()
        .replace("Via:", "\r\nv :\r\n ")
        .replacen("\r\n\r\n", "\r\n", 1)
        .replace("From: \"Alice\" ", "f: \"J@rgen\"\r\n\t")
        .replace("Call-ID", "i")
        .replace("Content-Length: 5\r\n", "");
    let mut bytes = b"\r\n\r\n".to_vec();
    bytes.extend(text.bytes().map(|b| if b == b'@' { b'@' } else { b }));
    let at = bytes.windows(2).position(|two| two == b"J@").unwrap();
    bytes[at + 1] = 0xfc;
    host.receive(&bytes);
    let incoming = host.incoming();
    assert_eq!(
        incoming[0].request.from().display_name().as_deref(),
        Some("Jürgen")
    );
    assert_eq!(incoming[0].request.call_id(), "call-1");
    assert_eq!(incoming[0].sdp.as_deref(), Some(b"v=0\r\n".as_slice()));
}

#[test]
fn who_is_about_to_end_takes_no_calls() {
    let (mut host, tag) = talking();
    host.incoming();
    host.endpoint.set_draining(true);
    for method in ["INVITE", "OPTIONS"] {
        let ask = Ask {
            method,
            branch: method,
            cseq: 7,
            ..INVITE
        };
        host.receive(ask.text().replace("call-1", "call-2"));
        let answer = host.sent_text();
        assert_eq!(parse_response(&answer).status(), 503, "{method}");
        assert!(answer.contains("Retry-After: 5\r\n"), "{answer}");
    }
    assert!(host.incoming().is_empty());
    assert_eq!(host.endpoint.counters().drained, 2);
    // What is within a dialog goes on.
    host.receive(Ask::within("OPTIONS", 2, &tag).text());
    assert_eq!(host.sent(), "200");
    host.receive(Ask::within("BYE", 3, &tag).text());
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200", "bye")
    );
    // And it may stay after all.
    host.endpoint.set_draining(false);
    host.receive(
        INVITE
            .text()
            .replace("call-1", "call-3")
            .replace("one", "three"),
    );
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("100", 1));
}

#[test]
fn a_call_that_comes_back_to_us_is_a_loop() {
    let calling = || {
        let mut host = Host::new();
        host.command(Command::Invite {
            dialog: DialogId(2),
            invite: outgoing(PEER),
        });
        let invite = host.sent_text();
        (host, invite)
    };
    // Through a proxy, which adds its Via.
    let (mut host, invite) = calling();
    let proxied = invite.replace(
        "\r\nVia: ",
        "\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKproxy\r\nVia: ",
    );
    host.receive(&proxied);
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("482", 0));
    // Through one that hides where it came from.
    let (mut host, invite) = calling();
    let own = invite
        .lines()
        .find(|line| line.starts_with("Via:"))
        .unwrap();
    let hidden = invite.replace(own, "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKsbc");
    host.receive(&hidden);
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("482", 0));
    // As a new call, with only our Via left.
    let (mut host, invite) = calling();
    let tag = String::from_utf8(parse_request(&invite.clone().into()).from().tag().to_vec());
    let renamed = proxied_anew(&invite, &tag.unwrap());
    host.receive(&renamed);
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("482", 0));
    // A call of somebody else's is none, and neither is one that merely has a tag like ours.
    host.receive(INVITE.text());
    host.receive(hidden.replace("Call-ID: ", "Call-ID: other-"));
    assert_eq!(
        (host.sent().as_str(), host.incoming().len()),
        ("100 100", 2)
    );
}

fn proxied_anew(invite: &str, tag: &str) -> String {
    invite
        .replace(
            "\r\nVia: ",
            "\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKproxy\r\nVia: ",
        )
        .replace(tag, "new")
        .replace("Call-ID: ", "Call-ID: new-")
}
