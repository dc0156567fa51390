//! 16 kHz to bytes.

use super::band::Band;
use super::{qmf, saturate, shift_in};

/// Decision levels of the lower band's quantiser (Q6, table 13).
const LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1_023,
    1_121, 1_219, 1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
];
/// The upper band's one decision level (block 1H).
const HIGH_LEVEL: i32 = 564;

/// No difference in either band: a decoder that hears nothing else comes to rest at zero. Zeros coded as usual would keep both sides
/// humming at the last bits for ever, and at work.
const SILENCE: u8 = HIGH_SILENCE << 6 | LOW_SILENCE;
const HIGH_SILENCE: u8 = 3;
const LOW_SILENCE: u8 = 61;

/// One direction's state.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    low: Band,
    high: Band,
    history: [i32; 24],
    silence: Silence,
}

/// What is coded, as whole calls of [`Encoder::encode`] have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    Not,
    /// The last call was silent. The sound before it has been coded to its end.
    Begun,
    /// More of it changes no state.
    Rest,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            low: Band::low(),
            high: Band::high(),
            history: [0; 24],
            silence: Silence::Not,
        }
    }

    /// Codes pairs of samples at 16 kHz, a byte a pair. The second frame of nothing but zeros, and what follows it, is coded as silence:
    /// a decoder fades to zero, and after some frames this one has nothing left to do.
    pub(crate) fn encode(&mut self, samples: &[i16], codes: &mut [u8]) {
        let is_silent = samples.len() >= self.history.len() && samples.iter().all(|&n| n == 0);
        match self.silence {
            _ if !is_silent => {
                self.silence = Silence::Not;
                self.encode_sound(samples, codes);
            }
            Silence::Not => {
                self.silence = Silence::Begun;
                self.encode_sound(samples, codes);
            }
            Silence::Begun => self.encode_silence(&mut codes[..samples.len() / 2]),
            Silence::Rest => codes[..samples.len() / 2].fill(SILENCE),
        }
    }

    /// Codes silence, and notes when the bands do not change by it any more.
    fn encode_silence(&mut self, codes: &mut [u8]) {
        let before = (self.low.clone(), self.high.clone());
        for code in codes.iter_mut() {
            // What is predicted fades by itself from above zero; from below it would stay short of it, as the predictor rounds down.
            *code = match (self.low.predicted, self.high.predicted) {
                (0.., 0..) => self.take(LOW_SILENCE, HIGH_SILENCE),
                _ => self.encode_bands(0, 0),
            };
        }
        let is_unchanged = (&self.low, &self.high) == (&before.0, &before.1);
        if is_unchanged && codes.iter().all(|code| *code == SILENCE) {
            self.silence = Silence::Rest;
        }
    }

    fn encode_sound(&mut self, samples: &[i16], codes: &mut [u8]) {
        for (pair, code) in samples.chunks_exact(2).zip(codes) {
            *code = self.encode_pair(pair[0].into(), pair[1].into());
        }
    }

    /// Whether more silence is no work.
    #[cfg(test)]
    pub(super) fn rests(&self) -> bool {
        self.silence == Silence::Rest
    }

    fn encode_pair(&mut self, first: i32, second: i32) -> u8 {
        shift_in(&mut self.history, first, second);
        let (odd, even) = qmf(&self.history);
        self.encode_bands((even + odd) >> 14, (even - odd) >> 14)
    }

    fn encode_bands(&mut self, low: i32, high: i32) -> u8 {
        let low_code = quantise_low(saturate(low - self.low.predicted), self.low.scale);
        let high_code = quantise_high(saturate(high - self.high.predicted), self.high.scale);
        self.take(low_code, high_code)
    }

    /// Follows the decoder, and puts both bands' codes into one.
    fn take(&mut self, low_code: u8, high_code: u8) -> u8 {
        self.low.take_low(usize::from(low_code >> 2));
        self.high.take_high(high_code.into());
        high_code << 6 | low_code
    }
}

/// QUANTL: six bits (table 14). Codes 0 to 3 are never made.
fn quantise_low(error: i32, scale: i32) -> u8 {
    let magnitude = if error < 0 { -(error + 1) } else { error };
    let index = LEVELS
        .iter()
        .position(|level| magnitude < (level * scale) >> 12)
        .unwrap_or(LEVELS.len()) as u8;
    match (error < 0, index) {
        (true, 0) => 63,
        (true, 1) => 62,
        (true, _) => 33 - index,
        (false, _) => 61 - index,
    }
}

/// QUANTH: two bits (table 16).
fn quantise_high(error: i32, scale: i32) -> u8 {
    let magnitude = if error < 0 { -(error + 1) } else { error };
    let is_large = magnitude >= (HIGH_LEVEL * scale) >> 12;
    match (error < 0, is_large) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    }
}
