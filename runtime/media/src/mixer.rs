//! A conference's audio: everybody hears everybody else.

use crate::saturation::soft;
use crate::{FRAME_MS, VoiceActivity};

/// Somebody talks for this long after the last speech: 500 ms, so that pauses between words do not count.
const TALK_FRAMES: u32 = 25;
/// The level by which the loudest are chosen falls this much in a frame: 50 dB a second.
const FALL_DB: f32 = 1.0;
/// Who is among the loudest stays it until somebody is louder by this much.
const HOLD_DB: f32 = 6.0;

/// A participant's place in a mixer. Nothing is heard from or by one who has left, even if the place is another's now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seat {
    index: u16,
    number: u32,
}

/// The mixer has no place left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the conference is full")]
pub struct ConferenceFull;

/// Somebody begins or ceases to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Talk {
    /// Who.
    pub seat: Seat,
    /// Whether they talk now.
    pub talks: bool,
}

/// Mixes a conference in frames of 20 ms, all at one rate.
///
/// Every round: [`Self::hear`] for each participant of whom a frame came, [`Self::mix`] once, [`Self::write`] for each
/// participant, and [`Self::poll`] until it is empty. The work grows with the participants, not with their square. Allocates
/// nothing once made.
#[derive(Debug, Clone)]
pub struct Mixer {
    frame_samples: usize,
    loudest: Option<usize>,
    places: Box<[Place]>,
    /// What came in this round, and then what of it is heard: a frame for each place.
    frames: Box<[i16]>,
    /// Of everything that all may hear.
    sum: Box<[i32]>,
    ranking: Vec<(f32, u16)>,
    next_number: u32,
    /// The place that [`Self::poll`] looks at next.
    polled: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Heard {
    /// By nobody.
    #[default]
    Not,
    /// By all.
    ByAll,
    /// By one place.
    ByOne(u16),
}

#[derive(Debug, Clone, Default)]
struct Place {
    /// Of its seat; none: it is free.
    number: Option<u32>,
    is_muted: bool,
    is_held: bool,
    coaches: Option<Seat>,
    activity: VoiceActivity,
    /// The level of late, by which the loudest are chosen.
    level_dbov: f32,
    /// A frame came in this round.
    has_frame: bool,
    /// Who was to hear it in the last round, and who is in this one.
    was_meant: Heard,
    meant: Heard,
    /// Who hears it in this round: as meant, or still all while it fades.
    heard: Heard,
    /// The first of those who whisper to this place, and the next one who whispers to the same place as this one.
    whisperer: Option<u16>,
    next_whisperer: Option<u16>,
    /// Rounds for which they still talk.
    talk_frames: u32,
    talks: bool,
    talk_told: bool,
}

impl Mixer {
    /// An empty conference. `loudest`: only so many of those who talk are heard at a time; `None`: all.
    ///
    /// # Panics
    /// If a frame of 20 ms is no whole number of samples, or there are more than 65,535 participants.
    #[must_use]
    pub fn new(max_participants: usize, rate_hz: u32, loudest: Option<usize>) -> Self {
        assert!(rate_hz > 0 && rate_hz.is_multiple_of(50), "{rate_hz} Hz");
        assert!(max_participants <= usize::from(u16::MAX));
        let frame_samples = (rate_hz / (1_000 / FRAME_MS)) as usize;
        Self {
            frame_samples,
            loudest,
            places: vec![Place::default(); max_participants].into(),
            frames: vec![0; max_participants * frame_samples].into(),
            sum: vec![0; frame_samples].into(),
            ranking: Vec::with_capacity(max_participants),
            next_number: 0,
            polled: 0,
        }
    }

    /// Takes somebody in.
    ///
    /// # Errors
    /// If there is no place left.
    pub fn join(&mut self) -> Result<Seat, ConferenceFull> {
        let index = self.places.iter().position(|place| place.number.is_none());
        let index = index.ok_or(ConferenceFull)?;
        let number = self.next_number;
        self.next_number = self.next_number.wrapping_add(1);
        self.places[index] = Place {
            number: Some(number),
            level_dbov: crate::SILENCE_DBOV,
            ..Place::default()
        };
        let index = index as u16;
        Ok(Seat { index, number })
    }

