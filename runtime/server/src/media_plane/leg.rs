//! What one leg sends, and what it makes of what it hears. No socket, no clock: datagrams and ticks go in, packets and
//! events come out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use call::{MediaCommand, MediaEvent, MediaPath, PlaybackId};
use media::codec::MAX_FRAME_BYTES;
use media::{Codec, Encoder, Prompt, SAMPLES_8K};
use rtp::dtmf::{Digit, DigitReceiver, DigitSender};
use rtp::{Latch, MAX_PACKET_BYTES, Reception, Sender, Sequenced};

use super::ear::{Ear, MAX_FRAME_SAMPLES};

/// Digits that may wait in a leg for its call's actor; later ones are dropped. Ends of playbacks always wait: there are
/// no more of them than playbacks were handed over.
pub(super) const MAX_WAITING: usize = 256;

/// Keys that may wait to be pressed.
const MAX_KEYS: usize = 64;
/// A key is pressed for 100 ms.
const KEY_FRAMES: u16 = 5;
/// And followed by 60 ms of silence beside its repeated end.
const KEY_GAP_FRAMES: u16 = 3;

/// One frame as heard: 20 ms, mono, 8 kHz.
pub(crate) type HeardFrame = [i16; SAMPLES_8K];

/// What a leg is told to do.
#[derive(Debug)]
pub(super) enum Order {
    Media(MediaCommand),
    Press(char),
}

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    Taken,
    /// From elsewhere than signalled, before the path was known, or of a payload type that was not negotiated.
    Refused,
    Malformed,
}

/// One leg's audio.
#[derive(Debug)]
pub(super) struct LegCore {
    path: Option<MediaPath>,
    /// Whose packets are the peer's, and where ours go.
    latch: Latch,
    sender: Sender,
    /// The round of the last frame, since the first one.
    round: Option<u64>,
    /// The next packet is the first after a pause.
    marker: bool,
    playbacks: VecDeque<Playback>,
    echo: bool,
    keys: VecDeque<char>,
    pressing: Option<Pressing>,
    reception: Reception,
    lost_told: u64,
    ear: Ear,
    /// What is not a prompt, which is coded already, goes out through here.
    mouth: Encoder,
    digits: DigitReceiver,
    heard: Option<Box<HeardFrame>>,
    events: VecDeque<MediaEvent>,
    dropped_events: u64,
    spent: VecDeque<Arc<Prompt>>,
}

#[derive(Debug)]
struct Playback {
    id: PlaybackId,
    prompt: Arc<Prompt>,
    /// How often it is still to be heard, this time included.
    loops: u32,
    frame: usize,
}

/// A key that is being pressed, and the silence after it.
#[derive(Debug)]
struct Pressing {
    packets: DigitSender,
    gap_frames: u16,
}

impl LegCore {
    /// A leg that is silent until it is connected. `latch` is new. `listens`: what it hears is decoded, for [`Self::heard`].
    pub(super) fn new(sender: Sender, latch: Latch, listens: bool) -> Self {
        Self {
            path: None,
            latch,
            sender,
            round: None,
            marker: true,
            playbacks: VecDeque::new(),
            echo: false,
            keys: VecDeque::new(),
            pressing: None,
            reception: Reception::default(),
            lost_told: 0,
            ear: Ear::new(Codec::Pcmu),
            mouth: mouth(Codec::Pcmu),
            digits: DigitReceiver::default(),
            heard: listens.then(|| Box::new([0; SAMPLES_8K])),
            events: VecDeque::new(),
            dropped_events: 0,
            spent: VecDeque::new(),
        }
    }

    /// Does as told.
    pub(super) fn order(&mut self, order: Order) {
        match order {
            Order::Media(MediaCommand::Connect(path)) => self.connect(path),
            Order::Media(MediaCommand::Play { id, prompt, loops }) => {
                self.playbacks.push_back(Playback {
                    id,
                    prompt,
                    loops,
                    frame: 0,
                });
            }
            Order::Media(MediaCommand::Stop(id)) => self.stop(id),
            Order::Media(MediaCommand::Echo(on)) => {
                if on && !self.buffers() {
                    self.ear.reset(self.ear.codec());
                }
                self.echo = on;
            }
            Order::Press(key) => {
                let takes_events = self.path.is_some_and(|path| path.telephone_event.is_some());
                if takes_events && self.keys.len() < MAX_KEYS {
                    self.keys.push_back(key);
                }
            }
        }
    }

