//! Making a prompt, piece by piece.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::{BLOCK_FRAMES, Block, Frames, Prompt, State};
use crate::codec::{Encoder, MAX_FRAME_BYTES};
use crate::{Codec, Rate, Resampler};

/// Makes a prompt of audio as it comes in. What is ready can be played at once; dropping the writer cuts the prompt off there.
#[derive(Debug)]
pub struct PromptWriter {
    prompt: Arc<Prompt>,
    rate: Rate,
    /// Samples taken, at `rate`.
    taken: usize,
    tracks: Vec<Track>,
}

/// The audio at one rate, on its way into the codecs of that rate.
#[derive(Debug)]
struct Track {
    rate: Rate,
    /// None where the audio has this rate already.
    resampler: Option<Resampler>,
    samples: Vec<i16>,
    encoders: Vec<Encoder>,
}

impl PromptWriter {
    /// A writer of audio of this rate in these codecs, but for those that are not in this build. Who hears it may lose packets: Opus is
    /// redundant.
    #[must_use]
    pub fn new(rate: Rate, codecs: &[Codec]) -> Self {
        let encoders = |of: Rate| -> Vec<Encoder> {
            let codecs = codecs.iter().filter(|codec| codec.rate() == of);
            codecs
                .filter_map(|codec| Encoder::prepared(*codec).ok())
                .collect()
        };
        let tracks: Vec<Track> = Rate::ALL
            .into_iter()
            .map(|to| Track {
                rate: to,
                resampler: (to != rate).then(|| Resampler::new(rate.hz(), to)),
                samples: Vec::new(),
                encoders: encoders(to),
            })
            .filter(|track| !track.encoders.is_empty())
            .collect();
        let mut is_for = [false; Codec::ALL.len()];
        for encoder in tracks.iter().flat_map(|track| &track.encoders) {
            is_for[encoder.codec() as usize] = true;
        }
        Self {
            prompt: Arc::new(Prompt {
                codecs: is_for,
                blocks: boxcar::Vec::new(),
                frames: AtomicUsize::new(0),
                samples: AtomicUsize::new(0),
                state: AtomicU8::new(State::Growing as u8),
            }),
            rate,
            taken: 0,
            tracks,
        }
    }

    /// What is made.
    #[must_use]
    pub fn prompt(&self) -> &Arc<Prompt> {
        &self.prompt
    }

    /// Takes more of the audio. A second becomes ready at a time.
    pub fn push(&mut self, samples: &[i16]) {
        self.taken += samples.len();
        for piece in samples.chunks(self.rate.samples(1_000)) {
            for track in &mut self.tracks {
                track.take(piece);
            }
            while self.waiting_frames() >= BLOCK_FRAMES {
                self.publish(BLOCK_FRAMES);
            }
        }
    }

    /// The audio has come to its end. The last frame is filled up with silence.
    #[must_use]
    pub fn finish(mut self) -> Arc<Prompt> {
        let frames = self.taken.div_ceil(self.rate.frame_samples());
        let mut left = frames - self.prompt.frames();
        for track in &mut self.tracks {
            track.finish(left);
        }
        while left > 0 {
            let block = left.min(BLOCK_FRAMES);
            self.publish(block);
            left -= block;
        }
        self.prompt
            .state
            .store(State::Whole as u8, Ordering::Release);
        Arc::clone(&self.prompt)
    }

    /// Frames that every track has.
    fn waiting_frames(&self) -> usize {
        self.tracks.iter().map(Track::frames).min().unwrap_or(0)
    }

    /// Encodes the next frames and makes them ready.
    fn publish(&mut self, frames: usize) {
        let mut block: Block = [const { None }; Codec::ALL.len()];
        for track in &mut self.tracks {
            track.encode(frames, &mut block);
        }
        self.prompt.blocks.push(block);
        let ready = self.prompt.frames.load(Ordering::Relaxed) + frames;
        let narrow = Rate::Narrow.frame_samples();
        let samples = (self.taken * narrow / self.rate.frame_samples()).min(ready * narrow);
        self.prompt.samples.store(samples, Ordering::Relaxed);
        self.prompt.frames.store(ready, Ordering::Release);
    }
}

