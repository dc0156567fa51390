//! Calls in which both sides offer, refresh, send digits and refer at once, over a bad network: whatever crosses, each
//! offer is answered or refused once, each call ends once on each side, and nothing is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jackfield_sip::{Command, DialogId, Event, OutgoingInvite, Reliable};

use crate::host::{PEER, SDP, US, outgoing};
use crate::network::{Network, Told, Weather};
use crate::seeds::{Outcome, kinds_of_all};

const SEEDS: u64 = 300;

/// A dialog of one side.
type Leg = (usize, DialogId);

#[derive(Clone, Copy, Debug, Default)]
struct Life {
    is_up: bool,
    is_over: bool,
    /// Offers of ours without an answer.
    offers: usize,
}

struct Run {
    seed: u64,
    network: Network,
    wishes: BTreeMap<(Instant, u64), (Leg, Command)>,
    count: u64,
    legs: BTreeMap<Leg, Life>,
    kinds: BTreeSet<&'static str>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let weather = Weather {
            lost_percent: [0, 5, 30][(seed % 3) as usize],
            doubled_percent: [0, 20, 50, 0][(seed % 4) as usize],
            delay_ms: [0, 30, 900][(seed / 3 % 3) as usize],
            cut_percent: 0,
        };
        Self {
            seed,
            network: Network::new(seed, weather),
            wishes: BTreeMap::new(),
            count: 0,
            legs: BTreeMap::new(),
            kinds: BTreeSet::new(),
        }
    }

    fn wish(&mut self, delay: Duration, leg: Leg, command: Command) {
        self.count += 1;
        let at = self.network.now + delay;
        self.wishes.insert((at, self.count), (leg, command));
    }

    fn run(mut self) -> Outcome {
        for side in 0..2 {
            let dialog = DialogId(2);
            let invite = OutgoingInvite {
                reliable: [Reliable::No, Reliable::Supported, Reliable::Required]
                    [self.network.chance.below(3) as usize],
                session_expires: self
                    .network
                    .chance
                    .percent(60)
                    .then(|| Duration::from_secs(90)),
                ..*outgoing([PEER, US][side])
            };
            let invite = Box::new(invite);
            let delay = self.network.chance.millis(2_000);
            self.wish(delay, (side, dialog), Command::Invite { dialog, invite });
            self.legs.insert((side, dialog), Life::default());
        }
        let end = self.network.now + Duration::from_secs(700);
        let last_call = self.network.now + Duration::from_secs(400);
        while self.network.now < end {
            let next = self.wishes.keys().next().map_or(end, |(at, _)| *at);
            for (side, told) in self.network.run_until(next) {
                self.hear(side, told);
            }
            while let Some(entry) = self
                .wishes
                .first_entry()
                .filter(|wish| wish.key().0 <= self.network.now)
            {
                let (leg, command) = entry.remove();
                self.fulfil(leg, command, last_call);
            }
        }
        self.check();
        Outcome {
            transcript: self.network.transcript,
            kinds: self.kinds,
        }
    }

    fn fulfil(&mut self, leg: Leg, command: Command, last_call: Instant) {
        let life = self
            .legs
            .get_mut(&leg)
            .expect("wishes are of known dialogs");
        if life.is_over && !matches!(command, Command::Invite { .. }) {
            return;
        }
        if matches!(command, Command::Offer { .. }) {
            if self.network.now >= last_call {
                return;
            }
            life.offers += 1;
        }
        let is_refusal = matches!(command, Command::Bye { .. }) && leg.1.0 % 2 == 1 && !life.is_up;
        life.is_over |= is_refusal;
        self.network.command(leg.0, command);
        for (side, told) in self.network.told() {
            self.hear(side, told);
        }
    }

    fn hear(&mut self, side: usize, told: Told) {
        match told {
            Told::Incoming(dialog) => {
                let leg = (side, dialog);
                assert!(self.legs.insert(leg, Life::default()).is_none());
                self.take_call(leg);
            }
            Told::Event(dialog, event) => self.hear_event((side, dialog), &event),
            Told::Answered(_) => panic!("nobody asks outside dialogs"),
        }
    }

    /// Rings with and without early media, and answers.
    fn take_call(&mut self, leg: Leg) {
        let dialog = leg.1;
        let soon = self.network.chance.millis(500);
        self.wish(soon, leg, Command::Ring { dialog });
        let later = soon + self.network.chance.millis(1_000);
        if self.network.chance.percent(50) {
            let sdp = SDP.into();
            self.wish(later, leg, Command::Progress { dialog, sdp });
        }
        let answer = later + self.network.chance.millis(3_000);
        let sdp = SDP.into();
        self.wish(answer, leg, Command::Answer { dialog, sdp });
    }

    /// What a side does in a call that is up: all of it at times that the other side's may cross.
    fn live(&mut self, leg: Leg) {
        let dialog = leg.1;
        for _ in 0..4 {
            let at = self.network.chance.millis(20_000);
            let sdp = SDP.into();
            self.wish(at, leg, Command::Offer { dialog, sdp });
            let at = self.network.chance.millis(200_000);
            let (content_type, body) = ("application/dtmf".to_owned(), "5".into());
            let info = Command::Info {
                dialog,
                content_type,
                body,
            };
            self.wish(at, leg, info);
        }
        let at = self.network.chance.millis(200_000);
        let to = "sip:a@b".to_owned();
        self.wish(at, leg, Command::Refer { dialog, to });
        let at = self.network.chance.millis(200_000);
        self.wish(at, leg, Command::TakeRefer { dialog });
        for status in [180, 200] {
            let at = self.network.chance.millis(200_000);
            self.wish(at, leg, Command::Report { dialog, status });
        }
        let bye = Duration::from_secs(200) + self.network.chance.millis(100_000);
        self.wish(
            bye,
            leg,
            Command::Bye {
                dialog,
                cause: None,
            },
        );
    }

    fn hear_event(&mut self, leg: Leg, event: &Event) {
        let life = self
            .legs
            .get_mut(&leg)
            .expect("events are of known dialogs");
        assert!(!life.is_over, "{event:?} after the end of {leg:?}");
        self.kinds.insert(kind(event));
        let dialog = leg.1;
        match event {
            Event::Answered { sdp } => {
                assert!(
                    sdp.is_some(),
                    "the answer is in the 2xx, or was in a 183 that arrived"
                );
                life.is_up = true;
                self.live(leg);
            }
            Event::Acked { .. } if !life.is_up => {
                life.is_up = true;
                self.live(leg);
            }
            Event::Offer { .. } => {
                let at = self.network.chance.millis(1_500);
                let sdp = SDP.into();
                let answer = if self.network.chance.percent(80) {
                    Command::AcceptOffer { dialog, sdp }
                } else {
                    Command::RejectOffer {
                        dialog,
                        status: 488,
                        warning: None,
                    }
                };
                self.wish(at, leg, answer);
            }
            Event::OfferAnswered { .. } | Event::OfferRefused { .. } => {
                assert!(life.offers > 0, "{event:?} without an offer");
                life.offers -= 1;
            }
            Event::Failed { .. }
            | Event::NoAck
            | Event::Canceled { .. }
            | Event::Bye { .. }
            | Event::Terminated => life.is_over = true,
            Event::Provisional { .. }
            | Event::Acked { .. }
            | Event::ReferAnswered { .. }
            | Event::Referred { .. }
            | Event::ReferAsked(_)
            | Event::OwnFields(_)
            | Event::Info { .. } => {}
        }
    }

    fn check(&self) {
        for (index, side) in self.network.sides.iter().enumerate() {
            let left = (side.endpoint.dialogs(), side.endpoint.transactions());
            assert_eq!(left, (0, 0), "left on side {index}");
            assert_eq!(side.endpoint.deadline(), None, "side {index}");
            assert_eq!(side.endpoint.counters().malformed, 0, "side {index}");
        }
        for (leg, life) in &self.legs {
            assert!(life.is_over, "{leg:?} never ended");
            // All were made long before the hang-up; only a network that loses keeps one open so long.
            let is_lossless = self.seed.is_multiple_of(3);
            assert!(
                !is_lossless || life.offers == 0,
                "{leg:?} waits for an answer"
            );
        }
    }
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Provisional { .. } => "provisional",
        Event::Answered { .. } => "answered",
        Event::Failed { .. } => "failed",
        Event::Acked { .. } => "acked",
        Event::NoAck => "no ack",
        Event::Canceled { .. } => "canceled",
        Event::Bye { .. } => "bye",
        Event::Offer { .. } => "offer",
        Event::OfferAnswered { .. } => "offer answered",
        Event::OfferRefused { status: 491 } => "offer refused 491",
        Event::OfferRefused { .. } => "offer refused",
        Event::ReferAnswered { .. } => "refer answered",
        Event::Referred { .. } => "referred",
        Event::ReferAsked(_) => "refer asked",
        Event::OwnFields(_) => "own fields",
        Event::Info { .. } => "info",
        Event::Terminated => "terminated",
    }
}

