use proptest::prelude::*;

use super::*;
use crate::{Law, tone};

mod hostile;
mod stream;

const OGG: &[u8] = include_bytes!("../../testdata/tone.ogg");
const FLAC: &[u8] = include_bytes!("../../testdata/tone.flac");
const STEREO_FLAC: &[u8] = include_bytes!("../../testdata/stereo.flac");
const ADTS: &[u8] = include_bytes!("../../testdata/tone.aac");
const MP4: &[u8] = include_bytes!("../../testdata/tone.m4a");
const STEREO_MP4: &[u8] = include_bytes!("../../testdata/stereo.m4a");
const FRAGMENTED_MP4: &[u8] = include_bytes!("../../testdata/fragmented.m4a");
const IMA_ADPCM: &[u8] = include_bytes!("../../testdata/ima-adpcm.wav");
const MS_ADPCM: &[u8] = include_bytes!("../../testdata/ms-adpcm.wav");
const OGG_OPUS: &[u8] = include_bytes!("../../testdata/opus.ogg");
const MP3: &[u8] = include_bytes!("../../testdata/tone.mp3");
const TAGGED_MP3: &[u8] = include_bytes!("../../testdata/tagged.mp3");

/// Half a second of a tone each.
const FILES: [(&str, &[u8]); 11] = [
    ("Vorbis", OGG),
    ("MP3", MP3),
    ("MP3 with a tag", TAGGED_MP3),
    ("FLAC", FLAC),
    ("FLAC in stereo", STEREO_FLAC),
    ("AAC in ADTS", ADTS),
    ("AAC in MP4", MP4),
    ("AAC in stereo, index first", STEREO_MP4),
    ("AAC in fragments", FRAGMENTED_MP4),
    ("IMA ADPCM", IMA_ADPCM),
    ("Microsoft ADPCM", MS_ADPCM),
];

