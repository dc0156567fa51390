//! Keys of the audio.

use super::*;

const OUR_KEYS: sdp::OurKeys = sdp::OurKeys::new([3; sdp::OurKeys::RANDOM_BYTES]);

/// An offer with this profile and, with its tag, this key.
fn offer(profile: &str, key: Option<(u32, char)>) -> String {
    let plain = OFFER.replace("RTP/AVP", profile);
    let crypto = key.map(|(tag, letter)| {
        let key = letter.to_string().repeat(40);
        format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n")
    });
    plain + &crypto.unwrap_or_default()
}

/// A call that is up with this offer, over a trunk that would like encryption and signals over TLS; and where its audio flows.
fn up_with(offer: &str) -> (Run, MediaPath) {
    let security = sdp::LocalSecurity {
        policy: sdp::Security::Offer,
        signalling_is_secure: true,
        keys: OUR_KEYS,
    };
    let leg = InboundLeg {
        dialog: DialogId(1),
        offer: Some(bytes(offer)),
        local: sdp::Local {
            security,
            ..local()
        },
    };
    let mut run = Run {
        call: Call::inbound(start(), leg, LIMITS),
        now: start(),
    };
    run.feed(command(Command::Answer));
    let (_, path) = exchanged(&mut run, sip::Event::Acked { sdp: None });
    (run, path.expect("audio flows"))
}

#[test]
fn what_begins_encrypted_stays_so() {
    for profile in ["RTP/SAVP", "RTP/AVP"] {
        let (mut run, path) = up_with(&offer(profile, Some((4, 'A'))));
        let keys = path.srtp.expect("keys");
        let suite = sdp::CryptoSuite::AesCm128HmacSha1_80;
        assert_eq!(keys.send, OUR_KEYS.of(suite));
        assert_eq!(keys.receive.bytes(), [0; 30]);
        // No later offer does without.
        assert_eq!(
            offered(&mut run, Some(&offer("RTP/AVP", None))),
            ("488".to_owned(), None)
        );
        // Another key is another path.
        let (said, path) = offered(&mut run, Some(&offer(profile, Some((9, 'B')))));
        assert!(
            said.contains("a=crypto:9 AES_CM_128_HMAC_SHA1_80 "),
            "{said}"
        );
        let rekeyed = path.and_then(|path| path.srtp).expect("keys");
        assert_ne!(rekeyed.receive, keys.receive);
    }
}

#[test]
fn a_refresh_keeps_the_keys() {
    let (mut run, path) = up_with(&offer("RTP/AVP", Some((4, 'A'))));
    // The peer answers our last description, tag and all.
    let answer = bytes(&offer("RTP/AVP", Some((4, 'A'))));
    let moved = bytes(&offer("RTP/AVP", Some((4, 'A'))).replace("4000", "4002"));
    let refreshed = |sdp| sip::Event::OfferAnswered { sdp: Some(sdp) };
    assert_eq!(
        exchanged(&mut run, refreshed(answer)).1,
        None,
        "nothing changed"
    );
    let (_, elsewhere) = exchanged(&mut run, refreshed(moved));
    assert_eq!(elsewhere.map(|path| path.srtp), Some(path.srtp));
    let plain = bytes(&offer("RTP/AVP", None));
    assert_eq!(
        exchanged(&mut run, refreshed(plain)).1,
        None,
        "not without keys"
    );
}

#[test]
fn what_begins_plain_may_become_encrypted() {
    let (mut run, path) = up_with(&offer("RTP/AVP", None));
    assert_eq!(path.srtp, None);
    let (_, path) = offered(&mut run, Some(&offer("RTP/SAVP", Some((1, 'A')))));
    assert!(path.is_some_and(|path| path.srtp.is_some()));
}

#[test]
fn a_call_that_must_be_encrypted_needs_signalling_that_nobody_reads() {
    for (is_secure, offered, expected) in [
        (false, Some(offer("RTP/SAVP", Some((4, 'A')))), Some(399)),
        (false, Some(offer("RTP/AVP", None)), Some(399)),
        (false, None, Some(399)),
        (true, Some(offer("RTP/AVP", None)), Some(302)),
        (true, Some(offer("RTP/SAVP", Some((4, 'A')))), None),
        (true, None, None),
    ] {
        let case = format!("{is_secure} {offered:?}");
        let security = sdp::LocalSecurity {
            policy: sdp::Security::Require,
            signalling_is_secure: is_secure,
            keys: OUR_KEYS,
        };
        let leg = InboundLeg {
            dialog: DialogId(1),
            offer: offered.as_deref().map(bytes),
            local: sdp::Local {
                security,
                ..local()
            },
        };
        let mut call = Call::inbound(start(), leg, LIMITS);
        let warned = std::iter::from_fn(|| call.poll()).find_map(|effect| match effect {
            Effect::Sip(sip::Command::Reject {
                status: 488,
                warning,
                ..
            }) => warning,
            _ => None,
        });
        assert_eq!(warned.map(|warning| warning.code), expected, "{case}");
        assert_eq!(call.is_ended(), expected.is_some(), "{case}");
    }
}

#[test]
fn an_answer_without_a_key_ends_a_call_that_must_be_encrypted() {
    for (key, expected) in [(None, true), (Some((3, 'A')), false)] {
        let security = sdp::LocalSecurity {
            policy: sdp::Security::Require,
            signalling_is_secure: true,
            keys: OUR_KEYS,
        };
        let local = sdp::Local {
            security,
            ..local()
        };
        let (mut run, _) = Run::dialling(Outcomes::default(), local);
        let profile = if key.is_some() { "RTP/SAVP" } else { "RTP/AVP" };
        let sdp = Some(bytes(&offer(profile, key)));
        run.feed(Input::Sip(sip::Event::Answered { sdp }));
        assert_eq!(run.call.record().is_some(), expected, "{profile}");
    }
}