impl Drop for PromptWriter {
    fn drop(&mut self) {
        let state = &self.prompt.state;
        // It stays whole if it is.
        let _ = state.compare_exchange(
            State::Growing as u8,
            State::Cut as u8,
            Ordering::Release,
            Ordering::Relaxed,
        );
    }
}

impl Track {
    fn take(&mut self, samples: &[i16]) {
        let Some(resampler) = &mut self.resampler else {
            self.samples.extend_from_slice(samples);
            return;
        };
        let samples: Vec<f32> = samples
            .iter()
            .map(|sample| f32::from(*sample) / 32_768.0)
            .collect();
        resampler.push(&samples, &mut self.samples);
    }

    /// Whole frames that wait to be encoded.
    fn frames(&self) -> usize {
        self.samples.len() / self.rate.frame_samples()
    }

    /// Takes what the resampler still holds, and makes it so many frames.
    fn finish(&mut self, frames: usize) {
        if let Some(resampler) = self.resampler.take() {
            resampler.finish(&mut self.samples);
        }
        self.samples.resize(frames * self.rate.frame_samples(), 0);
    }

    fn encode(&mut self, frames: usize, block: &mut Block) {
        let length = frames * self.rate.frame_samples();
        for encoder in &mut self.encoders {
            let codec = encoder.codec();
            block[codec as usize] = Some(encode(&self.samples[..length], encoder));
        }
        self.samples.drain(..length);
    }
}

fn encode(samples: &[i16], encoder: &mut Encoder) -> Frames {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    let mut payload = [0; MAX_FRAME_BYTES];
    for frame in samples.chunks_exact(encoder.codec().rate().frame_samples()) {
        let length = encoder.encode(frame, &mut payload);
        bytes.extend_from_slice(&payload[..length]);
        ends.push(bytes.len() as u32);
    }
    Frames {
        bytes: bytes.into(),
        ends: ends.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ready_is_played_while_the_rest_is_made() {
        let codecs = [Codec::Pcmu, Codec::G722];
        let audio: Vec<i16> = (0..16_000 * 5 / 2).map(|n| (n % 200 * 90) as i16).collect();
        let whole = Prompt::new(&audio, Rate::Wide, &codecs);
        assert_eq!((whole.frames(), whole.samples()), (125, 20_000));
        assert!(!whole.is_growing() && !whole.is_cut());
        let mut writer = PromptWriter::new(Rate::Wide, &codecs);
        let prompt = Arc::clone(writer.prompt());
        let mut ready = Vec::new();
        for piece in audio.chunks(4_000) {
            writer.push(piece);
            ready.push(prompt.frames());
            assert!(prompt.is_growing() && prompt.goes_on_at(500));
            assert_eq!(prompt.frame(Codec::Pcmu, prompt.frames()), None);
        }
        // The way down to 8 kHz looks ahead a little: a second is ready a piece later.
        assert_eq!(ready, [0, 0, 0, 0, 50, 50, 50, 50, 100, 100]);
        assert!(Arc::ptr_eq(&writer.finish(), &prompt));
        assert!(!prompt.is_growing() && !prompt.is_cut());
        assert!(prompt.goes_on_at(124) && !prompt.goes_on_at(125));
        assert_eq!(prompt.samples(), 20_000);
        for codec in codecs {
            for index in 0..=125 {
                assert_eq!(prompt.frame(codec, index), whole.frame(codec, index));
            }
        }
    }

    #[test]
    fn a_writer_that_gives_up_cuts_the_prompt_off() {
        let mut writer = PromptWriter::new(Rate::Narrow, &[Codec::Pcma]);
        let prompt = Arc::clone(writer.prompt());
        writer.push(&[1; 12_000]);
        drop(writer);
        assert!(prompt.is_cut() && !prompt.is_growing());
        assert_eq!((prompt.frames(), prompt.samples()), (50, 8_000));
        assert!(!prompt.goes_on_at(50));
    }
}