    /// Takes one datagram. Only the peer's address is listened to; the stream itself is known by its SSRC.
    pub(super) fn receive(&mut self, source: SocketAddr, datagram: &[u8]) -> Received {
        let Some(path) = self.path.filter(|path| path.direction.receives()) else {
            return Received::Refused;
        };
        if !self.latch.considers(source) {
            return Received::Refused;
        }
        let Ok(packet) = rtp::parse(datagram) else {
            return Received::Malformed;
        };
        let event_type = path.telephone_event.map(|event| event.receive);
        let is_event = event_type == Some(packet.payload_type);
        let is_noise = path.comfort_noise == Some(packet.payload_type);
        if !is_event && !is_noise && packet.payload_type != path.receive_payload_type {
            return Received::Refused;
        }
        if !self.latch.take(source, &packet) {
            return Received::Refused;
        }
        match self.reception.take(packet.ssrc, packet.sequence) {
            Sequenced::New => {}
            Sequenced::Duplicate => return Received::Taken,
            Sequenced::Restart => {
                self.ear.reset(self.ear.codec());
                let unfinished = self.digits.restart();
                self.pressed(unfinished);
            }
        }
        if is_event {
            for digit in self.digits.handle(packet.timestamp, packet.payload) {
                self.pressed(Some(digit));
            }
        } else if is_noise {
            self.ear.take_noise(packet.payload);
        } else if self.buffers() {
            self.ear.take(&packet);
        }
        Received::Taken
    }

    /// Makes the frame of this round of 20 ms. Writes the packet to send and returns its length and where it goes; none
    /// while the leg is not connected or may not send. Rounds between this and the last one pass in silence.
    ///
    /// Playbacks keep their time while the peer holds the call.
    pub(super) fn tick(
        &mut self,
        round: u64,
        packet: &mut [u8; MAX_PACKET_BYTES],
    ) -> Option<(usize, SocketAddr)> {
        let path = self.path?;
        self.pass_missed_rounds(round);
        self.latch.tick();
        let digit = self.digits.tick();
        self.pressed(digit);
        let mut samples = [0; MAX_FRAME_SAMPLES];
        let heard = self.hear(&mut samples);
        self.end_finished_playbacks();
        if !path.direction.sends() {
            self.pass_silently();
            return None;
        }
        let length = match self.press(packet, &path) {
            Some(length) => {
                self.marker = true;
                length
            }
            None => self.audio(packet, &path, &samples[..heard]),
        };
        Some((length, self.latch.peer()?))
    }

    /// The frame heard in the last tick, of a leg that listens and is connected.
    pub(super) fn heard(&self) -> Option<&HeardFrame> {
        self.heard.as_deref().filter(|_| self.path.is_some())
    }

    /// Whether an event waits.
    pub(super) fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next event.
    pub(super) fn poll_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// The next prompt that is played or stopped, to be dropped where that may take its time.
    pub(super) fn poll_spent(&mut self) -> Option<Arc<Prompt>> {
        self.spent.pop_front()
    }

    /// Digits dropped since the last call.
    pub(super) fn take_dropped_events(&mut self) -> u64 {
        std::mem::take(&mut self.dropped_events)
    }

    /// Received packets found missing since the last call.
    pub(super) fn take_lost(&mut self) -> u64 {
        let lost = self.reception.lost();
        let news = lost.saturating_sub(self.lost_told);
        self.lost_told = self.lost_told.max(lost);
        news
    }

    fn connect(&mut self, path: MediaPath) {
        let codec = path.media_codec();
        if self.ear.codec() != codec {
            self.ear.reset(codec);
            self.mouth = mouth(codec);
        }
        self.latch.agree(path.remote);
        self.path = Some(path);
    }

    fn stop(&mut self, id: PlaybackId) {
        if let Some(at) = self.playbacks.iter().position(|playback| playback.id == id) {
            let stopped = self.playbacks.remove(at).expect("it was found there");
            self.events
                .push_back(MediaEvent::PlaybackEnded { id, stopped: true });
            self.spent.push_back(stopped.prompt);
        }
    }

    /// What is heard is needed.
    fn buffers(&self) -> bool {
        self.echo || self.heard.is_some()
    }

    fn pressed(&mut self, digit: Option<Digit>) {
        let Some(digit) = digit else { return };
        if self.events.len() < MAX_WAITING {
            self.events.push_back(MediaEvent::Digit(digit.key));
        } else {
            self.dropped_events += 1;
        }
    }

