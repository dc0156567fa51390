//! What a leg says: prompts one after the other, keys, the echo of what it hears, or silence. One packet every 20 ms.

use std::collections::VecDeque;
use std::sync::Arc;

use call::{MediaPath, PlaybackId};
use media::codec::MAX_FRAME_BYTES;
use media::{Codec, DtmfTone, Encoder, Prompt, Rate, RateConverter};
use rtp::dtmf::DigitSender;
use rtp::{MAX_PACKET_BYTES, MAX_PAYLOAD_BYTES, Sender};

use super::ear::{MAX_FRAME_SAMPLES, format};
use super::line::{Kind, Relayed};
use super::relay::Relay;
use super::tap::Said;

const _: () = assert!(MAX_FRAME_BYTES <= MAX_PAYLOAD_BYTES);

/// A key is pressed for 100 ms.
const KEY_FRAMES: u16 = 5;
/// And followed by 60 ms of silence beside its repeated end.
const KEY_GAP_FRAMES: u16 = 3;
/// Keys that may wait to be pressed for the other end of a line.
const PASSED_KEYS: usize = 16;
/// What `w` waits, and `W`.
const SHORT_WAIT_FRAMES: u16 = 25;
const LONG_WAIT_FRAMES: u16 = 50;

/// The sending side of one leg. Making one, changing its codec, or a new playback allocates; speaking does not.
#[derive(Debug)]
pub(super) struct Mouth {
    sender: Sender,
    /// What is not a prompt, which is coded already, goes out through here.
    encoder: Encoder,
    /// The encoder repeats itself for a peer that loses packets.
    is_redundant: bool,
    /// Tones to the encoder's rate.
    widened: RateConverter,
    /// The round of the last frame, since the first one.
    round: Option<u64>,
    /// The next packet is the first after a pause.
    marker: bool,
    playbacks: VecDeque<Playback>,
    pressing: Option<Pressing>,
    /// Keys of the other end of a line, to be pressed where no playback is due.
    passed_keys: VecDeque<char>,
    relay: Relay,
}

/// What is being said, or will be.
#[derive(Debug)]
pub(super) struct Playback {
    id: PlaybackId,
    sound: Sound,
    /// How often it is still to be heard, this time included.
    loops: u32,
    /// The next frame of a prompt; the next of keys.
    place: usize,
}

/// What can be said.
#[derive(Debug)]
pub(super) enum Sound {
    Prompt(Arc<Prompt>),
    /// As in [`call::Command::Press`].
    Keys(Arc<str>),
}

/// A key that is being pressed, and the silence after it.
#[derive(Debug)]
struct Pressing {
    key: Key,
    gap_frames: u16,
}

#[derive(Debug)]
enum Key {
    Event(DigitSender),
    Tone(DtmfTone),
    /// None: a wait.
    Silence,
}

impl Mouth {
    /// A mouth that has not spoken. `sender` is new.
    pub(super) fn new(sender: Sender, codec: Codec) -> Self {
        Self {
            sender,
            encoder: encoder(codec, false),
            is_redundant: false,
            widened: RateConverter::new(Rate::Narrow, codec.rate()),
            round: None,
            marker: true,
            playbacks: VecDeque::new(),
            pressing: None,
            passed_keys: VecDeque::with_capacity(PASSED_KEYS),
            relay: Relay::default(),
        }
    }

    /// From now on as the path says.
    pub(super) fn speak_as(&mut self, path: &MediaPath) {
        let codec = path.media_codec();
        let before = self.encoder.codec();
        if (before, self.is_redundant) != (codec, path.redundancy) {
            self.encoder = encoder(codec, path.redundancy);
            self.is_redundant = path.redundancy;
        }
        if before != codec {
            self.widened = RateConverter::new(Rate::Narrow, codec.rate());
        }
    }

    /// A frame's time on the stream's clock.
    fn frame_ticks(&self) -> u32 {
        self.encoder.codec().timestamps_a_frame()
    }

    /// Queues a playback behind the others.
    pub(super) fn play(&mut self, playback: Playback) {
        self.playbacks.push_back(playback);
    }

    /// Takes a playback out, wherever it stands.
    pub(super) fn stop(&mut self, id: PlaybackId) -> Option<Playback> {
        let at = self
            .playbacks
            .iter()
            .position(|playback| playback.id == id)?;
        self.playbacks.remove(at)
    }

