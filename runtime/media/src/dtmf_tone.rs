//! Keys as audio, to send where the other side takes no telephone events.

use std::f64::consts::TAU;

use crate::tone::frequencies_hz;
use crate::{RATE_HZ, SAMPLES_8K, to_i16};

/// Levels of the low and the high tone: -10 and -8 dBm0, the 2 dB by which lines weaken high tones (ETSI ES 201 235-2 section 4.2.3). As
/// amplitudes of a full scale of 3.17 dBm0.
const AMPLITUDES: [f64; 2] = [0.2195, 0.2764];

/// The frames of one pressed key (ITU-T Q.23), 20 ms each. Allocates nothing.
#[derive(Debug, Clone)]
pub struct DtmfTone {
    /// Turns in a sample, and so far.
    steps: [f64; 2],
    turns: [f64; 2],
    frames: u16,
}

impl DtmfTone {
    /// The key, held for so many frames, at least 2: a shorter one may not be understood. None if it is none of `0123456789*#ABCD`.
    /// Send 3 frames of silence behind it at least.
    #[must_use]
    pub fn new(key: char, frames: u16) -> Option<Self> {
        let steps = frequencies_hz(key.to_ascii_uppercase())?.map(|hz| hz / f64::from(RATE_HZ));
        Some(Self {
            steps,
            turns: [0.0; 2],
            frames: frames.max(2),
        })
    }
}

impl Iterator for DtmfTone {
    type Item = [i16; SAMPLES_8K];

    fn next(&mut self) -> Option<Self::Item> {
        self.frames = self.frames.checked_sub(1)?;
        Some(std::array::from_fn(|_| {
            let mut sum = 0.0;
            for ((turns, step), amplitude) in self.turns.iter_mut().zip(self.steps).zip(AMPLITUDES)
            {
                sum += amplitude * (TAU * *turns).sin();
                *turns = (*turns + step).fract();
            }
            to_i16(sum as f32)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DtmfDetector, Law};

    #[test]
    fn what_is_sent_is_found_once_through_either_law() {
        for law in [Law::Mu, Law::A] {
            for frames in [2, 5, 250] {
                let mut detector = DtmfDetector::new();
                let mut found = String::new();
                for key in "0123456789*#ABCDabcd".chars() {
                    let silence = std::iter::repeat_n([0; SAMPLES_8K], 3);
                    for frame in DtmfTone::new(key, frames).unwrap().chain(silence) {
                        let heard = frame.map(|sample| law.decode(law.encode(sample)));
                        found.extend(detector.hear(&heard));
                    }
                }
                assert_eq!(found, "0123456789*#ABCDABCD", "{law:?} {frames}");
            }
        }
        assert!(DtmfTone::new('E', 5).is_none());
        assert_eq!(DtmfTone::new('1', 0).unwrap().count(), 2);
    }

    #[test]
    fn levels_are_10_and_8_dbm0() {
        let samples: Vec<i16> = DtmfTone::new('5', 50).unwrap().flatten().collect();
        for (frequency_hz, expected_dbm0) in [(770.0, -10.0), (1_336.0, -8.0)] {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, sample) in samples.iter().enumerate() {
                let angle = TAU * frequency_hz * n as f64 / 8_000.0;
                re += f64::from(*sample) * angle.cos();
                im += f64::from(*sample) * angle.sin();
            }
            let amplitude = 2.0 * f64::hypot(re, im) / samples.len() as f64 / 32_768.0;
            let dbm0 = 20.0 * amplitude.log10() + 3.17;
            assert!(
                (dbm0 - expected_dbm0).abs() < 0.05,
                "{frequency_hz}: {dbm0}"
            );
        }
    }
}