    fn pass_missed_rounds(&mut self, round: u64) {
        let missed = self
            .round
            .map_or(0, |before| round.saturating_sub(before + 1));
        if missed > 0 {
            self.sender.advance((missed * SAMPLES_8K as u64) as u32);
            self.marker = true;
        }
        self.round = Some(round);
    }

    /// Writes the frame that is due from the peer, if anybody wants it; returns its length.
    fn hear(&mut self, samples: &mut [i16; MAX_FRAME_SAMPLES]) -> usize {
        if !self.buffers() {
            return self.ear.codec().rate().frame_samples();
        }
        let frame = self.ear.frame();
        samples[..frame.len()].copy_from_slice(frame);
        if let Some(heard) = &mut self.heard {
            // Such a leg is described with codecs of this rate alone.
            heard.copy_from_slice(&frame[..SAMPLES_8K]);
        }
        frame.len()
    }

    /// Writes the packet of a pressed key; none when it is audio's turn.
    fn press(&mut self, packet: &mut [u8; MAX_PACKET_BYTES], path: &MediaPath) -> Option<usize> {
        let payload_type = path.telephone_event?.send;
        while self.pressing.is_none() {
            let key = self.keys.pop_front()?;
            let packets = DigitSender::new(key, self.sender.timestamp(), KEY_FRAMES);
            self.pressing = packets.map(|packets| Pressing {
                packets,
                gap_frames: KEY_GAP_FRAMES,
            });
        }
        let pressing = self.pressing.as_mut()?;
        if let Some(event) = pressing.packets.next() {
            let length = self.sender.event(
                packet,
                payload_type,
                event.marker,
                event.timestamp,
                &event.payload,
            );
            self.sender.advance(SAMPLES_8K as u32);
            return Some(length);
        }
        pressing.gap_frames -= 1;
        if pressing.gap_frames == 0 {
            self.pressing = None;
        }
        None
    }

    /// Writes a packet of audio: of the playback whose turn it is, else the echo of what was `heard`, else silence.
    fn audio(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        path: &MediaPath,
        heard: &[i16],
    ) -> usize {
        let mut coded = [0; MAX_FRAME_BYTES];
        let silence = [0; MAX_FRAME_SAMPLES];
        let is_echo = self.echo && self.playbacks.is_empty();
        let playback = self.playbacks.front_mut();
        let frame = match playback.and_then(|playback| playback.next_frame(self.mouth.codec())) {
            Some(frame) => frame,
            None => {
                let live = if is_echo {
                    heard
                } else {
                    &silence[..heard.len()]
                };
                let length = self.mouth.encode(live, &mut coded);
                &coded[..length]
            }
        };
        let marker = std::mem::take(&mut self.marker);
        self.sender
            .frame(packet, path.send_payload_type, marker, frame)
    }

    /// Lets a frame's time pass without a packet.
    fn pass_silently(&mut self) {
        if let Some(playback) = self.playbacks.front_mut() {
            playback.frame += 1;
        }
        self.sender.advance(SAMPLES_8K as u32);
        self.marker = true;
    }

    /// Ends the playbacks whose last frame was sent in the last tick, so that the front one has a frame left.
    fn end_finished_playbacks(&mut self) {
        while let Some(playback) = self.playbacks.front_mut() {
            if playback.has_frame() {
                return;
            }
            let id = playback.id;
            let finished = self.playbacks.pop_front().expect("it is the front one");
            self.events
                .push_back(MediaEvent::PlaybackEnded { id, stopped: false });
            self.spent.push_back(finished.prompt);
        }
    }
}

impl Playback {
    /// Whether there is a frame left. Goes back to the beginning where one more time is wanted.
    fn has_frame(&mut self) -> bool {
        if self.frame < self.prompt.frames() {
            return true;
        }
        if self.loops <= 1 || self.prompt.frames() == 0 {
            return false;
        }
        self.loops -= 1;
        self.frame = 0;
        true
    }

    /// None where it was not made for the codec: it passes in silence.
    fn next_frame(&mut self, codec: Codec) -> Option<&[u8]> {
        let frame = self.prompt.frame(codec, self.frame);
        self.frame += 1;
        frame
    }
}

fn mouth(codec: Codec) -> Encoder {
    Encoder::new(codec, false).expect("only codecs of this build are negotiated")
}

#[cfg(test)]
mod tests;
