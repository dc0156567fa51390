//! Keys, and who may do without.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::{CryptoSuite, LocalSecurity, MasterKey, OurKeys};

const OUR_KEYS: OurKeys = OurKeys::new([1; OurKeys::RANDOM_BYTES]);
const CRYPTO: &str =
    "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
const SAVP: &str = "m=audio 4000 RTP/SAVP 0\n";
const AVP: &str = "m=audio 4000 RTP/AVP 0\n";

fn guarded(policy: Security, signalling_is_secure: bool) -> Local {
    Local {
        security: LocalSecurity {
            policy,
            signalling_is_secure,
            keys: OUR_KEYS,
        },
        ..local()
    }
}

/// A key of nothing but zeros.
fn their_key(suite: CryptoSuite) -> MasterKey {
    MasterKey::new(suite, &vec![0; suite.master_bytes()]).unwrap()
}

#[test]
fn who_is_answered_how() {
    use SdpError::{Encrypted, InsecureSignalling, NoCommonCrypto, NoWayForKeys, NotEncrypted};
    use Security::{None, Offer, Require};
    let unusable = "a=crypto:1 AEAD_AES_256_GCM inline:AAAA\n";
    // Whether it is encrypted, or why it is refused.
    for (policy, secure, profile, crypto, expected) in [
        (None, true, SAVP, CRYPTO, Err(Encrypted)),
        (None, true, AVP, CRYPTO, Ok(false)),
        (None, true, AVP, "", Ok(false)),
        (Offer, true, SAVP, CRYPTO, Ok(true)),
        (Offer, true, SAVP, unusable, Err(NoCommonCrypto)),
        (Offer, true, SAVP, "", Err(NoCommonCrypto)),
        (Offer, true, AVP, CRYPTO, Ok(true)),
        (Offer, true, AVP, unusable, Ok(false)),
        (Offer, true, AVP, "", Ok(false)),
        (Offer, false, SAVP, CRYPTO, Err(InsecureSignalling)),
        (Offer, false, AVP, CRYPTO, Ok(false)),
        (Offer, false, AVP, "", Ok(false)),
        (Require, true, SAVP, CRYPTO, Ok(true)),
        (Require, true, SAVP, unusable, Err(NoCommonCrypto)),
        (Require, true, AVP, CRYPTO, Ok(true)),
        (Require, true, AVP, unusable, Err(NotEncrypted)),
        (Require, true, AVP, "", Err(NotEncrypted)),
        (Require, false, SAVP, CRYPTO, Err(NoWayForKeys)),
        (Require, false, AVP, CRYPTO, Err(NoWayForKeys)),
        (Require, false, AVP, "", Err(NoWayForKeys)),
    ] {
        let offer = from_peer(&format!("{profile}{crypto}"));
        let answered = answer(&offer, &guarded(policy, secure));
        let outcome = answered
            .as_ref()
            .map(|negotiated| negotiated.srtp.is_some());
        let case = format!("{policy:?} {secure} {profile}{crypto}");
        assert_eq!(outcome, expected.as_ref().copied(), "{case}");
        match answered {
            Ok(negotiated) => {
                let ours = String::from_utf8_lossy(&negotiated.description).into_owned();
                let has_key = ours.contains("a=crypto:");
                assert_eq!(has_key, negotiated.srtp.is_some(), "{case}");
                assert_eq!(ours.contains("RTP/SAVP"), profile == SAVP, "{case}");
            }
            Err(error) => assert_eq!(error.status(), 488, "{case}"),
        }
    }
}

