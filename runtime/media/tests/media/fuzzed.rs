//! What holds for any bytes at all. The fuzz targets include this file, and the test replays their corpora through it.

use std::time::Duration;

use jackfield_media::codec::{MAX_PACKET_SAMPLES, NotBuiltIn};
use jackfield_media::{Codec, ComfortNoise, DecodeLimits, Decoder, MediaError, Rate, decode_at};

/// A file of a prompt: audio within the limits, or an error.
pub(crate) fn prompt_file(bytes: &[u8]) {
    let limits = DecodeLimits {
        max_bytes: 1 << 20,
        max_duration: Duration::from_secs(10),
    };
    match decode_at(bytes, None, limits, Rate::Narrow) {
        Ok(samples) => assert!((1..=80_001).contains(&samples.len())),
        Err(MediaError::TooManyBytes { .. }) => assert!(bytes.len() > 1 << 20),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A decoder's life: which codec, then payloads, each behind its length. Every fourth is lost.
pub(crate) fn codec_payload(bytes: &[u8]) {
    let Some((which, mut rest)) = bytes.split_first() else {
        return;
    };
    let codec = Codec::ALL[usize::from(*which) % Codec::ALL.len()];
    let mut decoder = match Decoder::new(codec) {
        Ok(decoder) => decoder,
        Err(NotBuiltIn(_)) => return,
    };
    let mut noise = ComfortNoise::new(1);
    let mut samples = [0; MAX_PACKET_SAMPLES];
    let mut count = 0;
    while let Some((length, later)) = rest.split_first() {
        let (payload, later) = later.split_at(later.len().min(usize::from(*length)));
        rest = later;
        count += 1;
        if count % 4 == 0 {
            decoder.conceal(Some(payload), &mut samples[..codec.rate().frame_samples()]);
            noise.describe(payload);
            noise.fill(&mut samples);
        } else if let Ok(decoded) = decoder.decode(payload, &mut samples) {
            assert!((1..=MAX_PACKET_SAMPLES).contains(&decoded));
        }
    }
}
