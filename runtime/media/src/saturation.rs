//! Sums of samples that stay samples.

/// Up to here a sum is left as it is: 2.5 dB below full scale.
const KNEE: i32 = 24_576;
const ROOM: i64 = i16::MAX as i64 - KNEE as i64;

/// A sum of samples as a sample. Loud ones are bent towards full scale, which they never pass: clipped peaks would
/// crackle.
pub(crate) fn soft(sum: i32) -> i16 {
    let magnitude = sum.unsigned_abs().min(i32::MAX.unsigned_abs()) as i32;
    if magnitude <= KNEE {
        return sum as i16;
    }
    let over = i64::from(magnitude - KNEE);
    let bent = KNEE + (over * ROOM / (over + ROOM)) as i32;
    if sum < 0 { -bent as i16 } else { bent as i16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_sums_pass_and_loud_ones_are_bent() {
        for (sum, expected) in [
            (0, 0),
            (-1, -1),
            (24_576, 24_576),
            (-24_576, -24_576),
            (24_577, 24_576),
            (32_767, 28_671),
            (65_534, 31_401),
            (250 * 32_767, 32_758),
            (i32::MAX, 32_766),
            (i32::MIN, -32_766),
        ] {
            assert_eq!(soft(sum), expected, "{sum}");
        }
    }

    #[test]
    fn more_is_never_less() {
        let bent: Vec<i16> = (0..200_000).map(soft).collect();
        assert!(bent.is_sorted());
        assert!((0..200_000).all(|sum| soft(-sum) == -soft(sum)));
    }
}
