//! Sending digits.

use super::event_of;
use crate::FRAME_SAMPLES;

/// -10 dBm0, the level of a telephone's own tones (RFC 4733 section 2.3.3 counts downwards).
const VOLUME: u8 = 10;

/// The packet that ends an event is sent this often (RFC 4733 section 2.5.1.4).
const END_PACKETS: u16 = 3;

/// The packets of one pressed key, one for each 20 ms.
#[derive(Debug, Clone)]
pub struct DigitSender {
    event: u8,
    timestamp: u32,
    frames: u16,
    sent: u16,
    /// Of the clock, in 20 ms.
    frame_ticks: u16,
}

/// One packet of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPacket {
    /// The first of the event.
    pub marker: bool,
    /// When the event began.
    pub timestamp: u32,
    /// Event, end bit and volume, duration (RFC 4733 section 2.3).
    pub payload: [u8; 4],
}

impl DigitSender {
    /// The key, held from `timestamp` for so many frames of 20 ms (at least 2: a key is 40 ms; at most 400: 8 s). None
    /// if it is no key.
    #[must_use]
    pub fn new(key: char, timestamp: u32, frames: u16) -> Option<Self> {
        Some(Self {
            event: event_of(key)?,
            timestamp,
            frames: frames.clamp(2, 400),
            sent: 0,
            frame_ticks: FRAME_SAMPLES as u16,
        })
    }

    /// For a payload type with this clock rate, up to 48 kHz, instead of 8 kHz. A key is held no longer then than one event can say:
    /// 1.36 s at 48 kHz.
    #[must_use]
    pub fn at_clock_rate_hz(self, clock_rate_hz: u32) -> Self {
        let frame_ticks = (clock_rate_hz.clamp(8_000, 48_000) / 50) as u16;
        Self {
            frame_ticks,
            frames: self.frames.min(u16::MAX / frame_ticks),
            ..self
        }
    }
}

impl Iterator for DigitSender {
    type Item = EventPacket;

    /// The packet of the next 20 ms; none when the event and its repeated end are sent.
    fn next(&mut self) -> Option<EventPacket> {
        if self.sent >= self.frames + END_PACKETS - 1 {
            return None;
        }
        self.sent += 1;
        let [high, low] = (self.sent.min(self.frames) * self.frame_ticks).to_be_bytes();
        let end = u8::from(self.sent >= self.frames) << 7;
        Some(EventPacket {
            marker: self.sent == 1,
            timestamp: self.timestamp,
            payload: [self.event, end | VOLUME, high, low],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::{Digit, DigitReceiver};

    #[test]
    fn durations_grow_and_the_end_comes_three_times() {
        let packets: Vec<EventPacket> = DigitSender::new('#', 77, 3).unwrap().collect();
        let payloads: Vec<[u8; 4]> = packets.iter().map(|packet| packet.payload).collect();
        assert_eq!(
            payloads,
            [
                [11, 10, 0, 160],
                [11, 10, 1, 64],
                [11, 0x8a, 1, 224],
                [11, 0x8a, 1, 224],
                [11, 0x8a, 1, 224],
            ]
        );
        assert!(packets.iter().all(|packet| packet.timestamp == 77));
        let markers: Vec<bool> = packets.iter().map(|packet| packet.marker).collect();
        assert_eq!(markers, [true, false, false, false, false]);
    }

    #[test]
    fn other_clocks_count_other_ticks() {
        for (clock_rate_hz, frames, duration_ms) in [
            (16_000, 5, 100),
            (48_000, 5, 100),
            (48_000, 400, 1_360),
            (16_000, 400, 4_080),
        ] {
            let mut receiver = DigitReceiver::new(clock_rate_hz);
            let received: Vec<Digit> = DigitSender::new('7', 1, frames)
                .unwrap()
                .at_clock_rate_hz(clock_rate_hz)
                .flat_map(|packet| receiver.handle(packet.timestamp, &packet.payload))
                .collect();
            assert_eq!(
                received,
                [Digit {
                    key: '7',
                    duration_ms
                }],
                "{clock_rate_hz}"
            );
        }
    }

    #[test]
    fn what_is_sent_is_received_once() {
        for key in "0123456789*#ABCD".chars() {
            for (frames, duration_ms) in [(0, 40), (2, 40), (5, 100), (400, 8_000), (9_999, 8_000)]
            {
                let mut receiver = DigitReceiver::default();
                let received: Vec<Digit> = DigitSender::new(key, u32::MAX, frames)
                    .unwrap()
                    .flat_map(|packet| receiver.handle(packet.timestamp, &packet.payload))
                    .collect();
                assert_eq!(received, [Digit { key, duration_ms }], "{frames}");
            }
        }
        assert!(DigitSender::new('x', 0, 5).is_none());
    }
}
