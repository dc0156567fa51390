//! What a caller hears while the other side rings.

use std::sync::{Arc, OnceLock};

use crate::RATE_HZ;
use crate::tone::sum_of_sines;

/// Each frequency's share of full scale: -19 dBov, as networks play it.
const AMPLITUDE: f64 = 0.08;

/// A country's ringback tone (ITU-T E.180 and its Supplement 2), by the names that Twilio's `ringTone` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RingTone(usize);

/// Frequencies sounding together, and milliseconds of sound and silence by turns. Modulated tones go without their modulation.
type Cadence = (&'static [f64], &'static [u32]);

const LONG: Cadence = (&[425.0], &[1_000, 4_000]);
const DOUBLE: &[u32] = &[400, 200, 400, 2_000];

const TONES: [(&str, Cadence); 38] = [
    ("us", (&[440.0, 480.0], &[2_000, 4_000])),
    ("us-old", (&[420.0], &[2_000, 4_000])),
    ("at", (&[420.0], &[1_000, 5_000])),
    ("au", (&[413.0, 438.0], DOUBLE)),
    ("be", (&[425.0], &[1_000, 3_000])),
    ("bg", LONG),
    ("br", LONG),
    ("ch", LONG),
    ("cl", (&[400.0], &[1_000, 3_000])),
    ("cn", (&[450.0], &[1_000, 4_000])),
    ("cz", LONG),
    ("de", LONG),
    ("dk", LONG),
    ("ee", LONG),
    ("es", (&[425.0], &[1_500, 3_000])),
    ("fi", LONG),
    ("fr", (&[440.0], &[1_500, 3_500])),
    ("gr", LONG),
    ("hu", (&[425.0], &[1_250, 3_750])),
    ("il", (&[400.0], &[1_000, 3_000])),
    ("in", (&[400.0], DOUBLE)),
    ("it", LONG),
    ("jp", (&[400.0], &[1_000, 2_000])),
    ("lt", LONG),
    ("mx", LONG),
    ("my", (&[425.0], DOUBLE)),
    ("nl", LONG),
    ("no", LONG),
    ("nz", (&[400.0, 450.0], DOUBLE)),
    ("ph", (&[425.0, 480.0], &[1_000, 4_000])),
    ("pl", LONG),
    ("pt", (&[425.0], &[1_000, 5_000])),
    ("ru", LONG),
    ("se", (&[425.0], &[1_000, 5_000])),
    ("sg", (&[425.0], DOUBLE)),
    ("th", (&[400.0], &[1_000, 4_000])),
    ("tw", (&[440.0, 480.0], &[1_000, 2_000])),
    ("uk", (&[400.0, 450.0], DOUBLE)),
];

impl Default for RingTone {
    /// That of the United States.
    fn default() -> Self {
        Self(0)
    }
}

impl RingTone {
    /// The tone of a country: two letters in lower case, `uk` among them, or `us-old`. None where it is not known.
    #[must_use]
    pub fn of(country: &str) -> Option<Self> {
        let place = TONES.iter().position(|(name, _)| *name == country)?;
        Some(Self(place))
    }

    /// The names of all, for whoever gave another one.
    #[must_use]
    pub fn names() -> String {
        TONES.map(|(name, _)| name).join(", ")
    }

    /// One round of the cadence at 8 kHz, whole frames, to be played over and over. Made once for all who hear it.
    #[must_use]
    pub fn samples(self) -> Arc<[i16]> {
        static MADE: [OnceLock<Arc<[i16]>>; TONES.len()] = [const { OnceLock::new() }; TONES.len()];
        Arc::clone(MADE[self.0].get_or_init(|| self.make()))
    }

    fn make(self) -> Arc<[i16]> {
        let (_, (frequencies_hz, cadence)) = TONES[self.0];
        let mut samples = Vec::new();
        for (turn, ms) in cadence.iter().enumerate() {
            let count = (ms * RATE_HZ / 1_000) as usize;
            match turn % 2 {
                0 => samples.extend(sum_of_sines(frequencies_hz, AMPLITUDE, count)),
                _ => samples.resize(samples.len() + count, 0),
            }
        }
        samples.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SAMPLES_8K;

    /// Whether each 100 ms is heard.
    fn heard(tone: RingTone) -> String {
        tone.samples()
            .chunks(800)
            .map(
                |part| match part.iter().any(|sample| sample.abs() > 1_000) {
                    true => '#',
                    false => '.',
                },
            )
            .collect()
    }

    #[test]
    fn a_tone_has_its_countrys_cadence() {
        for (name, expected) in [
            (
                "us",
                "####################........................................",
            ),
            ("uk", "####..####...................."),
            ("de", "##########........................................"),
        ] {
            assert_eq!(heard(RingTone::of(name).unwrap()), expected, "{name}");
        }
        assert_eq!(RingTone::of("us"), Some(RingTone::default()));
    }

    #[test]
    fn all_have_a_name_of_their_own_and_whole_frames() {
        for (place, (name, (_, cadence))) in TONES.iter().enumerate() {
            let tone = RingTone::of(name).unwrap();
            assert_eq!(tone, RingTone(place));
            assert_eq!(cadence.len() % 2, 0, "{name}");
            assert!(tone.samples().len().is_multiple_of(SAMPLES_8K), "{name}");
        }
        for unknown in ["", "US", "xx", "gb"] {
            assert_eq!(RingTone::of(unknown), None, "{unknown}");
        }
    }
}
