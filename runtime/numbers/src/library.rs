//! The one door to `rlibphonenumber`, a port of libphonenumber: calling codes, number ranges, what is dialled before a number.
//!
//! A number counts as its country's by the country's general pattern. The ranges given out within it change every few weeks,
//! and a new one is to be reached before its row is here.
//!
//! The library reads its metadata at the first question and keeps it; it compiles a country's patterns when they are first
//! needed. `as_original` leads to the functions that return an error where the others would panic.

use std::borrow::Cow;

use rlibphonenumber::interfaces::AsOriginal;
use rlibphonenumber::{
    CountryCodeSource, PHONE_NUMBER_UTIL, PhoneNumber as Parsed, PhoneNumberFormat,
    PhoneNumberType, Region, get_national_significant_number_owned,
};

use crate::{Country, NumberKind, PhoneNumber};

/// North America's. Its trunk prefix, which is 1 too, is no part of the national form of ten digits.
const NORTH_AMERICA: u16 = 1;

/// The calling code of the country with this ISO 3166-1 code in capital letters.
pub(crate) fn calling_code(country: &str) -> Option<u16> {
    let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    let region = is_code.then(|| Region::from_code(country).ok())??;
    let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
    u16::try_from(code).ok()
}

/// Cuts the calling code from the front of an international number.
pub(crate) fn split(digits: &str) -> Option<(u16, &str)> {
    if digits.starts_with('0') {
        return None;
    }
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let code: u16 = code.parse().ok()?;
        let is_code = PHONE_NUMBER_UTIL
            .get_region_for_country_code(code.into())
            .is_some();
        is_code.then_some((code, rest))
    })
}

/// The country whose habits stand for a calling code; none for one that belongs to no country.
pub(crate) fn main_country(calling_code: u16) -> Option<Country> {
    let region = PHONE_NUMBER_UTIL.get_region_for_country_code(calling_code.into())?;
    region.as_region_str().parse().ok()
}

/// The country of an international number and its kind there: by the ranges that are given out, or else the main one of its calling code.
pub(crate) fn home(digits: &str) -> Option<(Country, NumberKind)> {
    let (code, _) = split(digits)?;
    let util = PHONE_NUMBER_UTIL.as_original();
    let parsed = parse(digits);
    let region = parsed.as_ref().and_then(|parsed| {
        let region = util.get_region_for_number(parsed).ok()??;
        region.as_region_str().parse().ok()
    });
    let kind = parsed.and_then(|parsed| util.get_number_type(&parsed).ok());
    let kind = match kind {
        Some(PhoneNumberType::Mobile) => NumberKind::Mobile,
        Some(PhoneNumberType::TollFree) => NumberKind::TollFree,
        _ => NumberKind::Local,
    };
    Some((region.or_else(|| main_country(code))?, kind))
}

/// The number that these digits with a plus before them are, if it is of the kind its country has. A trunk prefix
/// that stands behind the calling code, as in `+855 (0)12…`, is left out.
pub(crate) fn international(digits: &str) -> Option<PhoneNumber> {
    let parsed = parse(digits)?;
    is_of_its_country(&parsed).then(|| e164(&parsed))?
}

/// The number that is meant by whoever dials these digits in `country`: a national number, with or without its trunk prefix or
/// calling code, or any behind the country's international prefix.
pub(crate) fn dialled(digits: &str, country: Country) -> Option<PhoneNumber> {
    let util = PHONE_NUMBER_UTIL.as_original();
    let parsed = util
        .parse_and_keep_raw_input(digits, Some(region(country)))
        .ok()?;
    let is_meant = is_of_its_country(&parsed)
        || parsed.country_code_source() == CountryCodeSource::FromNumberWithIdd;
    is_meant.then(|| e164(&parsed))?
}

/// What is dialled for a number within `country`; none for a number of another country.
pub(crate) fn national_form(digits: &str, country: Country) -> Option<String> {
    let (code, national) = split(digits)?;
    if code != country.calling_code() {
        return None;
    }
    let written = parse(digits).and_then(|parsed| {
        let util = PHONE_NUMBER_UTIL.as_original();
        let formatted = util.format(&parsed, PhoneNumberFormat::National).ok()?;
        Some(formatted.chars().filter(char::is_ascii_digit).collect())
    });
    // For many countries, and for numbers of no known kind, the library writes no trunk prefix.
    match written {
        Some(written) if written != national => Some(written),
        _ => Some(format!("{}{national}", trunk_prefix(country))),
    }
}

