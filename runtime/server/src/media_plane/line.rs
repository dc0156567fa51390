//! A line: what joins a leg to another leg (a bridge) or to a mixer (a conference), on whatever threads the two are.
//!
//! Both ends tick every 20 ms, at phases of their own and now and then late. A little slack takes that up: whoever listens
//! waits until two frames are there, and from then on takes one a tick. Between two legs that speak the same codec packets go as
//! they came, and wait for nothing: the jitter buffer is their receiver's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crossbeam_queue::ArrayQueue;
use media::{BridgeSide, BridgeWay, Codec, FRAME_MS, Rate, RateConverter, bridge_way};
use rtp::MAX_PAYLOAD_BYTES;

use super::ear::MAX_FRAME_SAMPLES;

/// Frames that may wait each way. When a queue is full the oldest is dropped, and counted by [`LineEnd::take_dropped`].
const WAITING: usize = 8;

/// Frames that wait before the first is heard: one to hear, and one for the other end to be late by.
const SLACK: usize = 2;

/// Ticks over which more than the slack must have waited before a frame is left out: 1 s.
const SETTLED: u32 = 50;

/// Packets that may wait each way: what a leg reads in two ticks. When it is full the oldest is dropped, and counted as above.
const PACKETS: usize = 32;

/// Keys that may wait each way; later ones are dropped.
const KEYS: usize = 16;

/// A new line, as its two ends. What one says the other hears. Allocates; using it does not.
pub(crate) fn line() -> (LineEnd, LineEnd) {
    let [there, back] = [0, 1].map(|_| Arc::new(Way::new()));
    (
        LineEnd::new(Arc::clone(&there), Arc::clone(&back)),
        LineEnd::new(back, there),
    )
}

/// One direction of a line.
#[derive(Debug)]
struct Way {
    frames: ArrayQueue<Frame>,
    packets: ArrayQueue<Relayed>,
    keys: ArrayQueue<char>,
    /// What the listening end takes packets of, as [`Takes::to_bits`] has it.
    takes: AtomicU32,
    /// Packets come, not frames: where there is none it is a gap.
    relays: AtomicBool,
    /// The listening end has listened.
    is_heard: AtomicBool,
}

/// What the holder of an end takes as packets, and not as frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Takes {
    pub(super) codec: Codec,
    /// Telephone events, at the codec's clock.
    pub(super) events: bool,
    pub(super) noise: bool,
}

impl Takes {
    const EVENTS: u32 = 1 << 8;
    const NOISE: u32 = 1 << 9;

    /// Zero is nothing.
    fn to_bits(this: Option<Self>) -> u32 {
        this.map_or(0, |takes| {
            let codec = Codec::ALL.iter().position(|codec| *codec == takes.codec);
            let codec = codec.map_or(0, |place| place as u32 + 1);
            let events = u32::from(takes.events) * Self::EVENTS;
            codec + events + u32::from(takes.noise) * Self::NOISE
        })
    }

    fn from_bits(bits: u32) -> Option<Self> {
        let codec = (bits & 0xff).checked_sub(1)?;
        Some(Self {
            codec: *Codec::ALL.get(codec as usize)?,
            events: bits & Self::EVENTS != 0,
            noise: bits & Self::NOISE != 0,
        })
    }
}

/// What a relayed packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Audio,
    Event,
    Noise,
}

/// A packet on its way from one leg to the other.
#[derive(Debug, Clone)]
pub(super) struct Relayed {
    pub(super) kind: Kind,
    /// Another number is another stream: sequence and timestamp begin anew.
    pub(super) stream: u32,
    pub(super) marker: bool,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    length: u16,
    bytes: [u8; MAX_PAYLOAD_BYTES],
}

