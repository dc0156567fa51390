//! One leg's RTCP: what it tells its peer and when, and what it makes of what it is told.

use std::time::{Duration, Instant};

use super::ReportBlock;
use super::ntp::{NtpClock, from_units, middle, to_units};
use super::read::{Blocks, RtcpError, RtcpPacket, SenderInfo, read};
use super::source::SourceStatistics;
use super::write::{CNAME_BYTES, MAX_RTCP_BYTES, Writer};
use crate::random::Random;
use crate::{Packet, Sequenced};

/// Between two reports, before chance (RFC 3550 section 6.2). Two participants with reports of at most 128 bytes stay below 5 % of
/// any telephone codec's bandwidth by it, so that no longer one is ever computed.
const INTERVAL: Duration = Duration::from_secs(5);

/// A round trip longer than this is a peer's mistake.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(60);

/// What a leg's RTCP needs to know.
#[derive(Debug, Clone, Copy)]
pub struct RtcpConfig {
    /// The source of what we send.
    pub ssrc: u32,
    /// Our canonical name: 96 random bits in base64, the same for every stream of one call (RFC 7022 section 4.2).
    pub cname: [u8; CNAME_BYTES],
    /// The clock of the stream, in Hz: 8000, 16000 or 48000.
    pub clock_rate_hz: u32,
    /// NTP time at the first `now`, seconds above their fraction. Any value will do where it is not known (RFC 3550 section 4).
    pub ntp_at_start: u64,
    /// Decides when reports are sent within their interval. Random, so that calls set up together do not report together.
    pub seed: u64,
}

/// What a datagram of RTCP brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Reports, or what we have no use for.
    Reports,
    /// The peer's source ends (RFC 3550 section 6.6). The call goes on: SIP ends it.
    Goodbye,
}

/// RTCP of one leg, both ways. Allocates nothing.
///
/// Give it every RTP packet sent and received, every datagram of RTCP, and ask every 20 ms for the report that may be due.
#[derive(Debug, Clone)]
pub struct Rtcp {
    config: RtcpConfig,
    clock: NtpClock,
    start: Instant,
    random: Random,
    due: Instant,
    sent: Option<Sent>,
    heard: Option<Heard>,
    max_jitter: Duration,
    peer_report: Option<ReportBlock>,
    round_trips: RoundTrips,
}

/// What we sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    packets: u32,
    octets: u32,
    /// Of the last packet, and when that was sent.
    timestamp: u32,
    at: Instant,
}

/// What we heard of one source.
#[derive(Debug, Clone)]
struct Heard {
    statistics: SourceStatistics,
    /// Since the last report of ours.
    is_news: bool,
    /// The middle bits of the last sender report, and when it came.
    sender_report: Option<(u32, Instant)>,
}

/// Round trips measured.
#[derive(Debug, Clone, Copy, Default)]
struct RoundTrips {
    count: u32,
    sum: Duration,
}

impl Rtcp {
    /// RTCP of a stream that begins now. The first report is due after 1.25 to 3.75 s (RFC 3550 section 6.2).
    #[must_use]
    pub fn new(now: Instant, config: RtcpConfig) -> Self {
        let mut rtcp = Self {
            config,
            clock: NtpClock::new(now, config.ntp_at_start),
            start: now,
            random: Random::new(config.seed),
            due: now,
            sent: None,
            heard: None,
            max_jitter: Duration::ZERO,
            peer_report: None,
            round_trips: RoundTrips::default(),
        };
        rtcp.due = now + rtcp.interval() / 2;
        rtcp
    }

    /// The codec changed, and with it the clock of the stream: jitter is measured anew.
    pub fn set_clock_rate_hz(&mut self, clock_rate_hz: u32) {
        if self.config.clock_rate_hz != clock_rate_hz {
            self.config.clock_rate_hz = clock_rate_hz;
            self.heard = None;
        }
    }

    /// An RTP packet was sent, with this timestamp and so many bytes of payload.
    pub fn sent(&mut self, now: Instant, timestamp: u32, payload_bytes: usize) {
        let (packets, octets) = self.sent.map_or((0, 0), |sent| (sent.packets, sent.octets));
        self.sent = Some(Sent {
            packets: packets.wrapping_add(1),
            octets: octets.wrapping_add(payload_bytes as u32),
            timestamp,
            at: now,
        });
    }

    /// An RTP packet was received, and [`crate::Reception::take`] said this of it. `is_audio`: its timestamp tells when it was sent,
    /// which that of a telephone event does not.
    pub fn received(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        sequenced: Sequenced,
        is_audio: bool,
    ) {
        let arrival = is_audio.then(|| self.stream_clock(now));
        let is_new = sequenced == Sequenced::Restart || self.heard.is_none();
        if is_new {
            self.heard = Some(Heard {
                statistics: SourceStatistics::new(packet, self.config.clock_rate_hz),
                is_news: true,
                sender_report: None,
            });
        }
        let Some(heard) = &mut self.heard else { return };
        heard.is_news = true;
        heard.statistics.take(packet, sequenced, arrival);
        self.max_jitter = self.max_jitter.max(self.jitter());
    }

