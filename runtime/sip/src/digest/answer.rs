//! What answers a challenge: the value of `Authorization` or `Proxy-Authorization` (RFC 7616 §3.4, RFC 3261 §22.4).

use super::proof::{Subject, Terms, ha1, response};
use super::{Challenge, Credentials};
use crate::lex;

impl Challenge {
    /// The field's value that proves a request. `cnonce`: random, and the same for every use of this nonce; `uses`: how often the
    /// nonce has been used with this one, from 1.
    #[must_use]
    pub fn answer(
        &self,
        credentials: &Credentials,
        subject: Subject<'_>,
        cnonce: &[u8],
        uses: u32,
    ) -> Vec<u8> {
        let algorithm = self.algorithm();
        let count = format!("{uses:08x}");
        let terms = Terms {
            algorithm,
            nonce: &self.nonce,
            cnonce,
            qop: self.qop.map(|qop| (qop, count.as_bytes())),
        };
        let ha1 = ha1(
            algorithm.hash,
            credentials.username.as_bytes(),
            &self.realm,
            credentials.password.as_bytes(),
        );
        let mut value = b"Digest ".to_vec();
        let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| value.extend_from_slice(part));
        put(&[
            b"username=\"",
            lex::escaped(&credentials.username).as_bytes(),
        ]);
        put(&[b"\", realm=\"", &self.realm]);
        put(&[b"\", nonce=\"", &self.nonce]);
        put(&[b"\", uri=\"", subject.uri]);
        put(&[
            b"\", response=\"",
            response(&ha1, terms, subject).as_bytes(),
            b"\"",
        ]);
        if let Some(named) = self.algorithm {
            put(&[b", algorithm=", named.name().as_bytes()]);
        }
        if self.qop.is_some() || algorithm.is_session {
            put(&[b", cnonce=\"", cnonce, b"\""]);
        }
        if let Some(qop) = self.qop {
            put(&[b", qop=", qop.name().as_bytes(), b", nc=", count.as_bytes()]);
        }
        if let Some(opaque) = &self.opaque {
            put(&[b", opaque=\"", opaque, b"\""]);
        }
        value
    }
}
