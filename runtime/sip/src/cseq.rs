//! `CSeq`: the order of requests in a dialog (RFC 3261 §20.16).

use bytes::Bytes;

use crate::lex;
use crate::{Method, SipError};

/// A request's number and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// The number, below 2³¹ (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method, which repeats that of the request.
    pub method: Method,
}

impl CSeq {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// [`SipError::Malformed`]: not a number below 2³¹ and a token.
    pub fn parse(bytes: &Bytes) -> Result<Self, SipError> {
        const FAULT: SipError = SipError::Malformed("CSeq");
        let value = lex::trim(bytes);
        let (digits, rest) = value.split_at(lex::length_while(value, |b| b.is_ascii_digit()));
        let number = lex::number(digits)
            .filter(|&number| number < 1 << 31)
            .ok_or(FAULT)?;
        let method = lex::trim_start(rest);
        if method.len() == rest.len() || !lex::is_token(method) {
            return Err(FAULT);
        }
        Ok(Self {
            number,
            method: Method::from_token(&bytes.slice_ref(method)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let read = |text: &str| {
            CSeq::parse(&Bytes::copy_from_slice(text.as_bytes()))
                .ok()
                .map(|c| (c.number, c.method.to_string()))
        };
        for (text, expected) in [
            ("1 INVITE", Some((1, "INVITE"))),
            ("0009    INVITE ", Some((9, "INVITE"))),
            ("2147483647 RE%47", Some((2_147_483_647, "RE%47"))),
            ("2147483648 INVITE", None),
            ("36893488147419103232 INVITE", None),
            ("1INVITE", None),
            ("INVITE", None),
            ("1", None),
            ("1 A B", None),
            ("-1 A", None),
        ] {
            assert_eq!(
                read(text),
                expected.map(|(n, m)| (n, m.to_owned())),
                "{text:?}"
            );
        }
    }
}
