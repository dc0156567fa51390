//! What a server asks for: `WWW-Authenticate` and `Proxy-Authenticate` (RFC 3261 §20.44, §20.27).

use bytes::Bytes;

use super::pieces::{Piece, Pieces, once};
use super::{Algorithm, Qop};
use crate::lex;

/// The longest realm, nonce or opaque that is taken: each is repeated in our requests, which have to fit a datagram.
const MAX_VALUE: usize = 512;

/// One digest challenge that can be answered here. Realm, nonce and opaque are kept as they stand between their quotes, for
/// so they are hashed and repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The protection domain; tells which password is meant.
    pub realm: Bytes,
    /// The server's nonce.
    pub nonce: Bytes,
    /// To be repeated where it is there.
    pub opaque: Option<Bytes>,
    /// None: not named, which means MD5; then it is not named in the answer either, for old servers' sake.
    pub algorithm: Option<Algorithm>,
    /// What the proof is to cover; the least of what is offered. None: a server after RFC 2069.
    pub qop: Option<Qop>,
    /// The last nonce was too old; the password was right.
    pub is_stale: bool,
}

impl Challenge {
    /// The challenges in one field's value that can be answered. Left out: other schemes, unknown algorithms and qops, those
    /// without realm or nonce, those that say a thing twice.
    pub fn read(value: &[u8]) -> impl Iterator<Item = Self> {
        let mut pieces = Pieces::new(value).peekable();
        std::iter::from_fn(move || {
            let first = pieces.next()?;
            let mut draft = Draft::new(first);
            while let Some(piece) = pieces.next_if(|piece| !matches!(piece, Piece::Scheme(_))) {
                draft.add(piece);
            }
            Some(draft.finish())
        })
        .flatten()
    }

    /// The algorithm, named or not.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::DEFAULT)
    }
}

/// A challenge whose parameters are still being read.
#[derive(Default)]
struct Draft<'a> {
    is_spoilt: bool,
    realm: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
    opaque: Option<&'a [u8]>,
    algorithm: Option<&'a [u8]>,
    qop: Option<&'a [u8]>,
    stale: Option<&'a [u8]>,
}

impl<'a> Draft<'a> {
    fn new(first: Piece<'a>) -> Self {
        let is_digest =
            matches!(first, Piece::Scheme(name) if name.eq_ignore_ascii_case(b"Digest"));
        Self {
            is_spoilt: !is_digest,
            ..Self::default()
        }
    }

    fn add(&mut self, piece: Piece<'a>) {
        let Piece::Param(name, value) = piece else {
            self.is_spoilt = true;
            return;
        };
        let slots = [
            ("realm", &mut self.realm),
            ("nonce", &mut self.nonce),
            ("opaque", &mut self.opaque),
            ("algorithm", &mut self.algorithm),
            ("qop", &mut self.qop),
            ("stale", &mut self.stale),
        ];
        for (known, slot) in slots {
            if name.eq_ignore_ascii_case(known.as_bytes()) {
                self.is_spoilt |= !once(slot, value);
            }
        }
    }

    fn finish(self) -> Option<Challenge> {
        let parts = [self.realm, self.nonce, self.opaque];
        let is_short = parts.iter().flatten().all(|part| part.len() <= MAX_VALUE);
        if self.is_spoilt || !is_short {
            return None;
        }
        let algorithm = match self.algorithm {
            Some(name) => Some(Algorithm::of(name)?),
            None => None,
        };
        let qop = match self.qop {
            Some(offered) if !lex::trim(offered).is_empty() => Some(least(offered)?),
            _ => None,
        };
        Some(Challenge {
            realm: Bytes::copy_from_slice(self.realm?),
            nonce: Bytes::copy_from_slice(self.nonce?),
            opaque: self.opaque.map(Bytes::copy_from_slice),
            algorithm,
            qop,
            is_stale: self
                .stale
                .is_some_and(|value| value.eq_ignore_ascii_case(b"true")),
        })
    }
}

/// Of the qops on offer that are known the one that covers least: a body that is changed on its way, as some NATs do, would
/// break the other.
fn least(offered: &[u8]) -> Option<Qop> {
    let known: Vec<_> = lex::list(offered).filter_map(Qop::of).collect();
    let has_auth = known.contains(&Qop::Auth);
    if has_auth {
        Some(Qop::Auth)
    } else {
        known.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(value: &str) -> Vec<String> {
        let text = |bytes: &Bytes| lex::text(bytes).into_owned();
        Challenge::read(value.as_bytes())
            .map(|c| {
                format!(
                    "{} {} {} {} {}{}",
                    text(&c.realm),
                    text(&c.nonce),
                    c.opaque.as_ref().map_or("-".to_owned(), text),
                    c.algorithm.map_or("-", Algorithm::name),
                    c.qop.map_or("-", Qop::name),
                    if c.is_stale { " stale" } else { "" }
                )
            })
            .collect()
    }

    #[test]
    fn challenges() {
        for (value, expected) in [
            // RFC 3261 §20.44 and §22.4.
            (
                r#"Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth", nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, algorithm=MD5"#,
                &["atlanta.com f84f1cec41e6cbe5aea9c8e88d359  MD5 auth"][..],
            ),
            (
                r#"Digest realm="a",nonce="n",qop="auth,auth-int",algorithm=SHA-256,stale=true"#,
                &["a n - SHA-256 auth stale"],
            ),
            (
                r#"dIGEST Realm="a", NONCE=n, qop="auth-int , X", Algorithm="sha-512-256-SESS", Stale="TRUE", new=1"#,
                &["a n - SHA-512-256-sess auth-int stale"],
            ),
            (r#"Digest realm="", nonce="""#, &["  - - -"]),
            (r#"Digest realm=a, nonce=n, qop="""#, &["a n - - -"]),
            (
                r#"Basic realm="x", Digest realm="a, \"b\"", nonce="1", Negotiate, Digest nonce="2", realm="c", algorithm=MD5"#,
                &[r#"a, \"b\" 1 - - -"#, "c 2 - MD5 -"],
            ),
            // What cannot be answered leaves the others alone.
            (
                r#"Digest realm="a", nonce="1", algorithm=SHA-1, Digest realm="a", nonce="2", qop="conf", Digest realm="a", nonce="3""#,
                &["a 3 - - -"],
            ),
            (r#"Digest realm="a""#, &[]),
            (r#"Digest nonce="a""#, &[]),
            (r#"Digest realm="a", nonce="1", nonce="2""#, &[]),
            (r#"Digest realm="a", nonce="1", opaque="open"#, &[]),
            (r#"realm="a", nonce="1""#, &[]),
            ("NoOneKnowsThisScheme opaque-data=here", &[]),
            ("", &[]),
        ] {
            assert_eq!(words(value), expected, "{value}");
        }
        let long = |length| format!("Digest realm=a, nonce={}", "n".repeat(length));
        assert_eq!(words(&long(MAX_VALUE)).len(), 1);
        assert_eq!(words(&long(MAX_VALUE + 1)).len(), 0);
    }
}
