//! The hash algorithms of digest authentication (RFC 8760 §2.1, RFC 7616 §3.3).

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// A hash function of digest authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// MD5: broken for signatures, still what most equipment speaks.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256: SHA-512 with an initial value of its own, cut to 256 bits (FIPS 180-4 §5.3.6.2).
    Sha512_256,
}

impl Hash {
    /// All of them, in the order a server offers them: most preferred first (RFC 8760 §2.3).
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha512_256, Self::Md5];

    /// The hash of the parts joined by colons, in lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(self, parts: &[&[u8]]) -> String {
        let text = parts.join(&b':');
        #[cfg(test)]
        work::done();
        match self {
            Self::Md5 => hex(&Md5::digest(&text)),
            Self::Sha256 => hex(&Sha256::digest(&text)),
            Self::Sha512_256 => hex(&Sha512_256::digest(&text)),
        }
    }

    /// How many hexadecimal digits [`Self::hex`] gives.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => 64,
        }
    }

    /// Its place in a table of one value for each algorithm.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Sha256 => 0,
            Self::Sha512_256 => 1,
            Self::Md5 => 2,
        }
    }

    /// A client takes the strongest it is offered; both of the SHA-2 family count the same.
    #[must_use]
    pub fn strength(self) -> u8 {
        match self {
            Self::Md5 => 0,
            Self::Sha256 | Self::Sha512_256 => 1,
        }
    }
}

/// What an `algorithm` parameter names: a hash, and whether it runs over a session key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// The `-sess` variant: the first nonce and cnonce go into HA1 (RFC 7616 §3.4.2).
    pub is_session: bool,
}

const NAMES: [(&str, Algorithm); 6] = [
    ("MD5", Algorithm::plain(Hash::Md5)),
    ("MD5-sess", Algorithm::session(Hash::Md5)),
    ("SHA-256", Algorithm::plain(Hash::Sha256)),
    ("SHA-256-sess", Algorithm::session(Hash::Sha256)),
    ("SHA-512-256", Algorithm::plain(Hash::Sha512_256)),
    ("SHA-512-256-sess", Algorithm::session(Hash::Sha512_256)),
];

impl Algorithm {
    /// What a message means that names none (RFC 3261 §22.4).
    pub const DEFAULT: Self = Self::plain(Hash::Md5);

    pub(crate) const fn plain(hash: Hash) -> Self {
        Self {
            hash,
            is_session: false,
        }
    }

    const fn session(hash: Hash) -> Self {
        Self {
            hash,
            is_session: true,
        }
    }

    /// The algorithm of that name, in any case; none for one that is not known here.
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        let found = NAMES
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        found.map(|(_, algorithm)| *algorithm)
    }

    /// Its name in the IANA registry.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, algorithm)| *algorithm == self);
        found.map_or("", |(name, _)| name)
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// How many hashes this thread made: a test compares work, not time.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    thread_local! {
        static DONE: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn done() {
        DONE.set(DONE.get() + 1);
    }

    pub(crate) fn of(job: impl FnOnce()) -> u64 {
        let before = DONE.get();
        job();
        DONE.get() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        // FIPS 180-4 and RFC 1321 of "abc".
        for (hash, expected) in [
            (Hash::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (
                Hash::Sha256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                Hash::Sha512_256,
                "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
            ),
        ] {
            assert_eq!(hash.hex(&[b"abc"]), expected);
            assert_eq!(expected.len(), hash.digits());
            assert_eq!(Hash::ALL[hash.index()], hash);
        }
        assert_eq!(Hash::Md5.hex(&[b"a", b"b"]), Hash::Md5.hex(&[b"a:b"]));
    }

    #[test]
    fn names() {
        for (name, expected) in NAMES {
            assert_eq!(Algorithm::of(name.as_bytes()), Some(expected));
            assert_eq!(
                Algorithm::of(name.to_ascii_lowercase().as_bytes()),
                Some(expected)
            );
            assert_eq!(expected.name(), name);
        }
        for unknown in ["", "SHA-1", "MD5 ", "AKAv1-MD5", "SHA-512"] {
            assert_eq!(Algorithm::of(unknown.as_bytes()), None, "{unknown}");
        }
    }
}
