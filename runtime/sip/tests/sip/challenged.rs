//! Peers that ask us who we are: RFC 3261 §22.2, §22.3.

use std::sync::Arc;
use std::time::Duration;

use jackfield_sip::digest::{Authorization, Credentials, Hash, Users};
use jackfield_sip::{
    Ask as Question, Command, DialogId, Hop, InviteTarget, IpNet, Method, OutgoingInvite,
    PeerRules, Redirects, Request, RequestId,
};

use crate::host::{
    FIRST, Host, PEER, Reply, SDP, kind, outgoing, parse_request, talking as talking_to_us,
};

const CALL: DialogId = DialogId(2);
const OTHER: &str = "10.0.0.3:5060";

const MD5: &str =
    "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\", opaque=\"o\"\r\n";
const PROXY: &str = "Proxy-Authenticate: Digest realm=\"proxy\", nonce=\"p1\", algorithm=SHA-256, qop=\"auth,auth-int\"\r\n";

fn udp(address: &str) -> Hop {
    Hop::udp(address.parse().unwrap())
}

fn credentials() -> Option<Arc<Credentials>> {
    Some(Arc::new(Credentials::new("us", "secret", None).unwrap()))
}

/// A host whose INVITE to these targets is out, and the INVITE.
fn calling(targets: &[&str]) -> (Host, Request) {
    let invite = OutgoingInvite {
        targets: targets
            .iter()
            .map(|target| InviteTarget::new(udp(target), "sip:+85512345678@carrier.example"))
            .collect(),
        credentials: credentials(),
        ..*outgoing(targets[0])
    };
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
    let invite = parse_request(&host.sent_text().into());
    (host, invite)
}

fn challenge(status: u16, fields: &str) -> Reply<'_> {
    Reply {
        fields,
        ..Reply::new(status, "b1")
    }
}

/// The requests sent since the last look, without ACKs of failures.
fn requests(host: &mut Host) -> Vec<Request> {
    let transmitted = host.transmitted().into_iter();
    let asked = transmitted.filter(|(_, bytes)| kind(bytes) != "ACK");
    asked.map(|(_, bytes)| parse_request(&bytes)).collect()
}

/// The only request sent since the last look.
fn request(host: &mut Host) -> Request {
    let mut requests = requests(host);
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.remove(0)
}

/// The proof in a header field, which is right: its realm, nonce and count.
fn proof(request: &Request, field: &str) -> Option<(String, String, u32)> {
    let value = request.header(field)?;
    let read = Authorization::read(value.as_bytes()).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (realm, nonce, uri) = (text(&read.realm), text(&read.nonce), text(&read.uri));
    assert_eq!(uri, request.request_uri().to_string());
    assert_eq!(read.username, b"us");
    let hash = read.algorithm.hash;
    let ha1 = hash.hex(&[format!("us:{realm}:secret").as_bytes()]);
    // The ACK repeats what the INVITE proved.
    let method = match request.method() {
        Method::Ack => Method::Invite,
        method => method.clone(),
    };
    let ha2 = hash.hex(&[format!("{method}:{uri}").as_bytes()]);
    let (_, count) = read.qop.unwrap();
    let (digits, cnonce) = (text(&count.digits), text(&read.cnonce));
    let expected = hash.hex(&[format!("{ha1}:{nonce}:{digits}:{cnonce}:auth:{ha2}").as_bytes()]);
    assert_eq!(text(&read.response), expected);
    Some((realm, nonce, count.number))
}

fn of(realm: &str, nonce: &str, count: u32) -> Option<(String, String, u32)> {
    Some((realm.to_owned(), nonce.to_owned(), count))
}

