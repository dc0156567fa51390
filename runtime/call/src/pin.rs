//! Keys that prove who calls. Mirrors `jackfield:pin@0.1.0`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Keys that may be a PIN; more than the longest has are no PIN either.
const MOST_KEYS: usize = 32;
/// Digits of a PIN.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 8..=16;
/// What a story is told in a key's place.
const MASK: char = '0';
/// Ends what is typed, and is told as it is.
const END: char = '#';

/// What came of keys that were compared with a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PinVerdict {
    /// They are the PIN.
    Right,
    /// They are not.
    Wrong,
    /// They were not looked at: too many were wrong lately.
    Locked {
        /// For how long that stays so.
        seconds: u32,
    },
}

impl fmt::Display for PinVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right => f.write_str("right"),
            Self::Wrong => f.write_str("wrong"),
            Self::Locked { seconds } => write!(f, "locked for {seconds} s"),
        }
    }
}

/// Why nothing was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// The account does not grant the secret to this story.
    #[error("not granted: the secret")]
    NotGranted,
    /// There is no PIN to compare with; says what to do.
    #[error("{0}")]
    Unavailable(String),
}

/// Checks that a secret can be a PIN.
///
/// # Errors
/// In words that say what a PIN is, and not what the secret is.
pub fn check_pin(name: &str, secret: &str) -> Result<(), String> {
    let is_pin =
        PIN_DIGITS.contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_digit());
    match is_pin {
        true => Ok(()),
        false => Err(format!(
            "the secret `{name}` is no PIN: it must have {} to {} digits and nothing else",
            PIN_DIGITS.start(),
            PIN_DIGITS.end()
        )),
    }
}

/// Keys that a story must not see. Nothing prints them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ConcealedKeys {
    keys: String,
    is_ended: bool,
}

impl fmt::Debug for ConcealedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConcealedKeys(…)")
    }
}

impl ConcealedKeys {
    /// Takes a key, and says what the story is told of it.
    pub fn take(&mut self, key: char) -> char {
        if key == END {
            self.is_ended = true;
            return END;
        }
        if !self.is_ended && self.keys.len() < MOST_KEYS {
            self.keys.push(key);
        }
        MASK
    }

    /// The keys up to the first `#`: for whoever compares them.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_up_to_the_first_hash_are_kept_and_told_as_zeros() {
        let mut keys = ConcealedKeys::default();
        let told: String = "12*9#34#".chars().map(|key| keys.take(key)).collect();
        assert_eq!((told.as_str(), keys.expose()), ("0000#00#", "12*9"));
        assert_eq!(format!("{keys:?}"), "ConcealedKeys(…)");

        let mut keys = ConcealedKeys::default();
        for _ in 0..100 {
            keys.take('7');
        }
        assert_eq!(keys.expose().len(), MOST_KEYS);
    }

    #[test]
    fn a_pin_is_eight_to_sixteen_digits() {
        for (secret, is_pin) in [
            ("12345678", true),
            ("1234567890123456", true),
            ("1234567", false),
            ("12345678901234567", false),
            ("1234567a", false),
            ("", false),
        ] {
            let checked = check_pin("pin", secret);
            assert_eq!(checked.is_ok(), is_pin, "{secret}");
            assert!(
                checked
                    .err()
                    .is_none_or(|why| secret.is_empty() || !why.contains(secret))
            );
        }
    }
}
