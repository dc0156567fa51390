//! Where what is said begins and ends.

use std::collections::VecDeque;
use std::time::Duration;

use call::DEFAULT_END_SILENCE;
use media::{FRAME_MS, VoiceActivity};
use speech::SpokenFrame;

/// Speech is at least this long: 80 ms. Shorter ones are knocks.
const MIN_SPEECH_FRAMES: u32 = 4;
/// What is kept of the time before: 300 ms, for words begin softly.
const BEFORE: usize = 15;

/// What one frame is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nobody speaks yet.
    Silence,
    /// Somebody speaks: this frame, and those before it.
    Beginning(Vec<SpokenFrame>),
    /// It goes on.
    Speech,
    /// It is over.
    End,
}

/// One utterance, in frames of 20 ms.
#[derive(Debug)]
pub(super) struct Utterance {
    activity: VoiceActivity,
    end_silence: u32,
    max_speech: u32,
    before: VecDeque<SpokenFrame>,
    /// Frames of speech without silence between them.
    speech_frames: u32,
    /// Since its beginning.
    frames: Option<u32>,
}

impl Utterance {
    pub(super) fn new(end_silence: Option<Duration>, max_speech: Duration) -> Self {
        Self {
            activity: VoiceActivity::default(),
            end_silence: frames(end_silence.unwrap_or(DEFAULT_END_SILENCE)),
            max_speech: frames(max_speech),
            before: VecDeque::with_capacity(BEFORE + 1),
            speech_frames: 0,
            frames: None,
        }
    }

    /// As many follow its beginning.
    pub(super) const fn most_frames(&self) -> usize {
        self.max_speech as usize
    }

    /// Takes the next frame.
    pub(super) fn hear(&mut self, frame: &SpokenFrame) -> Heard {
        let is_speech = self.activity.hear(frame);
        self.speech_frames = if is_speech { self.speech_frames + 1 } else { 0 };
        let Some(frames) = &mut self.frames else {
            return self.wait(*frame);
        };
        *frames += 1;
        let is_over =
            *frames >= self.max_speech || self.activity.quiet_frames() >= self.end_silence;
        match is_over {
            true => Heard::End,
            false => Heard::Speech,
        }
    }

    fn wait(&mut self, frame: SpokenFrame) -> Heard {
        self.before.push_back(frame);
        if self.before.len() > BEFORE {
            self.before.pop_front();
        }
        if self.speech_frames < MIN_SPEECH_FRAMES {
            return Heard::Silence;
        }
        self.frames = Some(0);
        Heard::Beginning(std::mem::take(&mut self.before).into())
    }
}

fn frames(length: Duration) -> u32 {
    u32::try_from(length.as_millis()).unwrap_or(u32::MAX) / FRAME_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: SpokenFrame = [0; media::SAMPLES_8K];

    fn loud(at: usize) -> SpokenFrame {
        std::array::from_fn(|sample| {
            if (sample + at).is_multiple_of(2) {
                5_000
            } else {
                -5_000
            }
        })
    }

    /// The frame in which it began, how many frames it has, and the one in which it ended.
    fn heard(utterance: &mut Utterance, is_loud: impl Fn(usize) -> bool) -> (usize, usize, usize) {
        let (mut began, mut length) = (0, 0);
        for at in 0..5_000 {
            let frame = if is_loud(at) { loud(at) } else { QUIET };
            match utterance.hear(&frame) {
                Heard::Silence => {}
                Heard::Beginning(frames) => (began, length) = (at, frames.len()),
                Heard::Speech => length += 1,
                Heard::End => return (began, length, at),
            }
        }
        (began, length, 0)
    }

    fn second(end_silence: Option<u64>) -> Utterance {
        Utterance::new(
            end_silence.map(Duration::from_millis),
            Duration::from_secs(10),
        )
    }

    #[test]
    fn a_word_is_taken_whole_and_silence_ends_it() {
        let word = |at: usize| (100..130).contains(&at);
        let (began, length, ended) = heard(&mut second(None), word);
        // The first loud frame may be a click, four more are speech; a second of silence is 50 frames.
        assert_eq!((began, ended), (104, 179));
        assert_eq!(length, 15 + (178 - 104));
        let (_, _, ended) = heard(&mut second(Some(400)), word);
        assert_eq!(ended, 149);
    }

    #[test]
    fn pauses_between_words_belong_to_it() {
        let words = |at: usize| at >= 100 && at % 60 < 20 && at < 400;
        let (began, _, ended) = heard(&mut second(Some(1_000)), words);
        assert!(began < 130 && ended > 400, "{began} {ended}");
    }

    #[test]
    fn knocks_are_no_speech() {
        let knocks = |at: usize| at % 40 < 3;
        assert_eq!(heard(&mut second(None), knocks), (0, 0, 0));
    }

    #[test]
    fn who_talks_for_ever_is_cut() {
        let (began, _, ended) = heard(&mut second(None), |at| at >= 100);
        assert_eq!(ended - began, 500);
    }
}