#[test]
fn an_invite_is_proved_and_goes_on() {
    for (status, question, answer, realm, nonce) in [
        (401, MD5, "Authorization", "carrier", "n1"),
        (407, PROXY, "Proxy-Authorization", "proxy", "p1"),
    ] {
        let (mut host, first) = calling(&[PEER]);
        assert_eq!(proof(&first, answer), None);
        host.receive(challenge(status, question).to(&first));
        let second = request(&mut host);
        assert_eq!(proof(&second, answer), of(realm, nonce, 1));
        assert_eq!(second.cseq().number, 2);
        assert_eq!(second.call_id(), first.call_id());
        assert_eq!((second.from(), second.to()), (first.from(), first.to()));
        assert_ne!(second.via().branch(), first.via().branch());
        assert_eq!(second.body(), first.body());
        // A retransmission of the question gets its ACK and nothing else.
        host.receive(challenge(status, question).to(&first));
        assert_eq!(host.sent(), "ACK");
        host.receive(Reply::new(180, "b2").to(&second));
        host.receive(Reply::with_sdp(200, "b2").to(&second));
        assert_eq!(host.events(), "provisional:180 answered+sdp");
        let ack = parse_request(&host.sent_text().into());
        assert_eq!(ack.cseq().number, 2);
        assert_eq!(ack.header(answer), second.header(answer));
    }
}

#[test]
fn a_proxy_asks_and_then_the_carrier() {
    let (mut host, first) = calling(&[PEER]);
    host.receive(challenge(407, PROXY).to(&first));
    let second = request(&mut host);
    host.receive(challenge(401, MD5).to(&second));
    let third = request(&mut host);
    assert_eq!(third.cseq().number, 3);
    assert_eq!(proof(&third, "Proxy-Authorization"), of("proxy", "p1", 2));
    assert_eq!(proof(&third, "Authorization"), of("carrier", "n1", 1));
    assert_eq!(host.events(), "");
}

#[test]
fn it_is_given_up() {
    // Nothing to prove with.
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: outgoing(PEER),
    });
    let first = parse_request(&host.sent_text().into());
    host.receive(challenge(401, MD5).to(&first));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "failed:401")
    );
    // Nothing that can be proved.
    for question in [
        "",
        "WWW-Authenticate: Basic realm=\"x\"\r\n",
        "WWW-Authenticate: Digest realm=\"x\"\r\n",
    ] {
        let (mut host, first) = calling(&[PEER]);
        host.receive(challenge(401, question).to(&first));
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            ("ACK", "failed:401")
        );
        host.expect_idle();
    }
    // Refused twice.
    let (mut host, first) = calling(&[PEER]);
    host.receive(challenge(401, MD5).to(&first));
    let second = request(&mut host);
    host.receive(challenge(401, &MD5.replace("n1", "n2")).to(&second));
    let third = request(&mut host);
    host.receive(challenge(401, &MD5.replace("n1", "n3")).to(&third));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "failed:401")
    );
    host.expect_idle();
    // The same question again.
    let (mut host, first) = calling(&[PEER]);
    host.receive(challenge(401, MD5).to(&first));
    let second = request(&mut host);
    host.receive(challenge(401, MD5).to(&second));
    assert_eq!(host.events(), "failed:401");
}

#[test]
fn stale_is_no_refusal() {
    let (mut host, first) = calling(&[PEER]);
    host.receive(challenge(401, MD5).to(&first));
    let mut last = request(&mut host);
    for round in 2..=6 {
        let nonce = format!("n{round}");
        let question = MD5.replace("n1", &nonce).replace("qop", "stale=TRUE, qop");
        host.receive(challenge(401, &question).to(&last));
        last = request(&mut host);
        assert_eq!(proof(&last, "Authorization"), of("carrier", &nonce, 1));
    }
    let question = MD5.replace("n1", "n7").replace("qop", "stale=TRUE, qop");
    host.receive(challenge(401, &question).to(&last));
    assert_eq!(host.events(), "failed:401", "but it has an end");
}

#[test]
fn the_next_target_has_questions_of_its_own() {
    let (mut host, first) = calling(&[PEER, OTHER]);
    host.receive(challenge(401, MD5).to(&first));
    let second = request(&mut host);
    host.receive(Reply::new(503, "b1").to(&second));
    let third = request(&mut host);
    assert_eq!(proof(&third, "Authorization"), None);
    host.receive_from(OTHER, challenge(401, &MD5.replace("n1", "m1")).to(&third));
    let fourth = request(&mut host);
    assert_eq!(proof(&fourth, "Authorization"), of("carrier", "m1", 1));
}

