//! How long a payload is.

/// A codec as the clock of its stream sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    clock_rate_hz: u32,
    unit: Unit,
}

/// What payloads are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Each is one tick of the clock: a payload may be cut anywhere.
    Bytes,
    /// A packet of Opus says how long it is (RFC 6716 section 3.1) and is decoded as a whole.
    Opus,
}

/// The longest packet taken, 120 ms: twice what gateways use, and what Opus allows.
const MAX_PACKET_MS: u32 = 120;

impl Format {
    /// PCMU and PCMA.
    pub const G711: Self = Self {
        clock_rate_hz: 8_000,
        unit: Unit::Bytes,
    };
    /// G.722 at 64 kbit/s: 16 kHz audio, of which RTP counts 8000 a second (RFC 3551 section 4.5.2).
    pub const G722: Self = Self::G711;
    /// Opus, whatever its bandwidth (RFC 7587 section 4.1).
    pub const OPUS: Self = Self {
        clock_rate_hz: 48_000,
        unit: Unit::Opus,
    };

    /// Ticks of the stream's clock in a second.
    #[must_use]
    pub const fn clock_rate_hz(self) -> u32 {
        self.clock_rate_hz
    }

    /// Ticks in 20 ms.
    #[must_use]
    pub const fn frame_ticks(self) -> u32 {
        self.clock_rate_hz / 50
    }

    /// Ticks in so many milliseconds.
    pub(crate) const fn ticks(self, ms: u32) -> u32 {
        self.clock_rate_hz / 1_000 * ms
    }

    /// Milliseconds in so many ticks.
    pub(crate) const fn ms(self, ticks: u32) -> u32 {
        ticks / (self.clock_rate_hz / 1_000)
    }

    /// How long a payload is, in ticks; none if it is empty, malformed, or longer than 120 ms.
    #[must_use]
    pub fn duration(self, payload: &[u8]) -> Option<u32> {
        let ticks = match self.unit {
            Unit::Bytes => u32::try_from(payload.len()).ok()?,
            Unit::Opus => opus_ticks(payload)?,
        };
        (1..=self.ticks(MAX_PACKET_MS))
            .contains(&ticks)
            .then_some(ticks)
    }

    /// The bytes and ticks of the longest beginning of a payload that is no longer than `max_ticks`, but one byte at least.
    pub(crate) fn cut(self, payload_bytes: u32, payload_ticks: u32, max_ticks: u32) -> (u32, u32) {
        match self.unit {
            Unit::Bytes if payload_ticks > max_ticks => (max_ticks.max(1), max_ticks.max(1)),
            _ => (payload_bytes, payload_ticks),
        }
    }

    /// Whether a payload may be cut.
    pub(crate) const fn is_divisible(self) -> bool {
        matches!(self.unit, Unit::Bytes)
    }
}

/// The length of an Opus packet by its first bytes, at 48 kHz.
fn opus_ticks(payload: &[u8]) -> Option<u32> {
    let first = *payload.first()?;
    let size = usize::from(first >> 3 & 3);
    let frame = match first >> 3 {
        0..=11 => [480, 960, 1_920, 2_880][size],
        12..=15 => [480, 960][size & 1],
        _ => [120, 240, 480, 960][size],
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3f),
    };
    Some(frame * frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_their_length() {
        for (format, payload, expected) in [
            (Format::G711, vec![0; 160], Some(160)),
            (Format::G711, vec![0; 1], Some(1)),
            (Format::G711, vec![0; 960], Some(960)),
            (Format::G711, vec![0; 961], None),
            (Format::G711, vec![], None),
            (Format::G722, vec![0; 240], Some(240)),
            (Format::OPUS, vec![], None),
            (Format::OPUS, vec![1 << 3], Some(960)), // SILK, 20 ms
            (Format::OPUS, vec![11 << 3], Some(2_880)), // SILK, 60 ms
            (Format::OPUS, vec![12 << 3 | 1], Some(960)), // hybrid, twice 10 ms
            (Format::OPUS, vec![31 << 3], Some(960)), // CELT, 20 ms
            (Format::OPUS, vec![16 << 3 | 2], Some(240)), // CELT, twice 2.5 ms
            (Format::OPUS, vec![31 << 3 | 3, 6], Some(5_760)), // six of 20 ms
            (Format::OPUS, vec![31 << 3 | 3, 7], None), // 140 ms
            (Format::OPUS, vec![31 << 3 | 3, 0], None), // none at all
            (Format::OPUS, vec![31 << 3 | 3], None), // the count is missing
        ] {
            assert_eq!(
                format.duration(&payload),
                expected,
                "{format:?} {payload:?}"
            );
        }
    }

    #[test]
    fn payloads_are_cut_between_bytes() {
        for (format, payload, max_ticks, expected) in [
            (Format::G711, (240, 240), 160, (160, 160)),
            (Format::G711, (80, 80), 160, (80, 80)),
            (Format::G722, (320, 320), 160, (160, 160)),
            (Format::G711, (80, 80), 0, (1, 1)), // one at least
            (Format::OPUS, (90, 2_880), 960, (90, 2_880)),
        ] {
            assert_eq!(
                format.cut(payload.0, payload.1, max_ticks),
                expected,
                "{format:?}"
            );
        }
    }
}
