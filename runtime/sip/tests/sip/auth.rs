//! Users: requests from addresses that are no peer's, let in by a password (RFC 3261 §22, RFC 7616, RFC 8760).

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_sip::digest::{Algorithm, Challenge, Hash, Users};
use jackfield_sip::{Command, Config, Hop, PeerRules, Transport};

use crate::host::{Ask, FIRST, Host, INVITE, SDP, US, kind, origin, parse_response, to_tag};

/// Where a gateway behind a NAT speaks from.
const GATEWAY: &str = "203.0.113.5:40000";

/// A host with one user; nobody outside 10.0.0.0/8 is its peer.
fn guarded() -> Host {
    guarded_with(PeerRules::default())
}

fn guarded_with(rules: PeerRules) -> Host {
    letting_in(Host::new(), rules)
}

fn letting_in(mut host: Host, rules: PeerRules) -> Host {
    let mut users = Users::new("sip.example").unwrap();
    users.add("sip.example", "gw", "secret", rules).unwrap();
    host.endpoint.set_users(users);
    host
}

/// The INVITE of the gateway, with more header fields.
fn invite(cseq: u32, fields: &str) -> String {
    let usual = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY\r\nSupported: replaces\r\nUser-Agent: Gateway 1.0 (32 ports)\r\n";
    let fields = format!("{fields}{usual}{}", INVITE.fields);
    let branch = format!("one{cseq}");
    let invite = Ask {
        cseq,
        branch: &branch,
        fields: &fields,
        ..INVITE
    };
    invite
        .text()
        .replace("10.0.0.2;branch", "192.168.1.9;rport;branch")
}

/// The challenges of a 401.
fn challenges(response: &str) -> Vec<Challenge> {
    let response = parse_response(response);
    assert_eq!(response.status(), 401);
    let fields = response.headers();
    let asked = fields.filter(|(name, _)| name.eq_ignore_ascii_case("WWW-Authenticate"));
    let asked: Vec<_> = asked.map(|(_, value)| value.into_owned()).collect();
    asked
        .iter()
        .flat_map(|value| Challenge::read(value.as_bytes()).collect::<Vec<_>>())
        .collect()
}

/// The field that answers a challenge to an INVITE for 1294.
fn authorization(challenge: &Challenge, password: &str, count: u32) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (realm, nonce) = (text(&challenge.realm), text(&challenge.nonce));
    let hash = challenge.algorithm().hash;
    let ha1 = hash.hex(&[format!("gw:{realm}:{password}").as_bytes()]);
    let ha2 = hash.hex(&[b"INVITE:sip:1294@10.0.0.1"]);
    let proof = hash.hex(&[format!("{ha1}:{nonce}:{count:08x}:c:auth:{ha2}").as_bytes()]);
    format!(
        "Authorization: Digest username=\"gw\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"sip:1294@10.0.0.1\", \
         response=\"{proof}\", algorithm={}, cnonce=\"c\", qop=auth, nc={count:08x}\r\n",
        challenge.algorithm().name()
    )
}

/// Sends an INVITE without proof and gives what was asked.
fn ask(host: &mut Host) -> Vec<Challenge> {
    host.receive_from(GATEWAY, invite(1, ""));
    challenges(&host.sent_text())
}

fn is_untouched(host: &mut Host) -> bool {
    let state = (host.endpoint.dialogs(), host.endpoint.transactions());
    state == (0, 0) && host.incoming().is_empty()
}