#[test]
fn an_answer_repeats_tag_and_suite_with_our_key() {
    let short = CRYPTO.replace("_80", "_32").replace(":4", ":12");
    let beyond_us = "a=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA\n";
    let identified = CRYPTO.replace("A\n", "A|2^31|1:1\n").replace(":4", ":1");
    let gcm = format!("a=crypto:2 AEAD_AES_128_GCM inline:{}==\n", "A".repeat(38));
    let long = format!("a=crypto:3 AEAD_AES_256_GCM inline:{}=\n", "A".repeat(59));
    for (lines, suite, expected) in [
        (
            CRYPTO.to_owned(),
            CryptoSuite::AesCm128HmacSha1_80,
            "4 AES_CM_128_HMAC_SHA1_80",
        ),
        (
            short,
            CryptoSuite::AesCm128HmacSha1_32,
            "12 AES_CM_128_HMAC_SHA1_32",
        ),
        (
            format!("{beyond_us}{identified}{CRYPTO}"),
            CryptoSuite::AesCm128HmacSha1_80,
            "4 AES_CM_128_HMAC_SHA1_80",
        ),
        // The peer's order decides.
        (
            format!("{gcm}{long}{CRYPTO}"),
            CryptoSuite::AeadAes128Gcm,
            "2 AEAD_AES_128_GCM",
        ),
        (
            format!("{long}{gcm}{CRYPTO}"),
            CryptoSuite::AeadAes256Gcm,
            "3 AEAD_AES_256_GCM",
        ),
    ] {
        let offer = from_peer(&format!("{SAVP}{lines}"));
        let negotiated = answer(&offer, &guarded(Security::Offer, true)).unwrap();
        let srtp = Srtp {
            send: OUR_KEYS.of(suite),
            receive: their_key(suite),
        };
        assert_eq!(negotiated.srtp, Some(srtp));
        let text = String::from_utf8_lossy(&negotiated.description).into_owned();
        let key = STANDARD.encode(OUR_KEYS.of(suite).bytes());
        let line = format!("a=crypto:{expected} inline:{key}\r\n");
        assert_eq!(text.matches("a=crypto:").count(), 1);
        assert_eq!(negotiated.srtp.unwrap().suite(), suite);
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn what_we_offer() {
    for (policy, secure, profile, has_key) in [
        (Security::None, true, "RTP/AVP", false),
        (Security::Offer, false, "RTP/AVP", false),
        (Security::Offer, true, "RTP/AVP", true),
        (Security::Require, true, "RTP/SAVP", true),
    ] {
        let text = String::from_utf8(offer(&guarded(policy, secure)).to_vec()).unwrap();
        assert!(
            text.contains(&format!("m=audio 20000 {profile} 0 8 101\r\n")),
            "{text}"
        );
        let suites: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("a=crypto:")?.split(" inline:AQEB").next())
            .collect();
        let expected = [
            "1 AEAD_AES_256_GCM",
            "2 AEAD_AES_128_GCM",
            "3 AES_CM_128_HMAC_SHA1_80",
            "4 AES_CM_128_HMAC_SHA1_32",
        ];
        let expected = if has_key { &expected[..] } else { &[] };
        assert_eq!(suites, expected, "{text}");
    }
}

#[test]
fn an_answer_to_our_key_has_one_or_is_plain() {
    let fits = CRYPTO.replace(":4", ":1");
    let other_suite = fits.replace("_80", "_32");
    for (policy, profile, crypto, expected) in [
        (Security::Offer, AVP, fits.as_str(), Ok(true)),
        (Security::Offer, SAVP, &fits, Ok(true)),
        (Security::Offer, AVP, "", Ok(false)),
        (Security::Offer, SAVP, "", Err(SdpError::NoCommonCrypto)),
        (Security::Require, SAVP, &fits, Ok(true)),
        // Tags and suites that are not those of our offer.
        (Security::Require, SAVP, CRYPTO, Ok(true)),
        (Security::Require, SAVP, &other_suite, Ok(true)),
        (Security::Require, AVP, "", Err(SdpError::NotEncrypted)),
        (Security::None, AVP, &fits, Ok(false)),
        (Security::None, SAVP, &fits, Err(SdpError::Encrypted)),
    ] {
        let answered = from_peer(&format!("{profile}{crypto}"));
        let accepted = accept(&answered, &guarded(policy, true));
        let outcome = accepted.map(|negotiated| negotiated.srtp.is_some());
        assert_eq!(outcome, expected, "{policy:?} {profile}{crypto}");
    }
}

#[test]
fn of_an_encrypted_and_a_plain_stream_the_one_that_is_allowed_is_taken() {
    let both = format!("{SAVP}{CRYPTO}m=audio 4002 RTP/AVP 0\n");
    for (policy, expected) in [
        (
            Security::None,
            ["m=audio 0 RTP/SAVP 0", "m=audio 20000 RTP/AVP 0"],
        ),
        (
            Security::Offer,
            ["m=audio 20000 RTP/SAVP 0", "m=audio 0 RTP/AVP 0"],
        ),
    ] {
        let negotiated = answer(&from_peer(&both), &guarded(policy, true)).unwrap();
        assert_eq!(media_lines(&negotiated.description), expected);
    }
}

#[test]
fn a_required_key_needs_signalling_nobody_reads() {
    for (policy, secure, expected) in [
        (Security::Require, false, false),
        (Security::Require, true, true),
        (Security::Offer, false, true),
        (Security::None, false, true),
    ] {
        let checked = guarded(policy, secure).security.check();
        assert_eq!(checked.is_ok(), expected);
    }
}

#[test]
fn two_of_us_agree_on_keys() {
    for policy in [Security::Offer, Security::Require] {
        let ours = guarded(policy, true);
        let mut theirs = guarded(Security::Offer, true);
        theirs.address = "198.51.100.7:4000".parse().unwrap();
        theirs.security.keys = OurKeys::new([0; OurKeys::RANDOM_BYTES]);
        let answered = answer(&offer(&theirs), &ours).unwrap().description;
        let accepted = accept(&answered, &theirs).unwrap().srtp.unwrap();
        let best = CryptoSuite::AeadAes256Gcm;
        assert_eq!(accepted.send, their_key(best));
        assert_eq!(accepted.receive, OUR_KEYS.of(best));
    }
}
