//! G.722 at 64 kbit/s: 7 kHz of audio in two sub-bands, one byte for two samples of 16 kHz.
//!
//! The names of the blocks are those of the recommendation's figures.

mod band;
mod decoder;
mod encoder;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;

/// One half of the symmetric quadrature mirror filter (table 11), whose other half is its reverse.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// The two sums of the quadrature mirror filter over its 24 samples of history.
fn qmf(history: &[i32; 24]) -> (i32, i32) {
    let pairs = history.chunks_exact(2);
    let taps = QMF.iter().zip(QMF.iter().rev());
    pairs
        .zip(taps)
        .fold((0, 0), |(odd, even), (pair, (tap, mirrored))| {
            (odd + pair[0] * tap, even + pair[1] * mirrored)
        })
}

/// Moves two samples into the filter's history.
fn shift_in(history: &mut [i32; 24], first: i32, second: i32) {
    history.copy_within(2.., 0);
    history[22] = first;
    history[23] = second;
}

/// A value as 16 bits hold it.
fn saturate(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

#[cfg(test)]
mod tests;
