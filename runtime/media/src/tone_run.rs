//! Pure tones that last: beeps, and what fax machines say.

use crate::level_dbov;

/// What is quieter is no tone.
const MIN_LEVEL_DBOV: f32 = -45.0;
/// Of a tone's energy, so much lies at its frequency.
const PURITY: f64 = 0.9;
/// Of what may become that when its frequency is known better.
const PROMISE: f64 = 0.3;
/// A tone keeps its frequency this well.
const MAX_STEP_HZ: f64 = 12.0;

/// One tone, from its beginning on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ToneRun {
    pub(crate) frequency_hz: f64,
    /// Full frames; those in which it begins or ends may not count.
    pub(crate) frames: u32,
}

/// Follows tones from frame to frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToneFollower {
    current: Option<ToneRun>,
    ended: Option<ToneRun>,
}

impl ToneFollower {
    /// Takes the next frame; `None`: nothing came.
    pub(crate) fn hear(&mut self, frame: Option<&[i16]>, rate_hz: u32) {
        let frequency_hz = frame
            .filter(|frame| level_dbov(frame) >= MIN_LEVEL_DBOV)
            .and_then(|frame| pure_tone_hz(frame, rate_hz));
        self.ended = None;
        match (&mut self.current, frequency_hz) {
            (Some(run), Some(hz)) if (run.frequency_hz - hz).abs() <= MAX_STEP_HZ => {
                run.frames += 1;
                // The mean so far: single frames differ a little.
                run.frequency_hz += (hz - run.frequency_hz) / f64::from(run.frames);
            }
            (current, hz) => {
                self.ended = current.take();
                *current = hz.map(|frequency_hz| ToneRun {
                    frequency_hz,
                    frames: 1,
                });
            }
        }
    }

    /// The tone that goes on.
    pub(crate) fn current(&self) -> Option<ToneRun> {
        self.current
    }

    /// The tone that the last frame ended.
    pub(crate) fn ended(&self) -> Option<ToneRun> {
        self.ended
    }
}

/// The frequency of a frame that holds one tone and little else.
fn pure_tone_hz(frame: &[i16], rate_hz: u32) -> Option<f64> {
    let energy: f64 = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let mut frequency_hz = first_guess_hz(frame, rate_hz)?;
    let mut purity = 0.0;
    for _ in 0..3 {
        let turn = std::f64::consts::TAU * frequency_hz / f64::from(rate_hz);
        let (first, second) = frame.split_at(frame.len() / 2);
        let (one, two) = (
            correlate(first, turn, 0),
            correlate(second, turn, first.len()),
        );
        purity =
            2.0 * (one.0.hypot(one.1) + two.0.hypot(two.1)).powi(2) / (frame.len() as f64 * energy);
        if purity < PROMISE {
            return None;
        }
        // A frequency that is a little off turns the second half against the first.
        let (dot, cross) = (one.0 * two.0 + one.1 * two.1, one.0 * two.1 - one.1 * two.0);
        let seconds = first.len() as f64 / f64::from(rate_hz);
        frequency_hz += cross.atan2(dot) / (std::f64::consts::TAU * seconds);
    }
    (purity >= PURITY && frequency_hz > 0.0).then_some(frequency_hz)
}

/// Each sample of a sine is its two neighbours' mean over the cosine of the step: the best such cosine for the frame.
/// Neighbours are an eighth of a millisecond apart at any rate, so that noise bends it little.
fn first_guess_hz(frame: &[i16], rate_hz: u32) -> Option<f64> {
    let step = (rate_hz / crate::RATE_HZ).max(1) as usize;
    let (mut both, mut square) = (0.0, 0.0);
    for three in frame.windows(2 * step + 1) {
        let middle = f64::from(three[step]);
        both += middle * (f64::from(three[0]) + f64::from(three[2 * step]));
        square += middle * middle;
    }
    let cosine = both / (2.0 * square);
    let turn = (cosine.abs() < 1.0).then(|| cosine.acos())?;
    Some(turn * f64::from(rate_hz) / (std::f64::consts::TAU * step as f64))
}

