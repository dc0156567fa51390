//! A recording of two channels fetched as one: `RequestedChannels=1`.

use std::io;

use bytes::Bytes;

/// Of a recording: 16-bit PCM, the format in 16 bytes, then the samples.
const HEADER_BYTES: usize = 44;
/// Bytes of one sample of both channels.
const FRAME_BYTES: usize = 4;

/// Mixes both channels as the file passes: both voices at half their loudness, which never is too loud. Holds less than one header.
#[derive(Debug, Default)]
pub(crate) struct OneChannel {
    header_is_over: bool,
    /// What does not fill the header, or a frame, yet.
    rest: Vec<u8>,
}

impl OneChannel {
    /// The length of the file in one channel, where it is so long in two.
    pub(crate) const fn length(bytes: u64) -> u64 {
        let header = HEADER_BYTES as u64;
        header + bytes.saturating_sub(header) / 2
    }

    /// Takes the next piece of the file in two channels.
    ///
    /// # Errors
    /// `InvalidData` if the file does not begin as a recording of two channels does.
    pub(crate) fn take(&mut self, piece: &[u8]) -> io::Result<Bytes> {
        self.rest.extend_from_slice(piece);
        let mut out = Vec::with_capacity(self.rest.len() / 2 + HEADER_BYTES);
        if !self.header_is_over {
            let Some((header, samples)) = self.rest.split_first_chunk() else {
                return Ok(Bytes::new());
            };
            out.extend(narrow(*header)?);
            self.header_is_over = true;
            self.rest = samples.to_vec();
        }
        let whole = self.rest.len() / FRAME_BYTES * FRAME_BYTES;
        for frame in self.rest[..whole].chunks_exact(FRAME_BYTES) {
            let left = i16::from_le_bytes([frame[0], frame[1]]);
            let right = i16::from_le_bytes([frame[2], frame[3]]);
            let mixed = i16::midpoint(left, right);
            out.extend(mixed.to_le_bytes());
        }
        self.rest.drain(..whole);
        Ok(out.into())
    }
}

/// The header of the same samples in one channel.
fn narrow(mut header: [u8; HEADER_BYTES]) -> io::Result<[u8; HEADER_BYTES]> {
    let is_ours = header.starts_with(b"RIFF")
        && &header[8..16] == b"WAVEfmt "
        && header[16..20] == 16_u32.to_le_bytes()
        && header[20..24] == [1, 0, 2, 0]
        && &header[36..40] == b"data";
    if !is_ours {
        let why = "the file is no recording of two channels";
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
    let audio_bytes = number(40) / 2;
    let (riff_bytes, bytes_a_second) = (HEADER_BYTES as u32 - 8 + audio_bytes, number(28) / 2);
    header[4..8].copy_from_slice(&riff_bytes.to_le_bytes());
    header[22] = 1; // channel
    header[28..32].copy_from_slice(&bytes_a_second.to_le_bytes());
    header[32] = 2; // bytes a sample
    header[40..44].copy_from_slice(&audio_bytes.to_le_bytes());
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A whole file of these samples at 8 kHz.
    fn file(channels: u16, samples: &[i16]) -> Vec<u8> {
        let audio_bytes = samples.len() as u32 * 2;
        let mut bytes = b"RIFF".to_vec();
        bytes.extend((36 + audio_bytes).to_le_bytes());
        bytes.extend(b"WAVEfmt ");
        bytes.extend(16_u32.to_le_bytes());
        bytes.extend(1_u16.to_le_bytes());
        bytes.extend(channels.to_le_bytes());
        bytes.extend(8_000_u32.to_le_bytes());
        bytes.extend((16_000 * u32::from(channels)).to_le_bytes());
        bytes.extend((2 * channels).to_le_bytes());
        bytes.extend(16_u16.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend(audio_bytes.to_le_bytes());
        bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        bytes
    }

    #[test]
    fn two_channels_become_one_however_the_pieces_fall() {
        let dual = file(
            2,
            &[100, 200, -4, -6, i16::MAX, i16::MAX, i16::MIN, i16::MIN],
        );
        let expected = file(1, &[150, -5, i16::MAX, i16::MIN]);
        for length in [1, 3, 7, 43, 45, 100] {
            let mut one = OneChannel::default();
            let pieces = dual.chunks(length).map(|piece| one.take(piece).unwrap());
            let out: Vec<u8> = pieces.flat_map(|piece| piece.to_vec()).collect();
            assert_eq!(out, expected, "{length}");
            assert_eq!(out.len() as u64, OneChannel::length(dual.len() as u64));
        }
    }

    #[test]
    fn what_is_no_recording_of_two_channels_is_refused() {
        for bytes in [file(1, &[1, 2]), vec![b'x'; 60]] {
            let error = OneChannel::default().take(&bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
