//! Several targets, and contacts of redirections: RFC 3263 §4.3, RFC 3261 §8.1.3.4.

use std::sync::Arc;
use std::time::Duration;

use jackfield_sip::{
    Command, DialogId, Event, Hop, Input, InviteTarget, IpNet, OutgoingInvite, Redirects, Request,
    ServerId, Transport,
};

use crate::host::{Host, Reply, T1, kind, outgoing, parse_request};

const CALL: DialogId = DialogId(2);
const FIRST: &str = "10.0.0.2:5060";
const SECOND: &str = "10.0.0.3:5060";
const THIRD: &str = "10.0.0.4:5070";
const NUMBER: &str = "+85512345678";

fn udp(address: &str) -> Hop {
    Hop::udp(address.parse().unwrap())
}

fn tcp(address: &str) -> Hop {
    Hop::new(Transport::Tcp, address.parse().unwrap())
}

/// An INVITE to these servers of one URI, each of which has 4 s to say something.
fn invite(servers: &[Hop]) -> OutgoingInvite {
    let called = format!("sip:{NUMBER}@{FIRST}");
    let target = |hop: &Hop| InviteTarget::new(*hop, called.as_str());
    OutgoingInvite {
        targets: servers.iter().map(target).collect(),
        answer_within: Duration::from_secs(4),
        ..*outgoing(FIRST)
    }
}

fn call(host: &mut Host, invite: OutgoingInvite) {
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
}

/// What was sent, each with its destination's last number: `2:INVITE`.
fn sent(host: &mut Host) -> String {
    let word = |(to, bytes): (Hop, bytes::Bytes)| {
        let address = to.address.ip().to_string();
        format!("{}:{}", address.rsplit('.').next().unwrap(), kind(&bytes))
    };
    let words: Vec<_> = host.transmitted().into_iter().map(word).collect();
    words.join(" ")
}

/// The last INVITE sent, and to where.
fn last_invite(host: &mut Host) -> (Hop, Request) {
    let mut transmitted = host.transmitted();
    transmitted.retain(|(_, bytes)| kind(bytes) == "INVITE");
    let (to, bytes) = transmitted.pop().unwrap();
    (to, parse_request(&bytes))
}

#[test]
fn a_target_that_says_nothing_is_left_after_its_time() {
    let mut host = Host::new();
    call(&mut host, invite(&[udp(FIRST), udp(SECOND), udp(THIRD)]));
    let (_, first) = last_invite(&mut host);
    host.advance(Duration::from_millis(3999));
    assert_eq!(sent(&mut host), "2:INVITE 2:INVITE 2:INVITE");
    host.advance(Duration::from_millis(1));
    let (to, second) = last_invite(&mut host);
    assert_eq!(to, udp(SECOND));
    // The same request but for its branch.
    assert_ne!(second.via().branch(), first.via().branch());
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!((second.from(), second.cseq()), (first.from(), first.cseq()));
    host.advance(Duration::from_secs(4));
    assert_eq!(sent(&mut host), "3:INVITE 3:INVITE 3:INVITE 4:INVITE");
    // The one that was left is not sent again.
    host.advance(Duration::from_secs(4));
    assert_eq!(sent(&mut host), "4:INVITE 4:INVITE 4:INVITE");
    assert_eq!(host.events(), "failed:408");
    host.expect_idle();
}

#[test]
fn a_target_that_said_something_is_waited_for() {
    for status in [100, 180] {
        let mut host = Host::new();
        call(&mut host, invite(&[udp(FIRST), udp(SECOND)]));
        let (_, first) = last_invite(&mut host);
        host.receive(Reply::new(status, "b1").to(&first));
        host.events();
        host.advance(Duration::from_secs(19));
        assert_eq!((sent(&mut host).as_str(), host.events().as_str()), ("", ""));
        // The ring time is over all targets.
        host.advance(Duration::from_secs(1));
        assert_eq!(sent(&mut host), "2:CANCEL");
    }
}

