//! Between datagrams and packets: whose they are, their encryption, RTCP, and whether anything comes at all.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use call::MediaPath;
use rtp::rtcp::{MAX_RTCP_BYTES, ReportBlock, Rtcp, is_rtcp};
use rtp::srtp::{MAX_OVERHEAD_BYTES, SrtpReceiver, SrtpSender};
use rtp::{HEADER_BYTES, Latch, MAX_PACKET_BYTES, Packet, Reception, Sequenced};

use super::keys::master_key;

/// The longest datagram sent: a packet of audio or a report, and what encryption adds to it.
pub(super) const MAX_DATAGRAM_BYTES: usize = MAX_PACKET_BYTES + MAX_OVERHEAD_BYTES;
const _: () = assert!(MAX_DATAGRAM_BYTES >= MAX_RTCP_BYTES + MAX_OVERHEAD_BYTES);

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    Taken,
    /// From elsewhere than signalled, before the path was known, of a payload type that was not negotiated, or not authentic.
    Refused,
    Malformed,
}

/// How long a peer may be silent, neither RTP nor RTCP, before the call counts as dead; none: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// While we expect its audio.
    pub(crate) talking: Option<Duration>,
    /// While the call is held.
    pub(crate) held: Option<Duration>,
}

/// A report to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) length: usize,
    pub(super) to: SocketAddr,
    /// From the port of RTP, not the one above it.
    pub(super) is_muxed: bool,
}

/// The network's side of a leg. Making one allocates, and so does a path with new keys; packets do not.
#[derive(Debug)]
pub(super) struct Wire {
    /// Whose packets are the peer's, and where ours go.
    latch: Latch,
    encryption: Option<Box<Encryption>>,
    reception: Reception,
    lost_told: u64,
    rtcp: Rtcp,
    /// Where the peer's reports come from, if not over the port of RTP.
    reports_from: Option<SocketAddr>,
    patience: Patience,
    /// When the peer was last heard, or last given up.
    heard_at: Instant,
}

struct Encryption {
    keys: sdp::Srtp,
    sender: SrtpSender,
    receiver: SrtpReceiver,
}

impl Wire {
    /// A wire to nobody yet.
    pub(super) fn new(now: Instant, latch: Latch, rtcp: Rtcp, patience: Patience) -> Self {
        Self {
            latch,
            encryption: None,
            reception: Reception::default(),
            lost_told: 0,
            rtcp,
            reports_from: None,
            patience,
            heard_at: now,
        }
    }

    /// An offer was answered.
    pub(super) fn connect(&mut self, now: Instant, path: &MediaPath) {
        self.latch.agree(path.remote);
        self.rtcp
            .set_clock_rate_hz(clock_rate_hz(path.media_codec()));
        match (&mut self.encryption, path.srtp) {
            (Some(encryption), Some(keys)) => encryption.change(keys),
            (encryption, keys) => *encryption = keys.map(|keys| Box::new(Encryption::new(keys))),
        }
        self.heard_at = now;
    }

