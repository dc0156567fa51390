//! A conference's mix: the lines of those who take part, and the mixer between them. It ticks in a slot of a media thread, as a leg does.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use media::{ConferenceBeep, Mixer, Rate, Seat};
use tokio::sync::mpsc;

use super::MediaPlane;
use super::ear::MAX_FRAME_SAMPLES;
use super::line::LineEnd;
use super::thread::Orders;

mod tape;

pub(crate) use tape::{MixTape, TapeOrder};

/// Names one who takes part in a mix; never another's, even after that one has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Chair(u32);

/// One who takes part begins or ceases to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Speech {
    pub(crate) chair: Chair,
    pub(crate) speaks: bool,
}

/// How one who takes part hears and is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct MixHearing {
    /// Is not heard.
    pub(crate) is_muted: bool,
    /// Neither hears nor is heard.
    pub(crate) is_held: bool,
    /// Is heard by this one alone.
    pub(crate) coaches: Option<Chair>,
}

/// The way to a mix. Dropping it ends the mix.
pub(crate) struct Mix {
    orders: Orders,
    closed: Arc<AtomicBool>,
    next_chair: u32,
    most: usize,
    is_wide: bool,
}

/// What is asked of a mix.
pub(super) enum MixOrder {
    /// Somebody comes.
    Seat(Chair, Box<LineEnd>),
    /// Somebody goes.
    Unseat(Chair),
    Hear(Chair, MixHearing),
    Beep(ConferenceBeep),
    /// Mixes at this mixer's rate from now on; it is empty.
    Widen(Box<Mixer>),
    /// Records from now on, unless it is recorded already.
    Record(Box<MixTape>),
    /// To what is recorded.
    Tape(TapeOrder),
}