impl Relayed {
    /// A packet as it came; none if it is longer than any that is sent here.
    pub(super) fn new(kind: Kind, stream: u32, packet: &rtp::Packet<'_>) -> Option<Self> {
        let mut bytes = [0; MAX_PAYLOAD_BYTES];
        let length = packet.payload.len();
        bytes.get_mut(..length)?.copy_from_slice(packet.payload);
        Some(Self {
            kind,
            stream,
            marker: packet.marker,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            length: u16::try_from(length).ok()?,
            bytes,
        })
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// One end of a line. Its holder says and hears a frame of 20 ms every 20 ms; a holder that only does one of it is as good.
/// When the other end is gone there is silence.
#[derive(Debug)]
pub(crate) struct LineEnd {
    outgoing: Arc<Way>,
    incoming: Arc<Way>,
    narrowed: RateConverter,
    widened: RateConverter,
    /// Frames are heard; else it waits for the slack.
    flows: bool,
    /// The fewest that waited, over so many ticks.
    fewest: usize,
    ticks: u32,
    /// What was heard last, at the rate it was heard with.
    last: Frame,
    dropped: u64,
}

#[derive(Debug, Clone)]
struct Frame {
    rate: Rate,
    /// The first [`Rate::frame_samples`] count.
    samples: [i16; MAX_FRAME_SAMPLES],
}

impl Way {
    fn new() -> Self {
        Self {
            frames: ArrayQueue::new(WAITING),
            packets: ArrayQueue::new(PACKETS),
            keys: ArrayQueue::new(KEYS),
            takes: AtomicU32::new(0),
            relays: AtomicBool::new(false),
            is_heard: AtomicBool::new(false),
        }
    }
}

impl LineEnd {
    fn new(outgoing: Arc<Way>, incoming: Arc<Way>) -> Self {
        Self {
            outgoing,
            incoming,
            narrowed: RateConverter::new(Rate::Wide, Rate::Narrow),
            widened: RateConverter::new(Rate::Narrow, Rate::Wide),
            flows: false,
            fewest: usize::MAX,
            ticks: 0,
            last: Frame {
                rate: Rate::Narrow,
                samples: [0; MAX_FRAME_SAMPLES],
            },
            dropped: 0,
        }
    }

    /// Says 20 ms at 8 or 16 kHz.
    ///
    /// # Panics
    /// If the frame has another length.
    pub(crate) fn say(&mut self, rate: Rate, frame: &[i16]) {
        let mut samples = [0; MAX_FRAME_SAMPLES];
        samples[..rate.frame_samples()].copy_from_slice(frame);
        let dropped = self.outgoing.frames.force_push(Frame { rate, samples });
        self.count_dropped(dropped.is_some());
    }

    /// What nobody has ever listened to is not missed.
    fn count_dropped(&mut self, is_dropped: bool) {
        let counts = is_dropped && self.is_listened_to();
        self.dropped += u64::from(counts);
    }

    /// From now on packets of these are taken, and no frames in place of them; none: frames alone.
    pub(super) fn take_packets(&self, takes: Option<Takes>) {
        let bits = Takes::to_bits(takes);
        self.incoming.takes.store(bits, Ordering::Relaxed);
    }

    /// How the other end is to hear what comes in packets of this codec and length: as they are, or decoded.
    pub(super) fn way(&self, codec: Codec, packet_ms: u32) -> BridgeWay {
        let side = |codec| BridgeSide {
            codec,
            max_packet_ms: FRAME_MS,
        };
        match self.taken() {
            Some(takes) => bridge_way(&side(codec), &side(takes.codec), packet_ms),
            None => BridgeWay::Transcode,
        }
    }

    /// What the other end takes as packets.
    pub(super) fn taken(&self) -> Option<Takes> {
        Takes::from_bits(self.outgoing.takes.load(Ordering::Relaxed))
    }

    /// Whether the other end has ever listened. Before that it has not said what it takes either.
    pub(super) fn is_listened_to(&self) -> bool {
        self.outgoing.is_heard.load(Ordering::Relaxed)
    }

    /// Whether packets follow, and no frames.
    pub(super) fn set_relaying(&self, relays: bool) {
        self.outgoing.relays.store(relays, Ordering::Relaxed);
    }

    /// Passes a packet on.
    pub(super) fn relay(&mut self, packet: Relayed) {
        let dropped = self.outgoing.packets.force_push(packet);
        self.count_dropped(dropped.is_some());
    }

    /// Lets the other end press a key.
    pub(super) fn press(&self, key: char) {
        // As many keys in a tick are no person's.
        let _ = self.outgoing.keys.push(key);
    }

    /// Whether the other end sends packets, and no frames.
    pub(super) fn is_relayed(&self) -> bool {
        self.incoming.relays.load(Ordering::Relaxed)
    }

    /// The next packet from the other end.
    pub(super) fn next_packet(&self) -> Option<Relayed> {
        self.incoming.packets.pop()
    }

    /// The next key from the other end.
    pub(super) fn next_key(&self) -> Option<char> {
        self.incoming.keys.pop()
    }

    /// Fills 20 ms, at 8 or 16 kHz, with what the other end said: silence before its first words, and a fade where nothing came in
    /// time. Whether anything of it was said.
    ///
    /// # Panics
    /// If the frame has another length.
    pub(crate) fn hear(&mut self, rate: Rate, frame: &mut [i16]) -> bool {
        assert_eq!(frame.len(), rate.frame_samples(), "20 ms");
        if !self.incoming.is_heard.load(Ordering::Relaxed) {
            self.incoming.is_heard.store(true, Ordering::Relaxed);
        }
        let begins = !self.flows && self.incoming.frames.len() >= SLACK;
        if begins {
            // What is older is news no more.
            while self.incoming.frames.len() > SLACK && self.incoming.frames.pop().is_some() {}
            self.flows = true;
            self.settle();
        }
        if !self.flows {
            frame.fill(0);
            return false;
        }
        let is_behind = self.is_behind();
        if !self.take(rate, frame) {
            self.flows = false;
            self.fade_out(rate, frame);
            return false;
        }
        if begins {
            fade_in(frame);
        }
        if is_behind {
            let mut next = [0; MAX_FRAME_SAMPLES];
            let next = &mut next[..frame.len()];
            if self.take(rate, next) {
                cross_fade(frame, next);
            }
        }
        self.last.rate = rate;
        self.last.samples[..frame.len()].copy_from_slice(frame);
        true
    }

    /// Frames of ours that the other end did not take in time, since the last call.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Whether more than the slack has waited for a while: one of the ends stood still.
    fn is_behind(&mut self) -> bool {
        self.fewest = self.fewest.min(self.incoming.frames.len());
        self.ticks += 1;
        if self.ticks < SETTLED {
            return false;
        }
        let is_behind = self.fewest > SLACK;
        self.settle();
        is_behind
    }

    fn settle(&mut self) {
        self.fewest = usize::MAX;
        self.ticks = 0;
    }

    /// The next frame that waits, at this rate; false if there is none.
    fn take(&mut self, rate: Rate, frame: &mut [i16]) -> bool {
        let Some(taken) = self.incoming.frames.pop() else {
            return false;
        };
        let samples = &taken.samples[..taken.rate.frame_samples()];
        match (taken.rate, rate) {
            (Rate::Narrow, Rate::Wide) => self.widened.convert(samples, frame),
            (Rate::Wide, Rate::Narrow) => self.narrowed.convert(samples, frame),
            _ => frame.copy_from_slice(samples),
        }
        true
    }

    /// Goes back over what was heard last, ever more quietly: no jump at either end.
    fn fade_out(&self, rate: Rate, frame: &mut [i16]) {
        if self.last.rate != rate {
            frame.fill(0);
            return;
        }
        let length = frame.len();
        let heard = self.last.samples[..length].iter().rev();
        for (at, (sample, heard)) in frame.iter_mut().zip(heard).enumerate() {
            *sample = part(*heard, length - at, length);
        }
    }
}

fn fade_in(frame: &mut [i16]) {
    let length = frame.len();
    for (at, sample) in frame.iter_mut().enumerate() {
        *sample = part(*sample, at, length);
    }
}

/// From one frame to the next within the time of one.
fn cross_fade(frame: &mut [i16], next: &[i16]) {
    let length = frame.len();
    for (at, (sample, next)) in frame.iter_mut().zip(next).enumerate() {
        *sample = part(*sample, length - at, length) + part(*next, at, length);
    }
}

/// So many parts of a sample that has `whole` of them.
const fn part(sample: i16, parts: usize, whole: usize) -> i16 {
    (sample as i32 * parts as i32 / whole as i32) as i16
}

#[cfg(test)]
mod tests;
