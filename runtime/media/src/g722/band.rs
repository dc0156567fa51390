//! One sub-band: the scale of its quantiser and its predictor.

use super::saturate;

/// The mantissas of the scale factors (table 15).
const SCALES: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656,
    2_714, 2_774, 2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520,
    3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
];

/// The four bits of the lower band that the predictor sees, as differences (QM4).
const LOW_4: [i32; 16] = [
    0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288,
    4_240, 2_584, 1_200, 0,
];
/// How the lower band's scale moves with them (WL by RL4).
const LOW_STEPS: [i32; 16] = [
    -60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60,
];
/// The upper band's two bits as differences (QM2).
const HIGH_2: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];
/// How the upper band's scale moves with them (WH by RH2).
const HIGH_STEPS: [i32; 4] = [798, -214, 798, -214];

/// A sub-band's state, the same in encoder and decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Band {
    /// The logarithm of the scale (NB), its bound, and what makes a scale of it.
    log_scale: i32,
    max_log_scale: i32,
    exponent: i32,
    /// The scale (DET).
    pub(super) scale: i32,
    /// The prediction of the next sample (S), and the zeros' part of it (SZ).
    pub(super) predicted: i32,
    predicted_by_zeros: i32,
    /// The poles: coefficients, the last two reconstructed samples, the last two partial ones.
    poles: [i32; 2],
    reconstructed: [i32; 2],
    partial: [i32; 2],
    /// The zeros: coefficients and the last six differences.
    zeros: [i32; 6],
    differences: [i32; 6],
}

impl Band {
    /// The lower band after a reset.
    pub(super) fn low() -> Self {
        Self::new(18_432, 8, 32)
    }

    /// The upper band after a reset.
    pub(super) fn high() -> Self {
        Self::new(22_528, 10, 8)
    }

    fn new(max_log_scale: i32, exponent: i32, scale: i32) -> Self {
        Self {
            log_scale: 0,
            max_log_scale,
            exponent,
            scale,
            predicted: 0,
            predicted_by_zeros: 0,
            poles: [0; 2],
            reconstructed: [0; 2],
            partial: [0; 2],
            zeros: [0; 6],
            differences: [0; 6],
        }
    }

    /// Takes the upper four of the lower band's six bits (blocks 2L to 4L).
    pub(super) fn take_low(&mut self, code: usize) {
        let difference = (self.scale * LOW_4[code]) >> 15;
        self.rescale(LOW_STEPS[code]);
        self.adapt(difference);
    }

    /// Takes the upper band's two bits (blocks 2H to 4H); the difference they stand for.
    pub(super) fn take_high(&mut self, code: usize) -> i32 {
        let difference = (self.scale * HIGH_2[code]) >> 15;
        self.rescale(HIGH_STEPS[code]);
        self.adapt(difference);
        difference
    }

    /// LOGSCL and SCALEL, LOGSCH and SCALEH.
    fn rescale(&mut self, step: i32) {
        let leaked = (self.log_scale * 127) >> 7;
        self.log_scale = (leaked + step).clamp(0, self.max_log_scale);
        let mantissa = SCALES[(self.log_scale >> 6 & 31) as usize];
        let shift = self.exponent - (self.log_scale >> 11);
        let scale = if shift < 0 {
            mantissa << -shift
        } else {
            mantissa >> shift
        };
        self.scale = scale << 2;
    }

    /// Block 4: adapts both parts of the predictor and predicts the next sample.
    fn adapt(&mut self, difference: i32) {
        let reconstructed = saturate(self.predicted + difference);
        let partial = saturate(self.predicted_by_zeros + difference);
        self.adapt_poles(partial);
        self.adapt_zeros(difference);
        self.partial = [partial, self.partial[0]];
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
        self.predict();
    }

    /// UPPOL2 and UPPOL1.
    fn adapt_poles(&mut self, partial: i32) {
        let [before, earlier] = self.partial.map(|old| same_sign(old, partial));
        let quadrupled = saturate(self.poles[0] << 2);
        let push = if before { -quadrupled } else { quadrupled }.min(32_767);
        let second =
            (push >> 7) + if earlier { 128 } else { -128 } + ((self.poles[1] * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        let first = saturate(if before { 192 } else { -192 } + ((self.poles[0] * 32_640) >> 15));
        let bound = 15_360 - second;
        self.poles = [first.clamp(-bound, bound), second];
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, old) in self.zeros.iter_mut().zip(self.differences) {
            let towards = if same_sign(old, difference) {
                step
            } else {
                -step
            };
            *zero = saturate(towards + ((*zero * 32_640) >> 15));
        }
    }

    /// FILTEP, FILTEZ and PREDIC.
    fn predict(&mut self) {
        let weigh = |(coefficient, value): (&i32, &i32)| (coefficient * saturate(2 * value)) >> 15;
        let by_poles: i32 = self.poles.iter().zip(&self.reconstructed).map(weigh).sum();
        let by_zeros: i32 = self.zeros.iter().zip(&self.differences).map(weigh).sum();
        self.predicted_by_zeros = saturate(by_zeros);
        self.predicted = saturate(saturate(by_poles) + self.predicted_by_zeros);
    }
}

fn same_sign(a: i32, b: i32) -> bool {
    (a < 0) == (b < 0)
}