/// The part of this frequency in samples from number `from` on: cosine and sine.
fn correlate(samples: &[i16], turn: f64, from: usize) -> (f64, f64) {
    let (sine_step, cosine_step) = turn.sin_cos();
    let (mut sine, mut cosine) = (turn * from as f64).sin_cos();
    let mut sum = (0.0, 0.0);
    for sample in samples {
        let sample = f64::from(*sample);
        sum.0 += sample * cosine;
        sum.1 -= sample * sine;
        (sine, cosine) = (
            sine * cosine_step + cosine * sine_step,
            cosine * cosine_step - sine * sine_step,
        );
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SAMPLES_8K;
    use crate::synthetic::{Chance, noise, over_the_line, speech};
    use crate::tone::{dtmf, sine};

    /// The tones in audio, with those that go on to its end.
    fn runs(samples: &[i16], rate_hz: u32) -> Vec<ToneRun> {
        let mut follower = ToneFollower::default();
        let mut runs = Vec::new();
        for frame in samples.chunks_exact(rate_hz as usize / 50) {
            follower.hear(Some(frame), rate_hz);
            runs.extend(follower.ended());
        }
        follower.hear(None, rate_hz);
        runs.extend(follower.ended());
        runs
    }

    #[test]
    fn a_tone_is_one_run_of_its_frequency() {
        for seed in 0..200 {
            let mut chance = Chance::new(seed);
            let frequency_hz = chance.between(350.0, 2_600.0);
            let amplitude = chance.between(0.02, 0.5);
            let tone = sine(frequency_hz, amplitude, 50 * SAMPLES_8K);
            let noise_dbov = 20.0 * amplitude.log10() - 3.0 - chance.between(17.0, 60.0);
            let line = noise(&mut chance, noise_dbov, tone.len());
            let mixed: Vec<i16> = tone.iter().zip(&line).map(|(a, b)| a + b).collect();
            let runs = runs(&over_the_line(&mixed), 8_000);
            assert_eq!(runs.len(), 1, "{seed} {frequency_hz} {runs:?}");
            assert_eq!(runs[0].frames, 50, "{seed}");
            let error = (runs[0].frequency_hz - frequency_hz).abs();
            assert!(error < 3.0, "{seed} {frequency_hz}: {error}");
        }
    }

    #[test]
    fn other_rates_hear_the_same() {
        for rate_hz in [16_000, 48_000] {
            for frequency_hz in [440.0, 1_100.0, 2_100.0] {
                let turn = std::f64::consts::TAU * frequency_hz / f64::from(rate_hz);
                let tone: Vec<i16> = (0..rate_hz)
                    .map(|n| (3_000.0 * (f64::from(n) * turn).sin()) as i16)
                    .collect();
                let runs = runs(&tone, rate_hz);
                assert_eq!(runs.len(), 1, "{rate_hz} {frequency_hz}");
                assert_eq!(runs[0].frames, 50);
                assert!((runs[0].frequency_hz - frequency_hz).abs() < 1.0);
            }
        }
    }

    #[test]
    fn speech_noise_and_pairs_of_tones_are_no_tone() {
        for seed in 0..40 {
            let mut chance = Chance::new(seed);
            for samples in [
                speech(&mut chance, -20.0, 10 * 8_000),
                noise(&mut chance, -30.0, 4 * 8_000),
                dtmf('5', 0.3, 8_000).unwrap(),
                sine(1_000.0, 0.003, 8_000), // too quiet
            ] {
                let runs = runs(&over_the_line(&samples), 8_000);
                let longest = runs.iter().map(|run| run.frames).max().unwrap_or(0);
                assert!(longest < 4, "{seed}: {runs:?}");
            }
        }
    }

    #[test]
    fn a_new_frequency_is_a_new_run() {
        let samples = [
            sine(700.0, 0.2, 10 * SAMPLES_8K),
            vec![0; 3 * SAMPLES_8K],
            sine(700.0, 0.2, 5 * SAMPLES_8K),
            sine(900.0, 0.2, 6 * SAMPLES_8K),
        ]
        .concat();
        let runs: Vec<(u32, u32)> = runs(&samples, 8_000)
            .iter()
            .map(|run| (run.frequency_hz.round() as u32, run.frames))
            .collect();
        assert_eq!(runs, [(700, 10), (700, 5), (900, 6)]);
    }
}
