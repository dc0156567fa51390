//! A WAV file that grows while it is recorded, and the repair of one that was cut off.

/// Bytes of the longest header: µ-law has an extended `fmt ` and a `fact` chunk.
const MAX_HEADER_BYTES: usize = 58;
/// The longest file whose length 32 bits can tell and that is not [`UNKNOWN`]. Even: a byte of padding always fits.
const MAX_FILE_BYTES: u64 = u32::MAX as u64 - 1;
/// The length of what is still being written: players take all there is.
const UNKNOWN: u32 = u32::MAX;

/// How a file stores a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WavEncoding {
    /// Two bytes: what was heard, as it was.
    Pcm16,
    /// G.711 µ-law: half the size, the quality of a telephone.
    MuLaw,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WavFormat {
    /// Samples a second, of each channel.
    pub rate_hz: u32,
    /// 1 or 2. Samples of two channels alternate, the left one first.
    pub channels: u16,
    /// How a sample is stored.
    pub encoding: WavEncoding,
}

/// The bytes before the audio.
#[derive(Debug, Clone, Copy)]
pub struct WavHeader {
    bytes: [u8; MAX_HEADER_BYTES],
    length: usize,
}

/// A WAV file on its way to a disk.
///
/// The caller appends samples as they come, and writes [`Self::unwritten`] at its offset at least once a second,
/// followed by [`Self::written`]. The first bytes are a header that names no length. At the end comes
/// [`Self::finish`]; where it never comes, [`repair_wav`].
#[derive(Debug, Clone)]
pub struct WavFile {
    format: WavFormat,
    /// Of the file; where `block` belongs.
    written_bytes: u64,
    block: Vec<u8>,
}

/// What makes a recorded file whole: write the header over its beginning, and set the file's length.
#[derive(Debug, Clone, Copy)]
pub struct WavEnd {
    /// Goes to the beginning of the file.
    pub header: WavHeader,
    /// The length of the file: what is beyond it is cut off, and what is missing is a zero.
    pub file_bytes: u64,
    /// Samples of each channel.
    pub samples: u64,
}

/// A file cannot hold more: its lengths have 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the WAV file is full; start another one")]
pub struct WavFull;

/// Why a file is not repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WavRepairError {
    /// It was cut before the first sample. Delete it.
    #[error("the file was cut off before its first sample; delete it")]
    NoAudio,
    /// It does not begin as [`WavFile`] begins a file.
    #[error("the file is no recording; leave it alone")]
    NotOurs,
}

impl WavFormat {
    /// Bytes of one sample of every channel.
    fn frame_bytes(&self) -> u64 {
        let sample_bytes = match self.encoding {
            WavEncoding::Pcm16 => 2,
            WavEncoding::MuLaw => 1,
        };
        sample_bytes * u64::from(self.channels)
    }

    fn header_bytes(&self) -> u64 {
        match self.encoding {
            WavEncoding::Pcm16 => 44,
            WavEncoding::MuLaw => 58,
        }
    }

    /// The header of a file with so many samples of each channel; none, and the length is left open.
    fn header(&self, samples: Option<u64>) -> WavHeader {
        let audio_bytes = samples.map(|samples| samples * self.frame_bytes());
        let length = |bytes: Option<u64>| bytes.map_or(UNKNOWN, |bytes| bytes as u32);
        let riff_bytes = audio_bytes.map(|bytes| self.header_bytes() - 8 + bytes + bytes % 2);
        let mut header = WavHeader {
            bytes: [0; MAX_HEADER_BYTES],
            length: 0,
        };
        header.put(b"RIFF");
        header.put(&length(riff_bytes).to_le_bytes());
        header.put(b"WAVEfmt ");
        let (tag, format_bytes): (u16, u32) = match self.encoding {
            WavEncoding::Pcm16 => (1, 16),
            WavEncoding::MuLaw => (7, 18),
        };
        let frame_bytes = self.frame_bytes() as u16;
        header.put(&format_bytes.to_le_bytes());
        header.put(&tag.to_le_bytes());
        header.put(&self.channels.to_le_bytes());
        header.put(&self.rate_hz.to_le_bytes());
        header.put(&(self.rate_hz * u32::from(frame_bytes)).to_le_bytes());
        header.put(&frame_bytes.to_le_bytes());
        header.put(&(frame_bytes / self.channels * 8).to_le_bytes());
        if self.encoding == WavEncoding::MuLaw {
            header.put(&[0, 0]); // no extension
            header.put(b"fact");
            header.put(&4u32.to_le_bytes());
            header.put(&length(samples).to_le_bytes());
        }
        header.put(b"data");
        header.put(&length(audio_bytes).to_le_bytes());
        header
    }

    /// Reads the format out of a header that is one of ours.
    fn of(head: &[u8]) -> Option<Self> {
        let two = |at: usize| Some(u16::from_le_bytes([*head.get(at)?, *head.get(at + 1)?]));
        let encoding = match two(20)? {
            1 => WavEncoding::Pcm16,
            7 => WavEncoding::MuLaw,
            _ => return None,
        };
        let rate_hz = u32::from(two(24)?) | u32::from(two(26)?) << 16;
        let format = Self {
            rate_hz,
            channels: two(22)?,
            encoding,
        };
        let is_sane = (1..=2).contains(&format.channels) && (1..=192_000).contains(&rate_hz);
        is_sane.then_some(format)
    }

