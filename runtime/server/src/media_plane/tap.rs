//! A tap: where a media stream hears what its leg hears and says, and puts in what the far end says; a listening hears there too.
//!
//! All frames are mu-law at 8 kHz, whatever codec the leg has. Both queues are allocated with the tap.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use call::{ListeningId, StreamId, StreamTracks};
use crossbeam_queue::ArrayQueue;
use media::{Law, Rate, RateConverter, SAMPLES_8K};

use super::ear::MAX_FRAME_SAMPLES;

/// Frames that may wait for the stream: 2.5 s of both tracks. When it is full the newest is dropped, and counted.
const WAITING: usize = 250;

/// Pieces that may wait to be said: 200 ms. Whoever fills the queue keeps the rest, and may take back what waits here.
pub(crate) const PIECES: usize = 10;

/// Taps of one leg: of as many streams as a call may have, and of a listening.
const MAX_TAPS: usize = 5;

/// Whose tap it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TapId {
    Stream(StreamId),
    Listening(ListeningId),
}

impl From<StreamId> for TapId {
    fn from(id: StreamId) -> Self {
        Self::Stream(id)
    }
}

impl From<ListeningId> for TapId {
    fn from(id: ListeningId) -> Self {
        Self::Listening(id)
    }
}

/// 20 ms in mu-law.
pub(crate) type Codes = [u8; SAMPLES_8K];

/// Whose audio a frame has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    /// The peer's.
    Inbound,
    /// What is said to it.
    Outbound,
}

/// One frame, as the leg heard or said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TappedFrame {
    pub(crate) track: Track,
    /// Counts 20 ms; goes on where frames are missing.
    pub(crate) round: u64,
    pub(crate) codes: Codes,
}

/// What the far end says, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The first `length` codes, 1 to 160.
    Audio { codes: Codes, length: usize },
    /// Goes to [`TapEnd::reached`] when what came before it was said.
    Mark(u32),
}

/// The leg's end of a tap. Making one allocates; using it does not.
#[derive(Debug)]
pub(crate) struct Tap {
    id: TapId,
    tracks: StreamTracks,
    frames: Arc<ArrayQueue<TappedFrame>>,
    dropped: Arc<AtomicU64>,
    speech: Option<Speech>,
    heard: Narrowed,
    said: Narrowed,
}

/// The stream's end of a tap.
#[derive(Debug)]
pub(crate) struct TapEnd {
    pub(crate) frames: Arc<ArrayQueue<TappedFrame>>,
    /// Frames that found no room.
    pub(crate) dropped: Arc<AtomicU64>,
    /// What is to be said, of a stream both ways; at most [`PIECES`].
    pub(crate) pieces: Arc<ArrayQueue<Piece>>,
    /// Marks that were reached. It has room for all that wait among the pieces, if it is emptied before they are filled up.
    pub(crate) reached: Arc<ArrayQueue<u32>>,
}

/// What the far end says, on its way to the peer.
#[derive(Debug)]
struct Speech {
    pieces: Arc<ArrayQueue<Piece>>,
    reached: Arc<ArrayQueue<u32>>,
    /// What is left of a piece, from `place` on.
    rest: Codes,
    place: usize,
    length: usize,
    widened: RateConverter,
}

/// To 8 kHz.
#[derive(Debug)]
struct Narrowed(RateConverter);

/// A new tap, as its two ends.
pub(crate) fn tap(id: impl Into<TapId>, tracks: StreamTracks, both_ways: bool) -> (Tap, TapEnd) {
    let end = TapEnd {
        frames: Arc::new(ArrayQueue::new(WAITING)),
        dropped: Arc::default(),
        pieces: Arc::new(ArrayQueue::new(PIECES)),
        reached: Arc::new(ArrayQueue::new(PIECES)),
    };
    let speech = both_ways.then(|| Speech {
        pieces: Arc::clone(&end.pieces),
        reached: Arc::clone(&end.reached),
        rest: [0; SAMPLES_8K],
        place: 0,
        length: 0,
        widened: RateConverter::new(Rate::Narrow, Rate::Wide),
    });
    let tap = Tap {
        id: id.into(),
        tracks,
        frames: Arc::clone(&end.frames),
        dropped: Arc::clone(&end.dropped),
        speech,
        heard: Narrowed(RateConverter::new(Rate::Wide, Rate::Narrow)),
        said: Narrowed(RateConverter::new(Rate::Wide, Rate::Narrow)),
    };
    (tap, end)
}

