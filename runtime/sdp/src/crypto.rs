//! The `crypto` attribute (RFC 4568 section 4).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::{CryptoSuite, MasterKey, OurKeys};

/// Attribute lines of one stream that are looked at.
const MAX_ATTRIBUTES: usize = 16;

/// An `a=crypto` line: what one side encrypts what it sends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crypto {
    /// Tells the lines of an offer apart; the answer repeats the one it takes.
    pub(crate) tag: u32,
    pub(crate) key: MasterKey,
}

impl Crypto {
    /// Ours in an offer: every suite, best first.
    pub(crate) fn offered(keys: &OurKeys) -> Vec<Self> {
        (1..)
            .zip(CryptoSuite::ALL)
            .map(|(tag, suite)| Self {
                tag,
                key: keys.of(suite),
            })
            .collect()
    }

    /// Ours in the answer to theirs.
    pub(crate) fn answering(theirs: Self, keys: &OurKeys) -> Self {
        Self {
            tag: theirs.tag,
            key: keys.of(theirs.key.suite()),
        }
    }

    /// The value of the attribute, with the key: not for logs.
    pub(crate) fn value(&self) -> String {
        let key = STANDARD.encode(self.key.bytes());
        format!("{} {} inline:{key}", self.tag, self.key.suite().name())
    }

    /// The first of these values that we can do: the peer's most preferred comes first.
    pub(crate) fn first_usable<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        values.take(MAX_ATTRIBUTES).find_map(Self::parse)
    }

    /// None for what we cannot do or must not: another suite, several keys, a key identifier in each packet, packets that are not
    /// protected, keys derived anew. A lifetime (`2^20`, `1048576`) is read over.
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| is_tag(tag))?.parse().ok()?;
        let suite = CryptoSuite::from_name(words.next()?)?;
        let (method, parameters) = words.next()?.split_once(':')?;
        if !method.eq_ignore_ascii_case("inline") || !words.all(changes_nothing) {
            return None;
        }
        let mut parts = parameters.split('|');
        let key = decode(parts.next()?)?;
        let is_identified = parts.any(|part| part.contains(':')); // `1:4`: in every packet
        let key = MasterKey::new(suite, &key).filter(|_| !is_identified)?;
        Some(Self { tag, key })
    }
}

fn is_tag(word: &str) -> bool {
    word.len() <= 9 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Some leave the padding out.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// Whether a session parameter (RFC 4568 section 6.3) leaves the packets as they are without it. What begins with `-` may be passed over.
fn changes_nothing(parameter: &str) -> bool {
    let parameter = parameter.to_ascii_uppercase();
    parameter == "KDR=0" || parameter.starts_with("WSH=") || parameter.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of RFC 4568 section 9.1's examples.
    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    /// Of 28 and of 44 bytes.
    const GCM: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
    const LONG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    fn parse(value: &str) -> Option<(u32, CryptoSuite)> {
        let value = value.replace("KEY", KEY).replace("GCMK", GCM);
        Crypto::parse(&value.replace("LONG", LONG)).map(|crypto| (crypto.tag, crypto.key.suite()))
    }

    #[test]
    fn lines() {
        use CryptoSuite::{
            AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1_32 as Short, AesCm128HmacSha1_80 as Long,
        };
        for (value, expected) in [
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEY", Some((1, Long))),
            ("2 AES_CM_128_HMAC_SHA1_32 inline:KEY", Some((2, Short))),
            ("1  aes_cm_128_hmac_sha1_80  INLINE:KEY ", Some((1, Long))),
            ("1 AEAD_AES_128_GCM inline:GCMK", Some((1, AeadAes128Gcm))),
            ("1 AEAD_AES_256_GCM inline:LONG", Some((1, AeadAes256Gcm))),
            ("7 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20", Some((7, Long))),
            (
                "7 AES_CM_128_HMAC_SHA1_80 inline:KEY|1048576",
                Some((7, Long)),
            ),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:KEY WSH=128 -FOO=1",
                Some((1, Long)),
            ),
            (
                "000000001 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31 kdr=0 wsh=64",
                Some((1, Long)),
            ),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1:4", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEY;inline:KEY", None),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:KEY UNENCRYPTED_SRTP",
                None,
            ),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:KEY UNENCRYPTED_SRTCP",
                None,
            ),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:KEY UNAUTHENTICATED_SRTP",
                None,
            ),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEY KDR=1", None),
            ("1 F8_128_HMAC_SHA1_80 inline:KEY", None),
            ("1 AEAD_AES_128_GCM inline:KEY", None),
            ("1 AEAD_AES_128_GCM inline:LONG", None),
            ("1 AEAD_AES_256_GCM inline:KEY", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:GCMK", None),
            ("1 AES_CM_128_HMAC_SHA1_80 uri:KEY", None),
            ("1 AES_CM_128_HMAC_SHA1_80 KEY", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEYKEY", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:!", None),
            ("1 AES_CM_128_HMAC_SHA1_80", None),
            ("x AES_CM_128_HMAC_SHA1_80 inline:KEY", None),
            ("+1 AES_CM_128_HMAC_SHA1_80 inline:KEY", None),
            ("9999999999 AES_CM_128_HMAC_SHA1_80 inline:KEY", None),
            ("", None),
        ] {
            assert_eq!(parse(value), expected, "{value}");
        }
    }

    #[test]
    fn padding_may_be_left_out() {
        for (suite, key) in [("AEAD_AES_128_GCM", GCM), ("AEAD_AES_256_GCM", LONG)] {
            let padded = format!("1 {suite} inline:{key}|2^31");
            let bare = padded.replace('=', "");
            assert!(Crypto::parse(&padded).is_some(), "{padded}");
            assert_eq!(Crypto::parse(&bare), Crypto::parse(&padded));
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let keys = OurKeys::new(std::array::from_fn(|n| n as u8));
        let offered = Crypto::offered(&keys);
        assert_eq!(offered.len(), CryptoSuite::ALL.len());
        for crypto in offered {
            assert_eq!(Crypto::parse(&crypto.value()), Some(crypto));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_text() {
        let value = format!("7 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
        let crypto = Crypto::parse(&value).unwrap();
        assert_eq!(crypto.key.bytes(), &b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#"[..]);
        assert_eq!(crypto.value(), value);
    }
}
