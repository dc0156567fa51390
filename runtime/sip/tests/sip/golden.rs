//! Messages as a carrier's network shows them, header by header: NAT, a load balancer that records its route twice,
//! strict routers (RFC 3261 §12.2.1.1, §16.12.1, §18.2; RFC 3581).

use jackfield_sip::{Command, Config, DialogId, IpNet};

use crate::host::{
    Ask, FIRST, Host, INVITE, PEER, Reply, SDP, origin, outgoing, parse_request, to_tag, udp,
};

const CALL: DialogId = DialogId(2);

/// Where the load balancer reaches us, and where its two sides and the carrier's proxy are.
const US: &str = "10.10.1.21:5060";
const INNER: &str = "10.10.1.162:5060";
const ROUTES: [&str; 3] = [
    "<sip:10.10.1.162:5060;lr;did=05d.f7db99b7;r2=on>",
    "<sip:52.74.4.205:5060;lr;did=05d.f7db99b7;r2=on>",
    "<sip:175.100.32.29:5060;lr;transport=udp>",
];

fn host() -> Host {
    Host::with(Config::new(US.parse().unwrap()), 1, origin())
}

/// The lines of a message that have this name, in order.
fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let named = |line: &&str| line.split(':').next() == Some(name);
    text.lines().filter(named).collect()
}

fn record_routes() -> String {
    ROUTES
        .map(|route| format!("Record-Route: {route}\r\n"))
        .concat()
}

#[test]
fn a_nat_is_told_to_who_sits_behind_it() {
    let mut host = Host::new();
    let via = "SIP/2.0/UDP 10.10.1.21;rport;branch=z9hG4bKv5jFZ8am7aZQc";
    let invite = INVITE
        .text()
        .replace("SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKone", via);
    host.endpoint.set_peers(
        ["13.250.230.15/32".parse::<IpNet>().unwrap()]
            .into_iter()
            .collect(),
    );
    host.receive_from("13.250.230.15:37058", invite);
    let (to, bytes) = host.transmitted().remove(0);
    assert_eq!(to, udp("13.250.230.15:37058"));
    assert_eq!(
        lines(&String::from_utf8_lossy(&bytes), "Via"),
        [
            "Via: SIP/2.0/UDP 10.10.1.21;received=13.250.230.15;rport=37058;branch=z9hG4bKv5jFZ8am7aZQc"
        ]
    );
}

#[test]
fn our_requests_ask_for_their_answers_where_they_leave() {
    let mut host = host();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let text = host.sent_text();
    let via = lines(&text, "Via")[0];
    assert!(
        via.starts_with("Via: SIP/2.0/UDP 10.10.1.21:5060;branch=z9hG4bK"),
        "{via}"
    );
    assert!(via.ends_with(";rport"), "{via}");
}

