//! Any rate to one that calls have.

use crate::{Rate, to_i16};

/// The lowest rate resampled.
pub const MIN_RATE_HZ: u32 = 4_000;
/// The highest rate resampled.
pub const MAX_RATE_HZ: u32 = 192_000;

/// Zero crossings of the kernel on each side: sharpness against work.
const ZERO_CROSSINGS: f64 = 24.0;
/// The pass band ends at this share of the lower of the two Nyquist frequencies: 3.6 kHz for 8 kHz.
const CUTOFF: f64 = 0.9;
/// Kaiser window: side lobes below -80 dB.
const KAISER_BETA: f64 = 8.0;
/// Kernel phases at most. Every common rate needs fewer and is exact; an odd one takes the nearest of these.
const MAX_PHASES: u64 = 1_024;

/// Turns mono audio of one rate into another, piece by piece: a windowed-sinc low-pass in polyphase form. For files: it allocates, and
/// it looks ahead. Live audio has the [`RateConverter`](crate::RateConverter).
///
/// Linear phase, no delay: the output begins where the input begins and is as long.
#[derive(Debug, Clone)]
pub struct Resampler {
    from_hz: u64,
    to_hz: u64,
    /// Kernel per phase, `taps` long each; empty when the rates are equal.
    kernel: Vec<f32>,
    phases: u64,
    taps: usize,
    /// Input not yet needed no more; its first sample is number `first` of the padded input.
    window: Vec<f32>,
    first: u64,
    /// Samples in and out so far.
    taken: u64,
    given: u64,
}

impl Resampler {
    /// A resampler from this rate.
    ///
    /// # Panics
    /// If the rate is not between [`MIN_RATE_HZ`] and [`MAX_RATE_HZ`].
    #[must_use]
    pub fn new(from_hz: u32, to: Rate) -> Self {
        assert!(
            (MIN_RATE_HZ..=MAX_RATE_HZ).contains(&from_hz),
            "rate {from_hz} out of range"
        );
        let half = half_taps(from_hz, to.hz());
        let phases = phases(from_hz, to.hz());
        let kernel = if from_hz == to.hz() {
            Vec::new()
        } else {
            kernel(from_hz, to.hz(), phases, half)
        };
        Self {
            from_hz: from_hz.into(),
            to_hz: to.hz().into(),
            kernel,
            phases,
            taps: 2 * half,
            window: vec![0.0; half - 1],
            first: 0,
            taken: 0,
            given: 0,
        }
    }

    /// Takes samples of -1 to 1 and appends what they complete.
    pub fn push(&mut self, samples: &[f32], output: &mut Vec<i16>) {
        if self.kernel.is_empty() {
            output.extend(samples.iter().copied().map(to_i16));
            return;
        }
        self.taken += samples.len() as u64;
        self.window.extend_from_slice(samples);
        self.produce(u64::MAX, output);
    }

    /// The input is over: appends the rest.
    pub fn finish(mut self, output: &mut Vec<i16>) {
        if self.kernel.is_empty() {
            return;
        }
        self.window.resize(self.window.len() + self.taps, 0.0);
        let length = (self.taken * self.to_hz).div_ceil(self.from_hz);
        self.produce(length, output);
    }

    /// Produces every sample before `limit` whose taps are all there.
    fn produce(&mut self, limit: u64, output: &mut Vec<i16>) {
        while self.given < limit {
            let position = self.given * self.from_hz;
            let (mut whole, rest) = (position / self.to_hz, position % self.to_hz);
            let mut phase = (rest * self.phases + self.to_hz / 2) / self.to_hz;
            if phase == self.phases {
                (whole, phase) = (whole + 1, 0);
            }
            let start = (whole - self.first) as usize;
            let Some(input) = self.window.get(start..start + self.taps) else {
                break;
            };
            let kernel = &self.kernel[phase as usize * self.taps..][..self.taps];
            output.push(to_i16(
                input
                    .iter()
                    .zip(kernel)
                    .map(|(sample, tap)| sample * tap)
                    .sum(),
            ));
            self.given += 1;
        }
        let next = self.given * self.from_hz / self.to_hz;
        let spent = ((next - self.first) as usize).min(self.window.len());
        self.window.drain(..spent);
        self.first += spent as u64;
    }
}

/// Input samples on each side of an output sample that count.
pub(crate) fn half_taps(from_hz: u32, to_hz: u32) -> usize {
    let widening = f64::from(from_hz.max(to_hz)) / f64::from(to_hz);
    (ZERO_CROSSINGS * widening).ceil() as usize
}

/// Distinct positions of output samples between two input samples.
pub(crate) fn phases(from_hz: u32, to_hz: u32) -> u64 {
    let (mut divisor, mut rest) = (to_hz, from_hz % to_hz);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    u64::from(to_hz / divisor).min(MAX_PHASES)
}