    /// Where audio goes.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.latch.peer()
    }

    /// The packet in a datagram that came on the port of RTP, and what its sequence number says; none if it held reports.
    ///
    /// # Errors
    /// What became of it, if it was not taken.
    pub(super) fn read<'d>(
        &mut self,
        arrival: Instant,
        path: &MediaPath,
        source: SocketAddr,
        datagram: &'d mut [u8],
    ) -> Result<Option<(Packet<'d>, Sequenced)>, Received> {
        if !self.latch.considers(source) {
            return Err(Received::Refused);
        }
        if is_rtcp(datagram) {
            return self.take_reports(arrival, datagram).map(|()| None);
        }
        if !path.direction.receives() {
            return Err(Received::Refused);
        }
        let length = match &mut self.encryption {
            Some(encryption) => encryption.receiver.unprotect(datagram),
            None => Ok(datagram.len()),
        };
        let length = length.map_err(|_| Received::Refused)?;
        let packet = rtp::parse(&datagram[..length]).map_err(|_| Received::Malformed)?;
        let is_audio = packet.payload_type == path.receive_payload_type;
        if !is_audio && !is_event(path, &packet) && !is_noise(path, &packet) {
            return Err(Received::Refused);
        }
        if !self.latch.take(source, &packet) {
            return Err(Received::Refused);
        }
        let sequenced = self.reception.take(packet.ssrc, packet.sequence);
        self.rtcp.received(arrival, &packet, sequenced, is_audio);
        self.heard_at = self.heard_at.max(arrival);
        Ok(Some((packet, sequenced)))
    }

    /// Takes what came on the port above that of RTP.
    pub(super) fn read_report(
        &mut self,
        arrival: Instant,
        source: SocketAddr,
        datagram: &mut [u8],
    ) -> Received {
        let peer = self.latch.peer();
        if peer.is_none_or(|peer| peer.ip().to_canonical() != source.ip().to_canonical()) {
            return Received::Refused;
        }
        match self.take_reports(arrival, datagram) {
            Ok(()) => {
                self.reports_from = Some(source);
                Received::Taken
            }
            Err(refused) => refused,
        }
    }

    fn take_reports(&mut self, arrival: Instant, datagram: &mut [u8]) -> Result<(), Received> {
        let length = match &mut self.encryption {
            Some(encryption) => encryption.receiver.unprotect_rtcp(datagram),
            None => Ok(datagram.len()),
        };
        let length = length.map_err(|_| Received::Refused)?;
        let control = self.rtcp.handle(arrival, &datagram[..length]);
        control.map_err(|_| Received::Malformed)?;
        self.heard_at = self.heard_at.max(arrival);
        Ok(())
    }

    /// Encrypts the packet in the first `length` bytes if that was agreed, and counts it. Returns its new length.
    pub(super) fn seal(
        &mut self,
        now: Instant,
        datagram: &mut [u8; MAX_DATAGRAM_BYTES],
        length: usize,
    ) -> Option<usize> {
        let timestamp = datagram[4..8].first_chunk().copied().unwrap_or_default();
        self.rtcp
            .sent(now, u32::from_be_bytes(timestamp), length - HEADER_BYTES);
        match &mut self.encryption {
            Some(encryption) => encryption.sender.protect(datagram, length).ok(),
            None => Some(length),
        }
    }

    /// Writes the report that is due, if one is and the peer wants any.
    pub(super) fn report(
        &mut self,
        now: Instant,
        path: &MediaPath,
        datagram: &mut [u8; MAX_DATAGRAM_BYTES],
    ) -> Option<Report> {
        let buffer = datagram.first_chunk_mut()?;
        let length = self.rtcp.report(now, buffer)?;
        self.address(path, datagram, length)
    }

    /// Writes the last report: that we are gone.
    pub(super) fn goodbye(
        &mut self,
        now: Instant,
        path: &MediaPath,
        datagram: &mut [u8; MAX_DATAGRAM_BYTES],
    ) -> Option<Report> {
        let length = self.rtcp.goodbye(now, datagram.first_chunk_mut()?);
        self.address(path, datagram, length)
    }

    fn address(
        &mut self,
        path: &MediaPath,
        datagram: &mut [u8; MAX_DATAGRAM_BYTES],
        length: usize,
    ) -> Option<Report> {
        let to = if path.rtcp_mux {
            self.latch.peer()
        } else {
            self.reports_from.or(path.remote_rtcp)
        };
        let to = to?;
        let length = match &mut self.encryption {
            Some(encryption) => encryption.sender.protect_rtcp(datagram, length).ok()?,
            None => length,
        };
        Some(Report {
            length,
            to,
            is_muxed: path.rtcp_mux,
        })
    }

    /// 20 ms passed. Whether the peer has been silent for too long; then it is given as long once more.
    pub(super) fn tick(&mut self, now: Instant, path: &MediaPath) -> bool {
        self.latch.tick();
        let limit = if path.direction.receives() {
            self.patience.talking
        } else {
            self.patience.held
        };
        let is_over =
            limit.is_some_and(|limit| now.saturating_duration_since(self.heard_at) >= limit);
        if is_over {
            self.heard_at = now;
        }
        is_over
    }

    /// Received packets found missing since the last call.
    pub(super) fn take_lost(&mut self) -> u64 {
        let lost = self.reception.lost();
        let news = lost.saturating_sub(self.lost_told);
        self.lost_told = self.lost_told.max(lost);
        news
    }

    /// What was counted of the packets that came.
    pub(super) const fn reception(&self) -> &Reception {
        &self.reception
    }

    /// The interarrival jitter at its highest.
    pub(super) const fn max_jitter(&self) -> Duration {
        self.rtcp.max_jitter()
    }

    /// To the peer and back, where it reports.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.rtcp.round_trip()
    }

    /// What the peer last said of our audio.
    pub(super) const fn peer_report(&self) -> Option<ReportBlock> {
        self.rtcp.peer_report()
    }
}

impl Encryption {
    fn new(keys: sdp::Srtp) -> Self {
        Self {
            keys,
            sender: SrtpSender::new(&master_key(&keys.send)),
            receiver: SrtpReceiver::new(&master_key(&keys.receive)),
        }
    }

    /// A key that stays goes on counting: what it encrypted once must not be encrypted again (RFC 3711 section 9.1).
    fn change(&mut self, keys: sdp::Srtp) {
        let before = std::mem::replace(&mut self.keys, keys);
        if before.send != keys.send {
            self.sender = SrtpSender::new(&master_key(&keys.send));
        }
        if before.receive != keys.receive {
            self.receiver = SrtpReceiver::new(&master_key(&keys.receive));
        }
    }
}

/// Without the keys.
impl std::fmt::Debug for Encryption {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Encryption({:?})", self.keys.suite())
    }
}

/// The clock of a codec's stream.
const fn clock_rate_hz(codec: media::Codec) -> u32 {
    codec.timestamps_a_frame() * 1_000 / media::FRAME_MS
}

/// Whether it is a telephone event.
pub(super) fn is_event(path: &MediaPath, packet: &Packet<'_>) -> bool {
    path.telephone_event
        .is_some_and(|event| event.receive == packet.payload_type)
}

/// Whether it describes comfort noise.
pub(super) fn is_noise(path: &MediaPath, packet: &Packet<'_>) -> bool {
    path.comfort_noise == Some(packet.payload_type)
}
