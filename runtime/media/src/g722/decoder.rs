//! Bytes to 16 kHz.

use super::band::Band;
use super::{qmf, saturate, shift_in};

/// All six bits of the lower band as differences (QM6).
const LOW_6: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192,
    -10_232, -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008,
    -3_576, -3_168, -2_776, -2_400, -2_032, -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008,
    16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576, 7_856, 7_192, 6_576, 6_000,
    5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360, 1_040, 728, 432,
    136, -432, -136,
];

/// One direction's state.
#[derive(Debug, Clone)]
pub(crate) struct Decoder {
    low: Band,
    high: Band,
    history: [i32; 24],
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self {
            low: Band::low(),
            high: Band::high(),
            history: [0; 24],
        }
    }

    /// Decodes bytes, two samples at 16 kHz each.
    pub(crate) fn decode(&mut self, codes: &[u8], samples: &mut [i16]) {
        for (code, pair) in codes.iter().zip(samples.chunks_exact_mut(2)) {
            pair.copy_from_slice(&self.decode_pair(*code));
        }
    }

    fn decode_pair(&mut self, code: u8) -> [i16; 2] {
        let low_code = usize::from(code & 0x3f);
        let low = self.low.predicted + ((self.low.scale * LOW_6[low_code]) >> 15);
        let low = low.clamp(-16_384, 16_383);
        self.low.take_low(low_code >> 2);
        let predicted = self.high.predicted;
        let high = predicted + self.high.take_high(usize::from(code >> 6));
        let high = high.clamp(-16_384, 16_383);
        shift_in(&mut self.history, low + high, low - high);
        let (second, first) = qmf(&self.history);
        [first, second].map(|sum| saturate(sum >> 11) as i16)
    }
}