    /// The front playback if the last of it was sent in the last round. Ask until there is none: of the front one something is left then.
    pub(super) fn finished(&mut self) -> Option<Playback> {
        let front = self.playbacks.front_mut()?;
        let is_pressing = matches!(front.sound, Sound::Keys(_)) && self.pressing.is_some();
        if is_pressing || front.goes_on() {
            return None;
        }
        self.playbacks.pop_front()
    }

    /// Presses a key behind those that were passed on before; beyond [`PASSED_KEYS`] they are dropped.
    pub(super) fn pass_key(&mut self, key: char) {
        if self.passed_keys.len() < PASSED_KEYS {
            self.passed_keys.push_back(key);
        }
    }

    /// Whether it has nothing of its own to say.
    pub(super) fn is_idle(&self) -> bool {
        self.playbacks.is_empty() && self.pressing.is_none() && self.passed_keys.is_empty()
    }

    /// Writes another leg's packet as one of this stream, and returns its length. None of what the path has no type for, or of what
    /// comes too late.
    pub(super) fn relay(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        path: &MediaPath,
        relayed: &Relayed,
    ) -> Option<usize> {
        let duration = match relayed.kind {
            Kind::Audio => format(path.media_codec()).duration(relayed.payload()),
            Kind::Event | Kind::Noise => None,
        };
        let ticks = duration.unwrap_or(self.frame_ticks());
        let marker = self.marker;
        self.relay
            .write(&mut self.sender, packet, path, relayed, ticks, marker)
    }

    /// What is relayed from now on is another stream.
    pub(super) fn end_relay(&mut self) {
        self.relay.interrupt(&mut self.sender);
    }

    /// The rounds between this and the last one pass in silence.
    pub(super) fn begin(&mut self, round: u64) {
        let missed = self
            .round
            .map_or(0, |before| round.saturating_sub(before + 1));
        if missed > 0 {
            let ticks = missed * u64::from(self.frame_ticks());
            self.sender.advance(ticks as u32);
            self.marker = true;
        }
        self.round = Some(round);
    }

    /// Lets a frame's time pass without a packet. A prompt goes on unheard; keys wait, for they are for somebody.
    pub(super) fn pass(&mut self) {
        if let Some(playback) = self.playbacks.front_mut()
            && matches!(playback.sound, Sound::Prompt(_))
        {
            playback.place += 1;
        }
        self.sender.advance(self.frame_ticks());
        self.marker = true;
    }

    /// Writes this round's packet and returns its length. `live`: what is said where no prompt and no key is due, 20 ms at the codec's
    /// rate. `said` notes what was said, where somebody wants to know.
    pub(super) fn speak(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        path: &MediaPath,
        live: &[i16],
        mut said: Option<&mut Said>,
    ) -> usize {
        self.relay.interrupt(&mut self.sender);
        self.take_key(path);
        if let Some(length) = self.write_event(packet, path) {
            return length;
        }
        let mut tone = [0; MAX_FRAME_SAMPLES];
        if self.sound_key(&mut tone[..live.len()]) {
            if let Some(said) = &mut said {
                said.live(&tone[..live.len()]);
            }
            return self.write(packet, path, &tone[..live.len()]);
        }
        let codec = self.encoder.codec();
        let ticks = self.frame_ticks();
        let playback = self.playbacks.front_mut();
        if let Some(said) = said {
            match playback.as_ref().and_then(|playback| playback.codes()) {
                Some(codes) => said.prompt(codes),
                None => said.live(live),
            }
        }
        match playback.and_then(|playback| playback.next_frame(codec)) {
            Some(frame) => {
                let marker = std::mem::take(&mut self.marker);
                self.sender
                    .frame(packet, path.send_payload_type, marker, frame, ticks)
            }
            None => self.write(packet, path, live),
        }
    }

    /// Codes a frame and writes it, before anything else that is due.
    pub(super) fn write(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        path: &MediaPath,
        frame: &[i16],
    ) -> usize {
        let mut coded = [0; MAX_FRAME_BYTES];
        let length = self.encoder.encode(frame, &mut coded);
        let marker = std::mem::take(&mut self.marker);
        let (payload_type, ticks) = (path.send_payload_type, self.frame_ticks());
        self.sender
            .frame(packet, payload_type, marker, &coded[..length], ticks)
    }

