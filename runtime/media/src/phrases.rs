//! Recorded phrases: numbers, codes, amounts and dates from a folder of recorded words.
//!
//! A language's rules are data: a TOML file that says which words there are, under which file names they are recorded,
//! and how numbers and dates are put together from them.

mod rules;

use std::collections::BTreeMap;

pub use rules::PhraseRulesError;
use rules::{Rules, TensOrder, Year};

/// Rules that come with the program.
const BUNDLED: [&str; 4] = [
    include_str!("../phrases/en.toml"),
    include_str!("../phrases/km.toml"),
    include_str!("../phrases/lo.toml"),
    include_str!("../phrases/so.toml"),
];

/// How a language says things with recorded words.
#[derive(Debug, Clone)]
pub struct PhraseRules(Rules);

/// What is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken<'a> {
    /// A number as one word after the other: three hundred five.
    Number(u64),
    /// A code as it is spelled: digits, letters, `*` and `#`. Blanks and hyphens are passed over.
    Code(&'a str),
    /// An amount of money.
    Amount {
        /// Whole units.
        units: u64,
        /// Hundredths of one, 0 to 99.
        hundredths: u8,
        /// As the rules name it: `USD`.
        currency: &'a str,
    },
    /// A day of the Gregorian calendar.
    Date {
        /// 1 to 9999; without it the day and month alone are said.
        year: Option<u16>,
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
    /// A word or phrase by the name of its file.
    Word(&'a str),
}

/// Why something cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhraseError {
    /// The rules do not reach so far.
    #[error("{language}: {value} is over {max}, the largest number of the rules; say it as a code")]
    TooLarge {
        /// Of the rules.
        language: String,
        /// What was to be said.
        value: u64,
        /// The largest that can be.
        max: u64,
    },
    /// The rules have no such currency, or no hundredths of it.
    #[error("{language}: the rules cannot say {what}; add it to `currencies` in the rules")]
    Currency {
        /// Of the rules.
        language: String,
        /// The currency, or its hundredths.
        what: String,
    },
    /// The rules have no dates.
    #[error("{0}: the rules have no dates; add `date` to them")]
    NoDates(String),
    /// There is no such day.
    #[error("there is no day {day} of month {month}{}", in_year(*year))]
    NotADate {
        /// What was given.
        year: Option<u16>,
        /// What was given.
        month: u8,
        /// What was given.
        day: u8,
    },
    /// A code has another sign than digits, letters, `*` and `#`.
    #[error("{0:?} cannot be said in a code; use digits, letters, * and #")]
    Sign(char),
    /// A word is not recorded.
    #[error("{language}: no recording {file} in the folder; record \"{text}\" as {file}.wav")]
    Missing {
        /// Of the rules.
        language: String,
        /// The name of the file, without its extension.
        file: String,
        /// What is to be recorded in it.
        text: String,
    },
}

impl PhraseRules {
    /// The rules that come with the program for a language (`en`, `km`, `lo`, `so`); of `en-US` those for `en`.
    #[must_use]
    pub fn bundled(language: &str) -> Option<Self> {
        let language = language.split('-').next().unwrap_or_default();
        BUNDLED.iter().find_map(|file| {
            let rules = Self::parse(file).expect("a test reads every file that comes with us");
            (rules.language() == language).then_some(rules)
        })
    }

    /// Reads a rules file.
    ///
    /// # Errors
    /// If it is no TOML, or something is missing in it or contradicts another part.
    pub fn parse(file: &str) -> Result<Self, PhraseRulesError> {
        Rules::parse(file).map(Self)
    }

    /// The language, as its file names it.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.0.language
    }

    /// What is to be recorded: the name of each file without its extension, and the words to say in it.
    pub fn script(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.script.iter();
        pairs.map(|(file, text)| (file.as_str(), text.as_str()))
    }

    /// The names of the files to play for it, without extension.
    ///
    /// # Errors
    /// If the rules cannot say it.
    pub fn say(&self, what: Spoken<'_>) -> Result<Vec<String>, PhraseError> {
        let mut files = Vec::new();
        match what {
            Spoken::Number(value) => self.number(value, &mut files)?,
            Spoken::Code(code) => self.code(code, &mut files)?,
            Spoken::Amount {
                units,
                hundredths,
                currency,
            } => self.amount(units, hundredths, currency, &mut files)?,
            Spoken::Date { year, month, day } => self.date(year, month, day, &mut files)?,
            Spoken::Word(file) => files.push(file.to_owned()),
        }
        Ok(files)
    }

    /// The words to say for it, as they are written.
    ///
    /// # Errors
    /// If the rules cannot say it.
    pub fn words(&self, what: Spoken<'_>) -> Result<String, PhraseError> {
        let files = self.say(what)?;
        let text = |file: &String| self.0.script.get(file).unwrap_or(file).clone();
        Ok(files.iter().map(text).collect::<Vec<_>>().join(" "))
    }

    fn number(&self, value: u64, files: &mut Vec<String>) -> Result<(), PhraseError> {
        if value > self.0.max {
            return Err(PhraseError::TooLarge {
                language: self.0.language.clone(),
                value,
                max: self.0.max,
            });
        }
        self.compose(value, files);
        Ok(())
    }

    fn compose(&self, value: u64, files: &mut Vec<String>) {
        if self.0.words.contains(&value) {
            files.push(value.to_string());
        } else if value < 100 {
            self.compose_tens(value, files);
        } else {
            let scale = self.0.scales.iter().rfind(|scale| scale.value <= value);
            let scale = scale.expect("the rules have a word for a hundred");
            let (count, rest) = (value / scale.value, value % scale.value);
            if count > 1 || !scale.omits_one {
                self.compose(count, files);
            }
            files.push(scale.file.clone());
            if rest > 0 {
                files.extend(scale.join.clone());
                self.compose(rest, files);
            }
        }
    }

    fn compose_tens(&self, value: u64, files: &mut Vec<String>) {
        let (tens, unit) = (value / 10 * 10, value % 10);
        let unit = if self.0.after_tens.contains(&unit) {
            rules::after_tens(unit)
        } else {
            unit.to_string()
        };
        let (first, last) = match self.0.tens_order {
            TensOrder::TensFirst => (tens.to_string(), unit),
            TensOrder::UnitsFirst => (unit, tens.to_string()),
        };
        files.push(first);
        files.extend(self.0.tens_join.clone());
        files.push(last);
    }

    fn code(&self, code: &str, files: &mut Vec<String>) -> Result<(), PhraseError> {
        for sign in code.chars() {
            match sign {
                ' ' | '-' => {}
                '*' => files.push("star".to_owned()),
                '#' => files.push("hash".to_owned()),
                sign if sign.is_ascii_alphanumeric() => {
                    files.push(sign.to_ascii_lowercase().to_string());
                }
                sign => return Err(PhraseError::Sign(sign)),
            }
        }
        Ok(())
    }

    fn amount(
        &self,
        units: u64,
        hundredths: u8,
        currency: &str,
        files: &mut Vec<String>,
    ) -> Result<(), PhraseError> {
        let cannot = |what: String| PhraseError::Currency {
            language: self.0.language.clone(),
            what,
        };
        let rules = self.0.currencies.get(currency);
        let rules = rules.ok_or_else(|| cannot(currency.to_owned()))?;
        if hundredths > 99 || (hundredths > 0 && !rules.has_minor) {
            return Err(cannot(format!("{hundredths} hundredths of {currency}")));
        }
        if units > 0 || hundredths == 0 {
            self.number(units, files)?;
            files.push(rules::currency_file(
                currency,
                false,
                units == 1 && rules.has_one,
            ));
        }
        if hundredths > 0 {
            if units > 0 {
                files.extend(rules.join.clone());
            }
            self.number(hundredths.into(), files)?;
            let is_one = hundredths == 1 && rules.has_minor_one;
            files.push(rules::currency_file(currency, true, is_one));
        }
        Ok(())
    }

    fn date(
        &self,
        year: Option<u16>,
        month: u8,
        day: u8,
        files: &mut Vec<String>,
    ) -> Result<(), PhraseError> {
        let date = self.0.date.as_ref();
        let date = date.ok_or_else(|| PhraseError::NoDates(self.0.language.clone()))?;
        // Without a year, any day of a leap year.
        if !is_date(year.unwrap_or(2_000), month, day) {
            return Err(PhraseError::NotADate { year, month, day });
        }
        for part in &date.order {
            match part.as_str() {
                "{month}" => files.push(rules::month_file(month.into())),
                "{day}" if date.has_days => files.push(rules::day_file(day.into())),
                "{day}" => self.compose(day.into(), files),
                "{year}" => {
                    if let Some(year) = year {
                        self.year(date.year, year.into(), files);
                    }
                }
                word => files.push(word.to_owned()),
            }
        }
        Ok(())
    }

    /// A year as a number, or as nineteen ninety-nine, nineteen oh five, nineteen hundred; two thousand five stays one.
    fn year(&self, rule: Year, year: u64, files: &mut Vec<String>) {
        let (century, rest) = (year / 100, year % 100);
        let is_number = rule == Year::Number || century < 11 || (century % 10 == 0 && rest < 10);
        if is_number {
            return self.compose(year, files);
        }
        self.compose(century, files);
        match rest {
            0 => files.extend(self.0.scales.first().map(|hundred| hundred.file.clone())),
            1..10 => {
                files.push("oh".to_owned());
                self.compose(rest, files);
            }
            _ => self.compose(rest, files),
        }
    }
}

