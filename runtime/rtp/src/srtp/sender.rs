//! What we send.

use super::cipher::{Cipher, Nonce};
use super::derivation::Protocol;
use super::index::nearest;
use super::{MAX_OVERHEAD_BYTES, MasterKey, SrtpError, rtcp_ssrc, rtp_header};

/// Protects the packets of one stream of ours, and its reports. One source: when it changes, take a new key.
#[derive(Clone)]
pub struct SrtpSender {
    rtp: Cipher,
    rtcp: Cipher,
    /// The index of the packet before.
    highest: Option<u64>,
    reports: u32,
}

impl SrtpSender {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            rtp: Cipher::new(master, Protocol::Rtp),
            rtcp: Cipher::new(master, Protocol::Rtcp),
            highest: None,
            reports: 0,
        }
    }

    /// Protects the RTP packet in the first `length` bytes of `packet`, in place. Returns its new length.
    ///
    /// Packets are given in the order of their sequence numbers, each once: a key stream must not be used twice.
    ///
    /// # Errors
    /// If it is no RTP packet, or `packet` is not [`MAX_OVERHEAD_BYTES`] longer.
    pub fn protect(&mut self, packet: &mut [u8], length: usize) -> Result<usize, SrtpError> {
        let header = clear_part(packet, length)
            .and_then(|clear| rtp_header(clear).ok_or(SrtpError::Malformed))?;
        let index = self.highest.map_or(header.sequence.into(), |highest| {
            nearest(highest, header.sequence)
        });
        if self.highest.is_some_and(|highest| index <= highest) {
            return Err(SrtpError::Replayed);
        }
        self.highest = Some(index);
        let nonce = Nonce {
            ssrc: header.ssrc,
            index,
        };
        Ok(self.rtp.seal_rtp(nonce, packet, header.length, length))
    }

    /// Protects the compound RTCP packet in the first `length` bytes of `packet`, in place. Returns its new length.
    ///
    /// # Errors
    /// If it is no RTCP packet, or `packet` is not [`MAX_OVERHEAD_BYTES`] longer.
    pub fn protect_rtcp(&mut self, packet: &mut [u8], length: usize) -> Result<usize, SrtpError> {
        let ssrc = clear_part(packet, length)
            .and_then(|clear| rtcp_ssrc(clear).ok_or(SrtpError::Malformed))?;
        // 31 bits: at a report every 5 s they last for centuries.
        self.reports = (self.reports + 1) & (u32::MAX >> 1);
        let nonce = Nonce {
            ssrc,
            index: self.reports.into(),
        };
        Ok(self.rtcp.seal_rtcp(nonce, packet, length))
    }
}

/// The packet, if there is room behind it.
fn clear_part(packet: &[u8], length: usize) -> Result<&[u8], SrtpError> {
    let room = packet.len().checked_sub(length).ok_or(SrtpError::NoRoom)?;
    if room < MAX_OVERHEAD_BYTES {
        return Err(SrtpError::NoRoom);
    }
    Ok(&packet[..length])
}

impl std::fmt::Debug for SrtpSender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SrtpSender").finish_non_exhaustive()
    }
}
