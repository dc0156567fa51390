//! One leg: what it hears, says and tells. No socket, no clock: datagrams and ticks go in, packets and events come out.

mod detection;
mod joined;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{MediaCommand, MediaEvent, MediaPath};
use joined::Joined;
use media::{Codec, MachineDetector, SAMPLES_8K};
use rtp::dtmf::DigitPolicy;
use rtp::rtcp::Rtcp;
use rtp::{HEADER_BYTES, Latch, Measured, Sender, Sequenced};

use super::background::Background;
use super::ear::{Ear, MAX_FRAME_SAMPLES};
use super::keypad::Keypad;
use super::line::Kind;
use super::measurements::{Figures, Measurements};
use super::mouth::{Mouth, Playback, Sound};
use super::tap::{Said, Tap, TapId, Taps};
use super::tape::Tape;
use super::wire::{MAX_DATAGRAM_BYTES, Patience, Received, Report, Wire, is_event, is_noise};

/// Digits that may wait in a leg for its call's actor; later ones are dropped. Ends of playbacks always wait: there are
/// no more of them than playbacks were handed over.
pub(super) const MAX_WAITING: usize = 256;

/// Recordings of one leg at a time: as many as a call may have.
const MAX_TAPES: usize = 4;

/// One frame as heard: 20 ms, mono, 8 kHz.
pub(crate) type HeardFrame = [i16; SAMPLES_8K];

/// What a leg begins with.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) now: Instant,
    /// New, and so are the others.
    pub(super) sender: Sender,
    pub(super) latch: Latch,
    pub(super) rtcp: Rtcp,
    pub(super) patience: Patience,
    pub(super) digits: DigitPolicy,
    /// What it hears is decoded, for [`LegCore::heard`].
    pub(super) listens: bool,
}

/// One leg's audio.
#[derive(Debug)]
pub(super) struct LegCore {
    path: Option<MediaPath>,
    /// Of the last datagram or tick.
    now: Instant,
    wire: Wire,
    ear: Ear,
    keypad: Keypad,
    mouth: Mouth,
    echo: bool,
    /// Behind everything else.
    background: Option<Background>,
    /// Takes the place of the echo.
    line: Option<Joined>,
    taps: Taps,
    /// Until it is known who answered.
    detector: Option<MachineDetector>,
    #[expect(clippy::vec_box, reason = "they come and go in boxes")]
    tapes: Vec<Box<Tape>>,
    heard: Option<Box<HeardFrame>>,
    measurements: Arc<Measurements>,
    events: VecDeque<MediaEvent>,
    dropped_events: u64,
    spent: VecDeque<Sound>,
}

impl LegCore {
    /// A leg that is silent until it is connected.
    pub(super) fn new(beginning: Beginning) -> Self {
        let Beginning { now, .. } = beginning;
        Self {
            path: None,
            now,
            wire: Wire::new(now, beginning.latch, beginning.rtcp, beginning.patience),
            ear: Ear::new(Codec::Pcmu),
            keypad: Keypad::new(beginning.digits),
            mouth: Mouth::new(beginning.sender, Codec::Pcmu),
            echo: false,
            background: None,
            line: None,
            taps: Taps::default(),
            detector: None,
            tapes: Vec::with_capacity(MAX_TAPES),
            heard: beginning.listens.then(|| Box::new([0; SAMPLES_8K])),
            measurements: Arc::default(),
            events: VecDeque::new(),
            dropped_events: 0,
            spent: VecDeque::new(),
        }
    }

    /// Where its figures are read.
    pub(super) fn measurements(&self) -> Arc<Measurements> {
        Arc::clone(&self.measurements)
    }

    /// Does as told.
    pub(super) fn order(&mut self, order: MediaCommand) {
        match order {
            MediaCommand::Connect(path) => self.connect(path),
            MediaCommand::Play { id, prompt, loops } => {
                self.mouth
                    .play(Playback::new(id, Sound::Prompt(prompt), loops));
            }
            MediaCommand::Press { id, keys } => {
                self.mouth.play(Playback::new(id, Sound::Keys(keys), 1));
            }
            MediaCommand::Stop(id) => {
                if let Some(stopped) = self.mouth.stop(id) {
                    self.played(stopped, true);
                }
            }
            MediaCommand::Echo(on) => {
                self.listen_anew(on);
                self.echo = on;
            }
            MediaCommand::Background(samples) => {
                let rate = self.ear.codec().rate();
                self.background = samples.and_then(|samples| Background::new(samples, rate));
            }
            MediaCommand::Recording(order) => {
                for tape in &mut self.tapes {
                    tape.obey(order);
                }
            }
            MediaCommand::Signalled(key) => {
                let key = self.keypad.signalled(self.now, key);
                self.pressed(key);
                self.pass_key(key);
            }
            MediaCommand::DetectMachine(options) => self.detect_machine(options),
        }
    }

    /// Adds a tap; gives it back where there is no room.
    pub(super) fn add_tap(&mut self, tap: Box<Tap>) -> Option<Box<Tap>> {
        self.listen_anew(true);
        let spare = self.taps.add(tap);
        self.tell_what_is_taken();
        spare
    }

