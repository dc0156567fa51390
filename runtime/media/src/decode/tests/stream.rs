//! Files that still come in.

use std::cell::RefCell;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Gives so many bytes at a time, then fails or ends, and says how many it gave.
struct Slow<'a> {
    file: &'a [u8],
    given: &'a AtomicUsize,
    fails: bool,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.file.is_empty() && self.fails {
            return Err(io::Error::other("the line broke"));
        }
        let length = self.file.len().min(buffer.len()).min(1_000);
        buffer[..length].copy_from_slice(&self.file[..length]);
        self.file = &self.file[length..];
        self.given.fetch_add(length, Ordering::Relaxed);
        Ok(length)
    }
}

/// What was decoded, and how many bytes had come when the first of it was there.
fn decode_slowly(file: &[u8], fails: bool) -> (Result<(), MediaError>, Vec<i16>, usize) {
    let given = Default::default();
    let mut source = Slow {
        file,
        given: &given,
        fails,
    };
    let heard = RefCell::new((Vec::new(), 0));
    let limits = DecodeLimits::default();
    let decoded = decode_from(&mut source, None, limits, Rate::Wide, &mut |piece| {
        let (samples, first_at) = &mut *heard.borrow_mut();
        if samples.is_empty() {
            *first_at = given.load(Ordering::Relaxed);
        }
        samples.extend_from_slice(piece);
    });
    let (samples, first_at) = heard.into_inner();
    (decoded, samples, first_at)
}

#[test]
fn every_format_is_decoded_as_it_would_be_whole() {
    for (name, file) in FILES {
        let whole = decode_at(file, None, DecodeLimits::default(), Rate::Wide);
        let (decoded, samples, _) = decode_slowly(file, false);
        assert_eq!(decoded, Ok(()), "{name}");
        assert_eq!(Ok(samples), whole, "{name}");
    }
}

/// Ten seconds of a tone.
fn long_wav() -> Vec<u8> {
    wav_16(1, 8_000, &tone::sine(440.0, 0.5, 80_000))
}

#[test]
fn audio_flows_before_the_file_is_there() {
    let (decoded, samples, first_at) = decode_slowly(&long_wav(), false);
    assert_eq!((decoded, samples.len()), (Ok(()), 160_000));
    assert!(first_at < 70_000, "of 160,000 bytes {first_at} had come");
}

#[test]
fn a_source_that_fails_is_a_file_that_breaks_off() {
    let file = long_wav();
    let (decoded, samples, _) = decode_slowly(&file[..file.len() / 2], true);
    assert_eq!(decoded, Ok(()));
    assert!(
        (60_000..=80_000).contains(&samples.len()),
        "{}",
        samples.len()
    );
    let (decoded, samples, _) = decode_slowly(b"", true);
    assert_eq!(
        decoded,
        Err(MediaError::Malformed("the line broke".to_owned()))
    );
    assert_eq!(samples, []);
    let (decoded, ..) = decode_slowly(b"<html>There is no such file here.</html>", false);
    assert!(
        matches!(decoded, Err(MediaError::Unsupported(_))),
        "{decoded:?}"
    );
}

#[test]
fn more_bytes_than_allowed_are_not_read() {
    let given = Default::default();
    let mut source = Slow {
        file: &[b'x'; 10_000],
        given: &given,
        fails: false,
    };
    let limits = DecodeLimits {
        max_bytes: 3_000,
        ..DecodeLimits::default()
    };
    let decoded = decode_from(&mut source, None, limits, Rate::Wide, &mut |_| {});
    assert!(
        matches!(decoded, Err(MediaError::TooManyBytes { .. })),
        "{decoded:?}"
    );
    assert!(given.load(Ordering::Relaxed) <= 4_000);
}
