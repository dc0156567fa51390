use super::*;
use crate::SAMPLES_8K;
use crate::synthetic::{Chance, noise, over_the_line, speech};
use crate::tone::sine;

const SEEDS: u64 = 25;

/// What is heard from an answered call, piece by piece.
struct Line {
    chance: Chance,
    noise_dbov: f64,
    audio: Vec<i16>,
}

impl Line {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let noise_dbov = chance.between(-75.0, -55.0);
        Self {
            chance,
            noise_dbov,
            audio: Vec::new(),
        }
    }

    /// A length between the two, by chance.
    fn ms(&mut self, low: f64, high: f64) -> usize {
        self.chance.between(low, high) as usize
    }

    fn quiet(&mut self, ms: usize) {
        self.add(&vec![0; ms * 8]);
    }

    fn speech(&mut self, ms: usize) {
        let level = self.chance.between(-32.0, -16.0);
        let said = speech(&mut self.chance, level, ms * 8);
        self.add(&said);
    }

    fn tone(&mut self, frequency_hz: f64, ms: usize) {
        let amplitude = self.chance.between(0.05, 0.4);
        self.add(&sine(frequency_hz, amplitude, ms * 8));
    }

    fn add(&mut self, sound: &[i16]) {
        let line = noise(&mut self.chance, self.noise_dbov, sound.len());
        let mixed = sound.iter().zip(&line).map(|(a, b)| a.saturating_add(*b));
        self.audio.extend(mixed);
    }

    fn length_ms(&self) -> u128 {
        self.audio.len() as u128 / 8
    }

    /// The answer, and after how many milliseconds it came.
    fn answer(&self, options: MachineDetectionOptions) -> Option<(AnsweredBy, u128)> {
        options.check().unwrap();
        let mut detector = MachineDetector::new(options, 8_000);
        let audio = over_the_line(&self.audio);
        let mut answers = audio
            .chunks_exact(SAMPLES_8K)
            .filter_map(|frame| Some((detector.hear(Some(frame))?, detector.elapsed().as_millis())))
            .collect::<Vec<_>>();
        assert!(answers.len() <= 1, "{answers:?}");
        answers.pop()
    }
}

fn message_end() -> MachineDetectionOptions {
    MachineDetectionOptions {
        mode: MachineDetection::DetectMessageEnd,
        ..MachineDetectionOptions::default()
    }
}

/// Both modes give the same answer for it, within a range of times.
#[track_caller]
fn check(line: &Line, seed: u64, expected: AnsweredBy, ms: RangeInclusive<u128>) {
    for options in [MachineDetectionOptions::default(), message_end()] {
        let answer = line.answer(options);
        let (answered_by, at_ms) = answer.expect("an answer");
        assert_eq!(answered_by, expected, "{seed} {:?}", options.mode);
        assert!(ms.contains(&at_ms), "{seed}: {at_ms} in {ms:?}");
    }
}

#[test]
fn a_short_hello_is_human() {
    for seed in 0..SEEDS {
        let mut line = Line::new(seed);
        let wait_ms = line.ms(0.0, 3_000.0);
        line.quiet(wait_ms);
        let said_ms = line.ms(700.0, 1_900.0);
        line.speech(said_ms);
        let said_at = line.length_ms();
        line.quiet(4_000);
        check(
            &line,
            seed,
            AnsweredBy::Human,
            said_at + 800..=said_at + 1_260,
        );
    }
}

#[test]
fn a_long_greeting_is_a_machine() {
    for seed in 0..SEEDS {
        let mut line = Line::new(seed);
        let wait_ms = line.ms(0.0, 1_500.0);
        line.quiet(wait_ms);
        let from = line.length_ms();
        let said_ms = line.ms(4_000.0, 12_000.0);
        line.speech(said_ms);
        let answer = line.answer(MachineDetectionOptions::default());
        let (answered_by, at_ms) = answer.expect("an answer");
        assert_eq!(answered_by, AnsweredBy::MachineStart, "{seed}");
        let late_ms = at_ms - from;
        assert!((2_380..=3_000).contains(&late_ms), "{seed}: {late_ms}");
    }
}

