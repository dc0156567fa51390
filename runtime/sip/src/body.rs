//! What a body is to a user agent that takes session descriptions: one, none, or something it must refuse (RFC 5621).

use bytes::Bytes;

use crate::field::Name;
use crate::head::{logical_line, trim_folds, unfold};
use crate::lex::{self, Params};
use crate::message::Fields;

/// The most parts a multipart body may have.
const MAX_PARTS: usize = 16;

/// How deep multipart bodies may lie within each other.
const MAX_DEPTH: u8 = 2;

/// The longest boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

/// A body, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// No session description, and nothing that must be understood.
    Nothing,
    /// A session description.
    Sdp(Bytes),
    /// Something that must be understood and is not: to be answered 415.
    Unsupported,
    /// A multipart body that cannot be cut into its parts: to be answered 400.
    Malformed,
}

/// Reads the body of a message.
pub(crate) fn content(fields: &Fields) -> Content {
    if fields.body.is_empty() {
        return Content::Nothing;
    }
    let first = |name| {
        let value = fields.head.values(name).next();
        value.map_or_else(Bytes::new, |value| fields.head.share(value))
    };
    let whole = Part {
        media_type: first(Name::ContentType),
        disposition: first(Name::ContentDisposition),
        is_plain: fields.head.items(Name::ContentEncoding).all(is_identity),
        bytes: fields.body.clone(),
    };
    match whole.content(0) {
        // Nothing says that we could do without it (RFC 3261 §20.11).
        Content::Nothing if !whole.has_several_things() && !whole.is_handled(b"optional") => {
            Content::Unsupported
        }
        content => content,
    }
}

/// A body or a part of one, with the header fields that describe it.
struct Part {
    media_type: Bytes,
    disposition: Bytes,
    /// Whether the codings it has leave the bytes as they are.
    is_plain: bool,
    bytes: Bytes,
}

impl Part {
    /// Reads a part of a multipart body: header fields, an empty line, bytes.
    fn read(bytes: &Bytes) -> Self {
        let mut part = Self {
            media_type: Bytes::new(),
            disposition: Bytes::new(),
            is_plain: true,
            bytes: Bytes::new(),
        };
        let mut position = 0;
        while position < bytes.len() {
            let line = &bytes[position..][..logical_line(&bytes[position..])];
            position += line.len();
            if line == b"\r\n" {
                break;
            }
            if let Some((name, value)) = lex::cut(line, b':') {
                let value = bytes.slice_ref(trim_folds(value));
                let is_folded = lex::find(&value, |b| b == b'\n').is_some();
                let value = if is_folded { unfold(&value) } else { value };
                part.take_field(trim_folds(name), value);
            }
        }
        part.bytes = bytes.slice(position..);
        part
    }

