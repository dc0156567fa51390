//! The client's side: what was asked of us, and the header fields that answer it (RFC 3261 §22.2, §22.3).

use bytes::Bytes;

use super::{Challenge, Credentials, Subject};
use crate::field::Name;
use crate::lex;
use crate::message::Fields;

/// The most realms that are answered in one request.
const MAX_REALMS: usize = 4;

/// Wrong answers to one realm after which we stop: the first may be due to a nonce that was too old without saying so.
const MAX_FAILURES: u8 = 2;

/// Challenged requests in a row after which we stop, whatever they say.
const MAX_ROUNDS: u8 = 6;

/// The challenges answered within one call, or for one request outside of any. Later requests of the call repeat their
/// answers without being asked, each time with a higher nonce count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Login {
    rounds: u8,
    realms: Vec<Realm>,
}

#[derive(Clone, Debug)]
struct Realm {
    kind: Kind,
    challenge: Challenge,
    cnonce: Bytes,
    /// How often this nonce was used.
    uses: u32,
    /// How often an answer was refused since the last that was not.
    failures: u8,
}

/// Who asks: the other end, or a proxy on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Www,
    Proxy,
}

impl Kind {
    fn question(self) -> Name {
        match self {
            Self::Www => Name::WwwAuthenticate,
            Self::Proxy => Name::ProxyAuthenticate,
        }
    }

    fn answer(self) -> Name {
        match self {
            Self::Www => Name::Authorization,
            Self::Proxy => Name::ProxyAuthorization,
        }
    }
}

impl Login {
    /// Takes the challenges of a 401 or 407. True: send the request again, with [`Self::fields`]; false: the response is
    /// final. `cnonce` is new and random.
    pub(crate) fn challenged(
        &mut self,
        credentials: &Credentials,
        response: &Fields,
        cnonce: &Bytes,
    ) -> bool {
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds > MAX_ROUNDS {
            return false;
        }
        let asked = asked(credentials, response);
        !asked.is_empty()
            && asked
                .into_iter()
                .all(|(kind, challenge)| self.take(kind, challenge, cnonce))
    }

    /// The last request was answered by something else than a challenge: the next starts with a clean slate.
    pub(crate) fn settled(&mut self) {
        self.rounds = 0;
        for realm in &mut self.realms {
            realm.failures = 0;
        }
    }

    /// The header fields, name and value, that prove a request with that method, Request-URI and body.
    pub(crate) fn fields(
        &mut self,
        credentials: &Credentials,
        method: &[u8],
        uri: &[u8],
        body: &[u8],
    ) -> Vec<(Name, Vec<u8>)> {
        let subject = Subject { method, uri, body };
        let write = |realm: &mut Realm| (realm.kind.answer(), realm.answer(credentials, subject));
        self.realms.iter_mut().map(write).collect()
    }

    fn take(&mut self, kind: Kind, challenge: Challenge, cnonce: &Bytes) -> bool {
        let is_same =
            |realm: &Realm| realm.kind == kind && realm.challenge.realm == challenge.realm;
        let at = self.realms.iter().position(is_same);
        let mut failures = 0;
        if let Some(known) = at.map(|at| &self.realms[at]) {
            let is_new = known.challenge.nonce != challenge.nonce;
            failures = known.failures + u8::from(!challenge.is_stale);
            // The same question again will not find another answer.
            if !is_new || failures >= MAX_FAILURES {
                return false;
            }
        }
        let realm = Realm {
            kind,
            challenge,
            cnonce: cnonce.clone(),
            uses: 0,
            failures,
        };
        match at {
            Some(at) => self.realms[at] = realm,
            None if self.realms.len() < MAX_REALMS => self.realms.push(realm),
            None => return false,
        }
        true
    }
}

impl Realm {
    fn answer(&mut self, credentials: &Credentials, subject: Subject<'_>) -> Vec<u8> {
        self.uses += 1;
        let (challenge, cnonce) = (&self.challenge, &self.cnonce);
        challenge.answer(credentials, subject, cnonce, self.uses)
    }
}

