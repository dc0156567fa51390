//! A telephone number as the rest of the runtime knows it.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A telephone number: E.164 with its plus (5 to 15 digits, not beginning with 0), or a short code (1 to 8 digits).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// The text is not a telephone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a telephone number: write E.164 with its plus, such as `+85512345678`, or a short code of 1 to 8 digits"
)]
pub struct InvalidNumber(String);

impl PhoneNumber {
    /// As it is written: with a plus for E.164, digits only for a short code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a short code, which means something inside its own network only.
    #[must_use]
    pub fn is_short_code(&self) -> bool {
        !self.0.starts_with('+')
    }

    /// The digits of an E.164 number, without the plus; none for a short code.
    #[must_use]
    pub fn international_digits(&self) -> Option<&str> {
        self.0.strip_prefix('+')
    }
}

impl FromStr for PhoneNumber {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let (digits, lengths) = match text.strip_prefix('+') {
            Some(digits) => (digits, 5..=15),
            None => (text, 1..=8),
        };
        let plausible = lengths.contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !text.starts_with("+0");
        if plausible {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidNumber(text.to_owned()))
        }
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        text.parse()
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

impl Borrow<str> for PhoneNumber {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_e164_with_plus_or_a_short_code() {
        for good in [
            "+85512345678",
            "+252611234567",
            "+12345",
            "1",
            "1294",
            "12345678",
            "0345",
        ] {
            let number: PhoneNumber = good.parse().unwrap();
            assert_eq!(number.as_str(), good);
            assert_eq!(number.is_short_code(), !good.starts_with('+'));
        }
        for bad in [
            "",
            "+",
            "+1234",
            "+0123456",
            "+1234567890123456",
            "123456789",
            "12a",
            "+855 12",
            "sip:1294",
            "１２９４",
            "+855\r\n",
        ] {
            assert!(bad.parse::<PhoneNumber>().is_err(), "{bad:?}");
        }
    }
}
