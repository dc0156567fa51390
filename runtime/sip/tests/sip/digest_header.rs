//! Any value of an authentication header field, as a challenge to us and as a stranger's proof.

use std::path::PathBuf;
use std::sync::Arc;

use jackfield_sip::digest::{Authorization, Challenge, Credentials, Users};
use jackfield_sip::{Command, DialogId, OutgoingInvite, PeerRules, Request};
use proptest::prelude::*;

use crate::host::{Ask, Host, INVITE, PEER, Reply, kind, outgoing, parse_request};

/// A message with the value in place of its `???`.
fn with(text: &str, value: &[u8]) -> Vec<u8> {
    let (before, after) = text.split_once("???").unwrap();
    [before.as_bytes(), value, after.as_bytes()].concat()
}

/// Nobody gets in who does not know the password.
fn as_proof(value: &[u8]) {
    let mut users = Users::new("10.0.0.1").unwrap();
    users
        .add("10.0.0.1", "gw", "secret", PeerRules::default())
        .unwrap();
    let mut host = Host::new();
    host.endpoint.set_users(users);
    let fields = format!("Authorization: ???\r\n{}", INVITE.fields);
    let invite = Ask {
        fields: &fields,
        ..INVITE
    };
    host.receive_from("203.0.113.5:5060", with(&invite.text(), value));
    assert!(matches!(host.sent().as_str(), "401" | ""));
    assert_eq!(
        (host.endpoint.dialogs(), host.endpoint.transactions()),
        (0, 0)
    );
}

/// We answer with one INVITE or none, and what its fields say can be read again.
fn as_challenge(value: &[u8]) {
    let credentials = Credentials::new("us", "secret", None).unwrap();
    let invite = OutgoingInvite {
        credentials: Some(Arc::new(credentials)),
        ..*outgoing(PEER)
    };
    let mut host = Host::new();
    host.command(Command::Invite {
        dialog: DialogId(2),
        invite: Box::new(invite),
    });
    let first = parse_request(&host.sent_text().into());
    let question = Reply {
        fields: "WWW-Authenticate: ???\r\n",
        ..Reply::new(401, "b1")
    };
    host.receive(with(&question.to(&first), value));
    let sent = host.transmitted();
    let invites = sent.iter().filter(|(_, bytes)| kind(bytes) == "INVITE");
    let invites: Vec<Request> = invites.map(|(_, bytes)| parse_request(bytes)).collect();
    assert!(invites.len() <= 1);
    for invite in &invites {
        let values = invite.headers();
        let proofs: Vec<_> = values
            .filter(|(name, _)| name == "Authorization")
            .map(|(_, value)| value.into_owned())
            .collect();
        assert!(!proofs.is_empty());
        assert!(first.headers().count() + proofs.len() == invite.headers().count());
    }
}

fn check(value: &[u8]) {
    let _ = (Challenge::read(value).count(), Authorization::read(value));
    as_proof(value);
    as_challenge(value);
}

#[test]
fn the_corpus_does_no_harm() {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/digest_header");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    files.sort();
    assert!(files.len() >= 18, "{} files", files.len());
    for file in files {
        check(&std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    }
}

/// Pieces of fields, put together in any way.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "Digest ",
        "Basic ",
        "realm=",
        "nonce=",
        "qop=",
        "algorithm=",
        "username=",
        "uri=",
        "response=",
        "cnonce=",
        "nc=",
        "opaque=",
        "stale=true",
        "\"",
        "\\",
        ",",
        " ",
        "=",
        "a",
        "\"10.0.0.1\"",
        "\"gw\"",
        "auth",
        "auth-int",
        "MD5",
        "SHA-256-sess",
        "00000001",
        "\"sip:1294@10.0.0.1\"",
        "6629fae49393a05397450978507c4ef1",
        "\r\n ",
        "\u{e4}",
        "\0",
    ];
    let pieces = prop::sample::select(pieces.to_vec());
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_harms(value in prop_oneof![nearly(), prop::collection::vec(any::<u8>(), 0..200)]) {
        check(&value);
    }
}
