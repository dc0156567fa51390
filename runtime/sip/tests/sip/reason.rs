//! Why calls end, in both directions (RFC 3326, RFC 6432).

use jackfield_sip::{Command, DialogId, Event, Reason, ReasonProtocol};

use crate::host::{
    Ask, FIRST, Host, INVITE, PEER, Reply, invited, outgoing, parse_request, talking,
};

const CALL: DialogId = DialogId(2);
const BUSY: &str = "Reason: Q.850;cause=17;text=\"User busy\"\r\n";
const ELSEWHERE: &str = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";

fn busy() -> Option<Reason> {
    Some(Reason {
        protocol: ReasonProtocol::Q850,
        cause: 17,
        text: Some("User busy".to_owned()),
    })
}

fn elsewhere() -> Option<Reason> {
    Some(Reason {
        protocol: ReasonProtocol::Sip,
        cause: 200,
        text: Some("Call completed elsewhere".to_owned()),
    })
}

/// The cause of the only event since the last look.
fn cause(host: &mut Host) -> Option<Reason> {
    let mut events = host.all_events();
    assert_eq!(events.len(), 1);
    match events.remove(0).1 {
        Event::Failed { cause, .. } | Event::Bye { cause } | Event::Canceled { cause } => cause,
        other => panic!("has no cause: {other:?}"),
    }
}

#[test]
fn a_refusal_tells_the_networks_cause() {
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let invite = parse_request(&host.sent_text().into());
    host.receive(
        Reply {
            fields: BUSY,
            ..Reply::new(480, "b1")
        }
        .to(&invite),
    );
    assert_eq!(cause(&mut host), busy());
}

#[test]
fn a_bye_tells_its_cause() {
    let (mut host, tag) = talking();
    host.receive(
        Ask {
            fields: BUSY,
            ..Ask::within("BYE", 2, &tag)
        }
        .text(),
    );
    assert_eq!(cause(&mut host), busy());
    let (mut host, tag) = talking();
    host.receive(Ask::within("BYE", 2, &tag).text());
    assert_eq!(cause(&mut host), None);
}

#[test]
fn a_cancel_tells_that_the_call_was_taken_elsewhere() {
    let mut host = invited();
    host.receive(
        Ask {
            branch: INVITE.branch,
            fields: ELSEWHERE,
            ..Ask::within("CANCEL", 1, "")
        }
        .text(),
    );
    assert_eq!(cause(&mut host), elsewhere());
}

#[test]
fn our_refusal_bye_and_cancel_say_why() {
    let mut host = invited();
    host.command(Command::Reject {
        dialog: FIRST,
        status: 486,
        reason: None,
        retry_after: None,
        cause: busy(),
        warning: None,
    });
    assert!(host.sent_text().contains(BUSY));
    let (mut host, _) = talking();
    host.command(Command::Bye {
        dialog: FIRST,
        cause: busy(),
    });
    assert!(host.sent_text().contains(BUSY));
    // A BYE that had to wait for the ACK still says it.
    let (mut host, tag) = crate::host::answered();
    host.command(Command::Bye {
        dialog: FIRST,
        cause: busy(),
    });
    host.receive(Ask::ack(1, &tag).text());
    assert!(host.sent_text().contains(BUSY));
    // And so does a CANCEL that had to wait for a provisional response.
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let invite = parse_request(&host.sent_text().into());
    host.command(Command::Cancel {
        dialog: CALL,
        cause: elsewhere(),
    });
    host.receive(Reply::new(180, "b1").to(&invite));
    assert!(host.sent_text().contains(ELSEWHERE));
}
