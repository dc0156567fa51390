//! A language's rules, read and checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Why a rules file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhraseRulesError {
    /// It is no TOML, or has other parts than a rules file.
    #[error("the rules cannot be read: {0}")]
    Toml(String),
    /// A part is missing or contradicts another one.
    #[error("the rules are incomplete: {0}")]
    Incomplete(String),
}

/// What [`super::PhraseRules`] needs to know, checked.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) language: String,
    pub(super) max: u64,
    /// Numbers that have a word of their own.
    pub(super) words: BTreeSet<u64>,
    /// Units that have another word beside tens.
    pub(super) after_tens: BTreeSet<u64>,
    pub(super) tens_order: TensOrder,
    pub(super) tens_join: Option<String>,
    /// From a hundred up.
    pub(super) scales: Vec<Scale>,
    pub(super) date: Option<Date>,
    pub(super) currencies: BTreeMap<String, Currency>,
    /// The words of each file.
    pub(super) script: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(super) struct Scale {
    pub(super) value: u64,
    pub(super) file: String,
    /// One of it is said without a one.
    pub(super) omits_one: bool,
    /// Between it and what follows.
    pub(super) join: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Date {
    /// `{day}`, `{month}`, `{year}` and files of words.
    pub(super) order: Vec<String>,
    /// Days have words of their own.
    pub(super) has_days: bool,
    pub(super) year: Year,
}

#[derive(Debug, Clone)]
pub(super) struct Currency {
    pub(super) has_one: bool,
    pub(super) has_minor: bool,
    pub(super) has_minor_one: bool,
    pub(super) join: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TensOrder {
    TensFirst,
    UnitsFirst,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Year {
    Number,
    Pairs,
}

/// Whether one of a scale is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum One {
    #[default]
    Say,
    Omit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    language: String,
    numbers: NumbersFile,
    date: Option<DateFile>,
    #[serde(default)]
    currencies: BTreeMap<String, CurrencyFile>,
    #[serde(default)]
    words: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumbersFile {
    max: u64,
    tens_order: TensOrder,
    tens_join: Option<String>,
    words: BTreeMap<String, String>,
    #[serde(default)]
    after_tens: BTreeMap<String, String>,
    scales: Vec<ScaleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScaleFile {
    value: u64,
    file: String,
    text: String,
    #[serde(default)]
    one: One,
    join: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DateFile {
    order: Vec<String>,
    months: Vec<String>,
    #[serde(default)]
    days: Vec<String>,
    year: Year,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrencyFile {
    one: Option<String>,
    other: String,
    minor_one: Option<String>,
    minor_other: Option<String>,
    join: Option<String>,
}

pub(super) fn after_tens(unit: u64) -> String {
    format!("{unit}-after-tens")
}

pub(super) fn month_file(month: u64) -> String {
    format!("month-{month}")
}

pub(super) fn day_file(day: u64) -> String {
    format!("day-{day}")
}

pub(super) fn currency_file(currency: &str, is_minor: bool, is_one: bool) -> String {
    let minor = if is_minor { "-minor" } else { "" };
    let one = if is_one { "-one" } else { "" };
    format!("{currency}{minor}{one}")
}

fn incomplete(what: impl Into<String>) -> PhraseRulesError {
    PhraseRulesError::Incomplete(what.into())
}

impl Rules {
    pub(super) fn parse(file: &str) -> Result<Self, PhraseRulesError> {
        let file: RulesFile =
            toml::from_str(file).map_err(|error| PhraseRulesError::Toml(error.to_string()))?;
        let mut script = file.words;
        let numbers = file.numbers;
        let words = numerals(&numbers.words, &mut script, |number| number.to_string())?;
        let after_tens = numerals(&numbers.after_tens, &mut script, after_tens)?;
        let scales = numbers.scales.into_iter().map(|scale| {
            script.insert(scale.file.clone(), scale.text);
            Scale {
                value: scale.value,
                file: scale.file,
                omits_one: scale.one == One::Omit,
                join: scale.join,
            }
        });
        let scales = scales.collect();
        let date = file.date.map(|date| read_date(date, &mut script));
        let currencies = file.currencies.into_iter().map(|(name, currency)| {
            let rules = read_currency(&name, currency, &mut script);
            (name, rules)
        });
        let currencies = currencies.collect();
        let rules = Self {
            language: file.language,
            max: numbers.max,
            words,
            after_tens,
            tens_order: numbers.tens_order,
            tens_join: numbers.tens_join,
            scales,
            date: date.transpose()?,
            currencies,
            script,
        };
        rules.check()?;
        Ok(rules)
    }

    /// Everything a number or date may need is there.
    fn check(&self) -> Result<(), PhraseRulesError> {
        for number in (0..10).chain((10..100).step_by(10)) {
            if !self.words.contains(&number) {
                return Err(incomplete(format!("add {number} to `numbers.words`")));
            }
        }
        if self.scales.first().is_none_or(|scale| scale.value != 100)
            || !self.scales.is_sorted_by(|one, next| one.value < next.value)
        {
            return Err(incomplete(
                "let `numbers.scales` begin with 100 and rise from there",
            ));
        }
        let scale_joins = self.scales.iter().filter_map(|scale| scale.join.as_ref());
        let joins = scale_joins.chain(&self.tens_join);
        let joins = joins.chain(
            self.currencies
                .values()
                .filter_map(|money| money.join.as_ref()),
        );
        let order = self.date.iter().flat_map(|date| &date.order);
        let order = order.filter(|part| !["{day}", "{month}", "{year}"].contains(&part.as_str()));
        for word in joins.chain(order) {
            self.needs(word)?;
        }
        if self
            .date
            .as_ref()
            .is_some_and(|date| date.year == Year::Pairs)
        {
            self.needs("oh")?;
        }
        let is_name = |name: &&String| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|sign| sign.is_ascii_alphanumeric() || sign == '-')
        };
        match self.script.keys().find(|name| !is_name(name)) {
            Some(name) => Err(incomplete(format!(
                "name {name:?} otherwise; files have letters, digits and hyphens"
            ))),
            None => Ok(()),
        }
    }

    fn needs(&self, word: &str) -> Result<(), PhraseRulesError> {
        if self.script.contains_key(word) {
            return Ok(());
        }
        Err(incomplete(format!("add {word:?} to `words`")))
    }
}

/// Reads numbers with their words, which go to the script.
fn numerals(
    words: &BTreeMap<String, String>,
    script: &mut BTreeMap<String, String>,
    file: impl Fn(u64) -> String,
) -> Result<BTreeSet<u64>, PhraseRulesError> {
    let mut numbers = BTreeSet::new();
    for (number, text) in words {
        let number = number.parse::<u64>();
        let number = number.map_err(|_| incomplete("use numbers in `words` and `after_tens`"))?;
        numbers.insert(number);
        script.insert(file(number), text.clone());
    }
    Ok(numbers)
}

fn read_date(
    date: DateFile,
    script: &mut BTreeMap<String, String>,
) -> Result<Date, PhraseRulesError> {
    if date.months.len() != 12 || ![0, 31].contains(&date.days.len()) {
        return Err(incomplete("give `date` 12 months, and 31 days or none"));
    }
    let has_days = !date.days.is_empty();
    script.extend(
        (1..)
            .zip(date.months)
            .map(|(n, text)| (month_file(n), text)),
    );
    script.extend((1..).zip(date.days).map(|(n, text)| (day_file(n), text)));
    Ok(Date {
        order: date.order,
        has_days,
        year: date.year,
    })
}

fn read_currency(
    name: &str,
    currency: CurrencyFile,
    script: &mut BTreeMap<String, String>,
) -> Currency {
    let rules = Currency {
        has_one: currency.one.is_some(),
        has_minor: currency.minor_other.is_some(),
        has_minor_one: currency.minor_one.is_some(),
        join: currency.join,
    };
    for (is_minor, is_one, text) in [
        (false, true, currency.one),
        (false, false, Some(currency.other)),
        (true, true, currency.minor_one),
        (true, false, currency.minor_other),
    ] {
        if let Some(text) = text {
            script.insert(currency_file(name, is_minor, is_one), text);
        }
    }
    rules
}