#[test]
fn the_ring_time_counts_from_the_first_target() {
    let mut host = Host::new();
    let slow = OutgoingInvite {
        answer_within: Duration::from_secs(15),
        ..invite(&[udp(FIRST), udp(SECOND)])
    };
    call(&mut host, slow);
    host.advance(Duration::from_secs(15));
    let (_, second) = last_invite(&mut host);
    host.receive_from(SECOND, Reply::new(180, "b2").to(&second));
    host.advance(Duration::from_secs(5));
    assert_eq!(sent(&mut host), "3:CANCEL");
}

/// Two servers of one URI, then one of another URI that has a proxy before it.
#[test]
fn each_uri_has_its_own_servers_and_routes() {
    let called = |host: &str| format!("sip:{NUMBER}@{host}");
    let proxied = InviteTarget {
        routes: vec!["<sip:10.0.0.4:5070;lr>".to_owned()],
        ..InviteTarget::new(udp(THIRD), called("b.example"))
    };
    let mut host = Host::new();
    let invite = OutgoingInvite {
        targets: vec![
            InviteTarget::new(udp(FIRST), called("a.example")),
            InviteTarget::new(udp(SECOND), called("a.example")),
            proxied,
        ],
        ..*outgoing(FIRST)
    };
    let callee = invite.to.clone();
    call(&mut host, invite);
    for (to, uri, routes, cseq) in [
        (FIRST, "a.example", None, 1),
        (SECOND, "a.example", None, 1),
        // Another URI: a new request of the same call.
        (THIRD, "b.example", Some("<sip:10.0.0.4:5070;lr>"), 2),
    ] {
        let (hop, sent) = last_invite(&mut host);
        assert_eq!(hop, udp(to));
        assert_eq!(sent.request_uri().to_string(), called(uri));
        assert_eq!(sent.to().uri().to_string(), callee);
        assert_eq!(sent.header("Route").as_deref(), routes);
        assert_eq!(sent.cseq().number, cseq);
        host.receive_from(to, Reply::new(503, "b").to(&sent));
    }
    assert_eq!(host.events(), "failed:503");
    host.expect_idle();
}

/// RFC 3261 §18.1.1: by a stream to the same host where there is one, and by datagrams after all where that does not open.
#[test]
fn what_is_too_large_for_a_datagram_goes_over_a_stream() {
    for (filling, servers, expected) in [
        (400, &[udp(FIRST), tcp(FIRST)][..], "udp"),
        (900, &[udp(FIRST), tcp(FIRST)], "tcp udp"),
        (
            900,
            &[udp(FIRST), udp(SECOND), tcp("10.0.0.2:5070")],
            "tcp udp udp",
        ),
        (900, &[tcp(FIRST), udp(FIRST)], "tcp udp"),
        (900, &[udp(FIRST), tcp(SECOND)], "udp tcp"),
    ] {
        let mut host = Host::new();
        let large = OutgoingInvite {
            headers: vec![("X-Filling".to_owned(), "x".repeat(filling))],
            ..invite(servers)
        };
        call(&mut host, large);
        let mut ways = Vec::new();
        while host.endpoint.dialogs() == 1 {
            let (to, sent) = last_invite(&mut host);
            let via = format!("SIP/2.0/{} ", to.transport.name());
            assert!(sent.header("Via").unwrap().starts_with(&via));
            ways.push(to.transport.to_string());
            match to.transport {
                Transport::Udp => host.receive_over(to, Reply::new(503, "b").to(&sent)),
                _ => host.feed(Input::Unreachable { to }),
            }
            if ways.len() == expected.split(' ').count() {
                break;
            }
        }
        assert_eq!(ways.join(" "), expected, "{filling} {servers:?}");
    }
}

