use super::*;
use crate::Law;
use crate::synthetic::Chance;

const FORMATS: [WavFormat; 6] = [
    format(8_000, 1, WavEncoding::Pcm16),
    format(8_000, 2, WavEncoding::Pcm16),
    format(8_000, 1, WavEncoding::MuLaw),
    format(8_000, 2, WavEncoding::MuLaw),
    format(16_000, 1, WavEncoding::Pcm16),
    format(48_000, 2, WavEncoding::MuLaw),
];

const fn format(rate_hz: u32, channels: u16, encoding: WavEncoding) -> WavFormat {
    WavFormat {
        rate_hz,
        channels,
        encoding,
    }
}

/// A disk with one file.
#[derive(Default)]
struct Disk(Vec<u8>);

impl Disk {
    fn write(&mut self, file: &mut WavFile) {
        let (offset, bytes) = file.unwritten();
        assert_eq!(offset, self.0.len() as u64, "blocks follow each other");
        self.0.extend_from_slice(bytes);
        file.written();
    }

    fn end(&mut self, end: &WavEnd) {
        let header = end.header.as_bytes();
        self.0[..header.len()].copy_from_slice(header);
        self.0.resize(end.file_bytes as usize, 0);
    }

    /// The samples by another's reading of the file, which must say the format too.
    fn read(&self, format: WavFormat) -> Vec<i16> {
        let riff_bytes = u32::from_le_bytes(self.0[4..8].try_into().unwrap());
        assert_eq!(u64::from(riff_bytes) + 8, self.0.len() as u64);
        match format.encoding {
            WavEncoding::Pcm16 => {
                let mut reader = hound::WavReader::new(self.0.as_slice()).unwrap();
                let spec = reader.spec();
                assert_eq!(
                    (spec.sample_rate, spec.channels),
                    (format.rate_hz, format.channels)
                );
                reader.samples().map(Result::unwrap).collect()
            }
            WavEncoding::MuLaw => {
                let audio = u32::from_le_bytes(self.0[54..58].try_into().unwrap()) as usize;
                let fact = u32::from_le_bytes(self.0[46..50].try_into().unwrap()) as usize;
                assert_eq!(audio, fact * usize::from(format.channels));
                let codes = &self.0[58..58 + audio];
                codes.iter().map(|code| Law::Mu.decode(*code)).collect()
            }
        }
    }
}

/// Samples by chance, as the file will give them back.
fn samples(format: WavFormat, count: usize) -> Vec<i16> {
    let mut chance = Chance::new(u64::from(format.rate_hz) + u64::from(format.channels));
    (0..count * usize::from(format.channels))
        .map(|_| chance.bits() as i16)
        .map(|sample| match format.encoding {
            WavEncoding::Pcm16 => sample,
            WavEncoding::MuLaw => Law::Mu.decode(Law::Mu.encode(sample)),
        })
        .collect()
}

#[test]
fn what_is_written_reads_back() {
    for format in FORMATS {
        let audio = samples(format, 1_001);
        let mut file = WavFile::new(format);
        let mut disk = Disk::default();
        disk.write(&mut file);
        for piece in audio.chunks(100) {
            file.push(piece).unwrap();
            if file.samples().is_multiple_of(3) {
                disk.write(&mut file);
            }
        }
        file.push_silence(7).unwrap();
        disk.write(&mut file);
        assert_eq!(file.samples(), 1_008);
        disk.end(&file.finish(1_008));
        let mut expected = audio.clone();
        expected.resize(1_008 * usize::from(format.channels), 0);
        assert_eq!(disk.read(format), expected, "{format:?}");
        // Trimmed once more, to an odd number of bytes where that is possible.
        disk.end(&file.finish(501));
        assert_eq!(disk.0.len() % 2, 0);
        expected.truncate(501 * usize::from(format.channels));
        assert_eq!(disk.read(format), expected, "{format:?}");
    }
}

