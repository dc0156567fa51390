use std::f64::consts::TAU;

use super::super::line::line;
use super::*;

/// Between two tones of a conference.
const SPACING_HZ: usize = 50;
/// 20 ms fifty times: the frequencies are those of a transform of one second.
const ROUNDS: usize = 50;
const AMPLITUDE: f64 = 300.0;
/// So much of the amplitude counts as heard.
const HEARD: f64 = 0.5;

/// Calls in virtual time: each says a tone of its own, at its rate.
struct Room {
    core: MixCore,
    speech: mpsc::Receiver<Speech>,
    calls: Vec<Caller>,
    round: usize,
}

struct Caller {
    chair: Chair,
    line: LineEnd,
    rate: Rate,
    frequency_hz: usize,
    heard: Vec<i16>,
}

impl Room {
    fn new(rates: &[Rate]) -> Self {
        let (told, speech) = mpsc::channel(64);
        let mut room = Self {
            core: MixCore::new(rates.len(), Rate::Narrow, told),
            speech,
            calls: Vec::new(),
            round: 0,
        };
        for rate in rates {
            room.join(*rate);
        }
        room
    }

    fn join(&mut self, rate: Rate) {
        let number = self.calls.len();
        let chair = Chair(number as u32);
        let (line, theirs) = line();
        assert!(
            self.core
                .order(MixOrder::Seat(chair, Box::new(theirs)))
                .is_none()
        );
        self.calls.push(Caller {
            chair,
            line,
            rate,
            frequency_hz: 300 + number * SPACING_HZ,
            heard: Vec::new(),
        });
    }

    fn hear(&mut self, call: usize, hearing: MixHearing) {
        let chair = self.calls[call].chair;
        assert!(self.core.order(MixOrder::Hear(chair, hearing)).is_none());
    }

    /// A second passes, after as much as it takes for what was said before to be heard no more.
    fn run(&mut self) {
        for round in 0..ROUNDS + 10 {
            if round == 10 {
                self.calls.iter_mut().for_each(|call| call.heard.clear());
            }
            self.run_once();
        }
    }

    fn run_once(&mut self) {
        for call in &mut self.calls {
            let frame = call.tone(self.round);
            call.line.say(call.rate, &frame);
            let mut frame = vec![0; call.rate.frame_samples()];
            call.line.hear(call.rate, &mut frame);
            call.heard.extend(frame);
        }
        self.core.tick();
        self.round += 1;
    }

    /// Who hears whom: a row for each who hears.
    fn ears(&self) -> Vec<Vec<bool>> {
        let hears = |call: &Caller| {
            let tones = self.calls.iter().map(|other| other.frequency_hz);
            tones.map(|tone| call.level(tone) > HEARD).collect()
        };
        self.calls.iter().map(hears).collect()
    }

    /// Who hears this one.
    fn heard_by(&self, call: usize) -> Vec<usize> {
        let ears = self.ears();
        (0..ears.len()).filter(|other| ears[*other][call]).collect()
    }
}

/// How loud each caller's tone is in what was recorded of this room, in parts of how loud it was said.
fn recorded(room: &mut Room, options: call::RecordingOptions, orders: &[TapeOrder]) -> Vec<f64> {
    let reel = std::sync::Arc::new(crate::recorder::Reel::new(8_000, 1));
    let tape = MixTape::new(
        options,
        Rate::Narrow,
        std::sync::Arc::clone(&reel),
        std::thread::current(),
    );
    assert!(room.core.order(MixOrder::Record(Box::new(tape))).is_none());
    for order in orders {
        assert!(room.core.order(MixOrder::Tape(*order)).is_none());
    }
    let mut heard = Vec::new();
    for _ in 0..ROUNDS {
        room.run_once();
        while let Some(crate::recorder::Block::Samples(samples)) = reel.pop() {
            heard.extend(samples);
        }
    }
    assert!(room.core.poll_tape().is_none(), "it goes on");
    room.core.order(MixOrder::Tape(TapeOrder::Stop));
    drop(room.core.poll_tape().expect("it is over"));
    let ended = reel.take_end().expect("it says how it ended");
    assert_eq!(ended.recorded.samples, heard.len() as u64);
    let calls = room.calls.iter();
    calls
        .map(|call| match heard.is_empty() {
            true => 0.0,
            false => level(&heard, 8_000, call.frequency_hz),
        })
        .collect()
}

impl Caller {
    fn tone(&self, round: usize) -> Vec<i16> {
        let samples = self.rate.frame_samples();
        let step = TAU * self.frequency_hz as f64 / f64::from(self.rate.hz());
        (0..samples)
            .map(|n| (AMPLITUDE * (step * (round * samples + n) as f64).sin()) as i16)
            .collect()
    }