#[test]
fn a_user_calls() {
    for (index, hash) in [Hash::Sha256, Hash::Sha512_256, Hash::Md5]
        .into_iter()
        .enumerate()
    {
        let mut host = guarded();
        let asked = ask(&mut host);
        assert!(is_untouched(&mut host));
        assert_eq!(asked[index].algorithm().hash, hash, "most preferred first");
        host.receive_from(
            GATEWAY,
            invite(2, &authorization(&asked[index], "secret", 1)),
        );
        let answers = host.transmitted();
        assert_eq!(kind(&answers[0].1), "100");
        assert_eq!(answers[0].0, Hop::udp(GATEWAY.parse().unwrap()));
        let incoming = host.incoming().remove(0);
        let user = incoming.user.unwrap();
        assert_eq!((&*user.realm, &*user.name), ("sip.example", "gw"));
        // From here it is a call like any other.
        host.command(Command::Answer {
            dialog: FIRST,
            sdp: SDP.into(),
        });
        let tag = to_tag(&host.sent_text());
        host.receive_from(GATEWAY, Ask::ack(2, &tag).text());
        host.receive_from(GATEWAY, Ask::within("BYE", 3, &tag).text());
        assert_eq!(
            (host.sent().as_str(), host.events().as_str()),
            ("200", "acked bye")
        );
        host.expect_idle();
    }
}

#[test]
fn without_users_nobody_is_asked() {
    let mut host = Host::new();
    host.receive_from(GATEWAY, invite(1, ""));
    assert_eq!(host.sent(), "403");
    host.endpoint.set_users(Users::new("sip.example").unwrap());
    host.receive_from(GATEWAY, invite(1, ""));
    assert_eq!(host.sent(), "403");
    assert_eq!(host.endpoint.counters().refused, 2);
}

#[test]
fn a_peer_is_not_asked() {
    let mut host = guarded();
    host.receive(INVITE.text());
    assert_eq!(host.sent(), "100");
    assert_eq!(host.incoming()[0].user, None);
}

#[test]
fn only_what_users_may_do_is_asked_for() {
    for (method, expected) in [
        ("OPTIONS", "403"),
        ("MESSAGE", "403"),
        ("SUBSCRIBE", "403"),
        ("REGISTER", "401"),
    ] {
        let mut host = guarded();
        let fields = "Contact: <sip:gw@192.168.1.9:5060>\r\nExpires: 600\r\nUser-Agent: Gateway 1.0 (32 ports)\r\n";
        let ask = Ask {
            fields,
            ..Ask::within(method, 1, "")
        };
        host.receive_from(GATEWAY, ask.text());
        assert_eq!(host.sent(), expected, "{method}");
        assert!(is_untouched(&mut host));
    }
}

#[test]
fn each_copy_is_asked_the_same() {
    let mut host = guarded();
    host.receive_from(GATEWAY, invite(1, ""));
    let first = host.sent_text();
    host.advance(Duration::from_millis(500));
    host.receive_from(GATEWAY, invite(1, ""));
    assert_eq!(host.sent_text(), first);
    assert_eq!(host.endpoint.counters().challenged, 2);
    let ack = Ask::ack(1, &to_tag(&first)).text();
    host.receive_from(GATEWAY, ack);
    assert_eq!(host.sent(), "");
    assert!(is_untouched(&mut host));
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_alike() {
    let mut host = guarded();
    let asked = ask(&mut host);
    let wrong = authorization(&asked[0], "guess", 1);
    let unknown = wrong.replace("username=\"gw\"", "username=\"xy\"");
    let mut answers = Vec::new();
    for authorization in [wrong, unknown] {
        host.receive_from(GATEWAY, invite(2, &authorization));
        answers.push(host.sent_text());
    }
    assert_eq!(answers[0], answers[1]);
    assert!(challenges(&answers[0]).iter().all(|asked| !asked.is_stale));
    assert!(is_untouched(&mut host));
}

#[test]
fn a_replay_finds_nothing() {
    let mut host = guarded();
    let asked = ask(&mut host);
    let authorization = authorization(&asked[0], "secret", 1);
    host.receive_from(GATEWAY, invite(2, &authorization));
    assert_eq!(host.sent(), "100");
    host.receive_from(GATEWAY, invite(2, &authorization));
    assert_eq!(host.sent(), "100", "a retransmission is no replay");
    let replay = invite(3, &authorization);
    host.receive_from(GATEWAY, &replay);
    assert!(challenges(&host.sent_text())[0].is_stale);
    // Nor from elsewhere.
    let elsewhere = "198.51.100.9:40000";
    host.receive_from(elsewhere, &replay);
    assert!(challenges(&host.sent_text())[0].is_stale);
    assert_eq!(host.incoming().len(), 1);
}

#[test]
fn an_old_nonce_is_renewed_without_a_guess() {
    let mut host = guarded();
    let asked = ask(&mut host);
    host.advance(Duration::from_secs(31));
    host.receive_from(GATEWAY, invite(2, &authorization(&asked[0], "secret", 1)));
    let renewed = challenges(&host.sent_text());
    assert!(renewed[0].is_stale && renewed[0].nonce != asked[0].nonce);
    host.receive_from(GATEWAY, invite(3, &authorization(&renewed[0], "secret", 1)));
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("100", 1));
}