#[test]
fn another_decoder_understands_every_format() {
    for format in FORMATS {
        let audio = samples(format, 4_800);
        let mut file = WavFile::new(format);
        file.push(&audio).unwrap();
        let mut disk = Disk::default();
        disk.write(&mut file);
        disk.end(&file.finish(4_800));
        let decoded = crate::decode(&disk.0, Some("wav"), crate::DecodeLimits::default()).unwrap();
        assert_eq!(
            decoded.len(),
            4_800 * 8_000 / format.rate_hz as usize,
            "{format:?}"
        );
        if (format.rate_hz, format.channels) == (8_000, 1) {
            assert_eq!(decoded, audio, "{format:?}");
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_repaired_to_all_that_is_there() {
    for format in FORMATS {
        let audio = samples(format, 60);
        let mut file = WavFile::new(format);
        file.push(&audio).unwrap();
        let mut whole = Disk::default();
        whole.write(&mut file);
        let header = format.header_bytes() as usize;
        for cut in 0..=whole.0.len() {
            let mut disk = Disk(whole.0[..cut].to_vec());
            let there = cut.saturating_sub(header) / format.frame_bytes() as usize;
            let head = &disk.0[..cut.min(58)];
            match repair_wav(head, cut as u64) {
                Err(error) => assert_eq!((error, there), (WavRepairError::NoAudio, 0), "{cut}"),
                Ok(end) => {
                    assert!(there > 0, "{format:?} {cut}");
                    assert_eq!(end.samples, there as u64);
                    disk.end(&end);
                    let expected = &audio[..there * usize::from(format.channels)];
                    assert_eq!(disk.read(format), expected, "{format:?} {cut}");
                    let again = repair_wav(&disk.0[..disk.0.len().min(58)], disk.0.len() as u64);
                    assert_eq!(again.unwrap().samples, end.samples, "a second time");
                }
            }
        }
    }
}

#[test]
fn a_finished_file_that_was_not_yet_cut_to_its_length_is_cut() {
    for format in FORMATS {
        let audio = samples(format, 100);
        let mut file = WavFile::new(format);
        file.push(&audio).unwrap();
        let mut disk = Disk::default();
        disk.write(&mut file);
        let rest = file.finish(33);
        disk.0[..rest.header.as_bytes().len()].copy_from_slice(rest.header.as_bytes());
        let end = repair_wav(&disk.0[..58], disk.0.len() as u64).unwrap();
        assert_eq!((end.samples, end.file_bytes), (33, rest.file_bytes));
    }
}

#[test]
fn other_files_are_left_alone() {
    let ours = format(8_000, 1, WavEncoding::Pcm16).header(None);
    let ours = ours.as_bytes();
    let changed = |at: usize, byte: u8| {
        let mut header = ours.to_vec();
        header[at] = byte;
        header
    };
    for head in [
        b"ID3".to_vec(),
        b"RIFX".to_vec(),
        b"RIFF0000AVI ".to_vec(),
        vec![0; 58],
        changed(0, b'X'),
        changed(16, 17), // of `fmt `
        changed(20, 3),  // floating point
        changed(22, 3),  // channels
        changed(24, 0x41),
        changed(34, 8), // bits
        changed(36, b'L'),
    ] {
        let error = repair_wav(&head, 1_000).unwrap_err();
        assert_eq!(error, WavRepairError::NotOurs, "{head:?}");
    }
}

#[test]
fn a_file_ends_where_its_lengths_end() {
    let format = format(8_000, 2, WavEncoding::Pcm16);
    let mut file = WavFile::new(format);
    file.written_bytes = MAX_FILE_BYTES - 54;
    assert_eq!(file.push(&[0; 8]), Err(WavFull));
    file.push(&[0; 4]).unwrap();
    assert_eq!(file.push_silence(u64::MAX), Err(WavFull));
    assert_eq!(file.push_silence(1), Err(WavFull));
    assert!(file.finish(file.samples()).file_bytes <= MAX_FILE_BYTES);
}
