//! Audio ready to be sent.

mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::{Codec, Rate};

pub use writer::PromptWriter;

/// Frames that are made ready together: a second.
const BLOCK_FRAMES: usize = 50;

/// A prompt in the frames of each codec it is played in: made once, shared by every call that plays it, so that a packet is a header
/// and a copy. It may be played while a [`PromptWriter`] still makes the rest; reading it never waits.
pub struct Prompt {
    /// By the codec's place in [`Codec::ALL`].
    codecs: [bool; Codec::ALL.len()],
    /// A second each, but for the last.
    blocks: boxcar::Vec<Block>,
    /// Frames of all blocks.
    frames: AtomicUsize,
    samples: AtomicUsize,
    /// A [`State`].
    state: AtomicU8,
}

/// How far a prompt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum State {
    Growing,
    Whole,
    Cut,
}

/// Frames of the same audio, by the codec's place in [`Codec::ALL`].
type Block = [Option<Frames>; Codec::ALL.len()];

/// The payloads of one codec.
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
        let mut writer = PromptWriter::new(rate, codecs);
        writer.push(samples);
        Arc::into_inner(writer.finish()).expect("its writer alone had it")
    }

    /// A frame's payload; none if it is not ready, or there is none, or the prompt was not made for the codec.
    #[must_use]
    pub fn frame(&self, codec: Codec, index: usize) -> Option<&[u8]> {
        let block = self.blocks.get(index / BLOCK_FRAMES)?;
        block[codec as usize].as_ref()?.get(index % BLOCK_FRAMES)
    }

    /// Whether it can be played in this codec.
    #[must_use]
    pub fn is_for(&self, codec: Codec) -> bool {
        self.codecs[codec as usize]
    }

    /// Frames of 20 ms that are ready.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames.load(Ordering::Acquire)
    }

    /// Whether there is a frame with this index, or there may be one yet.
    #[must_use]
    pub fn goes_on_at(&self, index: usize) -> bool {
        // In this order: once it does not grow, its frames are all there.
        self.is_growing() || index < self.frames()
    }

    /// More of it may become ready.
    #[must_use]
    pub fn is_growing(&self) -> bool {
        self.state.load(Ordering::Acquire) == State::Growing as u8
    }

    /// It ended before its time: what its writer had was broken off.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.state.load(Ordering::Acquire) == State::Cut as u8
    }

    /// Its length as far as it is ready, in samples at 8 kHz, without the silence at the end.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples.load(Ordering::Relaxed)
    }
}

impl Frames {
    fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start as usize..end as usize])
    }
}

impl std::fmt::Debug for Prompt {
    /// Its length only: audio does not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("samples", &self.samples())
            .finish_non_exhaustive()
    }
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
        assert_eq!((prompt.frames(), prompt.samples()), (3, 400));
        assert!(prompt.goes_on_at(2) && !prompt.goes_on_at(3));
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
