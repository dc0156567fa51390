//! SRTP and SRTCP (RFC 3711, AES-GCM by RFC 7714).
//!
//! Packets are protected and unprotected in place; nothing allocates. No MKI, no key derivation rate: a key lasts for the call.

mod cipher;
mod counter_mode;
mod derivation;
mod gcm;
mod index;
mod receiver;
mod sender;

use std::fmt;

pub use receiver::{Rejected, SrtpReceiver};
pub use sender::SrtpSender;

/// What [`SrtpSender`] appends to a packet at most: the tag, and the index of SRTCP.
pub const MAX_OVERHEAD_BYTES: usize = 20;

/// The longest master key with its salt.
const MAX_MASTER_BYTES: usize = 44;

/// How packets are encrypted and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// AES-128 in counter mode, a tag of 80 bits (RFC 4568 section 6.2.1).
    AesCm128HmacSha1_80,
    /// The same with a tag of 32 bits; SRTCP keeps 80 (RFC 4568 section 6.2.2).
    AesCm128HmacSha1_32,
    /// AES-128 in Galois/counter mode, a tag of 128 bits (RFC 7714 section 14.2).
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode, a tag of 128 bits (RFC 7714 section 14.2).
    AeadAes256Gcm,
}

impl Suite {
    /// All, best first.
    pub const ALL: [Self; 4] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
    ];

    /// Its name in SDP.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            _ => 16,
        }
    }

    /// Bytes of a master key and its salt.
    #[must_use]
    pub const fn master_bytes(self) -> usize {
        self.key_bytes()
            + match self {
                Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 14,
                Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            }
    }
}

/// A master key and its salt. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    /// The first [`Suite::master_bytes`] count.
    bytes: [u8; MAX_MASTER_BYTES],
}

impl MasterKey {
    /// The key followed by its salt; none if they are not [`Suite::master_bytes`] together. For a key of ours take random bytes,
    /// and never the same for two streams (RFC 3711 section 9.1).
    #[must_use]
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_MASTER_BYTES];
        (key_and_salt.len() == suite.master_bytes()).then(|| {
            bytes[..key_and_salt.len()].copy_from_slice(key_and_salt);
            Self { suite, bytes }
        })
    }

    /// What it is for.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.suite.master_bytes()]
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterKey({})", self.suite.name())
    }
}

/// Why a packet was not protected or not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SrtpError {
    /// Shorter than its own headers and the tag.
    #[error("packet cut short")]
    Malformed,
    /// The buffer has no room for the tag.
    #[error("no room for the tag: the buffer must be 20 bytes longer than the packet")]
    NoRoom,
    /// The tag is wrong: not sent with this key, or changed on its way.
    #[error("not authentic")]
    Forged,
    /// Came before, or is too old to tell.
    #[error("came before or is too old")]
    Replayed,
    /// A further source than the 16 that one key may have here.
    #[error("more than 16 sources under one key")]
    Sources,
}

/// Where the payload of an RTP packet begins: after sources and extension.
fn rtp_header(packet: &[u8]) -> Option<Header> {
    let [first, _, high, low, ..] = *packet else {
        return None;
    };
    let mut length = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(length + 2..length + 4)?;
        length += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (first >> 6 == 2 && packet.len() >= length).then(|| Header {
        length,
        sequence: u16::from_be_bytes([high, low]),
        ssrc: u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]),
    })
}

struct Header {
    length: usize,
    sequence: u16,
    ssrc: u32,
}

/// What of an RTCP packet stays in the clear.
const RTCP_HEADER_BYTES: usize = 8;

/// The source of an RTCP packet; none if it is none.
fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let header = packet.first_chunk::<RTCP_HEADER_BYTES>()?;
    let ssrc = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    (header[0] >> 6 == 2).then_some(ssrc)
}

#[cfg(test)]
mod tests;