#[test]
fn nothing_is_proved_where_a_redirection_leads() {
    let addresses = ["10.0.0.0/24".parse::<IpNet>().unwrap()];
    let invite = OutgoingInvite {
        credentials: credentials(),
        redirects: Redirects::Within(Arc::new(addresses.into_iter().collect())),
        ..*outgoing(PEER)
    };
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
    let first = request(&mut host);
    let moved = Reply {
        fields: "Contact: <sip:+85512345678@10.0.0.3>\r\n",
        ..Reply::new(302, "b1")
    };
    host.receive(moved.to(&first));
    let second = request(&mut host);
    host.receive_from(OTHER, challenge(401, MD5).to(&second));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "failed:401")
    );
}

#[test]
fn an_ack_elsewhere_proves_nothing() {
    let (mut host, first) = calling(&[PEER]);
    host.receive(challenge(401, MD5).to(&first));
    let second = request(&mut host);
    let answer = Reply::with_sdp(200, "b2").to(&second);
    host.receive(answer.replace("sip:bob@10.0.0.2", "sip:bob@192.0.2.66"));
    let (to, ack) = host.transmitted().remove(0);
    assert_eq!(to, udp("192.0.2.66:5060"));
    assert_eq!(parse_request(&ack).header("Authorization"), None);
}

/// A host in a call of ours that was proved once, with the INVITE; its answer has these header fields.
fn proved_call(fields: &str) -> (Host, Request) {
    let (mut host, first) = calling(&[PEER]);
    host.receive(challenge(401, MD5).to(&first));
    let second = request(&mut host);
    let answer = Reply {
        fields,
        ..Reply::with_sdp(200, "b2")
    };
    host.receive(answer.to(&second));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "answered+sdp")
    );
    (host, second)
}

const CONTACT: &str = "Contact: <sip:bob@10.0.0.2:5070>\r\nContent-Type: application/sdp\r\n";

fn hang_up(host: &mut Host) -> Request {
    host.command(Command::Bye {
        dialog: CALL,
        cause: None,
    });
    request(host)
}

#[test]
fn later_requests_prove_without_being_asked() {
    let (mut host, _) = proved_call(CONTACT);
    let bye = hang_up(&mut host);
    assert_eq!(proof(&bye, "Authorization"), of("carrier", "n1", 2));
    assert_eq!(bye.cseq().number, 3);
    host.receive(Reply::new(200, "").to(&bye));
    assert_eq!(host.events(), "terminated");
    host.expect_idle();
}

#[test]
fn a_bye_is_proved_anew() {
    let (mut host, _) = proved_call(CONTACT);
    let mut bye = hang_up(&mut host);
    for (round, nonce) in [(1, "n2"), (2, "n3"), (3, "n4")] {
        let question = MD5.replace("n1", nonce).replace("qop", "stale=true, qop");
        host.receive(challenge(401, &question).to(&bye));
        bye = request(&mut host);
        assert_eq!(proof(&bye, "Authorization"), of("carrier", nonce, 1));
        assert_eq!(bye.cseq().number, 3 + round);
    }
    assert_eq!(host.events(), "");
    host.receive(Reply::new(200, "").to(&bye));
    assert_eq!(host.events(), "terminated");
    host.expect_idle();
    // A call that no INVITE had to be proved for.
    let (mut host, first) = calling(&[PEER]);
    host.receive(Reply::with_sdp(200, "b1").to(&first));
    host.transmitted();
    let bye = hang_up(&mut host);
    assert_eq!(proof(&bye, "Proxy-Authorization"), None);
    host.receive(challenge(407, PROXY).to(&bye));
    let bye = request(&mut host);
    assert_eq!(proof(&bye, "Proxy-Authorization"), of("proxy", "p1", 1));
}

#[test]
fn an_invite_that_was_taken_leaves_a_clean_slate() {
    // A carrier that renews nonces without saying that the old one was stale: once for the INVITE, once for the BYE.
    let (mut host, first) = calling(&[PEER]);
    host.receive(challenge(401, MD5).to(&first));
    let second = request(&mut host);
    host.receive(challenge(401, &MD5.replace("n1", "n2")).to(&second));
    let third = request(&mut host);
    host.receive(Reply::with_sdp(200, "b2").to(&third));
    host.transmitted();
    let bye = hang_up(&mut host);
    assert_eq!(proof(&bye, "Authorization"), of("carrier", "n2", 2));
    host.receive(challenge(401, &MD5.replace("n1", "n3")).to(&bye));
    let bye = request(&mut host);
    assert_eq!(proof(&bye, "Authorization"), of("carrier", "n3", 1));
}

