//! Numbers that call the police, the fire brigade or an ambulance.

use crate::emergency_numbers::EMERGENCY_NUMBERS;
use crate::{Country, PhoneNumber, library};

/// What calls for help in every mobile network, whatever the country (3GPP TS 22.101 section 10.1).
const EVERYWHERE: [&str; 2] = ["112", "911"];

/// Digits of the longest emergency number behind the longest calling code: a call to anybody else is not looked up.
static LONGEST_WITH_CODE: usize = 3 + longest(&EMERGENCY_NUMBERS);

/// Whether a number calls for help in `country`: one of its emergency numbers as it is dialled there, or the same behind the
/// calling code. `112` and `911` do everywhere.
#[must_use]
pub fn is_emergency(number: &PhoneNumber, country: Option<Country>) -> bool {
    let own = country.map_or(&[][..], numbers_of);
    let dialled = match number.international_digits() {
        None => number.as_str(),
        Some(digits) if digits.len() > LONGEST_WITH_CODE => return false,
        Some(digits) => match library::split(digits) {
            Some((code, rest)) if country.is_some_and(|country| country.calling_code() == code) => {
                rest
            }
            _ => return false,
        },
    };
    own.contains(&dialled) || EVERYWHERE.contains(&dialled)
}

const fn longest(table: &[(&str, &[&str])]) -> usize {
    let (mut longest, mut at) = (3, 0); // those that are everywhere
    while at < table.len() {
        let (numbers, mut number) = (table[at].1, 0);
        while number < numbers.len() {
            if numbers[number].len() > longest {
                longest = numbers[number].len();
            }
            number += 1;
        }
        at += 1;
    }
    longest
}

/// The emergency numbers of a country, as dialled there.
fn numbers_of(country: Country) -> &'static [&'static str] {
    let place = EMERGENCY_NUMBERS.binary_search_by(|(listed, _)| (*listed).cmp(country.as_str()));
    place.map_or(&[], |place| EMERGENCY_NUMBERS[place].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_holds_short_codes() {
        assert!(EMERGENCY_NUMBERS.is_sorted_by(|(one, _), (next, _)| one < next));
        for (country, numbers) in EMERGENCY_NUMBERS {
            assert!(country.parse::<Country>().is_ok(), "{country}");
            assert!(!numbers.is_empty(), "{country}");
            for number in numbers {
                let number: PhoneNumber = number.parse().unwrap();
                assert!(number.is_short_code(), "{number} in {country}");
            }
        }
    }

    #[track_caller]
    fn check(country: &str, number: &str, emergency: bool) {
        let country = (!country.is_empty()).then(|| country.parse().unwrap());
        let number = number.parse().unwrap();
        assert_eq!(
            is_emergency(&number, country),
            emergency,
            "{number} in {country:?}"
        );
    }

    #[test]
    fn each_country_has_its_own() {
        for number in [
            "117", "118", "119", "666", "112", "911", "+855117", "+855119",
        ] {
            check("KH", number, true);
        }
        for number in ["555", "888", "999", "+252999"] {
            check("SO", number, true);
        }
        for (country, number) in [
            ("LA", "190"),
            ("ZM", "991"),
            ("SL", "019"),
            ("GB", "999"),
            ("IN", "2611"),
        ] {
            check(country, number, true);
        }
        for (country, number) in [
            ("KH", "1294"),
            ("KH", "999"),
            ("KH", "1170"),
            ("KH", "+85511711"),
            ("KH", "+252999"),
            ("SO", "117"),
            ("", "117"),
            ("", "+855117"),
            ("SO", "345"),
        ] {
            check(country, number, false);
        }
        for number in ["112", "911"] {
            check("", number, true);
        }
    }
}
