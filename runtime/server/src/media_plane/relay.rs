//! Packets of another leg's peer as packets of this leg's stream.

use call::MediaPath;
use rtp::{MAX_PACKET_BYTES, MAX_PAYLOAD_BYTES, Packet, Sender};

use super::line::{Kind, Relayed};

/// How the stream of one peer's packets is numbered when it goes out to the other: gaps stay gaps and steps stay steps, until something
/// else is said in between.
#[derive(Debug, Default)]
pub(super) struct Relay {
    anchor: Option<Anchor>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    stream: u32,
    /// The first packet's own number.
    first: u16,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// The latest time that was sent, with what it lasts behind it.
    until: u32,
}

impl Relay {
    /// Writes a packet as one of `sender`'s and returns its length; none of what the path has no type for, and of what was sent before
    /// the stream began here. `ticks`: what the packet lasts. `marker`: there was a pause.
    pub(super) fn write(
        &mut self,
        sender: &mut Sender,
        packet: &mut [u8; MAX_PACKET_BYTES],
        path: &MediaPath,
        relayed: &Relayed,
        ticks: u32,
        marker: bool,
    ) -> Option<usize> {
        let payload_type = match relayed.kind {
            Kind::Audio => path.send_payload_type,
            Kind::Event => path.telephone_event?.send,
            Kind::Noise => path.comfort_noise?,
        };
        let known = self.anchor.filter(|anchor| anchor.stream == relayed.stream);
        let begins = known.is_none();
        let mut anchor = known.unwrap_or_else(|| {
            let begin = sender.timestamp();
            Anchor {
                stream: relayed.stream,
                first: relayed.sequence,
                sequence_offset: sender.sequence().wrapping_sub(relayed.sequence),
                timestamp_offset: begin.wrapping_sub(relayed.timestamp),
                until: begin,
            }
        });
        if relayed.sequence.wrapping_sub(anchor.first) > u16::MAX / 2 {
            return None;
        }
        let timestamp = relayed.timestamp.wrapping_add(anchor.timestamp_offset);
        let end = timestamp.wrapping_add(ticks);
        if is_after(end, anchor.until) {
            anchor.until = end;
        }
        self.anchor = Some(anchor);
        Some(sender.relay(
            packet,
            payload_type,
            relayed.marker || begins && marker,
            relayed.sequence.wrapping_add(anchor.sequence_offset),
            timestamp,
            relayed.payload(),
        ))
    }

    /// Something else is said: its time is after all that was relayed.
    pub(super) fn interrupt(&mut self, sender: &mut Sender) {
        if let Some(anchor) = self.anchor.take()
            && is_after(anchor.until, sender.timestamp())
        {
            sender.advance(anchor.until.wrapping_sub(sender.timestamp()));
        }
    }
}

const fn is_after(timestamp: u32, other: u32) -> bool {
    let ahead = timestamp.wrapping_sub(other);
    ahead != 0 && ahead < 1 << 31
}

/// Whether a packet of audio is too long to be sent on as it is: with more than 20 ms, which is what peers are told of; in Opus, whose
/// receivers take any length, with more bytes than we send.
pub(super) fn is_too_long(codec: media::Codec, packet: &Packet<'_>) -> bool {
    let most = match codec {
        media::Codec::Opus => MAX_PAYLOAD_BYTES,
        _ => media::codec::MAX_FRAME_BYTES,
    };
    packet.payload.len() > most
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends packets `(stream, sequence, timestamp)` and gives what goes out; `None` in place of one: something else is said.
    fn run(packets: &[Option<(u32, u16, u32)>]) -> Vec<Option<(u16, u32, bool)>> {
        let path = MediaPath::new(([192, 0, 2, 1], 4_000).into(), sdp::Codec::Pcmu);
        let mut sender = Sender::new(7, 500, 10_000);
        let mut relay = Relay::default();
        let mut buffer = [0; MAX_PACKET_BYTES];
        let mut sent = Vec::new();
        for packet in packets {
            let length = match packet {
                Some((stream, sequence, timestamp)) => {
                    let packet = Packet {
                        payload_type: 8,
                        marker: false,
                        sequence: *sequence,
                        timestamp: *timestamp,
                        ssrc: 1,
                        payload: &[1; 160],
                    };
                    let relayed = Relayed::new(Kind::Audio, *stream, &packet).unwrap();
                    relay.write(&mut sender, &mut buffer, &path, &relayed, 160, true)
                }
                None => {
                    relay.interrupt(&mut sender);
                    Some(sender.frame(&mut buffer, 0, false, &[2; 160], 160))
                }
            };
            sent.push(length.map(|length| {
                let packet = rtp::parse(&buffer[..length]).unwrap();
                (packet.sequence, packet.timestamp, packet.marker)
            }));
        }
        sent
    }

    #[test]
    fn gaps_and_order_stay_as_they_are() {
        let packets = [(9, u16::MAX, 40), (9, 1, 360), (9, 0, 200), (9, 2, 520)].map(Some);
        let expected = [
            (500, 10_000, true),
            (502, 10_320, false),
            (501, 10_160, false),
            (503, 10_480, false),
        ];
        assert_eq!(run(&packets), expected.map(Some));
    }

    #[test]
    fn what_is_said_in_between_comes_in_between() {
        let packets = [
            Some((9, 100, 0)),
            Some((9, 101, 160)),
            None,
            Some((9, 104, 640)),
            Some((9, 103, 480)), // late, from before
            Some((9, 105, 800)),
        ];
        let expected = [
            Some((500, 10_000, true)),
            Some((501, 10_160, false)),
            Some((502, 10_320, false)),
            Some((503, 10_480, true)),
            None,
            Some((504, 10_640, false)),
        ];
        assert_eq!(run(&packets), expected);
    }

    #[test]
    fn a_new_stream_goes_on_where_the_old_one_ended() {
        let packets = [(1, 7, 0), (2, 40_000, 99)].map(Some);
        let sent = run(&packets);
        assert_eq!(sent[1].map(|(sequence, ..)| sequence), Some(501));
    }

    #[test]
    fn what_the_peer_has_no_type_for_is_not_sent() {
        let path = MediaPath::new(([192, 0, 2, 1], 4_000).into(), sdp::Codec::Pcmu);
        let packet = Packet {
            payload_type: 101,
            marker: true,
            sequence: 1,
            timestamp: 2,
            ssrc: 3,
            payload: &[1, 2, 3, 4],
        };
        for kind in [Kind::Event, Kind::Noise] {
            let relayed = Relayed::new(kind, 1, &packet).unwrap();
            let mut buffer = [0; MAX_PACKET_BYTES];
            let mut sender = Sender::new(7, 1, 2);
            let written =
                Relay::default().write(&mut sender, &mut buffer, &path, &relayed, 160, false);
            assert_eq!(written, None, "{kind:?}");
        }
        let long = Packet {
            payload: &[0; MAX_PAYLOAD_BYTES + 1],
            ..packet
        };
        assert!(Relayed::new(Kind::Audio, 1, &long).is_none());
    }
}
