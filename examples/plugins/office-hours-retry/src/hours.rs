//! Hours of a week, in the clocks of a place.

use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::{ToSpan, Zoned};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MINUTES_A_DAY: i64 = 24 * 60;

/// When people may be called: `Mon-Fri 08:00-12:00 13:00-17:00, Sat 08:00-12:00`.
#[derive(Debug)]
pub(crate) struct Hours(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// From Monday, 0, on.
    days: RangeInclusive<usize>,
    /// Minutes of the day, from and to.
    spans: Vec<(i64, i64)>,
}

impl Hours {
    /// The first moment within the hours that is not before `at`; in a week without clocks going wrong there is one.
    pub(crate) fn next_open(&self, at: &Zoned) -> Option<Zoned> {
        let dates = (0..=7).filter_map(|day| at.date().checked_add(day.days()).ok());
        let openings = dates.flat_map(|date| self.spans(date));
        openings
            .filter_map(|(from, to)| {
                let zone = at.time_zone();
                let from = from.to_zoned(zone.clone()).ok()?;
                let to = to.to_zoned(zone.clone()).ok()?;
                (*at < to).then(|| from.max(at.clone()))
            })
            .min()
    }

    /// The hours of one day.
    fn spans(&self, date: Date) -> Vec<(DateTime, DateTime)> {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        let rules = self.0.iter().filter(|rule| rule.days.contains(&day));
        let moment = |minute: i64| date.at(0, 0, 0, 0).checked_add(minute.minutes()).ok();
        rules
            .flat_map(|rule| &rule.spans)
            .filter_map(|(from, to)| Some((moment(*from)?, moment(*to)?)))
            .collect()
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
fn rule(text: &str) -> Result<Rule, String> {
    let mut words = text.split_whitespace();
    let days = words
        .next()
        .ok_or("`hours` has a comma with nothing beside it")?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let days_of = day(first)?..=day(last)?;
    let spans: Vec<_> = words.map(span).collect::<Result<_, _>>()?;
    if days_of.is_empty() {
        return Err(format!(
            "`hours`: {days} goes beyond Sunday; write two rules"
        ));
    }
    if spans.is_empty() {
        return Err(format!("`hours`: {days} has no times, such as 08:00-17:00"));
    }
    Ok(Rule {
        days: days_of,
        spans,
    })
}

fn day(name: &str) -> Result<usize, String> {
    DAYS.iter()
        .position(|day| day.eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("`hours`: {name} is no day; the days are {}", DAYS.join(" ")))
}

/// `08:00-12:00`; 24:00 ends a day.
fn span(text: &str) -> Result<(i64, i64), String> {
    let minutes = text
        .split_once('-')
        .and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    minutes
        .filter(|(from, to)| from < to)
        .ok_or_else(|| format!("`hours`: {text} is no time from and to, such as 08:00-17:00"))
}

/// Minutes since midnight.
fn minute(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = 60 * hours + minutes;
    ((0..=24).contains(&hours) && (0..60).contains(&minutes) && minute <= MINUTES_A_DAY)
        .then_some(minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hours: &str, at: &str, expected: &str) {
        let hours: Hours = hours.parse().unwrap();
        let open = hours.next_open(&at.parse().unwrap()).unwrap();
        assert_eq!(open, expected.parse::<Zoned>().unwrap(), "{at}: {open}");
    }

    #[test]
    fn the_next_open_moment() {
        const OFFICE: &str = "Mon-Fri 08:00-12:00 13:00-17:00, sat 08:00-12:00";
        let zone = |text: &str| format!("{text}[Asia/Phnom_Penh]");
        for (at, expected) in [
            ("2026-11-23T09:30", "2026-11-23T09:30"),
            ("2026-11-23T07:59", "2026-11-23T08:00"),
            ("2026-11-23T12:00", "2026-11-23T13:00"),
            ("2026-11-23T17:00", "2026-11-24T08:00"),
            ("2026-11-27T18:00", "2026-11-28T08:00"),
            ("2026-11-28T12:00", "2026-11-30T08:00"),
        ] {
            check(OFFICE, &zone(at), &zone(expected));
        }
        check(
            "Wed 10:00-11:00",
            &zone("2026-11-25T11:00"),
            &zone("2026-12-02T10:00"),
        );
        check(
            "Mon-Sun 00:00-24:00",
            &zone("2026-11-25T23:59"),
            &zone("2026-11-25T23:59"),
        );
    }

    #[test]
    fn clocks_that_are_put_forward_or_back_are_followed() {
        // The last Sunday of March 2027: 01:00 to 02:00 is not there in London.
        check(
            "Sun 01:30-03:00",
            "2027-03-28T00:10[Europe/London]",
            "2027-03-28T02:30[Europe/London]",
        );
        check(
            "Mon 09:00-17:00",
            "2026-10-24T18:00[Europe/London]",
            "2026-10-26T09:00[Europe/London]",
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("", "nothing beside it"),
            ("Mon", "Mon has no times"),
            ("Mox 08:00-09:00", "Mox is no day"),
            ("Fri-Mon 08:00-09:00", "write two rules"),
            ("Mon 9:00", "9:00 is no time from and to"),
            ("Mon 9:00-8:00", "9:00-8:00 is no time"),
            ("Mon 9:00-24:01", "no time from and to"),
        ] {
            let told = text.parse::<Hours>().unwrap_err();
            assert!(told.contains(part), "{text}: {told}");
        }
    }
}
