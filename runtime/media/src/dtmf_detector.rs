//! Finding keys in audio.

use std::f32::consts::TAU;
use std::sync::LazyLock;

use crate::tone::{HIGH_HZ, LOW_HZ, key_at};
use crate::{RATE_HZ, SAMPLES_8K};

/// The audio is looked at every 5 ms.
const HOP: usize = 40;
/// Each time the last 20 ms count.
const BLOCK: usize = 160;
/// Of which the tones are measured in 15 ms, so that their phase in this block and the one before tells their frequency.
const WINDOW: usize = BLOCK - HOP;
const TONES: usize = 8;

/// Blocks in a row that must hold a key: 35 ms, which no tone of 23 ms fills and every one of 40 ms does.
const NEEDED_BLOCKS: u8 = 4;
/// Blocks in a row without the key after which it is released: a pause of 30 ms. One lost packet does not make two digits of one.
const RELEASE_BLOCKS: u8 = 9;

/// How far a tone may be from its frequency, in one block and in the mean of those that are needed. At 1.5 % a key must be found, at 3.5 %
/// it must not.
const BLOCK_TOLERANCE: f32 = 0.026;
const MEAN_TOLERANCE: f32 = 0.021;

/// Each tone is at least -36 dBm0, as an amplitude of 16-bit samples; a full-scale sine is 3.17 dBm0.
const LEAST_AMPLITUDE: f32 = 361.0;
/// The high tone is at most 9.5 dB weaker and 5.5 dB stronger than the low one: 1.5 dB more than must be found.
const TWIST: std::ops::RangeInclusive<f32> = 0.335..=1.884;
/// The share of a block's power that is not its two tones. Noise 15 dB below them is 0.03, speech hardly ever less than 0.2.
const MOST_REST: f32 = 0.13;
/// A block whose two strongest tones have less than this share of its power is not looked at closely.
const LEAST_SHARE: f32 = 0.4;

/// Dial tones are taken out first: 350 and 440 Hz of North America, 425 Hz of most others.
const NOTCHES_HZ: [f32; 3] = [350.0, 425.0, 440.0];
/// How narrow, as the radius of the poles: gone in 4 ms, 0.3 dB at 697 Hz.
const NOTCH_RADIUS: f32 = 0.97;

/// Finds dual-tone digits (ITU-T Q.23, Q.24) in audio of 8 kHz: tones of 40 ms and pauses of 50 ms, 1.5 % off, at -26 dBm0, 8 dB of
/// twist, 15 dB above noise, over a dial tone, through G.711. Leaves speech and music alone.
///
/// The work is the same for every frame, but less in silence and more while two tones are there. Fixed size, no allocation.
#[derive(Debug, Clone)]
pub struct DtmfDetector {
    notches: [Notch; NOTCHES_HZ.len()],
    /// The last 20 ms, without dial tones.
    block: [f32; BLOCK],
    /// Each tone in the window before; what it was before silence does not matter.
    before: [Complex; TONES],
    streak: Streak,
    /// The key that is held, and blocks since it was last found.
    held: Option<(usize, u8)>,
}

/// Blocks in a row that hold the same key.
#[derive(Debug, Clone, Copy, Default)]
struct Streak {
    key: usize,
    blocks: u8,
    /// Sums of how far the tones are off, as shares of their frequencies.
    off: [f32; 2],
}

/// What a block holds.
#[derive(Debug, Clone, Copy)]
struct Hit {
    /// Row and column: 4 · row + column.
    key: usize,
    /// How far low and high tone are off, as shares of their frequencies.
    off: [f32; 2],
}

#[derive(Debug, Clone, Copy, Default)]
struct Complex {
    re: f32,
    im: f32,
}

impl Complex {
    fn power(self) -> f32 {
        self.re * self.re + self.im * self.im
    }

    /// Of the angle by which `self` is ahead of `other`.
    fn ahead_of(self, other: Self) -> f32 {
        let re = self.re * other.re + self.im * other.im;
        let im = self.im * other.re - self.re * other.im;
        im.atan2(re)
    }
}

/// Takes out one frequency.
#[derive(Debug, Clone, Copy)]
struct Notch {
    /// Twice the cosine of its angle.
    twice_cos: f32,
    input: [f32; 2],
    output: [f32; 2],
}

