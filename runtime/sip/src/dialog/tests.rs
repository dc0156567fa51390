//! Dialogs that are made, used and refused.

use super::*;
use crate::testing::{self, parse_request};
use crate::{Message, Transport, parse};

const SOURCE: &str = "192.0.2.9:5080";

fn invite(extra: &str) -> Request {
    parse_request(&format!(
        "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: \"A\" <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n\
             Call-ID: x\r\nCSeq: 5 INVITE\r\n{extra}\r\n"
    ))
}

fn udp(address: &str) -> Hop {
    Hop::udp(address.parse().unwrap())
}

fn peer() -> Peer {
    Peer {
        source: udp(SOURCE),
        to_source: false,
        us: udp("10.0.0.1:5060"),
    }
}

fn bye(dialog: &mut Dialog) -> (Way, String) {
    let cseq = dialog.next_cseq();
    let parts = RequestParts {
        cseq,
        branch: b"z9hG4bKb",
        user_agent: None,
    };
    let request = dialog.request(&Wording::new(Method::Bye), parts);
    (
        request.way,
        String::from_utf8(request.bytes.to_vec()).unwrap(),
    )
}

#[test]
fn requests_of_the_uas_go_the_way_the_invite_came() {
    for (extra, destination, uri, routes) in [
        // Without routes: to the contact; a name resolves to where the peer speaks from.
        (
            "Contact: <sip:a@192.0.2.1:5070>\r\n",
            "192.0.2.1:5070",
            "sip:a@192.0.2.1:5070",
            "",
        ),
        (
            "Contact: <sip:a@gw.example>\r\n",
            SOURCE,
            "sip:a@gw.example",
            "",
        ),
        ("", SOURCE, "sip:a@b", ""),
        // Loose routers, two in one field and one apart, keep their order.
        (
            "m: <sip:a@192.0.2.1>\r\nRecord-Route: <sip:10.0.0.3;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n",
            "10.0.0.3:5060",
            "sip:a@192.0.2.1",
            "Route: <sip:10.0.0.3;lr>\r\nRoute: <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n",
        ),
        // A strict router stands in the Request-URI.
        (
            "Contact: <sip:a@192.0.2.1>\r\nRecord-Route: <sip:10.0.0.3:5071>, <sip:p2;lr>\r\n",
            "10.0.0.3:5071",
            "sip:10.0.0.3:5071",
            "Route: <sip:p2;lr>\r\nRoute: <sip:a@192.0.2.1>\r\n",
        ),
    ] {
        let mut dialog = Dialog::as_uas(&invite(extra), peer(), b"us");
        let (to, text) = bye(&mut dialog);
        assert_eq!(to, udp(destination).into(), "{extra}");
        let expected = format!(
            "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKb;rport\r\n{routes}Max-Forwards: 70\r\n\
                 From: <sip:c@d>;tag=us\r\nTo: \"A\" <sip:a@b>;tag=1\r\nCall-ID: x\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(text, expected);
    }
}

#[test]
fn requests_of_the_uac_go_the_routes_back() {
    let text = String::from_utf8(testing::response_bytes("INVITE", 200).to_vec()).unwrap();
    let routed = text.replace("Call-ID", "Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:10.0.0.3;lr>\r\nContact: <sip:z@y>\r\nCall-ID");
    let Ok(Message::Response(response)) = parse(&routed.into()) else {
        panic!()
    };
    let ours = OurInvite {
        call_id: "x".into(),
        from: "<sip:a@b>;tag=1".into(),
        cseq: 7,
        us: udp("10.0.0.1:5060"),
        contact_user: None,
        to_source: false,
        access: None,
        sdp: Bytes::new(),
    };
    let mut dialog = Dialog::as_uac(&ours, &response, udp(SOURCE));
    let (to, text) = bye(&mut dialog);
    assert_eq!(to, udp("10.0.0.3:5060").into());
    assert!(text.starts_with("BYE sip:z@y SIP/2.0\r\n"), "{text}");
    assert!(
        text.contains("Route: <sip:10.0.0.3;lr>\r\nRoute: <sip:p1;lr>\r\n"),
        "{text}"
    );
    assert!(
        text.contains("From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n"),
        "{text}"
    );
    assert!(text.contains("CSeq: 8 BYE\r\n"), "{text}");
}

#[test]
fn the_connection_of_the_peer_is_kept() {
    let tcp = |address: &str| Hop::new(Transport::Tcp, address.parse().unwrap());
    for (contact, to_source, to, otherwise) in [
        // Whichever port the contact names, and where it names no transport.
        (
            "sip:a@192.0.2.9:5070;transport=tcp",
            false,
            tcp(SOURCE),
            Some(tcp("192.0.2.9:5070")),
        ),
        (
            "sip:a@192.0.2.9",
            false,
            tcp(SOURCE),
            Some(tcp("192.0.2.9:5060")),
        ),
        // Another address is another connection, and another transport none.
        (
            "sip:a@192.0.2.1;transport=tcp",
            false,
            tcp("192.0.2.1:5060"),
            None,
        ),
        (
            "sip:a@192.0.2.9;transport=udp",
            false,
            udp("192.0.2.9:5060"),
            None,
        ),
        ("sip:a@gw.invalid;transport=ws", false, tcp(SOURCE), None),
        // A private contact behind a NAT.
        ("sip:a@10.0.0.7;transport=tcp", true, tcp(SOURCE), None),
    ] {
        let peer = Peer {
            source: tcp(SOURCE),
            to_source,
            us: tcp("10.0.0.1:5060"),
        };
        let invite = invite(&format!("Contact: <{contact}>\r\n"));
        let (way, text) = bye(&mut Dialog::as_uas(&invite, peer, b"us"));
        assert_eq!(way, Way { to, otherwise }, "{contact}");
        assert!(text.contains("Via: SIP/2.0/TCP 10.0.0.1:5060;"), "{text}");
    }
}

#[test]
fn a_connection_to_the_peer_is_opened_anew_to_the_same_server() {
    let server = Some(crate::ServerId::new([1; 16]));
    let at = |address: &str| Hop::new(Transport::Tls, address.parse().unwrap());
    for (contact, to, otherwise) in [
        (
            "sips:a@192.0.2.9:5071",
            at(SOURCE).of(server),
            Some(at("192.0.2.9:5071").of(server)),
        ),
        // Somebody else's address is somebody else's connection.
        ("sips:a@192.0.2.1", at("192.0.2.1:5061"), None),
    ] {
        let peer = Peer {
            source: at(SOURCE).of(server),
            to_source: false,
            us: at("10.0.0.1:5061"),
        };
        let invite = invite(&format!("Contact: <{contact}>\r\n"));
        let (way, _) = bye(&mut Dialog::as_uas(&invite, peer, b"us"));
        assert_eq!(way, Way { to, otherwise }, "{contact}");
    }
}

#[test]
fn what_began_secure_stays_so() {
    let at = |transport, address: &str| Hop::new(transport, address.parse().unwrap());
    let source = at(Transport::Tls, SOURCE);
    let elsewhere = at(Transport::Tls, "192.0.2.1:5061");
    for (contact, to) in [
        ("sip:a@192.0.2.1;transport=udp", source),
        ("sip:a@192.0.2.1;transport=tcp", source),
        ("sip:a@192.0.2.1;transport=ws", source),
        ("sip:a@192.0.2.1;transport=tls", elsewhere),
        ("sips:a@192.0.2.1", elsewhere),
        ("sip:a@192.0.2.1", elsewhere),
    ] {
        let peer = Peer {
            source,
            to_source: false,
            us: at(Transport::Tls, "10.0.0.1:5061"),
        };
        let invite = invite(&format!("Contact: <{contact}>\r\n"));
        let (way, _) = bye(&mut Dialog::as_uas(&invite, peer, b"us"));
        assert_eq!(way, Way::from(to), "{contact}");
    }
}

#[test]
fn late_requests_are_told_apart() {
    let mut dialog = Dialog::as_uas(&invite(""), peer(), b"us");
    for (number, in_order) in [(4, false), (5, true), (9, true), (6, false), (10, true)] {
        assert_eq!(dialog.take_cseq(number), in_order, "{number}");
    }
}
