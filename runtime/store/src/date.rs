//! Dates as Twilio's API and callbacks write them.

use jiff::Timestamp;

/// Milliseconds since the Unix epoch by RFC 2822, in UTC: `Tue, 31 Aug 2010 20:36:28 +0000`. None for what no calendar has.
#[must_use]
pub fn rfc2822(unix_ms: u64) -> Option<String> {
    let at = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
    Some(at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
}

/// Milliseconds since the Unix epoch by ISO 8601, in UTC: `2010-08-31T20:36:28.123Z`. None for what no calendar has.
pub(crate) fn iso8601(unix_ms: u64) -> Option<String> {
    let at = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
    Some(at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_rfc_2822_in_utc() {
        for (unix_ms, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (1_283_286_988_999, "Tue, 31 Aug 2010 20:36:28 +0000"),
            (1_709_210_096_000, "Thu, 29 Feb 2024 12:34:56 +0000"),
        ] {
            assert_eq!(rfc2822(unix_ms).as_deref(), Some(expected));
        }
        assert_eq!(rfc2822(u64::MAX), None);
    }
}
