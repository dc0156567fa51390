//! What `say-as` marks: a number, a code, a day, and how it is written.

/// What is to be said, whatever it is called in the language.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// One sign after the other; without white space.
    Characters(String),
    /// A number.
    Cardinal {
        /// Below zero.
        is_negative: bool,
        /// Before the point.
        whole: u64,
        /// The digits behind the point; empty for none.
        fraction: String,
    },
    /// A place in an order: first, second.
    Ordinal(u64),
    /// Money.
    Money {
        /// Whole units.
        units: u64,
        /// Hundredths of one, 0 to 99.
        hundredths: u8,
        /// Three capital letters (ISO 4217).
        currency: String,
    },
    /// A day.
    Date {
        /// Absent when it was not given.
        year: Option<u16>,
        /// As given; nobody has checked that there is such a month.
        month: u8,
        /// As given.
        day: u8,
    },
    /// A time of day.
    Time {
        /// 0 to 23, or 1 to 12 with a half.
        hour: u8,
        /// 0 to 59.
        minute: u8,
        /// Of the day, where it was given.
        half: Option<Half>,
    },
    /// A length of time, as `1'21"`.
    Length {
        /// Any.
        minutes: u64,
        /// 0 to 59.
        seconds: u8,
    },
}

/// A half of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// Before noon.
    Am,
    /// After noon.
    Pm,
}

impl Value {
    /// What a text means that is marked `interpret-as` and `format`. None if the kind is not known or the text is not of it.
    ///
    /// White space in `text` has been made single.
    pub(crate) fn read(interpret_as: &str, format: Option<&str>, text: &str) -> Option<Self> {
        match interpret_as {
            "characters" | "character" | "spell-out" | "verbatim" => characters(text),
            "digits" | "telephone" => code(text),
            "cardinal" | "number" => cardinal(text),
            "ordinal" => grouped(text).map(Self::Ordinal),
            "currency" => money(text),
            "date" => date(text, format.unwrap_or_default()),
            "time" => time(text).or_else(|| length(text)),
            "duration" => length(text),
            _ => None,
        }
    }
}

fn characters(text: &str) -> Option<Value> {
    let signs: String = text.chars().filter(|sign| !sign.is_whitespace()).collect();
    (!signs.is_empty()).then_some(Value::Characters(signs))
}

/// Digits and what telephones have beside them. What only groups them is not said.
fn code(text: &str) -> Option<Value> {
    let groups = |sign: char| sign.is_whitespace() || "-./()".contains(sign);
    let signs: String = text.chars().filter(|sign| !groups(*sign)).collect();
    let is_code = signs
        .chars()
        .all(|sign| sign.is_alphanumeric() || "+*#".contains(sign));
    (is_code && !signs.is_empty()).then_some(Value::Characters(signs))
}

/// A whole number, with commas or blanks between its thousands.
fn grouped(text: &str) -> Option<u64> {
    let mut groups = text.split([',', ' ']);
    let is_number = |group: &str| !group.is_empty() && group.bytes().all(|c| c.is_ascii_digit());
    let first = groups.next().filter(|group| is_number(group))?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !is_number(group) || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    digits.parse().ok()
}

