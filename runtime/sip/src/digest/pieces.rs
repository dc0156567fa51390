//! The pieces of an authentication header field: schemes and their parameters (RFC 7235 §2.1, RFC 3261 §25.1).

use crate::lex;

/// One piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A scheme's name; its parameters follow.
    Scheme(&'a [u8]),
    /// A parameter; of a quoted value what stands between the quotes, as it stands there.
    Param(&'a [u8], &'a [u8]),
    /// What is neither; the rest of the value cannot be read.
    Junk,
}

/// Reads a field's value from left to right, each byte a bounded number of times. A name with `=` behind it is a
/// parameter, one without a scheme, so that several challenges in one field come apart although commas divide both.
pub(super) struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    fn read(&mut self) -> Option<Piece<'a>> {
        let (name, rest) = self
            .rest
            .split_at(lex::length_while(self.rest, lex::is_token_byte));
        if name.is_empty() {
            return None;
        }
        let Some(rest) = lex::trim_start(rest).strip_prefix(b"=") else {
            self.rest = rest;
            return Some(Piece::Scheme(name));
        };
        let rest = lex::trim_start(rest);
        if rest.first() != Some(&b'"') {
            // Wider than the grammar, for nonces in Base64 come without quotes, too.
            let (value, rest) = rest.split_at(lex::length_while(rest, |b| {
                b.is_ascii_graphic() && b != b',' && b != b'"'
            }));
            self.rest = rest;
            return Some(Piece::Param(name, value));
        }
        let (quoted, rest) = rest.split_at(lex::quoted_length(rest)?);
        let value = &quoted[1..quoted.len() - 1];
        self.rest = rest;
        let is_text = !value.iter().any(|&b| b < b' ' && b != b'\t' || b == 0x7f);
        is_text.then_some(Piece::Param(name, value))
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let divides = |b| lex::is_blank(b) || b == b',';
        self.rest = &self.rest[lex::length_while(self.rest, divides)..];
        if self.rest.is_empty() {
            return None;
        }
        let piece = self.read();
        if piece.is_none() {
            self.rest = b"";
        }
        Some(piece.unwrap_or(Piece::Junk))
    }
}

/// A parameter that may stand once. False when it stands a second time.
pub(super) fn once<T>(slot: &mut Option<T>, value: T) -> bool {
    slot.replace(value).is_none()
}

/// The value of a quoted string without its escapes.
pub(super) fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        plain.extend(if byte == b'\\' {
            bytes.next().copied()
        } else {
            Some(byte)
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(value: &str) -> String {
        let word = |piece| match piece {
            Piece::Scheme(name) => format!("<{}>", lex::text(name)),
            Piece::Param(name, value) => format!("{}={}", lex::text(name), lex::text(value)),
            Piece::Junk => "!".to_owned(),
        };
        let words: Vec<_> = Pieces::new(value.as_bytes()).map(word).collect();
        words.join(" ")
    }

    #[test]
    fn fields_come_apart() {
        for (value, expected) in [
            ("", ""),
            ("Digest", "<Digest>"),
            (r#"Digest realm="a",nonce="b""#, "<Digest> realm=a nonce=b"),
            (
                r#" Digest  realm = "a, b" ,, nonce=b "#,
                "<Digest> realm=a, b nonce=b",
            ),
            (
                r#"Basic realm="x", Digest realm="a", Negotiate, NTLM TlRMTQ==, Digest qop=auth"#,
                "<Basic> realm=x <Digest> realm=a <Negotiate> <NTLM> TlRMTQ== <Digest> qop=auth",
            ),
            (
                r#"Digest nonce=a+/:b==,qop="""#,
                "<Digest> nonce=a+/:b== qop=",
            ),
            (r#"Digest realm="a\"b\\""#, r#"<Digest> realm=a\"b\\"#),
            (r#"Digest realm="a" nonce="b""#, "<Digest> realm=a nonce=b"),
            (r#"Digest realm="open, nonce=b"#, "<Digest> !"),
            ("Digest realm=\"a\u{1}\", nonce=b", "<Digest> !"),
            ("Digest realm=a;nonce=b", "<Digest> realm=a;nonce=b"),
            ("Digest {realm=a}", "<Digest> !"),
            ("Digest realm=a\u{0}b", "<Digest> realm=a !"),
            ("=", "!"),
        ] {
            assert_eq!(words(value), expected, "{value:?}");
        }
    }

    #[test]
    fn escapes_go_and_come() {
        for (plain, escaped) in [("a", "a"), (r#"a"b\"#, r#"a\"b\\"#), ("ä", "ä"), ("", "")] {
            assert_eq!(lex::escaped(plain), escaped);
            assert_eq!(unescape(escaped.as_bytes()), plain.as_bytes());
        }
        assert_eq!(unescape(br"a\"), b"a");
    }
}