/// The kernel, phase after phase: tap `t` of a phase weighs the input `t - (half - 1)` samples after the output's whole
/// position. Each phase sums to one.
pub(crate) fn kernel(from_hz: u32, to_hz: u32, phases: u64, half: usize) -> Vec<f32> {
    let cutoff = CUTOFF * (f64::from(to_hz) / f64::from(from_hz)).min(1.0);
    let mut kernel = Vec::with_capacity(phases as usize * 2 * half);
    for phase in 0..phases {
        let offset = phase as f64 / phases as f64 + (half - 1) as f64;
        let taps: Vec<f64> = (0..2 * half)
            .map(|tap| {
                let distance = tap as f64 - offset;
                sinc(distance * cutoff) * kaiser(distance / half as f64)
            })
            .collect();
        let sum: f64 = taps.iter().sum();
        kernel.extend(taps.iter().map(|tap| (tap / sum) as f32));
    }
    kernel
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// The Kaiser window at -1 to 1; zero outside.
fn kaiser(x: f64) -> f64 {
    if x.abs() > 1.0 {
        return 0.0;
    }
    bessel_i0(KAISER_BETA * (1.0 - x * x).sqrt()) / bessel_i0(KAISER_BETA)
}

/// The modified Bessel function of order zero, by its series.
fn bessel_i0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut k = 1.0;
    while term > sum * 1e-12 {
        term *= (x / (2.0 * k)).powi(2);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [u32; 13] = [
        4_000, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000,
        192_000, 11_127, // shares no factor with 8,000
    ];

    fn sine(rate_hz: u32, frequency_hz: f64) -> Vec<f32> {
        let step = std::f64::consts::TAU * frequency_hz / f64::from(rate_hz);
        (0..rate_hz)
            .map(|n| (0.5 * (f64::from(n) * step).sin()) as f32)
            .collect()
    }

    fn resample(rate_hz: u32, samples: &[f32], piece: usize) -> Vec<i16> {
        let mut resampler = Resampler::new(rate_hz, Rate::Narrow);
        let mut output = Vec::new();
        samples
            .chunks(piece)
            .for_each(|piece| resampler.push(piece, &mut output));
        resampler.finish(&mut output);
        output
    }

    /// The level of a second of output relative to the input's, in dB, away from the ends.
    fn gain_db(rate_hz: u32, frequency_hz: f64) -> f64 {
        let output = resample(rate_hz, &sine(rate_hz, frequency_hz), 1_000);
        let middle = &output[1_000..7_000];
        let power: f64 = middle.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        let reference = (0.5 * 32_768.0f64).powi(2) / 2.0;
        10.0 * (power / middle.len() as f64 / reference + 1e-12).log10()
    }

    #[test]
    fn a_second_stays_a_second() {
        for rate_hz in RATES {
            assert_eq!(
                resample(rate_hz, &sine(rate_hz, 100.0), 777).len(),
                8_000,
                "{rate_hz}"
            );
            assert_eq!(resample(rate_hz, &[], 1).len(), 0, "{rate_hz}");
            assert_eq!(
                resample(rate_hz, &[0.5], 1).len(),
                if rate_hz == 4_000 { 2 } else { 1 }
            );
        }
    }

    #[test]
    fn speech_passes() {
        for rate_hz in RATES {
            for frequency_hz in [300.0, 1_000.0, 1_500.0] {
                let gain = gain_db(rate_hz, frequency_hz);
                assert!(gain.abs() < 0.1, "{rate_hz} {frequency_hz}: {gain}");
            }
            if rate_hz > 8_000 {
                let gain = gain_db(rate_hz, 3_300.0);
                assert!(gain.abs() < 0.5, "{rate_hz}: {gain}");
            }
        }
    }

    #[test]
    fn what_8_khz_cannot_hold_does_not_alias() {
        for rate_hz in RATES.into_iter().filter(|rate_hz| *rate_hz > 8_800) {
            let nyquist_hz = f64::from(rate_hz) / 2.0;
            for frequency_hz in [4_200.0, 5_000.0, 7_000.0, 19_000.0] {
                if frequency_hz < nyquist_hz {
                    let gain = gain_db(rate_hz, frequency_hz);
                    assert!(gain < -60.0, "{rate_hz} {frequency_hz}: {gain}");
                }
            }
        }
    }

    #[test]
    fn pieces_make_no_difference_and_nothing_shifts() {
        let input = sine(44_100, 440.0);
        let whole = resample(44_100, &input, usize::MAX);
        assert_eq!(resample(44_100, &input, 1), whole);
        for n in 1_000..7_000u32 {
            let expected = 0.5 * (std::f64::consts::TAU * 440.0 * f64::from(n) / 8_000.0).sin();
            let error = f64::from(whole[n as usize]) / 32_768.0 - expected;
            assert!(error.abs() < 0.001, "{n}: {error}");
        }
    }

    #[test]
    fn eight_khz_passes_untouched_and_loud_samples_are_clipped() {
        assert_eq!(
            resample(8_000, &[0.0, 0.5, -0.5, 2.0, -2.0], 2),
            [0, 16_384, -16_384, 32_767, -32_768]
        );
    }
}
