//! One direction of SRTP or SRTCP under its session keys.

use super::counter_mode::CounterMode;
use super::derivation::Protocol;
use super::gcm::Gcm;
use super::{MasterKey, SrtpError, Suite};

/// SRTCP's flag that the packet is encrypted, above the 31 bits of its index (RFC 3711 section 3.4).
pub(super) const ENCRYPTED: u32 = 1 << 31;

/// The session keys, and what is done with them. Lengths are those of the whole packet; the buffer has room for the tag.
#[derive(Clone)]
pub(super) enum Cipher {
    CounterMode(Box<CounterMode>),
    Gcm(Box<Gcm>),
}

/// What makes a packet's key stream its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nonce {
    pub(super) ssrc: u32,
    /// 48 bits of SRTP, 31 of SRTCP.
    pub(super) index: u64,
}

impl Cipher {
    pub(super) fn new(master: &MasterKey, protocol: Protocol) -> Self {
        match master.suite() {
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 => {
                Self::CounterMode(Box::new(CounterMode::new(master, protocol)))
            }
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => {
                Self::Gcm(Box::new(Gcm::new(master, protocol)))
            }
        }
    }

    /// What sealing appends to an RTP packet.
    pub(super) const fn tag_bytes(&self) -> usize {
        match self {
            Self::CounterMode(cipher) => cipher.tag_bytes(),
            Self::Gcm(_) => Gcm::TAG_BYTES,
        }
    }

    /// Encrypts an RTP packet behind its first `clear` bytes and appends the tag. Returns the new length.
    pub(super) fn seal_rtp(
        &self,
        nonce: Nonce,
        packet: &mut [u8],
        clear: usize,
        length: usize,
    ) -> usize {
        match self {
            Self::CounterMode(cipher) => cipher.seal_rtp(nonce, packet, clear, length),
            Self::Gcm(cipher) => cipher.seal_rtp(nonce, packet, clear, length),
        }
    }

    /// Proves the tag of an RTP packet that is longer than `clear` and the tag, and decrypts it. Returns the length without the tag.
    pub(super) fn open_rtp(
        &self,
        nonce: Nonce,
        packet: &mut [u8],
        clear: usize,
    ) -> Result<usize, SrtpError> {
        match self {
            Self::CounterMode(cipher) => cipher.open_rtp(nonce, packet, clear),
            Self::Gcm(cipher) => cipher.open_rtp(nonce, packet, clear),
        }
    }

    /// Encrypts an RTCP packet and appends index and tag. Returns the new length.
    pub(super) fn seal_rtcp(&self, nonce: Nonce, packet: &mut [u8], length: usize) -> usize {
        match self {
            Self::CounterMode(cipher) => cipher.seal_rtcp(nonce, packet, length),
            Self::Gcm(cipher) => cipher.seal_rtcp(nonce, packet, length),
        }
    }

    /// Where an RTCP packet says its index and whether it is encrypted; none if it is too short.
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        let behind = match self {
            Self::CounterMode(_) => CounterMode::RTCP_TAG_BYTES,
            Self::Gcm(_) => 0,
        };
        let end = packet.len().checked_sub(behind)?;
        let index = packet[..end].last_chunk::<4>()?;
        let least = super::RTCP_HEADER_BYTES + 4 + self.tag_bytes_of_rtcp();
        (packet.len() >= least).then_some(u32::from_be_bytes(*index))
    }

    /// Proves the tag of an RTCP packet that has an index, and decrypts it. Returns the length of what was sealed.
    pub(super) fn open_rtcp(&self, nonce: Nonce, packet: &mut [u8]) -> Result<usize, SrtpError> {
        match self {
            Self::CounterMode(cipher) => cipher.open_rtcp(nonce, packet),
            Self::Gcm(cipher) => cipher.open_rtcp(nonce, packet),
        }
    }

    const fn tag_bytes_of_rtcp(&self) -> usize {
        match self {
            Self::CounterMode(_) => CounterMode::RTCP_TAG_BYTES,
            Self::Gcm(_) => Gcm::TAG_BYTES,
        }
    }
}
