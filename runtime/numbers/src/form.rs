//! How a trunk wants numbers written.

use serde::{Deserialize, Serialize};

use crate::{Country, PhoneNumber, library};

/// How a number is written. Short codes are the same in every form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// `85512345678`: international, digits only.
    E164,
    /// `+85512345678`.
    #[default]
    Plus,
    /// `012345678` at home, with the country's trunk prefix (ten digits in North America); a number of another country as
    /// [`Self::International`].
    National,
    /// `0085512345678`, with the country's international prefix, for every number.
    International,
}

/// Writes a number in a form. Without a country no number is at home, and the international prefix is `00`.
///
/// Where a country has several international prefixes, one for each network, `00` is written.
#[must_use]
pub fn write(number: &PhoneNumber, form: Form, country: Option<Country>) -> String {
    let Some(digits) = number.international_digits() else {
        return number.as_str().to_owned();
    };
    match form {
        Form::E164 => digits.to_owned(),
        Form::Plus => number.as_str().to_owned(),
        Form::National => country
            .and_then(|country| library::national_form(digits, country))
            .unwrap_or_else(|| international(digits, country)),
        Form::International => international(digits, country),
    }
}

fn international(digits: &str, country: Option<Country>) -> String {
    let prefix = country.map_or("00".into(), library::international_prefix);
    format!("{prefix}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number in a country, as `e164`, `plus`, `national` and `international`.
    #[track_caller]
    fn check(number: &str, country: &str, forms: [&str; 4]) {
        let number = number.parse().unwrap();
        let country = (!country.is_empty()).then(|| country.parse().unwrap());
        let all = [Form::E164, Form::Plus, Form::National, Form::International];
        assert_eq!(
            all.map(|form| write(&number, form, country)),
            forms,
            "{number} in {country:?}"
        );
    }

    #[test]
    fn every_form() {
        let cambodian = ["85512345678", "+85512345678"];
        let [e164, plus] = cambodian;
        check(
            "+85512345678",
            "KH",
            [e164, plus, "012345678", "0085512345678"],
        );
        check(
            "+85512345678",
            "SO",
            [e164, plus, "0085512345678", "0085512345678"],
        );
        check(
            "+85512345678",
            "US",
            [e164, plus, "01185512345678", "01185512345678"],
        );
        check(
            "+85512345678",
            "",
            [e164, plus, "0085512345678", "0085512345678"],
        );
        check(
            "+252611234567",
            "SO",
            [
                "252611234567",
                "+252611234567",
                "0611234567",
                "00252611234567",
            ],
        );
        check(
            "+8562055512345",
            "LA",
            [
                "8562055512345",
                "+8562055512345",
                "02055512345",
                "008562055512345",
            ],
        );
        check(
            "+260971234567",
            "ZM",
            [
                "260971234567",
                "+260971234567",
                "0971234567",
                "00260971234567",
            ],
        );
        check(
            "+23276123456",
            "SL",
            ["23276123456", "+23276123456", "076123456", "0023276123456"],
        );
        check(
            "+12025550123",
            "US",
            [
                "12025550123",
                "+12025550123",
                "2025550123",
                "01112025550123",
            ],
        );
        check(
            "+390612345678",
            "IT",
            [
                "390612345678",
                "+390612345678",
                "0612345678",
                "00390612345678",
            ],
        );
        check(
            "+79161234567",
            "RU",
            [
                "79161234567",
                "+79161234567",
                "89161234567",
                "81079161234567",
            ],
        );
        // A mobile's 9 behind the calling code is a 15 in front of the subscriber's number at home.
        check(
            "+5491112345678",
            "AR",
            [
                "5491112345678",
                "+5491112345678",
                "0111512345678",
                "005491112345678",
            ],
        );
    }

    #[test]
    fn short_codes_stay() {
        for code in ["1294", "345", "0345", "1", "12345678"] {
            for country in ["", "KH", "SO", "US"] {
                check(code, country, [code; 4]);
            }
        }
    }

    /// What is written in a form reads back as the same number in its country.
    #[test]
    fn what_is_written_is_read() {
        for (country, number) in [
            ("KH", "+85512345678"),
            ("SO", "+252611234567"),
            ("LA", "+8562055512345"),
            ("ZM", "+260971234567"),
            ("SL", "+23276123456"),
            ("US", "+12025550123"),
            ("GB", "+442079460123"),
            ("IT", "+390612345678"),
            ("RU", "+79161234567"),
            ("CN", "+8613912345678"),
            ("KH", "+252611234567"),
            ("SO", "+12025550123"),
        ] {
            let number: PhoneNumber = number.parse().unwrap();
            let country = Some(country.parse().unwrap());
            for form in [Form::E164, Form::Plus, Form::National, Form::International] {
                let written = write(&number, form, country);
                let read = crate::normalise(&written, country);
                assert_eq!(
                    read,
                    crate::Party::E164(number.clone()),
                    "{written} in {country:?}"
                );
            }
        }
    }
}
