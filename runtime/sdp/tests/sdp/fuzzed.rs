//! What holds for any bytes at all. The fuzz target includes this file, and the test replays its corpus through it.

use jackfield_sdp::{
    Codec, Direction, Local, LocalSecurity, OurKeys, Security, accept, answer, answer_again,
    offer_again,
};

/// A description as an offer and as an answer, to a simple telephone and to one that can everything: what we agree on is an address
/// that can be meant, and our answer is one that the peer can read.
pub(crate) fn sdp(bytes: &[u8]) {
    for policy in [Security::None, Security::Offer, Security::Require] {
        described(bytes, policy);
    }
}

fn described(bytes: &[u8], policy: Security) {
    let ours = local("192.0.2.1:30000", policy);
    if let Ok(agreed) = accept(bytes, &ours) {
        expect_honest(agreed.remote, agreed.direction);
    }
    let Ok(agreed) = answer(bytes, &ours) else {
        return;
    };
    expect_honest(agreed.remote, agreed.direction);
    assert!(matches!(agreed.ptime_ms, 10 | 20 | 30 | 40 | 50 | 60));
    assert!(agreed.srtp.is_some() || policy != Security::Require);
    assert!(agreed.srtp.is_none() || policy != Security::None);
    let theirs = answer(&agreed.description, &local("198.51.100.9:40000", policy));
    let theirs = theirs.expect("our answer can be read");
    assert_eq!((theirs.codec, theirs.remote), (agreed.codec, ours.address));
    assert_eq!(theirs.srtp.is_some(), agreed.srtp.is_some());
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

/// A telephone, or where encryption is wanted one that can everything.
fn local(address: &str, policy: Security) -> Local {
    let address = address.parse().expect("an address");
    if policy == Security::None {
        return Local::new(address, 1);
    }
    Local {
        codecs: Codec::ALL.to_vec(),
        comfort_noise: true,
        rtcp_mux: true,
        security: LocalSecurity {
            policy,
            signalling_is_secure: true,
            keys: OurKeys::new([7; OurKeys::RANDOM_BYTES]),
        },
        ..Local::new(address, 1)
    }
}