    /// Takes a tap out, to be dropped where that may take its time.
    pub(super) fn remove_tap(&mut self, id: TapId) -> Option<Box<Tap>> {
        let removed = self.taps.remove(id);
        self.tell_what_is_taken();
        removed
    }

    /// Begins a recording; one too many comes back.
    pub(super) fn record(&mut self, mut tape: Box<Tape>) -> Option<Box<Tape>> {
        if self.tapes.len() == MAX_TAPES {
            return Some(tape);
        }
        self.listen_anew(true);
        tape.speak_in(self.ear.codec());
        self.tapes.push(tape);
        self.tell_what_is_taken();
        None
    }

    /// The next recording that is over, to be dropped where that may take its time: that ends it.
    pub(super) fn poll_tape(&mut self) -> Option<Box<Tape>> {
        let at = self.tapes.iter().position(|tape| tape.is_over())?;
        let tape = self.tapes.swap_remove(at);
        self.tell_what_is_taken();
        Some(tape)
    }

    /// Takes one datagram that came on the port of RTP at `arrival`, which may be before the last tick where many waited. Only the peer's
    /// address is listened to; the stream itself is known by its SSRC. What encryption hid is written into the datagram.
    pub(super) fn receive(
        &mut self,
        arrival: Instant,
        source: SocketAddr,
        datagram: &mut [u8],
    ) -> Received {
        self.now = self.now.max(arrival);
        let now = self.now;
        let Some(path) = self.path else {
            return Received::Refused;
        };
        let (packet, sequenced) = match self.wire.read(arrival, &path, source, datagram) {
            Ok(Some(heard)) => heard,
            Ok(None) => return Received::Taken,
            Err(refused) => return refused,
        };
        match sequenced {
            Sequenced::New => {}
            Sequenced::Duplicate => return Received::Taken,
            Sequenced::Restart => {
                self.ear.reset(self.ear.codec());
                let unfinished = self.keypad.restart(now);
                self.pressed(unfinished);
                if let Some(joined) = &mut self.line {
                    joined.restart();
                }
            }
        }
        let kind = if is_event(&path, &packet) {
            Kind::Event
        } else if is_noise(&path, &packet) {
            Kind::Noise
        } else {
            Kind::Audio
        };
        self.choose_way(path.media_codec(), kind, &packet);
        let is_passed_on = match &mut self.line {
            Some(joined) => joined.relay(kind, &packet),
            None => false,
        };
        match kind {
            Kind::Event => {
                for key in self.keypad.take_event(now, &packet) {
                    self.pressed(key);
                    if !is_passed_on {
                        self.pass_key(key);
                    }
                }
            }
            Kind::Noise => self.ear.take_noise(packet.payload),
            Kind::Audio if self.decodes() => self.ear.take(&packet),
            Kind::Audio => {}
        }
        Received::Taken
    }

    /// Takes one datagram that came at `arrival` on the port above that of RTP.
    pub(super) fn receive_report(
        &mut self,
        arrival: Instant,
        source: SocketAddr,
        datagram: &mut [u8],
    ) -> Received {
        self.now = self.now.max(arrival);
        self.wire.read_report(arrival, source, datagram)
    }

    /// Makes the frame of this round of 20 ms. Writes the packet to send and returns its length and where it goes; none
    /// while the leg is not connected or may not send. Rounds between this and the last one pass in silence.
    ///
    /// Playbacks keep their time while the peer holds the call.
    pub(super) fn tick(
        &mut self,
        now: Instant,
        round: u64,
        datagram: &mut [u8; MAX_DATAGRAM_BYTES],
    ) -> Option<(usize, SocketAddr)> {
        self.now = now;
        let path = self.path?;
        self.mouth.begin(round);
        if self.wire.tick(now, &path) {
            self.events.push_back(MediaEvent::PeerSilent);
        }
        let key = self.keypad.tick(now);
        self.pressed(key);
        if self.line.as_ref().is_some_and(|joined| !joined.relays) {
            self.pass_key(key);
        }
        let mut live = [0; MAX_FRAME_SAMPLES];
        let live = &mut live[..path.media_codec().rate().frame_samples()];
        let rate = path.media_codec().rate();
        self.settle_way(path.media_codec());
        self.hear(live);
        if self.taps.want_heard() {
            self.taps.heard(round, rate, live);
        }
        self.listen_for_machine(live);
        for tape in &mut self.tapes {
            tape.hear(round, live);
        }
        self.exchange(rate, live);
        self.measure();
        while let Some(finished) = self.mouth.finished() {
            self.played(finished, false);
        }
        let is_idle = self.mouth.is_idle();
        let sends = path.direction.sends();
        let sends_packets = self
            .line
            .as_mut()
            .is_some_and(|joined| joined.sends_packets(is_idle && sends));
        if sends_packets {
            return None; // they follow, and then the round's time passes
        }
        if !sends {
            self.mouth.pass();
            if self.taps.want_said() {
                self.taps.said(round, &Said::nothing(rate));
            }
            return None;
        }
        let beeps = self.tapes.iter_mut().any(|tape| tape.beep(live));
        if is_idle && !beeps {
            self.taps.speak(rate, live);
        }
        let mut said = self.taps.want_said().then(|| Said::nothing(rate));
        let packet = datagram.first_chunk_mut()?;
        let length = if beeps {
            if let Some(said) = &mut said {
                said.live(live);
            }
            self.mouth.write(packet, &path, live)
        } else {
            self.mouth.speak(packet, &path, live, said.as_mut())
        };
        if let Some(said) = said {
            self.taps.said(round, &said);
        }
        let is_audio = packet[1] & 0x7f == path.send_payload_type;
        for tape in self.tapes.iter_mut().filter(|_| is_audio) {
            tape.say(&packet[HEADER_BYTES..length]);
        }
        Some((self.wire.seal(now, datagram, length)?, self.wire.peer()?))
    }

