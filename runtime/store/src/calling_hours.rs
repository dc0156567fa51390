//! The hours of the day and the days of the week in which somebody may be called.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// The days as they are spelled, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// Where no opening is found, which no hours of a known time zone let happen: asked again a day later.
const DAY_MS: u64 = 86_400_000;

/// Hours of a day in a time zone of the IANA's data, on some days of the week or on all.
///
/// Written as `08:00-20:00 mon-fri,sun Asia/Phnom_Penh`; without days on all. Hours that end before they begin go over midnight and belong
/// to the day that they begin on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CallingHours {
    /// Minutes after midnight.
    from: u16,
    /// Minutes after midnight, at most 24 hours.
    until: u16,
    /// One bit a day, Monday's the lowest.
    days: u8,
    zone: String,
}

/// A text that is no hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHours {
    /// It is built in another way.
    #[error(
        "{0:?} is not hours: write them as \"08:00-20:00 Asia/Phnom_Penh\", or with days as \"08:00-20:00 mon-fri,sun Asia/Phnom_Penh\""
    )]
    Form(String),
    /// The zone is not in the IANA's data.
    #[error(
        "there is no time zone {0:?} on this computer: write one of the IANA's, such as Asia/Phnom_Penh or UTC, and see that time-zone data are installed (tzdata)"
    )]
    Zone(String),
}

impl CallingHours {
    /// The first time, no earlier than `unix_ms`, in these hours.
    #[must_use]
    pub fn first_time(&self, unix_ms: u64) -> u64 {
        self.next_opening(unix_ms).unwrap_or(unix_ms + DAY_MS)
    }

    /// Whether this time is in these hours.
    #[must_use]
    pub fn is_open(&self, unix_ms: u64) -> bool {
        self.first_time(unix_ms) == unix_ms
    }

    fn next_opening(&self, unix_ms: u64) -> Option<u64> {
        let now = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
        let zone = TimeZone::get(&self.zone).ok()?;
        let today = now.to_zoned(zone.clone()).date();
        // From yesterday, whose hours may go over midnight, to the same day of the next week.
        (-1..=8).find_map(|day: i64| {
            let date = today.checked_add(day.days()).ok()?;
            if !self.has(date.weekday()) {
                return None;
            }
            let at = |minute: u16| {
                let over_midnight = i64::from(minute >= DAY);
                let date = date.checked_add(over_midnight.days()).ok()?;
                let minute = minute % DAY;
                let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?;
                let zoned = zone.to_zoned(date.to_datetime(time)).ok()?;
                u64::try_from(zoned.timestamp().as_millisecond()).ok()
            };
            let until = match self.until > self.from {
                true => self.until,
                false => self.until + DAY,
            };
            let (open, close) = (at(self.from)?, at(until)?);
            (open < close && unix_ms < close).then_some(open.max(unix_ms))
        })
    }

    fn has(&self, day: Weekday) -> bool {
        self.days & (1 << day.to_monday_zero_offset()) != 0
    }

    fn days_in_words(&self) -> Vec<&'static str> {
        let named = DAYS.into_iter().enumerate();
        named
            .filter(|(at, _)| self.days & (1 << at) != 0)
            .map(|(_, day)| day)
            .collect()
    }
}

impl FromStr for CallingHours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let wrong = || InvalidHours::Form(text.chars().take(80).collect());
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (hours, days, zone) = match words[..] {
            [hours, zone] => (hours, None, zone),
            [hours, days, zone] => (hours, Some(days), zone),
            _ => return Err(wrong()),
        };
        let (from, until) = hours.split_once('-').ok_or_else(wrong)?;
        let (from, until) = (minute(from), minute(until));
        let (Some(from), Some(until)) = (from, until) else {
            return Err(wrong());
        };
        let days = match days {
            Some(days) => parse_days(days).ok_or_else(wrong)?,
            None => 0b111_1111,
        };
        if from == until || from == DAY || until == 0 {
            return Err(wrong());
        }
        match TimeZone::get(zone) {
            Ok(zone) if zone.iana_name().is_some() => {}
            _ => return Err(InvalidHours::Zone(zone.to_owned())),
        }
        Ok(Self {
            from,
            until,
            days,
            zone: zone.to_owned(),
        })
    }
}

impl fmt::Display for CallingHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, "{}-{} ", time(self.from), time(self.until))?;
        let days = self.days_in_words();
        if days.len() < DAYS.len() {
            write!(f, "{} ", days.join(","))?;
        }
        f.write_str(&self.zone)
    }
}

impl From<CallingHours> for String {
    fn from(hours: CallingHours) -> Self {
        hours.to_string()
    }
}

