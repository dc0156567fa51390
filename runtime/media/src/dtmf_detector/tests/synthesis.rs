//! Sounds to test with, decided by a seed.

use std::f64::consts::TAU;

/// Noise and chance (`SplitMix64`).
pub(super) struct Noise(u64);

impl Noise {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> usize {
        (self.next() % bound) as usize
    }

    /// 0 to 1.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.uniform()
    }

    /// Near enough: of deviation 1.
    pub(super) fn gaussian(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// A formant: a resonance of a throat.
struct Formant {
    y: [f64; 2],
}

impl Formant {
    fn filter(&mut self, x: f64, hz: f64, bandwidth_hz: f64) -> f64 {
        let radius = (-std::f64::consts::PI * bandwidth_hz / 8_000.0).exp();
        let b = 2.0 * radius * (TAU * hz / 8_000.0).cos();
        let c = radius * radius;
        let y = (1.0 - b + c) * x + b * self.y[0] - c * self.y[1];
        self.y = [y, self.y[0]];
        y
    }
}

/// First to third formants of vowels of many languages, of a man.
const VOWELS: [[f64; 3]; 12] = [
    [270.0, 2_290.0, 3_010.0],
    [390.0, 1_990.0, 2_550.0],
    [530.0, 1_840.0, 2_480.0],
    [660.0, 1_720.0, 2_410.0],
    [730.0, 1_090.0, 2_440.0],
    [570.0, 840.0, 2_410.0],
    [440.0, 1_020.0, 2_240.0],
    [300.0, 870.0, 2_240.0],
    [640.0, 1_190.0, 2_390.0],
    [490.0, 1_350.0, 1_690.0],
    [250.0, 1_750.0, 2_160.0],
    [370.0, 1_500.0, 2_230.0],
];

/// Talk: syllables of a consonant and gliding vowels under a melody, with pauses. The voice (pitch 75 to 450 Hz, throat, tone of the
/// language, breath) is decided by the seed.
pub(super) fn speech(seed: u64, seconds: usize) -> Vec<i16> {
    let mut noise = Noise::new(seed);
    let base_hz = noise.between(75.0, 450.0);
    let throat = 0.9 + 0.35 * (base_hz / 450.0) + noise.between(-0.05, 0.1);
    let (breath, is_tonal) = (noise.between(0.0, 0.15), noise.below(2) == 0);
    let loudness = noise.between(1_500.0, 9_000.0);
    let mut formants = [const { Formant { y: [0.0; 2] } }; 3];
    let (mut audio, mut phase) = (Vec::new(), 0.0);
    while audio.len() < seconds * 8_000 {
        if noise.below(8) == 0 {
            audio.extend(vec![0.0; 800 + noise.below(4_000)]);
        }
        let consonant = noise.below(5);
        for _ in 0..if consonant < 2 {
            300 + noise.below(700)
        } else {
            0
        } {
            audio.push(noise.gaussian() * loudness * 0.08);
        }
        let (from, to) = (VOWELS[noise.below(12)], VOWELS[noise.below(12)]);
        let length = 500 + noise.below(2_500);
        let bend = if is_tonal {
            noise.between(-0.35, 0.35)
        } else {
            noise.between(-0.08, 0.05)
        };
        let pitch_hz = base_hz * noise.between(0.85, 1.25);
        for n in 0..length {
            let at = n as f64 / length as f64;
            phase += pitch_hz * (1.0 + bend * at) / 8_000.0;
            let mut source = breath * noise.gaussian();
            if phase >= 1.0 {
                phase -= 1.0;
                source += 12.0;
            }
            let mut sample = source;
            for (formant, resonance) in formants.iter_mut().enumerate() {
                let hz = throat * (from[formant] + (to[formant] - from[formant]) * at);
                sample = resonance.filter(sample, hz.min(3_900.0), 60.0 + 40.0 * formant as f64);
            }
            audio.push(sample * (std::f64::consts::PI * at).sin().sqrt());
        }
    }
    // The vowels come out of the resonances at any level: bring each to its loudness.
    normalised(&audio, loudness)
}

/// Music: a tune and chords of a scale in equal temperament, on an instrument of so many harmonics that the seed decides, with drums.
pub(super) fn music(seed: u64, seconds: usize) -> Vec<i16> {
    let mut noise = Noise::new(seed);
    let key_hz = 55.0 * 2f64.powf(noise.below(12) as f64 / 12.0);
    let harmonics = 3 + noise.below(9);
    let waves = Waves::new(harmonics, noise.between(0.6, 1.6));
    let decay = noise.between(0.5, 6.0);
    let beat = 1_200 + noise.below(3_000);
    let has_drums = noise.below(2) == 0;
    let mut audio = vec![0.0; seconds * 8_000];
    let mut at = 0;
    while at + 4 * beat < audio.len() {
        let root = noise.below(7);
        let mut notes = vec![
            (0, 4, note_hz(key_hz, root)),
            (0, 4, note_hz(key_hz, root + 7)),
            (0, 4, note_hz(key_hz, root + 9)),
            (0, 4, note_hz(key_hz, root + 11)),
        ];
        for n in 0..4 {
            notes.push((n, 1, note_hz(key_hz, 14 + noise.below(14))));
        }
        for (from, beats, hz) in notes {
            for n in 0..beats * beat {
                let seconds = n as f64 / 8_000.0;
                let level = (-decay * seconds).exp() * (seconds * 200.0).min(1.0);
                let sample = waves.at(hz, seconds);
                audio[at + from * beat + n] += level * sample;
            }
        }
        for n in 0..if has_drums { 1_000 } else { 0 } {
            audio[at + n] += noise.gaussian() * (-(n as f64) / 200.0).exp();
        }
        at += 4 * beat;
    }
    normalised(&audio, 6_000.0)
}

/// One turn of an instrument's wave, for each number of harmonics that a note can have below 3.8 kHz.
struct Waves(Vec<Vec<f64>>);

impl Waves {
    const POINTS: usize = 2_048;

    fn new(harmonics: usize, fall: f64) -> Self {
        let mut wave = vec![0.0; Self::POINTS];
        let waves = (1..=harmonics).map(|harmonic| {
            for (n, point) in wave.iter_mut().enumerate() {
                let turns = (n * harmonic % Self::POINTS) as f64 / Self::POINTS as f64;
                *point += (TAU * turns).sin() / (harmonic as f64).powf(fall);
            }
            wave.clone()
        });
        Self(waves.collect())
    }

    fn at(&self, hz: f64, seconds: f64) -> f64 {
        let harmonics = ((3_800.0 / hz) as usize).clamp(1, self.0.len());
        let point = (hz * seconds).fract() * Self::POINTS as f64;
        self.0[harmonics - 1][point as usize]
    }
}

/// A degree of the major scale, in octaves of seven.
fn note_hz(key_hz: f64, degree: usize) -> f64 {
    let semitones = [0, 2, 4, 5, 7, 9, 11][degree % 7] + 12 * (degree / 7);
    key_hz * 2f64.powf(semitones as f64 / 12.0)
}

/// At this loudness, as the root of the mean square.
fn normalised(audio: &[f64], loudness: f64) -> Vec<i16> {
    let power: f64 = audio.iter().map(|sample| sample * sample).sum();
    let gain = loudness / (power / audio.len() as f64).sqrt().max(1e-9);
    audio
        .iter()
        .map(|sample| (sample * gain).round() as i16)
        .collect()
}
