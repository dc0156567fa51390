//! What was heard, compared with what was played. 8 kHz mono throughout.

use std::ops::Range;
use std::path::Path;

const SAMPLE_RATE_HZ: u32 = 8_000;
/// 200 ms: short enough that a dropped packet shows in one or two blocks only.
const BLOCK: usize = 1_600;
/// 60 ms: how far a receiver's jitter buffer may have moved a block.
const SLACK: usize = 480;
/// A block that is so like another is the same.
const FOUND: f64 = 0.8;
/// Samples in a block of 20 ms.
const FRAME: usize = 160;

/// The rates in which phones record G.722 and Opus.
const WIDER_RATES_HZ: [u32; 2] = [16_000, 48_000];

/// Reads a WAV of 16-bit samples, 8 kHz, mono; one of 16 or 48 kHz is brought down to that. Panics, with the path, on anything else.
#[must_use]
pub fn read_wav(path: &Path) -> Vec<i16> {
    let mut reader =
        hound::WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let spec = reader.spec();
    assert_eq!(spec.bits_per_sample, 16, "{}", path.display());
    // A recorder that is still open may have cut its last sample; what is whole counts.
    let samples: Vec<i16> = reader.samples::<i16>().map_while(Result::ok).collect();
    match (spec.sample_rate, spec.channels) {
        (SAMPLE_RATE_HZ, 1) => samples,
        (rate, channels) if WIDER_RATES_HZ.contains(&rate) => {
            brought_down(&samples, channels.into(), (rate / SAMPLE_RATE_HZ) as usize)
        }
        other => panic!("{}: {other:?} Hz and channels", path.display()),
    }
}

/// The first channel, every `step`th sample behind a low-pass filter: 16 ms of windowed sinc.
fn brought_down(samples: &[i16], channels: usize, step: usize) -> Vec<i16> {
    let half = 64 * step;
    let first: Vec<f32> = samples
        .iter()
        .step_by(channels)
        .map(|s| f32::from(*s))
        .collect();
    let taps: Vec<f32> = (0..=2 * half)
        .map(|tap| {
            let x = (tap as f32 - half as f32) / step as f32 * std::f32::consts::PI;
            let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
            let window = (x / 64.0 / 2.0).cos().powi(2);
            sinc * window / step as f32
        })
        .collect();
    let padding = vec![0.0; half];
    let padded = [padding.as_slice(), &first, &padding].concat();
    (0..first.len())
        .step_by(step)
        .map(|at| dot(&taps, &padded[at..at + taps.len()]) as i16)
        .collect()
}