/// What we are asked for and have credentials for: the strongest challenge of each realm, of equals the topmost
/// (RFC 8760 §2.4). Either field may stand in a 401 as in a 407: forking proxies put together what they were asked.
fn asked(credentials: &Credentials, response: &Fields) -> Vec<(Kind, Challenge)> {
    let mut best: Vec<(Kind, Challenge)> = Vec::new();
    for kind in [Kind::Www, Kind::Proxy] {
        let challenges = response
            .head
            .values(kind.question())
            .flat_map(Challenge::read);
        let ours = challenges.filter(|challenge| {
            let wanted = credentials.realm.as_ref();
            wanted.is_none_or(|realm| lex::escaped(realm).as_bytes() == challenge.realm)
        });
        for challenge in ours {
            let strength = |challenge: &Challenge| challenge.algorithm().hash.strength();
            let is_same =
                |(k, found): &(Kind, Challenge)| *k == kind && found.realm == challenge.realm;
            match best.iter().position(is_same) {
                Some(at) if strength(&best[at].1) < strength(&challenge) => best[at].1 = challenge,
                None if best.len() < MAX_REALMS => best.push((kind, challenge)),
                Some(_) | None => {}
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{Authorization, Hash};
    use crate::lex;
    use crate::testing::parse_response;

    const SHA: &str =
        r#"WWW-Authenticate: Digest realm="a", nonce="1", algorithm=SHA-256, qop="auth""#;

    fn fields(lines: &str) -> crate::Response {
        parse_response(&format!(
            "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n\
             Call-ID: x\r\nCSeq: 1 INVITE\r\n{lines}\r\n\r\n"
        ))
    }

    fn gateway(realm: Option<&str>) -> Credentials {
        Credentials::new("gw", "secret", realm.map(str::to_owned)).unwrap()
    }

    /// The answers to the challenges in those lines, in words; none when they are final.
    fn answer(login: &mut Login, credentials: &Credentials, lines: &str) -> Option<String> {
        let is_worth_it = login.challenged(credentials, &fields(lines), &"c0".into());
        is_worth_it.then(|| prove(login, credentials))
    }

    fn prove(login: &mut Login, credentials: &Credentials) -> String {
        let word = |(name, value): (Name, Vec<u8>)| {
            let read = Authorization::read(&value).unwrap();
            let kind = if name == Name::Authorization {
                "www"
            } else {
                "proxy"
            };
            let (realm, nonce) = (lex::text(&read.realm), lex::text(&read.nonce));
            let count = read.qop.map_or(0, |(_, count)| count.number);
            format!("{kind}/{realm}/{nonce}/{}/{count}", read.algorithm.name())
        };
        let fields = login.fields(credentials, b"INVITE", b"sip:c@d", b"v=0");
        fields.into_iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_strongest_of_each_realm_is_answered() {
        for (realm, lines, expected) in [
            (None, SHA, Some("www/a/1/SHA-256/1")),
            (Some("a"), SHA, Some("www/a/1/SHA-256/1")),
            (Some("b"), SHA, None),
            (Some("A"), SHA, None),
            (
                None,
                "WWW-Authenticate: Digest realm=a, nonce=1\r\nWWW-Authenticate: Digest realm=a, nonce=2, algorithm=SHA-512-256\r\n\
                 WWW-Authenticate: Digest realm=a, nonce=3, algorithm=SHA-256",
                Some("www/a/2/SHA-512-256/0"),
            ),
            (
                None,
                "www-authenticate: Digest realm=a, nonce=1, algorithm=AKAv1-MD5, Digest realm=a, nonce=2,\r\n algorithm=MD5",
                Some("www/a/2/MD5/0"),
            ),
            // A forking proxy hands on what it was asked, and asks itself.
            (
                None,
                "WWW-Authenticate: Digest realm=a, nonce=1, qop=auth\r\nProxy-Authenticate: Digest realm=a, nonce=2\r\n\
                 WWW-Authenticate: Digest realm=b, nonce=3\r\nProxy-Authenticate: Basic realm=c",
                Some("www/a/1/MD5/1 www/b/3/MD5/0 proxy/a/2/MD5/0"),
            ),
            (
                Some("b"),
                "WWW-Authenticate: Digest realm=a, nonce=1\r\nWWW-Authenticate: Digest realm=b, nonce=3",
                Some("www/b/3/MD5/0"),
            ),
            (None, "WWW-Authenticate: Basic realm=a", None),
            (None, "Subject: nothing", None),
        ] {
            let answered = answer(&mut Login::default(), &gateway(realm), lines);
            assert_eq!(answered.as_deref(), expected, "{realm:?} {lines}");
        }
    }

    #[test]
    fn no_more_than_some_realms() {
        let lines: Vec<_> = (0..20)
            .map(|n| format!("Proxy-Authenticate: Digest realm=r{n}, nonce=1"))
            .collect();
        let answered = answer(&mut Login::default(), &gateway(None), &lines.join("\r\n")).unwrap();
        assert_eq!(answered.split(' ').count(), MAX_REALMS);
    }

    #[test]
    fn a_nonce_is_counted_and_the_fields_are_whole() {
        let credentials = Credentials::new(r#"g"w\"#, "secret", None).unwrap();
        let mut login = Login::default();
        let asked = r#"WWW-Authenticate: Digest realm="a \"b\"", nonce="n", opaque="o", algorithm=MD5-sess, qop="auth-int""#;
        assert!(login.challenged(&credentials, &fields(asked), &"c0".into()));
        for count in ["00000001", "00000002"] {
            let written = login.fields(&credentials, b"INVITE", b"sip:c@d", b"v=0");
            let [(name, value)] = &written[..] else {
                panic!("{written:?}")
            };
            let (a, b) = (r#"a \"b\""#, count);
            let ha1 = Hash::Md5.hex(&[br#"g"w\"#, a.as_bytes(), b"secret"]);
            let ha1 = Hash::Md5.hex(&[ha1.as_bytes(), b"n", b"c0"]);
            let body = Hash::Md5.hex(&[b"v=0"]);
            let ha2 = Hash::Md5.hex(&[b"INVITE", b"sip:c@d", body.as_bytes()]);
            let proof = Hash::Md5.hex(&[
                ha1.as_bytes(),
                b"n",
                b.as_bytes(),
                b"c0",
                b"auth-int",
                ha2.as_bytes(),
            ]);
            assert_eq!(*name, Name::Authorization);
            assert_eq!(
                lex::text(value),
                format!(
                    r#"Digest username="g\"w\\", realm="{a}", nonce="n", uri="sip:c@d", response="{proof}", algorithm=MD5-sess, cnonce="c0", qop=auth-int, nc={count}, opaque="o""#
                )
            );
        }
    }

    #[test]
    fn as_little_as_was_asked() {
        let mut login = Login::default();
        let asked = "Proxy-Authenticate: Digest realm=a, nonce=n";
        assert!(login.challenged(&gateway(None), &fields(asked), &"c0".into()));
        let (name, value) = login
            .fields(&gateway(None), b"BYE", b"sip:c@d", b"")
            .remove(0);
        let proof = Hash::Md5.hex(&[
            Hash::Md5.hex(&[b"gw:a:secret"]).as_bytes(),
            b"n",
            Hash::Md5.hex(&[b"BYE:sip:c@d"]).as_bytes(),
        ]);
        assert_eq!(name, Name::ProxyAuthorization);
        assert_eq!(
            lex::text(&value),
            format!(
                r#"Digest username="gw", realm="a", nonce="n", uri="sip:c@d", response="{proof}""#
            )
        );
    }

    #[test]
    fn it_ends() {
        let ask = |nonce: &str, extra: &str| {
            format!(r#"WWW-Authenticate: Digest realm="a", nonce="{nonce}"{extra}"#)
        };
        let (gw, stale) = (gateway(None), ", stale=true");
        // Refused twice.
        let mut login = Login::default();
        assert!(answer(&mut login, &gw, &ask("1", "")).is_some());
        assert!(answer(&mut login, &gw, &ask("2", "")).is_some());
        assert!(answer(&mut login, &gw, &ask("3", "")).is_none());
        // The same question again.
        for extra in ["", stale] {
            let mut login = Login::default();
            assert!(answer(&mut login, &gw, &ask("1", "")).is_some());
            assert!(answer(&mut login, &gw, &ask("1", extra)).is_none());
        }
        // Stale is no failure, but it has an end, too.
        let mut login = Login::default();
        for round in 0..MAX_ROUNDS {
            assert!(answer(&mut login, &gw, &ask(&round.to_string(), stale)).is_some());
        }
        assert!(answer(&mut login, &gw, &ask("x", stale)).is_none());
        // What was taken in between starts anew.
        let mut login = Login::default();
        for round in 0..9 {
            assert!(answer(&mut login, &gw, &ask(&round.to_string(), "")).is_some());
            login.settled();
        }
        // Each realm for itself: proxies on the way ask one after the other.
        let mut login = Login::default();
        let other = r#"Proxy-Authenticate: Digest realm="p", nonce="1""#;
        assert!(answer(&mut login, &gw, other).is_some());
        let both = answer(&mut login, &gw, &ask("1", "")).unwrap();
        assert_eq!(both, "proxy/p/1/MD5/0 www/a/1/MD5/0");
    }

    #[test]
    fn a_later_request_needs_no_question() {
        let (mut login, gw) = (Login::default(), gateway(None));
        assert_eq!(prove(&mut login, &gw), "");
        assert_eq!(
            answer(&mut login, &gw, SHA).as_deref(),
            Some("www/a/1/SHA-256/1")
        );
        login.settled();
        assert_eq!(prove(&mut login, &gw), "www/a/1/SHA-256/2");
        let stale = SHA.replace("nonce=\"1\"", "nonce=\"2\", stale=TRUE");
        assert_eq!(
            answer(&mut login, &gw, &stale).as_deref(),
            Some("www/a/2/SHA-256/1")
        );
    }
}
