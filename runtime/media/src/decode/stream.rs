//! Decoding a file that still comes in.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use symphonia::core::io::ReadOnlySource;

use super::{DecodeLimits, MediaError, decode_at, decode_guarded};
use crate::Rate;

/// Decodes what `source` gives to mono at a rate while it comes in: `sink` gets it piece by piece. Blocks where `source` does.
///
/// A file that needs to be there whole before it can be decoded (MP4 with its index at the end) is read to its end first. A source
/// that fails is a file that breaks off there. `hint` and limits are those of [`decode_at`]; `sink` may have got audio before an error.
///
/// # Errors
/// As [`decode_at`]; where the source fails before there was any audio, [`MediaError::Malformed`] in its words.
pub fn decode_from(
    source: &mut (impl Read + Send + Sync),
    hint: Option<&str>,
    limits: DecodeLimits,
    rate: Rate,
    sink: &mut dyn FnMut(&[i16]),
) -> Result<(), MediaError> {
    let mut kept = Vec::new();
    let flows = AtomicBool::new(false);
    let mut counted = |piece: &[i16]| {
        flows.store(true, Ordering::Relaxed);
        sink(piece);
    };
    let reader = Keeping {
        source,
        kept: &mut kept,
        max_bytes: limits.max_bytes,
        flows: &flows,
    };
    let reader = Box::new(ReadOnlySource::new(reader));
    let decoded = decode_guarded(reader, hint, limits, rate, &mut counted);
    if decoded.is_ok() || flows.load(Ordering::Relaxed) {
        return decoded;
    }
    let rest = source
        .take((limits.max_bytes + 1).saturating_sub(kept.len()) as u64)
        .read_to_end(&mut kept);
    rest.map_err(|error| MediaError::Malformed(error.to_string()))?;
    sink(&decode_at(&kept, hint, limits, rate)?);
    Ok(())
}

/// Reads, and keeps what it read until audio flows.
struct Keeping<'a, R> {
    source: &'a mut R,
    kept: &'a mut Vec<u8>,
    max_bytes: usize,
    flows: &'a AtomicBool,
}

impl<R: Read> Read for Keeping<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        if !self.flows.load(Ordering::Relaxed) {
            self.kept.extend_from_slice(&buffer[..length]);
        }
        if self.kept.len() > self.max_bytes {
            return Err(io::Error::other("more bytes than are decoded"));
        }
        Ok(length)
    }
}
