//! What holds for any bytes at all. The fuzz target includes this file, and the test replays its corpus through it.

use jackfield_sdp::{
    AddressPolicy, Codec, Direction, Local, accept, answer, answer_again, offer_again,
};

/// A description as an offer and as an answer: what we agree on is an address that can be meant, and our answer is one that
/// the peer can read.
pub(crate) fn sdp(bytes: &[u8]) {
    let ours = local("192.0.2.1:30000");
    if let Ok(agreed) = accept(bytes, &ours) {
        expect_honest(agreed.remote, agreed.direction);
    }
    let Ok(agreed) = answer(bytes, &ours) else {
        return;
    };
    expect_honest(agreed.remote, agreed.direction);
    assert!((1..=200).contains(&agreed.ptime_ms));
    let theirs = answer(&agreed.description, &local("198.51.100.9:40000"));
    let theirs = theirs.expect("our answer can be read");
    assert_eq!((theirs.codec, theirs.remote), (agreed.codec, ours.address));
    // The same offer again changes nothing, and so no version.
    let mut again = ours.clone();
    let second = answer_again(bytes, &mut again, &agreed.description);
    assert_eq!((second.as_ref(), &again), (Ok(&agreed), &ours));
    let _ = offer_again(&mut again, bytes);
}

fn expect_honest(remote: std::net::SocketAddr, direction: Direction) {
    let is_held = remote.ip().is_unspecified() && !direction.sends();
    assert!(is_held || !remote.ip().is_unspecified(), "{remote}");
    assert!(
        !remote.ip().is_multicast() && !remote.ip().is_loopback(),
        "{remote}"
    );
    assert!(is_held || remote.port() >= 1024, "{remote}");
}

fn local(address: &str) -> Local {
    Local {
        address: address.parse().expect("an address"),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        session_id: 1,
        version: 1,
        policy: AddressPolicy::default(),
    }
}
