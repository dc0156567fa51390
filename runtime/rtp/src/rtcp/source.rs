//! What one source sent us, as its reports want it (RFC 3550 sections 6.4.1, A.3 and A.8).

use super::ReportBlock;
use crate::{Packet, Sequenced};

/// The limits of 24 bits with a sign.
const LOST: std::ops::RangeInclusive<i64> = -(1 << 23)..=(1 << 23) - 1;

/// Statistics of one source since its sequence began.
#[derive(Debug, Clone)]
pub(super) struct SourceStatistics {
    ssrc: u32,
    clock_rate_hz: u32,
    /// With the wraps above the 16 bits.
    first: u32,
    highest: u32,
    /// Late and doubled ones too.
    received: u32,
    /// At the report before.
    expected_before: u32,
    received_before: u32,
    /// Arrival less timestamp of the packet before.
    transit: Option<u32>,
    /// 16 times the estimate, so that the integer division keeps its fraction.
    scaled_jitter: u32,
}

impl SourceStatistics {
    /// Begins with this packet; [`Self::take`] it too.
    pub(super) fn new(packet: &Packet<'_>, clock_rate_hz: u32) -> Self {
        let sequence = u32::from(packet.sequence);
        Self {
            ssrc: packet.ssrc,
            clock_rate_hz,
            first: sequence,
            highest: sequence,
            received: 0,
            expected_before: 0,
            received_before: 0,
            transit: None,
            scaled_jitter: 0,
        }
    }

    pub(super) const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Counts a packet. `arrival`, on the clock of the stream, where its timestamp tells when it was sent.
    pub(super) fn take(&mut self, packet: &Packet<'_>, sequenced: Sequenced, arrival: Option<u32>) {
        self.received = self.received.wrapping_add(1);
        if sequenced == Sequenced::Duplicate {
            return;
        }
        let ahead = packet
            .sequence
            .wrapping_sub(self.highest as u16)
            .cast_signed();
        if ahead > 0 {
            self.highest = self.highest.wrapping_add(u32::from(ahead.cast_unsigned()));
        }
        if let Some(arrival) = arrival {
            self.take_transit(arrival.wrapping_sub(packet.timestamp));
        }
    }

    /// Interarrival jitter (RFC 3550 appendix A.8). A step of more than a second is a clock that jumped, no jitter.
    fn take_transit(&mut self, transit: u32) {
        if let Some(before) = self.transit.replace(transit) {
            let difference = transit.wrapping_sub(before).cast_signed().unsigned_abs();
            if difference <= self.clock_rate_hz {
                let decay = (self.scaled_jitter + 8) >> 4;
                self.scaled_jitter = self.scaled_jitter - decay + difference;
            }
        }
    }

    /// In units of the clock of the stream.
    pub(super) const fn jitter(&self) -> u32 {
        self.scaled_jitter >> 4
    }

