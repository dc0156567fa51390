//! A leg on a line: what it passes on, and what it says for the other end.

use std::net::SocketAddr;

use media::{BridgeWay, Codec, Rate};

use super::LegCore;
use crate::media_plane::line::{Kind, LineEnd, Relayed, Takes};
use crate::media_plane::relay::is_too_long;
use crate::media_plane::wire::MAX_DATAGRAM_BYTES;

/// A line that a leg has joined.
#[derive(Debug)]
pub(super) struct Joined {
    line: Box<LineEnd>,
    /// Packets go to the other end as they come.
    pub(super) relays: bool,
    /// The peer's packets were too long to be sent on as they are.
    has_long_packets: bool,
    /// The peer's telephone events count as its codec does, so that they are understood wherever the codec is.
    passes_events: bool,
    /// Which of the peer's streams it is, counted from the joining.
    stream: u32,
    /// Packets of the stream that were not passed on, and are not to look like lost ones.
    withheld: u16,
    /// The other end's packets are sent in this round.
    sends_packets: bool,
    relayed: u64,
    transcoded: u64,
}

impl LegCore {
    /// Joins a line, or none; returns the one it was joined to, to be dropped where that may take its time.
    pub(in crate::media_plane) fn join(
        &mut self,
        line: Option<Box<LineEnd>>,
    ) -> Option<Box<LineEnd>> {
        self.listen_anew(line.is_some());
        let joined = line.map(|line| Joined {
            line,
            relays: false,
            has_long_packets: false,
            passes_events: false,
            stream: 0,
            withheld: 0,
            sends_packets: false,
            relayed: 0,
            transcoded: 0,
        });
        let left = std::mem::replace(&mut self.line, joined);
        self.mouth.end_relay();
        self.tell_what_is_taken();
        left.map(|joined| joined.line)
    }

    /// After [`Self::tick`]: writes the next packet of the other end of the line and returns its length and where it goes, until there
    /// is none. Where this leg says something of its own, or may not send, they are not heard.
    pub(in crate::media_plane) fn relay(
        &mut self,
        datagram: &mut [u8; MAX_DATAGRAM_BYTES],
    ) -> Option<(usize, SocketAddr)> {
        let path = self.path?;
        let joined = self.line.as_mut()?;
        while let Some(packet) = joined.line.next_packet() {
            if !joined.sends_packets {
                continue;
            }
            let written = self
                .mouth
                .relay(datagram.first_chunk_mut()?, &path, &packet);
            // What comes late may not be encrypted any more.
            let sealed = written.and_then(|length| self.wire.seal(self.now, datagram, length));
            if let Some((length, peer)) = sealed.zip(self.wire.peer()) {
                joined.relayed += 1;
                return Some((length, peer));
            }
        }
        if std::mem::take(&mut joined.sends_packets) {
            self.mouth.pass();
        }
        None
    }

    /// Frames that the other end of the line did not take in time, since the last call.
    pub(in crate::media_plane) fn take_dropped_frames(&mut self) -> u64 {
        self.line
            .as_mut()
            .map_or(0, |joined| joined.line.take_dropped())
    }

    /// Packets sent on as they came, and frames that had to be coded anew, since the last call.
    pub(in crate::media_plane) fn take_bridged(&mut self) -> (u64, u64) {
        self.line.as_mut().map_or((0, 0), |joined| {
            (
                std::mem::take(&mut joined.relayed),
                std::mem::take(&mut joined.transcoded),
            )
        })
    }

    /// Tells the other end of the line which packets may come as they are: none while this leg is recorded, or a
    /// stream has a part in what is said here.
    pub(super) fn tell_what_is_taken(&mut self) {
        let (Some(joined), Some(path)) = (&mut self.line, &self.path) else {
            return;
        };
        let clock_rate_hz = path.codec.clock_rate_hz();
        joined.passes_events = path
            .telephone_event
            .is_some_and(|event| event.clock_rate_hz == clock_rate_hz);
        let wants_audio = self.taps.want_audio() || !self.tapes.is_empty();
        let takes = (!wants_audio).then(|| Takes {
            codec: path.media_codec(),
            events: joined.passes_events,
            noise: path.comfort_noise.is_some(),
        });
        joined.line.take_packets(takes);
    }

    /// Whether packets go to the other end of the line as they come. Who begins to be heard decoded is heard from now on.
    pub(super) fn choose_way(&mut self, codec: Codec, kind: Kind, packet: &rtp::Packet<'_>) {
        let Some(joined) = &mut self.line else { return };
        joined.has_long_packets |= kind == Kind::Audio && is_too_long(codec, packet);
        self.settle_way(codec);
    }

    pub(super) fn settle_way(&mut self, codec: Codec) {
        let decoded = self.decodes();
        let Some(joined) = &mut self.line else { return };
        let way = joined.line.way(codec, media::FRAME_MS);
        let relays = way == BridgeWay::Forward && !joined.has_long_packets;
        if joined.relays == relays {
            return;
        }
        joined.relays = relays;
        joined.line.set_relaying(relays);
        joined.begin_stream();
        if !relays && !decoded {
            self.ear.reset(codec);
        }
    }

    /// From what was heard to what is said where nothing else is to be: what the line says, the echo, what goes on behind, or
    /// silence.
    pub(super) fn exchange(&mut self, rate: Rate, live: &mut [i16]) {
        match &mut self.line {
            Some(joined) => {
                if !joined.relays && joined.line.is_listened_to() {
                    joined.line.say(rate, live);
                }
                joined.transcoded += u64::from(joined.line.hear(rate, live));
                while let Some(key) = joined.line.next_key() {
                    self.mouth.pass_key(key);
                }
            }
            None if self.echo => {}
            None => match &mut self.background {
                Some(background) => background.frame(live),
                None => live.fill(0),
            },
        }
    }

    /// Lets the other end of the line press what was not in the audio.
    pub(super) fn pass_key(&self, key: Option<char>) {
        if let (Some(joined), Some(key)) = (&self.line, key) {
            joined.line.press(key);
        }
    }
}

impl Joined {
    /// The peer's stream is another one.
    pub(super) fn restart(&mut self) {
        self.has_long_packets = false;
        self.begin_stream();
    }

    /// Whether the other end's packets are sent in this round, where `may`.
    pub(super) fn sends_packets(&mut self, may: bool) -> bool {
        self.sends_packets = may && self.line.is_relayed();
        self.sends_packets
    }

    /// The peer's numbers begin anew.
    fn begin_stream(&mut self) {
        self.stream = self.stream.wrapping_add(1);
        self.withheld = 0;
    }

    /// Passes a packet on where it goes as it came. Whether it did.
    pub(super) fn relay(&mut self, kind: Kind, packet: &rtp::Packet<'_>) -> bool {
        let Some(takes) = self.line.taken().filter(|_| self.relays) else {
            return false;
        };
        let is_taken = match kind {
            Kind::Audio => true,
            Kind::Event => takes.events && self.passes_events,
            Kind::Noise => takes.noise,
        };
        let relayed = Relayed::new(kind, self.stream, packet).filter(|_| is_taken);
        let Some(mut relayed) = relayed else {
            self.withheld = self.withheld.wrapping_add(1);
            return false;
        };
        relayed.sequence = relayed.sequence.wrapping_sub(self.withheld);
        self.line.relay(relayed);
        true
    }
}
