//! When to try again.

/// The first pause, in milliseconds.
const FIRST_MS: u64 = 1_000;
/// No pause is longer: six hours.
const LONGEST_MS: u64 = 6 * 60 * 60 * 1_000;
/// From the event on, in milliseconds: what was not delivered in a day is given up.
pub const GIVE_UP_AFTER_MS: u64 = 24 * 60 * 60 * 1_000;

/// When a callback that failed for the `attempts`th time is tried again; none when it is given up.
///
/// The pause doubles from one second to six hours. A random part of it, up to a half, is left out, so that a server that comes back is not
/// met by everything at once.
#[must_use]
pub fn next_attempt(created_ms: u64, now_ms: u64, attempts: u32, random: u64) -> Option<u64> {
    let doublings = attempts.saturating_sub(1).min(32);
    let pause = FIRST_MS.saturating_mul(1 << doublings).min(LONGEST_MS);
    let at = now_ms + pause - random % (pause / 2);
    (at <= created_ms + GIVE_UP_AFTER_MS).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_six_hours_and_end_after_a_day() {
        for (attempts, pause) in [
            (1, 1_000),
            (2, 2_000),
            (5, 16_000),
            (15, 16_384_000),
            (16, LONGEST_MS),
            (200, LONGEST_MS),
        ] {
            assert_eq!(
                next_attempt(0, 7, attempts, 0),
                Some(7 + pause),
                "{attempts}"
            );
        }
        let shortest = next_attempt(0, 0, 3, 1_999);
        assert_eq!(shortest, Some(2_001), "half a pause at least");
        assert_eq!(next_attempt(0, GIVE_UP_AFTER_MS, 1, 0), None);
        assert!(next_attempt(0, GIVE_UP_AFTER_MS - 1_000, 1, 0).is_some());
    }
}
