//! Calls between two endpoints over a bad network, hundreds of seeds: whatever happens, each call ends once on each side
//! and nothing is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jackfield_sip::{Command, DialogId, Event};

use crate::host::{PEER, SDP, outgoing};
use crate::link::{Pair, Told, Weather};

const SEEDS: u64 = 400;
const CALLS: u64 = 4;

/// A dialog of one side.
type Leg = (usize, DialogId);

/// Something a user wants at some time, if its dialog is still there.
#[derive(Clone, Debug)]
enum Wish {
    Command(usize, Command),
    HangUpEverything,
}

/// One run: the pair, what the users want and when, and what they were told.
struct Run {
    seed: u64,
    pair: Pair,
    wishes: BTreeMap<(Instant, u64), Wish>,
    count: u64,
    /// Each dialog with whether it is up, and whether it is over.
    legs: BTreeMap<Leg, Life>,
    /// What kinds of events there were.
    kinds: BTreeSet<&'static str>,
}

/// Names the seed of a run that panics, wherever it does.
struct SeedOnPanic(u64);

impl Drop for SeedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failing seed: {}", self.0);
        }
    }
}

/// What a run leaves to look at.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    transcript: Vec<String>,
    kinds: BTreeSet<&'static str>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Life {
    is_up: bool,
    is_over: bool,
}

impl Run {
    fn new(seed: u64) -> Self {
        let weather = Weather {
            lost_percent: [0, 5, 30, 60][(seed % 4) as usize],
            doubled_percent: [0, 20, 50][(seed % 3) as usize],
            delay_ms: [0, 30, 900][(seed / 4 % 3) as usize],
        };
        Self {
            seed,
            pair: Pair::new(seed, weather),
            wishes: BTreeMap::new(),
            count: 0,
            legs: BTreeMap::new(),
            kinds: BTreeSet::new(),
        }
    }

    fn wish(&mut self, delay: Duration, wish: Wish) {
        self.count += 1;
        self.wishes
            .insert((self.pair.now + delay, self.count), wish);
    }

    /// Both sides call each other, hang up and cancel when it pleases them, and in the end hang up what is left.
    fn run(mut self) -> Outcome {
        let _seed = SeedOnPanic(self.seed);
        for call in 0..CALLS {
            let side = usize::from(call % 2 == 1);
            let target = [PEER, crate::host::US][side];
            let dialog = DialogId(2 + 2 * call);
            let delay = self.pair.chance.millis(3000);
            self.wish(
                delay,
                Wish::Command(
                    side,
                    Command::Invite {
                        dialog,
                        invite: outgoing(target),
                    },
                ),
            );
            if self.pair.chance.percent(30) {
                let later = delay + self.pair.chance.millis(4000);
                self.wish(
                    later,
                    Wish::Command(
                        side,
                        Command::Cancel {
                            dialog,
                            cause: None,
                        },
                    ),
                );
            }
            self.legs.insert((side, dialog), Life::default());
        }
        self.wish(Duration::from_secs(120), Wish::HangUpEverything);
        let end = self.pair.now + Duration::from_secs(420);
        while self.pair.now < end {
            let next = self.wishes.keys().next().map_or(end, |(at, _)| *at);
            for (side, told) in self.pair.run_until(next) {
                self.hear(side, told);
            }
            while let Some(entry) = self
                .wishes
                .first_entry()
                .filter(|wish| wish.key().0 <= self.pair.now)
            {
                let wish = entry.remove();
                self.fulfil(wish);
            }
        }
        self.check();
        Outcome {
            transcript: self.pair.transcript,
            kinds: self.kinds,
        }
    }

    fn fulfil(&mut self, wish: Wish) {
        match wish {
            Wish::Command(side, command) => self.pair.command(side, command),
            Wish::HangUpEverything => {
                let legs: Vec<_> = self
                    .legs
                    .iter()
                    .filter(|(_, life)| !life.is_over)
                    .map(|(leg, _)| *leg)
                    .collect();
                for (side, dialog) in legs {
                    self.pair.command(
                        side,
                        Command::Bye {
                            dialog,
                            cause: None,
                        },
                    );
                    // What is refused with 603 tells no more.
                    if dialog.0 % 2 == 1 && !self.legs[&(side, dialog)].is_up {
                        self.end((side, dialog));
                    }
                }
            }
        }
        for (side, told) in self.pair.told() {
            self.hear(side, told);
        }
    }

    fn hear(&mut self, side: usize, told: Told) {
        match told {
            Told::Incoming(dialog) => {
                assert!(
                    self.legs.insert((side, dialog), Life::default()).is_none(),
                    "seed {}",
                    self.seed
                );
                self.take_call(side, dialog);
            }
            Told::Event(dialog, event) => self.hear_event((side, dialog), &event),
            Told::Answered(outcome) => panic!("nobody asked: {outcome:?}"),
        }
    }

