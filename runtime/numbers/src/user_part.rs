//! The user part of a SIP or `tel` URI: the number in it, without what is written around it.

/// A user part, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct UserPart {
    /// What was written, without scheme and parameters, escapes undone.
    pub(crate) text: String,
    /// The digits, with a plus where there was one; none if it is no number.
    pub(crate) digits: Option<String>,
    /// The calling code in a `phone-context` (RFC 3966 section 5.1.5).
    pub(crate) context_code: Option<u16>,
}

impl UserPart {
    pub(crate) fn read(written: &str) -> Self {
        let written = written.trim();
        let written = strip_scheme(written).unwrap_or(written);
        let (subscriber, params) = written.split_once(';').unwrap_or((written, ""));
        let text = unescape(subscriber);
        Self {
            digits: digits(&text),
            context_code: params.split(';').find_map(context_code),
            text,
        }
    }
}

fn strip_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("tel").then_some(rest)
}

/// The digits of a number: visual separators and a `#` that ended the dialling left out.
fn digits(text: &str) -> Option<String> {
    let text = text.strip_suffix('#').unwrap_or(text);
    let digits: String = text
        .chars()
        .filter(|char| !matches!(char, '-' | '.' | '(' | ')' | ' ' | '/'))
        .collect();
    let after_plus = digits.strip_prefix('+').unwrap_or(&digits);
    let is_number = !after_plus.is_empty() && after_plus.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}

/// The calling code of `phone-context=+855`; a context that is a domain says nothing.
fn context_code(param: &str) -> Option<u16> {
    let (name, value) = param.split_once('=')?;
    let context = unescape(value);
    let digits = name
        .trim()
        .eq_ignore_ascii_case("phone-context")
        .then(|| digits(&context))??;
    let (code, _) = crate::library::split(digits.strip_prefix('+')?)?;
    Some(code)
}

/// Undoes `%HH`; a `%` that opens no escape stays, and so does an escape that makes no text.
fn unescape(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| byte == b'%').and_then(hex_byte);
        plain.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    is_hex.then(|| u8::from_str_radix(text, 16).ok())?
}
