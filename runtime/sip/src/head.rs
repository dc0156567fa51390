//! The lines of a datagram: first line, header fields, where the body starts. Nothing is interpreted yet.

use bytes::Bytes;

use crate::SipError;
use crate::field::{Name, full_form};
use crate::lex;

/// The longest head (everything before the body) that is read.
pub const MAX_HEAD_BYTES: usize = 65_536;

/// The most header fields a message may have.
pub const MAX_FIELDS: usize = 128;

/// A range of a message's bytes; messages are datagrams, so 32 bits are plenty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    id: Name,
    name: Span,
    value: Span,
}

/// A message cut into lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    bytes: Bytes,
    first_line: Span,
    fields: Vec<Field>,
    body_start: u32,
}

impl Head {
    /// Cuts a datagram into lines. Empty lines in front are skipped (RFC 3261 §7.5) and folded lines joined (§7.3.1).
    pub(crate) fn read(datagram: &Bytes) -> Result<Self, SipError> {
        let skipped = lex::length_while(datagram, |b| b == b'\r' || b == b'\n');
        if skipped == datagram.len() {
            return Err(SipError::NotSip);
        }
        let (end, is_folded) = measure(&datagram[skipped..])?;
        let bytes = if is_folded {
            unfold(&datagram[skipped..], end)
        } else {
            datagram.slice(skipped..)
        };
        let mut lines = Lines {
            bytes: &bytes[..end],
            position: 0,
        };
        let first_line = lines.next().ok_or(SipError::NotSip)??;
        let mut fields = Vec::with_capacity(16);
        for line in lines {
            if fields.len() == MAX_FIELDS {
                return Err(SipError::TooLarge);
            }
            fields.push(field(&bytes, line?)?);
        }
        let body_start = to_u32(end + 2);
        Ok(Self {
            bytes,
            first_line,
            fields,
            body_start,
        })
    }

    /// The request line or status line, without its CRLF.
    pub(crate) fn first_line(&self) -> &[u8] {
        self.at(self.first_line)
    }

    /// All bytes of the message, folded lines joined.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Everything behind the header fields, whatever `Content-Length` says.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.body_start as usize..]
    }

    /// A part of this message, sharing its memory.
    pub(crate) fn share(&self, part: &[u8]) -> Bytes {
        self.bytes.slice_ref(part)
    }

    /// The values of a known header field, in order.
    pub(crate) fn values(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.fields
            .iter()
            .filter(move |field| field.id == name)
            .map(|field| self.at(field.value))
    }

    /// The values of a list header field, in order, however they are spread over lines.
    pub(crate) fn items(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.values(name).flat_map(lex::list)
    }

    /// Every header field in order: the name in its full form but else as written, and the value.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|field| (full_form(self.at(field.name)), self.at(field.value)))
    }

    /// The only value of a header field that may stand once.
    pub(crate) fn single(&self, name: Name) -> Result<Option<&[u8]>, SipError> {
        let mut values = self.values(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(SipError::Duplicate(name.as_str())),
            None => Ok(first),
        }
    }

    fn at(&self, span: Span) -> &[u8] {
        &self.bytes[span.start as usize..span.end as usize]
    }
}

/// The `Content-Length` of a whole head, found as [`Head::read`] finds it, but without keeping anything.
///
/// Equal values that stand twice are one length: the stream goes on, and the parser refuses the message. A line that is no
/// header field is for the parser to refuse too.
///
/// # Errors
///
/// A length that is no number, or two that differ.
pub(crate) fn content_length(head: &[u8]) -> Result<Option<u32>, SipError> {
    let (end, is_folded) = measure(head)?;
    let unfolded = is_folded.then(|| unfold(head, end));
    let bytes = unfolded.as_deref().unwrap_or(head);
    let lines = Lines {
        bytes: &bytes[..end],
        position: 0,
    };
    let mut found = None;
    for line in lines.skip(1) {
        let Ok(field) = field(bytes, line?) else {
            continue;
        };
        if field.id != Name::ContentLength {
            continue;
        }
        let digits = &bytes[field.value.start as usize..field.value.end as usize];
        let length = lex::number(digits).ok_or(SipError::Malformed("Content-Length"))?;
        if found.is_some_and(|other| other != length) {
            return Err(SipError::Duplicate("Content-Length"));
        }
        found = Some(length);
    }
    Ok(found)
}

/// The length of the head with the CRLF of its last line, without the empty line behind it; and whether lines are folded.
fn measure(bytes: &[u8]) -> Result<(usize, bool), SipError> {
    let within = &bytes[..bytes.len().min(MAX_HEAD_BYTES)];
    let mut is_folded = false;
    let mut position = 0;
    while let Some(length) = within[position..].iter().position(|&b| b == b'\n') {
        position += length + 1;
        let next = &within[position..];
        if within[..position].ends_with(b"\r\n") {
            if next.starts_with(b"\r\n") {
                return Ok((position, is_folded));
            }
            is_folded |= next.first().copied().is_some_and(lex::is_blank);
        }
    }
    let fault = if within.len() < bytes.len() {
        SipError::TooLarge
    } else {
        SipError::Truncated
    };
    Err(fault)
}