/// What a leg said in a round: silence, until something else is noted.
#[derive(Debug)]
pub(super) struct Said {
    rate: Rate,
    samples: [i16; MAX_FRAME_SAMPLES],
}

impl Said {
    pub(super) const fn nothing(rate: Rate) -> Self {
        Self {
            rate,
            samples: [0; MAX_FRAME_SAMPLES],
        }
    }

    /// Live audio, at the rate of the codec.
    pub(super) fn live(&mut self, samples: &[i16]) {
        self.samples[..samples.len()].copy_from_slice(samples);
    }

    /// A frame of a prompt, in mu-law.
    pub(super) fn prompt(&mut self, codes: &[u8]) {
        self.rate = Rate::Narrow;
        for (sample, code) in self.samples.iter_mut().zip(codes) {
            *sample = Law::Mu.decode(*code);
        }
    }

    fn samples(&self) -> &[i16] {
        &self.samples[..self.rate.frame_samples()]
    }
}

/// The taps of one leg.
#[derive(Debug, Default)]
pub(super) struct Taps([Option<Box<Tap>>; MAX_TAPS]);

impl Taps {
    /// Adds one; gives it back where there is no room.
    pub(super) fn add(&mut self, tap: Box<Tap>) -> Option<Box<Tap>> {
        match self.0.iter_mut().find(|place| place.is_none()) {
            Some(place) => place.replace(tap),
            None => Some(tap),
        }
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, id: TapId) -> Option<Box<Tap>> {
        let is_it = |tap: &mut Box<Tap>| tap.id == id;
        self.0.iter_mut().find_map(|place| place.take_if(is_it))
    }

    /// What is heard is wanted.
    pub(super) fn want_heard(&self) -> bool {
        self.0.iter().flatten().any(|tap| tap.tracks.inbound())
    }

    /// What is said is wanted.
    pub(super) fn want_said(&self) -> bool {
        self.0.iter().flatten().any(|tap| tap.tracks.outbound())
    }

    /// What is said must be known, or may be something else.
    pub(super) fn want_audio(&self) -> bool {
        self.want_said() || self.0.iter().flatten().any(|tap| tap.speech.is_some())
    }

    /// 20 ms were heard.
    pub(super) fn heard(&mut self, round: u64, rate: Rate, frame: &[i16]) {
        for tap in self.0.iter_mut().flatten() {
            if tap.tracks.inbound() {
                let codes = tap.heard.codes(rate, frame);
                tap.push(Track::Inbound, round, codes);
            }
        }
    }

    /// 20 ms were said.
    pub(super) fn said(&mut self, round: u64, said: &Said) {
        for tap in self.0.iter_mut().flatten() {
            if tap.tracks.outbound() {
                let codes = tap.said.codes(said.rate, said.samples());
                tap.push(Track::Outbound, round, codes);
            }
        }
    }

    /// Puts what a far end has to say in place of what would be said; nothing where none has.
    pub(super) fn speak(&mut self, rate: Rate, live: &mut [i16]) {
        let mut speeches = self.0.iter_mut().flatten();
        if let Some(speech) = speeches.find_map(|tap| tap.speech.as_mut()) {
            speech.speak(rate, live);
        }
    }
}