#[test]
fn a_bye_that_cannot_be_proved_ends_the_call_all_the_same() {
    let (mut host, _) = proved_call(CONTACT);
    let bye = hang_up(&mut host);
    host.receive(challenge(401, MD5).to(&bye));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("", "terminated")
    );
    host.expect_idle();
}

fn offer(host: &mut Host) -> Request {
    host.command(Command::Offer {
        dialog: CALL,
        sdp: SDP.into(),
    });
    request(host)
}

/// A carrier that asks for each hold and each resume, and renews its nonce without saying that the old one was stale.
#[test]
fn each_reinvite_is_proved_anew() {
    let (mut host, _) = proved_call(CONTACT);
    for round in 0..6 {
        let nonce = format!("m{round}");
        let first = offer(&mut host);
        host.receive(challenge(401, &MD5.replace("n1", &nonce)).to(&first));
        let second = request(&mut host);
        assert_eq!(second.cseq().number, first.cseq().number + 1);
        assert_eq!(second.body(), first.body());
        assert_eq!(proof(&second, "Authorization"), of("carrier", &nonce, 1));
        host.receive(Reply::with_sdp(200, "").to(&second));
        assert_eq!(host.events(), "offer-answered+sdp");
        let ack = parse_request(&host.sent_text().into());
        assert_eq!(ack.cseq().number, second.cseq().number);
        assert_eq!(ack.header("Authorization"), second.header("Authorization"));
    }
    // The same question twice ends it; the call goes on.
    let first = offer(&mut host);
    let last = MD5.replace("n1", "last");
    let asked = challenge(401, &last);
    host.receive(asked.to(&first));
    let second = request(&mut host);
    host.receive(asked.to(&second));
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("ACK", "offer-refused:401")
    );
    let bye = hang_up(&mut host);
    host.receive(Reply::new(200, "").to(&bye));
    host.expect_idle();
}

#[test]
fn the_ack_of_a_reinvite_elsewhere_proves_nothing() {
    let (mut host, _) = proved_call(CONTACT);
    let reinvite = offer(&mut host);
    assert_eq!(proof(&reinvite, "Authorization"), of("carrier", "n1", 2));
    let answer = Reply::with_sdp(200, "").to(&reinvite);
    host.receive(answer.replace("bob@10.0.0.2", "bob@192.0.2.66"));
    let (to, ack) = host.transmitted().remove(0);
    assert_eq!(to, udp("192.0.2.66:5060"));
    assert_eq!(parse_request(&ack).header("Authorization"), None);
}

#[test]
fn other_requests_within_are_proved_too() {
    type Ask = fn(&mut Host) -> Request;
    let info: Ask = |host| {
        host.command(Command::Info {
            dialog: CALL,
            content_type: "application/dtmf-relay".to_owned(),
            body: "Signal=5\r\n".into(),
        });
        request(host)
    };
    let refer: Ask = |host| {
        host.command(Command::Refer {
            dialog: CALL,
            to: "sip:+85587654321@10.0.0.2".to_owned(),
        });
        request(host)
    };
    let update: Ask = |host| {
        host.advance(Duration::from_secs(50));
        request(host)
    };
    let timed = format!(
        "{CONTACT}Allow: INVITE, UPDATE\r\nRequire: timer\r\nSession-Expires: 100;refresher=uac\r\n"
    );
    for (method, fields, ask) in [
        (Method::Info, CONTACT, info),
        (Method::Refer, CONTACT, refer),
        (Method::Update, &timed, update),
    ] {
        let (mut host, _) = proved_call(fields);
        let first = ask(&mut host);
        host.receive(challenge(407, PROXY).to(&first));
        let second = request(&mut host);
        assert_eq!(*second.method(), method);
        assert_eq!(second.cseq().number, first.cseq().number + 1);
        assert_eq!(second.body(), first.body());
        assert_eq!(proof(&second, "Proxy-Authorization"), of("proxy", "p1", 1));
        assert_eq!(proof(&second, "Authorization"), of("carrier", "n1", 3));
        host.receive(challenge(407, PROXY).to(&second));
        assert_eq!(host.sent(), "", "{method}: the same question again");
    }
}

