//! A country's numbering plan: what goes before a number there, and what its numbers look like.

use std::sync::OnceLock;

use regex_lite::Regex;

use crate::Country;
use crate::plans::{MAIN, PLANS, SHARED};

/// One row of the table of plans.
#[derive(Debug)]
pub(crate) struct Plan {
    country: &'static str,
    pub(crate) calling_code: u16,
    /// What callers in this country dial before an international number.
    idd: Pattern,
    /// The one of those that we write.
    pub(crate) written_idd: &'static str,
    /// What stands before a national number, perhaps with groups that [`Self::transform`] takes up.
    trunk_prefix: Pattern,
    transform: &'static str,
    /// What we write before a national number.
    pub(crate) written_trunk_prefix: &'static str,
    national: Pattern,
    /// As dialled within the country.
    pub(crate) emergency: &'static [&'static str],
}

/// A regular expression that is compiled when it is first asked. Empty: matches nothing.
#[derive(Debug)]
struct Pattern {
    text: &'static str,
    compiled: OnceLock<[Regex; 2]>,
}

#[allow(clippy::too_many_arguments, reason = "the columns of the table")]
pub(crate) const fn plan(
    country: &'static str,
    calling_code: u16,
    idd: &'static str,
    written_idd: &'static str,
    trunk_prefix: &'static str,
    transform: &'static str,
    written_trunk_prefix: &'static str,
    national: &'static str,
    emergency: &'static [&'static str],
) -> Plan {
    Plan {
        country,
        calling_code,
        idd: Pattern::new(idd),
        written_idd,
        trunk_prefix: Pattern::new(trunk_prefix),
        transform,
        written_trunk_prefix,
        national: Pattern::new(national),
        emergency,
    }
}

impl Pattern {
    const fn new(text: &'static str) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }

    fn compiled(&self) -> &[Regex; 2] {
        self.compiled.get_or_init(|| {
            [
                format!("^(?:{})", self.text),
                format!("^(?:{})$", self.text),
            ]
            .map(|text| Regex::new(&text).expect("a test compiles every pattern of the table"))
        })
    }

    /// Matches from the first digit on.
    fn at_start(&self) -> Option<&Regex> {
        (!self.text.is_empty()).then(|| &self.compiled()[0])
    }

    fn matches_all_of(&self, digits: &str) -> bool {
        !self.text.is_empty() && self.compiled()[1].is_match(digits)
    }
}

impl Plan {
    /// Whether these digits are a whole national number, without anything before it.
    pub(crate) fn is_national(&self, digits: &str) -> bool {
        self.national.matches_all_of(digits)
    }

    /// The national number in `digits`, which may have a trunk prefix before it.
    pub(crate) fn national(&self, digits: &str) -> Option<String> {
        self.without_trunk_prefix(digits)
            .filter(|national| self.is_national(national))
            .or_else(|| self.is_national(digits).then(|| digits.to_owned()))
    }

    fn without_trunk_prefix(&self, digits: &str) -> Option<String> {
        let found = self.trunk_prefix.at_start()?.captures(digits)?;
        let rest = &digits[found.get(0)?.end()..];
        let taken_up = found.iter().skip(1).last().flatten();
        if self.transform.is_empty() || taken_up.is_none() {
            return Some(rest.to_owned());
        }
        let mut national = String::new();
        found.expand(self.transform, &mut national);
        national.push_str(rest);
        Some(national)
    }

    /// The international number in `digits` that begin with this country's international prefix.
    pub(crate) fn without_idd<'d>(&self, digits: &'d str) -> Option<&'d str> {
        let found = self.idd.at_start()?.find(digits)?;
        Some(&digits[found.end()..])
    }
}

/// The plan of a country.
pub(crate) fn of(country: Country) -> &'static Plan {
    find(country.as_str()).expect("a country is one that has a plan")
}

/// The plan of the country of this code.
pub(crate) fn find(country: &str) -> Option<&'static Plan> {
    let place = PLANS.binary_search_by(|plan| plan.country.cmp(country));
    place.ok().map(|place| &PLANS[place])
}

/// Cuts the calling code from the front of an international number.
pub(crate) fn split(digits: &str) -> Option<(u16, &str)> {
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let code: u16 = code.parse().ok()?;
        of_code(code).next().map(|_| (code, rest))
    })
}

/// The plans of the countries that share a calling code.
pub(crate) fn of_code(code: u16) -> impl Iterator<Item = &'static Plan> {
    PLANS
        .iter()
        .chain(&SHARED)
        .filter(move |plan| plan.calling_code == code)
}

/// The plan that stands for a calling code: the one whose national numbers are written the usual way there.
pub(crate) fn main_of_code(code: u16) -> Option<&'static Plan> {
    match MAIN.iter().find(|(shared, _)| *shared == code) {
        Some((_, country)) => find(country),
        None => of_code(code).next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_pattern_compiles() {
        assert!(PLANS.len() >= 245);
        assert!(PLANS.is_sorted_by(|one, next| one.country < next.country));
        for plan in PLANS.iter().chain(&SHARED) {
            for pattern in [&plan.idd, &plan.trunk_prefix, &plan.national] {
                pattern.compiled();
            }
            assert!(!plan.is_national(""), "{}", plan.country);
            let digits_only = [plan.written_idd, plan.written_trunk_prefix];
            let all = digits_only.iter().chain(plan.emergency);
            for text in all.filter(|text| !text.is_empty()) {
                assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
            }
        }
    }

    #[test]
    fn no_calling_code_begins_with_another() {
        let codes: Vec<String> = PLANS
            .iter()
            .chain(&SHARED)
            .map(|plan| plan.calling_code.to_string())
            .collect();
        for one in &codes {
            assert!(
                !codes
                    .iter()
                    .any(|other| other != one && other.starts_with(one.as_str()))
            );
            assert_eq!(
                split(&format!("{one}99")).map(|(code, rest)| (code.to_string(), rest)),
                Some((one.clone(), "99"))
            );
        }
    }
}
