//! What those hear who wait, where nobody gave other music: slow broken chords, computed, so that it belongs to nobody.

use std::f64::consts::TAU;

use crate::{Rate, to_i16};

/// The rate of the music.
pub const WAIT_MUSIC_RATE: Rate = Rate::Wide;

/// From one note to the next.
const STEP_S: f64 = 0.5;
/// A note falls to a third in this time.
const DECAY_S: f64 = 0.9;
/// A note swells for this long: no click.
const ATTACK_S: f64 = 0.02;
/// Nothing is heard of a note after this.
const LENGTH_S: f64 = 4.0;
/// Of full scale, for the loudest moment of one note; about six sound at a time.
const AMPLITUDE: f64 = 0.05;

/// Four chords, each as eight notes, in semitones from A at 220 Hz: C, A minor, F, G.
const NOTES: [[i32; 8]; 4] = [
    [3, 7, 10, 15, 19, 15, 10, 7],
    [0, 3, 7, 12, 15, 12, 7, 3],
    [-4, 3, 8, 12, 15, 12, 8, 3],
    [-2, 5, 10, 14, 17, 14, 10, 5],
];

/// 16 seconds at [`WAIT_MUSIC_RATE`] that join onto themselves.
#[must_use]
pub fn wait_music() -> Vec<i16> {
    let rate_hz = f64::from(WAIT_MUSIC_RATE.hz());
    let step = (STEP_S * rate_hz) as usize;
    let mut sum = vec![0.0; NOTES.as_flattened().len() * step];
    for (at, semitones) in NOTES.as_flattened().iter().enumerate() {
        let frequency_hz = 220.0 * (f64::from(*semitones) / 12.0).exp2();
        for n in 0..(LENGTH_S * rate_hz) as usize {
            let place = (at * step + n) % sum.len(); // the last notes sound into the beginning
            sum[place] += note(frequency_hz, n as f64 / rate_hz);
        }
    }
    sum.into_iter()
        .map(|sample| to_i16(sample as f32))
        .collect()
}

/// A note this many seconds after its beginning.
fn note(frequency_hz: f64, seconds: f64) -> f64 {
    let swell = (seconds / ATTACK_S).min(1.0);
    let end = ((LENGTH_S - seconds) / ATTACK_S).min(1.0);
    let level = AMPLITUDE * swell * end * (-seconds / DECAY_S).exp();
    let turns = frequency_hz * seconds;
    level
        * ((TAU * turns).sin() + 0.3 * (TAU * 2.0 * turns).sin() + 0.1 * (TAU * 3.0 * turns).sin())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level_dbov;

    #[test]
    fn it_is_gentle_from_beginning_to_end() {
        let music = wait_music();
        assert_eq!(music.len(), 16 * WAIT_MUSIC_RATE.hz() as usize);
        for (second, piece) in music.chunks(WAIT_MUSIC_RATE.hz() as usize).enumerate() {
            let level = level_dbov(piece);
            assert!((-32.0..-18.0).contains(&level), "second {second}: {level}");
        }
        let loudest = music.iter().map(|sample| sample.unsigned_abs()).max();
        assert!(loudest < Some(12_000), "{loudest:?}");
    }

    #[test]
    fn it_joins_onto_itself_without_a_click() {
        let music = wait_music();
        let step = |pair: (&i16, &i16)| (i32::from(*pair.0) - i32::from(*pair.1)).abs();
        let largest = music.iter().zip(&music[1..]).map(step).max().unwrap();
        let seam = step((&music[music.len() - 1], &music[0]));
        assert!(seam <= largest && largest < 3_000, "{seam} {largest}");
    }
}