#[test]
fn guessing_is_slow_and_leaves_nothing() {
    let mut host = guarded();
    let mut guesses = 0;
    for cseq in 0..2000 {
        let second = cseq * 2 + 1;
        host.receive_from(GATEWAY, invite(second, ""));
        let asked = challenges(&host.sent_text());
        // The seventh guess within a minute would be right.
        let password = if cseq % 100 == 7 { "secret" } else { "guess" };
        host.receive_from(
            GATEWAY,
            invite(second + 1, &authorization(&asked[0], password, 1)),
        );
        assert_eq!(host.sent(), "401");
        guesses += 1;
        if guesses == 100 {
            host.advance(Duration::from_secs(60));
            guesses = 0;
        }
    }
    assert!(is_untouched(&mut host));
}

/// How the size of a request bounds the answer: bytes out to bytes in at most 3 to 2 for a source that nobody vouches for.
#[test]
fn nobody_is_flooded_through_us() {
    let register = "REGISTER sip:h SIP/2.0\r\nv:SIP/2.0/UDP h;rport\r\nf:sip:a;tag=1\r\nt:sip:a\r\ni:x\r\nCSeq:1 REGISTER\r\n";
    let mut answered = Vec::new();
    for padding in (0..1000).step_by(10) {
        let mut host = guarded();
        let text = format!("{register}s:{}\r\n\r\n", "x".repeat(padding));
        host.receive_from(GATEWAY, &text);
        let answers = host.transmitted();
        let bytes: usize = answers.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(
            2 * bytes <= 3 * text.len(),
            "{bytes} > 1.5 * {}",
            text.len()
        );
        let withheld = host.endpoint.counters().answers_withheld;
        assert_eq!(answers.len() as u64 + withheld, 1);
        let offered = answers.first().map_or(0, |(_, bytes)| {
            challenges(std::str::from_utf8(bytes).unwrap()).len()
        });
        answered.push(offered);
    }
    // With room come algorithms, and what everybody speaks stays to the last.
    assert!(answered.is_sorted());
    answered.dedup();
    assert_eq!(answered, [0, 1, 2, 3]);
    // A connection has shown where it comes from.
    let mut host = guarded();
    let text = format!("{register}l:0\r\n\r\n").replace("UDP", "TCP");
    let tcp = Hop::new(Transport::Tcp, GATEWAY.parse().unwrap());
    host.receive_over(tcp, &text);
    assert_eq!(challenges(&host.sent_text()).len(), 3);
}

/// Old equipment gives up where it meets an algorithm it does not know, whatever else is offered.
#[test]
fn only_what_is_configured_is_offered_and_taken() {
    let config = Config {
        digest: vec![Hash::Md5],
        ..Config::new(US.parse().unwrap())
    };
    let mut host = letting_in(Host::with(config, 1, origin()), PeerRules::default());
    let asked = ask(&mut host);
    let algorithms: Vec<_> = asked.iter().map(|one| one.algorithm().hash).collect();
    assert_eq!(algorithms, [Hash::Md5]);
    let stronger = Challenge {
        algorithm: Algorithm::of(b"SHA-256"),
        ..asked[0].clone()
    };
    host.receive_from(GATEWAY, invite(2, &authorization(&stronger, "secret", 1)));
    assert_eq!(host.sent(), "401");
    host.receive_from(GATEWAY, invite(3, &authorization(&asked[0], "secret", 1)));
    assert_eq!(host.sent(), "100");
}

