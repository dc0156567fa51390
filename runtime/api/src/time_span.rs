//! Filters of lists by time: `StartTime=`, `StartTime<` and `StartTime>`, as Twilio's libraries write them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use store::TimeSpan;

use crate::parameters::Parameters;
use crate::problem::Problem;

/// The time that the three parameters of this name allow. `=` is a whole day, or a second; `<` and `>` take their own time in, and mean a
/// day's midnight, in UTC.
pub(crate) fn read(parameters: &Parameters, name: &str) -> Result<TimeSpan, Problem> {
    let given = |sign: &str| {
        let name = format!("{name}{sign}");
        let text = parameters.get(&name);
        text.map(|text| point(&name, text)).transpose()
    };
    let (on, until, since) = (given("")?, given("<")?, given(">")?);
    Ok(TimeSpan {
        from_unix_ms: on.map(|at| at.0).max(since.map(|at| at.0)),
        before_unix_ms: match (on.map(|at| at.1), until.map(|at| at.2)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        },
    })
}

/// Its beginning, its end as a span of its own, and the end of all until it.
fn point(name: &str, text: &str) -> Result<(u64, u64, u64), Problem> {
    let wrong = || {
        Problem::bad_parameter(format!(
            "`{name}` must be a date such as `2026-07-06`, or a time such as `2026-07-06T20:36:28Z`"
        ))
    };
    let ms = |at: Timestamp| u64::try_from(at.as_millisecond()).map_err(|_| wrong());
    if let Ok(date) = text.parse::<Date>()
        && !text.contains('T')
    {
        let midnight = |date: Date| date.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
        let next = date.checked_add(1.day()).map_err(|_| wrong())?;
        let begin = ms(midnight(date).map_err(|_| wrong())?)?;
        return Ok((begin, ms(midnight(next).map_err(|_| wrong())?)?, begin + 1));
    }
    let second = ms(text.parse().map_err(|_| wrong())?)?;
    let second = second - second % 1_000;
    Ok((second, second + 1_000, second + 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Vocabulary;

    const WORDS: Vocabulary = Vocabulary {
        supported: &["StartTime", "StartTime<", "StartTime>"],
        unsupported: &[],
    };

    #[test]
    fn days_and_seconds_are_spans() {
        const DAY: u64 = 86_400_000;
        for (query, from, before) in [
            ("", None, None),
            ("StartTime=1970-01-02", Some(DAY), Some(2 * DAY)),
            ("StartTime%3C=1970-01-02", None, Some(DAY + 1)),
            ("StartTime%3E=1970-01-02", Some(DAY), None),
            ("StartTime=1970-01-01T00:00:07Z", Some(7_000), Some(8_000)),
            (
                "StartTime%3E=1970-01-01T00:00:07Z&StartTime%3C=1970-01-02T00:00:00Z",
                Some(7_000),
                Some(DAY + 1_000),
            ),
        ] {
            let parameters = Parameters::of_query(Some(query), WORDS).unwrap();
            let expected = TimeSpan {
                from_unix_ms: from,
                before_unix_ms: before,
            };
            assert_eq!(read(&parameters, "StartTime").unwrap(), expected, "{query}");
        }
        for wrong in ["yesterday", "1970-13-01", "1960-01-01"] {
            let query = format!("StartTime={wrong}");
            let parameters = Parameters::of_query(Some(&query), WORDS).unwrap();
            let problem = read(&parameters, "StartTime").unwrap_err();
            assert!(problem.message.contains("`StartTime`"), "{wrong}");
        }
    }
}
