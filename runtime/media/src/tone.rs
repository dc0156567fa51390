//! Tones.

use crate::{RATE_HZ, to_i16};

/// The two frequencies of each key (ITU-T Q.23): rows by low, columns by high.
const KEYS: [&[u8; 4]; 4] = [b"123A", b"456B", b"789C", b"*0#D"];
pub(crate) const LOW_HZ: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
pub(crate) const HIGH_HZ: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

/// A sine of `samples` samples at 8 kHz. `amplitude` is 0 to 1, full scale.
#[must_use]
pub fn sine(frequency_hz: f64, amplitude: f64, samples: usize) -> Vec<i16> {
    sum_of_sines(&[frequency_hz], amplitude, samples)
}

/// The two tones of a key, each at `amplitude` (0 to 0.5 does not clip); none if it is no key.
#[must_use]
pub fn dtmf(key: char, amplitude: f64, samples: usize) -> Option<Vec<i16>> {
    Some(sum_of_sines(&frequencies_hz(key)?, amplitude, samples))
}

/// The low and the high frequency of a key; none if it is no key.
pub(crate) fn frequencies_hz(key: char) -> Option<[f64; 2]> {
    let key = u8::try_from(key).ok()?;
    let (row, column) = KEYS
        .iter()
        .enumerate()
        .find_map(|(row, keys)| Some((row, keys.iter().position(|known| *known == key)?)))?;
    Some([LOW_HZ[row], HIGH_HZ[column]])
}

/// The key of a row and column, given as 4 · row + column.
pub(crate) fn key_at(place: usize) -> char {
    char::from(KEYS[place / 4 % 4][place % 4])
}

/// Writes the part of a sine that begins at sample `from` of `samples`, at any rate. Its first and last 5 ms swell and
/// fade, so that it begins and ends without a click. Beyond its end there is silence.
pub(crate) fn ramped_sine(
    frequency_hz: f64,
    amplitude: f64,
    rate_hz: u32,
    from: usize,
    samples: usize,
    part: &mut [i16],
) {
    let ramp = f64::from(rate_hz) / 200.0;
    for (n, sample) in (from..).zip(part) {
        let to_edge = n.min(samples.saturating_sub(n)) as f64;
        let level = amplitude * (to_edge / ramp).min(1.0);
        let turns = frequency_hz * n as f64 / f64::from(rate_hz);
        *sample = to_i16((level * (std::f64::consts::TAU * turns).sin()) as f32);
    }
}

pub(crate) fn sum_of_sines(frequencies_hz: &[f64], amplitude: f64, samples: usize) -> Vec<i16> {
    (0..samples)
        .map(|n| {
            let turns = n as f64 / f64::from(RATE_HZ);
            let sum: f64 = frequencies_hz
                .iter()
                .map(|frequency_hz| (std::f64::consts::TAU * frequency_hz * turns).sin())
                .sum();
            to_i16((amplitude * sum) as f32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The amplitude of one frequency, by correlation over whole periods.
    fn amplitude_at(samples: &[i16], frequency_hz: f64) -> f64 {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let angle = std::f64::consts::TAU * frequency_hz * n as f64 / f64::from(RATE_HZ);
            real += f64::from(*sample) * angle.cos();
            imaginary += f64::from(*sample) * angle.sin();
        }
        2.0 * f64::hypot(real, imaginary) / samples.len() as f64 / 32_768.0
    }

    #[test]
    fn a_key_is_its_two_frequencies() {
        for (key, low_hz, high_hz) in [
            ('1', 697.0, 1_209.0),
            ('5', 770.0, 1_336.0),
            ('#', 941.0, 1_477.0),
            ('D', 941.0, 1_633.0),
        ] {
            let samples = dtmf(key, 0.25, 8_000).unwrap();
            for frequency_hz in LOW_HZ.into_iter().chain(HIGH_HZ) {
                let expected = if [low_hz, high_hz].contains(&frequency_hz) {
                    0.25
                } else {
                    0.0
                };
                let amplitude = amplitude_at(&samples, frequency_hz);
                assert!(
                    (amplitude - expected).abs() < 0.001,
                    "{key} {frequency_hz}: {amplitude}"
                );
            }
        }
        assert_eq!(dtmf('E', 0.25, 8), None);
        assert_eq!(dtmf('é', 0.25, 8), None);
    }

    #[test]
    fn a_sine_has_its_amplitude_and_length() {
        let samples = sine(1_000.0, 0.5, 8_000);
        assert_eq!((samples.len(), samples[0], samples[2]), (8_000, 0, 16_384));
        assert!((amplitude_at(&samples, 1_000.0) - 0.5).abs() < 0.001);
    }
}
