//! Filters of lists by date, as Twilio's helper libraries send them.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::parameters::Parameters;
use crate::problem::Problem;

/// The times that a list's dates may have, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DateFilter {
    /// This one or later.
    pub(crate) from_unix_ms: Option<u64>,
    /// Before this one.
    pub(crate) before_unix_ms: Option<u64>,
}

impl DateFilter {
    /// What `names` say: on that day, on it or before, on it or after. Days are `YYYY-MM-DD`, in UTC; of a time behind it (`T…`) only the day
    /// counts.
    pub(crate) fn read(parameters: &Parameters, names: [&str; 3]) -> Result<Self, Problem> {
        let [on, until, since] = names;
        let day = |name: &str| parameters.get(name).map(|text| day(name, text)).transpose();
        let (on, until, since) = (day(on)?, day(until)?, day(since)?);
        let starts = [on, since].into_iter().flatten().map(|day| day.0);
        let ends = [on, until].into_iter().flatten().map(|day| day.1);
        Ok(Self {
            from_unix_ms: starts.max(),
            before_unix_ms: ends.min(),
        })
    }
}

/// When a day begins, and when the next one does.
fn day(name: &str, text: &str) -> Result<(u64, u64), Problem> {
    let wrong = || Problem::bad_parameter(format!("`{name}` must be a day such as `2026-08-31`"));
    let date = text.split('T').next().unwrap_or_default();
    let date: Date = date.parse().map_err(|_| wrong())?;
    let begins = |date: Date| {
        let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
        u64::try_from(midnight.as_millisecond()).ok()
    };
    let next = date.tomorrow().map_err(|_| wrong())?;
    Ok((
        begins(date).ok_or_else(wrong)?,
        begins(next).ok_or_else(wrong)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Vocabulary;

    const NAMES: [&str; 3] = ["Date", "Date<", "Date>"];
    const WORDS: Vocabulary = Vocabulary {
        supported: &NAMES,
        unsupported: &[],
    };
    const DAY: u64 = 86_400_000;

    fn read(query: &str) -> Result<DateFilter, Problem> {
        DateFilter::read(&Parameters::of_query(Some(query), WORDS)?, NAMES)
    }

    #[test]
    fn days_are_whole_ones() {
        for (query, from, before) in [
            ("", None, None),
            ("Date=1970-01-03", Some(2 * DAY), Some(3 * DAY)),
            ("Date<=1970-01-03", None, Some(3 * DAY)),
            ("Date>=1970-01-03", Some(2 * DAY), None),
            (
                "Date>=1970-01-02T10:00:00Z&Date<=1970-01-03",
                Some(DAY),
                Some(3 * DAY),
            ),
        ] {
            let filter = read(query).unwrap();
            let found = (filter.from_unix_ms, filter.before_unix_ms);
            assert_eq!(found, (from, before), "{query}");
        }
        for query in ["Date=yesterday", "Date<=1969-12-31", "Date=1970-13-01"] {
            assert_eq!(read(query).unwrap_err().code, 20001, "{query}");
        }
    }
}