#[test]
fn the_message_ends_with_its_beep() {
    for seed in 0..2 * SEEDS {
        let mut line = Line::new(seed);
        let wait_ms = line.ms(200.0, 1_000.0);
        line.quiet(wait_ms);
        // Every other one is over before it is known to be a machine.
        let shortest_ms = if seed.is_multiple_of(2) {
            800.0
        } else {
            4_000.0
        };
        let said_ms = line.ms(shortest_ms, shortest_ms + 1_000.0);
        line.speech(said_ms);
        let pause_ms = line.ms(0.0, 800.0);
        line.quiet(pause_ms);
        let frequency_hz = line.chance.between(400.0, 2_000.0);
        let beep_ms = line.ms(160.0, 1_200.0);
        line.tone(frequency_hz, beep_ms);
        let over_ms = line.length_ms();
        line.quiet(3_000);
        let is_fax = CALLING_FAX_HZ.contains(&frequency_hz) && seed.is_multiple_of(2);
        if !is_fax {
            let (answered_by, at_ms) = line.answer(message_end()).expect("an answer");
            assert_eq!(
                answered_by,
                AnsweredBy::MachineEndBeep,
                "{seed} {frequency_hz}"
            );
            let range = over_ms.saturating_sub(20)..=over_ms + 40;
            assert!(range.contains(&at_ms), "{seed}: {at_ms} {over_ms}");
        }
    }
}

#[test]
fn a_message_without_a_beep_ends_in_silence() {
    for seed in 0..SEEDS {
        let mut line = Line::new(seed);
        let said_ms = line.ms(4_000.0, 12_000.0);
        line.speech(said_ms);
        let said_at = line.length_ms();
        line.quiet(4_000);
        let (answered_by, at_ms) = line.answer(message_end()).expect("an answer");
        assert_eq!(answered_by, AnsweredBy::MachineEndSilence, "{seed}");
        assert!((said_at + 800..=said_at + 1_260).contains(&at_ms), "{seed}");
    }
}

#[test]
fn what_follows_a_message_may_be_no_beep() {
    for seed in 0..SEEDS {
        let mut line = Line::new(seed);
        line.speech(5_000);
        line.tone(425.0, 6_000);
        let answer = line.answer(message_end()).expect("an answer");
        assert_eq!(answer.0, AnsweredBy::MachineEndOther, "{seed}");
        assert!((8_000..=8_100).contains(&answer.1), "{seed}: {answer:?}");
    }
}

#[test]
fn a_beep_alone_is_a_machine() {
    for seed in 0..SEEDS {
        let mut line = Line::new(seed);
        line.quiet(1_000);
        let frequency_hz = line.chance.between(620.0, 1_050.0);
        line.tone(frequency_hz, 500);
        line.quiet(6_000);
        for (options, expected) in [
            (MachineDetectionOptions::default(), AnsweredBy::MachineStart),
            (message_end(), AnsweredBy::MachineEndBeep),
        ] {
            let answer = line.answer(options).expect("an answer");
            assert_eq!(answer.0, expected, "{seed} {frequency_hz}");
        }
    }
}

#[test]
fn silence_is_nobody_known() {
    for seed in 0..SEEDS {
        let mut line = Line::new(seed);
        line.quiet(8_000);
        check(&line, seed, AnsweredBy::Unknown, 5_000..=5_000);
    }
    let mut detector = MachineDetector::new(MachineDetectionOptions::default(), 8_000);
    let answers: Vec<_> = (0..300).filter_map(|_| detector.hear(None)).collect();
    assert_eq!(answers, [AnsweredBy::Unknown]);
    assert_eq!(detector.elapsed(), Duration::from_secs(5));
}

