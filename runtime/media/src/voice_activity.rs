//! How loud a frame is, and whether somebody speaks in it.

/// The level of digital silence, in dBov; nothing measures less (RFC 6464 section 3).
pub const SILENCE_DBOV: f32 = -127.0;

/// Speech stands out from the noise by this much.
const MARGIN_DB: f32 = 8.0;
/// What is quieter is no speech, however quiet the line.
const MIN_SPEECH_DBOV: f32 = -50.0;
/// Noise is not taken for louder than this: a loud steady tone is no silence.
const MAX_FLOOR_DBOV: f32 = -40.0;
/// What the noise is taken for until it has been heard.
const FIRST_FLOOR_DBOV: f32 = -60.0;

/// The floor is the lowest level of two seconds, in which speech has at least one pause; in pieces of half a second.
const WINDOWS: usize = 4;
const WINDOW_FRAMES: u32 = 25;

/// The level of a frame in dBov: 0 is a square wave at full scale, -3 a sine, -26 ordinary speech. [`SILENCE_DBOV`] for
/// an empty one.
#[must_use]
pub fn level_dbov(frame: &[i16]) -> f32 {
    let energy: i64 = frame.iter().map(|sample| i64::from(*sample).pow(2)).sum();
    if energy == 0 {
        return SILENCE_DBOV;
    }
    let power = energy as f64 / frame.len() as f64 / (32_768.0 * 32_768.0);
    (10.0 * power.log10() as f32).max(SILENCE_DBOV)
}

/// Tells speech from silence in frames of 20 ms of one side, whatever their rate: by their level above a noise floor
/// that follows the line.
#[derive(Debug, Clone)]
pub struct VoiceActivity {
    level_dbov: f32,
    /// The lowest level of each piece of the last two seconds; the first one is still going on.
    lowest_dbov: [f32; WINDOWS],
    window_frames: u32,
    was_loud: bool,
    quiet_frames: u32,
}

impl Default for VoiceActivity {
    fn default() -> Self {
        let mut lowest_dbov = [FIRST_FLOOR_DBOV; WINDOWS];
        lowest_dbov[0] = 0.0;
        Self {
            level_dbov: SILENCE_DBOV,
            lowest_dbov,
            window_frames: 0,
            was_loud: false,
            quiet_frames: 0,
        }
    }
}

impl VoiceActivity {
    /// Takes the next frame. Returns whether it is speech: loud, and the one before was loud too. A single loud frame
    /// is a click.
    pub fn hear(&mut self, frame: &[i16]) -> bool {
        self.level_dbov = level_dbov(frame);
        let is_loud = self.level_dbov >= self.threshold_dbov();
        let is_speech = is_loud && self.was_loud;
        self.was_loud = is_loud;
        self.quiet_frames = if is_speech {
            0
        } else {
            self.quiet_frames.saturating_add(1)
        };
        self.follow_noise();
        is_speech
    }

    /// Lets so many frames pass in which nothing came. They say nothing about the line's noise.
    pub fn pass(&mut self, frames: u32) {
        if frames > 0 {
            self.was_loud = false;
            self.level_dbov = SILENCE_DBOV;
            self.quiet_frames = self.quiet_frames.saturating_add(frames);
        }
    }

    /// The level of the last frame.
    #[must_use]
    pub fn level_dbov(&self) -> f32 {
        self.level_dbov
    }

    /// The level of the line's noise.
    #[must_use]
    pub fn floor_dbov(&self) -> f32 {
        let lowest = self.lowest_dbov.iter().copied().fold(0.0, f32::min);
        lowest.clamp(SILENCE_DBOV, MAX_FLOOR_DBOV)
    }

    /// Frames since the last speech, or since the beginning.
    #[must_use]
    pub fn quiet_frames(&self) -> u32 {
        self.quiet_frames
    }

    fn threshold_dbov(&self) -> f32 {
        (self.floor_dbov() + MARGIN_DB).max(MIN_SPEECH_DBOV)
    }