    /// Takes one datagram.
    ///
    /// # Errors
    /// If it is not RTCP, or cut short. Nothing of it is used then.
    pub fn handle(&mut self, now: Instant, datagram: &[u8]) -> Result<Control, RtcpError> {
        let mut control = Control::Reports;
        for packet in read(datagram)? {
            match packet {
                RtcpPacket::SenderReport { ssrc, info, blocks } => {
                    self.take_sender_report(now, ssrc, &info);
                    self.take_blocks(now, blocks);
                }
                RtcpPacket::ReceiverReport { blocks, .. } => self.take_blocks(now, blocks),
                RtcpPacket::Goodbye(mut sources) => {
                    let heard = self.heard.as_ref().map(|heard| heard.statistics.ssrc());
                    if sources.any(|source| Some(source) == heard) {
                        control = Control::Goodbye;
                    }
                }
                RtcpPacket::Description(_) | RtcpPacket::Other(_) => {}
            }
        }
        Ok(control)
    }

    /// When the next report is due.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.due
    }

    /// Writes the report if it is due, and returns its length.
    pub fn report(&mut self, now: Instant, packet: &mut [u8; MAX_RTCP_BYTES]) -> Option<usize> {
        if now < self.due {
            return None;
        }
        self.due = now + self.interval();
        Some(self.write(now, packet, false))
    }

    /// Writes the last report, which says goodbye, and returns its length.
    pub fn goodbye(&mut self, now: Instant, packet: &mut [u8; MAX_RTCP_BYTES]) -> usize {
        self.write(now, packet, true)
    }

    /// The interarrival jitter of what we hear (RFC 3550 section 6.4.1).
    #[must_use]
    pub fn jitter(&self) -> Duration {
        self.heard.as_ref().map_or(Duration::ZERO, |heard| {
            self.to_time(heard.statistics.jitter())
        })
    }

    /// The highest that [`Self::jitter`] was.
    #[must_use]
    pub const fn max_jitter(&self) -> Duration {
        self.max_jitter
    }

    /// What the peer last said of the stream we send: losses there, jitter in units of the stream's clock.
    #[must_use]
    pub const fn peer_report(&self) -> Option<ReportBlock> {
        self.peer_report
    }

    /// The mean time to the peer and back, of all that was measured; none before the peer answered a report of ours.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trips.sum.checked_div(self.round_trips.count)
    }

    /// Half to one and a half intervals (RFC 3550 section 6.2). Timers are not reconsidered: there are two participants, always.
    fn interval(&mut self) -> Duration {
        INTERVAL / 2 + Duration::from_micros(self.random.below(INTERVAL.as_micros() as u64))
    }

    /// `now` on the clock of the stream, from any beginning.
    fn stream_clock(&self, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(self.start);
        (passed.as_micros() * u128::from(self.config.clock_rate_hz) / 1_000_000) as u32
    }

    fn to_time(&self, units: u32) -> Duration {
        Duration::from_secs(units.into()) / self.config.clock_rate_hz.max(1)
    }

    fn take_sender_report(&mut self, now: Instant, ssrc: u32, info: &SenderInfo) {
        if let Some(heard) = self
            .heard
            .as_mut()
            .filter(|heard| heard.statistics.ssrc() == ssrc)
        {
            heard.sender_report = Some((middle(info.ntp), now));
        }
    }

    fn take_blocks(&mut self, now: Instant, blocks: Blocks<'_>) {
        for block in blocks {
            if block.ssrc == self.config.ssrc {
                self.peer_report = Some(block);
                self.take_round_trip(now, &block);
            }
        }
    }

    /// From our report to this answer, less the time the peer kept it (RFC 3550 section 6.4.1, figure 2).
    fn take_round_trip(&mut self, now: Instant, block: &ReportBlock) {
        if block.last_sender_report == 0 {
            return;
        }
        let units = middle(self.clock.at(now))
            .wrapping_sub(block.last_sender_report)
            .wrapping_sub(block.delay_since);
        // The peer's rounding may make a short one negative.
        let round_trip = from_units(units.cast_signed().max(0).cast_unsigned());
        let is_near = units.cast_signed() > -65_536 / 100;
        if is_near && round_trip <= MAX_ROUND_TRIP {
            self.round_trips.count = self.round_trips.count.saturating_add(1);
            self.round_trips.sum += round_trip;
        }
    }

    fn write(&mut self, now: Instant, packet: &mut [u8; MAX_RTCP_BYTES], is_last: bool) -> usize {
        let mut writer = Writer::new(packet);
        let info = self.sender_info(now);
        let block = self.report_block(now);
        writer.report(self.config.ssrc, info.as_ref(), block.as_ref());
        writer.description(self.config.ssrc, &self.config.cname);
        if is_last {
            writer.goodbye(self.config.ssrc);
        }
        writer.length()
    }

    /// What we sent, unless we stopped two intervals ago (RFC 3550 section 6.4).
    fn sender_info(&self, now: Instant) -> Option<SenderInfo> {
        let sent = self
            .sent
            .filter(|sent| now.saturating_duration_since(sent.at) < 2 * INTERVAL)?;
        let since = self
            .stream_clock(now)
            .wrapping_sub(self.stream_clock(sent.at));
        Some(SenderInfo {
            ntp: self.clock.at(now),
            timestamp: sent.timestamp.wrapping_add(since),
            packets: sent.packets,
            octets: sent.octets,
        })
    }

    /// What we heard, if we heard anything since the report before.
    fn report_block(&mut self, now: Instant) -> Option<ReportBlock> {
        let heard = self.heard.as_mut()?;
        if !std::mem::take(&mut heard.is_news) {
            return None;
        }
        let mut block = heard.statistics.report();
        if let Some((last_sender_report, came)) = heard.sender_report {
            block.last_sender_report = last_sender_report;
            block.delay_since = to_units(now.saturating_duration_since(came));
        }
        Some(block)
    }
}

#[cfg(test)]
mod tests;
