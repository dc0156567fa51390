//! Louder or quieter.

use crate::saturation::soft;

/// Parts of one.
const ONE: i32 = 4_096;

/// A change of level. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gain(i32);

impl Default for Gain {
    fn default() -> Self {
        Self(ONE)
    }
}

impl Gain {
    /// Of so many decibels, at most 24 up or down.
    #[must_use]
    pub fn from_db(db: f32) -> Self {
        let factor = 10f32.powf(db.clamp(-24.0, 24.0) / 20.0);
        Self((factor * ONE as f32).round() as i32)
    }

    /// Whether it leaves everything as it is.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == ONE
    }

    /// Changes samples; what becomes too loud is bent and not clipped.
    pub fn apply(self, samples: &mut [i16]) {
        if self.is_none() {
            return;
        }
        for sample in samples {
            *sample = soft(i32::from(*sample) * self.0 / ONE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decibels_are_factors() {
        for (db, sample, expected) in [
            (0.0, i16::MIN, i16::MIN),
            (6.02, 1_000, 2_000),
            (-6.02, 1_000, 500),
            (20.0, -100, -1_000),
            (-20.0, 100, 10),
            (90.0, 100, 1_584),  // as 24
            (-90.0, 1_585, 100), // as -24
            (12.0, 20_000, 31_706),
        ] {
            let mut samples = [sample];
            Gain::from_db(db).apply(&mut samples);
            assert!((samples[0] - expected).abs() <= 1, "{db}: {samples:?}");
        }
        assert!(Gain::from_db(0.0).is_none() && Gain::default().is_none());
        assert!(!Gain::from_db(0.1).is_none());
    }
}
