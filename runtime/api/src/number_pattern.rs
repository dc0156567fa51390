//! Numbers by a pattern: the `Contains` of `AvailablePhoneNumbers`.

use std::str::FromStr;

/// Digits of a pattern, at most: those of an E.164 number.
const MAX_DIGITS: usize = 15;

/// Digits that stand somewhere in a number, or with a plus before them at its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NumberPattern {
    is_beginning: bool,
    /// None is any digit.
    digits: Vec<Option<u8>>,
}

/// The text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to {MAX_DIGITS} of `0-9`, `*` for any digit, and letters for the digits on whose keys they are; a `+` before them means the beginning of the number"
)]
pub(crate) struct InvalidPattern;

impl FromStr for NumberPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let beginning = text.strip_prefix('+');
        let digits = beginning.unwrap_or(text).bytes().map(digit);
        let digits: Vec<_> = digits.collect::<Option<_>>().ok_or(InvalidPattern)?;
        if !(1..=MAX_DIGITS).contains(&digits.len()) {
            return Err(InvalidPattern);
        }
        Ok(Self {
            is_beginning: beginning.is_some(),
            digits,
        })
    }
}

impl NumberPattern {
    /// Whether the digits of an E.164 number, without its plus, have it.
    pub(crate) fn fits(&self, digits: &str) -> bool {
        let mut places = digits.as_bytes().windows(self.digits.len());
        let is_so = |place: &[u8]| {
            let mut pairs = self.digits.iter().zip(place);
            pairs.all(|(wanted, digit)| wanted.is_none_or(|wanted| wanted == *digit))
        };
        match self.is_beginning {
            true => places.next().is_some_and(is_so),
            false => places.any(is_so),
        }
    }
}

/// What a character stands for (letters by ITU-T E.161); none for what is no part of a pattern.
fn digit(character: u8) -> Option<Option<u8>> {
    Some(Some(match character.to_ascii_lowercase() {
        b'*' => return Some(None),
        digit @ b'0'..=b'9' => digit,
        b'a'..=b'c' => b'2',
        b'd'..=b'f' => b'3',
        b'g'..=b'i' => b'4',
        b'j'..=b'l' => b'5',
        b'm'..=b'o' => b'6',
        b'p'..=b's' => b'7',
        b't'..=b'v' => b'8',
        b'w'..=b'z' => b'9',
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_in_a_number() {
        for (pattern, number, fits) in [
            ("555", "14155550123", true),
            ("5*5", "14155550123", true),
            ("556", "14155550123", false),
            ("+1415", "14155550123", true),
            ("+415", "14155550123", false),
            ("+*415", "14155550123", true),
            ("HELP", "14155554357", true),
            ("help", "14155554358", false),
            ("***************", "14155550123", false),
        ] {
            let read: NumberPattern = pattern.parse().unwrap();
            assert_eq!(read.fits(number), fits, "{pattern} in {number}");
        }
        for wrong in ["", "+", "5 5", "%", "é", "1234567890123456", "++1"] {
            assert_eq!(
                wrong.parse::<NumberPattern>(),
                Err(InvalidPattern),
                "{wrong}"
            );
        }
    }
}