#[test]
fn nothing_but_the_bye_is_proved_once_it_is_sent() {
    let (mut host, _) = proved_call(CONTACT);
    let reinvite = offer(&mut host);
    let bye = hang_up(&mut host);
    host.receive(challenge(401, &MD5.replace("n1", "n2")).to(&reinvite));
    assert_eq!(host.sent(), "ACK");
    host.receive(challenge(401, &MD5.replace("n1", "n3")).to(&bye));
    let bye = request(&mut host);
    assert_eq!(proof(&bye, "Authorization"), of("carrier", "n3", 1));
    host.receive(Reply::new(200, "").to(&bye));
    assert_eq!(host.events(), "terminated");
    host.expect_idle();
}

#[test]
fn in_a_call_of_ours_nothing_is_proved_elsewhere() {
    // The peer's Contact or its proxy's Record-Route leads to somebody the credentials are not for.
    for fields in [
        "Contact: <sip:bob@192.0.2.66>\r\nContent-Type: application/sdp\r\n",
        "Record-Route: <sip:192.0.2.66;lr>\r\nContact: <sip:bob@10.0.0.2>\r\nContent-Type: application/sdp\r\n",
    ] {
        let (mut host, _) = proved_call(fields);
        host.command(Command::Bye {
            dialog: CALL,
            cause: None,
        });
        let (to, bye) = host.transmitted().remove(0);
        assert_eq!(to, udp("192.0.2.66:5060"));
        let bye = parse_request(&bye);
        assert_eq!(bye.header("Authorization"), None);
        host.receive_from("192.0.2.66:5060", challenge(401, MD5).to(&bye));
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            ("", "terminated")
        );
    }
}

/// The leak that every second client had: the peer calls us, and asks us to prove who hangs up.
#[test]
fn in_a_call_of_the_peer_nothing_is_proved() {
    let (mut host, _) = talking_to_us();
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    let bye = request(&mut host);
    host.receive(challenge(407, &format!("{MD5}{PROXY}")).to(&bye));
    host.advance(Duration::from_secs(100));
    assert_eq!(host.sent(), "");
    assert_eq!(host.events(), "terminated");
    host.expect_idle();
}

#[test]
fn a_call_that_was_taken_back_is_not_proved() {
    let (mut host, first) = calling(&[PEER]);
    host.receive(Reply::new(100, "").to(&first));
    host.command(Command::Cancel {
        dialog: CALL,
        cause: None,
    });
    host.receive(challenge(401, MD5).to(&first));
    assert_eq!(host.sent(), "CANCEL ACK");
    assert_eq!(host.events(), "failed:401");
}

fn question(targets: &[&str]) -> Question {
    Question {
        method: Method::Register,
        targets: targets.iter().map(|target| udp(target)).collect(),
        routes: Vec::new(),
        advertised: None,
        request_uri: "sip:provider.example".to_owned(),
        from: "sip:us@provider.example".to_owned(),
        to: "sip:us@provider.example".to_owned(),
        call_id: Some("registration-1".to_owned()),
        cseq: 7,
        headers: vec![
            ("Contact".to_owned(), "<sip:us@10.0.0.1>".to_owned()),
            ("Expires".to_owned(), "600".to_owned()),
        ],
        credentials: credentials(),
        within: None,
    }
}

fn ask(host: &mut Host, request: u64, question: Question) {
    host.command(Command::Ask {
        request: RequestId(request),
        ask: Box::new(question),
    });
}

#[test]
fn a_question_is_asked_and_proved() {
    let mut host = Host::new();
    ask(&mut host, 1, question(&[PEER]));
    let first = request(&mut host);
    assert_eq!(*first.method(), Method::Register);
    assert_eq!(first.request_uri().to_string(), "sip:provider.example");
    assert_eq!(
        (first.call_id().as_ref(), first.cseq().number),
        ("registration-1", 7)
    );
    assert_eq!(
        first.header("Contact").as_deref(),
        Some("<sip:us@10.0.0.1>")
    );
    host.receive(Reply::new(100, "").to(&first));
    host.receive(challenge(401, MD5).to(&first));
    let second = request(&mut host);
    assert_eq!(second.cseq().number, 8);
    assert_eq!(second.from(), first.from());
    assert_eq!(proof(&second, "Authorization"), of("carrier", "n1", 1));
    host.receive(Reply::new(200, "b1").to(&second));
    host.receive(Reply::new(200, "b1").to(&second));
    assert_eq!(host.answered(), "1:200");
    host.expect_idle();
}