    /// Begins the next key of the front playback where none is pressed: as an event where the peer takes them, else as a tone.
    fn take_key(&mut self, path: &MediaPath) {
        while self.pressing.is_none() {
            let next = match self.playbacks.front_mut() {
                Some(playback) => playback.next_key(),
                None => self.passed_keys.pop_front(),
            };
            let Some(key) = next else {
                return;
            };
            let (key, gap_frames) = match key {
                'w' => (Some(Key::Silence), SHORT_WAIT_FRAMES),
                'W' => (Some(Key::Silence), LONG_WAIT_FRAMES),
                _ => {
                    let packets = DigitSender::new(key, self.sender.timestamp(), KEY_FRAMES);
                    let key = match (path.telephone_event, packets) {
                        (Some(event), Some(packets)) => {
                            Some(Key::Event(packets.at_clock_rate_hz(event.clock_rate_hz)))
                        }
                        _ => DtmfTone::new(key, KEY_FRAMES).map(Key::Tone),
                    };
                    (key, KEY_GAP_FRAMES)
                }
            };
            self.pressing = key.map(|key| Pressing { key, gap_frames });
        }
    }

    /// Writes the next packet of a key that is an event; none when it is audio's turn.
    fn write_event(
        &mut self,
        packet: &mut [u8; MAX_PACKET_BYTES],
        path: &MediaPath,
    ) -> Option<usize> {
        let Some(Pressing {
            key: Key::Event(packets),
            ..
        }) = &mut self.pressing
        else {
            return None;
        };
        let Some((event, types)) = packets.next().zip(path.telephone_event) else {
            self.release();
            return None;
        };
        let length = self.sender.event(
            packet,
            types.send,
            event.marker,
            event.timestamp,
            &event.payload,
        );
        self.sender.advance(self.frame_ticks());
        self.marker = true;
        Some(length)
    }

    /// Writes the next 20 ms of a key that is a tone; false when it is another sound's turn.
    fn sound_key(&mut self, frame: &mut [i16]) -> bool {
        let tone = match &mut self.pressing {
            Some(Pressing {
                key: Key::Tone(tone),
                ..
            }) => tone.next(),
            Some(Pressing {
                key: Key::Silence, ..
            }) => None,
            _ => return false,
        };
        match tone {
            Some(narrow) => self.widened.convert(&narrow, frame),
            // The silence after a tone is silence: what is heard then is not to be taken for more of it.
            None => self.release(),
        }
        true
    }

    /// One frame of the gap after a key passes.
    fn release(&mut self) {
        if let Some(pressing) = &mut self.pressing {
            pressing.gap_frames -= 1;
            if pressing.gap_frames == 0 {
                self.pressing = None;
            }
        }
    }
}

impl Playback {
    /// What is to be said from its beginning.
    pub(super) fn new(id: PlaybackId, sound: Sound, loops: u32) -> Self {
        Self {
            id,
            sound,
            loops,
            place: 0,
        }
    }

    /// Its name, and what is to be freed.
    pub(super) fn into_parts(self) -> (PlaybackId, Sound) {
        (self.id, self.sound)
    }

    /// Whether something of it is left. Goes back to the beginning where one more time is wanted.
    fn goes_on(&mut self) -> bool {
        let goes_on = match &self.sound {
            Sound::Prompt(prompt) => prompt.goes_on_at(self.place),
            Sound::Keys(keys) => self.place < keys.len(),
        };
        if goes_on {
            return true;
        }
        if self.loops <= 1 || self.place == 0 {
            return false;
        }
        self.loops -= 1;
        self.place = 0;
        true
    }

    /// The next frame of a prompt. None where it was not made for the codec: it passes in silence; and where it is not ready yet: it
    /// waits.
    fn next_frame(&mut self, codec: Codec) -> Option<&[u8]> {
        let Sound::Prompt(prompt) = &self.sound else {
            return None;
        };
        let frame = prompt.frame(codec, self.place);
        if frame.is_some() || !prompt.is_for(codec) {
            self.place += 1;
        }
        frame
    }

    /// The frame that is next, of a prompt, in mu-law: every prompt is made for that codec.
    fn codes(&self) -> Option<&[u8]> {
        match &self.sound {
            Sound::Prompt(prompt) => prompt.frame(Codec::Pcmu, self.place),
            Sound::Keys(_) => None,
        }
    }

    fn next_key(&mut self) -> Option<char> {
        let Sound::Keys(keys) = &self.sound else {
            return None;
        };
        let key = keys.as_bytes().get(self.place)?;
        self.place += 1;
        Some(char::from(*key))
    }
}

fn encoder(codec: Codec, redundant: bool) -> Encoder {
    Encoder::new(codec, redundant).expect("only codecs of this build are negotiated")
}
