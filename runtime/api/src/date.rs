//! Dates as newer resources write them.

use jiff::Timestamp;

/// ISO 8601, in UTC and to the second: `2010-08-31T20:36:28Z`.
pub(crate) fn iso8601(unix_ms: u64) -> Option<String> {
    let at = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The same to the millisecond: `2010-08-31T20:36:28.999Z`.
pub(crate) fn iso8601_ms(unix_ms: u64) -> Option<String> {
    let at = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_iso_8601_in_utc() {
        assert_eq!(
            iso8601(1_283_286_988_999).as_deref(),
            Some("2010-08-31T20:36:28Z")
        );
        assert_eq!(iso8601(u64::MAX), None);
        let to_the_ms = iso8601_ms(1_283_286_988_009);
        assert_eq!(to_the_ms.as_deref(), Some("2010-08-31T20:36:28.009Z"));
    }
}
