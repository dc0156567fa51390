//! Decoding the files that prompts come from.

mod stream;

use std::io::{Cursor, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

use crate::Rate;
use crate::resample::{MAX_RATE_HZ, MIN_RATE_HZ, Resampler};

pub use stream::decode_from;

/// The formats we name when a file is in another.
const FORMATS: &str = "WAV (PCM, µ-law, A-law, ADPCM), MP3, Ogg Vorbis, FLAC or AAC (ADTS, MP4)";

/// Broken packets in a row after which a file is given up.
const MAX_BROKEN_PACKETS: u32 = 1_000;

/// How much is decoded before a file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Bytes of the file.
    pub max_bytes: usize,
    /// Length of the audio. Bounds memory to 16 kB a second at 8 kHz.
    pub max_duration: Duration,
}

impl Default for DecodeLimits {
    /// 25 MiB and 60 minutes.
    fn default() -> Self {
        Self {
            max_bytes: 25 << 20,
            max_duration: Duration::from_secs(3_600),
        }
    }
}

/// Why a file gives no audio.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The file is larger than allowed.
    #[error("the file has {bytes} bytes, more than the {max_bytes} allowed")]
    TooManyBytes {
        /// Of the file.
        bytes: usize,
        /// Allowed.
        max_bytes: usize,
    },
    /// The audio is longer than allowed.
    #[error("the audio is longer than the {} seconds allowed", .0.as_secs())]
    TooLong(Duration),
    /// Neither container nor codec is one of ours.
    #[error("unsupported format ({0}); use {FORMATS}")]
    Unsupported(String),
    /// The sample rate is not 4 to 192 kHz.
    #[error("unsupported sample rate {0} Hz")]
    Rate(u32),
    /// The file is broken.
    #[error("malformed audio file: {0}")]
    Malformed(String),
    /// There is no sample in it.
    #[error("the file holds no audio")]
    Empty,
}

/// Decodes a file to 8 kHz mono, as [`decode_at`] does.
///
/// # Errors
/// As [`decode_at`].
pub fn decode(
    bytes: &[u8],
    hint: Option<&str>,
    limits: DecodeLimits,
) -> Result<Vec<i16>, MediaError> {
    decode_at(bytes, hint, limits, Rate::Narrow)
}

/// Decodes a file to mono at a rate: channels are averaged, the rate is converted. Takes its time: not for a thread that
/// paces media.
///
/// `hint` is a file extension (`mp3`) or a media type (`audio/mpeg`) and only speeds the search up. A file that breaks
/// off is decoded as far as it goes, but for MP4.
///
/// # Errors
/// If a limit is exceeded, the format is not supported, or nothing could be decoded.
pub fn decode_at(
    bytes: &[u8],
    hint: Option<&str>,
    limits: DecodeLimits,
    rate: Rate,
) -> Result<Vec<i16>, MediaError> {
    if bytes.len() > limits.max_bytes {
        return Err(MediaError::TooManyBytes {
            bytes: bytes.len(),
            max_bytes: limits.max_bytes,
        });
    }
    let mut samples = Vec::new();
    let mut keep = |piece: &[i16]| samples.extend_from_slice(piece);
    decode_guarded(Box::new(Cursor::new(bytes)), hint, limits, rate, &mut keep)?;
    Ok(samples)
}

/// Decodes into `sink`, piece by piece.
fn decode_guarded<'a>(
    source: Box<dyn MediaSource + 'a>,
    hint: Option<&str>,
    limits: DecodeLimits,
    rate: Rate,
    sink: &mut dyn FnMut(&[i16]),
) -> Result<(), MediaError> {
    // The library checks most of what it reads, not all: a header's products may overflow. A file must not take its
    // caller down.
    let decoded = panic::catch_unwind(AssertUnwindSafe(|| {
        decode_unguarded(source, hint, limits, rate, sink)
    }));
    decoded.unwrap_or_else(|_| Err(MediaError::Malformed("the decoder broke off".to_owned())))
}

fn decode_unguarded<'a>(
    source: Box<dyn MediaSource + 'a>,
    hint: Option<&str>,
    limits: DecodeLimits,
    rate: Rate,
    sink: &mut dyn FnMut(&[i16]),
) -> Result<(), MediaError> {
    let mut reader = open(source, hint)?;
    let (track, mut decoder) = audio_track(reader.as_ref())?;
    let mut output = Output::new(limits, rate, sink);
    let mut budget = Budget::new(limits);
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
            // A second stream chained to the first one: its codec may differ, and prompts have one.
            Err(Error::ResetRequired) => break,
            Err(error) => return output.salvage(&error),
        };
        budget.spend()?;
        if packet.track_id != track {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(audio) => {
                budget.broken = 0;
                output.take(&audio)?;
            }
            // This packet is broken; the next may be good.
            Err(Error::DecodeError(_) | Error::IoError(_)) => budget.broken += 1,
            Err(error) => return output.salvage(&error),
        }
    }
    output.finish()
}

