//! Audio ready to be sent.

use crate::{Law, SAMPLES_8K};

/// A prompt in the frames of each payload type: made once, shared by every call that plays it, so that a packet is a
/// header and a copy.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    pcmu: Box<[[u8; SAMPLES_8K]]>,
    pcma: Box<[[u8; SAMPLES_8K]]>,
    samples: usize,
}

impl Prompt {
    /// A prompt of these samples at 8 kHz. The last frame is filled up with silence.
    #[must_use]
    pub fn from_pcm(samples: &[i16]) -> Self {
        Self {
            pcmu: encode(samples, Law::Mu),
            pcma: encode(samples, Law::A),
            samples: samples.len(),
        }
    }

    /// A frame's 160 bytes; none after the last.
    #[must_use]
    pub fn frame(&self, law: Law, index: usize) -> Option<&[u8; SAMPLES_8K]> {
        match law {
            Law::Mu => self.pcmu.get(index),
            Law::A => self.pcma.get(index),
        }
    }

    /// Frames of 20 ms.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.pcmu.len()
    }

    /// Samples at 8 kHz, without the silence at the end.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Bytes of memory it takes: what a cache counts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        2 * SAMPLES_8K * self.frames()
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

fn encode(samples: &[i16], law: Law) -> Box<[[u8; SAMPLES_8K]]> {
    samples
        .chunks(SAMPLES_8K)
        .map(|samples| {
            let mut frame = [law.silence(); SAMPLES_8K];
            for (code, sample) in frame.iter_mut().zip(samples) {
                *code = law.encode(*sample);
            }
            frame
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_hold_the_samples_and_the_last_is_filled_with_silence() {
        let samples: Vec<i16> = (0..400).map(|n| n * 80).collect();
        let prompt = Prompt::from_pcm(&samples);
        assert_eq!(
            (prompt.frames(), prompt.samples(), prompt.bytes()),
            (3, 400, 960)
        );
        for law in [Law::Mu, Law::A] {
            let sent: Vec<u8> = (0..3)
                .flat_map(|index| *prompt.frame(law, index).unwrap())
                .collect();
            let expected: Vec<u8> = samples.iter().map(|sample| law.encode(*sample)).collect();
            assert_eq!(sent[..400], expected);
            assert_eq!(sent[400..], [law.silence(); 80]);
            assert_eq!(prompt.frame(law, 3), None);
        }
    }

    #[test]
    fn an_empty_prompt_has_no_frames() {
        let prompt = Prompt::from_pcm(&[]);
        assert_eq!((prompt.frames(), prompt.frame(Law::A, 0)), (0, None));
    }
}
