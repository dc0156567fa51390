//! RTCP (RFC 3550 section 6): what sender and receiver tell each other about the stream, on the port of the stream (RFC 5761) or beside it.

mod ntp;
mod read;
mod session;
mod source;
mod write;

pub use read::{
    Blocks, Chunks, Compound, RtcpError, RtcpPacket, SenderInfo, Sources, is_rtcp, read,
};
pub use session::{Control, Rtcp, RtcpConfig};
pub use write::MAX_RTCP_BYTES;

/// What one receiver says of one source (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source it is about.
    pub ssrc: u32,
    /// Packets lost since the report before, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, -2²³ to 2²³ - 1; negative where more came twice than were lost.
    pub cumulative_lost: i32,
    /// The highest sequence number, and above its 16 bits how often it wrapped.
    pub highest_sequence: u32,
    /// The interarrival jitter, in units of the RTP clock.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the last sender report; 0: none came.
    pub last_sender_report: u32,
    /// Since that report came, in units of 1/65536 s.
    pub delay_since: u32,
}
