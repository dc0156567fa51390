//! What the peer sends.

use super::cipher::{Cipher, ENCRYPTED, Nonce};
use super::derivation::Protocol;
use super::index::{Window, nearest};
use super::{MasterKey, SrtpError, rtcp_ssrc, rtp_header};

/// Sources that one key may have. They are never forgotten, or what was recorded of a forgotten one could be played again.
const MAX_SOURCES: usize = 16;

/// Packets that were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rejected {
    /// Too short, or not RTP: also what is sent in the clear to a port that expects SRTP, where it is short.
    pub malformed: u64,
    /// With a wrong tag.
    pub forged: u64,
    /// Seen before, or too old to tell.
    pub replayed: u64,
    /// Of a 17th source.
    pub sources: u64,
}

/// Takes the packets of a peer's streams under one key, and their reports. Whatever is not authentic changes nothing but a count.
#[derive(Clone)]
pub struct SrtpReceiver {
    rtp: Cipher,
    rtcp: Cipher,
    streams: [Option<(u32, Window)>; MAX_SOURCES],
    reports: [Option<(u32, Window)>; MAX_SOURCES],
    rejected: Rejected,
}

impl SrtpReceiver {
    /// Nothing received yet. Keep it while the peer keeps its key: the counts of wraps go on.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            rtp: Cipher::new(master, Protocol::Rtp),
            rtcp: Cipher::new(master, Protocol::Rtcp),
            streams: [None; MAX_SOURCES],
            reports: [None; MAX_SOURCES],
            rejected: Rejected::default(),
        }
    }

    /// Proves and decrypts an SRTP packet in place. Returns the length of the RTP packet in its beginning.
    ///
    /// # Errors
    /// If it is no RTP packet, not authentic, came before, or is of one source too many. It is counted, and `packet` is not to be used.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let result = self.open_rtp(packet);
        self.count(result)
    }

    /// The same for a compound SRTCP packet.
    ///
    /// # Errors
    /// As [`Self::unprotect`].
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let result = self.open_rtcp(packet);
        self.count(result)
    }

    /// What was not taken.
    #[must_use]
    pub const fn rejected(&self) -> Rejected {
        self.rejected
    }

    fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let header = rtp_header(packet)
            .filter(|header| packet.len() >= header.length + self.rtp.tag_bytes())
            .ok_or(SrtpError::Malformed)?;
        let window = window_of(&mut self.streams, header.ssrc)?;
        let index = window
            .as_ref()
            .map_or(header.sequence.into(), |(_, window)| {
                nearest(window.highest(), header.sequence)
            });
        let nonce = Nonce {
            ssrc: header.ssrc,
            index,
        };
        check(window, index)?;
        let length = self.rtp.open_rtp(nonce, packet, header.length)?;
        take(window, nonce);
        Ok(length)
    }

    fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let ssrc = rtcp_ssrc(packet).ok_or(SrtpError::Malformed)?;
        let word = self.rtcp.rtcp_index(packet).ok_or(SrtpError::Malformed)?;
        let window = window_of(&mut self.reports, ssrc)?;
        let nonce = Nonce {
            ssrc,
            index: (word & !ENCRYPTED).into(),
        };
        check(window, nonce.index)?;
        if word & ENCRYPTED == 0 {
            return Err(SrtpError::Forged); // we never agree to reports in the clear
        }
        let length = self.rtcp.open_rtcp(nonce, packet)?;
        take(window, nonce);
        Ok(length)
    }

    fn count(&mut self, result: Result<usize, SrtpError>) -> Result<usize, SrtpError> {
        let rejected = &mut self.rejected;
        match result {
            Ok(_) => {}
            Err(SrtpError::Forged) => rejected.forged += 1,
            Err(SrtpError::Replayed) => rejected.replayed += 1,
            Err(SrtpError::Sources) => rejected.sources += 1,
            Err(SrtpError::Malformed | SrtpError::NoRoom) => rejected.malformed += 1,
        }
        result
    }
}

type Place = Option<(u32, Window)>;

/// The place of a source: its own, or the first free one.
fn window_of(places: &mut [Place; MAX_SOURCES], ssrc: u32) -> Result<&mut Place, SrtpError> {
    places
        .iter_mut()
        .find(|place| place.is_none_or(|(of, _)| of == ssrc))
        .ok_or(SrtpError::Sources)
}

fn check(place: &Place, index: u64) -> Result<(), SrtpError> {
    place
        .as_ref()
        .map_or(Ok(()), |(_, window)| window.check(index))
}

fn take(place: &mut Place, nonce: Nonce) {
    match place {
        Some((_, window)) => window.take(nonce.index),
        None => *place = Some((nonce.ssrc, Window::new(nonce.index))),
    }
}

impl std::fmt::Debug for SrtpReceiver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SrtpReceiver")
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}
