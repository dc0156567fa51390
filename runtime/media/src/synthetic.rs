//! Sounds for tests, from seeds: the noise of a line, and what has the rhythm and the spectrum of speech.

use std::f64::consts::TAU;

use crate::{Law, RATE_HZ, to_i16};

/// Numbers by chance, the same for the same seed (`SplitMix64`).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From `low` up to `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// White noise of this level.
pub(crate) fn noise(chance: &mut Chance, level_dbov: f64, samples: usize) -> Vec<i16> {
    let amplitude = 3.0f64.sqrt() * 10f64.powf(level_dbov / 20.0);
    (0..samples)
        .map(|_| to_i16(chance.between(-amplitude, amplitude) as f32))
        .collect()
}

/// Syllables with a gliding pitch, harmonics and hiss, gaps between them as in speech; on the average of this level.
pub(crate) fn speech(chance: &mut Chance, level_dbov: f64, samples: usize) -> Vec<i16> {
    let mut wave = Vec::with_capacity(samples);
    while wave.len() < samples {
        syllable(chance, &mut wave);
        let gap_ms = if chance.between(0.0, 1.0) < 0.25 {
            chance.between(120.0, 300.0) // between words
        } else {
            chance.between(10.0, 60.0)
        };
        wave.resize(wave.len() + (gap_ms * 8.0) as usize, 0.0);
    }
    wave.truncate(samples);
    let power = wave.iter().map(|sample| sample * sample).sum::<f64>() / samples as f64;
    let gain = 10f64.powf(level_dbov / 20.0) / power.sqrt();
    wave.iter()
        .map(|sample| to_i16((sample * gain) as f32))
        .collect()
}

fn syllable(chance: &mut Chance, wave: &mut Vec<f64>) {
    let length = (chance.between(120.0, 300.0) * 8.0) as usize;
    let pitch_hz = chance.between(90.0, 230.0);
    let glide = chance.between(-0.2, 0.2);
    let formants_hz = [chance.between(300.0, 800.0), chance.between(900.0, 2_400.0)];
    let hiss = chance.between(0.0, 0.3);
    let weights: [f64; 15] = std::array::from_fn(|harmonic| {
        let frequency_hz = pitch_hz * (harmonic + 1) as f64;
        formants_hz
            .iter()
            .map(|formant_hz| 1.0 / (1.0 + ((frequency_hz - formant_hz) / 120.0).powi(2)))
            .sum()
    });
    let mut phase = 0.0;
    for n in 0..length {
        let at = n as f64 / length as f64;
        phase += TAU * pitch_hz * (1.0 + glide * at) / f64::from(RATE_HZ);
        let voiced: f64 = (1..)
            .zip(weights)
            .map(|(harmonic, weight)| weight * (phase * f64::from(harmonic)).sin())
            .sum();
        let envelope = (std::f64::consts::PI * at).sin().powf(0.5);
        wave.push(envelope * (voiced + chance.between(-hiss, hiss)));
    }
}

/// What a µ-law line makes of it.
pub(crate) fn over_the_line(samples: &[i16]) -> Vec<i16> {
    samples
        .iter()
        .map(|sample| Law::Mu.decode(Law::Mu.encode(*sample)))
        .collect()
}
