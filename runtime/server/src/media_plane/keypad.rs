//! What the peer presses, whoever tells of it: telephone events, INFO, or tones in its audio.

use std::time::Instant;

use call::MediaPath;
use media::{Codec, DtmfDetector, Rate, RateConverter, SAMPLES_8K};
use rtp::Packet;
use rtp::dtmf::{Digit, DigitPolicy, DigitReceiver, DigitSource, Digits};

/// The keys of one peer, each press once. Making one, or changing its path, allocates; using it does not.
#[derive(Debug)]
pub(super) struct Keypad {
    policy: DigitPolicy,
    digits: Digits,
    events: DigitReceiver,
    codec: Codec,
    /// The search for tones, where it is of use.
    tones: Option<Box<Tones>>,
}

#[derive(Debug)]
struct Tones {
    detector: DtmfDetector,
    narrowed: RateConverter,
}

impl Keypad {
    /// A keypad whose peer is believed as the policy says.
    pub(super) fn new(policy: DigitPolicy) -> Self {
        Self {
            policy,
            digits: Digits::new(policy),
            events: DigitReceiver::default(),
            codec: Codec::Pcmu,
            tones: None,
        }
    }

    /// An offer was answered. Tones are searched for if that was told, or if no events were agreed on: the search takes nearly as
    /// much time as a call that hears a prompt takes in all.
    pub(super) fn connect(&mut self, path: &MediaPath) {
        let codec = path.media_codec();
        if self.codec != codec {
            self.codec = codec;
            self.tones = None;
        }
        if let Some(event) = path.telephone_event
            && event.clock_rate_hz != self.events.clock_rate_hz()
        {
            self.events = DigitReceiver::new(event.clock_rate_hz);
        }
        let wanted = match self.policy {
            DigitPolicy::Auto => path.telephone_event.is_none(),
            DigitPolicy::Only(source) => source == DigitSource::InBand,
        };
        if !wanted {
            self.tones = None;
        } else if self.tones.is_none() {
            self.tones = Some(Box::new(Tones::new(codec)));
        }
    }

    /// Whether [`Self::hear`] is of any use.
    pub(super) fn listens_to_tones(&self) -> bool {
        self.tones.is_some() && self.digits.listens_to_tones()
    }

    /// A packet of a telephone event came; the keys of up to two presses.
    pub(super) fn take_event(&mut self, now: Instant, packet: &Packet<'_>) -> [Option<char>; 2] {
        self.digits.event_began();
        let mut ended = self.events.handle(packet.timestamp, packet.payload);
        let mut next = || ended.next();
        [next(), next()].map(|digit| self.take(now, DigitSource::Event, digit))
    }

    /// The source of the events began anew; the press that was under way.
    pub(super) fn restart(&mut self, now: Instant) -> Option<char> {
        let unfinished = self.events.restart();
        self.take(now, DigitSource::Event, unfinished)
    }

    /// 20 ms passed; the press whose ends were all lost.
    pub(super) fn tick(&mut self, now: Instant) -> Option<char> {
        let ended = self.events.tick();
        self.take(now, DigitSource::Event, ended)
    }

    /// INFO told of a press.
    pub(super) fn signalled(&mut self, now: Instant, key: char) -> Option<char> {
        self.take(now, DigitSource::Info, Some(short(key)))
    }

    /// Searches a frame of 20 ms, at the codec's rate, for a key.
    pub(super) fn hear(&mut self, now: Instant, frame: &[i16]) -> Option<char> {
        let found = self.tones.as_mut()?.hear(frame).map(short);
        self.take(now, DigitSource::InBand, found)
    }

    fn take(&mut self, now: Instant, source: DigitSource, digit: Option<Digit>) -> Option<char> {
        let digit = digit?;
        let key = digit.key;
        self.digits.take(now, source, digit).then_some(key)
    }
}

impl Tones {
    fn new(codec: Codec) -> Self {
        Self {
            detector: DtmfDetector::new(),
            narrowed: RateConverter::new(codec.rate(), Rate::Narrow),
        }
    }

    fn hear(&mut self, frame: &[i16]) -> Option<char> {
        let mut narrow = [0; SAMPLES_8K];
        self.narrowed.convert(frame, &mut narrow);
        self.detector.hear(&narrow)
    }
}

/// A press of unknown length.
const fn short(key: char) -> Digit {
    Digit {
        key,
        duration_ms: 0,
    }
}
