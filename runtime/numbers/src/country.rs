//! Countries, by which national numbers are read and written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::library;

/// A country with a numbering plan, by its ISO 3166-1 code of two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

/// The text is no country code that has a numbering plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a country: write its ISO 3166 code of two capital letters, such as \"KH\"")]
pub struct InvalidCountry(String);

impl Country {
    /// The code of two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only letters are taken in")
    }

    /// Its calling code, such as 855.
    #[must_use]
    pub fn calling_code(self) -> u16 {
        library::calling_code(self.as_str()).expect("a country is one that has a plan")
    }
}

impl FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(text: &str) -> Result<Self, InvalidCountry> {
        let letters = text.as_bytes().first_chunk().filter(|_| text.len() == 2);
        letters
            .filter(|_| library::calling_code(text).is_some())
            .map(|letters| Self(*letters))
            .ok_or_else(|| InvalidCountry(text.to_owned()))
    }
}

impl TryFrom<String> for Country {
    type Error = InvalidCountry;

    fn try_from(text: String) -> Result<Self, InvalidCountry> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.as_str().to_owned()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_capital_letters_with_a_numbering_plan() {
        for (text, code) in [("KH", 855), ("SO", 252), ("US", 1), ("CA", 1), ("GB", 44)] {
            let country: Country = text.parse().unwrap();
            assert_eq!((country.as_str(), country.calling_code()), (text, code));
        }
        for bad in [
            "", "K", "kh", "KHM", "ZZ", "UK", "855", "Cambodia", "é", "éé", "001",
        ] {
            assert!(bad.parse::<Country>().is_err(), "{bad:?}");
        }
    }
}
