//! Reading compound packets.

use super::ReportBlock;

/// The packet types of RFC 3550 section 12.1.
pub(super) const SENDER_REPORT: u8 = 200;
pub(super) const RECEIVER_REPORT: u8 = 201;
pub(super) const DESCRIPTION: u8 = 202;
pub(super) const GOODBYE: u8 = 203;

/// Bytes of a report block.
const BLOCK_BYTES: usize = 24;

/// The item of a description that names the participant (RFC 3550 section 6.5.1).
pub(super) const CNAME: u8 = 1;

/// Whether a datagram that came on the port of RTP is RTCP: its second byte is one that RTP with the payload types we use cannot have
/// (RFC 5761 section 4). Says nothing of the rest.
#[must_use]
pub const fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [_, 192..=223, ..])
}

/// Why a datagram is not RTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RtcpError {
    /// Shorter than its own headers say, or than what it holds needs.
    #[error("RTCP packet cut short")]
    Truncated,
    /// The version of a packet in it is not 2.
    #[error("not RTCP version 2")]
    Version,
    /// Padding where none may be, or longer than what it pads.
    #[error("RTCP padding out of range")]
    Padding,
}

/// A datagram of one or more packets, all of them whole.
#[derive(Debug, Clone, Copy)]
pub struct Compound<'a> {
    left: &'a [u8],
}

/// One packet of a compound.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// What a sender sent, and what it received (RFC 3550 section 6.4.1).
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// What it sent.
        info: SenderInfo,
        /// What it received.
        blocks: Blocks<'a>,
    },
    /// What one who did not send received (RFC 3550 section 6.4.2).
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// What it received.
        blocks: Blocks<'a>,
    },
    /// Who is behind the sources (RFC 3550 section 6.5).
    Description(Chunks<'a>),
    /// Sources that end (RFC 3550 section 6.6).
    Goodbye(Sources<'a>),
    /// A packet of another type, such as feedback or an extended report.
    Other(u8),
}

/// What a sender sent (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// When the report was sent, by the sender's clock.
    pub ntp: u64,
    /// The same instant on the clock of the stream.
    pub timestamp: u32,
    /// RTP packets since the beginning.
    pub packets: u32,
    /// Bytes of payload since the beginning.
    pub octets: u32,
}

/// Reads one datagram. Also takes one that does not begin with a report (RFC 5506).
///
/// # Errors
/// If a packet in it is not version 2, is cut short, or is padded before the last.
pub fn read(datagram: &[u8]) -> Result<Compound<'_>, RtcpError> {
    if datagram.is_empty() {
        return Err(RtcpError::Truncated);
    }
    let mut left = datagram;
    while !left.is_empty() {
        left = split(left)?.1;
    }
    Ok(Compound { left: datagram })
}

impl<'a> Iterator for Compound<'a> {
    type Item = RtcpPacket<'a>;

    fn next(&mut self) -> Option<RtcpPacket<'a>> {
        let (packet, left) = split(self.left).ok()?;
        self.left = left;
        Some(packet)
    }
}

/// The first packet, and what follows it.
fn split(datagram: &[u8]) -> Result<(RtcpPacket<'_>, &[u8]), RtcpError> {
    let [first, kind, high, low, ..] = *datagram else {
        return Err(RtcpError::Truncated);
    };
    if first >> 6 != 2 {
        return Err(RtcpError::Version);
    }
    let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
    let (packet, left) = datagram
        .split_at_checked(length)
        .ok_or(RtcpError::Truncated)?;
    let is_padded = first & 0x20 != 0;
    let body = if is_padded {
        unpadded(packet, left)?
    } else {
        &packet[4..]
    };
    let packet = body_of(kind, usize::from(first & 0x1f), body).ok_or(RtcpError::Truncated)?;
    Ok((packet, left))
}

/// The body without its padding. Only the last packet may have any, in whole words (RFC 3550 section 6.4.1).
fn unpadded<'a>(packet: &'a [u8], left: &[u8]) -> Result<&'a [u8], RtcpError> {
    let padding = usize::from(packet[packet.len() - 1]);
    let is_fit = left.is_empty() && padding > 0 && padding % 4 == 0;
    packet[4..]
        .len()
        .checked_sub(padding)
        .filter(|_| is_fit)
        .map(|length| &packet[4..4 + length])
        .ok_or(RtcpError::Padding)
}

/// A packet by its type, its count and what follows its first word; none if that is too short.
fn body_of(kind: u8, count: usize, body: &[u8]) -> Option<RtcpPacket<'_>> {
    let words = |body: &[u8], at: usize| -> Option<u32> {
        let bytes = body.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    let blocks = |from: usize| body.get(from..from + count * BLOCK_BYTES).map(Blocks);
    Some(match kind {
        SENDER_REPORT => RtcpPacket::SenderReport {
            ssrc: words(body, 0)?,
            info: SenderInfo {
                ntp: u64::from(words(body, 4)?) << 32 | u64::from(words(body, 8)?),
                timestamp: words(body, 12)?,
                packets: words(body, 16)?,
                octets: words(body, 20)?,
            },
            blocks: blocks(24)?,
        },
        RECEIVER_REPORT => RtcpPacket::ReceiverReport {
            ssrc: words(body, 0)?,
            blocks: blocks(4)?,
        },
        DESCRIPTION => RtcpPacket::Description(Chunks { left: body, count }),
        GOODBYE => RtcpPacket::Goodbye(Sources(body.get(..count * 4)?)),
        other => RtcpPacket::Other(other),
    })
}

/// The blocks of a report.
#[derive(Debug, Clone)]
pub struct Blocks<'a>(&'a [u8]);

impl Iterator for Blocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, left) = self.0.split_first_chunk::<BLOCK_BYTES>()?;
        self.0 = left;
        let word = |at: usize| {
            u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
        };
        Some(ReportBlock {
            ssrc: word(0),
            fraction_lost: block[4],
            cumulative_lost: (word(4) << 8).cast_signed() >> 8, // 24 bits with their sign
            highest_sequence: word(8),
            jitter: word(12),
            last_sender_report: word(16),
            delay_since: word(20),
        })
    }
}

/// The sources of a goodbye.
#[derive(Debug, Clone)]
pub struct Sources<'a>(&'a [u8]);

impl Iterator for Sources<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (source, left) = self.0.split_first_chunk::<4>()?;
        self.0 = left;
        Some(u32::from_be_bytes(*source))
    }
}

/// The sources of a description, each with its canonical name if it gives one. Ends where a chunk is cut short.
#[derive(Debug, Clone)]
pub struct Chunks<'a> {
    left: &'a [u8],
    count: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (u32, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        self.count = self.count.checked_sub(1)?;
        let (source, items) = self.left.split_first_chunk::<4>()?;
        let mut at = 0;
        let mut name = None;
        while *items.get(at)? != 0 {
            let length = usize::from(*items.get(at + 1)?);
            let text = items.get(at + 2..at + 2 + length)?;
            if items[at] == CNAME {
                name = Some(text);
            }
            at += 2 + length;
        }
        // The list ends with at least one zero byte and at a whole word.
        self.left = items.get(at / 4 * 4 + 4..).unwrap_or_default();
        Some((u32::from_be_bytes(*source), name))
    }
}

#[cfg(test)]
mod tests;
