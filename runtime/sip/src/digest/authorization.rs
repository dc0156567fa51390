//! What a client proves: `Authorization` and `Proxy-Authorization` (RFC 3261 §20.7, §20.28).

use bytes::Bytes;

use super::pieces::{Piece, Pieces, once, unescape};
use super::{Algorithm, Qop};
use crate::lex;

/// The digest credentials of a request. All but `username` and `response` as they stand in the field, for so they are hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Who it is, without quotes and escapes.
    pub username: Vec<u8>,
    /// The protection domain.
    pub realm: Bytes,
    /// The server's nonce.
    pub nonce: Bytes,
    /// The URI that the proof covers; should be the Request-URI.
    pub uri: Bytes,
    /// The proof, in lower-case hexadecimal digits.
    pub response: Vec<u8>,
    /// MD5 where none is named.
    pub algorithm: Algorithm,
    /// The client's nonce; empty where there is none.
    pub cnonce: Bytes,
    /// What the proof covers, and how often the nonce was used; none after RFC 2069.
    pub qop: Option<(Qop, Count)>,
}

/// A nonce count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// As it is hashed.
    pub digits: Bytes,
    /// What that means; 1 at first use.
    pub number: u32,
}

impl Authorization {
    /// Reads a field's value. None: another scheme, an unknown algorithm or qop, something missing, doubled or malformed.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        let mut pieces = Pieces::new(value);
        match pieces.next()? {
            Piece::Scheme(name) if name.eq_ignore_ascii_case(b"Digest") => {}
            _ => return None,
        }
        let mut draft = Draft::default();
        for piece in pieces {
            match piece {
                Piece::Param(name, value) => draft.add(name, value)?,
                Piece::Scheme(_) | Piece::Junk => return None,
            }
        }
        draft.finish()
    }
}

#[derive(Default)]
struct Draft<'a> {
    username: Option<&'a [u8]>,
    realm: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
    uri: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
    algorithm: Option<&'a [u8]>,
    cnonce: Option<&'a [u8]>,
    qop: Option<&'a [u8]>,
    count: Option<&'a [u8]>,
}

impl<'a> Draft<'a> {
    fn add(&mut self, name: &[u8], value: &'a [u8]) -> Option<()> {
        let slots = [
            ("username", &mut self.username),
            ("realm", &mut self.realm),
            ("nonce", &mut self.nonce),
            ("uri", &mut self.uri),
            ("response", &mut self.response),
            ("algorithm", &mut self.algorithm),
            ("cnonce", &mut self.cnonce),
            ("qop", &mut self.qop),
            ("nc", &mut self.count),
        ];
        for (known, slot) in slots {
            if name.eq_ignore_ascii_case(known.as_bytes()) {
                return once(slot, value).then_some(());
            }
        }
        Some(())
    }

    fn finish(self) -> Option<Authorization> {
        let copy = Bytes::copy_from_slice;
        let algorithm = match self.algorithm {
            Some(name) => Algorithm::of(name)?,
            None => Algorithm::DEFAULT,
        };
        let qop = match self.qop {
            Some(name) => Some((Qop::of(lex::trim(name))?, count(self.count?)?)),
            None => None,
        };
        let response = self.response?.to_ascii_lowercase();
        let is_proof =
            response.len() == algorithm.hash.digits() && response.iter().all(u8::is_ascii_hexdigit);
        let needs_cnonce = qop.is_some() || algorithm.is_session;
        if !is_proof || needs_cnonce && self.cnonce.is_none() {
            return None;
        }
        Some(Authorization {
            username: unescape(self.username?),
            realm: copy(self.realm?),
            nonce: copy(self.nonce?),
            uri: copy(self.uri?),
            response,
            algorithm,
            cnonce: copy(self.cnonce.unwrap_or_default()),
            qop,
        })
    }
}

/// Up to eight hexadecimal digits.
fn count(digits: &[u8]) -> Option<Count> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_number = (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u32::from_str_radix(text, 16).ok().filter(|_| is_number)?;
    let digits = Bytes::copy_from_slice(digits);
    Some(Count { digits, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2617 §3.5.
    const EXAMPLE: &str = r#"Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;

    #[test]
    fn the_example() {
        let read = Authorization::read(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(read.username, b"Mufasa");
        assert_eq!(read.realm, "testrealm@host.com");
        assert_eq!(read.nonce, "dcd98b7102dd2f0e8b11d0f600bfb0c093");
        assert_eq!(read.uri, "/dir/index.html");
        assert_eq!(read.response, b"6629fae49393a05397450978507c4ef1");
        assert_eq!(read.algorithm, Algorithm::DEFAULT);
        assert_eq!(read.cnonce, "0a4f113b");
        let (qop, count) = read.qop.unwrap();
        assert_eq!(
            (qop, count.number, &*count.digits),
            (Qop::Auth, 1, &b"00000001"[..])
        );
    }

    #[test]
    fn spellings() {
        for (from, to, is_read) in [
            ("Digest", "DIGEST", true),
            ("qop=auth", "qop=\"auth\"", true),
            ("qop=auth", "qop=AUTH-INT", true),
            ("nc=00000001", "nc=\"00000001\"", true),
            ("nc=00000001", "nc=a", true),
            ("6629fae", "6629FAE", true),
            ("opaque", "auth-param", true),
            (", qop=auth, nc=00000001, cnonce=\"0a4f113b\"", "", true),
            ("qop=auth", "algorithm=MD5, qop=auth", true),
            ("Digest", "Basic", false),
            ("Digest", "NoOneKnowsThisScheme", false),
            ("Digest ", "", false),
            ("username=\"Mufasa\", ", "", false),
            ("username", "username*", false),
            ("realm", "realms", false),
            ("uri", "url", false),
            ("nonce=\"dcd", "n=\"dcd", false),
            ("qop=auth", "qop=auth-conf", false),
            ("qop=auth", "algorithm=SHA-256, qop=auth", false), // the proof is too short for it
            ("qop=auth", "algorithm=MD4, qop=auth", false),
            ("nc=00000001", "nc=000000001", false),
            ("nc=00000001", "nc=+1", false),
            ("nc=00000001", "nc=", false),
            ("nc=00000001, ", "", false),
            ("cnonce", "c", false),
            ("response=\"6", "response=\"66", false),
            ("response=\"6", "response=\"x", false),
            ("opaque", "realm", false),
            ("e41\"", "e41\\\"", false),
            (", opaque", ", Digest opaque", false),
        ] {
            let value = EXAMPLE.replace(from, to);
            assert_ne!(value, EXAMPLE);
            assert_eq!(
                Authorization::read(value.as_bytes()).is_some(),
                is_read,
                "{value}"
            );
        }
        let quoted = EXAMPLE.replace("Mufasa", r#"Mu\"fa\\sa"#);
        assert_eq!(
            Authorization::read(quoted.as_bytes()).unwrap().username,
            br#"Mu"fa\sa"#
        );
    }
}
