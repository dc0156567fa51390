//! Audio ready to be sent.

use crate::codec::{Encoder, MAX_FRAME_BYTES};
use crate::{Codec, Rate, Resampler};

/// A prompt in the frames of each codec it is played in: made once, shared by every call that plays it, so that a packet is a header
/// and a copy.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    /// By the codec's place in [`Codec::ALL`].
    encoded: [Option<Frames>; Codec::ALL.len()],
    frames: usize,
    samples: usize,
}

/// The payloads of one codec.
#[derive(Clone, PartialEq, Eq)]
struct Frames {
    bytes: Box<[u8]>,
    /// Where each payload ends.
    ends: Box<[u32]>,
}

impl Prompt {
    /// A prompt of these samples at 8 kHz, in G.711. The last frame is filled up with silence.
    #[must_use]
    pub fn from_pcm(samples: &[i16]) -> Self {
        Self::new(samples, Rate::Narrow, &[Codec::Pcmu, Codec::Pcma])
    }

    /// A prompt of these samples in these codecs, but for those that are not in this build. The last frame is filled up with silence.
    /// Takes its time: 1.5 ms for a second in G.722, 20 ms in Opus.
    #[must_use]
    pub fn new(samples: &[i16], rate: Rate, codecs: &[Codec]) -> Self {
        let frame = rate.frame_samples();
        let frames = samples.len().div_ceil(frame);
        let mut prompt = Self {
            encoded: [const { None }; Codec::ALL.len()],
            frames,
            samples: samples.len() * Rate::Narrow.frame_samples() / frame,
        };
        for rate_of_codec in Rate::ALL {
            let mut codecs = codecs
                .iter()
                .filter(|codec| codec.rate() == rate_of_codec)
                .peekable();
            if codecs.peek().is_some() {
                let resampled = resample(samples, rate, rate_of_codec, frames);
                for codec in codecs {
                    prompt.encoded[*codec as usize] = encode(&resampled, *codec);
                }
            }
        }
        prompt
    }

    /// A frame's payload; none after the last, or if the prompt was not made for the codec.
    #[must_use]
    pub fn frame(&self, codec: Codec, index: usize) -> Option<&[u8]> {
        let frames = self.encoded[codec as usize].as_ref()?;
        let end = *frames.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| frames.ends[before]);
        Some(&frames.bytes[start as usize..end as usize])
    }

    /// Whether it can be played in this codec.
    #[must_use]
    pub fn is_for(&self, codec: Codec) -> bool {
        self.encoded[codec as usize].is_some()
    }

    /// Frames of 20 ms.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Its length in samples at 8 kHz, without the silence at the end.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Bytes of memory it takes: what a cache counts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.encoded
            .iter()
            .flatten()
            .map(|frames| frames.bytes.len() + size_of_val(&*frames.ends))
            .sum()
    }
}

impl std::fmt::Debug for Prompt {
    /// Its length only: audio does not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("samples", &self.samples)
            .finish_non_exhaustive()
    }
}

/// The samples at another rate, filled up with silence to this many frames.
fn resample(samples: &[i16], from: Rate, to: Rate, frames: usize) -> Vec<i16> {
    let mut output = Vec::with_capacity(frames * to.frame_samples());
    if from == to {
        output.extend_from_slice(samples);
    } else {
        let mut resampler = Resampler::new(from.hz(), to);
        for piece in samples.chunks(from.hz() as usize) {
            let piece: Vec<f32> = piece
                .iter()
                .map(|sample| f32::from(*sample) / 32_768.0)
                .collect();
            resampler.push(&piece, &mut output);
        }
        resampler.finish(&mut output);
    }
    output.resize(frames * to.frame_samples(), 0);
    output
}

/// None if the codec is not in this build.
fn encode(samples: &[i16], codec: Codec) -> Option<Frames> {
    let mut encoder = Encoder::new(codec, false).ok()?;
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    let mut payload = [0; MAX_FRAME_BYTES];
    for frame in samples.chunks_exact(codec.rate().frame_samples()) {
        let length = encoder.encode(frame, &mut payload);
        bytes.extend_from_slice(&payload[..length]);
        ends.push(bytes.len() as u32);
    }
    Some(Frames {
        bytes: bytes.into(),
        ends: ends.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Law;
    use crate::codec::{Decoder, MAX_PACKET_SAMPLES};

    #[test]
    fn frames_hold_the_samples_and_the_last_is_filled_with_silence() {
        let samples: Vec<i16> = (0..400).map(|n| n * 80).collect();
        let prompt = Prompt::from_pcm(&samples);
        assert_eq!(
            (prompt.frames(), prompt.samples(), prompt.bytes()),
            (3, 400, 2 * 3 * (160 + 4))
        );
        for law in [Law::Mu, Law::A] {
            let sent: Vec<u8> = (0..3)
                .flat_map(|index| prompt.frame(law.into(), index).unwrap().to_vec())
                .collect();
            let expected: Vec<u8> = samples.iter().map(|sample| law.encode(*sample)).collect();
            assert_eq!(sent[..400], expected);
            assert_eq!(sent[400..], [law.encode(0); 80]);
            assert_eq!(prompt.frame(law.into(), 3), None);
        }
        assert!(!prompt.is_for(Codec::G722));
        assert_eq!(prompt.frame(Codec::G722, 0), None);
    }

    #[test]
    fn every_codec_has_the_same_frames_of_the_same_audio() {
        let codecs: Vec<Codec> = Codec::ALL
            .into_iter()
            .filter(|codec| codec.is_built_in())
            .collect();
        for rate in Rate::ALL {
            let step = std::f64::consts::TAU * 500.0 / f64::from(rate.hz());
            let samples: Vec<i16> = (0..rate.samples(390))
                .map(|n| (8_000.0 * (n as f64 * step).sin()) as i16)
                .collect();
            let prompt = Prompt::new(&samples, rate, &codecs);
            assert_eq!((prompt.frames(), prompt.samples()), (20, 3_120), "{rate:?}");
            for codec in &codecs {
                assert!(prompt.is_for(*codec));
                let power = heard_power(&prompt, *codec);
                assert!(
                    (5_400.0..5_900.0).contains(&power.sqrt()),
                    "{rate:?} {codec:?}: {}",
                    power.sqrt()
                );
            }
        }
    }

    /// The power of what a peer hears of the middle of a prompt.
    fn heard_power(prompt: &Prompt, codec: Codec) -> f64 {
        let mut decoder = Decoder::new(codec).unwrap();
        let mut buffer = [0; MAX_PACKET_SAMPLES];
        let mut heard = Vec::new();
        for index in 0..prompt.frames() {
            let payload = prompt.frame(codec, index).unwrap();
            let count = decoder.decode(payload, &mut buffer).unwrap();
            heard.extend_from_slice(&buffer[..count]);
        }
        let middle = &heard[heard.len() / 4..heard.len() * 3 / 4];
        let sum: f64 = middle.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        sum / middle.len() as f64
    }

    #[test]
    fn an_empty_prompt_has_no_frames() {
        let prompt = Prompt::from_pcm(&[]);
        assert_eq!((prompt.frames(), prompt.frame(Codec::Pcma, 0)), (0, None));
        assert!(prompt.is_for(Codec::Pcma));
    }
}