/// A user is called under two names; a redirection keeps to that of the target it came from.
#[test]
fn a_contact_is_for_who_was_called_there() {
    for (user, expected) in [("7", 2), (NUMBER, 1)] {
        let mut host = Host::new();
        let invite = OutgoingInvite {
            targets: vec![
                InviteTarget::new(udp(FIRST), format!("sip:{NUMBER}@a.example")),
                InviteTarget::new(udp(SECOND), "sip:7@b.example"),
            ],
            ..redirected(&[])
        };
        call(&mut host, invite);
        let (_, first) = last_invite(&mut host);
        host.receive(Reply::new(503, "b1").to(&first));
        let (_, second) = last_invite(&mut host);
        let contact = format!("Contact: <sip:{user}@10.0.0.4>\r\n");
        host.receive_from(SECOND, moved(&contact).to(&second));
        assert_eq!(
            host.transmitted().len(),
            expected,
            "ACK, perhaps INVITE: {user}"
        );
    }
}

#[test]
fn later_requests_go_to_the_target_or_to_its_contact() {
    for (to_source, expected) in [(true, SECOND), (false, "10.0.0.77:5060")] {
        let second = InviteTarget {
            to_source,
            ..InviteTarget::new(udp(SECOND), "sip:b.example")
        };
        let mut call_over_two = invite(&[udp(FIRST)]);
        call_over_two.targets.push(second);
        let mut host = Host::new();
        call(&mut host, call_over_two);
        let (_, first) = last_invite(&mut host);
        host.receive(Reply::new(503, "b1").to(&first));
        let (_, second) = last_invite(&mut host);
        let answer = Reply::with_sdp(200, "b2").to(&second);
        host.receive_from(SECOND, answer.replace("bob@10.0.0.2", "bob@10.0.0.77"));
        host.transmitted();
        host.command(Command::Bye {
            dialog: CALL,
            cause: None,
        });
        let (to, _) = host.transmitted().remove(0);
        assert_eq!(to, udp(expected));
    }
}

#[test]
fn what_leads_to_the_next_target() {
    for (status, expected) in [
        (503, "2:ACK 3:INVITE"),
        (500, "2:ACK"),
        (408, "2:ACK"),
        (404, "2:ACK"),
        (486, "2:ACK"),
        (600, "2:ACK"),
        (302, "2:ACK"),
        (401, "2:ACK"),
    ] {
        let mut host = Host::new();
        call(&mut host, invite(&[udp(FIRST), udp(SECOND)]));
        let (_, first) = last_invite(&mut host);
        host.receive(Reply::new(status, "b1").to(&first));
        assert_eq!(sent(&mut host), expected, "{status}");
        let failed = format!("failed:{status}");
        let told = if status == 503 { "" } else { failed.as_str() };
        assert_eq!(host.events(), told, "{status}");
    }
}

#[test]
fn the_last_failure_is_told() {
    let mut host = Host::new();
    call(&mut host, invite(&[udp(FIRST), udp(SECOND)]));
    let (_, first) = last_invite(&mut host);
    host.receive(Reply::new(503, "b1").to(&first));
    let (_, second) = last_invite(&mut host);
    let busy = Reply {
        fields: "Retry-After: 7\r\n",
        ..Reply::new(503, "b2")
    };
    host.receive_from(SECOND, busy.to(&second));
    assert_eq!(sent(&mut host), "3:ACK");
    let events = host.all_events();
    let Event::Failed {
        status,
        retry_after,
        ..
    } = &events[0].1
    else {
        panic!("{events:?}")
    };
    assert_eq!((*status, *retry_after), (503, Some(Duration::from_secs(7))));
    host.expect_idle();
}

