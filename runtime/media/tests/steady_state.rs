//! What a media thread does every 20 ms allocates nothing; counted by the allocator of this binary.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that cannot set up its case fails the test"
)]

use jackfield_media::{
    MachineDetection, MachineDetectionOptions, MachineDetector, Mixer, PauseBehavior, Recorder,
    RecordingChannels, RecordingOptions, SAMPLES_8K, Seat, tone,
};

#[track_caller]
fn allocates_nothing(work: impl FnMut()) {
    let spent = allocation_counter::measure(work);
    assert_eq!(spent.count_total, 0, "{spent:?}");
}

#[test]
fn a_conference() {
    let mut mixer = Mixer::new(250, 8_000, Some(10));
    let seats: Vec<Seat> = (0..250).map(|_| mixer.join().unwrap()).collect();
    mixer.set_coach(seats[7], Some(seats[8]));
    mixer.set_held(seats[9], true);
    let voice = tone::sine(440.0, 0.2, SAMPLES_8K);
    let mut frame = [0; SAMPLES_8K];
    allocates_nothing(|| {
        for round in 0..20 {
            mixer.set_muted(seats[round], true);
            for seat in &seats[round..] {
                mixer.hear(*seat, &voice);
            }
            mixer.mix(Some(&voice));
            for seat in &seats {
                mixer.write(*seat, Some(&voice), &mut frame);
            }
            while mixer.poll().is_some() {}
        }
    });
}

#[test]
fn a_recording() {
    let options = RecordingOptions {
        channels: RecordingChannels::Dual,
        ..RecordingOptions::of_verb()
    };
    let mut recorder = Recorder::new(options, 8_000);
    let voice = tone::sine(440.0, 0.2, SAMPLES_8K);
    let mut frame = [0; SAMPLES_8K];
    let mut samples = 0;
    allocates_nothing(|| {
        for round in 0..1_000 {
            if round == 500 {
                recorder.pause(PauseBehavior::Silence);
            }
            let block = recorder.hear(round + round / 100 * 5, Some(&voice), None);
            samples += block.samples.len() as u64 + block.silence_samples;
            recorder.beep(&mut frame);
            recorder.press('x');
        }
    });
    assert!(samples > 0);
}

#[test]
fn listening_for_a_machine() {
    let options = MachineDetectionOptions {
        mode: MachineDetection::DetectMessageEnd,
        ..MachineDetectionOptions::default()
    };
    let mut detector = MachineDetector::new(options, 8_000);
    let tone = tone::sine(425.0, 0.2, SAMPLES_8K);
    let mut answers = 0;
    allocates_nothing(|| {
        for round in 0..1_600 {
            let frame = (round % 200 < 50).then_some(tone.as_slice());
            answers += u32::from(detector.hear(frame).is_some());
        }
    });
    assert_eq!(answers, 1);
}
