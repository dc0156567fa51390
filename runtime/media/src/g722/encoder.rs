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

/// One direction's state.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    low: Band,
    high: Band,
    history: [i32; 24],
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            low: Band::low(),
            high: Band::high(),
            history: [0; 24],
        }
    }

    /// Codes pairs of samples at 16 kHz, a byte a pair.
    pub(crate) fn encode(&mut self, samples: &[i16], codes: &mut [u8]) {
        for (pair, code) in samples.chunks_exact(2).zip(codes) {
            *code = self.encode_pair(pair[0].into(), pair[1].into());
        }
    }

    fn encode_pair(&mut self, first: i32, second: i32) -> u8 {
        shift_in(&mut self.history, first, second);
        let (odd, even) = qmf(&self.history);
        let (low, high) = ((even + odd) >> 14, (even - odd) >> 14);
        let low_code = quantise_low(saturate(low - self.low.predicted), self.low.scale);
        self.low.take_low(usize::from(low_code >> 2));
        let high_code = quantise_high(saturate(high - self.high.predicted), self.high.scale);
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
