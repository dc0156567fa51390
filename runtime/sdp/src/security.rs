//! Encrypted media: SRTP (RFC 3711) with its keys in the description (SDES, RFC 4568).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Attribute lines of one stream that are looked at.
const MAX_ATTRIBUTES: usize = 16;

/// Whether media is to be encrypted: a trunk's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Security {
    /// Never. What is offered encrypted only is refused.
    #[default]
    None,
    /// If the peer can.
    Offer,
    /// Else there is no call.
    Require,
}

/// Our side of encryption.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalSecurity {
    /// What is wanted.
    pub policy: Security,
    /// Nobody but the peer reads our signalling: it goes over TLS. Else a key in it would be no secret, and none is offered, answered
    /// or taken (RFC 4568 section 7).
    pub signalling_is_secure: bool,
    /// The key of what we send: random, of this leg alone.
    pub key: MasterKey,
}

impl LocalSecurity {
    /// Whether any description can be agreed on. Not where encryption is required and keys have no safe way: turn such a call away, do
    /// not place it.
    #[must_use]
    pub fn is_satisfiable(&self) -> bool {
        self.policy != Security::Require || self.signalling_is_secure
    }

    /// Keys may be exchanged.
    pub(crate) fn is_possible(&self) -> bool {
        self.policy != Security::None && self.signalling_is_secure
    }
}

/// How packets are protected (RFC 4568 section 6.2). Both ways the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CryptoSuite {
    /// AES-128 in counter mode, authenticated with 80 bits.
    AesCm128HmacSha1_80,
    /// The same with 32 bits.
    AesCm128HmacSha1_32,
}

impl CryptoSuite {
    /// The name in `a=crypto` lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32]
            .into_iter()
            .find(|suite| suite.name().eq_ignore_ascii_case(name))
    }
}

/// A master key of 16 bytes and its salt of 14. Never printed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct MasterKey(pub [u8; 30]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// The encryption both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Srtp {
    /// Both ways.
    pub suite: CryptoSuite,
    /// Of the packets we send: ours.
    pub send: MasterKey,
    /// Of the packets we receive: the peer's.
    pub receive: MasterKey,
}

/// An `a=crypto` line (RFC 4568 section 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crypto {
    pub(crate) tag: u32,
    pub(crate) suite: CryptoSuite,
    pub(crate) key: MasterKey,
}

impl Crypto {
    /// Ours in an offer.
    pub(crate) fn offered(key: MasterKey) -> Self {
        Self {
            tag: 1,
            suite: CryptoSuite::AesCm128HmacSha1_80,
            key,
        }
    }

    /// The value of the attribute.
    pub(crate) fn value(&self) -> String {
        let key = STANDARD_NO_PAD.encode(self.key.0);
        format!("{} {} inline:{key}", self.tag, self.suite.name())
    }

    /// The first of these values that we can do.
    pub(crate) fn first_usable<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        values.take(MAX_ATTRIBUTES).find_map(Self::parse)
    }

    /// None for what we cannot do or must not: another suite, several keys, a key identifier in each packet, packets that are not
    /// protected, keys derived anew.
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= 9)?.parse().ok()?;
        let suite = CryptoSuite::from_name(words.next()?)?;
        let (method, parameters) = words.next()?.split_once(':')?;
        if !method.eq_ignore_ascii_case("inline") {
            return None;
        }
        let mut parts = parameters.split('|');
        let key = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        // `2^20` or `1048576`: a lifetime, longer than any call. `1:4`: a key identifier.
        if parts.any(|part| part.contains(':')) {
            return None;
        }
        // Window sizes are hints, and what begins with `-` may be passed over.
        if !words.all(|parameter| parameter.starts_with("WSH=") || parameter.starts_with('-')) {
            return None;
        }
        Some(Self {
            tag,
            suite,
            key: MasterKey(key.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"; // of RFC 4568 section 9.1's examples

    fn parse(value: &str) -> Option<(u32, CryptoSuite)> {
        Crypto::parse(&value.replace("KEY", KEY)).map(|crypto| (crypto.tag, crypto.suite))
    }

    #[test]
    fn lines() {
        use CryptoSuite::{AesCm128HmacSha1_32 as Short, AesCm128HmacSha1_80 as Long};
        for (value, expected) in [
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEY", Some((1, Long))),
            ("2 AES_CM_128_HMAC_SHA1_32 inline:KEY", Some((2, Short))),
            ("1  aes_cm_128_hmac_sha1_80  INLINE:KEY ", Some((1, Long))),
            ("7 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20", Some((7, Long))),
            (
                "7 AES_CM_128_HMAC_SHA1_80 inline:KEY|1048576",
                Some((7, Long)),
            ),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:KEY WSH=128 -FOO=1",
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
                "1 AES_CM_128_HMAC_SHA1_80 inline:KEY UNAUTHENTICATED_SRTP",
                None,
            ),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEY KDR=1", None),
            ("1 F8_128_HMAC_SHA1_80 inline:KEY", None),
            ("1 AEAD_AES_256_GCM inline:KEY", None),
            ("1 AES_CM_128_HMAC_SHA1_80 uri:KEY", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:KEYKEY", None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:!", None),
            ("1 AES_CM_128_HMAC_SHA1_80", None),
            ("x AES_CM_128_HMAC_SHA1_80 inline:KEY", None),
            ("9999999999 AES_CM_128_HMAC_SHA1_80 inline:KEY", None),
            ("", None),
        ] {
            assert_eq!(parse(value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let crypto = Crypto::offered(MasterKey(std::array::from_fn(|n| n as u8 * 8)));
        assert_eq!(Crypto::parse(&crypto.value()), Some(crypto));
    }

    #[test]
    fn keys_are_not_printed() {
        let printed = format!("{:?}", Crypto::offered(MasterKey([77; 30])));
        assert!(!printed.contains("77"), "{printed}");
    }
}
