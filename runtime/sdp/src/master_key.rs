//! Suites and keys of SRTP.

use std::fmt;

/// The longest master key with its salt.
const MAX_MASTER_BYTES: usize = 44;

/// How packets are protected. Both ways the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CryptoSuite {
    /// AES-256 in Galois/counter mode (RFC 7714 section 14.2).
    AeadAes256Gcm,
    /// AES-128 in Galois/counter mode (RFC 7714 section 14.2).
    AeadAes128Gcm,
    /// AES-128 in counter mode, authenticated with 80 bits (RFC 4568 section 6.2.1).
    AesCm128HmacSha1_80,
    /// The same with 32 bits (RFC 4568 section 6.2.2).
    AesCm128HmacSha1_32,
}

impl CryptoSuite {
    /// All, in the order of our offers: best first.
    pub const ALL: [Self; 4] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
    ];

    /// The name in `a=crypto` lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// The suite of a name, in either case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of a master key and its salt.
    #[must_use]
    pub const fn master_bytes(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32 + 12,
            Self::AeadAes128Gcm => 16 + 12,
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 16 + 14,
        }
    }
}

/// A suite's master key and its salt. Never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey {
    suite: CryptoSuite,
    /// The first [`CryptoSuite::master_bytes`] count; the others are 0.
    bytes: [u8; MAX_MASTER_BYTES],
}

impl MasterKey {
    /// The key followed by its salt; none if they are not [`CryptoSuite::master_bytes`] together.
    #[must_use]
    pub fn new(suite: CryptoSuite, key_and_salt: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_MASTER_BYTES];
        (key_and_salt.len() == suite.master_bytes()).then(|| {
            bytes[..key_and_salt.len()].copy_from_slice(key_and_salt);
            Self { suite, bytes }
        })
    }

    /// What it is for.
    #[must_use]
    pub const fn suite(&self) -> CryptoSuite {
        self.suite
    }

    /// The key followed by its salt: [`CryptoSuite::master_bytes`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.suite.master_bytes()]
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, ..)", self.suite.name())
    }
}

/// The keys of what one leg sends: one for each suite, since a key that serves two gives both away (RFC 3711 section 9.1). Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct OurKeys([u8; Self::RANDOM_BYTES]);

impl OurKeys {
    /// Bytes of all keys together.
    pub const RANDOM_BYTES: usize = 44 + 28 + 30 + 30;

    /// Keys out of random bytes, which must be of this leg alone.
    #[must_use]
    pub const fn new(random: [u8; Self::RANDOM_BYTES]) -> Self {
        Self(random)
    }

    /// The key of a suite.
    #[must_use]
    pub fn of(&self, suite: CryptoSuite) -> MasterKey {
        let before = CryptoSuite::ALL.into_iter().take_while(|it| *it != suite);
        let start = before.map(CryptoSuite::master_bytes).sum();
        MasterKey::new(suite, &self.0[start..][..suite.master_bytes()])
            .expect("as many bytes as the suite has")
    }
}

impl fmt::Debug for OurKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OurKeys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_bytes_of_its_own() {
        let random: [u8; OurKeys::RANDOM_BYTES] = std::array::from_fn(|n| n as u8);
        let keys = OurKeys::new(random);
        let all = CryptoSuite::ALL.map(|suite| keys.of(suite).bytes().to_vec());
        assert_eq!(all.concat(), random);
    }

    #[test]
    fn a_key_has_the_length_of_its_suite() {
        for suite in CryptoSuite::ALL {
            for (length, expected) in [(-1, false), (0, true), (1, false)] {
                let length = suite.master_bytes().strict_add_signed(length);
                let key = MasterKey::new(suite, &vec![7; length]);
                assert_eq!(key.is_some(), expected, "{suite:?} {length}");
            }
        }
    }

    #[test]
    fn keys_are_not_printed() {
        let keys = OurKeys::new([77; OurKeys::RANDOM_BYTES]);
        let key = keys.of(CryptoSuite::AeadAes128Gcm);
        let printed = format!("{keys:?} {key:?}");
        assert_eq!(printed, "OurKeys(..) MasterKey(AEAD_AES_128_GCM, ..)");
    }
}