fn cardinal(text: &str) -> Option<Value> {
    let (is_negative, number) = match text.strip_prefix(['-', '−']) {
        Some(number) => (true, number),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_fraction = number.contains('.');
    if has_fraction && (fraction.is_empty() || !fraction.bytes().all(|c| c.is_ascii_digit())) {
        return None;
    }
    Some(Value::Cardinal {
        is_negative,
        whole: grouped(whole)?,
        fraction: fraction.to_owned(),
    })
}

/// `USD 12.50`, `12.50 USD`, `$12.50`. Signs that several countries share have no meaning here.
fn money(text: &str) -> Option<Value> {
    const SIGNS: [(&str, &str); 8] = [
        ("$", "USD"),
        ("€", "EUR"),
        ("£", "GBP"),
        ("¥", "JPY"),
        ("₹", "INR"),
        ("฿", "THB"),
        ("៛", "KHR"),
        ("₭", "LAK"),
    ];
    let by_sign = SIGNS.iter().find_map(|(sign, code)| {
        let number = text
            .strip_prefix(sign)
            .or_else(|| text.strip_suffix(sign))?;
        Some((number, (*code).to_owned()))
    });
    let is_code = |code: &&str| code.len() == 3 && code.bytes().all(|c| c.is_ascii_alphabetic());
    let by_code = || {
        let before = text.get(..3).filter(is_code).map(|code| (&text[3..], code));
        let split = text.len().checked_sub(3)?;
        let behind = text.get(split..).filter(is_code);
        let (number, code) = before.or(behind.map(|code| (&text[..split], code)))?;
        Some((number, code.to_ascii_uppercase()))
    };
    let (number, currency) = by_sign.or_else(by_code)?;
    let number = number.trim();
    let (units, hundredths) = number.split_once('.').unwrap_or((number, "0"));
    let hundredths = match hundredths.len() {
        1 => hundredths.parse::<u8>().ok()? * 10,
        2 => hundredths.parse().ok()?,
        _ => return None,
    };
    Some(Value::Money {
        units: grouped(units)?,
        hundredths,
        currency,
    })
}

/// In the order of the letters in `format` (`mdy`, `dmy`, `ymd`, `md`, `dm`); without one, the year comes first where it has four
/// digits, and the month otherwise, as Twilio has it.
fn date(text: &str, format: &str) -> Option<Value> {
    let mut numbers: Vec<&str> = text.split(['/', '-', '.', ' ']).collect();
    if let [digits] = numbers.as_slice()
        && digits.len() == 8
        && digits.is_ascii()
    {
        let (year, rest) = digits.split_at(4);
        let (month, day) = rest.split_at(2);
        numbers = vec![year, month, day];
    }
    let year_first = numbers.first().is_some_and(|number| number.len() == 4);
    let order = match (format, numbers.len()) {
        ("" | "yyyymmdd", 3) if year_first => "ymd",
        ("", 3) => "mdy",
        ("", 2) => "md",
        ("yyyymmdd", _) => return None,
        (order, _) => order,
    };
    if order.len() != numbers.len() || !(2..=3).contains(&order.len()) {
        return None;
    }
    let part = |letter: char| order.find(letter).map(|at| numbers[at]);
    let year = match part('y') {
        Some(year) if year.len() == 4 => Some(year.parse().ok()?),
        // Two digits are of the century that is nearer.
        Some(year) if year.len() == 2 => {
            let year: u16 = year.parse().ok()?;
            Some(if year < 50 {
                2_000 + year
            } else {
                1_900 + year
            })
        }
        Some(_) => return None,
        None => None,
    };
    Some(Value::Date {
        year,
        month: part('m')?.parse().ok()?,
        day: part('d')?.parse().ok()?,
    })
}

/// `14:30`, `2:30pm`, `2:30:00 p.m.`, `2pm`. Seconds are not said.
fn time(text: &str) -> Option<Value> {
    let lower = text.to_ascii_lowercase().replace('.', "");
    let (clock, half) = match lower.strip_suffix('m').map(str::trim_end) {
        Some(rest) if rest.ends_with('a') => (&rest[..rest.len() - 1], Some(Half::Am)),
        Some(rest) if rest.ends_with('p') => (&rest[..rest.len() - 1], Some(Half::Pm)),
        _ => (lower.as_str(), None),
    };
    let mut numbers = clock.trim().split(':');
    let hour = numbers.next()?.parse().ok()?;
    let minute = match numbers.next() {
        Some(minute) if minute.len() == 2 => minute.parse().ok()?,
        None if half.is_some() => 0,
        _ => return None,
    };
    let seconds = numbers.next().unwrap_or("00");
    let hours = if half.is_some() { 1..=12 } else { 0..=23 };
    let is_time = hours.contains(&hour)
        && minute < 60
        && seconds.len() == 2
        && seconds.parse::<u8>().is_ok_and(|seconds| seconds < 60)
        && numbers.next().is_none();
    is_time.then_some(Value::Time { hour, minute, half })
}

/// `1'21"`, `5'`, `30"`.
fn length(text: &str) -> Option<Value> {
    let (minutes, rest) = match text.split_once('\'') {
        Some((minutes, rest)) => (grouped(minutes)?, rest),
        None => (0, text),
    };
    let seconds = match rest.strip_suffix('"') {
        Some(seconds) => seconds
            .trim()
            .parse()
            .ok()
            .filter(|seconds| *seconds < 60)?,
        None if rest.is_empty() && text.ends_with('\'') => 0,
        None => return None,
    };
    Some(Value::Length { minutes, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, text: &str, expected: Option<Value>) {
        assert_eq!(Value::read(kind, None, text), expected, "{kind} {text}");
    }

    #[test]
    fn codes() {
        let signs = |signs: &str| Some(Value::Characters(signs.to_owned()));
        for (kind, text, expected) in [
            ("characters", "a b-1", signs("ab-1")),
            ("spell-out", "ខ្មែរ", signs("ខ្មែរ")),
            ("digits", "12-34", signs("1234")),
            ("telephone", "+1 (555) 010-9999", signs("+15550109999")),
            ("telephone", "*6#", signs("*6#")),
            ("digits", "12%", None),
            ("digits", "--", None),
            ("unheard-of", "12", None),
            ("", "12", None),
        ] {
            check(kind, text, expected);
        }
    }

    #[test]
    fn numbers() {
        let cardinal = |is_negative, whole, fraction: &str| {
            let fraction = fraction.to_owned();
            Some(Value::Cardinal {
                is_negative,
                whole,
                fraction,
            })
        };
        for (text, expected) in [
            ("0", cardinal(false, 0, "")),
            ("12345", cardinal(false, 12_345, "")),
            ("1,234,567", cardinal(false, 1_234_567, "")),
            ("1 234", cardinal(false, 1_234, "")),
            ("-3.14", cardinal(true, 3, "14")),
            ("+7", cardinal(false, 7, "")),
            ("1,23", None),
            ("1234,567", None),
            ("1.", None),
            (".5", None),
            ("1.2.3", None),
            ("ten", None),
            ("99999999999999999999", None),
        ] {
            check("cardinal", text, expected);
        }
        check("ordinal", "21", Some(Value::Ordinal(21)));
        check("ordinal", "21st", None);
    }

    #[test]
    fn money() {
        let money = |units, hundredths, currency: &str| {
            let currency = currency.to_owned();
            Some(Value::Money {
                units,
                hundredths,
                currency,
            })
        };
        for (text, expected) in [
            ("$12.50", money(12, 50, "USD")),
            ("USD 1,000.5", money(1_000, 50, "USD")),
            ("4000 KHR", money(4_000, 0, "KHR")),
            ("khr4000", money(4_000, 0, "KHR")),
            ("4000៛", money(4_000, 0, "KHR")),
            ("12.505 USD", None),
            ("12", None),
            ("USD", None),
            ("US", None),
            ("é", None),
        ] {
            check("currency", text, expected);
        }
    }

    #[test]
    fn days() {
        let day = |year, month, day| Some(Value::Date { year, month, day });
        for (text, format, expected) in [
            ("2026-03-04", "", day(Some(2026), 3, 4)),
            ("20260304", "", day(Some(2026), 3, 4)),
            ("20260304", "yyyymmdd", day(Some(2026), 3, 4)),
            ("3/4/2026", "", day(Some(2026), 3, 4)),
            ("3/4/2026", "dmy", day(Some(2026), 4, 3)),
            ("3.4.26", "dmy", day(Some(2026), 4, 3)),
            ("3/4/99", "mdy", day(Some(1999), 3, 4)),
            ("12/31", "", day(None, 12, 31)),
            ("31-12", "dm", day(None, 12, 31)),
            ("3/4", "mdy", None),
            ("3/4/2026", "md", None),
            ("2026", "y", None),
            ("3/4/202", "mdy", None),
            ("a/b/2026", "mdy", None),
            ("3/4/2026", "xyz", None),
            ("éééé", "", None),
        ] {
            assert_eq!(
                Value::read("date", Some(format), text),
                expected,
                "{text} {format}"
            );
        }
    }

    #[test]
    fn times() {
        let time = |hour, minute, half| Some(Value::Time { hour, minute, half });
        let length = |minutes, seconds| Some(Value::Length { minutes, seconds });
        for (text, expected) in [
            ("14:30", time(14, 30, None)),
            ("2:05 p.m.", time(2, 5, Some(Half::Pm))),
            ("2:05:09AM", time(2, 5, Some(Half::Am))),
            ("9am", time(9, 0, Some(Half::Am))),
            ("1'21\"", length(1, 21)),
            ("5'", length(5, 0)),
            ("30\"", length(0, 30)),
            ("24:00", None),
            ("13:00pm", None),
            ("0:30am", None),
            ("2:5", None),
            ("2:60", None),
            ("2:30:99", None),
            ("2:30:00:00", None),
            ("14", None),
            ("1'60\"", None),
            ("m", None),
        ] {
            check("time", text, expected);
        }
    }
}
