//! Addresses in `From`, `To`, `Contact`, `Route` and `Record-Route` (RFC 3261 §20.10).

use std::borrow::Cow;

use bytes::Bytes;

use crate::lex::{self, Params};
use crate::{SipError, Uri};

/// A `name-addr` or `addr-spec` with the header parameters behind it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    display: Bytes,
    uri: Uri,
    params: Bytes,
}

impl NameAddr {
    /// Reads one address, all of `bytes`.
    ///
    /// # Errors
    ///
    /// [`SipError::Malformed`]: quotes or angle brackets that do not pair, an unquoted display name that is not made of
    /// tokens, a broken URI, or one with `?` or `,` outside `<…>` (RFC 3261 §20).
    pub fn parse(bytes: &Bytes) -> Result<Self, SipError> {
        let value = lex::trim(bytes);
        match lex::find_unquoted(value, |b| b == b'<')? {
            Some(open) => Self::in_angles(bytes, &value[..open], &value[open + 1..]),
            None => Self::bare(bytes, value),
        }
    }

    fn in_angles(bytes: &Bytes, display: &[u8], rest: &[u8]) -> Result<Self, SipError> {
        let display = lex::trim(display);
        let close = lex::length_while(rest, |b| b != b'>');
        if close == rest.len() || !is_display_name(display) {
            return Err(SipError::Malformed("address"));
        }
        let (uri, params) = (&rest[..close], &rest[close + 1..]);
        Params::new(params).check()?;
        Ok(Self {
            display: bytes.slice_ref(display),
            uri: Uri::parse(&bytes.slice_ref(uri))?,
            params: bytes.slice_ref(params),
        })
    }

    fn bare(bytes: &Bytes, value: &[u8]) -> Result<Self, SipError> {
        // Without brackets, everything after the first semicolon belongs to the header field.
        let end = lex::length_while(value, |b| b != b';' && !lex::is_blank(b));
        let (uri, params) = value.split_at(end);
        if lex::find(uri, |b| b == b'?' || b == b',').is_some() {
            return Err(SipError::Malformed("address"));
        }
        Params::new(params).check()?;
        Ok(Self {
            display: Bytes::new(),
            uri: Uri::parse(&bytes.slice_ref(uri))?,
            params: bytes.slice_ref(params),
        })
    }

    /// The display name, quotes and escapes undone; none where there is none.
    #[must_use]
    pub fn display_name(&self) -> Option<String> {
        (!self.display.is_empty()).then(|| lex::unquoted(&self.display))
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// A header parameter's value as written (empty for a flag), found by its name in any case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        Params::new(&self.params).get(name).map(lex::text)
    }

    /// The `tag` parameter; empty where there is none (RFC 2543 peers).
    #[must_use]
    pub fn tag(&self) -> &[u8] {
        Params::new(&self.params).get("tag").unwrap_or_default()
    }
}

/// A display name is empty, one quoted string, or tokens; bytes above ASCII are tolerated.
fn is_display_name(name: &[u8]) -> bool {
    match name.first() {
        Some(b'"') => lex::quoted_length(name) == Some(name.len()),
        _ => lex::find(name, |b| {
            !lex::is_token_byte(b) && !lex::is_blank(b) && b < 0x80
        })
        .is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<NameAddr, SipError> {
        NameAddr::parse(&Bytes::copy_from_slice(text))
    }

    #[test]
    fn parts() {
        for (text, display, uri, tag) in [
            (&b"<sip:a@b>;tag=1"[..], None, "sip:a@b", "1"),
            (b"sip:a@b;tag=1;x=y", None, "sip:a@b", "1"),
            (
                b"sip:a@b ;  tag  = 1918181833n",
                None,
                "sip:a@b",
                "1918181833n",
            ),
            (
                b"caller<sip:a@b;p?h=1>",
                Some("caller"),
                "sip:a@b;p?h=1",
                "",
            ),
            (
                br#""J Rosenberg \\\"" <sip:a@b> ;TAG=x"#,
                Some(r#"J Rosenberg \""#),
                "sip:a@b",
                "x",
            ),
            (b"J\xfcrg M <sip:a@b>", Some("J\u{fc}rg M"), "sip:a@b", ""),
            (
                br#""<x>" <sip:a@b>;q="tag=no";tag=t"#,
                Some("<x>"),
                "sip:a@b",
                "t",
            ),
            (b"<urn:x:y>", None, "urn:x:y", ""),
        ] {
            let address = parse(text).unwrap();
            assert_eq!(address.display_name().as_deref(), display);
            assert_eq!(address.uri().to_string(), uri);
            assert_eq!(address.tag(), tag.as_bytes());
        }
    }

    #[test]
    fn refused() {
        for text in [
            &b""[..],
            b"<sip:a@b",
            b"sip:a@b>",
            br#""open <sip:a@b>"#,
            b"Bell, Alexander <sip:a@b>",
            b"< sip:a@b >",
            b"sip:a@b?Route=x",
            b"<sip:a@b>;;",
            br#""a" b <sip:a@b>"#,
            b"<sip:a@b> junk",
            b";;;;",
        ] {
            assert!(parse(text).is_err(), "{:?}", lex::text(text));
        }
    }
}
