//! Says when a call is tried again: sooner or later by how the last attempt ended, and only in office hours where the phone rings.
//!
//! Settings, each of them optional:
//!
//! | setting | means |
//! |---|---|
//! | `hours` | when people may be called: `Mon-Fri 08:00-12:00 13:00-17:00, Sat 08:00-12:00`; without it at any time. Urgent calls go at any time |
//! | `time-zones` | whose clocks that is, by the beginning of the number: `+855 Asia/Phnom_Penh, +44 Europe/London` |
//! | `time-zone` | whose clocks for all other numbers; UTC where nothing is said |
//! | `attempts` | how many at most: 4 where nothing is said. Attempts for which there was no room do not count, up to 10 in all |
//! | `busy-minutes`, `no-answer-minutes`, `congestion-minutes`, `unreachable-minutes`, `rejected-minutes`, `failed-minutes` | the first pause after such an outcome; it doubles while the outcome stays |
//!
//! A machine that answered counts as nobody.

mod hours;
mod pause;

use hours::Hours;
use jackfield_guest::Context;
use jackfield_guest::retry::{Decision, Outcome, Priority, Request};
use jiff::Timestamp;
use jiff::tz::TimeZone;

jackfield_guest::retry_strategy!(next);

/// Attempts at most, those without room among them.
const MOST: usize = 10;

fn next(request: &Request, context: &Context) -> Result<Decision, String> {
    let most = most(request, context)?;
    let with_room = request.attempts.iter();
    let counted = with_room
        .filter(|attempt| attempt.outcome != Outcome::Congestion)
        .count();
    let Some(pause) = pause::after(&request.attempts, context)? else {
        return Ok(Decision::stop(match request.last_outcome() {
            Outcome::Answered => "somebody answered",
            Outcome::Unallocated => "nobody has that number",
            _ => "it was taken back",
        }));
    };
    if counted >= most || request.attempts.len() >= MOST {
        let made = request.attempts.len();
        return Ok(Decision::stop(format!(
            "nobody was reached in {made} attempts"
        )));
    }
    let minutes = pause.as_secs().div_ceil(60);
    let reason = format!("{}: {minutes} minutes later", words(request.last_outcome()));
    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    let at_unix_ms = request.now_unix_ms.saturating_add(pause_ms);
    let opens_unix_ms = opening(request, at_unix_ms, context)?;
    let decision = match opens_unix_ms == at_unix_ms {
        true => Decision::again_at(at_unix_ms, reason),
        false => Decision::again_at(opens_unix_ms, format!("{reason}, when the hours begin")),
    };
    Ok(decision)
}

/// How the last attempt ended, for the account's log.
const fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "a machine answered",
        Outcome::Busy => "busy",
        Outcome::NoAnswer => "no answer",
        Outcome::Canceled => "taken back",
        Outcome::Congestion => "no room",
        Outcome::Unreachable => "unreachable",
        Outcome::Rejected => "rejected",
        Outcome::Unallocated => "no such number",
        Outcome::Failed => "failed",
    }
}

/// How many attempts there may be: of what the account and the call say the lesser.
fn most(request: &Request, context: &Context) -> Result<usize, String> {
    let most: u32 = context.number("attempts", 4)?;
    let most = most.min(request.max_attempts.unwrap_or(u32::MAX));
    Ok(usize::try_from(most).unwrap_or(usize::MAX))
}

/// The first moment from `at` on in which the called party may be called.
fn opening(request: &Request, at_unix_ms: u64, context: &Context) -> Result<u64, String> {
    let Some(hours) = context.setting("hours") else {
        return Ok(at_unix_ms);
    };
    if request.call.priority == Priority::Urgent {
        return Ok(at_unix_ms);
    }
    let hours: Hours = hours.parse()?;
    let zone = zone(&request.call.callee, context)?;
    let at = i64::try_from(at_unix_ms).ok();
    let at = at.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let opens = at.and_then(|at| hours.next_open(&at.to_zoned(zone)));
    let opens = opens.map(|opens| opens.timestamp().as_millisecond());
    opens
        .and_then(|ms| u64::try_from(ms).ok())
        .ok_or_else(|| "`hours` never come".to_owned())
}

/// The clocks at the called number.
fn zone(number: &str, context: &Context) -> Result<TimeZone, String> {
    let zones = context.setting("time-zones").unwrap_or_default();
    let mut best: Option<(&str, &str)> = None;
    for row in zones.split(',').filter(|row| !row.trim().is_empty()) {
        let (prefix, name) = row.trim().split_once(' ').ok_or_else(|| {
            format!(
                "the setting `time-zones` has \"{}\": write +855 Asia/Phnom_Penh",
                row.trim()
            )
        })?;
        let longer = best.is_none_or(|(known, _)| prefix.len() > known.len());
        if number.starts_with(prefix) && longer {
            best = Some((prefix, name.trim()));
        }
    }
    let other = context
        .setting("time-zone")
        .unwrap_or_else(|| "UTC".to_owned());
    let name = best.map_or(other.as_str(), |(_, name)| name);
    TimeZone::get(name)
        .map_err(|_| format!("\"{name}\" is no time zone: they are written as Asia/Phnom_Penh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_of_the_number_has_the_clocks() {
        let context = Context::new()
            .with_setting(
                "time-zones",
                "+1 America/New_York, +1808 Pacific/Honolulu, +855 Asia/Phnom_Penh",
            )
            .with_setting("time-zone", "Africa/Mogadishu");
        for (number, expected) in [
            ("+12025550123", "America/New_York"),
            ("+18085550123", "Pacific/Honolulu"),
            ("+85512345678", "Asia/Phnom_Penh"),
            ("+252611234567", "Africa/Mogadishu"),
            ("1294", "Africa/Mogadishu"),
        ] {
            let zone = zone(number, &context).unwrap();
            assert_eq!(zone.iana_name(), Some(expected), "{number}");
        }
        for (setting, value, part) in [
            ("time-zones", "+855", "\"+855\": write"),
            ("time-zone", "Phnom Penh", "\"Phnom Penh\" is no time zone"),
        ] {
            let told =
                zone("+85512345678", &Context::new().with_setting(setting, value)).unwrap_err();
            assert!(told.contains(part), "{told}");
        }
    }
}
