use proptest::prelude::*;

use super::*;
use crate::testing::{snr_db, speech};

fn sine(rate: Rate, frequency_hz: f64, ms: u32) -> Vec<i16> {
    let step = std::f64::consts::TAU * frequency_hz / f64::from(rate.hz());
    (0..rate.samples(ms))
        .map(|n| (10_000.0 * (n as f64 * step).sin()) as i16)
        .collect()
}

/// What is heard of frames of 20 ms of which those that `is_lost` are lost.
fn hear(rate: Rate, samples: &[i16], is_lost: impl Fn(usize) -> bool) -> Vec<i16> {
    let mut concealment = Concealment::new(rate);
    let mut heard = samples.to_vec();
    for (n, frame) in heard.chunks_exact_mut(rate.frame_samples()).enumerate() {
        if is_lost(n) {
            frame.fill(-1);
            concealment.conceal(frame);
        } else {
            concealment.heard(frame);
        }
    }
    heard
}

/// The largest step from one sample to the next.
fn roughest(samples: &[i16]) -> i32 {
    samples
        .windows(2)
        .map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs())
        .max()
        .unwrap()
}

fn power(samples: &[i16]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    sum / samples.len() as f64
}

const RATES: [Rate; 2] = [Rate::Narrow, Rate::Wide];

#[test]
fn without_loss_nothing_is_changed() {
    for rate in RATES {
        let samples = speech(rate, 500);
        assert_eq!(hear(rate, &samples, |_| false), samples);
    }
}

#[test]
fn a_steady_tone_goes_on() {
    for rate in RATES {
        for frequency_hz in [80.0, 125.0, 200.0, 400.0] {
            let samples = sine(rate, frequency_hz, 400);
            let heard = hear(rate, &samples, |n| n == 10);
            let frame = rate.frame_samples();
            let snr_db = snr_db(
                &samples[8 * frame..14 * frame],
                &heard[8 * frame..14 * frame],
                0,
            );
            assert!(snr_db > 15.0, "{rate:?} {frequency_hz}: {snr_db:.1} dB");
        }
    }
}

#[test]
fn gaps_begin_and_end_without_a_click() {
    for rate in RATES {
        let samples = speech(rate, 2_000);
        let smooth = roughest(&samples);
        for gap in 1..=5 {
            let heard = hear(rate, &samples, |n| n % 12 > 11 - gap);
            assert!(
                roughest(&heard) < smooth * 5 / 4,
                "{rate:?} {gap}: {} and {smooth}",
                roughest(&heard)
            );
        }
    }
}

#[test]
fn a_gap_fades_and_is_silent_after_60_ms() {
    for rate in RATES {
        let samples = sine(rate, 125.0, 400);
        let heard = hear(rate, &samples, |n| (10..16).contains(&n));
        let frames: Vec<f64> = heard.chunks(rate.frame_samples()).map(power).collect();
        assert!(frames[10] > frames[9] * 0.7, "{frames:?}");
        assert!(
            frames[11] < frames[10] * 0.6 && frames[12] < frames[11] * 0.4,
            "{frames:?}"
        );
        assert!(frames[12] > 0.0);
        assert_eq!(frames[13..16], [0.0; 3]);
    }
}

#[test]
fn concealed_speech_is_nearer_than_silence() {
    for rate in RATES {
        let samples = speech(rate, 4_000);
        let concealed = hear(rate, &samples, |n| n % 10 == 9);
        let mut silenced = samples.clone();
        for (n, frame) in silenced.chunks_exact_mut(rate.frame_samples()).enumerate() {
            if n % 10 == 9 {
                frame.fill(0);
            }
        }
        let gain_db = snr_db(&samples, &concealed, 0) - snr_db(&samples, &silenced, 0);
        assert!(gain_db > 2.0, "{rate:?}: {gain_db:.1} dB");
    }
}

#[test]
fn silence_and_a_gap_at_the_beginning_stay_silent() {
    for rate in RATES {
        let samples = vec![0; rate.samples(200)];
        assert_eq!(hear(rate, &samples, |n| n % 2 == 0), samples);
    }
}

proptest! {
    /// Any audio and any losses, in pieces of any length: nothing overflows, and what is heard long after a gap is untouched.
    #[test]
    fn any_audio_can_be_lost(
        pieces in proptest::collection::vec((any::<bool>(), 1usize..500, any::<i16>()), 1..20),
        wide in any::<bool>(),
    ) {
        let rate = if wide { Rate::Wide } else { Rate::Narrow };
        let mut concealment = Concealment::new(rate);
        for (n, (is_lost, length, sample)) in pieces.into_iter().enumerate() {
            let mut piece: Vec<i16> = (0..length).map(|m| if (m + n) % 3 == 0 { sample } else { !sample }).collect();
            if is_lost {
                concealment.conceal(&mut piece);
            } else {
                let before = piece.clone();
                concealment.heard(&mut piece);
                let blended = rate.samples(10).min(length);
                prop_assert_eq!(&piece[blended..], &before[blended..]);
            }
        }
    }
}
