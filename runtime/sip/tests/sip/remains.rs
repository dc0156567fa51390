//! Dialogs whose endpoint is gone: another one ends them.

use std::sync::Arc;

use jackfield_sip::digest::Credentials;
use jackfield_sip::{
    Command, DialogId, Hop, OutgoingInvite, Remains, Request, RequestId, Transport,
};

use crate::host::{
    Ask, FIRST, Host, INVITE, PEER, Reply, SDP, outgoing, parse_request, talking, to_tag,
};

const CALL: DialogId = DialogId(2);
const ROUTES: &str = "Record-Route: <sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>\r\n";
const CONTACT: &str = "Contact: <sip:bob@10.0.0.7:5070>\r\nContent-Type: application/sdp\r\n";

/// The one request that was sent, where it went, and where else it may go.
fn request(host: &mut Host) -> (Request, Vec<Hop>) {
    let mut sent = host.all_transmitted();
    assert_eq!(sent.len(), 1);
    let sent = sent.remove(0);
    let ways = [Some(sent.to), sent.otherwise].into_iter().flatten();
    (parse_request(&sent.bytes), ways.collect())
}

/// What another endpoint sends to end the dialog, which is then answered.
fn goodbye(remains: Remains) -> (Request, Vec<Hop>) {
    let mut host = Host::new();
    let ways = remains.hops.clone();
    host.command(Command::Ask {
        request: RequestId(1),
        ask: Box::new(remains.bye(None, None)),
    });
    let (bye, to) = request(&mut host);
    assert_eq!(to, ways[..1]);
    host.receive_over(ways[0], Reply::new(200, "").to(&bye));
    assert_eq!(host.answered(), "1:200");
    host.expect_idle();
    (bye, ways)
}

/// The goodbye of another endpoint is the BYE of this one, but for its number.
fn is_as_good(host: &mut Host, dialog: DialogId) {
    let remains = host.endpoint.remains(dialog).unwrap();
    host.command(Command::Bye {
        dialog,
        cause: None,
    });
    let (ours, to) = request(host);
    let (theirs, ways) = goodbye(remains);
    assert_eq!(ways, to);
    assert_eq!(theirs.method(), ours.method());
    assert_eq!(theirs.request_uri(), ours.request_uri());
    for name in ["From", "To", "Call-ID", "Route"] {
        assert_eq!(theirs.header(name), ours.header(name), "{name}");
    }
    assert!(theirs.cseq().number > ours.cseq().number);
    assert!(host.endpoint.remains(dialog).is_none(), "it is over");
}

/// A host whose INVITE was answered with these fields.
fn calling(fields: &str) -> Host {
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let (invite, _) = request(&mut host);
    assert!(host.endpoint.remains(CALL).is_none(), "nobody answered yet");
    let answer = Reply {
        fields,
        ..Reply::with_sdp(200, "b1")
    };
    host.receive(answer.to(&invite));
    assert_eq!(host.events(), "answered+sdp");
    assert_eq!(host.sent(), "ACK");
    host
}

#[test]
fn calls_that_we_made() {
    is_as_good(&mut calling(CONTACT), CALL);
    is_as_good(&mut calling(&format!("{ROUTES}{CONTACT}")), CALL);
    let strict = ROUTES.replace(";lr", "");
    is_as_good(&mut calling(&format!("{strict}{CONTACT}")), CALL);
}

#[test]
fn calls_that_came_in() {
    let (mut host, _) = talking();
    is_as_good(&mut host, FIRST);
    // One that came over a connection is to be met there, or where its `Contact` says.
    let mut host = Host::new();
    let connection = Hop::new(Transport::Tcp, "10.0.0.2:40000".parse().unwrap());
    let contact = "Contact: <sip:alice@10.0.0.2:5061;transport=tcp>\r\n";
    let fields = format!("{contact}Content-Type: application/sdp\r\n");
    let invite = Ask {
        fields: &fields,
        ..INVITE
    };
    host.receive_over(connection, invite.text());
    host.command(Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    let answer = host.all_transmitted().pop().unwrap();
    let tag = to_tag(std::str::from_utf8(&answer.bytes).unwrap());
    host.receive_over(connection, Ask::ack(1, &tag).text());
    assert_eq!(host.events(), "acked");
    is_as_good(&mut host, FIRST);
}

fn credentials() -> Option<Arc<Credentials>> {
    Some(Arc::new(Credentials::new("us", "secret", None).unwrap()))
}

/// The goodbye with credentials, after its first answer asked for a proof; where it went.
fn challenged(remains: Remains) -> (Host, Request, Hop) {
    let source = remains.hops[0];
    let mut host = Host::new();
    host.command(Command::Ask {
        request: RequestId(1),
        ask: Box::new(remains.bye(None, credentials())),
    });
    let (first, _) = request(&mut host);
    assert_eq!(first.header("Authorization"), None);
    let challenge = Reply {
        fields: "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\"\r\n",
        ..Reply::new(401, "")
    };
    host.receive_over(source, challenge.to(&first));
    (host, first, source)
}

/// What is left of a call whose INVITE had credentials, and whose peer is to be met there.
fn remains_at(contact: &str) -> Remains {
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(OutgoingInvite {
            credentials: credentials(),
            ..*outgoing(PEER)
        }),
    });
    let (invite, _) = request(&mut host);
    let answer = Reply {
        fields: contact,
        ..Reply::with_sdp(200, "b1")
    };
    host.receive(answer.to(&invite));
    host.endpoint.remains(CALL).unwrap()
}

/// Whoever answers may say where to meet him, and is proved nothing there that was meant for another.
#[test]
fn a_goodbye_is_proved_to_whom_the_call_was() {
    let (mut host, ..) = challenged(remains_at(CONTACT));
    assert_eq!(host.sent(), "");
    assert_eq!(host.answered(), "1:401");
    let contact = CONTACT.replace("10.0.0.7", PEER.split(':').next().unwrap());
    let (mut host, first, source) = challenged(remains_at(&contact));
    let (second, _) = request(&mut host);
    assert!(second.header("Authorization").is_some());
    assert_eq!(second.cseq().number, first.cseq().number + 1);
    assert_eq!(second.header("To"), first.header("To"));
    host.receive_over(source, Reply::new(200, "").to(&second));
    assert_eq!(host.answered(), "1:200");
    host.expect_idle();
}

#[test]
fn remains_that_were_tampered_with_are_not_sent() {
    let whole = calling(CONTACT).endpoint.remains(CALL).unwrap();
    for broken in [
        Remains {
            from: "<sip:us@10.0.0.1>;tag=x\r\nVia: y".to_owned(),
            ..whole.clone()
        },
        Remains {
            to: String::new(),
            ..whole.clone()
        },
        Remains {
            target: "sip:a b".to_owned(),
            ..whole.clone()
        },
        Remains {
            hops: Vec::new(),
            ..whole.clone()
        },
    ] {
        let mut host = Host::new();
        host.command(Command::Ask {
            request: RequestId(1),
            ask: Box::new(broken.bye(None, None)),
        });
        assert_eq!(host.sent(), "");
        assert_eq!(host.answered(), "1:unreachable");
    }
}