#[test]
fn what_equipment_sends_has_room() {
    // An INVITE as short as they come, and a bare REGISTER of a small gateway.
    let mut host = guarded();
    let sdp = "v=0\r\no=- 1 1 IN IP4 192.168.1.9\r\ns=-\r\nc=IN IP4 192.168.1.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
    let fields = "Contact: <sip:gw@192.168.1.9>\r\nContent-Type: application/sdp\r\n";
    let invite = Ask {
        fields,
        body: sdp,
        ..INVITE
    };
    host.receive_from(GATEWAY, invite.text());
    assert_eq!(challenges(&host.sent_text()).len(), 2);
    let bare = "Contact: <sip:gw@192.168.1.9:5060>\r\nExpires: 600\r\n";
    let usual = "Contact: <sip:gw@192.168.1.9:5060;transport=udp>\r\nExpires: 600\r\nUser-Agent: Gateway 1.0 (32 ports)\r\n\
                 Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, REFER\r\nSupported: replaces, path\r\n";
    for (fields, offered) in [(bare, 1), (usual, 3)] {
        let register = Ask {
            fields,
            ..Ask::within("REGISTER", 1, "")
        };
        host.receive_from(GATEWAY, register.text());
        assert_eq!(challenges(&host.sent_text()).len(), offered);
    }
}

#[test]
fn a_user_is_spoken_to_by_his_rules() {
    let advertised: SocketAddr = "198.51.100.1:5060".parse().unwrap();
    let rules = PeerRules {
        advertised: Some(advertised),
        to_source: true,
        ..PeerRules::default()
    };
    let mut host = guarded_with(rules);
    let asked = ask(&mut host);
    let contact = authorization(&asked[0], "secret", 1);
    host.receive_from(
        GATEWAY,
        invite(2, &contact).replace(
            "alice@10.0.0.2>\r\nContent-Type",
            "alice@192.168.1.9>\r\nContent-Type",
        ),
    );
    assert_eq!(host.sent(), "100");
    host.command(Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    let answer = host.sent_text();
    assert!(
        answer.contains("Contact: <sip:198.51.100.1:5060>\r\n"),
        "{answer}"
    );
    host.receive_from(GATEWAY, Ask::ack(2, &to_tag(&answer)).text());
    host.command(Command::Bye {
        dialog: FIRST,
        cause: None,
    });
    let (to, bye) = host.transmitted().remove(0);
    assert_eq!(
        (to, kind(&bye).as_str()),
        (Hop::udp(GATEWAY.parse().unwrap()), "BYE")
    );
}

#[test]
fn the_peer_cannot_end_what_it_did_not_begin() {
    // A CANCEL from the gateway takes its own INVITE back.
    let mut host = guarded();
    let asked = ask(&mut host);
    host.receive_from(GATEWAY, invite(2, &authorization(&asked[0], "secret", 1)));
    assert_eq!(host.sent(), "100");
    let cancel = Ask {
        branch: "one2",
        ..Ask::within("CANCEL", 2, "")
    };
    let cancel = cancel
        .text()
        .replace("10.0.0.2;branch", "192.168.1.9;rport;branch");
    host.receive_from("198.51.100.9:40000", &cancel);
    assert_eq!((host.sent().as_str(), host.events().as_str()), ("", ""));
    host.receive_from(GATEWAY, &cancel);
    assert_eq!(
        (host.sent().as_str(), host.events().as_str()),
        ("200 487", "canceled")
    );
}