fn in_year(year: Option<u16>) -> String {
    year.map(|year| format!(" in {year}")).unwrap_or_default()
}

fn is_date(year: u16, month: u8, day: u8) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=9_999).contains(&year) && (1..=days).contains(&day)
}

/// A folder of recorded words, and the rules of its language.
#[derive(Debug, Clone)]
pub struct PhraseSet {
    rules: PhraseRules,
    /// The names of files, by the same without extension.
    files: BTreeMap<String, String>,
}

impl PhraseSet {
    /// A set of the files of these names; which extensions they have does not matter.
    pub fn new(rules: PhraseRules, names: impl IntoIterator<Item = String>) -> Self {
        let stem = |name: &str| {
            name.rsplit_once('.')
                .map_or(name, |(stem, _)| stem)
                .to_owned()
        };
        let files = names.into_iter().map(|name| (stem(&name), name)).collect();
        Self { rules, files }
    }

    /// The names of the files to play for it, one after the other.
    ///
    /// # Errors
    /// If the rules cannot say it, or the first file that is missing.
    pub fn say(&self, what: Spoken<'_>) -> Result<Vec<&str>, PhraseError> {
        let files = self.rules.say(what)?;
        files.iter().map(|file| self.file(file)).collect()
    }

    /// What is still to be recorded, of all that the rules need.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        let script = self.rules.script();
        script.filter(|(file, _)| !self.files.contains_key(*file))
    }

    fn file(&self, file: &str) -> Result<&str, PhraseError> {
        self.files.get(file).map(String::as_str).ok_or_else(|| {
            let text = self.rules.0.script.get(file);
            PhraseError::Missing {
                language: self.rules.language().to_owned(),
                file: file.to_owned(),
                text: text.map_or(file, String::as_str).to_owned(),
            }
        })
    }
}

#[cfg(test)]
mod tests;
