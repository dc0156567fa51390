//! Plain text for those who read nothing else: numbers, days and amounts in the words of the language.

use media::{PhraseRules, Spoken};

use crate::say_as::Half;
use crate::{Language, Value, Word};

/// The plain text of words in a language, for those who read nothing else. What the language's rules cannot say stays as it was written.
#[must_use]
pub fn text(words: &[Word], language: &Language) -> String {
    let rules = words
        .iter()
        .any(|word| matches!(word, Word::SayAs { .. }))
        .then(|| PhraseRules::bundled(&language.primary()))
        .flatten();
    let tongue = Tongue {
        is_english: language.primary() == "en",
        rules,
    };
    let texts = words.iter().map(|word| match word {
        Word::Text(text) => text.clone(),
        Word::SayAs { value, text } => tongue.say(value).unwrap_or_else(|| text.clone()),
    });
    join(texts)
}

/// A space between words, but not before what ends a sentence or clause.
fn join(texts: impl Iterator<Item = String>) -> String {
    let mut joined = String::new();
    for text in texts {
        let clings = text.starts_with(['.', ',', ';', ':', '!', '?', '។', '၊', '။', '።']);
        if !joined.is_empty() && !clings {
            joined.push(' ');
        }
        joined.push_str(&text);
    }
    joined
}

/// What is known of a language.
struct Tongue {
    is_english: bool,
    rules: Option<PhraseRules>,
}

impl Tongue {
    fn say(&self, value: &Value) -> Option<String> {
        match value {
            Value::Characters(signs) => Some(self.spelled(signs)),
            Value::Cardinal {
                is_negative,
                whole,
                fraction,
            } => self.cardinal(*is_negative, *whole, fraction),
            Value::Ordinal(value) if self.is_english => Some(ordinal(&self.number(*value)?)),
            Value::Ordinal(_) => None,
            Value::Money {
                units,
                hundredths,
                currency,
            } => self.by_rules(Spoken::Amount {
                units: *units,
                hundredths: *hundredths,
                currency,
            }),
            Value::Date { year, month, day } => self.by_rules(Spoken::Date {
                year: *year,
                month: *month,
                day: *day,
            }),
            Value::Time { hour, minute, half } if self.is_english => {
                self.clock(*hour, *minute, *half)
            }
            Value::Length { minutes, seconds } if self.is_english => {
                self.length(*minutes, *seconds)
            }
            Value::Time { .. } | Value::Length { .. } => None,
        }
    }

    fn by_rules(&self, what: Spoken<'_>) -> Option<String> {
        self.rules.as_ref()?.words(what).ok()
    }

    fn number(&self, value: u64) -> Option<String> {
        self.by_rules(Spoken::Number(value))
    }

    /// A comma after each sign, so that no program takes two of them for one number, and capitals, which are read as letters.
    fn spelled(&self, signs: &str) -> String {
        let name = |sign: char| {
            let name = match sign {
                '*' => "star",
                '#' => "hash",
                '+' => "plus",
                '-' => "dash",
                '.' => "dot",
                '@' => "at",
                '/' => "slash",
                '_' => "underscore",
                _ => return sign.to_uppercase().to_string(),
            };
            match self.is_english {
                true => name.to_owned(),
                false => sign.to_string(),
            }
        };
        signs.chars().map(name).collect::<Vec<_>>().join(", ")
    }

    fn cardinal(&self, is_negative: bool, whole: u64, fraction: &str) -> Option<String> {
        let number = self.number(whole)?;
        if !is_negative && fraction.is_empty() {
            return Some(number);
        }
        if !self.is_english {
            return None;
        }
        let mut words = if is_negative {
            vec!["minus".to_owned(), number]
        } else {
            vec![number]
        };
        if !fraction.is_empty() {
            words.push("point".to_owned());
        }
        for digit in fraction.bytes() {
            words.push(self.number(u64::from(digit - b'0'))?);
        }
        Some(words.join(" "))
    }

    fn clock(&self, hour: u8, minute: u8, half: Option<Half>) -> Option<String> {
        let mut words = vec![self.number(hour.into())?];
        match (minute, half) {
            (0, None) if (1..=12).contains(&hour) => words.push("o'clock".to_owned()),
            (0, None) => words.push("hundred hours".to_owned()),
            (0, Some(_)) => {}
            (1..10, _) => words.push(format!("oh {}", self.number(minute.into())?)),
            _ => words.push(self.number(minute.into())?),
        }
        match half {
            Some(Half::Am) => words.push("A M".to_owned()),
            Some(Half::Pm) => words.push("P M".to_owned()),
            None => {}
        }
        Some(words.join(" "))
    }

