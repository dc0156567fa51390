//! The tones that tell a conference that somebody comes or goes.

use crate::tone::ramped_sine;
use crate::{FRAME_MS, Rate};

/// Two notes, this long each.
const NOTE_FRAMES: usize = 6;
const LOW_HZ: f64 = 440.0;
const HIGH_HZ: f64 = 660.0;
/// Of full scale: heard beside speech, and not louder.
const AMPLITUDE: f64 = 0.12;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConferenceBeep {
    /// Somebody comes: upwards.
    Enter,
    /// Somebody goes: downwards.
    Exit,
}

impl ConferenceBeep {
    /// Frames of 20 ms in it.
    pub const FRAMES: usize = 2 * NOTE_FRAMES;

    /// Writes a frame of it; silence after the last.
    pub fn write(self, rate: Rate, frame: usize, samples: &mut [i16]) {
        let notes = match self {
            Self::Enter => [LOW_HZ, HIGH_HZ],
            Self::Exit => [HIGH_HZ, LOW_HZ],
        };
        match notes.get(frame / NOTE_FRAMES) {
            Some(frequency_hz) => {
                let length = rate.samples(FRAME_MS * NOTE_FRAMES as u32);
                let from = frame % NOTE_FRAMES * rate.frame_samples();
                ramped_sine(*frequency_hz, AMPLITUDE, rate.hz(), from, length, samples);
            }
            None => samples.fill(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level_dbov;

    #[test]
    fn two_notes_and_then_silence() {
        for rate in [Rate::Narrow, Rate::Wide] {
            let mut frame = vec![1; rate.frame_samples()];
            for at in 0..ConferenceBeep::FRAMES {
                ConferenceBeep::Enter.write(rate, at, &mut frame);
                assert!(level_dbov(&frame) > -25.0, "{at}");
            }
            ConferenceBeep::Enter.write(rate, ConferenceBeep::FRAMES, &mut frame);
            assert!(frame.iter().all(|sample| *sample == 0));
        }
    }

    #[test]
    fn coming_and_going_sound_differently() {
        let crossings = |beep: ConferenceBeep, at| {
            let mut frame = [0; 160];
            beep.write(Rate::Narrow, at, &mut frame);
            let signs = frame.windows(2);
            signs.filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count()
        };
        assert!(crossings(ConferenceBeep::Enter, 2) < crossings(ConferenceBeep::Enter, 8));
        assert!(crossings(ConferenceBeep::Exit, 2) > crossings(ConferenceBeep::Exit, 8));
    }
}
