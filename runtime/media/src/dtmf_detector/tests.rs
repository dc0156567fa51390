use std::f64::consts::TAU;

use super::*;
use crate::Law;

mod synthesis;
mod talk_off;

use synthesis::Noise;

const KEYS: &str = "0123456789*#ABCD";

/// One press as it arrives. The default is easy.
#[derive(Debug, Clone, Copy)]
struct Press {
    on_ms: f64,
    off_ms: f64,
    low_dbm0: f64,
    high_dbm0: f64,
    /// Of the low and the high frequency, in percent.
    off_percent: [f64; 2],
    /// Noise below the two tones together.
    snr_db: f64,
    dial_tone_dbm0: f64,
}

impl Default for Press {
    fn default() -> Self {
        Self {
            on_ms: 60.0,
            off_ms: 60.0,
            low_dbm0: -10.0,
            high_dbm0: -10.0,
            off_percent: [0.0; 2],
            snr_db: 90.0,
            dial_tone_dbm0: -90.0,
        }
    }
}

/// Of a sine, in 16-bit samples.
fn amplitude(dbm0: f64) -> f64 {
    32_768.0 * 10f64.powf((dbm0 - 3.17) / 20.0)
}

impl Press {
    /// Each key in turn, `rounds` times, at phases of frame and tone that differ from press to press.
    fn audio(&self, keys: &str, rounds: usize, seed: u64) -> Vec<i16> {
        let mut noise = Noise::new(seed);
        let [low, high] = [amplitude(self.low_dbm0), amplitude(self.high_dbm0)];
        let noise_amplitude =
            ((low * low + high * high) / 2.0).sqrt() * 10f64.powf(-self.snr_db / 20.0);
        let dial = amplitude(self.dial_tone_dbm0);
        let mut audio = Vec::new();
        for key in keys.repeat(rounds).chars() {
            let frequencies = crate::tone::frequencies_hz(key).unwrap();
            let hz: [f64; 2] = std::array::from_fn(|tone| {
                frequencies[tone] * (1.0 + self.off_percent[tone] / 100.0)
            });
            let pause = (self.off_ms * 8.0) as usize + noise.below(40);
            let tone = (self.on_ms * 8.0).round() as usize;
            let phases = [noise.uniform() * TAU, noise.uniform() * TAU];
            for n in 0..pause + tone {
                let at = audio.len() as f64 / 8_000.0;
                let mut sample = noise_amplitude * noise.gaussian();
                sample += dial * ((TAU * 350.0 * at).sin() + (TAU * 440.0 * at).sin());
                if n >= pause {
                    sample += low * (TAU * hz[0] * at + phases[0]).sin();
                    sample += high * (TAU * hz[1] * at + phases[1]).sin();
                }
                audio.push(sample.round().clamp(-32_768.0, 32_767.0) as i16);
            }
        }
        audio.extend([0; 800]);
        audio
    }
}

/// The keys found in audio, through G.711 if a law is given.
fn find(audio: &[i16], law: Option<Law>) -> String {
    let mut detector = DtmfDetector::new();
    let mut found = String::new();
    for frame in audio.as_chunks::<SAMPLES_8K>().0 {
        let heard = frame.map(|sample| law.map_or(sample, |law| law.decode(law.encode(sample))));
        found.extend(detector.hear(&heard));
    }
    found
}

/// Every press is found, once, in the clear and through both laws.
fn expect_found(press: Press) {
    for law in [None, Some(Law::Mu), Some(Law::A)] {
        let found = find(&press.audio(KEYS, 5, 1), law);
        assert_eq!(found, KEYS.repeat(5), "{press:?} {law:?}");
    }
}

fn expect_nothing(press: Press) {
    for law in [None, Some(Law::Mu), Some(Law::A)] {
        assert_eq!(find(&press.audio(KEYS, 5, 1), law), "", "{press:?} {law:?}");
    }
}

#[test]
fn durations_from_40_ms_are_found_and_below_23_ms_are_not() {
    for on_ms in [40.0, 41.0, 43.7, 50.0, 75.0, 100.0, 500.0] {
        expect_found(Press {
            on_ms,
            off_ms: 50.0,
            ..Press::default()
        });
    }
    for on_ms in [5.0, 10.0, 15.0, 20.0, 22.9] {
        expect_nothing(Press {
            on_ms,
            ..Press::default()
        });
    }
}

#[test]
fn ten_digits_a_second_are_found_at_every_phase() {
    let press = Press {
        on_ms: 40.0,
        off_ms: 50.0,
        ..Press::default()
    };
    let found = find(&press.audio(KEYS, 60, 7), Some(Law::A));
    assert_eq!(found, KEYS.repeat(60));
}