#[test]
fn what_comes_of_a_question() {
    // Silence; then the next target.
    let mut host = Host::new();
    ask(&mut host, 1, question(&[PEER, OTHER]));
    host.advance(Duration::from_secs(32));
    let sent = host.transmitted();
    assert_eq!(sent.len(), 12);
    assert_eq!(sent[11].0, udp(OTHER));
    host.advance(Duration::from_secs(32));
    assert_eq!(host.answered(), "1:timeout");
    host.expect_idle();
    // 503; then the next target, whose answer counts.
    let mut host = Host::new();
    ask(&mut host, 2, question(&[PEER, OTHER]));
    let first = request(&mut host);
    host.receive(Reply::new(503, "b1").to(&first));
    let second = request(&mut host);
    assert_eq!(second.cseq().number, 7);
    host.receive_from(OTHER, Reply::new(403, "b2").to(&second));
    assert_eq!(host.answered(), "2:403");
    // A question that cannot be written, or has nowhere to go.
    for broken in [
        question(&[]),
        Question {
            request_uri: "sip:a b".to_owned(),
            ..question(&[PEER])
        },
        Question {
            headers: vec![("Via".to_owned(), "x".to_owned())],
            ..question(&[PEER])
        },
        Question {
            headers: vec![("X".to_owned(), "a\r\nVia: b".to_owned())],
            ..question(&[PEER])
        },
        Question {
            call_id: Some("a b".to_owned()),
            ..question(&[PEER])
        },
    ] {
        ask(&mut host, 3, broken);
        assert_eq!(
            (host.sent().as_str(), host.answered().as_str()),
            ("", "3:unreachable")
        );
    }
    // An id is used once at a time.
    ask(&mut host, 4, question(&[PEER]));
    ask(&mut host, 4, question(&[PEER]));
    assert_eq!(host.sent(), "REGISTER");
    assert_eq!(host.endpoint.counters().commands_ignored, 1);
    host.advance(Duration::from_secs(32));
    assert_eq!(host.answered(), "4:timeout");
    host.expect_idle();
}

#[test]
fn a_wrong_password_is_told() {
    let mut host = Host::new();
    ask(&mut host, 1, question(&[PEER]));
    for (nonce, answered) in [("n1", ""), ("n2", ""), ("n3", "1:401")] {
        let last = request(&mut host);
        host.receive(challenge(401, &MD5.replace("n1", nonce)).to(&last));
        assert_eq!(host.answered(), answered);
    }
    assert_eq!(host.sent(), "");
}

/// One endpoint of ours proves itself to another.
#[test]
fn both_ends_agree() {
    let mut server = Host::new();
    let mut users = Users::new("sip.example").unwrap();
    users
        .add("sip.example", "us", "secret", PeerRules::default())
        .unwrap();
    server.endpoint.set_users(users);
    let invite = OutgoingInvite {
        credentials: credentials(),
        headers: vec![("Subject".to_owned(), "as long as INVITEs are ".repeat(8))],
        ..*outgoing(PEER)
    };
    let mut client = Host::new();
    client.command(Command::Invite {
        dialog: CALL,
        invite: Box::new(invite),
    });
    // The client seems to come from an address that is no peer's.
    let elsewhere = "203.0.113.9:5060";
    for _ in 0..2 {
        for (_, bytes) in client.transmitted() {
            server.receive_from(elsewhere, &bytes);
        }
        for (_, bytes) in server.transmitted() {
            client.receive(&bytes);
        }
    }
    let incoming = server.incoming();
    assert_eq!(&*incoming[0].user.as_ref().unwrap().name, "us");
    let read = Authorization::read(
        incoming[0]
            .request
            .header("Authorization")
            .unwrap()
            .as_bytes(),
    );
    assert_eq!(read.unwrap().algorithm.hash, Hash::Sha256);
}
