//! Packet-loss concealment in the manner of G.711 Appendix I: the last pitch period is repeated, more periods as the gap grows, and
//! fades away.
//!
//! The appendix delays all audio by 3.75 ms to blend into the first made-up sample. Here nothing is delayed: the step that the first
//! period would make is evened out over its first quarter instead.

use crate::Rate;

/// Lengths, in samples at 8 kHz; doubled for 16 kHz.
const PITCH_MIN: usize = 40; // 200 Hz
const PITCH_MAX: usize = 120; // 66 Hz
const CORRELATED: usize = 160;
const HISTORY: usize = 390; // three periods of the lowest pitch, and a quarter to blend
const BLOCK: usize = 80; // 10 ms
const RECOVERY_A_BLOCK: usize = 32; // 4 ms

/// A gap is silent from here on: 60 ms.
const MAX_BLOCKS: usize = 6;
/// From the second block on the gap fades by this share of full level a block.
const FADE_A_BLOCK: f32 = 0.2;
/// Periods that are repeated at most.
const MAX_PERIODS: usize = 3;
/// Less power than this is noise to the search for a pitch.
const MIN_POWER: f32 = 250.0;

/// What a decoder remembers to bridge gaps.
#[derive(Debug, Clone)]
pub(crate) struct Concealment {
    /// Samples at this rate for each at 8 kHz.
    scale: usize,
    /// What was heard last, made-up audio included; the newest at the end.
    history: Box<[i16]>,
    /// The history as the gap began: its last `periods` are repeated.
    before: Box<[i16]>,
    period: usize,
    periods: usize,
    /// Where in the repeated periods we are.
    at: usize,
    /// Length of the gap so far.
    lost: usize,
}

impl Concealment {
    /// Has heard silence.
    pub(crate) fn new(rate: Rate) -> Self {
        let scale = rate.hz() as usize / 8_000;
        Self {
            scale,
            history: vec![0; HISTORY * scale].into(),
            before: vec![0; HISTORY * scale].into(),
            period: PITCH_MAX * scale,
            periods: 1,
            at: 0,
            lost: 0,
        }
    }

    /// Takes decoded audio; after a gap its beginning is blended with what the gap would have gone on with.
    pub(crate) fn heard(&mut self, samples: &mut [i16]) {
        if self.lost > 0 {
            self.blend_out(samples);
            self.lost = 0;
        }
        self.remember(samples);
    }

    /// Makes audio up.
    pub(crate) fn conceal(&mut self, samples: &mut [i16]) {
        let mut rest = samples;
        while !rest.is_empty() {
            let to_block_end = self.block() - self.lost % self.block();
            let length = to_block_end.min(rest.len());
            let (piece, later) = rest.split_at_mut(length);
            self.conceal_piece(piece);
            rest = later;
        }
    }

    /// A piece that ends with its block of 10 ms, or before.
    fn conceal_piece(&mut self, samples: &mut [i16]) {
        if self.lost == 0 {
            self.begin();
            self.repeat(samples);
            self.even_out_step(samples);
        } else if self.lost >= MAX_BLOCKS * self.block() {
            samples.fill(0);
        } else if self.lost.is_multiple_of(self.block()) && self.periods < MAX_PERIODS {
            self.lengthen(samples);
            self.fade(samples);
        } else {
            self.repeat(samples);
            self.fade(samples);
        }
        self.lost += samples.len();
        self.remember(samples);
    }

    fn begin(&mut self) {
        self.before.copy_from_slice(&self.history);
        self.period = self.find_period();
        self.periods = 1;
        self.at = 0;
    }

    /// The lag at which the last 20 ms look most like what came before (normalised cross-correlation); first in steps of 0.25 ms, then
    /// around the best of them.
    fn find_period(&self) -> usize {
        let coarse = 2 * self.scale;
        let lags = PITCH_MIN * self.scale..=PITCH_MAX * self.scale;
        let best = self.most_alike(lags.clone().step_by(coarse), coarse);
        let near = best.saturating_sub(coarse - 1)..=best + coarse - 1;
        self.most_alike(near.filter(|lag| lags.contains(lag)), 1)
    }

    fn most_alike(&self, lags: impl Iterator<Item = usize>, step: usize) -> usize {
        let mut best = (PITCH_MAX * self.scale, f32::MIN);
        for lag in lags {
            let likeness = self.likeness(lag, step);
            if likeness > best.1 {
                best = (lag, likeness);
            }
        }
        best.0
    }

