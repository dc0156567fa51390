//! Listens to both sides of a bridge at once: what each peer says, and what the server sends it.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use crate::audio;
use crate::udp_tap::{Datagram, UdpTap};

/// Hears what goes through the ports of one server.
#[derive(Debug)]
pub struct BridgeTap {
    tap: UdpTap,
    ports: RangeInclusive<u16>,
}

/// One stream of RTP: payload types and payloads, in order of arrival.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Stream(Vec<(u8, Vec<u8>)>);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} packets", self.0.len())
    }
}

/// One of the two who talk.
#[derive(Debug)]
pub struct Side {
    port: u16,
    /// What it sent to the server.
    pub said: Stream,
    /// What the server sent it.
    pub heard: Stream,
}

impl BridgeTap {
    /// Keeps the RTP from and to a server on loopback with these ports for media.
    #[must_use]
    pub fn on((first, last): (u16, u16)) -> Self {
        let ports = first..=last;
        let server = ports.clone();
        // RTP has the even ports.
        let is_ours = move |port: u16| port.is_multiple_of(2) && server.contains(&port);
        Self {
            tap: UdpTap::on(Ipv4Addr::LOCALHOST, move |datagram| {
                is_ours(datagram.port) || is_ours(datagram.source.port())
            }),
            ports,
        }
    }

    /// The two sides, in the order in which their first packets came.
    ///
    /// # Panics
    /// If there were not two.
    #[must_use]
    pub fn finish(self) -> [Side; 2] {
        let mut sides: Vec<Side> = Vec::new();
        for datagram in self.tap.finish() {
            let Some((payload_type, payload)) = datagram.rtp() else {
                continue;
            };
            let packet = (payload_type, payload.to_vec());
            let (side, is_said) = side_of(&mut sides, &self.ports, &datagram);
            let stream = if is_said {
                &mut side.said
            } else {
                &mut side.heard
            };
            stream.0.push(packet);
        }
        sides
            .try_into()
            .unwrap_or_else(|sides| panic!("not two peers: {sides:?}"))
    }
}

/// Whose packet it is, and whether it is one that the peer said.
fn side_of<'s>(
    sides: &'s mut Vec<Side>,
    server: &RangeInclusive<u16>,
    datagram: &Datagram,
) -> (&'s mut Side, bool) {
    let is_said = server.contains(&datagram.port);
    let port = if is_said {
        datagram.source.port()
    } else {
        datagram.port
    };
    let known = sides.iter().position(|side| side.port == port);
    let at = known.unwrap_or_else(|| {
        sides.push(Side {
            port,
            said: Stream::default(),
            heard: Stream::default(),
        });
        sides.len() - 1
    });
    (&mut sides[at], is_said)
}

impl Stream {
    /// From the first packet of audio that is not like the one before it to the last: what was said between two silences.
    #[must_use]
    pub fn between_silences(&self) -> Vec<&[u8]> {
        let audio = self.audio();
        let is_change = |at: &usize| audio[*at] != audio[at - 1];
        let first = (1..audio.len()).find(is_change).unwrap_or(audio.len());
        let last = (1..audio.len()).rfind(is_change).unwrap_or(first);
        audio[first..last].to_vec()
    }

    /// Whether these payloads of audio (one or more) are in it, one after the other.
    #[must_use]
    pub fn contains(&self, payloads: &[&[u8]]) -> bool {
        let audio = self.audio();
        audio
            .windows(payloads.len())
            .any(|window| window == payloads)
    }

    /// The keys of telephone events, each as often as its events ended (RFC 4733 sends an end three times).
    #[must_use]
    pub fn keys(&self) -> Vec<char> {
        const KEYS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
        ];
        const END: u8 = 0x80;
        let payloads = self.0.iter().map(|(_, payload)| payload.as_slice());
        let mut keys: Vec<char> = payloads
            .filter_map(|payload| match payload {
                [event, flags, _, _] if flags & END != 0 => KEYS.get(usize::from(*event)).copied(),
                _ => None,
            })
            .collect();
        keys.dedup();
        keys
    }

    /// Its G.711 audio as samples.
    #[must_use]
    pub fn samples(&self) -> Vec<i16> {
        let mut samples = Vec::new();
        for (payload_type, payload) in &self.0 {
            match payload_type {
                0 => samples.extend(payload.iter().map(|octet| audio::mu_law(*octet))),
                8 => samples.extend(payload.iter().map(|octet| audio::a_law(*octet))),
                _ => {}
            }
        }
        samples
    }

    /// Payloads of 20 ms of PCMU, PCMA or G.722.
    fn audio(&self) -> Vec<&[u8]> {
        let packets = self.0.iter();
        packets
            .filter(|(payload_type, _)| matches!(payload_type, 0 | 8 | 9))
            .map(|(_, payload)| payload.as_slice())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(packets: &[(u8, &[u8])]) -> Stream {
        let packets = packets.iter();
        Stream(
            packets
                .map(|(kind, bytes)| (*kind, bytes.to_vec()))
                .collect(),
        )
    }

    #[test]
    fn what_is_said_is_found_on_the_other_side() {
        let said = stream(&[
            (0, &[9]),
            (0, &[9]),
            (0, &[1]),
            (101, &[5, 0, 0, 0]),
            (0, &[2]),
            (0, &[9]),
            (0, &[9]),
        ]);
        assert_eq!(said.between_silences(), [&[1][..], &[2]]);
        let heard = stream(&[(0, &[7]), (0, &[1]), (0, &[2]), (0, &[9])]);
        assert!(heard.contains(&said.between_silences()));
        for other in [
            &[(0, &[1][..]), (0, &[3]), (0, &[2])][..],
            &[(0, &[1])],
            &[],
        ] {
            assert!(
                !stream(other).contains(&said.between_silences()),
                "{other:?}"
            );
        }
    }

    #[test]
    fn an_event_is_one_key() {
        let events = stream(&[
            (101, &[5, 10, 0, 160]),
            (101, &[5, 0x8a, 1, 64]),
            (101, &[5, 0x8a, 1, 64]),
            (0, &[0xff; 160]),
            (96, &[10, 0x8a, 1, 64]),
        ]);
        assert_eq!(events.keys(), ['5', '*']);
    }
}