    /// Lets somebody out. Those who coached them coach nobody then, and are heard by nobody.
    pub fn leave(&mut self, seat: Seat) {
        if let Some(place) = self.place(seat) {
            *place = Place::default();
        }
    }

    /// Is not heard, or is again.
    pub fn set_muted(&mut self, seat: Seat, is_muted: bool) {
        if let Some(place) = self.place(seat) {
            place.is_muted = is_muted;
        }
    }

    /// Is on hold: not heard, and hears music; or no longer.
    pub fn set_held(&mut self, seat: Seat, is_held: bool) {
        if let Some(place) = self.place(seat) {
            place.is_held = is_held;
        }
    }

    /// Coaches another one: hears all, and is heard by that one alone. `None`: is heard by all again.
    pub fn set_coach(&mut self, seat: Seat, coaches: Option<Seat>) {
        if let Some(place) = self.place(seat) {
            place.coaches = coaches;
        }
    }

    /// Takes the frame of a participant for this round.
    ///
    /// # Panics
    /// If it has not the length of 20 ms.
    pub fn hear(&mut self, seat: Seat, frame: &[i16]) {
        assert_eq!(frame.len(), self.frame_samples, "a frame lasts 20 ms");
        let start = usize::from(seat.index) * self.frame_samples;
        if let Some(place) = self.place(seat) {
            place.has_frame = true;
            if place.activity.hear(frame) {
                place.talk_frames = TALK_FRAMES;
            }
            let level = place.activity.level_dbov();
            place.level_dbov = level.max(place.level_dbov - FALL_DB);
            self.frames[start..][..frame.len()].copy_from_slice(frame);
        }
    }

    /// Mixes what was heard in this round. `for_all`: what everybody hears who is not on hold, such as a beep when
    /// somebody comes.
    ///
    /// # Panics
    /// If that frame has not the length of 20 ms.
    pub fn mix(&mut self, for_all: Option<&[i16]>) {
        self.admit();
        self.limit_to_loudest();
        self.sum.fill(0);
        if let Some(frame) = for_all {
            assert_eq!(frame.len(), self.frame_samples, "a frame lasts 20 ms");
            add(&mut self.sum, frame);
        }
        for index in 0..self.places.len() {
            self.mix_place(index);
        }
    }

    /// Writes what a participant hears: all others, those who coach them, and what is for all; on hold `music`, or
    /// silence. Silence for one who has left.
    ///
    /// # Panics
    /// If a frame has not the length of 20 ms.
    pub fn write(&self, seat: Seat, music: Option<&[i16]>, frame: &mut [i16]) {
        assert_eq!(frame.len(), self.frame_samples, "a frame lasts 20 ms");
        let place = &self.places[usize::from(seat.index)];
        if place.number != Some(seat.number) {
            frame.fill(0);
        } else if place.is_held {
            match music {
                Some(music) => frame.copy_from_slice(music),
                None => frame.fill(0),
            }
        } else if place.heard != Heard::ByAll && place.whisperer.is_none() {
            self.write_whole(frame);
        } else {
            self.write_mix(place, seat.index, frame);
        }
    }

    /// Writes what one who is silent hears; for a recording of the conference.
    ///
    /// # Panics
    /// If the frame has not the length of 20 ms.
    pub fn write_whole(&self, frame: &mut [i16]) {
        assert_eq!(frame.len(), self.frame_samples, "a frame lasts 20 ms");
        for (sample, sum) in frame.iter_mut().zip(&self.sum) {
            *sample = soft(*sum);
        }
    }

    /// Who began or ceased to talk.
    pub fn poll(&mut self) -> Option<Talk> {
        for index in self.polled..self.places.len() {
            let place = &mut self.places[index];
            if place.talks != place.talk_told
                && let Some(number) = place.number
            {
                place.talk_told = place.talks;
                self.polled = index + 1;
                let index = index as u16;
                return Some(Talk {
                    seat: Seat { index, number },
                    talks: place.talks,
                });
            }
        }
        self.polled = 0;
        None
    }

