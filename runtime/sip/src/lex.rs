//! Scanning of header values: tokens, quoted strings, parameters, lists (RFC 3261 §25.1).

use std::borrow::Cow;

use crate::SipError;

/// Whether a byte may stand in a `token`.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// Whether the bytes are a `token`: not empty, and nothing but token bytes.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && length_while(bytes, is_token_byte) == bytes.len()
}

/// Whether a byte is white space within a line.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The bytes without white space at either end.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(trim_start(bytes))
}

/// The bytes without leading white space.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    &bytes[length_while(bytes, is_blank)..]
}

/// The bytes without trailing white space.
pub(crate) fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&b| !is_blank(b));
    let length = end.map_or(0, |last| last + 1);
    looked_at(bytes.len() - length + 1);
    &bytes[..length]
}

/// Text of a header value: UTF-8, or Latin-1 where it is not (old gateways put it into display names).
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    looked_at(bytes.len());
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// A text as a quoted string (RFC 3261 §25.1). Control characters are left out.
pub(crate) fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            written.push('\\');
        }
        written.push(letter);
    }
    written.push('"');
    written
}

/// Text of a token or of a quoted string, whose quotes and escapes are undone.
pub(crate) fn unquoted(bytes: &[u8]) -> String {
    let written = text(bytes);
    let quoted = written.strip_prefix('"');
    let Some(inner) = quoted.and_then(|rest| rest.strip_suffix('"')) else {
        return written.into_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.extend(letters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// A text as it stands between the quotes of a quoted string.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// A decimal number of at most `u32::MAX`; leading zeros are allowed, signs and overflow are not.
pub(crate) fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() {
        return None;
    }
    looked_at(bytes.len());
    bytes.iter().try_fold(0u32, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The length of the quoted string that opens `bytes`, both quotes included; none where it does not close.
pub(crate) fn quoted_length(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    let within = find(bytes.get(1..)?, |byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        _ => byte == b'"',
    });
    within.map(|last| last + 2)
}

/// The place of the first byte outside quoted strings for which `wanted` holds.
///
/// # Errors
///
/// A quoted string that does not close.
pub(crate) fn find_unquoted(
    bytes: &[u8],
    wanted: impl Fn(u8) -> bool,
) -> Result<Option<usize>, SipError> {
    let mut index = 0;
    while let Some(plain) = find(&bytes[index..], |b| b == b'"' || wanted(b)) {
        index += plain;
        if wanted(bytes[index]) {
            return Ok(Some(index));
        }
        index += quoted_length(&bytes[index..]).ok_or(SipError::Malformed("quoted string"))?;
    }
    Ok(None)
}

/// Splits a comma-separated list; commas in quoted strings and in `<…>` do not split. Items come trimmed.
pub(crate) fn list(value: &[u8]) -> List<'_> {
    List { rest: Some(value) }
}

/// See [`list`].
pub(crate) struct List<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for List<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let value = self.rest?;
        let end = end_of_item(value);
        self.rest = value.get(end + 1..);
        Some(trim(&value[..end]))
    }
}

/// What follows the first item of a list: empty, or a comma and the other items.
pub(crate) fn behind_first_item(value: &[u8]) -> &[u8] {
    &value[end_of_item(value)..]
}

/// Where the first item of a list ends: at its comma, or at the end of the value.
fn end_of_item(value: &[u8]) -> usize {
    let mut index = 0;
    while let Some(plain) = find(&value[index..], |b| b",<\"".contains(&b)) {
        index += plain;
        let rest = &value[index..];
        let skipped = match rest[0] {
            b',' => return index,
            b'<' => find(rest, |b| b == b'>').map(|close| close + 1),
            _ => quoted_length(rest),
        };
        index += skipped.unwrap_or(rest.len());
    }
    value.len()
}

/// The `;name=value` parameters at the end of a header value.
#[derive(Clone)]
pub(crate) struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Params<'a> {
    /// Reads parameters from `rest`, which is empty or starts, after white space, with `;`.
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// The first parameter of that name, of parameters that were checked before: its value, empty for a flag.
    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.clone()
            .filter_map(Result::ok)
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// Reads every parameter once.
    ///
    /// # Errors
    ///
    /// An empty or unreadable parameter.
    pub(crate) fn check(&self) -> Result<(), SipError> {
        self.clone().try_for_each(|param| param.map(|_| ()))
    }

    fn read(&mut self) -> Result<(&'a [u8], Option<&'a [u8]>), SipError> {
        const FAULT: SipError = SipError::Malformed("parameter");
        let rest = self.rest.strip_prefix(b";").ok_or(FAULT)?;
        let rest = trim_start(rest);
        let (name, rest) = rest.split_at(length_while(rest, |b| is_token_byte(b) || b >= 0x80));
        if name.is_empty() {
            return Err(FAULT);
        }
        let rest = trim_start(rest);
        let Some(rest) = rest.strip_prefix(b"=") else {
            self.rest = rest;
            return Ok((name, None));
        };
        let rest = trim_start(rest);
        let length = if rest.first() == Some(&b'"') {
            quoted_length(rest).ok_or(FAULT)?
        } else {
            length_while(rest, |b| !is_blank(b) && !b";,\"<>".contains(&b))
        };
        let (value, rest) = rest.split_at(length);
        self.rest = trim_start(rest);
        Ok((name, Some(value)))
    }
}