    /// Rings, answers, refuses or forgets a call, as chance has it.
    fn take_call(&mut self, side: usize, dialog: DialogId) {
        let soon = self.pair.chance.millis(500);
        self.wish(soon, Wish::Command(side, Command::Ring { dialog }));
        let later = soon + self.pair.chance.millis(5000);
        match self.pair.chance.below(10) {
            0 => {}
            1 | 2 => {
                // Whether the refusal is in time or crosses a CANCEL, the dialog is over by then.
                self.wish(
                    later,
                    Wish::Command(
                        side,
                        Command::Bye {
                            dialog,
                            cause: None,
                        },
                    ),
                );
            }
            _ => {
                self.wish(
                    later,
                    Wish::Command(
                        side,
                        Command::Answer {
                            dialog,
                            sdp: SDP.into(),
                        },
                    ),
                );
                if self.pair.chance.percent(40) {
                    let end = later + self.pair.chance.millis(20_000);
                    self.wish(
                        end,
                        Wish::Command(
                            side,
                            Command::Bye {
                                dialog,
                                cause: None,
                            },
                        ),
                    );
                }
            }
        }
    }

    fn hear_event(&mut self, leg: Leg, event: &Event) {
        let life = self
            .legs
            .get_mut(&leg)
            .expect("events are of known dialogs");
        assert!(
            !life.is_over,
            "seed {}: {event:?} after the end of {leg:?}",
            self.seed
        );
        self.kinds.insert(kind(event));
        match event {
            Event::Answered { .. } => {
                assert!(!life.is_up, "seed {}: answered twice", self.seed);
                life.is_up = true;
                if self.pair.chance.percent(50) {
                    let delay = self.pair.chance.millis(20_000);
                    self.wish(
                        delay,
                        Wish::Command(
                            leg.0,
                            Command::Bye {
                                dialog: leg.1,
                                cause: None,
                            },
                        ),
                    );
                }
            }
            Event::Acked { .. } => {
                assert!(!life.is_up, "seed {}: acknowledged twice", self.seed);
                life.is_up = true;
            }
            Event::Provisional { .. } => {
                assert!(!life.is_up, "seed {}: provisional when up", self.seed);
            }
            Event::Offer { .. }
            | Event::OfferAnswered { .. }
            | Event::OfferRefused { .. }
            | Event::Referred { .. }
            | Event::Info { .. } => {
                panic!("seed {}: nobody sends an offer or an INFO", self.seed)
            }
            Event::Failed { .. }
            | Event::NoAck
            | Event::Canceled { .. }
            | Event::Bye { .. }
            | Event::Terminated => self.end(leg),
        }
    }

    fn end(&mut self, leg: Leg) {
        self.legs
            .get_mut(&leg)
            .expect("only known dialogs end")
            .is_over = true;
    }

    fn check(&self) {
        let seed = self.seed;
        for (index, side) in self.pair.sides.iter().enumerate() {
            let left = (side.endpoint.dialogs(), side.endpoint.transactions());
            assert_eq!(
                left,
                (0, 0),
                "seed {seed}: dialogs and transactions left on side {index}"
            );
            assert_eq!(
                side.endpoint.deadline(),
                None,
                "seed {seed}: side {index} still has a deadline"
            );
            assert_eq!(
                side.endpoint.counters().malformed,
                0,
                "seed {seed}: side {index} could not read the other"
            );
        }
        for (leg, life) in &self.legs {
            // A dialog we refused ourselves is over without an event.
            let is_refused = leg.1.0 % 2 == 1 && !life.is_up;
            assert!(
                life.is_over || is_refused,
                "seed {seed}: {leg:?} never ended"
            );
        }
    }
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Provisional { .. } => "provisional",
        Event::Answered { .. } => "answered",
        Event::Failed { status: 408, .. } => "failed 408",
        Event::Failed { status: 487, .. } => "failed 487",
        Event::Failed { status: 603, .. } => "failed 603",
        Event::Failed { .. } => "failed otherwise",
        Event::Acked { .. } => "acked",
        Event::NoAck => "no ack",
        Event::Canceled { .. } => "canceled",
        Event::Bye { .. } => "bye",
        Event::Offer { .. } => "offer",
        Event::OfferAnswered { .. } => "offer answered",
        Event::OfferRefused { .. } => "offer refused",
        Event::Referred { .. } => "referred",
        Event::Info { .. } => "info",
        Event::Terminated => "terminated",
    }
}

#[test]
fn every_call_ends_and_nothing_is_left() {
    let kinds: BTreeSet<_> = (0..SEEDS)
        .flat_map(|seed| Run::new(seed).run().kinds)
        .collect();
    let all = [
        "acked",
        "answered",
        "bye",
        "canceled",
        "failed 408",
        "failed 487",
        "failed 603",
        "no ack",
        "provisional",
        "terminated",
    ];
    assert_eq!(
        kinds,
        BTreeSet::from(all),
        "the runs come through every end there is, and no other"
    );
}

#[test]
fn a_seed_is_a_whole_run() {
    for seed in [3, 17, 222] {
        assert_eq!(Run::new(seed).run(), Run::new(seed).run(), "seed {seed}");
    }
}

#[test]
fn on_a_good_network_nothing_is_sent_twice() {
    for seed in (0..SEEDS).filter(|seed| seed % 12 == 0) {
        let run = Run::new(seed);
        let transcript = run.run().transcript;
        let mut seen = transcript.clone();
        seen.iter_mut()
            .for_each(|line| *line = line.split_once(' ').expect("a time first").1.to_owned());
        seen.sort();
        let before = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), before, "seed {seed}");
    }
}