impl Tap {
    fn push(&self, track: Track, round: u64, codes: Codes) {
        let frame = TappedFrame {
            track,
            round,
            codes,
        };
        if self.frames.push(frame).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Narrowed {
    fn codes(&mut self, rate: Rate, frame: &[i16]) -> Codes {
        let mut narrow = [0; SAMPLES_8K];
        match rate {
            Rate::Narrow => narrow.copy_from_slice(frame),
            _ => self.0.convert(frame, &mut narrow),
        }
        narrow.map(|sample| Law::Mu.encode(sample))
    }
}

impl Speech {
    /// The next 20 ms; what is missing of them is silence. Where nothing waits, `live` stays as it is.
    fn speak(&mut self, rate: Rate, live: &mut [i16]) {
        let mut narrow = [0; SAMPLES_8K];
        let mut filled = 0;
        while filled < SAMPLES_8K && self.refill() {
            let taken = (self.length - self.place).min(SAMPLES_8K - filled);
            let codes = &self.rest[self.place..self.place + taken];
            for (sample, code) in narrow[filled..].iter_mut().zip(codes) {
                *sample = Law::Mu.decode(*code);
            }
            self.place += taken;
            filled += taken;
        }
        if filled == 0 {
            return;
        }
        match rate {
            Rate::Narrow => live.copy_from_slice(&narrow),
            _ => self.widened.convert(&narrow, live),
        }
    }

    /// Whether something of a piece is left. Marks on the way to the next one are reached.
    fn refill(&mut self) -> bool {
        while self.place == self.length {
            match self.pieces.pop() {
                Some(Piece::Audio { codes, length }) => {
                    self.rest = codes;
                    self.place = 0;
                    self.length = length.min(SAMPLES_8K);
                }
                Some(Piece::Mark(mark)) => {
                    // There is room, as its documentation says.
                    let _ = self.reached.push(mark);
                }
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use media::tone;

    use super::*;

    fn audio(code: u8, length: usize) -> Piece {
        Piece::Audio {
            codes: [code; SAMPLES_8K],
            length,
        }
    }

    fn taps(tracks: StreamTracks, both_ways: bool) -> (Taps, TapEnd) {
        let (tap, end) = tap(StreamId(1), tracks, both_ways);
        let mut taps = Taps::default();
        assert!(taps.add(Box::new(tap)).is_none());
        (taps, end)
    }

    fn tracks(end: &TapEnd) -> Vec<(Track, u64, u8)> {
        std::iter::from_fn(|| end.frames.pop())
            .map(|frame| (frame.track, frame.round, frame.codes[0]))
            .collect()
    }

    #[test]
    fn a_tap_hears_the_tracks_it_is_for() {
        use Track::{Inbound, Outbound};
        let heard = Law::Mu.encode(1_000);
        let (mut prompt, prompt_codes) = (Said::nothing(Rate::Wide), [0x11; SAMPLES_8K]);
        prompt.prompt(&prompt_codes);
        for (wanted, expected) in [
            (StreamTracks::Inbound, vec![(Inbound, 7, heard)]),
            (StreamTracks::Outbound, vec![(Outbound, 7, 0x11)]),
            (
                StreamTracks::Both,
                vec![(Inbound, 7, heard), (Outbound, 7, 0x11)],
            ),
        ] {
            let (mut taps, end) = taps(wanted, false);
            taps.heard(7, Rate::Narrow, &[1_000; SAMPLES_8K]);
            taps.said(7, &prompt);
            assert_eq!(tracks(&end), expected, "{wanted:?}");
        }
    }

    #[test]
    fn wideband_is_heard_at_8_khz() {
        let (mut taps, end) = taps(StreamTracks::Both, false);
        let (wide, narrow) = (
            tone::sine(500.0, 0.5, 8 * 320),
            tone::sine(1_000.0, 0.5, 8 * 160),
        );
        for (round, frame) in wide.chunks(320).enumerate() {
            taps.heard(round as u64, Rate::Wide, frame);
            let mut said = Said::nothing(Rate::Wide);
            said.live(frame);
            taps.said(round as u64, &said);
        }
        // The tone generator makes samples of 8 kHz: taken for 16 kHz, 500 Hz sound as 1,000.
        for track in [Track::Inbound, Track::Outbound] {
            let codes: Vec<_> = (0..end.frames.len())
                .filter_map(|_| {
                    let frame = end.frames.pop()?;
                    let is_of_track = frame.track == track;
                    let codes = frame.codes;
                    end.frames.push(frame).unwrap();
                    is_of_track.then_some(codes)
                })
                .flatten()
                .collect();
            assert_eq!(codes.len(), narrow.len());
            let heard: Vec<f64> = codes
                .iter()
                .map(|code| f64::from(Law::Mu.decode(*code)))
                .collect();
            let power = heard.iter().map(|sample| sample * sample).sum::<f64>();
            let expected = narrow
                .iter()
                .map(|sample| f64::from(*sample).powi(2))
                .sum::<f64>();
            assert!((0.9..1.1).contains(&(power / expected)), "{track:?}");
            let is_crossing = |pair: &&[f64]| (pair[0] < 0.0) != (pair[1] < 0.0);
            let crossings = heard.windows(2).filter(is_crossing).count();
            assert!((300..=340).contains(&crossings), "{track:?}: {crossings}");
        }
    }

    #[test]
    fn frames_nobody_takes_are_dropped_and_counted() {
        let (mut taps, end) = taps(StreamTracks::Inbound, false);
        for round in 0..WAITING as u64 + 7 {
            taps.heard(round, Rate::Narrow, &[0; SAMPLES_8K]);
        }
        assert_eq!(end.frames.len(), WAITING);
        assert_eq!(end.dropped.load(Ordering::Relaxed), 7);
        assert_eq!(end.frames.pop().unwrap().round, 0, "the oldest are kept");
    }

    #[test]
    fn pieces_of_any_length_are_said_without_a_gap_and_marks_reached_in_their_place() {
        let (mut taps, end) = taps(StreamTracks::Inbound, true);
        let (loud, soft) = (Law::Mu.encode(8_000), Law::Mu.encode(500));
        for piece in [
            audio(loud, 100),
            Piece::Mark(1),
            audio(soft, 160),
            Piece::Mark(2),
            Piece::Mark(3),
        ] {
            end.pieces.push(piece).unwrap();
        }
        let reached = || std::iter::from_fn(|| end.reached.pop()).collect::<Vec<_>>();
        let said = |taps: &mut Taps| {
            let mut live = [77; SAMPLES_8K];
            taps.speak(Rate::Narrow, &mut live);
            live
        };
        let (loud, soft) = (Law::Mu.decode(loud), Law::Mu.decode(soft));
        let first = said(&mut taps);
        assert_eq!((first[99], first[100], first[159]), (loud, soft, soft));
        assert_eq!(reached(), [1]);
        let second = said(&mut taps);
        assert_eq!((second[99], second[100]), (soft, 0), "filled with silence");
        assert_eq!(reached(), [2, 3]);
        assert_eq!(said(&mut taps), [77; SAMPLES_8K], "nothing waits");
    }

    #[test]
    fn a_leg_has_so_many_taps_and_loses_the_one_that_is_named() {
        let mut taps = Taps::default();
        let new = |id| Box::new(tap(StreamId(id), StreamTracks::Both, false).0);
        for id in 1..=5 {
            assert!(taps.add(new(id)).is_none());
        }
        assert_eq!(taps.add(new(6)).unwrap().id, StreamId(6).into());
        assert!(taps.remove(ListeningId(2).into()).is_none());
        assert_eq!(
            taps.remove(StreamId(2).into()).unwrap().id,
            StreamId(2).into()
        );
        assert!(taps.remove(StreamId(2).into()).is_none());
        assert!(taps.add(new(6)).is_none());
        assert!(taps.want_heard() && taps.want_said() && taps.want_audio());
    }
}