impl<'a> Iterator for Params<'a> {
    /// A parameter's name and, where it has one, its value (quotes included).
    type Item = Result<(&'a [u8], Option<&'a [u8]>), SipError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = trim_start(self.rest);
        if self.rest.is_empty() {
            return None;
        }
        let param = self.read();
        if param.is_err() {
            self.rest = b"";
        }
        Some(param)
    }
}

/// How many bytes from the start `wanted` holds for.
pub(crate) fn length_while(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    find(bytes, |b| !wanted(b)).unwrap_or(bytes.len())
}

/// What stands in front of the first `separator` and what behind it; none where there is no separator.
pub(crate) fn cut(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = find(bytes, |b| b == separator)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// The place of the first byte for which `wanted` holds.
pub(crate) fn find(bytes: &[u8], mut wanted: impl FnMut(u8) -> bool) -> Option<usize> {
    let place = bytes.iter().position(|&b| wanted(b));
    looked_at(place.map_or(bytes.len(), |at| at + 1));
    place
}

/// Every scan of a message's bytes tells here how many it looked at, so that tests can count them.
#[cfg(not(test))]
pub(crate) fn looked_at(_bytes: usize) {}

#[cfg(test)]
pub(crate) use visits::looked_at;

/// Counts the bytes looked at on this thread.
#[cfg(test)]
pub(crate) mod visits {
    use std::cell::Cell;

    thread_local! {
        static VISITS: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn looked_at(bytes: usize) {
        VISITS.set(VISITS.get() + bytes);
    }

    /// How many bytes `work` looks at, one counted as often as it is looked at.
    pub(crate) fn of(work: impl FnOnce()) -> usize {
        let before = VISITS.get();
        work();
        VISITS.get() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (input, expected) in [
            ("0", Some(0)),
            ("0009", Some(9)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("-1", None),
            ("+1", None),
            ("", None),
            ("1x", None),
        ] {
            assert_eq!(number(input.as_bytes()), expected, "{input:?}");
        }
    }

    #[test]
    fn lists_split_outside_quotes_and_angles() {
        for (input, expected) in [
            ("a", vec!["a"]),
            (" a , b", vec!["a", "b"]),
            (r#""x,y" <sip:a>, b"#, vec![r#""x,y" <sip:a>"#, "b"]),
            ("<sip:a,b@c>,d", vec!["<sip:a,b@c>", "d"]),
            (r#""open , a"#, vec![r#""open , a"#]),
            ("a,", vec!["a", ""]),
        ] {
            let items: Vec<_> = list(input.as_bytes()).map(|item| text(item)).collect();
            assert_eq!(items, expected, "{input:?}");
        }
    }

    #[test]
    fn params() {
        for (input, expected) in [
            ("", Some(vec![])),
            (";a", Some(vec![("a", None)])),
            (
                " ; tag  = 98 ;x",
                Some(vec![("tag", Some("98")), ("x", None)]),
            ),
            (r#";a="b;c""#, Some(vec![("a", Some(r#""b;c""#))])),
            (
                ";received=2001:db8::9:255;x",
                Some(vec![("received", Some("2001:db8::9:255")), ("x", None)]),
            ),
            (";;", None),
            (";", None),
            (";=b", None),
            ("a", None),
            (r#";a="b"#, None),
            (";a=b c", None),
        ] {
            let read: Result<Vec<_>, _> = Params::new(input.as_bytes()).collect();
            let read = read.ok().map(|params| {
                params
                    .into_iter()
                    .map(|(n, v)| (text(n), v.map(text)))
                    .collect::<Vec<_>>()
            });
            let expected = expected.map(|params| {
                params
                    .into_iter()
                    .map(|(n, v): (&str, Option<&str>)| (n.into(), v.map(Into::into)))
                    .collect::<Vec<_>>()
            });
            assert_eq!(read, expected, "{input:?}");
        }
    }

    #[test]
    fn quotes_hide_what_is_searched() {
        assert_eq!(find_unquoted(br#""a<\"<" <"#, |b| b == b'<'), Ok(Some(8)));
        assert_eq!(
            find_unquoted(br#""a<"#, |b| b == b'<'),
            Err(SipError::Malformed("quoted string"))
        );
    }

    #[test]
    fn text_falls_back_to_latin_1() {
        assert_eq!(text(b"J\xfcrgen"), "Jürgen");
        assert_eq!(text("Jürgen".as_bytes()), "Jürgen");
    }
}
