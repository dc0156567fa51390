//! RTP and RTCP (RFC 3550): reading, writing, counting, the jitter buffer, digits (RFC 4733), and whose packets are the peer's.
//!
//! Nothing here has a clock or allocates once built: the caller ticks every 20 ms and hands datagrams in.

pub mod dtmf;
mod format;
mod jitter_buffer;
mod latch;
mod packet;
mod quality;
mod random;
mod reception;
pub mod rtcp;
mod sender;
pub mod srtp;
#[cfg(test)]
mod testing;

pub use format::Format;
pub use jitter_buffer::{Arrival, DelayBounds, JitterBuffer, Output, PlayoutCounts};
pub use latch::Latch;
pub use packet::{Packet, PacketError, parse};
pub use quality::{Impairment, Measured, Quality};
pub use reception::{Reception, Sequenced};
pub use sender::{HEADER_BYTES, MAX_PACKET_BYTES, MAX_PAYLOAD_BYTES, Sender};

/// Samples, and bytes of G.711, in one packet of 20 ms at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;