/// What is dialled in `country` before an international number; ITU's `00` where there are several, one for each network.
pub(crate) fn international_prefix(country: Country) -> Cow<'static, str> {
    let util = PHONE_NUMBER_UTIL.as_original();
    let prefix = util
        .get_metadata_for_region(region(country))
        .map(|metadata| {
            match metadata.original.preferred_international_prefix() {
                "" => metadata.international_prefix().original_base(),
                preferred => preferred,
            }
            .replace('~', "") // where a caller waits for the tone
        });
    match prefix {
        Some(prefix) if is_digits(&prefix) => prefix.into(),
        _ => "00".into(),
    }
}

fn trunk_prefix(country: Country) -> String {
    if country.calling_code() == NORTH_AMERICA {
        return String::new();
    }
    let util = PHONE_NUMBER_UTIL.as_original();
    util.get_ndd_prefix_for_region(region(country), true)
        .unwrap_or_default()
}

/// Reads an international number.
fn parse(digits: &str) -> Option<Parsed> {
    let util = PHONE_NUMBER_UTIL.as_original();
    util.parse(&format!("+{digits}"), None).ok()
}

/// Whether it fits the general pattern of a country with its calling code.
fn is_of_its_country(parsed: &Parsed) -> bool {
    let util = PHONE_NUMBER_UTIL.as_original();
    let national = get_national_significant_number_owned(parsed);
    let code = parsed.country_code;
    let regions = util.get_regions_for_country_calling_code(code);
    regions.into_iter().flatten().any(|region| {
        util.get_metadata_for_region_or_calling_code(code, region)
            .is_some_and(|metadata| {
                util.is_number_matching_desc(&national, &metadata.general_desc)
                    .is_ok_and(|matches| matches)
            })
    })
}

fn e164(parsed: &Parsed) -> Option<PhoneNumber> {
    let national = get_national_significant_number_owned(parsed);
    format!("+{}{national}", parsed.country_code).parse().ok()
}

fn region(country: Country) -> Region {
    Region::from_code(country.as_str()).expect("a country is two letters")
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn countries() -> Vec<Country> {
        let regions = PHONE_NUMBER_UTIL.get_supported_regions();
        regions
            .map(|region| region.as_region_str().parse().unwrap())
            .collect()
    }

    /// Every pattern that we lead a number into compiles: a country's example reads back from all that we write.
    #[test]
    fn every_country_reads_what_is_written_for_it() {
        let countries = countries();
        assert!(countries.len() >= 245);
        for country in countries {
            let example = PHONE_NUMBER_UTIL
                .get_example_number_for_type_and_region(region(country), PhoneNumberType::FixedLine)
                .unwrap();
            let number = e164(&example).unwrap();
            let digits = number.international_digits().unwrap();
            assert_eq!(international(digits).as_ref(), Some(&number), "{country}");
            let national = national_form(digits, country).unwrap();
            assert!(is_digits(&national), "{national} in {country}");
            let read = dialled(&national, country);
            assert_eq!(read.as_ref(), Some(&number), "{national} in {country}");
            let prefix = international_prefix(country);
            assert!(is_digits(&prefix), "{prefix} in {country}");
            if prefix != "00" {
                let read = dialled(&format!("{prefix}{digits}"), country);
                assert_eq!(read.as_ref(), Some(&number), "{prefix} in {country}");
            }
        }
    }

    #[test]
    fn no_calling_code_begins_with_another() {
        for code in PHONE_NUMBER_UTIL.get_supported_calling_codes() {
            let code = u16::try_from(code).unwrap();
            assert_eq!(split(&format!("{code}99")), Some((code, "99")));
        }
        for digits in ["", "0", "01", "001202", "99", "999", "0855", "é"] {
            assert_eq!(split(digits), None, "{digits}");
        }
    }

    #[test]
    fn a_calling_code_that_many_share_has_a_main_country() {
        for (code, country) in [(1, "US"), (7, "RU"), (44, "GB"), (39, "IT"), (855, "KH")] {
            assert_eq!(main_country(code), country.parse().ok(), "{code}");
        }
        for nobodys in [800, 999] {
            assert_eq!(main_country(nobodys), None, "{nobodys}");
        }
    }
}