#[test]
fn levels_down_to_26_dbm0_are_found_and_from_45_on_are_not() {
    for level in [-3.0, -10.0, -20.0, -26.0, -29.0] {
        let press = Press {
            low_dbm0: level,
            high_dbm0: level,
            on_ms: 40.0,
            off_ms: 50.0,
            ..Press::default()
        };
        expect_found(press);
    }
    for level in [-45.0, -55.0] {
        expect_nothing(Press {
            low_dbm0: level,
            high_dbm0: level,
            ..Press::default()
        });
    }
}

/// The high tone is weaker by up to 8 dB, or stronger by up to 4.
#[test]
fn twist_of_8_and_4_db_is_found_and_of_12_and_9_is_not() {
    for twist_db in [8.0, 5.0, 0.0, -2.0, -4.0] {
        for low_dbm0 in [-6.0, -16.0, -26.0] {
            let press = Press {
                low_dbm0,
                high_dbm0: low_dbm0 - twist_db,
                on_ms: 40.0,
                off_ms: 50.0,
                ..Press::default()
            };
            expect_found(press);
        }
    }
    for twist_db in [12.0, 20.0, -9.0, -20.0] {
        expect_nothing(Press {
            high_dbm0: -10.0 - twist_db,
            ..Press::default()
        });
    }
}

#[test]
fn frequencies_1_5_percent_off_are_found_and_3_5_percent_are_not() {
    for off in [-1.5, -1.0, 1.0, 1.5] {
        for off_percent in [[off, 0.0], [0.0, off], [off, off], [off, -off]] {
            let press = Press {
                off_percent,
                on_ms: 40.0,
                off_ms: 50.0,
                ..Press::default()
            };
            expect_found(press);
            expect_found(Press {
                high_dbm0: -18.0,
                ..press
            });
        }
    }
    for off in [-5.0, -4.0, -3.5, 3.5, 4.0, 5.0] {
        for off_percent in [[off, 0.0], [0.0, off], [off, off], [off, -off]] {
            expect_nothing(Press {
                off_percent,
                on_ms: 200.0,
                ..Press::default()
            });
        }
    }
}

#[test]
fn noise_15_db_below_does_not_hide_keys() {
    for (snr_db, high_dbm0) in [(15.0, -10.0), (15.0, -18.0), (15.0, -6.0), (20.0, -10.0)] {
        let press = Press {
            snr_db,
            high_dbm0,
            on_ms: 50.0,
            off_ms: 50.0,
            ..Press::default()
        };
        for seed in 0..10 {
            let found = find(&press.audio(KEYS, 5, seed), Some(Law::Mu));
            assert_eq!(found, KEYS.repeat(5), "{press:?} {seed}");
        }
    }
}

#[test]
fn a_dial_tone_does_not_hide_keys() {
    for dial_tone_dbm0 in [-25.0, -15.0, -10.0] {
        expect_found(Press {
            dial_tone_dbm0,
            on_ms: 50.0,
            off_ms: 50.0,
            ..Press::default()
        });
    }
}

#[test]
fn a_lost_packet_makes_no_second_digit_and_a_pause_does() {
    for (hole, expected) in [(160, "5"), (400, "55")] {
        for at in 800..960 {
            let mut audio = Press {
                on_ms: 300.0,
                ..Press::default()
            }
            .audio("5", 1, 1);
            audio[at..at + hole].fill(0);
            assert_eq!(find(&audio, Some(Law::A)), expected, "{hole} at {at}");
        }
    }
}

#[test]
fn one_tone_alone_or_two_of_a_group_are_no_key() {
    for pair in [
        [697.0, 697.0],
        [697.0, 770.0],
        [1_209.0, 1_209.0],
        [1_209.0, 1_477.0],
        [697.0, 440.0],
        [2_000.0, 1_336.0],
    ] {
        let audio: Vec<i16> = (0..8_000)
            .map(|n| {
                pair.iter()
                    .map(|hz| 4_000.0 * (TAU * hz * f64::from(n) / 8_000.0).sin())
                    .sum::<f64>() as i16
            })
            .collect();
        assert_eq!(find(&audio, None), "", "{pair:?}");
    }
}

#[test]
fn full_scale_square_waves_and_silence_are_no_key() {
    let silence = [0; 8_000];
    let clipped: Vec<i16> = (0..8_000)
        .map(|n| if n / 6 % 2 == 0 { i16::MAX } else { i16::MIN })
        .collect();
    assert_eq!(find(&silence, None), "");
    assert_eq!(find(&clipped, None), "");
}