#[test]
fn fax_machines_are_known_by_their_tones() {
    for seed in 0..SEEDS {
        let mut answering = Line::new(seed);
        answering.quiet(300);
        let frequency_hz = answering.chance.between(2_088.0, 2_112.0);
        answering.tone(frequency_hz, 3_000);
        check(&answering, seed, AnsweredBy::Fax, 600..=760);

        // Its phase turns over every 450 ms.
        let mut turning = Line::new(seed);
        for _ in 0..6 {
            let half = sine(2_100.0, 0.2, 3_600);
            turning.add(&half);
            let turned: Vec<i16> = half.iter().map(|sample| -sample).collect();
            turning.add(&turned);
        }
        check(&turning, seed, AnsweredBy::Fax, 320..=460);

        let mut calling = Line::new(seed);
        calling.quiet(2_000);
        let frequency_hz = calling.chance.between(1_066.0, 1_134.0);
        calling.tone(frequency_hz, 450);
        calling.quiet(3_000);
        check(&calling, seed, AnsweredBy::Fax, 2_320..=2_460);
    }
}

#[test]
fn a_network_that_goes_on_ringing_is_nobody_known() {
    for seed in 0..SEEDS {
        let mut line = Line::new(seed);
        for _ in 0..8 {
            line.tone(425.0, 1_000);
            line.quiet(4_000);
        }
        check(&line, seed, AnsweredBy::Unknown, 30_000..=30_000);
    }
}

#[test]
fn an_endless_message_is_nobody_known_at_last() {
    let mut line = Line::new(1);
    line.speech(20_000);
    let options = MachineDetectionOptions {
        timeout: Duration::from_secs(15),
        ..message_end()
    };
    assert_eq!(line.answer(options), Some((AnsweredBy::Unknown, 15_000)));
}

#[test]
fn the_thresholds_move_the_answer() {
    for seed in 0..SEEDS {
        let mut line = Line::new(seed);
        line.speech(3_000);
        line.quiet(6_000);
        for (speech_ms, end_ms, expected) in [
            (2_000, 500, AnsweredBy::MachineStart),
            (4_000, 500, AnsweredBy::Human),
            (4_000, 5_000, AnsweredBy::Human),
            (6_000, 1_200, AnsweredBy::Human),
        ] {
            let options = MachineDetectionOptions {
                speech_threshold: Duration::from_millis(speech_ms),
                speech_end_threshold: Duration::from_millis(end_ms),
                ..MachineDetectionOptions::default()
            };
            let answer = line.answer(options).expect("an answer");
            assert_eq!(answer.0, expected, "{seed} {speech_ms}");
            if expected == AnsweredBy::Human {
                let due_ms = u128::from(3_000 + end_ms);
                assert!(
                    (due_ms - 400..=due_ms + 60).contains(&answer.1),
                    "{answer:?}"
                );
            }
        }
    }
}

#[test]
fn options_have_twilios_ranges() {
    type Set = fn(&mut MachineDetectionOptions, Duration);
    let rows: [(Set, u64, u64); 4] = [
        (|options, value| options.timeout = value, 3_000, 60_000),
        (
            |options, value| options.speech_threshold = value,
            1_000,
            6_000,
        ),
        (
            |options, value| options.speech_end_threshold = value,
            500,
            5_000,
        ),
        (
            |options, value| options.silence_timeout = value,
            2_000,
            10_000,
        ),
    ];
    for (set, low_ms, high_ms) in rows {
        for (value_ms, fits) in [
            (low_ms - 1, false),
            (low_ms, true),
            (high_ms, true),
            (high_ms + 1, false),
        ] {
            let mut options = MachineDetectionOptions::default();
            set(&mut options, Duration::from_millis(value_ms));
            assert_eq!(options.check().is_ok(), fits, "{options:?}");
        }
    }
    let options = MachineDetectionOptions {
        timeout: Duration::from_secs(2),
        ..MachineDetectionOptions::default()
    };
    let error = options.check().unwrap_err().to_string();
    assert_eq!(
        error,
        "MachineDetectionTimeout is 2000 ms; use 3000 to 60000"
    );
}
