//! The hash that proves the password (RFC 7616 §3.4.1, RFC 2617 §3.2.2).

use super::{Algorithm, Hash};

/// What of the request a proof covers besides method and URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// Nothing more.
    Auth,
    /// The body.
    AuthInt,
}

impl Qop {
    /// The one of that name, in any case.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        match () {
            () if name.eq_ignore_ascii_case(b"auth") => Some(Self::Auth),
            () if name.eq_ignore_ascii_case(b"auth-int") => Some(Self::AuthInt),
            () => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// The request that is proved.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its method.
    pub method: &'a [u8],
    /// As it stands in the `uri` parameter.
    pub uri: &'a [u8],
    /// Its body, which counts for `auth-int` alone.
    pub body: &'a [u8],
}

/// What goes into a proof besides the password and the request. All as it stands in the header field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) nonce: &'a [u8],
    pub(super) cnonce: &'a [u8],
    /// With the nonce count in hexadecimal digits. None: the way of RFC 2069.
    pub(super) qop: Option<(Qop, &'a [u8])>,
}

/// The hash of user and password: what a server keeps in place of the password.
pub(super) fn ha1(hash: Hash, username: &[u8], realm: &[u8], password: &[u8]) -> String {
    hash.hex(&[username, realm, password])
}

/// The `response` parameter.
pub(super) fn response(ha1: &str, terms: Terms<'_>, subject: Subject<'_>) -> String {
    let hash = terms.algorithm.hash;
    let session;
    let ha1 = if terms.algorithm.is_session {
        session = hash.hex(&[ha1.as_bytes(), terms.nonce, terms.cnonce]);
        session.as_bytes()
    } else {
        ha1.as_bytes()
    };
    let Subject { method, uri, body } = subject;
    let ha2 = match terms.qop {
        Some((Qop::AuthInt, _)) => hash.hex(&[method, uri, hash.hex(&[body]).as_bytes()]),
        _ => hash.hex(&[method, uri]),
    };
    match terms.qop {
        Some((qop, count)) => hash.hex(&[
            ha1,
            terms.nonce,
            count,
            terms.cnonce,
            qop.name().as_bytes(),
            ha2.as_bytes(),
        ]),
        None => hash.hex(&[ha1, terms.nonce, ha2.as_bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        login: [&'static str; 3],
        nonce: &'static str,
        cnonce: &'static str,
        method: &'static str,
        uri: &'static str,
        body: &'static str,
        qop: Option<Qop>,
    }

    impl Case {
        fn response(&self, algorithm: &str) -> String {
            let algorithm = Algorithm::of(algorithm.as_bytes()).unwrap();
            let [username, realm, password] = self.login.map(str::as_bytes);
            let terms = Terms {
                algorithm,
                nonce: self.nonce.as_bytes(),
                cnonce: self.cnonce.as_bytes(),
                qop: self.qop.map(|qop| (qop, &b"00000001"[..])),
            };
            let subject = Subject {
                method: self.method.as_bytes(),
                uri: self.uri.as_bytes(),
                body: self.body.as_bytes(),
            };
            response(
                &ha1(algorithm.hash, username, realm, password),
                terms,
                subject,
            )
        }
    }

    #[test]
    fn rfc_2617_section_3_5() {
        let case = Case {
            login: ["Mufasa", "testrealm@host.com", "Circle Of Life"],
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            cnonce: "0a4f113b",
            method: "GET",
            uri: "/dir/index.html",
            body: "",
            qop: Some(Qop::Auth),
        };
        assert_eq!(case.response("MD5"), "6629fae49393a05397450978507c4ef1");
        // The same in the older way, as RFC 2069 (with the erratum of its section 2.4) has it.
        let case = Case { qop: None, ..case };
        assert_eq!(case.response("MD5"), "670fd8c2df070c60b045671b8b24ff02");
    }

    #[test]
    fn rfc_7616_section_3_9_1() {
        let case = Case {
            login: ["Mufasa", "http-auth@example.org", "Circle of Life"],
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            method: "GET",
            uri: "/dir/index.html",
            body: "",
            qop: Some(Qop::Auth),
        };
        assert_eq!(case.response("MD5"), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            case.response("SHA-256"),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    /// With the values of erratum 4897: those printed are of SHA-512 cut short, which is no SHA-512/256.
    #[test]
    fn rfc_7616_section_3_9_2() {
        let case = Case {
            login: ["J\u{e4}s\u{f8}n Doe", "api@example.org", "Secret, or not?"],
            nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
            method: "GET",
            uri: "/doe.json",
            body: "",
            qop: Some(Qop::Auth),
        };
        assert_eq!(
            case.response("SHA-512-256"),
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
        );
    }

    /// An INVITE under every algorithm of RFC 8760; the values are those of another implementation (Python's hashlib).
    #[test]
    fn an_invite() {
        let case = |qop| Case {
            login: ["bob", "biloxi.example.com", "zanzibar"],
            nonce: "84a4cc6f3082121f32b42a2187831a9e",
            cnonce: "0a4f113b",
            method: "INVITE",
            uri: "sip:bob@biloxi.example.com",
            body: "v=0\r\n",
            qop,
        };
        for (qop, algorithm, expected) in VECTORS {
            assert_eq!(
                case(*qop).response(algorithm),
                *expected,
                "{qop:?} {algorithm}"
            );
        }
    }

    type Vector = (Option<Qop>, &'static str, &'static str);

    #[rustfmt::skip]
    const VECTORS: &[Vector] = &[
        (None, "MD5", "3cb365f0cad57736ed8ca1378be64eec"),
        (None, "MD5-sess", "81f84ba42d57968a2dbb1f5ea216867f"),
        (None, "SHA-256", "a935d6aab6895b41909b1d6ccda4fe62add10c94968b32e05d0fac7812b27b18"),
        (None, "SHA-256-sess", "b53edf007c814430f3ff4da9cb1829d2407eee939e13011767bb68b22c578be4"),
        (None, "SHA-512-256", "703d76dc152e7a45c5cdcfc22a7ba9d09aeac0fdf6e4f1599b1ab5145354dbde"),
        (None, "SHA-512-256-sess", "6e88ac844953ea2629418632dc4f77bc227e8ec9f09217dcacd0e9347cc8131d"),
        (Some(Qop::Auth), "MD5", "d94d23d52d7f8075aab8be86e5d02aa2"),
        (Some(Qop::Auth), "MD5-sess", "cc2995d2d1447a822aaac127c999d04a"),
        (Some(Qop::Auth), "SHA-256", "cab9009a8391afa56b1575f7d82b4ef47c6525748daf6923360ff77d158ed40f"),
        (Some(Qop::Auth), "SHA-256-sess", "ccb845d16fcccf51a562abce8c10e1e85c132ae8d3cc983ffb8435573e6f1a33"),
        (Some(Qop::Auth), "SHA-512-256", "0ddd10fd8855de3f07d323920ba1228c1b9f85a17317db16d379d29a06b01f36"),
        (Some(Qop::Auth), "SHA-512-256-sess", "de8c5f7ae1b73daa71671102b3b22da04ea970480e6bc323557be991ccbb195f"),
        (Some(Qop::AuthInt), "MD5", "78a55be5faa1f5d7888961ff476bda29"),
        (Some(Qop::AuthInt), "MD5-sess", "c40d8f618f49cee0ab8b55cef3cbf37a"),
        (Some(Qop::AuthInt), "SHA-256", "148cad7b54333d6997d97831574f78987cdc65bac9aefffc6f188f416d5fae32"),
        (Some(Qop::AuthInt), "SHA-256-sess", "b0aec9a0d477327e1ee0f4da715b4f869520fce3759404eb4d75eb58cbd743fa"),
        (Some(Qop::AuthInt), "SHA-512-256", "5cd3616fb7b0174c9f17a948c8e6d89563f7a379789420703168bac836736ef1"),
        (Some(Qop::AuthInt), "SHA-512-256-sess", "aa8aafbe4c4ad2d3e2592af0638cd31a104aae60c44d4177acc7a3e019ffaa9c"),
    ];
}
