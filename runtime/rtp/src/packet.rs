//! Reading packets.

use rtp_rs::{RtpReader, RtpReaderError};

/// The parts of an RTP packet that we use (RFC 3550 section 5.1). Contributing sources, extension and padding are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// 0 to 127.
    pub payload_type: u8,
    /// The marker bit: for audio the first packet after silence, for events the first of an event. Often lost or lied.
    pub marker: bool,
    /// Counts packets, wraps at 2¹⁶.
    pub sequence: u16,
    /// Counts samples, wraps at 2³².
    pub timestamp: u32,
    /// The source of the stream.
    pub ssrc: u32,
    /// Without padding; may be empty.
    pub payload: &'a [u8],
}

/// Why a datagram is not an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// Shorter than its own headers say.
    #[error("RTP packet cut short")]
    Truncated,
    /// The version is not 2: STUN, DTLS, or no protocol of ours.
    #[error("not RTP version 2")]
    Version,
    /// The padding is longer than what it pads, or empty.
    #[error("RTP padding out of range")]
    Padding,
}

/// Reads one datagram.
///
/// # Errors
/// If it is not RTP version 2, or shorter than its header, sources, extension and padding say.
pub fn parse(datagram: &[u8]) -> Result<Packet<'_>, PacketError> {
    let reader = RtpReader::new(datagram).map_err(|error| match error {
        RtpReaderError::BufferTooShort(_) | RtpReaderError::HeadersTruncated { .. } => {
            PacketError::Truncated
        }
        RtpReaderError::UnsupportedVersion(_) => PacketError::Version,
        RtpReaderError::PaddingLengthInvalid(_) => PacketError::Padding,
    })?;
    Ok(Packet {
        payload_type: reader.payload_type(),
        marker: reader.mark(),
        sequence: reader.sequence_number().into(),
        timestamp: reader.timestamp(),
        ssrc: reader.ssrc(),
        payload: reader.payload(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A header with these first two bytes, sequence 1, timestamp 2, SSRC 3, and what follows.
    fn datagram(first: u8, second: u8, rest: &[u8]) -> Vec<u8> {
        [&[first, second, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3], rest].concat()
    }

    #[test]
    fn the_payload_is_what_is_left_of_headers_and_padding() {
        let full_sources = [[9; 60].as_slice(), b"ab"].concat();
        for (first, rest, expected) in [
            (0x80, b"ab".as_slice(), b"ab".as_slice()),
            (0x80, b"", b""),
            (0x81, b"....ab", b"ab"),           // one contributing source
            (0x8f, &full_sources, b"ab"),       // fifteen
            (0x90, b"..\x00\x01....ab", b"ab"), // an extension of one word
            (0xa0, b"ab\x00\x00\x03", b"ab"),   // three bytes of padding
            (0xb1, b"....\x00\x00\x00\x00ab\x01", b"ab"), // all of them
        ] {
            let datagram = datagram(first, 0x80 | 101, rest);
            let expected = Packet {
                payload_type: 101,
                marker: true,
                sequence: 1,
                timestamp: 2,
                ssrc: 3,
                payload: expected,
            };
            assert_eq!(parse(&datagram), Ok(expected), "{first:#x}");
        }
    }

    #[test]
    fn lies_about_lengths_are_refused() {
        for (first, rest, expected) in [
            (0x00, b"ab".as_slice(), PacketError::Version),
            (0x40, b"ab", PacketError::Version),
            (0xc0, b"ab", PacketError::Version),
            (0x8f, b"ab", PacketError::Truncated),
            (0x90, b"", PacketError::Truncated),
            (0x90, b"..\xff\xff....", PacketError::Truncated),
            (0xa0, b"", PacketError::Truncated),
            (0xa0, b"ab\xff", PacketError::Padding),
            (0xa0, b"ab\x00", PacketError::Padding),
        ] {
            assert_eq!(
                parse(&datagram(first, 0, rest)),
                Err(expected),
                "{first:#x} {rest:?}"
            );
        }
        for length in 0..12 {
            assert_eq!(
                parse(&[0x80; 12][..length]),
                Err(PacketError::Truncated),
                "{length}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_datagram_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
            if let Ok(packet) = parse(&bytes) {
                prop_assert!(packet.payload.len() + 12 <= bytes.len());
            }
        }
    }
}