    /// The block of the next report, and the beginning of the interval that the one after it is about.
    pub(super) fn report(&mut self) -> ReportBlock {
        let expected = self.highest.wrapping_sub(self.first).wrapping_add(1);
        let expected_since = expected.wrapping_sub(self.expected_before);
        let received_since = self.received.wrapping_sub(self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        let lost_since = u64::from(expected_since.saturating_sub(received_since));
        let lost = i64::from(expected) - i64::from(self.received);
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: (lost_since * 256)
                .checked_div(expected_since.into())
                .map_or(0, |fraction| fraction.min(255) as u8),
            cumulative_lost: lost.clamp(*LOST.start(), *LOST.end()) as i32,
            highest_sequence: self.highest,
            jitter: self.jitter(),
            last_sender_report: 0,
            delay_since: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reception;

    fn packet(sequence: u16, timestamp: u32) -> Packet<'static> {
        Packet {
            payload_type: 0,
            marker: false,
            sequence,
            timestamp,
            ssrc: 7,
            payload: &[],
        }
    }

    /// Feeds sequence numbers as they come; expects cumulative and fraction lost, and the highest.
    fn check(first: u16, rest: impl IntoIterator<Item = u16>, expected: (i32, u8, u32)) {
        let mut reception = Reception::default();
        let mut source = SourceStatistics::new(&packet(first, 0), 8_000);
        for sequence in std::iter::once(first).chain(rest) {
            let sequenced = reception.take(7, sequence);
            source.take(&packet(sequence, 0), sequenced, None);
        }
        let block = source.report();
        let got = (
            block.cumulative_lost,
            block.fraction_lost,
            block.highest_sequence,
        );
        assert_eq!(got, expected, "from {first}");
    }

    #[test]
    fn losses_are_expected_less_received() {
        check(10, [], (0, 0, 10));
        check(10, [11, 12, 13], (0, 0, 13));
        check(10, [12, 13], (1, 64, 13)); // one of four
        check(10, [12, 11, 13], (0, 0, 13)); // reordered
        check(10, [11, 11, 11], (-2, 0, 11)); // doubled
        check(10, [110], (99, 250, 110));
        check(65_534, [65_535, 0, 1], (0, 0, 65_537));
        check(65_535, [1, 0, 65_535], (-1, 0, 65_537)); // wraps in disorder: the first one twice
        check(0, 1..=u16::MAX, (0, 0, 65_535));
        check(5, (6..=u16::MAX).chain(0..=5), (0, 0, 65_541));
    }

    #[test]
    fn a_fraction_is_of_the_time_since_the_report_before() {
        let mut source = SourceStatistics::new(&packet(0, 0), 8_000);
        let mut report = |sequences: &[u16]| {
            for sequence in sequences {
                source.take(&packet(*sequence, 0), Sequenced::New, None);
            }
            let block = source.report();
            (block.fraction_lost, block.cumulative_lost)
        };
        assert_eq!(report(&[0, 2]), (85, 1)); // one of three
        assert_eq!(report(&[3, 4]), (0, 1));
        assert_eq!(report(&[]), (0, 1));
        assert_eq!(report(&[8]), (192, 4)); // three of four
        assert_eq!(report(&[5, 6, 7]), (0, 1)); // late after all
    }

    #[test]
    fn jitter_follows_appendix_a_8() {
        let mut source = SourceStatistics::new(&packet(0, 0), 8_000);
        // Late by 16 units every second packet, from a clock that wraps: the estimate closes in on 16 by a sixteenth each time.
        let mut estimates = Vec::new();
        for n in 0..200u16 {
            let timestamp = u32::from(n) * 160;
            let arrival = timestamp
                .wrapping_sub(400)
                .wrapping_add(16 * u32::from(n % 2));
            source.take(&packet(n, timestamp), Sequenced::New, Some(arrival));
            estimates.push(source.jitter());
        }
        assert_eq!(estimates[..6], [0, 1, 1, 2, 3, 4]);
        assert_eq!(estimates[199], 15);
        for n in 200..300u16 {
            let timestamp = u32::from(n) * 160;
            source.take(&packet(n, timestamp), Sequenced::New, Some(timestamp));
        }
        assert_eq!(source.jitter(), 0);
    }

    #[test]
    fn a_clock_that_jumps_is_no_jitter() {
        let mut source = SourceStatistics::new(&packet(0, 0), 8_000);
        for n in 0..1_000u16 {
            let arrival = if n % 2 == 0 { 0 } else { 8_001 << (n % 19) };
            source.take(&packet(n, 0), Sequenced::New, Some(arrival));
        }
        assert_eq!(source.jitter(), 0);
        for n in 0..1_000u16 {
            let arrival = if n % 2 == 0 { 0 } else { 8_000 };
            source.take(&packet(n, 0), Sequenced::New, Some(arrival));
        }
        assert_eq!(source.jitter(), 7_999);
    }
}