/// Writes a WAV that [`read_wav`] reads.
pub fn write_wav(path: &Path, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let write = || -> hound::Result<()> {
        let mut writer = hound::WavWriter::create(path, spec)?;
        for sample in samples {
            writer.write_sample(*sample)?;
        }
        writer.finalize()
    };
    write().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Decodes one µ-law octet (ITU-T G.711, table 2a), written anew here so that the server's own tables are not their own witness.
#[must_use]
pub fn mu_law(octet: u8) -> i16 {
    let octet = !octet;
    let magnitude = ((i16::from(octet & 0x0f) << 3) + 0x84) << ((octet >> 4) & 7);
    if octet & 0x80 == 0 {
        magnitude - 0x84
    } else {
        0x84 - magnitude
    }
}

/// Decodes one A-law octet (ITU-T G.711, table 1a).
#[must_use]
pub fn a_law(octet: u8) -> i16 {
    let octet = octet ^ 0x55;
    let mantissa = (i16::from(octet & 0x0f) << 4) + 8;
    let magnitude = match (octet >> 4) & 7 {
        0 => mantissa,
        exponent => (mantissa + 0x100) << (exponent - 1),
    };
    if octet & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// The samples of a capture of one RTP stream in A-law.
///
/// # Panics
/// If it cannot be read, or is another one.
#[must_use]
pub fn read_capture(path: &Path) -> Vec<i16> {
    const HEADERS: usize = 14 + 20 + 8 + 12; // Ethernet, IPv4, UDP, RTP
    let capture = std::fs::read(path).expect("the recording can be read");
    let mut rest = &capture[24..];
    let mut samples = Vec::new();
    while rest.len() >= 16 {
        let length = u32::from_le_bytes([rest[8], rest[9], rest[10], rest[11]]) as usize;
        let payload = &rest[16..16 + length][HEADERS..];
        samples.extend(payload.iter().copied().map(a_law));
        rest = &rest[16 + length..];
    }
    samples
}

/// How well `prompt` is found in `recording`, from 0 (nowhere) to 1 (every sample, at any volume), and from which sample on.
///
/// The prompt's loudest 200 ms fix the place. From there on, and back, each 200 ms of it is correlated with what was recorded around that time
/// (normalised, within 60 ms of its neighbour, as a jitter buffer moves what follows too); the likeness is their mean, weighted by their
/// energy, so that silence neither helps nor harms.
#[must_use]
pub fn find(prompt: &[i16], recording: &[i16]) -> Found {
    assert!(prompt.len() >= BLOCK, "a prompt of less than 200 ms");
    let (prompt, recording) = (to_float(prompt), to_float(recording));
    let loudest = (0..=prompt.len() - BLOCK)
        .step_by(BLOCK / 4)
        .max_by(|a, b| energy(&prompt[*a..a + BLOCK]).total_cmp(&energy(&prompt[*b..b + BLOCK])))
        .expect("a prompt is not shorter than one block");
    let everywhere = 0..recording.len();
    let Some((place, _)) = best_match(&prompt[loudest..loudest + BLOCK], &recording, everywhere)
    else {
        return Found {
            likeness: 0.0,
            start: 0,
        };
    };
    let start = place as isize - loudest as isize;

    let blocks: Vec<&[f32]> = prompt.chunks_exact(BLOCK).collect();
    let middle = loudest / BLOCK;
    let after = likenesses(
        &recording,
        start,
        (middle..blocks.len()).map(|at| (at, blocks[at])),
    );
    let before = likenesses(
        &recording,
        start,
        (0..middle).rev().map(|at| (at, blocks[at])),
    );
    let (mut sum, mut weight) = (0.0, 0.0);
    for (block, likeness) in blocks[middle..]
        .iter()
        .zip(after)
        .chain(blocks[..middle].iter().rev().zip(before))
    {
        sum += likeness * energy(block);
        weight += energy(block);
    }
    Found {
        likeness: sum / weight,
        start: start.max(0) as usize,
    }
}

/// How well each block of a prompt that begins at `start` is found, and each is looked for where the one before it was found.
fn likenesses<'a>(
    recording: &[f32],
    start: isize,
    blocks: impl Iterator<Item = (usize, &'a [f32])>,
) -> Vec<f64> {
    let mut moved = 0;
    blocks
        .map(|(index, block)| {
            let expected = start + (index * BLOCK) as isize + moved;
            let from = (expected - SLACK as isize).max(0) as usize;
            let to = (expected + SLACK as isize + 1).max(0) as usize;
            let Some((place, likeness)) = best_match(block, recording, from..to) else {
                return 0.0;
            };
            if likeness > FOUND {
                moved += place as isize - expected;
            }
            likeness.max(0.0)
        })
        .collect()
}

/// How far `heard` differs from `played`, from its first sample on: the energy of `played` over that of the difference, in dB.
#[must_use]
pub fn snr_db(played: &[i16], heard: &[i16]) -> f64 {
    assert!(heard.len() >= played.len(), "it was not heard to its end");
    let played = to_float(played);
    let noise: Vec<f32> = to_float(heard)
        .iter()
        .zip(&played)
        .map(|(heard, played)| heard - played)
        .collect();
    10.0 * (energy(&played) / energy(&noise)).log10()
}

/// [`snr_db`] of the median of the prompt's 200 ms that are no silence, each of them where it is found best, within 60 ms of its place: a
/// frame that a busy machine lost harms one or two of them only.
#[must_use]
pub fn median_snr_db(played: &[i16], recording: &[i16]) -> f64 {
    let start = find(played, recording).start;
    let floats = to_float(recording);
    let mut blocks: Vec<f64> = played
        .chunks_exact(BLOCK)
        .enumerate()
        .filter(|(_, block)| block.chunks_exact(FRAME).any(is_loud))
        .map(|(index, block)| {
            let expected = start + index * BLOCK;
            let places = expected.saturating_sub(SLACK)..expected + SLACK + 1;
            let best = best_match(&to_float(block), &floats, places);
            best.map_or(0.0, |(place, _)| snr_db(block, &recording[place..]))
        })
        .collect();
    blocks.sort_by(f64::total_cmp);
    let median = blocks.get(blocks.len() / 2);
    *median.expect("a prompt is no silence")
}

/// How much of `samples` is sound and not silence: the blocks of 20 ms above -40 dBFS, in seconds.
#[must_use]
pub fn loud_seconds(samples: &[i16]) -> f64 {
    samples
        .chunks_exact(FRAME)
        .filter(|frame| is_loud(frame))
        .count() as f64
        * 0.02
}

/// The longest silence between sounds, in seconds, counted in the same blocks.
#[must_use]
pub fn longest_pause(samples: &[i16]) -> f64 {
    let loud: Vec<usize> = samples
        .chunks_exact(FRAME)
        .enumerate()
        .filter_map(|(at, frame)| is_loud(frame).then_some(at))
        .collect();
    let pauses = loud.windows(2).map(|pair| pair[1] - pair[0] - 1);
    pauses.max().unwrap_or_default() as f64 * 0.02
}

fn is_loud(frame: &[i16]) -> bool {
    energy(&to_float(frame)) / FRAME as f64 > 1e-4
}

/// Where a prompt was found, and how surely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// 0 to 1.
    pub likeness: f64,
    /// The sample of the recording with which the prompt begins.
    pub start: usize,
}

impl Found {
    /// The energy of what the recording has in common with the prompt over that of the rest, in dB: a delay of less than a sample counts as
    /// noise too.
    #[must_use]
    pub fn snr_db(&self) -> f64 {
        let common = self.likeness.powi(2);
        10.0 * (common / (1.0 - common)).log10()
    }

    /// It was played: the same recording in telephone quality is above 0.95.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.likeness > 0.9
    }

    /// It was not played: other words of the same voice stay below 0.5.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.likeness < 0.6
    }
}