impl TryFrom<String> for CallingHours {
    type Error = InvalidHours;

    fn try_from(text: String) -> Result<Self, InvalidHours> {
        text.parse()
    }
}

/// `HH:MM`, up to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let is_two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_two(hours) || !is_two(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY).then_some(minute)
}

/// `mon-fri,sun`.
fn parse_days(text: &str) -> Option<u8> {
    let day = |name: &str| {
        DAYS.into_iter()
            .position(|day| day == name.to_ascii_lowercase())
    };
    let mut days = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let mut at = first;
        loop {
            days |= 1 << at;
            if at == last {
                break;
            }
            at = (at + 1) % DAYS.len();
        }
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix_ms(text: &str) -> u64 {
        text.parse::<Timestamp>().unwrap().as_millisecond() as u64
    }

    #[track_caller]
    fn check(hours: &str, at: &str, expected: &str) {
        let hours: CallingHours = hours.parse().unwrap();
        let first = hours.first_time(unix_ms(at));
        assert_eq!(first, unix_ms(expected), "{hours} at {at}: {first}");
        assert_eq!(hours.is_open(unix_ms(at)), at == expected);
    }

    #[test]
    fn the_next_opening() {
        let office = "08:00-20:00 Asia/Phnom_Penh"; // UTC+7 all year
        check(office, "2026-11-23T00:59:59Z", "2026-11-23T01:00:00Z");
        check(office, "2026-11-23T01:00:00Z", "2026-11-23T01:00:00Z");
        check(office, "2026-11-23T12:59:59Z", "2026-11-23T12:59:59Z");
        check(office, "2026-11-23T13:00:00Z", "2026-11-24T01:00:00Z");
        // A Friday evening, to Monday.
        let week = "08:00-20:00 mon-fri Asia/Phnom_Penh";
        check(week, "2026-11-27T13:00:00Z", "2026-11-30T01:00:00Z");
        check(
            "08:00-24:00 sun UTC",
            "2026-11-23T01:00:00Z",
            "2026-11-29T08:00:00Z",
        );
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_they_begin_on() {
        let night = "22:00-06:00 fri UTC";
        check(night, "2026-11-28T05:59:00Z", "2026-11-28T05:59:00Z");
        check(night, "2026-11-28T06:00:00Z", "2026-12-04T22:00:00Z");
        check(night, "2026-11-27T05:00:00Z", "2026-11-27T22:00:00Z");
        check(
            "22:00-06:00 UTC",
            "2026-11-28T12:00:00Z",
            "2026-11-28T22:00:00Z",
        );
    }

    #[test]
    fn clocks_that_are_changed() {
        // Central Europe: 02:00 becomes 03:00 on 2026-03-29, and 03:00 becomes 02:00 on 2026-10-25.
        let morning = "08:00-09:00 Europe/Berlin";
        check(morning, "2026-03-28T09:00:00Z", "2026-03-29T06:00:00Z");
        check(morning, "2026-10-24T08:00:00Z", "2026-10-25T07:00:00Z");
        // Hours that the night has not are left out.
        check(
            "02:10-02:50 Europe/Berlin",
            "2026-03-28T23:30:00Z",
            "2026-03-29T01:10:00Z",
        );
    }

    #[test]
    fn hours_are_spelled_in_one_way() {
        for (text, expected) in [
            ("08:00-20:00 Asia/Phnom_Penh", "08:00-20:00 Asia/Phnom_Penh"),
            ("08:00-20:00 mon-sun UTC", "08:00-20:00 UTC"),
            (
                "08:00-24:00 Sat-Mon,wed UTC",
                "08:00-24:00 mon,wed,sat,sun UTC",
            ),
        ] {
            let hours: CallingHours = text.parse().unwrap();
            assert_eq!(hours.to_string(), expected);
            assert_eq!(expected.parse(), Ok(hours));
        }
        for text in [
            "",
            "08:00-20:00",
            "8-20 UTC",
            "08:00-08:00 UTC",
            "24:00-08:00 UTC",
            "08:00-25:00 UTC",
            "08:60-20:00 UTC",
            "08:00-20:00 monday UTC",
            "08:00-20:00 mon UTC UTC",
        ] {
            let refused = text.parse::<CallingHours>();
            assert_eq!(refused, Err(InvalidHours::Form(text.to_owned())));
        }
        let refused = "08:00-20:00 Asia/Nowhere".parse::<CallingHours>();
        assert_eq!(refused, Err(InvalidHours::Zone("Asia/Nowhere".to_owned())));
    }
}
