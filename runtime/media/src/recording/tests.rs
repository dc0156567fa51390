use super::*;
use crate::synthetic::{Chance, noise, over_the_line, speech};
use crate::tone::sine;
use crate::{SAMPLES_8K, SILENCE_DBOV, level_dbov};

/// A recorder and the file it fills.
struct Rig {
    recorder: Recorder,
    round: u64,
    file: Vec<i16>,
}

impl Rig {
    fn new(options: RecordingOptions) -> Self {
        Self {
            recorder: Recorder::new(options, 8_000),
            round: 1_000,
            file: Vec::new(),
        }
    }

    fn hear(&mut self, caller: Option<&[i16]>, callee: Option<&[i16]>) {
        self.round += 1;
        let channels = self.recorder.width() / SAMPLES_8K;
        let block = self.recorder.hear(self.round, caller, callee);
        let silence = block.silence_samples as usize * channels;
        self.file.resize(self.file.len() + silence, 0);
        self.file.extend_from_slice(block.samples);
    }

    /// Plays audio of the caller's up to its end, or the recording's. Returns the frames that were taken.
    fn say(&mut self, audio: &[i16]) -> usize {
        for (n, frame) in audio.chunks_exact(SAMPLES_8K).enumerate() {
            if self.recorder.ended().is_some() {
                return n;
            }
            self.hear(Some(frame), None);
        }
        audio.len() / SAMPLES_8K
    }

    /// The end, and the file cut to it.
    fn end(mut self) -> (Recorded, Vec<i16>) {
        self.recorder.stop(RecordingEnd::HungUp);
        let recorded = self.recorder.ended().unwrap();
        let channels = self.recorder.width() / SAMPLES_8K;
        let kept = recorded.samples as usize * channels;
        assert!(kept <= self.file.len(), "{kept} {}", self.file.len());
        self.file.truncate(kept);
        (recorded, self.file)
    }
}