    fn take_field(&mut self, name: &[u8], value: Bytes) {
        match Name::of(name) {
            Name::ContentType => self.media_type = value,
            Name::ContentDisposition => self.disposition = value,
            Name::ContentEncoding => self.is_plain &= is_identity(&value),
            _ if name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") => {
                self.is_plain &= is_identity(&value);
            }
            _ => {}
        }
    }

    fn content(&self, depth: u8) -> Content {
        let is_multipart = self.has_several_things() || self.has_alternatives();
        if self.is_sdp() {
            Content::Sdp(self.bytes.clone())
        } else if is_multipart && depth < MAX_DEPTH {
            self.content_of_parts(depth)
        } else if self.is_handled(b"required") {
            Content::Unsupported
        } else {
            Content::Nothing
        }
    }

    /// The first session description of several things, the last of alternatives (RFC 2046 §5.1.4).
    ///
    /// A part that says nothing of its handling is taken for optional, though RFC 3261 §20.11 has it required: gateways
    /// send ISUP along like that, beside a session description that says all there is to know.
    fn content_of_parts(&self, depth: u8) -> Content {
        let has_alternatives = self.has_alternatives();
        let Some(parts) = self.parts() else {
            return Content::Malformed;
        };
        let mut found = Content::Nothing;
        for part in &parts {
            match Part::read(part).content(depth + 1) {
                Content::Malformed => return Content::Malformed,
                Content::Unsupported if !has_alternatives => return Content::Unsupported,
                Content::Sdp(sdp) if has_alternatives || found == Content::Nothing => {
                    found = Content::Sdp(sdp);
                }
                Content::Nothing | Content::Sdp(_) | Content::Unsupported => {}
            }
        }
        found
    }

    /// Cuts a body at its boundary lines (RFC 2046 §5.1.1). None without a boundary, without the line that ends the last
    /// part, or with too many parts.
    fn parts(&self) -> Option<Vec<Bytes>> {
        let boundary = self.boundary()?;
        let mut parts = Vec::new();
        let (mut line_start, mut part_start) = (0, None);
        while line_start < self.bytes.len() {
            let rest = &self.bytes[line_start..];
            let length = lex::find(rest, |b| b == b'\n').map_or(rest.len(), |end| end + 1);
            let is_line = line_start == 0 || self.bytes[..line_start].ends_with(b"\r\n");
            let ends = behind_boundary(&rest[..length], boundary).filter(|_| is_line);
            if let Some(ends @ (b"" | b"--")) = ends {
                if let Some(start) = part_start {
                    // The line break in front of a boundary is the boundary's.
                    let end = line_start.checked_sub(2).filter(|end| *end >= start)?;
                    parts.push(self.bytes.slice(start..end));
                }
                match ends {
                    b"--" => return Some(parts),
                    _ if parts.len() == MAX_PARTS => return None,
                    _ => part_start = Some(line_start + length),
                }
            }
            line_start += length;
        }
        None
    }

    fn boundary(&self) -> Option<&[u8]> {
        let value = params_of(&self.media_type).get("boundary")?;
        let quoted = value
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        let boundary = quoted.unwrap_or(value);
        (1..=MAX_BOUNDARY)
            .contains(&boundary.len())
            .then_some(boundary)
    }

    fn is_sdp(&self) -> bool {
        let is_session = self.disposition.is_empty() || is_word(&self.disposition, b"session");
        self.is_plain && is_session && is_word(&self.media_type, b"application/sdp")
    }

    fn has_several_things(&self) -> bool {
        is_word(&self.media_type, b"multipart/mixed")
            || is_word(&self.media_type, b"multipart/related")
    }

    fn has_alternatives(&self) -> bool {
        is_word(&self.media_type, b"multipart/alternative")
    }

    /// Whether it says so of its handling.
    fn is_handled(&self, handling: &[u8]) -> bool {
        let said = params_of(&self.disposition).get("handling");
        said.is_some_and(|said| said.eq_ignore_ascii_case(handling))
    }
}

/// What stands behind two dashes and the boundary, where a line starts so; without white space.
fn behind_boundary<'a>(line: &'a [u8], boundary: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(b"--")?
        .strip_prefix(boundary)
        .map(trim_folds)
}

/// Whether the value, without its parameters, is this word in any case.
fn is_word(value: &[u8], word: &[u8]) -> bool {
    let value = &value[..lex::length_while(value, |b| b != b';')];
    lex::trim_end(value).eq_ignore_ascii_case(word)
}

fn params_of(value: &[u8]) -> Params<'_> {
    Params::new(&value[lex::length_while(value, |b| b != b';')..])
}