    /// How loud a tone is heard, in parts of how loud it is said.
    fn level(&self, frequency_hz: usize) -> f64 {
        level(&self.heard, self.rate.hz(), frequency_hz)
    }
}

fn level(samples: &[i16], rate_hz: u32, frequency_hz: usize) -> f64 {
    let step = TAU * frequency_hz as f64 / f64::from(rate_hz);
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let (sine, cosine) = (step * n as f64).sin_cos();
        real += f64::from(*sample) * cosine;
        imaginary += f64::from(*sample) * sine;
    }
    2.0 * f64::hypot(real, imaginary) / (samples.len() as f64 * AMPLITUDE)
}

#[test]
fn what_is_recorded_is_what_all_hear_and_ends_as_it_is_told() {
    let whole = || call::RecordingOptions::of_call(call::RecordingChannels::Mono);
    let mut room = Room::new(&[Rate::Narrow; 3]);
    room.hear(
        1,
        MixHearing {
            is_muted: true,
            ..MixHearing::default()
        },
    );
    room.hear(
        2,
        MixHearing {
            coaches: Some(room.calls[0].chair),
            ..MixHearing::default()
        },
    );
    room.run();
    let heard = recorded(&mut room, whole(), &[]);
    let heard: Vec<_> = heard.into_iter().map(|level| level > HEARD).collect();
    assert_eq!(heard, [true, false, false]);
    let skip = TapeOrder::Pause(call::PauseBehavior::Skip);
    assert_eq!(recorded(&mut room, whole(), &[skip]), [0.0; 3]);
    let again = recorded(&mut room, whole(), &[skip, TapeOrder::Resume]);
    assert!(again[0] > HEARD, "{again:?}");
}

#[test]
fn a_recording_keeps_its_rate_when_the_mix_becomes_wide() {
    let mut room = Room::new(&[Rate::Narrow; 2]);
    let mixer = Box::new(Mixer::new(2, Rate::Wide.hz(), None));
    room.core.order(MixOrder::Widen(mixer));
    room.run();
    let whole = call::RecordingOptions::of_call(call::RecordingChannels::Mono);
    let heard = recorded(&mut room, whole, &[]);
    assert!(heard.iter().all(|level| *level > HEARD), "{heard:?}");
}

fn narrow(count: usize) -> Room {
    Room::new(&vec![Rate::Narrow; count])
}

#[test]
fn each_of_fifty_hears_all_others_and_never_itself() {
    let mut room = narrow(50);
    room.run();
    for (call, hears) in room.ears().into_iter().enumerate() {
        let expected: Vec<bool> = (0..50).map(|other| other != call).collect();
        assert_eq!(hears, expected, "{call}");
    }
}

#[test]
fn wide_and_narrow_calls_hear_each_other() {
    let mut room = narrow(3);
    room.run();
    let mixer = Box::new(Mixer::new(5, Rate::Wide.hz(), None));
    room.core.chairs.reserve(2);
    let remains = room.core.order(MixOrder::Widen(mixer));
    assert!(matches!(remains, Some(MixRemains::Mixer(_))));
    room.join(Rate::Wide);
    room.join(Rate::Wide);
    // Beyond what a narrow call hears.
    room.calls[4].frequency_hz = 5_000;
    room.run();
    assert_eq!(room.heard_by(0), [1, 2, 3, 4]);
    assert_eq!(room.heard_by(3), [0, 1, 2, 4]);
    assert_eq!(room.heard_by(4), [3]);
}

#[test]
fn how_each_hears_and_is_heard_lasts_when_the_rate_changes() {
    let mut room = narrow(3);
    let muted = MixHearing {
        is_muted: true,
        ..MixHearing::default()
    };
    room.hear(1, muted);
    let mixer = Box::new(Mixer::new(3, Rate::Wide.hz(), None));
    room.core.order(MixOrder::Widen(mixer));
    room.run();
    assert_eq!(room.heard_by(1), [0; 0]);
    assert_eq!(room.heard_by(0), [1, 2]);
}

#[test]
fn who_is_muted_hears_and_is_not_heard() {
    let mut room = narrow(3);
    let muted = |is_muted| MixHearing {
        is_muted,
        ..MixHearing::default()
    };
    room.hear(1, muted(true));
    room.run();
    assert_eq!(room.heard_by(1), [0; 0]);
    assert_eq!(
        (room.heard_by(0), room.heard_by(2)),
        (vec![1, 2], vec![0, 1])
    );
    room.hear(1, muted(false));
    room.run();
    assert_eq!(room.heard_by(1), [0, 2]);
}

