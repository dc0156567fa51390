//! The value of one authentication header field, as a challenge and as a proof: nothing panics, a stranger is not let in,
//! and what we send in answer can be read.

#![no_main]

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use jackfield_sip::digest::{Authorization, Challenge, Credentials, Users};
use jackfield_sip::{
    Command, Config, DialogId, Endpoint, Hop, Input, Message, OutgoingInvite, Output, PeerRules,
    parse,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    let _ = (Challenge::read(value).count(), Authorization::read(value));
    as_proof(value);
    as_challenge(value);
});

fn endpoint() -> Endpoint {
    Endpoint::new(
        Config::new("10.0.0.1:5060".parse().expect("an address")),
        [1; 32],
    )
}

fn as_proof(value: &[u8]) {
    let mut users = Users::new("sip.example").expect("a realm");
    users
        .add("sip.example", "gw", "secret", PeerRules::default())
        .expect("a user");
    let mut endpoint = endpoint();
    endpoint.set_users(users);
    let invite = [
        &b"INVITE sip:1294@sip.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
           To: <sip:1294@sip.example>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nAuthorization: "[..],
        value,
        b"\r\n\r\n",
    ];
    let from = Hop::udp("203.0.113.5:5060".parse().expect("an address"));
    endpoint.handle(
        Instant::now(),
        Input::Received {
            from,
            bytes: invite.concat().into(),
        },
    );
    assert_eq!((endpoint.dialogs(), endpoint.transactions()), (0, 0));
}

fn as_challenge(value: &[u8]) {
    let hop = Hop::udp("10.0.0.2:5060".parse().expect("an address"));
    let [to, from] = ["sip:c@d", "sip:a@b"].map(str::to_owned);
    let invite = OutgoingInvite {
        sdp: Bytes::from_static(b"v=0\r\n"),
        credentials: Credentials::new("us", "secret", None).ok().map(Arc::new),
        ..OutgoingInvite::new(hop, to.clone(), from, to)
    };
    let (now, mut endpoint) = (Instant::now(), endpoint());
    let (dialog, invite) = (DialogId(2), Box::new(invite));
    endpoint.handle(now, Input::Command(Command::Invite { dialog, invite }));
    let Some(Output::Transmit { bytes, .. }) = endpoint.poll() else {
        return;
    };
    let sent = String::from_utf8_lossy(&bytes);
    let repeated = sent.lines().filter(|line| {
        ["Via:", "From:", "To:", "Call-ID:", "CSeq:"]
            .iter()
            .any(|name| line.starts_with(name))
    });
    let repeated: String = repeated.map(|line| format!("{line}\r\n")).collect();
    let response = [
        b"SIP/2.0 401 Unauthorized\r\n",
        repeated.as_bytes(),
        b"WWW-Authenticate: ",
        value,
        b"\r\n\r\n",
    ];
    endpoint.handle(
        now,
        Input::Received {
            from: hop,
            bytes: response.concat().into(),
        },
    );
    while let Some(output) = endpoint.poll() {
        if let Output::Transmit { bytes, .. } = output {
            assert!(matches!(parse(&bytes), Ok(Message::Request(_))));
        }
    }
}
