//! What is no key must not be taken for one.
//!
//! Hours of recordings are heard by hand, with the example `talk_off`; what it found stands in `docs/benchmarks.md`.

use super::synthesis::{music, speech};
use super::*;

/// The keys found in so many pieces of 20 s, each of another seed.
fn false_keys(
    seeds: std::ops::Range<u64>,
    piece: impl Fn(u64, usize) -> Vec<i16>,
) -> Vec<(u64, String)> {
    seeds
        .map(|seed| (seed, find(&piece(seed, 20), Some(Law::Mu))))
        .filter(|(_, found)| !found.is_empty())
        .collect()
}

#[test]
fn ten_minutes_of_talk_hold_no_key() {
    assert_eq!(false_keys(0..30, speech), []);
}

#[test]
fn ten_minutes_of_music_hold_no_key() {
    assert_eq!(false_keys(0..30, music), []);
}

#[test]
fn keys_over_talk_20_db_below_are_found() {
    let keys = Press {
        on_ms: 80.0,
        off_ms: 80.0,
        ..Press::default()
    }
    .audio(KEYS, 3, 1);
    let talk = speech(3, keys.len() / 8_000 + 1);
    let gain = 0.1 * amplitude(-10.0) / 5_000.0;
    let mixed: Vec<i16> = keys
        .iter()
        .zip(&talk)
        .map(|(key, talk)| key + (f64::from(*talk) * gain) as i16)
        .collect();
    assert_eq!(find(&mixed, Some(Law::A)), KEYS.repeat(3));
}
