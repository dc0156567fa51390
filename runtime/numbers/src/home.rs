//! Which country a number belongs to, and what kind of number it is there.

use crate::{Country, PhoneNumber, library};

/// What kind of number it is in its country's numbering plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// Of a place, or of no other kind that is known.
    Local,
    /// Of a mobile network, where a country tells those from others.
    Mobile,
    /// Whoever calls it pays nothing.
    TollFree,
}

impl PhoneNumber {
    /// The country that an international number belongs to, and its kind there. None for a short code, and for a calling code that is no
    /// country's.
    #[must_use]
    pub fn home(&self) -> Option<(Country, NumberKind)> {
        library::home(self.international_digits()?)
    }

    /// The digits of an international number behind its calling code; none for a short code.
    #[must_use]
    pub fn national_digits(&self) -> Option<&str> {
        let (_, national) = library::split(self.international_digits()?)?;
        Some(national)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_country_and_a_kind() {
        use NumberKind::{Local, Mobile, TollFree};
        for (number, expected) in [
            ("+8562055500001", Some(("LA", Mobile))),
            ("+85621222333", Some(("LA", Local))),
            ("+14155550123", Some(("US", Local))),
            ("+14165550123", Some(("CA", Local))),
            ("+18005550123", Some(("US", TollFree))),
            ("+448081570192", Some(("GB", TollFree))),
            ("+447400123456", Some(("GB", Mobile))),
            ("+85500000000", Some(("KH", Local))),
            ("+80012345678", None),
            ("+99912345", None),
            ("1294", None),
        ] {
            let read: PhoneNumber = number.parse().unwrap();
            let home = read
                .home()
                .map(|(country, kind)| (country.to_string(), kind));
            let expected = expected.map(|(country, kind)| (country.to_owned(), kind));
            assert_eq!(home, expected, "{number}");
        }
        for (number, digits) in [("+14155550123", Some("4155550123")), ("1294", None)] {
            let read: PhoneNumber = number.parse().unwrap();
            assert_eq!(read.national_digits(), digits, "{number}");
        }
    }
}