impl Notch {
    fn new(frequency_hz: f32) -> Self {
        Self {
            twice_cos: 2.0 * angle(frequency_hz).cos(),
            input: [0.0; 2],
            output: [0.0; 2],
        }
    }

    fn filter(&mut self, x: f32) -> f32 {
        let [x1, x2] = self.input;
        let [y1, y2] = self.output;
        let y = x - self.twice_cos * x1 + x2 + NOTCH_RADIUS * self.twice_cos * y1
            - NOTCH_RADIUS * NOTCH_RADIUS * y2;
        self.input = [x, x1];
        self.output = [y, y1];
        y
    }
}

/// The tones under the window, sample by sample: all at once is what processors are good at.
struct Tables {
    cos: [[f32; TONES]; WINDOW],
    sin: [[f32; TONES]; WINDOW],
}

static TABLES: LazyLock<Box<Tables>> = LazyLock::new(|| {
    let window = |n: usize| 0.5 - 0.5 * (TAU * (n as f32 + 0.5) / WINDOW as f32).cos();
    let turned = |tone: usize, n: usize| angle(frequency_hz(tone)) * n as f32;
    Box::new(Tables {
        cos: std::array::from_fn(|n| std::array::from_fn(|tone| window(n) * turned(tone, n).cos())),
        sin: std::array::from_fn(|n| std::array::from_fn(|tone| window(n) * turned(tone, n).sin())),
    })
});

/// Of the tones 0 to 3, low, and 4 to 7, high.
fn frequency_hz(tone: usize) -> f32 {
    (if tone < 4 {
        LOW_HZ[tone]
    } else {
        HIGH_HZ[tone - 4]
    }) as f32
}

/// Of a frequency, in one sample.
fn angle(frequency_hz: f32) -> f32 {
    TAU * frequency_hz / RATE_HZ as f32
}

impl Default for DtmfDetector {
    fn default() -> Self {
        Self::new()
    }
}

impl DtmfDetector {
    /// Nothing heard yet.
    #[must_use]
    pub fn new() -> Self {
        LazyLock::force(&TABLES);
        Self {
            notches: NOTCHES_HZ.map(Notch::new),
            block: [0.0; BLOCK],
            before: [Complex::default(); TONES],
            streak: Streak::default(),
            held: None,
        }
    }

    /// Hears 20 ms. The key that was found to be pressed in them, once for each press.
    pub fn hear(&mut self, frame: &[i16; SAMPLES_8K]) -> Option<char> {
        let mut pressed = None;
        for hop in frame.chunks_exact(HOP) {
            self.block.copy_within(HOP.., 0);
            for (to, sample) in self.block[WINDOW..].iter_mut().zip(hop) {
                let filter = |x, notch: &mut Notch| notch.filter(x);
                *to = self.notches.iter_mut().fold(f32::from(*sample), filter);
            }
            let hit = self.look();
            pressed = pressed.or(self.follow(hit));
        }
        pressed.map(key_at)
    }

    /// What the last 20 ms hold.
    fn look(&mut self) -> Option<Hit> {
        let total: f32 = self.block.iter().map(|sample| sample * sample).sum();
        if total < BLOCK as f32 * LEAST_AMPLITUDE * LEAST_AMPLITUDE {
            return None;
        }
        let now = correlate(&self.block[HOP..]);
        let before = std::mem::replace(&mut self.before, now);
        let (low, high) = (strongest(&now, 0), strongest(&now, 4));
        // A tone of amplitude 2 gives half the sum of the window.
        let power =
            |tone: usize| 2.0 * now[tone].power() / (WINDOW as f32 / 2.0).powi(2) * BLOCK as f32;
        if power(low) + power(high) < LEAST_SHARE * total {
            return None;
        }
        let off = [low, high].map(|tone| off_by(tone, now[tone], before[tone]));
        let is_near = off.iter().all(|off| off.abs() <= BLOCK_TOLERANCE);
        let true_hz = [
            frequency_hz(low) * (1.0 + off[0]),
            frequency_hz(high) * (1.0 + off[1]),
        ];
        (is_near && fits(&self.block, total, true_hz)).then(|| Hit {
            key: 4 * low + high - 4,
            off,
        })
    }

