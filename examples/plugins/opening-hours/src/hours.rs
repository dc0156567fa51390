//! Hours of a week, as people write them.

use std::ops::Range;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MINUTES_A_DAY: i64 = 24 * 60;
/// The first of January 1970 was a Thursday.
const DAY_OF_EPOCH: i64 = 3;

/// When an office is open: `Mon-Fri 08:00-12:00 13:00-17:00, Sat 08:00-12:00`.
pub(crate) struct Hours(Vec<(Range<usize>, Vec<Range<i64>>)>);

/// A weekday, from Monday on, and a minute of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    day: usize,
    minute: i64,
}

impl Hours {
    pub(crate) fn contain(&self, now: Moment) -> bool {
        self.0.iter().any(|(days, spans)| {
            days.contains(&now.day) && spans.iter().any(|span| span.contains(&now.minute))
        })
    }
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(rule)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// `Mon-Fri 08:00-12:00 13:00-17:00`.
fn rule(text: &str) -> Result<(Range<usize>, Vec<Range<i64>>), String> {
    let mut words = text.split_whitespace();
    let days = words
        .next()
        .ok_or("`hours` has a comma with nothing beside it")?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (first, last) = (day(first)?, day(last)?);
    if last < first {
        return Err(format!(
            "`hours`: {days} goes beyond Sunday; write two rules"
        ));
    }
    let spans: Vec<_> = words.map(span).collect::<Result<_, _>>()?;
    if spans.is_empty() {
        return Err(format!("`hours`: {days} has no times, such as 08:00-17:00"));
    }
    Ok((first..last + 1, spans))
}

fn day(name: &str) -> Result<usize, String> {
    DAYS.iter()
        .position(|day| day.eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("`hours`: {name} is no day; the days are {}", DAYS.join(" ")))
}

/// `08:00-12:00`; 24:00 ends a day.
fn span(text: &str) -> Result<Range<i64>, String> {
    let (from, to) = text
        .split_once('-')
        .ok_or_else(|| format!("`hours`: {text} has no end; write 08:00-17:00"))?;
    let (from, to) = (clock(from)?, clock(to)?);
    match from < to {
        true => Ok(from..to),
        false => Err(format!("`hours`: {text} ends before it begins")),
    }
}

/// Minutes since midnight.
fn clock(text: &str) -> Result<i64, String> {
    let minutes = text.split_once(':').and_then(|(hours, minutes)| {
        let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
        ((0..=24).contains(&hours) && (0..60).contains(&minutes)).then_some(60 * hours + minutes)
    });
    minutes
        .filter(|minutes| *minutes <= MINUTES_A_DAY)
        .ok_or_else(|| format!("{text} is no time of day, such as 08:00"))
}

impl Moment {
    /// The moment in a place whose clocks are so much ahead of UTC: `+07:00`, `-03:30`.
    pub(crate) fn local(time: SystemTime, utc_offset: &str) -> Result<Self, String> {
        let mistake = || format!("`utc-offset`: {utc_offset} is no offset, such as +07:00");
        let (sign, offset) = match (utc_offset.strip_prefix('+'), utc_offset.strip_prefix('-')) {
            (Some(ahead), _) => (1, ahead),
            (_, Some(behind)) => (-1, behind),
            _ => return Err(mistake()),
        };
        let offset = sign * clock(offset).map_err(|_| mistake())?;
        let seconds = time
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let minutes = i64::try_from(seconds / 60).unwrap_or(i64::MAX / 2) + offset;
        let day = minutes.div_euclid(MINUTES_A_DAY) + DAY_OF_EPOCH;
        Ok(Self {
            day: usize::try_from(day.rem_euclid(7)).unwrap_or_default(),
            minute: minutes.rem_euclid(MINUTES_A_DAY),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them() {
        let hours: Hours = "Mon-Fri 08:00-12:00 13:00-17:00, sat 08:00-24:00"
            .parse()
            .unwrap();
        for (day, minute, open) in [
            (0, 8 * 60, true),
            (4, 11 * 60 + 59, true),
            (4, 12 * 60, false),
            (2, 13 * 60, true),
            (2, 17 * 60, false),
            (5, 1_439, true),
            (6, 600, false),
        ] {
            assert_eq!(
                hours.contain(Moment { day, minute }),
                open,
                "{day} {minute}"
            );
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("", "nothing beside it"),
            ("Mon", "Mon has no times"),
            ("Mox 08:00-09:00", "Mox is no day"),
            ("Fri-Mon 08:00-09:00", "write two rules"),
            ("Mon 9:00", "has no end"),
            ("Mon 9:00-8:00", "ends before it begins"),
            ("Mon 9:00-24:01", "24:01 is no time of day"),
        ] {
            let told = text.parse::<Hours>().err().unwrap();
            assert!(told.contains(part), "{text}: {told}");
        }
        for offset in ["", "7", "07:00", "+7", "+aa:00"] {
            let told = Moment::local(UNIX_EPOCH, offset).unwrap_err();
            assert!(told.contains("utc-offset"), "{offset}: {told}");
        }
    }

    #[test]
    fn weekdays_follow_the_clocks_of_the_place() {
        // Sunday, 22 November 2026, 20:00 UTC.
        let time = UNIX_EPOCH + Duration::from_secs(1_795_377_600);
        let local = |offset| Moment::local(time, offset).unwrap();
        assert_eq!(
            local("+00:00"),
            Moment {
                day: 6,
                minute: 1_200
            }
        );
        assert_eq!(
            local("+07:00"),
            Moment {
                day: 0,
                minute: 180
            }
        );
        assert_eq!(
            local("-03:30"),
            Moment {
                day: 6,
                minute: 990
            }
        );
    }
}
