//! Live audio from one rate to another.

use std::sync::OnceLock;

use crate::resample::{half_taps, kernel, phases};
use crate::{Rate, to_i16};

/// Turns live audio of one rate into another, frame by frame, its state kept between them. Allocates nothing once made.
///
/// What comes out lags 3 ms behind, 1.5 ms where neither rate is 8 kHz; not at all where both are the same.
#[derive(Debug, Clone)]
pub struct RateConverter {
    /// Output samples for `shrink` input samples, without a common factor.
    grow: usize,
    shrink: usize,
    /// `grow` phases, `taps` long each; empty when the rates are equal.
    kernel: &'static [f32],
    taps: usize,
    /// The last `taps` samples, written twice, so that they always lie in one piece.
    window: Box<[f32]>,
    /// Where in the first half of the window the oldest sample is.
    oldest: usize,
    /// How far the next output sample lies behind the newest input sample, in parts of `grow` to an input sample.
    ahead: usize,
}

impl RateConverter {
    /// A converter that has heard silence.
    #[must_use]
    pub fn new(from: Rate, to: Rate) -> Self {
        let taps = 2 * half_taps(from.hz(), to.hz());
        Self {
            grow: phases(from.hz(), to.hz()) as usize,
            shrink: phases(to.hz(), from.hz()) as usize,
            kernel: if from == to {
                &[]
            } else {
                shared_kernel(from, to)
            },
            taps,
            window: vec![0.0; 2 * taps].into(),
            oldest: 0,
            ahead: 0,
        }
    }

    /// Turns a frame into one of the other rate that lasts as long.
    ///
    /// # Panics
    /// If the two do not last equally long.
    pub fn convert(&mut self, input: &[i16], output: &mut [i16]) {
        assert_eq!(
            input.len() * self.grow,
            output.len() * self.shrink,
            "frames that last equally long"
        );
        if self.kernel.is_empty() {
            output.copy_from_slice(input);
            return;
        }
        let mut output = output.iter_mut();
        for sample in input {
            self.push(*sample);
            while self.ahead < self.grow {
                let place = output.next().expect("the lengths fit");
                *place = self.at(self.ahead);
                self.ahead += self.shrink;
            }
            self.ahead -= self.grow;
        }
    }

    fn push(&mut self, sample: i16) {
        let sample = f32::from(sample) / 32_768.0;
        self.window[self.oldest] = sample;
        self.window[self.oldest + self.taps] = sample;
        self.oldest = (self.oldest + 1) % self.taps;
    }

    fn at(&self, phase: usize) -> i16 {
        let window = &self.window[self.oldest..][..self.taps];
        to_i16(dot(window, &self.kernel[phase * self.taps..][..self.taps]))
    }
}

/// The sum of products, in eight sums side by side, as the processor likes it. Every kernel is a multiple of eight long.
fn dot(samples: &[f32], taps: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for (samples, taps) in samples.chunks_exact(8).zip(taps.chunks_exact(8)) {
        for (sum, (sample, tap)) in sums.iter_mut().zip(samples.iter().zip(taps)) {
            *sum += sample * tap;
        }
    }
    sums.iter().sum()
}

/// A kernel, made once for all converters between these rates.
fn shared_kernel(from: Rate, to: Rate) -> &'static [f32] {
    static KERNELS: [[OnceLock<Vec<f32>>; Rate::ALL.len()]; Rate::ALL.len()] =
        [const { [const { OnceLock::new() }; Rate::ALL.len()] }; Rate::ALL.len()];
    KERNELS[from as usize][to as usize].get_or_init(|| {
        let (from_hz, to_hz) = (from.hz(), to.hz());
        kernel(
            from_hz,
            to_hz,
            phases(from_hz, to_hz),
            half_taps(from_hz, to_hz),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second of a sine at this rate.
    fn sine(rate: Rate, frequency_hz: f64) -> Vec<i16> {
        let step = std::f64::consts::TAU * frequency_hz / f64::from(rate.hz());
        (0..rate.hz() / 2)
            .map(|n| (10_000.0 * (f64::from(n) * step).sin()) as i16)
            .collect()
    }

    fn convert(from: Rate, to: Rate, input: &[i16], frame_ms: u32) -> Vec<i16> {
        let mut converter = RateConverter::new(from, to);
        let mut output = Vec::new();
        for frame in input.chunks(from.samples(frame_ms)) {
            let mut converted = vec![0; frame.len() / from.samples(1) * to.samples(1)];
            converter.convert(frame, &mut converted);
            output.extend(converted);
        }
        output
    }

    /// Lag of the output in microseconds.
    fn lag_us(from: Rate, to: Rate) -> u64 {
        match (from, to) {
            _ if from == to => 0,
            (Rate::Narrow, _) | (_, Rate::Narrow) => 3_000,
            _ => 1_500,
        }
    }

    fn pairs() -> impl Iterator<Item = (Rate, Rate)> {
        Rate::ALL
            .into_iter()
            .flat_map(|from| Rate::ALL.map(|to| (from, to)))
    }

    #[test]
    fn what_both_rates_hold_comes_out_the_same_and_late_by_the_lag() {
        for (from, to) in pairs() {
            for frequency_hz in [200.0, 1_000.0, 3_000.0] {
                let output = convert(from, to, &sine(from, frequency_hz), 20);
                assert_eq!(output.len(), to.hz() as usize / 2);
                let expected = sine(to, frequency_hz);
                let lag = (lag_us(from, to) * u64::from(to.hz()) / 1_000_000) as usize;
                for n in to.samples(10)..output.len() - lag {
                    let difference = i32::from(output[n + lag]) - i32::from(expected[n]);
                    assert!(
                        difference.abs() <= 12,
                        "{from:?} {to:?} {frequency_hz} {n}: {difference}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        for (from, to, frequency_hz) in [
            (Rate::Wide, Rate::Narrow, 4_500.0),
            (Rate::Full, Rate::Narrow, 7_000.0),
            (Rate::Full, Rate::Wide, 9_000.0),
        ] {
            let output = convert(from, to, &sine(from, frequency_hz), 20);
            let loudest = output[to.samples(10)..]
                .iter()
                .map(|sample| sample.abs())
                .max();
            assert!(loudest < Some(10), "{from:?} {to:?}: {loudest:?}");
        }
    }

    #[test]
    fn frames_leave_no_trace() {
        for (from, to) in pairs() {
            let input = sine(from, 440.0);
            let whole = convert(from, to, &input, 500);
            for frame_ms in [1, 10, 20] {
                assert_eq!(
                    convert(from, to, &input, frame_ms),
                    whole,
                    "{from:?} {to:?}"
                );
            }
        }
    }

    #[test]
    fn loud_samples_are_clipped() {
        let square: Vec<i16> = (0..800)
            .map(|n| if n / 10 % 2 == 0 { i16::MAX } else { i16::MIN })
            .collect();
        let output = convert(Rate::Narrow, Rate::Wide, &square, 20);
        assert!(output.contains(&i16::MAX) && output.contains(&i16::MIN));
    }

    #[test]
    fn converting_allocates_nothing() {
        for (from, to) in pairs() {
            let mut converter = RateConverter::new(from, to);
            let (input, mut output) = (vec![1_000; from.samples(20)], vec![0; to.samples(20)]);
            let allocations =
                allocation_counter::measure(|| converter.convert(&input, &mut output));
            assert_eq!(allocations.count_total, 0, "{from:?} {to:?}");
        }
    }
}
