//! The lines of a datagram: first line, header fields, where the body starts. Nothing is interpreted yet.

use bytes::Bytes;

use crate::SipError;
use crate::field::{Name, full_form};
use crate::lex;

/// The longest head (everything before the body) that is read. With it, the copy that joins folded lines and the list of
/// header fields stay within 64 KiB together.
pub const MAX_HEAD_BYTES: usize = 60 << 10;

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
    /// All lines with the empty one that ends them.
    bytes: Bytes,
    first_line: Span,
    fields: Vec<Field>,
    /// Everything behind the lines.
    rest: Bytes,
}

impl Head {
    /// Cuts a datagram into lines. Empty lines in front are skipped (RFC 3261 §7.5) and folded lines joined (§7.3.1).
    pub(crate) fn read(datagram: &Bytes) -> Result<Self, SipError> {
        let skipped = lex::length_while(datagram, |b| b == b'\r' || b == b'\n');
        if skipped == datagram.len() {
            return Err(SipError::NotSip);
        }
        let size = measure(&datagram[skipped..])?;
        let mut bytes = datagram.slice(skipped..skipped + size.end + 2);
        if size.is_folded {
            bytes = unfold(&bytes);
        }
        let mut lines = Lines {
            bytes: &bytes[..size.end],
            position: 0,
        };
        let first_line = lines.next().ok_or(SipError::NotSip)??;
        let mut fields = Vec::with_capacity(size.fields);
        for line in lines {
            fields.push(field(&bytes, line?)?);
        }
        Ok(Self {
            bytes,
            first_line,
            fields,
            rest: datagram.slice(skipped + size.end + 2..),
        })
    }

    /// The request line or status line, without its CRLF.
    pub(crate) fn first_line(&self) -> &[u8] {
        self.at(self.first_line)
    }

    /// All lines, folded ones joined, with the empty line that ends them.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Everything behind the header fields, whatever `Content-Length` says.
    pub(crate) fn rest(&self) -> &Bytes {
        &self.rest
    }

    /// A part of these lines, sharing their memory.
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

/// The `Content-Length` of a whole head whose lines end in CRLF, found as [`Head::read`] finds it, but without keeping
/// anything.
///
/// Equal values that stand twice are one length: the stream goes on, and the parser refuses the message. A line that is no
/// header field is for the parser to refuse too.
///
/// # Errors
///
/// A length that is no number, or two that differ.
pub(crate) fn content_length(head: &[u8]) -> Result<Option<u32>, SipError> {
    let mut found = None;
    let mut rest = head;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(logical_line(rest));
        rest = behind;
        let Some((name, value)) = lex::cut(line, b':') else {
            continue;
        };
        if Name::of(trim_folds(name)) != Name::ContentLength {
            continue;
        }
        let length = lex::number(trim_folds(value));
        let length = length.ok_or(SipError::Malformed("Content-Length"))?;
        if found.is_some_and(|other| other != length) {
            return Err(SipError::Duplicate("Content-Length"));
        }
        found = Some(length);
    }
    Ok(found)
}

/// The bytes without white space at either end, line breaks of folded lines included.
pub(crate) fn trim_folds(bytes: &[u8]) -> &[u8] {
    let is_white = |b: u8| lex::is_blank(b) || matches!(b, b'\r' | b'\n');
    let bytes = &bytes[lex::length_while(bytes, is_white)..];
    let last = bytes.iter().rposition(|&b| !is_white(b));
    let length = last.map_or(0, |last| last + 1);
    lex::looked_at(bytes.len() - length + 1);
    &bytes[..length]
}

/// The length of the line that opens `bytes`, with the lines that are folded into it and its CRLF.
pub(crate) fn logical_line(bytes: &[u8]) -> usize {
    let mut end = 0;
    loop {
        end += lex::length_while(&bytes[end..], |b| b != b'\n');
        end = bytes.len().min(end + 1);
        if !bytes.get(end).copied().is_some_and(lex::is_blank) {
            return end;
        }
    }
}

/// The size of a head.
struct Size {
    /// The length with the CRLF of the last line, without the empty line behind it.
    end: usize,
    /// How many header fields there are, as far as line ends tell.
    fields: usize,
    is_folded: bool,
}

fn measure(bytes: &[u8]) -> Result<Size, SipError> {
    let within = &bytes[..bytes.len().min(MAX_HEAD_BYTES)];
    let (mut end, mut lines, mut is_folded) = (0, 0, false);
    while let Some(length) = lex::find(&within[end..], |b| b == b'\n') {
        end += length + 1;
        let next = &within[end..];
        if !within[..end].ends_with(b"\r\n") {
            return Err(SipError::BareLineEnding);
        }
        if next.first().copied().is_some_and(lex::is_blank) {
            is_folded = true;
            continue;
        }
        lines += 1;
        if lines > 1 + MAX_FIELDS {
            return Err(SipError::TooLarge);
        }
        if next.starts_with(b"\r\n") {
            let fields = lines - 1;
            return Ok(Size {
                end,
                fields,
                is_folded,
            });
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
pub(crate) fn unfold(head: &[u8]) -> Bytes {
    let mut joined = head.to_vec();
    lex::looked_at(joined.len());
    for position in 0..joined.len().saturating_sub(2) {
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
    let (name, value) = lex::cut(text, b':').ok_or(SipError::FieldName)?;
    let name = lex::trim_end(name);
    if !lex::is_token(name) {
        return Err(SipError::FieldName);
    }
    let value = lex::trim_start(value);
    let value_start = line.end as usize - value.len();
    let value = lex::trim_end(value);
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
        assert_eq!(head.rest(), "body\n");
    }

    #[test]
    fn refused() {
        for (text, error) in [
            (&b""[..], SipError::NotSip),
            (b"\r\n\r\n", SipError::NotSip),
            (b"A b c\r\nTo: x\r\n", SipError::Truncated),
            (b"A b c\nTo: x\n\n", SipError::BareLineEnding),
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
