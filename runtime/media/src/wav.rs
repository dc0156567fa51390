//! Writing WAV files.

use std::io::{self, Seek, Write};

use crate::RATE_HZ;

/// Samples a WAV file's 32-bit lengths can count: 74 hours.
const MAX_SAMPLES: u64 = (u32::MAX as u64 - 64) / 2;

/// Writes a WAV file (8 kHz, mono, 16 bits) as samples come.
pub struct WavWriter<W: Write + Seek> {
    inner: hound::WavWriter<W>,
    samples: u64,
}

impl<W: Write + Seek> WavWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Of the writer.
    pub fn new(writer: W) -> io::Result<Self> {
        let format = hound::WavSpec {
            channels: 1,
            sample_rate: RATE_HZ,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let inner = hound::WavWriter::new(writer, format).map_err(into_io)?;
        Ok(Self { inner, samples: 0 })
    }

    /// Appends samples.
    ///
    /// # Errors
    /// Of the writer; `FileTooLarge` beyond 74 hours, with nothing of these samples written.
    pub fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        self.samples += samples.len() as u64;
        if self.samples > MAX_SAMPLES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        samples
            .iter()
            .try_for_each(|sample| self.inner.write_sample(*sample))
            .map_err(into_io)
    }

    /// Puts the lengths into the header and flushes. A file whose writer is only dropped gets them too, but its errors
    /// are lost.
    ///
    /// # Errors
    /// Of the writer.
    pub fn finish(self) -> io::Result<()> {
        self.inner.finalize().map_err(into_io)
    }
}

fn into_io(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut file = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut file).unwrap();
        writer.write(&[1, -2]).unwrap();
        writer.write(&[i16::MAX, i16::MIN]).unwrap();
        writer.finish().unwrap();
        let bytes = file.into_inner();
        assert_eq!(bytes.len(), 44 + 8);
        let mut reader = hound::WavReader::new(bytes.as_slice()).unwrap();
        let format = reader.spec();
        assert_eq!(
            (format.channels, format.sample_rate, format.bits_per_sample),
            (1, 8_000, 16)
        );
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples, [1, -2, i16::MAX, i16::MIN]);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut room = [0; 44];
        let writer = WavWriter::new(Cursor::new(room.as_mut_slice()));
        let result = writer.and_then(|mut writer| {
            writer.write(&[0; 100])?;
            writer.finish()
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::WriteZero);
    }
}