#[test]
fn who_is_on_hold_neither_hears_nor_is_heard() {
    let mut room = narrow(3);
    let held = |is_held| MixHearing {
        is_held,
        ..MixHearing::default()
    };
    room.hear(1, held(true));
    room.run();
    assert_eq!(room.heard_by(1), [0; 0]);
    assert_eq!((room.heard_by(0), room.heard_by(2)), (vec![2], vec![0]));
    assert!(room.calls[1].heard.iter().all(|sample| *sample == 0));
    room.hear(1, held(false));
    room.run();
    assert_eq!(room.heard_by(1), [0, 2]);
}

#[test]
fn a_coach_is_heard_by_one_alone_and_by_nobody_once_that_one_has_gone() {
    let mut room = narrow(4);
    let coached = room.calls[2].chair;
    let coaches = MixHearing {
        coaches: Some(coached),
        ..MixHearing::default()
    };
    room.hear(0, coaches);
    room.run();
    assert_eq!(room.heard_by(0), [2]);
    assert!(
        room.ears()[0][1..].iter().all(|hears| *hears),
        "it hears all"
    );
    let remains = room.core.order(MixOrder::Unseat(coached));
    assert!(matches!(remains, Some(MixRemains::Line(_))));
    room.run();
    assert_eq!(room.heard_by(0), [0; 0]);
    assert_eq!(room.heard_by(2), [0; 0], "it has left");
    assert_eq!(room.heard_by(1), [0, 3]);
}

#[test]
fn a_beep_is_heard_by_all_but_those_on_hold() {
    let mut room = narrow(3);
    let quiet = MixHearing {
        is_muted: true,
        ..MixHearing::default()
    };
    (0..2).for_each(|call| room.hear(call, quiet));
    let held = MixHearing {
        is_held: true,
        ..MixHearing::default()
    };
    room.hear(2, held);
    room.run();
    room.core.order(MixOrder::Beep(ConferenceBeep::Enter));
    room.core.order(MixOrder::Beep(ConferenceBeep::Exit));
    let mut loud = [0; 3];
    for _ in 0..3 * ConferenceBeep::FRAMES {
        room.core.tick();
        for (call, loud) in room.calls.iter_mut().zip(&mut loud) {
            let mut frame = [0; 160];
            call.line.hear(Rate::Narrow, &mut frame);
            *loud += usize::from(frame.iter().any(|sample| *sample > 1_000));
        }
    }
    let once = ConferenceBeep::FRAMES;
    assert_eq!(loud, [once, once, 0], "one at a time");
}

#[test]
fn there_are_as_many_chairs_as_were_asked_for() {
    let mut room = narrow(250);
    let (_ours, theirs) = line();
    let order = MixOrder::Seat(Chair(250), Box::new(theirs));
    assert!(matches!(room.core.order(order), Some(MixRemains::Line(_))));
    let first = room.calls[0].chair;
    room.core.order(MixOrder::Unseat(first));
    let (_ours, theirs) = line();
    let order = MixOrder::Seat(Chair(251), Box::new(theirs));
    assert!(room.core.order(order).is_none(), "a chair came free");
    assert!(
        room.core.order(MixOrder::Unseat(first)).is_none(),
        "it has gone"
    );
}

#[test]
fn who_begins_and_who_ceases_to_speak_is_told() {
    let mut room = Room::new(&[Rate::Narrow; 2]);
    room.hear(
        1,
        MixHearing {
            is_muted: true,
            ..MixHearing::default()
        },
    );
    // A voice comes and goes, as a tone does not.
    for round in 0..400 {
        for (at, call) in room.calls.iter_mut().enumerate() {
            let is_loud = (100..200).contains(&round);
            let frame = match is_loud {
                true => talk(round, at),
                false => vec![0; 160],
            };
            call.line.say(call.rate, &frame);
        }
        room.core.tick();
    }
    let told: Vec<_> = std::iter::from_fn(|| room.speech.try_recv().ok()).collect();
    let chair = room.calls[0].chair;
    let expected = [true, false].map(|speaks| Speech { chair, speaks });
    assert_eq!(told, expected, "and nothing of one who is muted");
}

/// 20 ms of something like a voice: a tone whose loudness changes.
fn talk(round: usize, number: usize) -> Vec<i16> {
    let loud = if round % 10 < 7 { 8_000.0 } else { 1_000.0 };
    let step = TAU * (250.0 + 60.0 * number as f64) / 8_000.0;
    (0..160)
        .map(|n| (loud * (step * (round * 160 + n) as f64).sin()) as i16)
        .collect()
}
