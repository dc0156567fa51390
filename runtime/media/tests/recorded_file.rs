//! A recorder and the file it fills, killed in any round.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that cannot set up its case fails the test"
)]

use jackfield_media::{
    Recorder, RecordingChannels, RecordingEnd, RecordingOptions, SAMPLES_8K, WavEncoding, WavFile,
    WavFormat, WavRepairError, repair_wav, tone,
};

const FORMAT: WavFormat = WavFormat {
    rate_hz: 8_000,
    channels: 2,
    encoding: WavEncoding::Pcm16,
};

/// What is on the disk after so many rounds, a block of a second written at a time; and the recorder.
fn disk_after(rounds: u64) -> (Vec<u8>, WavFile, Recorder) {
    let options = RecordingOptions {
        trim_silence: true,
        ..RecordingOptions::of_call(RecordingChannels::Dual)
    };
    let mut recorder = Recorder::new(options, FORMAT.rate_hz);
    let mut file = WavFile::new(FORMAT);
    let mut disk = Vec::new();
    let voice = tone::sine(400.0, 0.3, SAMPLES_8K);
    for round in 0..rounds {
        let block = recorder.hear(round, Some(&voice), None);
        file.push_silence(block.silence_samples).unwrap();
        file.push(block.samples).unwrap();
        if round.is_multiple_of(50) {
            write(&mut disk, &mut file);
        }
    }
    (disk, file, recorder)
}

fn write(disk: &mut Vec<u8>, file: &mut WavFile) {
    let (offset, bytes) = file.unwritten();
    assert_eq!(offset, disk.len() as u64);
    disk.extend_from_slice(bytes);
    file.written();
}

#[test]
fn at_most_a_second_is_lost() {
    for rounds in 1..200u64 {
        let (disk, file, _) = disk_after(rounds);
        let head = &disk[..disk.len().min(58)];
        let kept = match repair_wav(head, disk.len() as u64) {
            Ok(end) => end.samples,
            Err(WavRepairError::NoAudio) => 0,
            Err(error) => panic!("{rounds}: {error}"),
        };
        assert!(file.samples() - kept <= 8_000, "{rounds}: {kept}");
        assert!(kept + 8_000 + 160 >= rounds * 160, "{rounds}: {kept}");
    }
}

#[test]
fn a_recording_that_ends_is_whole() {
    let (mut disk, mut file, mut recorder) = disk_after(123);
    recorder.stop(RecordingEnd::HungUp);
    let recorded = recorder.ended().unwrap();
    write(&mut disk, &mut file);
    let end = file.finish(recorded.samples);
    let header = end.header.as_bytes();
    disk[..header.len()].copy_from_slice(header);
    disk.resize(end.file_bytes as usize, 0);
    assert_eq!(recorded.duration().as_millis(), 123 * 20);
    let again = repair_wav(&disk[..58], disk.len() as u64).unwrap();
    assert_eq!(
        (again.samples, again.file_bytes),
        (recorded.samples, disk.len() as u64)
    );
}