    /// The key that is found to be pressed with this block.
    fn follow(&mut self, hit: Option<Hit>) -> Option<usize> {
        let is_held = matches!((self.held, hit), (Some((held, _)), Some(hit)) if held == hit.key);
        if let Some((_, absent)) = &mut self.held {
            *absent = if is_held { 0 } else { *absent + 1 };
            if *absent >= RELEASE_BLOCKS {
                self.held = None;
            }
        }
        let Some(hit) = hit else {
            self.streak.blocks = 0;
            return None;
        };
        if self.streak.key != hit.key || self.streak.blocks == 0 {
            self.streak = Streak {
                key: hit.key,
                ..Streak::default()
            };
        }
        let streak = &mut self.streak;
        streak.blocks = streak.blocks.saturating_add(1);
        streak.off[0] += hit.off[0];
        streak.off[1] += hit.off[1];
        let limit = MEAN_TOLERANCE * f32::from(NEEDED_BLOCKS);
        let is_found =
            streak.blocks == NEEDED_BLOCKS && streak.off.iter().all(|off| off.abs() <= limit);
        if !is_found || is_held {
            return None;
        }
        self.held = Some((hit.key, 0));
        Some(hit.key)
    }
}

/// Each tone in the window.
fn correlate(window: &[f32]) -> [Complex; TONES] {
    let (mut re, mut im) = ([0.0; TONES], [0.0; TONES]);
    let tables = &**TABLES;
    for ((sample, cos), sin) in window.iter().zip(&tables.cos).zip(&tables.sin) {
        for tone in 0..TONES {
            re[tone] += sample * cos[tone];
            im[tone] -= sample * sin[tone];
        }
    }
    std::array::from_fn(|tone| Complex {
        re: re[tone],
        im: im[tone],
    })
}

/// The strongest of the four tones from this one on.
fn strongest(tones: &[Complex; TONES], from: usize) -> usize {
    let power = |tone: &usize| tones[*tone].power();
    (from..from + 4)
        .max_by(|one, other| power(one).total_cmp(&power(other)))
        .unwrap_or(from)
}

/// How far a tone is from its frequency, as a share of it, by how far its phase went on in a hop.
fn off_by(tone: usize, now: Complex, before: Complex) -> f32 {
    let expected = angle(frequency_hz(tone)) * HOP as f32;
    let ahead = now.ahead_of(before) - expected;
    let ahead = ahead - TAU * (ahead / TAU).round();
    ahead / expected
}

/// Whether a block is two tones of these frequencies and hardly anything else, both loud enough and neither much louder.
fn fits(block: &[f32; BLOCK], total: f32, frequencies_hz: [f32; 2]) -> bool {
    let waves = frequencies_hz.map(wave);
    let mut fitted = [Complex::default(); 2];
    let mut rest = *block;
    // The tones are nearly at right angles to each other: a second round leaves less than a hundredth of what each has of the other.
    for tone in [0, 1, 0, 1] {
        let found = project(&rest, &waves[tone]);
        fitted[tone].re += found.re;
        fitted[tone].im += found.im;
        for (sample, wave) in rest.iter_mut().zip(&waves[tone]) {
            *sample -= found.re * wave.re + found.im * wave.im;
        }
    }
    let left: f32 = rest.iter().map(|sample| sample * sample).sum();
    let [low, high] = fitted.map(|tone| tone.power().sqrt());
    left <= MOST_REST * total && low.min(high) >= LEAST_AMPLITUDE && TWIST.contains(&(high / low))
}

/// A cosine and a sine as long as a block.
fn wave(frequency_hz: f32) -> [Complex; BLOCK] {
    let (sin, cos) = angle(frequency_hz).sin_cos();
    let mut at = Complex { re: 1.0, im: 0.0 };
    std::array::from_fn(|_| {
        let here = at;
        at = Complex {
            re: here.re * cos - here.im * sin,
            im: here.im * cos + here.re * sin,
        };
        here
    })
}

/// The amplitudes of a cosine and a sine in a block.
fn project(block: &[f32; BLOCK], wave: &[Complex; BLOCK]) -> Complex {
    let mut sum = Complex::default();
    for (sample, wave) in block.iter().zip(wave) {
        sum.re += sample * wave.re;
        sum.im += sample * wave.im;
    }
    Complex {
        re: sum.re * 2.0 / BLOCK as f32,
        im: sum.im * 2.0 / BLOCK as f32,
    }
}

#[cfg(test)]
mod tests;