fn open<'a>(
    source: Box<dyn MediaSource + 'a>,
    hint: Option<&str>,
) -> Result<Box<dyn FormatReader + 'a>, MediaError> {
    let stream = MediaSourceStream::new(source, Default::default());
    let mut probe_hint = Hint::new();
    match hint {
        Some(media_type) if media_type.contains('/') => probe_hint.mime_type(media_type),
        Some(extension) => probe_hint.with_extension(extension),
        None => &mut probe_hint,
    };
    symphonia::default::get_probe()
        .probe(
            &probe_hint,
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| match error {
            Error::Unsupported(what) => MediaError::Unsupported(what.to_owned()),
            Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
                MediaError::Unsupported("nothing known up to its end".to_owned())
            }
            other => MediaError::Malformed(other.to_string()),
        })
}

fn audio_track(reader: &dyn FormatReader) -> Result<(u32, Box<dyn AudioDecoder>), MediaError> {
    let track = reader
        .default_track(TrackType::Audio)
        .ok_or(MediaError::Empty)?;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or_else(|| MediaError::Unsupported("unknown codec".to_owned()))?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| MediaError::Unsupported(error.to_string()))?;
    Ok((track.id, decoder))
}

/// What a file may cost. An index can name billions of packets without audio, which never end by their duration.
struct Budget {
    packets: u128,
    /// Broken packets in a row.
    broken: u32,
}

impl Budget {
    /// A packet a millisecond: no codec has as many.
    fn new(limits: DecodeLimits) -> Self {
        Self {
            packets: limits.max_duration.as_millis() + 1_000,
            broken: 0,
        }
    }

    /// Takes a packet.
    fn spend(&mut self) -> Result<(), MediaError> {
        if self.packets == 0 || self.broken >= MAX_BROKEN_PACKETS {
            return Err(MediaError::Malformed("its packets never end".to_owned()));
        }
        self.packets -= 1;
        Ok(())
    }
}

/// Passes on what is decoded, at one rate, within the limit.
struct Output<'a> {
    rate: Rate,
    sink: &'a mut dyn FnMut(&[i16]),
    /// What is to be passed on next, and how much was before.
    samples: Vec<i16>,
    passed_on: usize,
    resampler: Option<(u32, Resampler)>,
    mono: Vec<f32>,
    interleaved: Vec<f32>,
    max_duration: Duration,
}

impl<'a> Output<'a> {
    fn new(limits: DecodeLimits, rate: Rate, sink: &'a mut dyn FnMut(&[i16])) -> Self {
        Self {
            rate,
            sink,
            samples: Vec::new(),
            passed_on: 0,
            resampler: None,
            mono: Vec::new(),
            interleaved: Vec::new(),
            max_duration: limits.max_duration,
        }
    }

    fn take(&mut self, audio: &GenericAudioBufferRef<'_>) -> Result<(), MediaError> {
        let channels = audio.num_planes();
        if channels == 0 || audio.frames() == 0 {
            return Ok(());
        }
        let rate_hz = audio.spec().rate();
        if !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate_hz) {
            return Err(MediaError::Rate(rate_hz));
        }
        audio.copy_to_vec_interleaved(&mut self.interleaved);
        self.mono.clear();
        let frames = self.interleaved.chunks_exact(channels);
        self.mono
            .extend(frames.map(|frame| frame.iter().sum::<f32>() / channels as f32));
        self.resample(rate_hz);
        self.pass_on();
        let max_samples = self.max_duration.as_millis() * u128::from(self.rate.hz()) / 1_000;
        if self.passed_on as u128 > max_samples {
            return Err(MediaError::TooLong(self.max_duration));
        }
        Ok(())
    }

    fn resample(&mut self, rate_hz: u32) {
        // Joined MP3 files change their rate on the way.
        if self
            .resampler
            .as_ref()
            .is_some_and(|(from_hz, _)| *from_hz != rate_hz)
        {
            self.flush();
        }
        let (_, resampler) = self
            .resampler
            .get_or_insert_with(|| (rate_hz, Resampler::new(rate_hz, self.rate)));
        resampler.push(&self.mono, &mut self.samples);
    }

    fn flush(&mut self) {
        if let Some((_, resampler)) = self.resampler.take() {
            resampler.finish(&mut self.samples);
        }
    }

    fn pass_on(&mut self) {
        if !self.samples.is_empty() {
            (self.sink)(&self.samples);
            self.passed_on += self.samples.len();
            self.samples.clear();
        }
    }

    fn finish(mut self) -> Result<(), MediaError> {
        self.flush();
        self.pass_on();
        if self.passed_on == 0 {
            return Err(MediaError::Empty);
        }
        Ok(())
    }

    /// What came before an error that ends the file, if it was at least a frame.
    fn salvage(mut self, error: &Error) -> Result<(), MediaError> {
        self.flush();
        self.pass_on();
        if self.passed_on < self.rate.frame_samples() {
            return Err(MediaError::Malformed(error.to_string()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