    fn follow_noise(&mut self) {
        self.lowest_dbov[0] = self.lowest_dbov[0].min(self.level_dbov);
        self.window_frames += 1;
        if self.window_frames == WINDOW_FRAMES {
            self.window_frames = 0;
            self.lowest_dbov.rotate_right(1);
            self.lowest_dbov[0] = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SAMPLES_8K;
    use crate::synthetic::{Chance, noise, speech};
    use crate::tone::sine;

    #[test]
    fn levels_are_those_of_the_definition() {
        for (frame, expected) in [
            (vec![], -127.0),
            (vec![0; 160], -127.0),
            (vec![1; 160], -90.31),
            (vec![i16::MIN; 160], 0.0),
            (sine(1_000.0, 1.0, 160), -3.01),
            (sine(1_000.0, 0.1, 160), -23.01),
        ] {
            let level = level_dbov(&frame);
            assert!((level - expected).abs() < 0.01, "{level} {expected}");
        }
    }

    /// The share of frames taken for speech.
    fn share(activity: &mut VoiceActivity, samples: &[i16]) -> f64 {
        let frames: Vec<bool> = samples
            .chunks_exact(SAMPLES_8K)
            .map(|frame| activity.hear(frame))
            .collect();
        frames.iter().filter(|speech| **speech).count() as f64 / frames.len() as f64
    }

    #[test]
    fn steady_noise_becomes_silence() {
        for (noise_dbov, at_once) in [(-70.0, true), (-52.0, true), (-45.0, false), (-34.0, false)]
        {
            for seed in 0..20 {
                let mut chance = Chance::new(seed);
                let mut activity = VoiceActivity::default();
                let start = share(&mut activity, &noise(&mut chance, noise_dbov, 4 * 8_000));
                assert_eq!(start == 0.0, at_once, "{noise_dbov} {seed}: {start}");
                let later = share(&mut activity, &noise(&mut chance, noise_dbov, 8_000));
                assert_eq!(later, 0.0, "{noise_dbov} {seed}");
                let floor = activity.floor_dbov();
                assert!(
                    floor <= -40.0 && (f64::from(floor) - noise_dbov).abs() < 7.0,
                    "{floor}"
                );
            }
        }
    }

    #[test]
    fn speech_is_heard_above_noise() {
        for (speech_dbov, noise_dbov) in [
            (-26.0, -127.0),
            (-26.0, -60.0),
            (-26.0, -42.0),
            (-38.0, -60.0),
            (-15.0, -35.0),
        ] {
            for seed in 0..20 {
                let mut chance = Chance::new(seed);
                let mut activity = VoiceActivity::default();
                share(&mut activity, &noise(&mut chance, noise_dbov, 3 * 8_000));
                let voice = speech(&mut chance, speech_dbov, 4 * 8_000);
                let line = noise(&mut chance, noise_dbov, voice.len());
                let mixed: Vec<i16> = voice
                    .iter()
                    .zip(&line)
                    .map(|(a, b)| a.saturating_add(*b))
                    .collect();
                let heard = share(&mut activity, &mixed);
                assert!(heard > 0.4, "{speech_dbov} {noise_dbov} {seed}: {heard}");
                let after = share(&mut activity, &noise(&mut chance, noise_dbov, 8_000));
                assert!(after < 0.05, "{speech_dbov} {noise_dbov} {seed}: {after}");
            }
        }
    }

    #[test]
    fn clicks_are_no_speech_and_quiet_is_counted() {
        let mut activity = VoiceActivity::default();
        let loud = sine(500.0, 0.3, SAMPLES_8K);
        let quiet = [0; SAMPLES_8K];
        let mut seen = Vec::new();
        for frame in [&loud[..], &quiet, &loud, &loud, &loud, &quiet] {
            let speech = activity.hear(frame);
            seen.push((speech, activity.quiet_frames()));
        }
        let expected = [
            (false, 1),
            (false, 2),
            (false, 3),
            (true, 0),
            (true, 0),
            (false, 1),
        ];
        assert_eq!(seen, expected);
        activity.pass(3);
        assert_eq!(
            (activity.quiet_frames(), activity.level_dbov()),
            (4, -127.0)
        );
        assert!(
            !activity.hear(&loud),
            "what came before the gap was long ago"
        );
    }

    #[test]
    fn a_loud_steady_tone_stays_a_sound() {
        let mut activity = VoiceActivity::default();
        share(&mut activity, &sine(440.0, 0.1, 8 * 8_000));
        assert_eq!(share(&mut activity, &sine(440.0, 0.1, 8_000)), 1.0);
    }
}
