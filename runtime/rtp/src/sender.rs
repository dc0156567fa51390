//! Writing packets.

/// Bytes of the header we write: no contributing sources, no extension.
pub const HEADER_BYTES: usize = 12;

/// The longest payload we write: 20 ms at 128 kbit/s, which Opus peers may send where packets are passed on. Ours have half of it.
pub const MAX_PAYLOAD_BYTES: usize = 320;

/// The longest packet we write.
pub const MAX_PACKET_BYTES: usize = HEADER_BYTES + MAX_PAYLOAD_BYTES;

/// Version 2, nothing else set.
const FIRST_BYTE: u8 = 0x80;

/// One outgoing stream: numbers its packets and writes their headers. Allocates nothing.
#[derive(Debug, Clone)]
pub struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Sender {
    /// A stream whose first packet has this sequence number and timestamp. All three should be random (RFC 3550
    /// section 5.1).
    #[must_use]
    pub const fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            sequence,
            timestamp,
        }
    }

    /// The source of this stream.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp of the next frame of audio.
    #[must_use]
    pub const fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// Writes a frame of audio and lets its time pass. Returns the packet's length.
    ///
    /// `payload` has at most [`MAX_PAYLOAD_BYTES`], a longer one is cut; `ticks` of the stream's clock are what it lasts.
    pub fn frame(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        payload_type: u8,
        marker: bool,
        payload: &[u8],
        ticks: u32,
    ) -> usize {
        let length = self.write(packet, payload_type, marker, self.timestamp, payload);
        self.advance(ticks);
        length
    }

    /// Writes a packet with a timestamp of its own: that of the beginning of an event (RFC 4733 section 2.2.2). Time
    /// does not pass. Returns the packet's length.
    pub fn event(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
    ) -> usize {
        self.write(packet, payload_type, marker, timestamp, payload)
    }

    /// Writes a packet of another stream as one of this stream, with the number and time that it has here. What this stream writes
    /// next comes after it. Returns the packet's length.
    pub fn relay(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        payload_type: u8,
        marker: bool,
        sequence: u16,
        timestamp: u32,
        payload: &[u8],
    ) -> usize {
        let next = self.sequence;
        self.sequence = sequence;
        let length = self.write(packet, payload_type, marker, timestamp, payload);
        if sequence.wrapping_sub(next) > u16::MAX / 2 {
            self.sequence = next; // it is a late one
        }
        length
    }

    /// The number of the next packet.
    #[must_use]
    pub const fn sequence(&self) -> u16 {
        self.sequence
    }

    /// Lets so many ticks of the stream's clock pass without a frame.
    pub const fn advance(&mut self, ticks: u32) {
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }

    fn write(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
    ) -> usize {
        let payload = &payload[..payload.len().min(MAX_PAYLOAD_BYTES)];
        packet[0] = FIRST_BYTE;
        packet[1] = u8::from(marker) << 7 | payload_type & 0x7f;
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        packet[HEADER_BYTES..HEADER_BYTES + payload.len()].copy_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        HEADER_BYTES + payload.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FRAME_SAMPLES, parse};

    #[test]
    fn sequence_and_timestamp_wrap() {
        let mut sender = Sender::new(7, u16::MAX, u32::MAX - 159);
        let mut buffer = [0; MAX_PACKET_BYTES];
        for (sequence, timestamp) in [(u16::MAX, u32::MAX - 159), (0, 0), (1, 160)] {
            let length = sender.frame(&mut buffer, 8, false, &[0xd5; FRAME_SAMPLES], 160);
            let packet = parse(&buffer[..length]).unwrap();
            assert_eq!((packet.sequence, packet.timestamp), (sequence, timestamp));
            assert_eq!((packet.payload_type, packet.ssrc), (8, 7));
            assert_eq!(packet.payload, [0xd5; FRAME_SAMPLES]);
        }
    }

    #[test]
    fn an_event_keeps_its_own_time() {
        let mut sender = Sender::new(7, 0, 1_000);
        let mut buffer = [0; MAX_PACKET_BYTES];
        let length = sender.event(&mut buffer, 101, true, 840, &[1, 2, 3, 4]);
        let packet = parse(&buffer[..length]).unwrap();
        assert_eq!(
            (packet.timestamp, packet.marker, packet.payload),
            (840, true, &[1, 2, 3, 4][..])
        );
        assert_eq!(sender.timestamp(), 1_000);
        sender.advance(160);
        let length = sender.frame(&mut buffer, 0, false, &[], 160);
        assert_eq!(
            parse(&buffer[..length]).map(|packet| packet.timestamp),
            Ok(1_160)
        );
    }

    #[test]
    fn what_is_relayed_keeps_its_gaps_and_its_order() {
        let mut sender = Sender::new(7, u16::MAX, 0);
        let mut buffer = [0; MAX_PACKET_BYTES];
        // One is missing, and comes late.
        for (sequence, next) in [(u16::MAX, 0), (1, 2), (0, 2), (2, 3)] {
            let length = sender.relay(&mut buffer, 8, false, sequence, 77, &[1, 2, 3]);
            let packet = parse(&buffer[..length]).unwrap();
            assert_eq!((packet.sequence, packet.timestamp), (sequence, 77));
            assert_eq!((packet.ssrc, packet.payload), (7, &[1, 2, 3][..]));
            assert_eq!(sender.sequence(), next);
        }
        assert_eq!(sender.timestamp(), 0, "time is its own");
    }

    #[test]
    fn time_passes_by_the_clock_and_not_by_the_bytes() {
        let mut sender = Sender::new(7, 0, 1_000);
        let mut buffer = [0; MAX_PACKET_BYTES];
        for (payload, timestamp) in [(&[1; 61][..], 1_000), (&[2; 12], 1_960), (&[3], 2_920)] {
            let length = sender.frame(&mut buffer, 111, false, payload, 960);
            let packet = parse(&buffer[..length]).unwrap();
            assert_eq!((packet.timestamp, packet.payload), (timestamp, payload));
        }
    }

    #[test]
    fn a_payload_too_long_is_cut() {
        let mut buffer = [0; MAX_PACKET_BYTES];
        let length = Sender::new(7, 0, 0).frame(&mut buffer, 0, false, &[1; 500], 160);
        assert_eq!(length, MAX_PACKET_BYTES);
    }
}
