//! Looks for keys in recordings that hold none: `cargo run --release -p jackfield-media --example talk_off -- FILE…`
//!
//! Each file (WAV, MP3, Ogg Vorbis, FLAC, AAC) is heard as it is and 12 dB softer, through µ-law and A-law. Prints every key that was taken out of
//! it, and at the end how much was heard. Exit status 1 means that some file could not be read.

use std::process::ExitCode;
use std::time::Duration;

use jackfield_media::{DecodeLimits, DtmfDetector, Law, decode};

const SAMPLES_PER_FRAME: usize = 160;
const FRAMES_PER_HOUR: f64 = 180_000.0;
const LIMITS: DecodeLimits = DecodeLimits {
    max_bytes: 1 << 30,
    max_duration: Duration::from_secs(7_200),
};

fn main() -> ExitCode {
    let (mut frames, mut keys, mut unread) = (0, 0, 0);
    for path in std::env::args().skip(1) {
        let audio = std::fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| decode(&bytes, None, LIMITS).map_err(|error| error.to_string()));
        let audio = match audio {
            Ok(audio) => audio,
            Err(reason) => {
                eprintln!("{path}: {reason}");
                unread += 1;
                continue;
            }
        };
        for (law, parts) in [(Law::Mu, 1), (Law::Mu, 4), (Law::A, 1), (Law::A, 4)] {
            let found = keys_in(&audio, law, parts);
            for (key, frame) in &found {
                println!(
                    "{path}: {key} at {:.2} s, {law:?}-law, a {parts}th as loud",
                    *frame as f64 * 0.02
                );
            }
            keys += found.len();
        }
        frames += audio.len() / SAMPLES_PER_FRAME;
    }
    println!(
        "{keys} keys in {:.2} hours, heard four times each; {unread} files not read",
        frames as f64 / FRAMES_PER_HOUR
    );
    if unread == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The keys and the frames they were found in.
fn keys_in(audio: &[i16], law: Law, parts: i16) -> Vec<(char, usize)> {
    let mut detector = DtmfDetector::new();
    let frames = audio.as_chunks::<SAMPLES_PER_FRAME>().0.iter().enumerate();
    frames
        .filter_map(|(at, frame)| {
            let heard = frame.map(|sample| law.decode(law.encode(sample / parts)));
            Some((detector.hear(&heard)?, at))
        })
        .collect()
}