/// The lag within `lags` at which `block` correlates best with `recording`, and the normalised correlation there.
fn best_match(block: &[f32], recording: &[f32], lags: Range<usize>) -> Option<(usize, f64)> {
    let last = recording.len().checked_sub(block.len())?;
    let norm = energy(block).sqrt();
    (lags.start..lags.end.min(last + 1))
        .map(|lag| {
            let heard = &recording[lag..lag + block.len()];
            let scale = norm * energy(heard).sqrt();
            (
                lag,
                if scale > 0.0 {
                    dot(block, heard) / scale
                } else {
                    0.0
                },
            )
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

fn to_float(samples: &[i16]) -> Vec<f32> {
    samples
        .iter()
        .map(|sample| f32::from(*sample) / 32_768.0)
        .collect()
}

fn energy(samples: &[f32]) -> f64 {
    dot(samples, samples)
}

/// Sums in eight lanes, which the compiler can keep in one register.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().map(|lane| f64::from(*lane)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::prompt;

    /// A noisy line: half the volume, coarse steps, 700 samples of something else before it.
    fn over_the_telephone(samples: &[i16]) -> Vec<i16> {
        let before = (0..700).map(|index| (index % 90) as i16 * 20);
        before
            .chain(samples.iter().map(|sample| sample / 2 / 64 * 64))
            .collect()
    }

    #[test]
    fn finds_the_prompt_that_was_played_and_no_other() {
        let names = ["welcome", "sales", "support", "goodbye", "echo"];
        for played in names {
            let recording = over_the_telephone(&prompt(played));
            for sought in names {
                let found = find(&prompt(sought), &recording);
                if sought == played {
                    assert!(
                        found.is_heard() && found.start.abs_diff(700) < 2,
                        "{sought} in {played}: {found:?}"
                    );
                } else {
                    assert!(found.is_absent(), "{sought} in {played}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn half_a_prompt_is_not_the_prompt() {
        let whole = prompt("goodbye");
        let found = find(&whole, &whole[..whole.len() / 2]);
        assert!(!found.is_heard(), "{found:?}");
    }

    #[test]
    fn a_prompt_with_pauses_in_it_is_the_prompt() {
        let whole = prompt("menu");
        let mut paused = whole.clone();
        for at in (1..whole.len() / 8_000).rev() {
            paused.splice(at * 8_000..at * 8_000, [0; 2 * FRAME]);
        }
        assert!(paused.len() > whole.len() + SLACK);
        let found = find(&whole, &paused);
        assert!(found.is_heard(), "{found:?}");
    }

    #[test]
    fn a_lost_frame_does_not_change_the_median_and_noise_does() {
        let played = prompt("goodbye");
        let noisy = |amplitude: i16| -> Vec<i16> {
            let noise = (0..).map(|at: usize| {
                if at * at % 7 < 3 {
                    amplitude
                } else {
                    -amplitude
                }
            });
            played
                .iter()
                .zip(noise)
                .map(|(sample, noise)| sample.saturating_add(noise))
                .collect()
        };
        let mut gap = noisy(30);
        gap.drain(4_000..4_000 + FRAME);
        let [whole, lost, loud] =
            [noisy(30), gap, noisy(300)].map(|heard| median_snr_db(&played, &heard));
        assert!((whole - lost).abs() < 1.0, "{whole} {lost}");
        assert!((whole - loud - 20.0).abs() < 1.0, "{whole} {loud}");
    }

    #[test]
    fn silence_and_nothing_hold_no_prompt() {
        for recording in [vec![], vec![0; 20_000]] {
            assert_eq!(find(&prompt("welcome"), &recording).likeness, 0.0);
        }
    }

    #[test]
    fn a_recording_at_48_khz_is_the_same_at_8() {
        let tone = |rate_hz: f32, frequency_hz: f32| -> Vec<i16> {
            let step = std::f32::consts::TAU * frequency_hz / rate_hz;
            (0..rate_hz as usize)
                .map(|at| ((at as f32 * step).sin() * 8_000.0) as i16)
                .collect()
        };
        for frequency_hz in [300.0, 1_000.0, 3_400.0] {
            let stereo: Vec<i16> = tone(48_000.0, frequency_hz)
                .iter()
                .flat_map(|s| [*s, 0])
                .collect();
            let heard = brought_down(&stereo, 2, 6);
            assert_eq!(heard.len(), 8_000);
            let middle = 1_000..7_000;
            let snr_db = snr_db(&tone(8_000.0, frequency_hz)[middle.clone()], &heard[middle]);
            assert!(snr_db > 40.0, "{frequency_hz} Hz: {snr_db:.1} dB");
        }
        let gone = brought_down(&tone(48_000.0, 5_000.0), 1, 6);
        assert!(gone[1_000..7_000].iter().all(|sample| sample.abs() < 80));
    }

    #[test]
    fn g711_octets_of_the_standard() {
        // ITU-T G.711: the largest, the smallest and the two zeros of each law, on a 16-bit scale.
        let mu = [
            (0x80, 32_124),
            (0x00, -32_124),
            (0xff, 0),
            (0x7f, 0),
            (0xf0, 120),
        ];
        let a = [(0xaa, 32_256), (0x2a, -32_256), (0xd5, 8), (0x55, -8)];
        for (octet, sample) in mu {
            assert_eq!(mu_law(octet), sample, "{octet:#x}");
        }
        for (octet, sample) in a {
            assert_eq!(a_law(octet), sample, "{octet:#x}");
        }
    }
}
