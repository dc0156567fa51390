//! Signals to test with, and how much of them is left.

use crate::Rate;

/// Something like a man's voice: harmonics of a pitch that wanders, formants that move, syllables, breath. Up to 3.6 kHz at 8 kHz,
/// 7 kHz at 16.
pub(crate) fn speech(rate: Rate, ms: u32) -> Vec<i16> {
    let top_hz = f64::from(rate.hz()).min(15_600.0) * 0.45;
    let mut phase = 0.0f64;
    let mut noise = 1u32;
    (0..rate.samples(ms))
        .map(|n| {
            let t = n as f64 / f64::from(rate.hz());
            let pitch_hz = 120.0 + 25.0 * (t * 2.3).sin();
            phase += std::f64::consts::TAU * pitch_hz / f64::from(rate.hz());
            let voiced: f64 = (1..)
                .map(f64::from)
                .take_while(|harmonic| harmonic * pitch_hz < top_hz)
                .map(|harmonic| formants(harmonic * pitch_hz, t) * (phase * harmonic).sin())
                .sum();
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let breath = f64::from(noise >> 16) / 65_536.0 - 0.5;
            let syllable = 0.1 + 0.9 * (t * 4.0 * std::f64::consts::PI).sin().powi(2);
            (syllable * (5_000.0 * voiced + 100.0 * breath)) as i16
        })
        .collect()
}

/// How loud a frequency of the voice is.
fn formants(frequency_hz: f64, t: f64) -> f64 {
    let bump = |centre_hz: f64, width_hz: f64| {
        (1.0 + ((frequency_hz - centre_hz) / width_hz).powi(2)).recip()
    };
    let first = 500.0 + 200.0 * (t * 5.0).sin();
    let second = 1_500.0 + 500.0 * (t * 3.0).cos();
    bump(first, 100.0) + 0.5 * bump(second, 150.0) + 0.1 * bump(2_700.0, 300.0)
}

/// A sine that rises from 200 Hz to 3.4 kHz, or 6.8 kHz at 16 kHz.
pub(crate) fn sweep(rate: Rate, ms: u32) -> Vec<i16> {
    let top_hz = f64::from(rate.hz()).min(16_000.0) * 0.425;
    let samples = rate.samples(ms);
    let mut phase = 0.0f64;
    (0..samples)
        .map(|n| {
            let frequency_hz = 200.0 + (top_hz - 200.0) * n as f64 / samples as f64;
            phase += std::f64::consts::TAU * frequency_hz / f64::from(rate.hz());
            (8_000.0 * phase.sin()) as i16
        })
        .collect()
}

/// How far above its difference from the original a copy lies, in dB, at the lag up to `max_lag` at which it lies highest. Leaves out
/// the first tenth, in which codecs begin.
pub(crate) fn snr_db(original: &[i16], copy: &[i16], max_lag: usize) -> f64 {
    let start = original.len() / 10;
    let end = original.len().min(copy.len()) - max_lag;
    (0..=max_lag)
        .map(|lag| {
            let (mut signal, mut noise) = (0.0, 0.0);
            for n in start..end {
                let original = f64::from(original[n]);
                signal += original.powi(2);
                noise += (f64::from(copy[n + lag]) - original).powi(2);
            }
            10.0 * (signal / noise.max(1e-9)).log10()
        })
        .fold(f64::MIN, f64::max)
}