#[test]
fn a_route_recorded_twice_is_kept_in_order_by_the_uas() {
    let mut host = host();
    let vias = [
        "Via: SIP/2.0/UDP 52.74.4.205:5060;branch=z9hG4bK8a3.c2f7;i=1",
        "Via: SIP/2.0/UDP 175.100.32.29:5060;received=175.100.32.29;branch=z9hG4bK77ae;rport=5060",
        "Via: SIP/2.0/UDP 10.65.104.1:5060;branch=z9hG4bKrhc1",
    ];
    let fields = format!(
        "{}Contact: <sip:0715100860@10.65.104.1:5060;user=phone>\r\nContent-Type: application/sdp\r\n",
        record_routes()
    );
    let invite = Ask {
        fields: &fields,
        ..INVITE
    }
    .text()
    .replace(
        "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKone",
        &vias.join("\r\n"),
    );
    host.receive_from(INNER, invite);
    host.transmitted();
    host.command(Command::Progress {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    host.command(Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    let answers = host.transmitted();
    assert_eq!(answers.len(), 2);
    for (to, bytes) in &answers {
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(*to, udp(INNER));
        assert_eq!(
            lines(&text, "Record-Route"),
            ROUTES.map(|route| format!("Record-Route: {route}"))
        );
        let stamped = format!("{};received=10.10.1.162", vias[0]);
        assert_eq!(lines(&text, "Via"), [&stamped, vias[1], vias[2]]);
        assert_eq!(lines(&text, "Contact"), ["Contact: <sip:10.10.1.21:5060>"]);
    }
    let tag = to_tag(&String::from_utf8_lossy(&answers[1].1));
    host.receive_from(INNER, Ask::ack(1, &tag).text());
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    let (to, bytes) = host.transmitted().remove(0);
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(to, udp(INNER));
    assert!(
        text.starts_with("BYE sip:0715100860@10.65.104.1:5060;user=phone SIP/2.0\r\n"),
        "{text}"
    );
    assert_eq!(
        lines(&text, "Route"),
        ROUTES.map(|route| format!("Route: {route}"))
    );
}

#[test]
fn a_route_recorded_twice_is_reversed_by_the_uac() {
    let mut host = host();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let invite = parse_request(&host.sent_text().into());
    let fields = format!(
        "{}Contact: <sip:1294@10.10.1.21:5060;transport=udp>\r\nContent-Type: application/sdp\r\n",
        record_routes()
    );
    let answer = Reply {
        fields: &fields,
        ..Reply::with_sdp(200, "b1")
    };
    host.receive(answer.to(&invite));
    host.command(Command::Bye {
        dialog: CALL,
        cause: None,
    });
    let sent = host.transmitted();
    for ((to, bytes), method) in sent.iter().zip(["ACK", "BYE"]) {
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(*to, udp("175.100.32.29:5060"));
        let line = format!("{method} sip:1294@10.10.1.21:5060;transport=udp SIP/2.0\r\n");
        assert!(text.starts_with(&line), "{text}");
        let reversed = [ROUTES[2], ROUTES[1], ROUTES[0]];
        assert_eq!(
            lines(&text, "Route"),
            reversed.map(|route| format!("Route: {route}"))
        );
    }
    assert_eq!(sent.len(), 2);
}

/// Sends an INVITE by these routes; gives it and the CANCEL or ACK of a failure that follows.
fn routed(routes: &[&str], is_canceled: bool) -> (String, String) {
    let mut host = Host::new();
    let mut invite = outgoing(PEER);
    invite.targets[0].routes = routes.iter().map(|&route| route.to_owned()).collect();
    host.command(Command::Invite {
        dialog: CALL,
        invite,
    });
    let text = host.sent_text();
    let request = parse_request(&text.clone().into());
    if is_canceled {
        host.receive(Reply::new(180, "b1").to(&request));
        host.command(Command::Cancel {
            dialog: CALL,
            cause: None,
        });
    } else {
        host.receive(Reply::new(486, "b1").to(&request));
    }
    (text, host.sent_text())
}

#[test]
fn a_preloaded_route_is_gone_by_and_kept_by_what_follows() {
    let loose = ["<sip:10.0.0.2;lr>", "<sip:edge.example;lr;id=7>"];
    let strict = ["<sip:10.0.0.2>", "<sip:edge.example;lr>"];
    let callee = format!("sip:+85512345678@{PEER}");
    let last = format!("<{callee}>");
    for (routes, request_uri, expected) in [
        (loose, callee.as_str(), loose),
        (strict, "sip:10.0.0.2", [strict[1], last.as_str()]),
    ] {
        for (is_canceled, method) in [(true, "CANCEL"), (false, "ACK")] {
            let (invite, follower) = routed(&routes, is_canceled);
            for (text, method) in [(&invite, "INVITE"), (&follower, method)] {
                assert!(
                    text.starts_with(&format!("{method} {request_uri} SIP/2.0\r\n")),
                    "{text}"
                );
                assert_eq!(
                    lines(text, "Route"),
                    expected.map(|route| format!("Route: {route}"))
                );
            }
        }
    }
}