/// Turns the line breaks of folded lines into spaces, which is what they mean.
fn unfold(bytes: &[u8], head_length: usize) -> Bytes {
    let mut joined = bytes.to_vec();
    for position in 0..head_length.saturating_sub(2) {
        if joined[position..].starts_with(b"\r\n") && lex::is_blank(joined[position + 2]) {
            joined[position..position + 2].fill(b' ');
        }
    }
    joined.into()
}

/// The lines of a head, each without its CRLF.
struct Lines<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Iterator for Lines<'_> {
    type Item = Result<Span, SipError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.bytes[self.position..];
        if rest.is_empty() {
            return None;
        }
        let length = lex::length_while(rest, |b| b != b'\r' && b != b'\n');
        if rest.get(length..length + 2) != Some(b"\r\n") {
            self.position = self.bytes.len();
            return Some(Err(SipError::BareLineEnding));
        }
        let start = self.position;
        self.position += length + 2;
        Some(Ok(Span {
            start: to_u32(start),
            end: to_u32(start + length),
        }))
    }
}

/// Cuts a line at its colon. White space in front of the colon is allowed, for `SUBJECT :` is legal.
fn field(bytes: &[u8], line: Span) -> Result<Field, SipError> {
    let start = line.start as usize;
    let text = &bytes[start..line.end as usize];
    let colon = text
        .iter()
        .position(|&b| b == b':')
        .ok_or(SipError::FieldName)?;
    let name = lex::trim_end(&text[..colon]);
    if !lex::is_token(name) {
        return Err(SipError::FieldName);
    }
    let value = lex::trim(&text[colon + 1..]);
    let leading = text.len() - colon - 1 - lex::trim_start(&text[colon + 1..]).len();
    let value_start = start + colon + 1 + leading;
    Ok(Field {
        id: Name::of(name),
        name: Span {
            start: line.start,
            end: to_u32(start + name.len()),
        },
        value: Span {
            start: to_u32(value_start),
            end: to_u32(value_start + value.len()),
        },
    })
}

fn to_u32(position: usize) -> u32 {
    u32::try_from(position).expect("positions lie within MAX_HEAD_BYTES")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Head, SipError> {
        Head::read(&Bytes::copy_from_slice(text))
    }

    #[test]
    fn lines_and_fields() {
        let head = read(
            b"\r\n\r\nA b c\r\nTo :\r\n x ;\r\n\ttag=1\r\ns :\r\nv: 1, 2\r\nVia: 3\r\n\r\nbody\n",
        )
        .unwrap();
        assert_eq!(head.first_line(), b"A b c");
        assert_eq!(head.single(Name::To), Ok(Some(&b"x ;  \ttag=1"[..])));
        assert_eq!(
            head.items(Name::Via).collect::<Vec<_>>(),
            [b"1", b"2", b"3"]
        );
        assert_eq!(head.single(Name::Via), Err(SipError::Duplicate("Via")));
        assert_eq!(head.fields().nth(1), Some((&b"Subject"[..], &b""[..])));
        assert_eq!(head.rest(), b"body\n");
    }

    #[test]
    fn refused() {
        for (text, error) in [
            (&b""[..], SipError::NotSip),
            (b"\r\n\r\n", SipError::NotSip),
            (b"A b c\r\nTo: x\r\n", SipError::Truncated),
            (b"A b c\nTo: x\n\n", SipError::Truncated),
            (b"A b c\r\nTo: x\nVia: y\r\n\r\n", SipError::BareLineEnding),
            (b"A b c\r\nTo: x\rVia: y\r\n\r\n", SipError::BareLineEnding),
            (b"A b c\r\nTo x\r\n\r\n", SipError::FieldName),
            (b"A b c\r\nT o: x\r\n\r\n", SipError::FieldName),
            (b"A b c\r\n: x\r\n\r\n", SipError::FieldName),
            (b"A b c\r\nT\0: x\r\n\r\n", SipError::FieldName),
        ] {
            assert_eq!(read(text), Err(error), "{:?}", lex::text(text));
        }
    }

    #[test]
    fn bounds() {
        let with_fields = |count: usize| format!("A b c\r\n{}\r\n", "X: y\r\n".repeat(count));
        assert!(read(with_fields(MAX_FIELDS).as_bytes()).is_ok());
        assert_eq!(
            read(with_fields(MAX_FIELDS + 1).as_bytes()),
            Err(SipError::TooLarge)
        );
        let long = format!("A b c\r\nX: {}\r\n\r\n", "y".repeat(MAX_HEAD_BYTES));
        assert_eq!(read(long.as_bytes()), Err(SipError::TooLarge));
    }
}