#[test]
fn a_target_that_cannot_be_reached_is_left_at_once() {
    let mut host = Host::new();
    call(&mut host, invite(&[tcp(FIRST), udp(SECOND)]));
    let (to, first) = last_invite(&mut host);
    assert_eq!(to, tcp(FIRST));
    assert!(first.header("Via").unwrap().starts_with("SIP/2.0/TCP "));
    host.feed(Input::Unreachable { to: tcp(FIRST) });
    let (to, second) = last_invite(&mut host);
    assert_eq!(to, udp(SECOND));
    assert!(second.header("Via").unwrap().starts_with("SIP/2.0/UDP "));
    host.receive_from(SECOND, Reply::with_sdp(200, "b2").to(&second));
    assert_eq!(host.events(), "answered+sdp");
    // The last one tells.
    let mut host = Host::new();
    call(&mut host, invite(&[tcp(FIRST)]));
    host.feed(Input::Unreachable { to: tcp(FIRST) });
    assert_eq!(host.events(), "failed:503");
    host.expect_idle();
}

/// A host that left its first target for the second, with both INVITEs.
fn moved_on() -> (Host, Request, Request) {
    let mut host = Host::new();
    call(&mut host, invite(&[udp(FIRST), udp(SECOND)]));
    let (_, first) = last_invite(&mut host);
    host.advance(Duration::from_secs(4));
    let (_, second) = last_invite(&mut host);
    (host, first, second)
}

#[test]
fn a_late_answer_of_a_target_that_was_left_is_ended() {
    for second_answers_before in [true, false] {
        let (mut host, first, second) = moved_on();
        let answer = Reply::with_sdp(200, "b2").to(&second);
        if second_answers_before {
            host.receive_from(SECOND, &answer);
            assert_eq!(host.events(), "answered+sdp");
            host.transmitted();
        }
        host.receive(Reply::with_sdp(200, "b1").to(&first));
        assert_eq!(
            (sent(&mut host).as_str(), host.events().as_str()),
            ("2:ACK 2:BYE", "")
        );
        host.receive(Reply::with_sdp(200, "b1").to(&first));
        assert_eq!(sent(&mut host), "2:ACK");
        if !second_answers_before {
            host.receive_from(SECOND, &answer);
            assert_eq!(host.events(), "answered+sdp");
        }
        host.command(Command::Bye {
            dialog: CALL,
            cause: None,
        });
        host.expect_idle();
    }
}

#[test]
fn a_target_that_was_left_and_rings_is_cancelled() {
    let (mut host, first, second) = moved_on();
    host.receive(Reply::new(180, "b1").to(&first));
    assert_eq!(
        (sent(&mut host).as_str(), host.events().as_str()),
        ("2:CANCEL", "")
    );
    host.receive(Reply::new(487, "b1").to(&first));
    assert_eq!(
        (sent(&mut host).as_str(), host.events().as_str()),
        ("2:ACK", "")
    );
    host.receive_from(SECOND, Reply::new(486, "b2").to(&second));
    assert_eq!(host.events(), "failed:486");
    host.expect_idle();
}

#[test]
fn a_late_failure_of_a_target_that_was_left_changes_nothing() {
    for status in [486, 503, 302, 401] {
        let (mut host, first, second) = moved_on();
        host.receive(Reply::new(status, "b1").to(&first));
        assert_eq!(
            (sent(&mut host).as_str(), host.events().as_str()),
            ("2:ACK", "")
        );
        host.receive_from(SECOND, Reply::new(180, "b2").to(&second));
        assert_eq!(host.events(), "provisional:180");
    }
}

#[test]
fn a_call_that_was_taken_back_goes_nowhere_else() {
    let mut host = Host::new();
    call(&mut host, invite(&[udp(FIRST), udp(SECOND)]));
    let (_, first) = last_invite(&mut host);
    host.receive(Reply::new(180, "b1").to(&first));
    host.command(Command::Cancel {
        dialog: CALL,
        cause: None,
    });
    host.receive(Reply::new(503, "b1").to(&first));
    assert_eq!(sent(&mut host), "2:CANCEL 2:ACK");
    assert_eq!(host.events(), "provisional:180 failed:503");
    // Nor does one that was not heard of.
    let mut host = Host::new();
    call(&mut host, invite(&[udp(FIRST), udp(SECOND)]));
    host.command(Command::Cancel {
        dialog: CALL,
        cause: None,
    });
    assert_eq!(host.events(), "failed:487");
    host.advance(64 * T1);
    assert!(!sent(&mut host).contains("3:"));
    host.expect_idle();
}