#[test]
fn whatever_crosses_each_exchange_ends_once() {
    let test = "busy::whatever_crosses_each_exchange_ends_once";
    let Some(kinds) = kinds_of_all(test, SEEDS, |seed| Run::new(seed).run()) else {
        return;
    };
    for expected in [
        "acked",
        "answered",
        "bye",
        "info",
        "offer",
        "offer answered",
        "offer refused",
        "offer refused 491",
        "provisional",
        "refer answered",
        "refer asked",
        "referred",
        "terminated",
    ] {
        assert!(
            kinds.contains(expected),
            "{expected} never happened: {kinds:?}"
        );
    }
}

#[test]
fn sessions_are_refreshed_and_provisional_responses_acknowledged() {
    let transcript: Vec<_> = (0..30)
        .flat_map(|seed| Run::new(seed).run().transcript)
        .collect();
    for method in ["UPDATE", "PRACK", "REFER", "INFO"] {
        let first_line = format!(" {method} sip:");
        assert!(
            transcript.iter().any(|line| line.contains(&first_line)),
            "no {method} was sent"
        );
    }
}

#[test]
fn a_seed_is_a_whole_run() {
    for seed in [5, 44, 211] {
        assert_eq!(Run::new(seed).run(), Run::new(seed).run(), "seed {seed}");
    }
}

#[test]
fn on_a_good_network_an_offer_is_lost_only_with_its_call() {
    // No loss, no delay: what crosses is settled by waiting, and no call is lost.
    for seed in (0..SEEDS).filter(|seed| seed % 36 == 0) {
        let kinds = Run::new(seed).run().kinds;
        assert!(
            !kinds.contains("no ack") && !kinds.contains("failed"),
            "seed {seed}: {kinds:?}"
        );
    }
}