    fn end(&self, samples: u64) -> WavEnd {
        let audio_bytes = samples * self.frame_bytes();
        WavEnd {
            header: self.header(Some(samples)),
            file_bytes: self.header_bytes() + audio_bytes + audio_bytes % 2,
            samples,
        }
    }
}

impl WavHeader {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// The header.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl WavFile {
    /// An empty file. Its header waits to be written.
    ///
    /// # Panics
    /// If there are not one or two channels, or the rate is not 1 to 192,000 Hz.
    #[must_use]
    pub fn new(format: WavFormat) -> Self {
        assert!(
            WavFormat::of(format.header(None).as_bytes()) == Some(format),
            "{format:?}"
        );
        let second = format.frame_bytes() * u64::from(format.rate_hz);
        let mut block = Vec::with_capacity(MAX_HEADER_BYTES + 2 * second as usize);
        block.extend_from_slice(format.header(None).as_bytes());
        Self {
            format,
            written_bytes: 0,
            block,
        }
    }

    /// Appends samples; those of two channels alternate.
    ///
    /// # Errors
    /// If the file has no room for them; none of them is appended.
    pub fn push(&mut self, samples: &[i16]) -> Result<(), WavFull> {
        self.make_room(samples.len() as u64 / u64::from(self.format.channels))?;
        match self.format.encoding {
            WavEncoding::Pcm16 => self
                .block
                .extend(samples.iter().flat_map(|sample| sample.to_le_bytes())),
            WavEncoding::MuLaw => self
                .block
                .extend(samples.iter().map(|sample| crate::Law::Mu.encode(*sample))),
        }
        Ok(())
    }

    /// Appends silence: so many samples of each channel.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_silence(&mut self, samples: u64) -> Result<(), WavFull> {
        self.make_room(samples)?;
        let bytes = samples * self.format.frame_bytes();
        let silence = match self.format.encoding {
            WavEncoding::Pcm16 => 0,
            WavEncoding::MuLaw => crate::Law::Mu.silence(),
        };
        self.block
            .resize(self.block.len() + bytes as usize, silence);
        Ok(())
    }

    fn make_room(&self, samples: u64) -> Result<(), WavFull> {
        let bytes = samples.saturating_mul(self.format.frame_bytes());
        let length = self.file_bytes().saturating_add(bytes);
        if length > MAX_FILE_BYTES {
            return Err(WavFull);
        }
        Ok(())
    }

    fn file_bytes(&self) -> u64 {
        self.written_bytes + self.block.len() as u64
    }

    /// Samples of each channel so far.
    #[must_use]
    pub fn samples(&self) -> u64 {
        (self.file_bytes() - self.format.header_bytes()) / self.format.frame_bytes()
    }

    /// What is still to be written, and where in the file it belongs.
    #[must_use]
    pub fn unwritten(&self) -> (u64, &[u8]) {
        (self.written_bytes, &self.block)
    }

    /// What [`Self::unwritten`] gave is in the file.
    pub fn written(&mut self) {
        self.written_bytes += self.block.len() as u64;
        self.block.clear();
    }

    /// What makes the file whole once everything is written, cut to so many samples of each channel.
    ///
    /// # Panics
    /// If there are fewer samples.
    #[must_use]
    pub fn finish(&self, samples: u64) -> WavEnd {
        assert!(samples <= self.samples(), "{samples} of {}", self.samples());
        self.format.end(samples)
    }
}

/// What makes a file whole that was cut off at any place, or changes nothing about one that is whole. `head` is its
/// first 58 bytes, or all there are; `file_bytes` its length.
///
/// # Errors
/// If it holds no audio, or is no file of ours.
pub fn repair_wav(head: &[u8], file_bytes: u64) -> Result<WavEnd, WavRepairError> {
    let Some(format) = WavFormat::of(head) else {
        return Err(cut_in_header(head));
    };
    let expected = format.header(None);
    let expected = expected.as_bytes();
    let fits = head
        .iter()
        .zip(expected)
        .all(|(seen, expected)| seen == expected || *expected == UNKNOWN as u8);
    if !fits {
        return Err(WavRepairError::NotOurs);
    }
    let told = head.get(..expected.len()).and_then(<[u8]>::last_chunk);
    let told = u32::from_le_bytes(*told.ok_or(WavRepairError::NoAudio)?);
    let audio_bytes = file_bytes
        .min(MAX_FILE_BYTES - 1)
        .saturating_sub(format.header_bytes());
    let samples = match told {
        UNKNOWN => audio_bytes,
        told => audio_bytes.min(told.into()),
    } / format.frame_bytes();
    if samples == 0 {
        return Err(WavRepairError::NoAudio);
    }
    Ok(format.end(samples))
}

fn cut_in_header(head: &[u8]) -> WavRepairError {
    let begins = |part: &[u8], at: usize| {
        head.get(at..)
            .is_none_or(|rest| rest.iter().zip(part).all(|(seen, part)| seen == part))
    };
    if head.len() < 28 && begins(b"RIFF", 0) && begins(b"WAVEfmt ", 8) {
        WavRepairError::NoAudio
    } else {
        WavRepairError::NotOurs
    }
}

#[cfg(test)]
mod tests;