/// An INVITE that follows redirections within 10.0.0.0/24.
fn redirected(targets: &[Hop]) -> OutgoingInvite {
    let addresses = ["10.0.0.0/24".parse::<IpNet>().unwrap()];
    OutgoingInvite {
        redirects: Redirects::Within(Arc::new(addresses.into_iter().collect())),
        ..invite(targets)
    }
}

fn moved(contacts: &str) -> Reply<'_> {
    Reply {
        fields: contacts,
        ..Reply::new(302, "b1")
    }
}

/// The status that is told, and the contacts.
fn failure(host: &mut Host) -> (u16, String) {
    let events = host.all_events();
    let [
        (
            CALL,
            Event::Failed {
                status, contacts, ..
            },
        ),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    (*status, contacts.join(" "))
}

#[test]
fn redirections_are_told_and_not_followed() {
    let mut host = Host::new();
    call(&mut host, invite(&[udp(FIRST), udp(SECOND)]));
    let (_, first) = last_invite(&mut host);
    let contacts = format!("Contact: <sip:{NUMBER}@10.0.0.3>;q=0.2, <sip:900@10.0.0.4>\r\n");
    host.receive(moved(&contacts).to(&first));
    assert_eq!(sent(&mut host), "2:ACK");
    let told = format!("sip:900@10.0.0.4 sip:{NUMBER}@10.0.0.3");
    assert_eq!(failure(&mut host), (302, told));
    host.expect_idle();
}

/// A contact at the address of another target is that target's server, and is met as it.
#[test]
fn a_contact_at_a_target_is_its_server() {
    let at = |address: &str| Hop::new(Transport::Tls, address.parse().unwrap());
    let named = at(SECOND).of(Some(ServerId::new([1; 16])));
    for (contact, expected) in [(SECOND, named), (THIRD, at(THIRD))] {
        let mut host = Host::new();
        call(&mut host, redirected(&[udp(FIRST), named]));
        let (_, first) = last_invite(&mut host);
        let contact = format!("Contact: <sip:{NUMBER}@{contact};transport=tls>\r\n");
        host.receive(moved(&contact).to(&first));
        assert_eq!(last_invite(&mut host).0, expected, "{contact}");
    }
}

#[test]
fn an_allowed_contact_is_called() {
    let mut host = Host::new();
    call(&mut host, redirected(&[udp(FIRST), udp("10.0.0.9:5060")]));
    let (_, first) = last_invite(&mut host);
    let contacts = format!(
        "Contact: <sip:{NUMBER}@10.0.0.3;transport=tcp>;q=0.5, <sip:{NUMBER}@10.0.0.4:5070>;q=0.9\r\n"
    );
    host.receive(moved(&contacts).to(&first));
    let (to, second) = last_invite(&mut host);
    assert_eq!(to, udp(THIRD));
    assert_eq!(
        second.request_uri().to_string(),
        format!("sip:{NUMBER}@10.0.0.4:5070")
    );
    assert_eq!((second.to(), second.from()), (first.to(), first.from()));
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!(second.cseq().number, 2);
    // What one contact refuses may be taken by the next.
    host.receive_from(THIRD, Reply::new(480, "b2").to(&second));
    let (to, third) = last_invite(&mut host);
    assert_eq!((to, third.cseq().number), (tcp("10.0.0.3:5060"), 3));
    host.receive_over(tcp("10.0.0.3:5060"), Reply::new(486, "b3").to(&third));
    assert_eq!(host.events(), "failed:486", "and not the target before");
    host.expect_idle();
}

#[test]
fn contacts_that_are_not_allowed_are_not_called() {
    for contact in [
        "<sip:+85512345678@192.0.2.1>",        // another's address
        "<sip:+85512345678@premium.example>",  // a name: who knows where
        "<sip:1900@10.0.0.3>",                 // another number
        "<sip:10.0.0.3>",                      // nobody
        "<tel:+85512345678>",                  // no address
        "<sip:+85512345678@10.0.0.3?Route=x>", // with words of its own
        "*",
        "???",
    ] {
        let mut host = Host::new();
        call(&mut host, redirected(&[udp(FIRST), udp(SECOND)]));
        let (_, first) = last_invite(&mut host);
        host.receive(moved(&format!("Contact: {contact}\r\n")).to(&first));
        assert_eq!(sent(&mut host), "2:ACK", "{contact}");
        assert_eq!(failure(&mut host).0, 302, "{contact}");
    }
}

#[test]
fn a_circle_is_noticed() {
    for contacts in [
        format!("Contact: <sip:{NUMBER}@10.0.0.2:5060>\r\n"), // where it was first
        format!("Contact: <sip:{NUMBER}@10.0.0.3:5060>\r\n"), // where it was redirected to
    ] {
        let mut host = Host::new();
        call(&mut host, redirected(&[udp(FIRST)]));
        let (_, first) = last_invite(&mut host);
        host.receive(moved(&format!("Contact: <sip:{NUMBER}@10.0.0.3:5060>\r\n")).to(&first));
        let (_, second) = last_invite(&mut host);
        host.receive_from(SECOND, moved(&contacts).to(&second));
        assert_eq!(failure(&mut host), (482, String::new()), "{contacts}");
        host.expect_idle();
    }
}

#[test]
fn redirections_have_an_end() {
    let mut host = Host::new();
    call(&mut host, redirected(&[udp(FIRST)]));
    let (_, mut last) = last_invite(&mut host);
    for depth in 0..4 {
        let next = format!("Contact: <sip:{NUMBER}@10.0.0.1{depth}>\r\n");
        host.receive(moved(&next).to(&last));
        if depth < 3 {
            (_, last) = last_invite(&mut host);
        }
    }
    assert_eq!(failure(&mut host).0, 302);
    host.expect_idle();
    // Five contacts at most.
    let mut host = Host::new();
    call(&mut host, redirected(&[udp(FIRST)]));
    let (_, mut last) = last_invite(&mut host);
    let many: Vec<_> = (10..30)
        .map(|n| format!("Contact: <sip:{NUMBER}@10.0.0.{n}>\r\n"))
        .collect();
    host.receive(moved(&many.concat()).to(&last));
    let mut called = 0;
    while host.endpoint.dialogs() == 1 {
        (_, last) = last_invite(&mut host);
        called += 1;
        host.receive(Reply::new(404, "b").to(&last));
    }
    assert_eq!((called, host.events().as_str()), (5, "failed:404"));
    host.expect_idle();
}

#[test]
fn a_preloaded_route_is_kept() {
    let mut host = Host::new();
    let mut routed = redirected(&[udp(FIRST)]);
    routed.targets[0].routes = vec!["<sip:10.0.0.2;lr>".to_owned()];
    call(&mut host, routed);
    let (_, first) = last_invite(&mut host);
    host.receive(moved(&format!("Contact: <sip:{NUMBER}@10.0.0.3>\r\n")).to(&first));
    let (to, second) = last_invite(&mut host);
    assert_eq!(to, udp(FIRST));
    assert_eq!(second.header("Route").as_deref(), Some("<sip:10.0.0.2;lr>"));
    assert_eq!(
        second.request_uri().to_string(),
        format!("sip:{NUMBER}@10.0.0.3")
    );
}