    /// Writes the report that is due in this round.
    pub(super) fn report(&mut self, datagram: &mut [u8; MAX_DATAGRAM_BYTES]) -> Option<Report> {
        self.wire.report(self.now, self.path.as_ref()?, datagram)
    }

    /// Writes the last report. Nothing is to be sent after it.
    pub(super) fn goodbye(&mut self, datagram: &mut [u8; MAX_DATAGRAM_BYTES]) -> Option<Report> {
        self.wire.goodbye(self.now, self.path.as_ref()?, datagram)
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

    /// The next sound that is played or stopped, to be dropped where that may take its time.
    pub(super) fn poll_spent(&mut self) -> Option<Sound> {
        self.spent.pop_front()
    }

    /// Digits dropped since the last call.
    pub(super) fn take_dropped_events(&mut self) -> u64 {
        std::mem::take(&mut self.dropped_events)
    }

    /// Received packets found missing since the last call.
    pub(super) fn take_lost(&mut self) -> u64 {
        self.wire.take_lost()
    }

    fn connect(&mut self, path: MediaPath) {
        let codec = path.media_codec();
        if self.ear.codec() != codec {
            self.ear.reset(codec);
            if let Some(background) = &mut self.background {
                background.change(codec.rate());
            }
            if let Some(detector) = &mut self.detector {
                detector.change_rate(codec.rate().hz());
            }
            for tape in &mut self.tapes {
                tape.speak_in(codec);
            }
        }
        self.mouth.speak_as(&path);
        self.keypad.connect(&path);
        self.wire.connect(self.now, &path);
        self.path = Some(path);
        self.tell_what_is_taken();
    }

    /// What is heard is needed as samples.
    fn decodes(&self) -> bool {
        self.echo
            || self.line.as_ref().is_some_and(|joined| !joined.relays)
            || self.taps.want_heard()
            || self.detector.is_some()
            || !self.tapes.is_empty()
            || self.heard.is_some()
            || self.keypad.listens_to_tones()
    }

    /// Somebody begins to listen: what came before is not for them.
    fn listen_anew(&mut self, begins: bool) {
        if begins && !self.decodes() {
            self.ear.reset(self.ear.codec());
        }
    }

    /// Fills the frame that is due from the peer, if anybody wants it.
    fn hear(&mut self, live: &mut [i16]) {
        if !self.decodes() {
            return;
        }
        live.copy_from_slice(self.ear.frame());
        if self.keypad.listens_to_tones() {
            let key = self.keypad.hear(self.now, live);
            self.pressed(key);
        }
        if let Some(heard) = &mut self.heard {
            // Such a leg is described with codecs of this rate alone.
            heard.copy_from_slice(&live[..SAMPLES_8K]);
        }
    }

    fn measure(&self) {
        let reception = self.wire.reception();
        let frame = Duration::from_millis(media::FRAME_MS.into());
        self.measurements.write(&Figures {
            measured: Measured {
                received: reception.received(),
                lost: reception.lost(),
                late: self.ear.late(),
                jitter: self.wire.max_jitter(),
                round_trip: self.wire.round_trip(),
                buffered: self.ear.delay() + frame,
            },
            peer_lost: self
                .wire
                .peer_report()
                .map(|report| report.cumulative_lost.max(0) as u32),
            codec: self.ear.codec(),
        });
    }

    fn pressed(&mut self, key: Option<char>) {
        let Some(key) = key else { return };
        let mut ends_recording = false;
        for tape in &mut self.tapes {
            ends_recording |= tape.press(key); // one key may end several
        }
        if ends_recording {
            return;
        }
        if self.events.len() < MAX_WAITING {
            self.events.push_back(MediaEvent::Digit(key));
        } else {
            self.dropped_events += 1;
        }
    }

    fn played(&mut self, playback: Playback, stopped: bool) {
        let (id, sound) = playback.into_parts();
        self.events
            .push_back(MediaEvent::PlaybackEnded { id, stopped });
        self.spent.push_back(sound);
    }
}

#[cfg(test)]
mod tests;