/// Whether a coding of content or of its transfer changes nothing.
fn is_identity(coding: &[u8]) -> bool {
    [&b"identity"[..], b"binary", b"8bit", b"7bit"]
        .iter()
        .any(|known| coding.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse_request;

    /// A body of several things: a session description, and ISUP with these header fields.
    fn mixed(isup_fields: &str) -> String {
        format!(
            "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b\r\n\
             Content-Type: application/isup;version=itu-t92+\r\n{isup_fields}\r\n\u{1}\u{0}\n--b\r\n--b--\r\n"
        )
    }

    fn check(fields: &str, body: &str, expected: &Content) {
        let request = parse_request(&format!(
            "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\n\
             CSeq: 1 INVITE\r\n{fields}\r\n{body}"
        ));
        assert_eq!(content(&request), *expected, "{fields}{body}");
    }

    fn sdp(text: &'static str) -> Content {
        Content::Sdp(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn single_bodies() {
        for (fields, expected) in [
            ("c: application/sdp\r\n", sdp("v=0\r\n")),
            ("Content-Type: APPLICATION/SDP ;x=y\r\n", sdp("v=0\r\n")),
            (
                "c: application/sdp\r\nContent-Disposition: Session;handling=optional\r\n",
                sdp("v=0\r\n"),
            ),
            ("", Content::Unsupported),
            ("c: text/plain\r\n", Content::Unsupported),
            ("c: application/sdp\r\ne: gzip\r\n", Content::Unsupported),
            ("c: application/sdp\r\ne: identity\r\n", sdp("v=0\r\n")),
            (
                "c: application/sdp\r\nContent-Disposition: early-session\r\n",
                Content::Unsupported,
            ),
            (
                "c: text/plain\r\nContent-Disposition: render ; handling=optional\r\n",
                Content::Nothing,
            ),
            ("c: multipart/mixed;boundary=b\r\n", Content::Malformed),
            ("c: multipart/mixed\r\n", Content::Malformed),
        ] {
            check(fields, "v=0\r\n", &expected);
        }
        check("c: text/plain\r\n", "", &Content::Nothing);
    }

    #[test]
    fn a_description_among_other_parts() {
        let header = "Content-Type: multipart/mixed ; boundary=\"b\"\r\n";
        for (isup_fields, expected) in [
            ("", sdp("v=0\r\n")),
            (
                "Content-Disposition: signal;handling=optional\r\n",
                sdp("v=0\r\n"),
            ),
            (
                "content-disposition :signal;\r\n handling=REQUIRED\r\n",
                Content::Unsupported,
            ),
        ] {
            check(header, &mixed(isup_fields), &expected);
        }
    }

    #[test]
    fn bodies_in_parts() {
        for (kind, body, expected) in [
            (
                "mixed",
                "--b\r\nc: application/sdp\r\n\r\n1\r\n--b\r\nc: application/sdp\r\n\r\n2\r\n--b--",
                sdp("1"),
            ),
            (
                "alternative",
                "--b\r\nc: application/sdp\r\n\r\n1\r\n--b\r\nc: application/sdp\r\n\r\n2\r\n--b--",
                sdp("2"),
            ),
            (
                "related",
                "text in front\r\n--b \r\nc: application/sdp\r\n\r\n1\r\n--b-- \r\ntext behind",
                sdp("1"),
            ),
            // What only looks like a boundary.
            (
                "mixed",
                "--b\r\nc: application/sdp\r\n\r\n1\n--b--\r\n--bb\r\n\r\n--b--",
                sdp("1\n--b--\r\n--bb\r\n"),
            ),
            // Codings and dispositions of a part are its own.
            (
                "mixed",
                "--b\r\nc: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--b--",
                Content::Nothing,
            ),
            (
                "mixed",
                "--b\r\nc: application/sdp\r\nContent-Disposition: early-session\r\n\r\n1\r\n--b--",
                Content::Nothing,
            ),
            // Nothing of the kind.
            ("mixed", "--b\r\n\r\ntext\r\n--b--", Content::Nothing),
            ("mixed", "--b--", Content::Nothing),
            (
                "alternative",
                "--b\r\n\r\ntext\r\n--b--",
                Content::Unsupported,
            ),
            (
                "alternative",
                "--b\r\nc: application/sdp\r\n\r\n1\r\n--b\r\nContent-Disposition: x;handling=required\r\n\r\n2\r\n--b--",
                sdp("1"),
            ),
            // Within each other.
            (
                "mixed",
                "--b\r\nc: multipart/alternative;boundary=c\r\n\r\n--c\r\nc: application/sdp\r\n\r\n1\r\n--c--\r\n--b--",
                sdp("1"),
            ),
            (
                "mixed",
                "--b\r\nc: multipart/mixed;boundary=c\r\n\r\nno end\r\n--b--",
                Content::Malformed,
            ),
            // No end, or no part where one should be.
            (
                "mixed",
                "--b\r\nc: application/sdp\r\n\r\n1\r\n",
                Content::Malformed,
            ),
            ("mixed", "--b\r\n--b--", Content::Malformed),
            ("mixed", "", Content::Nothing),
        ] {
            check(
                &format!("Content-Type: multipart/{kind};boundary=b\r\n"),
                body,
                &expected,
            );
        }
    }

    #[test]
    fn bounds() {
        let header = "c: multipart/mixed;boundary=b\r\n";
        let parts = |count: usize| format!("{}--b--", "--b\r\n\r\nx\r\n".repeat(count));
        check(header, &parts(MAX_PARTS), &Content::Nothing);
        check(header, &parts(MAX_PARTS + 1), &Content::Malformed);
        let long = "b".repeat(MAX_BOUNDARY + 1);
        let header = format!("c: multipart/mixed;boundary={long}\r\n");
        check(&header, &format!("--{long}--"), &Content::Malformed);
        // Deeper than we look: a part like any other.
        let mut body = "--d\r\nc: application/sdp\r\n\r\n1\r\n--d--".to_owned();
        for (outer, inner) in [("c", "d"), ("b", "c")] {
            body = format!(
                "--{outer}\r\nc: multipart/mixed;boundary={inner}\r\n\r\n{body}\r\n--{outer}--"
            );
        }
        check(
            "c: multipart/mixed;boundary=b\r\n",
            &body,
            &Content::Nothing,
        );
    }
}
