use super::{Decoder, Encoder};

/// A linear congruential sequence (Numerical Recipes).
fn random() -> impl Iterator<Item = u32> {
    let mut state = 1u32;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    })
}

/// Two seconds of noise at 16 kHz on 16 levels, from full scale down to one bit.
fn noise() -> Vec<i16> {
    random()
        .take(32_000)
        .enumerate()
        .map(|(n, word)| ((word >> 16) as u16).cast_signed() >> (n / 2_000))
        .collect()
}

fn fnv_1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn decode(codes: &[u8]) -> Vec<i16> {
    let mut samples = vec![0; 2 * codes.len()];
    Decoder::new().decode(codes, &mut samples);
    samples
}

fn encode(samples: &[i16]) -> Vec<u8> {
    let mut codes = vec![0; samples.len() / 2];
    Encoder::new().encode(samples, &mut codes);
    codes
}

/// The hashes are of what libg722 (Steve Underwood's, as translated by ezk-g722 0.1.2, with the scale factors after a reset that the
/// recommendation gives, 32 and 8) makes of the same.
#[test]
fn codes_and_samples_are_those_of_another_implementation() {
    let codes = encode(&noise());
    assert_eq!(fnv_1a(codes.iter().copied()), 0xa99b_4597_aea6_91a4);
    let heard = decode(&codes);
    let bytes = heard.iter().flat_map(|sample| sample.to_le_bytes());
    assert_eq!(fnv_1a(bytes), 0xfff7_2be7_978f_3e81);
}

#[test]
fn any_codes_are_samples() {
    let codes: Vec<u8> = random()
        .take(16_000)
        .map(|word| (word >> 24) as u8)
        .collect();
    let heard = decode(&codes);
    let bytes = heard.iter().flat_map(|sample| sample.to_le_bytes());
    assert_eq!(fnv_1a(bytes), 0x57db_14aa_b0aa_b689);
}

#[test]
fn frames_leave_no_trace() {
    let samples = noise();
    let mut encoder = Encoder::new();
    let mut codes = vec![0; samples.len() / 2];
    for (frame, codes) in samples.chunks(320).zip(codes.chunks_mut(160)) {
        encoder.encode(frame, codes);
    }
    assert_eq!(codes, encode(&samples));
}

/// Half a second of noise at this level, full scale less so many bits, then silence: how loud each of its frames is heard, and how many of them
/// the encoder worked on.
fn silence_after(bits: u32) -> (Vec<u16>, usize) {
    let mut encoder = Encoder::new();
    let mut decoder = Decoder::new();
    let (mut codes, mut heard) = ([0; 160], [0; 320]);
    let noise: Vec<i16> = random()
        .take(8_000)
        .map(|word| ((word >> 16) as u16).cast_signed() >> bits)
        .collect();
    for frame in noise.chunks_exact(320) {
        encoder.encode(frame, &mut codes);
        decoder.decode(&codes, &mut heard);
    }
    let mut worked = 0;
    let loudness = (0..100).map(|_| {
        worked += usize::from(!encoder.rests());
        encoder.encode(&[0; 320], &mut codes);
        decoder.decode(&codes, &mut heard);
        let loudest = heard.iter().map(|sample| sample.unsigned_abs()).max();
        loudest.expect("a frame has samples")
    });
    (loudness.collect(), worked)
}

#[test]
fn silence_comes_to_rest_and_is_no_work_then() {
    for bits in [0, 3, 6, 9, 12] {
        let (loudness, worked) = silence_after(bits);
        let (fading, rest) = loudness[1..].split_at(19);
        assert!(
            fading.iter().all(|loudest| *loudest < 16),
            "{bits}: {fading:?}"
        );
        assert!(rest.iter().all(|loudest| *loudest == 0), "{bits}: {rest:?}");
        assert!(worked <= 20, "{bits}: {worked}");
    }
}

#[test]
fn what_is_said_after_silence_is_heard_as_ever() {
    let sound: Vec<i16> = (0..3_200)
        .map(|n| ((f64::from(n) * 0.2).sin() * 8_000.0) as i16)
        .collect();
    let mut encoder = Encoder::new();
    let mut decoder = Decoder::new();
    let (mut codes, mut heard) = ([0; 160], [0; 320]);
    for _ in 0..100 {
        encoder.encode(&[0; 320], &mut codes);
        decoder.decode(&codes, &mut heard);
    }
    assert!(encoder.rests());
    let mut error = 0.0;
    let mut energy = 0.0;
    let mut before = [0; 320];
    for frame in sound.chunks_exact(320) {
        encoder.encode(frame, &mut codes);
        decoder.decode(&codes, &mut heard);
        // Both filters together are 22 samples late.
        for (n, heard) in heard.iter().enumerate() {
            let said = if n < 22 {
                before[n + 298]
            } else {
                frame[n - 22]
            };
            error += (f64::from(*heard) - f64::from(said)).powi(2);
            energy += f64::from(said).powi(2);
        }
        before.copy_from_slice(frame);
    }
    let snr_db = 10.0 * (energy / error).log10();
    assert!(snr_db > 20.0, "{snr_db}");
}
