//! NTP timestamps (RFC 3550 section 4): seconds in the upper 32 bits, their fraction in the lower.

use std::time::{Duration, Instant};

/// Tells NTP time by the caller's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct NtpClock {
    start: Instant,
    ntp_at_start: u64,
}

impl NtpClock {
    pub(super) const fn new(start: Instant, ntp_at_start: u64) -> Self {
        Self {
            start,
            ntp_at_start,
        }
    }

    pub(super) fn at(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.start);
        self.ntp_at_start
            .wrapping_add(passed.as_secs() << 32)
            .wrapping_add((u64::from(passed.subsec_nanos()) << 32) / 1_000_000_000)
    }
}

/// The 32 bits in the middle, units of 1/65536 s.
pub(super) const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// A duration in units of 1/65536 s; the largest if it does not fit.
pub(super) fn to_units(duration: Duration) -> u32 {
    u32::try_from((duration.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

/// So many units of 1/65536 s.
pub(super) const fn from_units(units: u32) -> Duration {
    Duration::from_nanos((units as u64 * 1_000_000_000) >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    #[test]
    fn time_passes_in_both_halves() {
        let start = origin();
        let clock = NtpClock::new(start, 0xffff_ffff_8000_0000);
        for (ms, expected) in [
            (0, 0xffff_ffff_8000_0000),
            (250, 0xffff_ffff_c000_0000),
            (500, 0),
            (1_750, 0x1_4000_0000),
        ] {
            assert_eq!(clock.at(start + Duration::from_millis(ms)), expected);
        }
        assert_eq!(middle(0x1122_3344_5566_7788), 0x3344_5566);
    }

    #[test]
    fn units_are_65536ths_of_a_second() {
        for (ms, units) in [(0, 0), (1_000, 65_536), (5_250, 0x0005_4000)] {
            assert_eq!(to_units(Duration::from_millis(ms)), units);
            assert_eq!(from_units(units), Duration::from_millis(ms));
        }
        assert_eq!(to_units(Duration::MAX), u32::MAX);
    }
}