fn plain() -> RecordingOptions {
    RecordingOptions::of_call(RecordingChannels::Mono)
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

fn words(seed: u64, ms: usize) -> Vec<i16> {
    over_the_line(&speech(&mut Chance::new(seed), -24.0, ms * 8))
}

fn quiet(seed: u64, ms: usize) -> Vec<i16> {
    over_the_line(&noise(&mut Chance::new(seed), -65.0, ms * 8))
}

#[test]
fn everything_is_recorded_as_it_was() {
    for seed in 0..5 {
        let audio = words(seed, 3_000);
        let mut rig = Rig::new(plain());
        assert_eq!(rig.say(&audio), 150);
        let (recorded, file) = rig.end();
        assert_eq!(file, audio);
        assert_eq!(
            (recorded.end, recorded.duration(), recorded.heard_voice),
            (RecordingEnd::HungUp, Duration::from_secs(3), true)
        );
    }
}

#[test]
fn it_ends_for_every_reason() {
    let verb = RecordingOptions {
        beep: false,
        ..RecordingOptions::of_verb()
    };
    let endless = RecordingOptions {
        silence_timeout: None,
        ..verb.clone()
    };
    let short = RecordingOptions {
        max_length: seconds(4),
        trim_silence: false,
        ..verb.clone()
    };
    for seed in 0..10 {
        let said = [words(seed, 2_000), quiet(seed, 20_000)].concat();
        for (options, end, taken) in [
            (&verb, RecordingEnd::Silence, 330..=350),
            (&endless, RecordingEnd::HungUp, 1_100..=1_100),
            (&short, RecordingEnd::MaxLength, 200..=200),
        ] {
            let mut rig = Rig::new(options.clone());
            let frames = rig.say(&said);
            assert!(taken.contains(&frames), "{seed} {end:?}: {frames}");
            assert_eq!(rig.end().0.end, end, "{seed}");
        }
    }
}

#[test]
fn only_its_keys_end_it_and_the_first_end_counts() {
    for (keys, pressed, expected) in [
        ("1234567890*#", "5", Some(RecordingEnd::Key('5'))),
        ("#", "12*#", Some(RecordingEnd::Key('#'))),
        ("", "123#", None),
        ("12", "21", Some(RecordingEnd::Key('2'))),
    ] {
        let mut recorder = Recorder::new(
            RecordingOptions {
                finish_keys: keys.to_owned(),
                ..plain()
            },
            8_000,
        );
        pressed.chars().for_each(|key| recorder.press(key));
        assert_eq!(recorder.ended().map(|ended| ended.end), expected, "{keys}");
        recorder.stop(RecordingEnd::Stopped);
        let end = expected.unwrap_or(RecordingEnd::Stopped);
        assert_eq!(recorder.ended().map(|ended| ended.end), Some(end));
        let block = recorder.hear(1, Some(&[9; SAMPLES_8K]), None);
        assert_eq!(block, RecordedBlock::default(), "nothing follows the end");
    }
}

#[test]
fn silence_around_speech_is_trimmed_to_a_margin() {
    for seed in 0..10 {
        let mut chance = Chance::new(seed);
        let lead_ms = 20 * chance.between(0.0, 300.0) as usize;
        let tail_ms = 20 * chance.between(0.0, 200.0) as usize;
        let said = words(seed, 3_000);
        let audio = [quiet(seed, lead_ms), said, quiet(seed + 1, tail_ms)].concat();
        let mut rig = Rig::new(RecordingOptions {
            trim_silence: true,
            ..plain()
        });
        rig.say(&audio);
        let (recorded, file) = rig.end();
        let at = audio.windows(file.len()).position(|part| part == file);
        let start_ms = at.expect("it is one piece of what was said") / 8;
        let end_ms = start_ms + file.len() / 8;
        assert!(start_ms <= lead_ms, "{seed}: {start_ms} {lead_ms}");
        assert!(start_ms + 300 > lead_ms, "{seed}: {start_ms} {lead_ms}");
        // The last syllable may fade, or a gap follow it.
        let said_ms = lead_ms + 3_000;
        assert!(end_ms <= said_ms + 220, "{seed}: {end_ms} {said_ms}");
        assert!(end_ms + 350 > said_ms, "{seed}: {end_ms} {said_ms}");
        assert!(recorded.heard_voice);
    }
}

#[test]
fn what_was_before_a_gap_does_not_join_what_is_behind_it() {
    let mut rig = Rig::new(RecordingOptions {
        trim_silence: true,
        ..plain()
    });
    rig.say(&[3; 5 * SAMPLES_8K]);
    rig.round += 50;
    let said = sine(300.0, 0.3, 10 * SAMPLES_8K);
    rig.say(&said);
    assert_eq!(rig.end().1, said);
}

#[test]
fn silence_alone_is_trimmed_to_nothing() {
    let mut rig = Rig::new(RecordingOptions {
        beep: false,
        ..RecordingOptions::of_verb()
    });
    assert_eq!(rig.say(&quiet(1, 20_000)), 250, "five seconds");
    let (recorded, file) = rig.end();
    assert_eq!(
        (recorded.end, recorded.samples, recorded.heard_voice),
        (RecordingEnd::Silence, 0, false)
    );
    assert!(file.is_empty());
}

#[test]
fn a_pause_is_skipped_or_silent_and_stops_the_clock_of_silence() {
    for (behavior, frames) in [(PauseBehavior::Skip, 100), (PauseBehavior::Silence, 600)] {
        let options = RecordingOptions {
            silence_timeout: seconds(5),
            ..plain()
        };
        let mut rig = Rig::new(options);
        let audio = words(3, 2_000);
        rig.say(&audio[..8_000]);
        rig.recorder.pause(behavior);
        rig.say(&words(4, 10_000));
        rig.recorder.resume();
        rig.say(&audio[8_000..]);
        let (recorded, file) = rig.end();
        assert_eq!(recorded.end, RecordingEnd::HungUp, "{behavior:?}");
        assert_eq!(file.len(), frames * SAMPLES_8K, "{behavior:?}");
        assert_eq!(file[..8_000], audio[..8_000]);
        assert_eq!(file[file.len() - 8_000..], audio[8_000..]);
        let middle = &file[8_000..file.len() - 8_000];
        assert!(middle.iter().all(|sample| *sample == 0));
    }
}

#[test]
fn both_sides_stay_together_whatever_comes() {
    // Each frame is filled with its round's number; the callee's negative. By chance either is missing, or rounds are.
    for seed in 0..50 {
        let mut chance = Chance::new(seed);
        let mut rig = Rig::new(RecordingOptions::of_call(RecordingChannels::Dual));
        let mut expected = Vec::new();
        for _ in 0..200 {
            if chance.between(0.0, 1.0) < 0.05 {
                let missed = chance.between(1.0, 30.0) as u64;
                rig.round += missed;
                let missed = missed as usize * !expected.is_empty() as usize;
                expected.resize(expected.len() + missed, (0, 0));
            }
            let number = (rig.round % 10_000) as i16;
            let caller = (chance.between(0.0, 1.0) < 0.7).then_some([number; SAMPLES_8K]);
            let callee = (chance.between(0.0, 1.0) < 0.3).then_some([-number; SAMPLES_8K]);
            rig.hear(
                caller.as_ref().map(<[i16; SAMPLES_8K]>::as_slice),
                callee.as_ref().map(<[i16; SAMPLES_8K]>::as_slice),
            );
            expected.push((
                caller.map_or(0, |frame| frame[0]),
                callee.map_or(0, |frame| frame[0]),
            ));
        }
        let (recorded, file) = rig.end();
        assert_eq!(recorded.samples as usize, expected.len() * SAMPLES_8K);
        for (n, pair) in file.chunks_exact(2).enumerate() {
            assert_eq!((pair[0], pair[1]), expected[n / SAMPLES_8K], "{seed} {n}");
        }
    }
}

#[test]
fn voices_share_a_file_as_told() {
    let (caller, callee) = ([1_000; SAMPLES_8K], [-300; SAMPLES_8K]);
    for (tracks, channels, expected) in [
        (RecordingTracks::Both, RecordingChannels::Mono, [700, 700]),
        (RecordingTracks::Caller, RecordingChannels::Mono, [1_000; 2]),
        (RecordingTracks::Callee, RecordingChannels::Mono, [-300; 2]),
        (
            RecordingTracks::Both,
            RecordingChannels::Dual,
            [1_000, -300],
        ),
        (RecordingTracks::Caller, RecordingChannels::Dual, [1_000, 0]),
        (RecordingTracks::Callee, RecordingChannels::Dual, [0, -300]),
    ] {
        let mut rig = Rig::new(RecordingOptions {
            tracks,
            ..RecordingOptions::of_call(channels)
        });
        rig.hear(Some(&caller), Some(&callee));
        let (_, file) = rig.end();
        assert_eq!(file[..2], expected, "{tracks:?} {channels:?}");
    }
}

#[test]
fn two_loud_voices_do_not_overflow() {
    let mut rig = Rig::new(plain());
    rig.hear(Some(&[i16::MAX; SAMPLES_8K]), Some(&[i16::MAX; SAMPLES_8K]));
    assert_eq!(rig.end().1, [31_401; SAMPLES_8K]);
}

#[test]
fn only_recorded_voices_keep_it_going() {
    for (tracks, ends) in [
        (RecordingTracks::Both, false),
        (RecordingTracks::Caller, true),
        (RecordingTracks::Callee, false),
    ] {
        let mut recorder = Recorder::new(
            RecordingOptions {
                tracks,
                silence_timeout: seconds(2),
                ..plain()
            },
            8_000,
        );
        let voice = words(7, 6_000);
        for (round, frame) in (0..).zip(voice.chunks_exact(SAMPLES_8K)) {
            recorder.hear(round, None, Some(frame));
        }
        assert_eq!(recorder.ended().is_some(), ends, "{tracks:?}");
    }
}

#[test]
fn a_beep_of_half_a_second_comes_first_and_is_not_recorded() {
    let mut rig = Rig::new(RecordingOptions {
        beep: true,
        ..plain()
    });
    let voice = sine(300.0, 0.3, SAMPLES_8K);
    let mut beep = Vec::new();
    let mut frame = [0; SAMPLES_8K];
    for _ in 0..60 {
        rig.hear(Some(&voice), None);
        if rig.recorder.beep(&mut frame) {
            assert!(rig.file.is_empty());
            beep.extend_from_slice(&frame);
        }
    }
    assert_eq!(beep.len(), 4_000);
    assert_eq!(rig.file.len(), (60 - 26) * SAMPLES_8K);
    assert!(level_dbov(&beep) > -18.0);
    let steps = beep.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    assert!(steps.max() < Some(6_000), "no click within");
    assert!(beep[0].abs() < 200 && beep[3_999].abs() < 200, "nor around");
}

#[test]
fn a_length_counts_what_was_missed() {
    let mut rig = Rig::new(RecordingOptions {
        max_length: seconds(2),
        ..plain()
    });
    rig.hear(None, None);
    rig.round += 1_000;
    rig.hear(Some(&[5; SAMPLES_8K]), None);
    let (recorded, file) = rig.end();
    assert_eq!(
        (recorded.end, recorded.duration()),
        (RecordingEnd::MaxLength, Duration::from_secs(2))
    );
    assert_eq!(level_dbov(&file), SILENCE_DBOV);
}

#[test]
fn a_length_of_frames_at_other_rates() {
    for rate_hz in [16_000, 48_000] {
        let mut recorder = Recorder::new(plain(), rate_hz);
        let frame = vec![3; rate_hz as usize / 50];
        for round in 0..50 {
            assert_eq!(recorder.hear(round, Some(&frame), None).samples, frame);
        }
        recorder.stop(RecordingEnd::Stopped);
        assert_eq!(recorder.ended().unwrap().duration(), Duration::from_secs(1));
    }
}