    fn place(&mut self, seat: Seat) -> Option<&mut Place> {
        let place = self.places.get_mut(usize::from(seat.index))?;
        (place.number == Some(seat.number)).then_some(place)
    }

    /// Decides who may be heard, and notes who talks.
    fn admit(&mut self) {
        for index in 0..self.places.len() {
            let coaches = self.places[index].coaches;
            let coached = coaches.map(|seat| self.place(seat).map(|_| seat.index));
            let place = &mut self.places[index];
            place.whisperer = None;
            place.next_whisperer = None;
            if !std::mem::take(&mut place.has_frame) {
                place.activity.pass(1);
                place.level_dbov -= FALL_DB;
                // What stopped by itself does not fade.
                place.was_meant = Heard::Not;
                place.meant = Heard::Not;
            } else {
                place.was_meant = place.meant;
                place.meant = match coached {
                    _ if place.is_muted || place.is_held => Heard::Not,
                    None => Heard::ByAll,
                    Some(Some(index)) => Heard::ByOne(index),
                    Some(None) => Heard::Not,
                };
            }
            place.talks = place.talk_frames > 0 && !place.is_muted && !place.is_held;
            place.talk_frames = place.talk_frames.saturating_sub(1);
        }
    }

    /// Silences all but the loudest of those who are heard by all.
    fn limit_to_loudest(&mut self) {
        let Some(loudest) = self.loudest else { return };
        self.ranking.clear();
        for (index, place) in (0..).zip(&self.places) {
            if place.meant == Heard::ByAll {
                let bonus = if place.was_meant == Heard::ByAll {
                    HOLD_DB
                } else {
                    0.0
                };
                self.ranking.push((place.level_dbov + bonus, index));
            }
        }
        if self.ranking.len() > loudest {
            self.ranking.select_nth_unstable_by(loudest, |one, other| {
                other.0.total_cmp(&one.0).then(one.1.cmp(&other.1))
            });
            for (_, index) in &self.ranking[loudest..] {
                self.places[usize::from(*index)].meant = Heard::Not;
            }
        }
    }

    /// Adds a place's frame to what it is heard in. Who begins or ceases to be heard does so within the frame, without
    /// a click.
    fn mix_place(&mut self, index: usize) {
        let place = &mut self.places[index];
        let frame = &mut self.frames[index * self.frame_samples..][..self.frame_samples];
        place.heard = place.meant;
        match (place.was_meant, place.meant) {
            (before, now) if before == now => {}
            (Heard::ByAll, Heard::Not) => {
                fade(frame, |n, samples| samples - n);
                place.heard = Heard::ByAll;
            }
            _ => fade(frame, |n, _| n),
        }
        match place.heard {
            Heard::ByAll => add(&mut self.sum, frame),
            Heard::ByOne(to) => {
                let next = self.places[usize::from(to)].whisperer.replace(index as u16);
                self.places[index].next_whisperer = next;
            }
            Heard::Not => {}
        }
    }

    fn write_mix(&self, place: &Place, index: u16, frame: &mut [i16]) {
        let own = (place.heard == Heard::ByAll).then(|| self.frame(index));
        for (n, sample) in frame.iter_mut().enumerate() {
            let mut sum = self.sum[n] - own.map_or(0, |own| i32::from(own[n]));
            let mut whisperer = place.whisperer;
            while let Some(index) = whisperer {
                sum += i32::from(self.frame(index)[n]);
                whisperer = self.places[usize::from(index)].next_whisperer;
            }
            *sample = soft(sum);
        }
    }

    fn frame(&self, index: u16) -> &[i16] {
        &self.frames[usize::from(index) * self.frame_samples..][..self.frame_samples]
    }
}

fn add(sum: &mut [i32], frame: &[i16]) {
    for (sum, sample) in sum.iter_mut().zip(frame) {
        *sum += i32::from(*sample);
    }
}

/// Weighs each sample by `share(its number, all)` parts of all.
fn fade(frame: &mut [i16], share: impl Fn(i32, i32) -> i32) {
    let samples = frame.len() as i32;
    for (n, sample) in (0..).zip(frame) {
        *sample = (i32::from(*sample) * share(n, samples) / samples) as i16;
    }
}

#[cfg(test)]
mod tests;