/// What a mix is done with.
pub(super) enum MixRemains {
    Line(#[expect(dead_code, reason = "is only dropped")] Box<LineEnd>),
    Mixer(#[expect(dead_code, reason = "is only dropped")] Box<Mixer>),
    Tape(#[expect(dead_code, reason = "is only dropped")] Box<MixTape>),
}

/// The mix itself. Making one and joining it allocates; mixing does not.
pub(super) struct MixCore {
    mixer: Box<Mixer>,
    rate: Rate,
    chairs: Vec<Seated>,
    /// What sounds for all, and its next frame.
    beep: Option<(ConferenceBeep, usize)>,
    tape: Option<Box<MixTape>>,
    /// Where is told who speaks. What finds no room is lost: what is told later is right again.
    speech: mpsc::Sender<Speech>,
}

struct Seated {
    chair: Chair,
    seat: Seat,
    line: Box<LineEnd>,
    hearing: MixHearing,
}

impl MediaPlane {
    /// Opens a mix for so many, on the thread that has the least to do, which tells who speaks.
    ///
    /// # Errors
    /// `WouldBlock` when that thread has no place left, or does not take its messages.
    pub(crate) fn open_mix(&self, most: usize, speech: mpsc::Sender<Speech>) -> io::Result<Mix> {
        let closed = Arc::new(AtomicBool::new(false));
        let core = MixCore::new(most, Rate::Narrow, speech);
        let orders = self.thread().open_mix(core, Arc::clone(&closed))?;
        Ok(Mix {
            orders,
            closed,
            next_chair: 0,
            most,
            is_wide: false,
        })
    }
}

impl Mix {
    /// Gives the other end of this line a chair. All are mixed at 8 kHz until one comes whose audio has more; from then on at 16 kHz.
    pub(crate) fn seat(&mut self, line: LineEnd, rate: Rate) -> Chair {
        if rate != Rate::Narrow && !self.is_wide {
            self.is_wide = true;
            let mixer = Box::new(Mixer::new(self.most, Rate::Wide.hz(), None));
            self.orders.mix(MixOrder::Widen(mixer));
        }
        let chair = Chair(self.next_chair);
        self.next_chair = self.next_chair.wrapping_add(1);
        self.orders.mix(MixOrder::Seat(chair, Box::new(line)));
        chair
    }

    /// Takes the chair away: its line is silent from then on.
    pub(crate) fn unseat(&self, chair: Chair) {
        self.orders.mix(MixOrder::Unseat(chair));
    }

    /// Says how one hears and is heard.
    pub(crate) fn hear(&self, chair: Chair, hearing: MixHearing) {
        self.orders.mix(MixOrder::Hear(chair, hearing));
    }

    /// Of what is mixed.
    pub(crate) const fn rate(&self) -> Rate {
        match self.is_wide {
            true => Rate::Wide,
            false => Rate::Narrow,
        }
    }

    /// Records what is heard by all from now on.
    pub(crate) fn record(&self, tape: MixTape) {
        self.orders.mix(MixOrder::Record(Box::new(tape)));
    }

    /// Deals with what is recorded.
    pub(crate) fn tape(&self, order: TapeOrder) {
        self.orders.mix(MixOrder::Tape(order));
    }

    /// Lets all hear a tone who are not on hold. While one sounds another is not begun.
    pub(crate) fn beep(&self, beep: ConferenceBeep) {
        self.orders.mix(MixOrder::Beep(beep));
    }
}

impl Drop for Mix {
    fn drop(&mut self) {
        // A flag and no order, so that it cannot get lost in a full queue.
        self.orders.close(&self.closed);
    }
}

impl MixCore {
    fn new(most: usize, rate: Rate, speech: mpsc::Sender<Speech>) -> Self {
        Self {
            mixer: Box::new(Mixer::new(most, rate.hz(), None)),
            rate,
            chairs: Vec::with_capacity(most),
            beep: None,
            tape: None,
            speech,
        }
    }

    /// Does as told; gives what is to be dropped where that may take its time.
    pub(super) fn order(&mut self, order: MixOrder) -> Option<MixRemains> {
        match order {
            MixOrder::Seat(chair, line) => return self.seat(chair, line),
            MixOrder::Unseat(chair) => {
                let at = self.place(chair)?;
                let seated = self.chairs.swap_remove(at);
                self.mixer.leave(seated.seat);
                return Some(MixRemains::Line(seated.line));
            }
            MixOrder::Hear(chair, hearing) => {
                let at = self.place(chair)?;
                self.chairs[at].hearing = hearing;
                self.apply(at);
            }
            MixOrder::Beep(beep) => {
                self.beep.get_or_insert((beep, 0));
            }
            MixOrder::Widen(mixer) => return Some(MixRemains::Mixer(self.widen(mixer))),
            MixOrder::Record(tape) if self.tape.is_some() => return Some(MixRemains::Tape(tape)),
            MixOrder::Record(tape) => self.tape = Some(tape),
            MixOrder::Tape(order) => {
                if let Some(tape) = &mut self.tape {
                    tape.obey(order);
                }
            }
        }
        None
    }

    /// Mixes one round of 20 ms.
    pub(super) fn tick(&mut self) {
        let mut frame = [0; MAX_FRAME_SAMPLES];
        let frame = &mut frame[..self.rate.frame_samples()];
        for seated in &mut self.chairs {
            seated.line.hear(self.rate, frame);
            self.mixer.hear(seated.seat, frame);
        }
        let beeps = self.write_beep(frame);
        self.mixer.mix(beeps.then_some(&*frame));
        for seated in &mut self.chairs {
            self.mixer.write(seated.seat, None, frame);
            seated.line.say(self.rate, frame);
        }
        while let Some(talk) = self.mixer.poll() {
            let mut chairs = self.chairs.iter();
            if let Some(seated) = chairs.find(|seated| seated.seat == talk.seat) {
                let (chair, speaks) = (seated.chair, talk.talks);
                let _ = self.speech.try_send(Speech { chair, speaks });
            }
        }
        if let Some(tape) = &mut self.tape {
            self.mixer.write_whole(frame);
            tape.hear(self.rate, frame);
        }
    }

    /// A recording that has ended, to be dropped where that may take its time.
    pub(super) fn poll_tape(&mut self) -> Option<MixRemains> {
        let tape = self.tape.take_if(|tape| tape.is_over())?;
        Some(MixRemains::Tape(tape))
    }

    /// Frames that legs did not take in time, since the last call.
    pub(super) fn take_dropped_frames(&mut self) -> u64 {
        let lines = self.chairs.iter_mut();
        lines.map(|seated| seated.line.take_dropped()).sum()
    }

    fn seat(&mut self, chair: Chair, line: Box<LineEnd>) -> Option<MixRemains> {
        // The conference lets in no more than the mixer takes.
        let Ok(seat) = self.mixer.join() else {
            return Some(MixRemains::Line(line));
        };
        self.chairs.push(Seated {
            chair,
            seat,
            line,
            hearing: MixHearing::default(),
        });
        None
    }

    fn widen(&mut self, mixer: Box<Mixer>) -> Box<Mixer> {
        let narrow = std::mem::replace(&mut self.mixer, mixer);
        self.rate = Rate::Wide;
        for seated in &mut self.chairs {
            seated.seat = self
                .mixer
                .join()
                .expect("it takes as many as the other one");
        }
        for at in 0..self.chairs.len() {
            self.apply(at);
        }
        narrow
    }

    fn apply(&mut self, at: usize) {
        let Seated { seat, hearing, .. } = &self.chairs[at];
        let (seat, hearing) = (*seat, *hearing);
        let coached = hearing.coaches.map(|chair| self.place(chair));
        let coached = coached.map(|place| place.map(|at| self.chairs[at].seat));
        self.mixer.set_held(seat, hearing.is_held);
        // Who coaches one that is not there is heard by nobody.
        self.mixer
            .set_muted(seat, hearing.is_muted || coached == Some(None));
        self.mixer.set_coach(seat, coached.flatten());
    }

    /// The next frame of what sounds for all; false if nothing does.
    fn write_beep(&mut self, frame: &mut [i16]) -> bool {
        let Some((beep, at)) = &mut self.beep else {
            return false;
        };
        beep.write(self.rate, *at, frame);
        *at += 1;
        if *at >= ConferenceBeep::FRAMES {
            self.beep = None;
        }
        true
    }

    fn place(&self, chair: Chair) -> Option<usize> {
        self.chairs.iter().position(|seated| seated.chair == chair)
    }
}

#[cfg(test)]
mod tests;