    fn length(&self, minutes: u64, seconds: u8) -> Option<String> {
        let counted = |count: u64, unit: &str| {
            let plural = if count == 1 { "" } else { "s" };
            Some(format!("{} {unit}{plural}", self.number(count)?))
        };
        match (minutes, seconds) {
            (0, seconds) => counted(seconds.into(), "second"),
            (minutes, 0) => counted(minutes, "minute"),
            (minutes, seconds) => Some(format!(
                "{} {}",
                counted(minutes, "minute")?,
                counted(seconds.into(), "second")?
            )),
        }
    }
}

/// English: the last word of the number says that it is one.
fn ordinal(number: &str) -> String {
    const IRREGULAR: [(&str, &str); 7] = [
        ("one", "first"),
        ("two", "second"),
        ("three", "third"),
        ("five", "fifth"),
        ("eight", "eighth"),
        ("nine", "ninth"),
        ("twelve", "twelfth"),
    ];
    let (before, last) = match number.rsplit_once(' ') {
        Some((before, last)) => (format!("{before} "), last),
        None => (String::new(), number),
    };
    let irregular = IRREGULAR.iter().find(|(word, _)| *word == last);
    match (irregular, last.strip_suffix('y')) {
        (Some((_, ordinal)), _) => format!("{before}{ordinal}"),
        (None, Some(stem)) => format!("{before}{stem}ieth"),
        (None, None) => format!("{before}{last}th"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(language: &str, kind: &str, written: &str) -> String {
        let value = Value::read(kind, None, written).unwrap();
        let word = Word::SayAs {
            value,
            text: written.to_owned(),
        };
        text(&[word], &Language::parse(language).unwrap())
    }

    #[test]
    fn each_language_says_what_it_has_rules_for() {
        for (language, kind, written, expected) in [
            (
                "en-US",
                "cardinal",
                "1234",
                "one thousand two hundred thirty four",
            ),
            ("en", "cardinal", "-3.05", "minus three point zero five"),
            ("en", "ordinal", "1", "first"),
            ("en", "ordinal", "12", "twelfth"),
            ("en", "ordinal", "20", "twentieth"),
            ("en", "ordinal", "101", "one hundred first"),
            ("en", "ordinal", "1000", "one thousandth"),
            ("en", "digits", "407", "4, 0, 7"),
            ("en", "characters", "aB-1", "A, B, dash, 1"),
            ("en", "telephone", "+1*#", "plus, 1, star, hash"),
            ("en", "currency", "$12.01", "twelve dollars and one cent"),
            ("en", "currency", "XAU 12", "XAU 12"),
            ("en", "date", "2026-03-04", "March fourth twenty twenty six"),
            ("en", "date", "3/4", "March fourth"),
            ("en", "date", "2026-13-04", "2026-13-04"),
            ("en", "time", "14:30", "fourteen thirty"),
            ("en", "time", "2:05pm", "two oh five P M"),
            ("en", "time", "9:00", "nine o'clock"),
            ("en", "time", "0:00", "zero hundred hours"),
            ("en", "time", "9am", "nine A M"),
            ("en", "time", "1'21\"", "one minute twenty one seconds"),
            ("en", "duration", "1\"", "one second"),
            ("km-KH", "cardinal", "27", "ម្ភៃ ប្រាំពីរ"),
            ("km", "currency", "KHR 4000", "បួន ពាន់ រៀល"),
            ("km", "time", "14:30", "14:30"),
            ("km", "ordinal", "3", "3"),
            ("sw", "cardinal", "27", "27"),
            ("sw", "cardinal", "-2", "-2"),
            ("sw", "digits", "1*7", "1, *, 7"),
            ("sw", "date", "2026-03-04", "2026-03-04"),
        ] {
            assert_eq!(
                said(language, kind, written),
                expected,
                "{language} {kind} {written}"
            );
        }
    }

    #[test]
    fn words_are_joined_as_a_writer_would() {
        let texts = ["Your code is", "1, 2", ".", "Bye"];
        let joined = join(texts.into_iter().map(str::to_owned));
        assert_eq!(joined, "Your code is 1, 2. Bye");
    }
}