/// A WAV file of this format tag and these bytes of audio.
fn wav(format: u16, channels: u16, rate_hz: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let block = channels * bits / 8;
    let extension: &[u8] = if format == 1 { b"" } else { b"\0\0" };
    let mut file = b"RIFF".to_vec();
    file.extend((36 + extension.len() as u32 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend((16 + extension.len() as u32).to_le_bytes());
    file.extend(format.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(extension);
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn wav_16(channels: u16, rate_hz: u32, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    wav(1, channels, rate_hz, 16, &data)
}

fn decode_all(bytes: &[u8]) -> Result<Vec<i16>, MediaError> {
    decode(bytes, None, DecodeLimits::default())
}

/// The decoded tone is half a second of 1 kHz at half scale, give or take the frames an MP3 encoder adds.
fn check_tone(name: &str, file: &[u8], hint: Option<&str>) {
    let samples = decode(file, hint, DecodeLimits::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(
        (3_990..4_700).contains(&samples.len()),
        "{name}: {} samples",
        samples.len()
    );
    let middle = &samples[1_000..3_000];
    let crossings = middle
        .windows(2)
        .filter(|pair| (pair[0] < 0) != (pair[1] < 0))
        .count();
    assert!(
        (498..=502).contains(&crossings),
        "{name}: {crossings} crossings in 250 periods"
    );
    let power: f64 = middle.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let amplitude = (2.0 * power / middle.len() as f64).sqrt();
    // LAME lowers the level to 95 %.
    assert!(
        (15_000.0..17_500.0).contains(&amplitude),
        "{name}: amplitude {amplitude}"
    );
}

#[test]
fn every_format_gives_the_tone() {
    let tone_8k = tone::sine(1_000.0, 0.5, 4_000);
    let coded = |law: Law| {
        tone_8k
            .iter()
            .map(|sample| law.encode(*sample))
            .collect::<Vec<u8>>()
    };
    let eight_bit: Vec<u8> = tone_8k
        .iter()
        .map(|sample| ((sample >> 8) + 128) as u8)
        .collect();
    let stereo: Vec<i16> = tone_8k
        .iter()
        .flat_map(|sample| [*sample, *sample])
        .collect();
    let twice: Vec<i16> = tone::sine(500.0, 0.5, 8_000); // 1 kHz when read at 16 kHz
    for (name, file) in [
        ("16 bits", wav_16(1, 8_000, &tone_8k)),
        ("8 bits", wav(1, 1, 8_000, 8, &eight_bit)),
        ("A-law", wav(6, 1, 8_000, 8, &coded(Law::A))),
        ("µ-law", wav(7, 1, 8_000, 8, &coded(Law::Mu))),
        ("stereo", wav_16(2, 8_000, &stereo)),
        ("16 kHz", wav_16(1, 16_000, &twice)),
    ] {
        check_tone(name, &file, None);
    }
    for (name, file) in FILES {
        check_tone(name, file, None);
    }
    check_tone("by extension", MP3, Some("mp3"));
    check_tone("by media type", MP3, Some("audio/mpeg"));
    check_tone("by media type", MP4, Some("audio/mp4"));
    check_tone("by extension", FLAC, Some("flac"));
    check_tone("a hint that lies", OGG, Some("wav"));
}

#[test]
fn any_rate_of_calls_can_be_asked_for() {
    for rate in Rate::ALL {
        for (name, file) in [("FLAC", FLAC), ("MP3", MP3), ("AAC", MP4)] {
            let samples = decode_at(file, None, DecodeLimits::default(), rate).unwrap();
            let ms = samples.len() / rate.samples(1);
            assert!((498..590).contains(&ms), "{name} {rate:?}: {ms} ms");
        }
    }
    let samples = decode_at(FLAC, None, DecodeLimits::default(), Rate::Wide).unwrap();
    assert_eq!(samples.len(), 8_000, "the file's own rate");
}

#[test]
fn pcm_at_8_khz_is_exact_and_channels_are_averaged() {
    let samples = [0, 1, -1, i16::MAX, i16::MIN, 1_234];
    assert_eq!(decode_all(&wav_16(1, 8_000, &samples)).unwrap(), samples);
    assert_eq!(
        decode_all(&wav_16(2, 8_000, &[100, 300, -50, 50])).unwrap(),
        [200, 0]
    );
}

#[test]
fn limits_hold() {
    let two_seconds = wav_16(1, 8_000, &[0; 16_000]);
    let limits = |max_bytes, max_ms| DecodeLimits {
        max_bytes,
        max_duration: Duration::from_millis(max_ms),
    };
    for (limits, expected) in [
        (limits(two_seconds.len(), 2_000), Ok(16_000)),
        (
            limits(two_seconds.len(), 1_999),
            Err(MediaError::TooLong(Duration::from_millis(1_999))),
        ),
        (
            limits(two_seconds.len() - 1, 2_000),
            Err(MediaError::TooManyBytes {
                bytes: 32_044,
                max_bytes: 32_043,
            }),
        ),
    ] {
        let decoded = decode(&two_seconds, None, limits).map(|samples| samples.len());
        assert_eq!(decoded, expected);
    }
}

#[test]
fn what_is_no_audio_says_so() {
    let mut too_many_channels = wav_16(2, 44_100, &[3; 1_000]);
    too_many_channels[23] = 128; // 32,770: the library's arithmetic overflows
    for (name, bytes) in [
        ("too many channels", too_many_channels.as_slice()),
        ("nothing", b""),
        ("text", b"<html><body>404 Not Found</body></html>"),
        (
            "AMR",
            b"#!AMR\n\x3c\x91\x17\x16\xbe\x66\x79\xe1\xe0\x01\xe7\xaf",
        ),
        ("half a header", b"RIFF\x24\x00\x00\x00WAVEfmt "),
        ("Opus", OGG_OPUS),
    ] {
        let error = decode_all(bytes).unwrap_err();
        assert!(
            matches!(error, MediaError::Unsupported(_) | MediaError::Malformed(_)),
            "{name}: {error:?}"
        );
    }
    assert_eq!(decode_all(&wav_16(1, 8_000, &[])), Err(MediaError::Empty));
    assert_eq!(
        decode_all(&wav_16(1, 1_000, &[0; 100])),
        Err(MediaError::Rate(1_000))
    );
    let unsupported = decode_all(&wav(0x31, 1, 8_000, 16, &[0; 100])).unwrap_err(); // GSM 6.10
    assert!(
        matches!(unsupported, MediaError::Unsupported(_)),
        "{unsupported:?}"
    );
}

#[test]
fn a_file_that_breaks_off_is_decoded_as_far_as_it_goes() {
    for (name, file) in [
        ("MP3", MP3),
        ("WAV", &wav_16(1, 8_000, &[7; 4_000])),
        ("FLAC", FLAC),
        ("ADTS", ADTS),
    ] {
        let samples = decode_all(&file[..file.len() * 4 / 5])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            (160..4_000).contains(&samples.len()),
            "{name}: {}",
            samples.len()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn broken_files_are_decoded_or_refused(
        which in 0usize..9,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let whole_wav = wav_16(2, 44_100, &[3; 1_000]);
        let files = [OGG, MP3, &whole_wav, FLAC, ADTS, MP4, FRAGMENTED_MP4, IMA_ADPCM, MS_ADPCM];
        let mut file = files[which].to_vec();
        for (index, byte) in damage {
            let at = index.index(file.len());
            file[at] = byte;
        }
        let limits = DecodeLimits { max_bytes: 1 << 20, max_duration: Duration::from_secs(10) };
        if let Ok(samples) = decode(&file, None, limits) {
            prop_assert!(samples.len() <= 80_000 + 1);
        }
    }
}