    fn likeness(&self, lag: usize, step: usize) -> f32 {
        let end = self.before.len();
        let start = end - CORRELATED * self.scale;
        let recent = self.before[start..].iter().step_by(step);
        let earlier = self.before[start - lag..end - lag].iter().step_by(step);
        let (mut product, mut power) = (0.0, 0.0);
        for (recent, earlier) in recent.zip(earlier) {
            let (recent, earlier) = (f32::from(*recent), f32::from(*earlier));
            product += recent * earlier;
            power += earlier * earlier;
        }
        product / power.max(MIN_POWER).sqrt()
    }

    fn repeat(&mut self, samples: &mut [i16]) {
        samples.fill_with(|| self.next_repeated());
    }

    /// The next sample of the repeated periods. Their last quarter period is blended into the quarter before them, so that their end
    /// leads to their beginning.
    fn next_repeated(&mut self) -> i16 {
        let length = self.periods * self.period;
        let at = self.at;
        self.at = (at + 1) % length;
        let place = self.before.len() - length + at;
        let old = self.before[place];
        match at.checked_sub(length - self.quarter()) {
            Some(n) => blend(old, self.before[place - length], n, self.quarter()),
            None => old,
        }
    }

    /// The history's last sample is followed by the one a period ago: lets their difference fade away.
    fn even_out_step(&self, samples: &mut [i16]) {
        let end = self.before.len();
        let step = i32::from(self.before[end - 1]) - i32::from(self.before[end - self.period - 1]);
        let quarter = self.quarter();
        for (n, sample) in samples.iter_mut().take(quarter).enumerate() {
            let rest = step * (quarter - n) as i32 / quarter as i32;
            *sample = saturate(i32::from(*sample) + rest);
        }
    }

    /// Repeats one period more than before, blended in over a quarter period: one alone, repeated for long, sounds like a buzzer.
    fn lengthen(&mut self, samples: &mut [i16]) {
        let mut old = [0; PITCH_MAX / 4 * 2];
        let quarter = self.quarter();
        let at = self.at;
        self.repeat(&mut old[..quarter]);
        self.at = at % self.period;
        self.periods += 1;
        self.repeat(samples);
        for (n, (sample, old)) in samples.iter_mut().zip(&old[..quarter]).enumerate() {
            *sample = blend(*old, *sample, n, quarter);
        }
    }

    fn fade(&self, samples: &mut [i16]) {
        for (n, sample) in samples.iter_mut().enumerate() {
            *sample = (f32::from(*sample) * self.gain(self.lost + n)) as i16;
        }
    }

    /// What the made-up audio is multiplied with so far into the gap.
    fn gain(&self, lost: usize) -> f32 {
        let blocks = lost as f32 / self.block() as f32;
        (1.0 - FADE_A_BLOCK * (blocks - 1.0)).clamp(0.0, 1.0)
    }

    /// The longer the gap was, the longer the blending: a quarter period and 4 ms for each further 10 ms, 10 ms at most.
    fn blend_out(&mut self, samples: &mut [i16]) {
        let blocks = self.lost.div_ceil(self.block());
        let length = self.quarter() + (blocks - 1) * RECOVERY_A_BLOCK * self.scale;
        let length = length.min(self.block()).min(samples.len());
        let gain = self.gain(self.lost);
        for (n, sample) in samples[..length].iter_mut().enumerate() {
            let made_up = (f32::from(self.next_repeated()) * gain) as i16;
            *sample = blend(made_up, *sample, n, length);
        }
    }

    fn remember(&mut self, samples: &[i16]) {
        let kept = self.history.len();
        let new = &samples[samples.len().saturating_sub(kept)..];
        self.history.copy_within(new.len().., 0);
        self.history[kept - new.len()..].copy_from_slice(new);
    }

    fn block(&self) -> usize {
        BLOCK * self.scale
    }

    fn quarter(&self) -> usize {
        self.period / 4
    }
}

/// From `old` to `new` in `length` even steps, at the `n`th.
fn blend(old: i16, new: i16, n: usize, length: usize) -> i16 {
    let (n, length) = (n as i32, length as i32);
    saturate((i32::from(old) * (length - n) + i32::from(new) * n) / length)
}

fn saturate(sample: i32) -> i16 {
    sample.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

#[cfg(test)]
mod tests;
