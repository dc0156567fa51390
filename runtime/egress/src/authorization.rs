//! What proves the user name and the password of a URL: Basic (RFC 7617), and digest where the server asks for it (RFC 7616).
//!
//! What a challenge says and what answers it is the same over SIP, so the `sip` crate reads the one and writes the other.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response, StatusCode};
use percent_encoding::percent_decode_str;
use sip::digest::{Challenge, Credentials, Subject};
use url::Url;

/// Basic authentication; none for a URL without user information.
pub(crate) fn basic_auth(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut credentials: Vec<u8> = percent_decode_str(url.username()).collect();
    credentials.push(b':');
    credentials.extend(percent_decode_str(url.password().unwrap_or_default()));
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(credentials))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A challenge that is answered from now on.
pub(crate) struct Proof {
    challenge: Challenge,
    credentials: Credentials,
    cnonce: String,
    /// How often the server's nonce was used.
    uses: AtomicU32,
}

impl Proof {
    /// What answers a 401 to a request for that URL. None for any other response, for one that asks for no digest that is known
    /// here, and for a URL without user name. `cnonce`: random.
    pub(crate) fn asked_by<B>(
        response: &Response<B>,
        url: &Url,
        cnonce: impl FnOnce() -> Option<String>,
    ) -> Option<Self> {
        if response.status() != StatusCode::UNAUTHORIZED {
            return None;
        }
        let fields = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenges = fields.flat_map(|field| Challenge::read(field.as_bytes()));
        // The strongest, of equals the first (RFC 7616 section 3.7).
        let challenge = challenges.reduce(|best, next| {
            let strength = |challenge: &Challenge| challenge.algorithm().hash.strength();
            if strength(&next) > strength(&best) {
                next
            } else {
                best
            }
        })?;
        let username = percent_decode_str(url.username()).decode_utf8().ok()?;
        let password = percent_decode_str(url.password().unwrap_or_default());
        let password = password.decode_utf8().ok()?;
        let credentials = Credentials::new(username, password, None).ok()?;
        Some(Self {
            challenge,
            credentials,
            cnonce: cnonce()?,
            uses: AtomicU32::new(0),
        })
    }

    /// The `Authorization` of a request that leaves now for this URL, whose path and query it covers.
    pub(crate) fn of(&self, method: &str, url: &Url, body: &[u8]) -> Option<HeaderValue> {
        let uses = self.uses.fetch_add(1, Ordering::Relaxed) + 1;
        let uri = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let subject = Subject {
            method: method.as_bytes(),
            uri: uri.as_bytes(),
            body,
        };
        let cnonce = self.cnonce.as_bytes();
        let value = self
            .challenge
            .answer(&self.credentials, subject, cnonce, uses);
        let mut value = HeaderValue::from_bytes(&value).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str, status: u16, fields: &[&str]) -> Option<String> {
        let mut response = Response::builder().status(status);
        for field in fields {
            response = response.header(WWW_AUTHENTICATE, *field);
        }
        let (response, url) = (response.body(()).unwrap(), Url::parse(url).unwrap());
        let proof = Proof::asked_by(&response, &url, || Some("0a4f113b".to_owned()))?;
        let value = proof.of("GET", &url, b"")?;
        Some(value.to_str().unwrap().to_owned())
    }

    /// RFC 2617 section 3.5.
    #[test]
    fn the_example() {
        let answer = asked(
            "http://Mufasa:Circle%20Of%20Life@www.nowhere.org/dir/index.html",
            401,
            &[
                r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
            ],
        );
        let answer = answer.unwrap();
        for part in [
            "Digest username=\"Mufasa\"",
            "uri=\"/dir/index.html\"",
            "response=\"6629fae49393a05397450978507c4ef1\"",
            "nc=00000001",
            "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        ] {
            assert!(answer.contains(part), "{answer}");
        }
    }

    #[test]
    fn what_is_answered_and_what_is_not() {
        const MD5: &str = r#"Digest realm="a", nonce="1", algorithm=MD5"#;
        const SHA: &str = r#"Digest realm="a", nonce="2", algorithm=SHA-256"#;
        let url = "https://us:pw@h/a?b=c";
        let both = asked(url, 401, &["Basic realm=\"a\"", MD5, SHA]).unwrap();
        assert!(both.contains("algorithm=SHA-256"), "{both}");
        assert!(both.contains("uri=\"/a?b=c\""), "{both}");
        for (url, status, fields) in [
            (url, 403, &[MD5][..]),
            (url, 407, &[MD5]),
            (url, 401, &[]),
            (url, 401, &["Basic realm=\"a\""]),
            (url, 401, &[r#"Digest realm="a", nonce="1", algorithm=MD4"#]),
            ("https://h/a", 401, &[MD5]),
        ] {
            assert_eq!(
                asked(url, status, fields),
                None,
                "{url} {status} {fields:?}"
            );
        }
    }
}
