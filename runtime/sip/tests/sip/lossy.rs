//! Calls between endpoints over a bad network, hundreds of seeds: whatever happens, each call ends once on each side and
//! nothing is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jackfield_sip::{Command, DialogId, Event, Hop, OutgoingInvite, Reliable, Transport};

use crate::host::{PEER, US, outgoing, udp};
use crate::network::{Network, PROXY, Told, Weather};
use crate::seeds::{Outcome, kinds_of_all};

const SEEDS: u64 = 400;
const CALLS: u64 = 4;

/// After this time an offer was answered, refused, or has cost the call: it waits for a crossing one, and then 64 × T1.
const LONGEST_OFFER: Duration = Duration::from_secs(80);

/// A dialog of one side.
type Leg = (usize, DialogId);

/// Something a user wants at some time, if its dialog is still there.
#[derive(Clone, Debug)]
enum Wish {
    Command(usize, Command),
    Offer(Leg),
    /// To answer this offer of the peer, if it is still the one.
    AnswerOffer(Leg, Option<Bytes>),
    HangUpEverything,
}

/// What kind of run a seed makes.
#[derive(Clone, Copy, Debug)]
struct Scene {
    weather: Weather,
    transport: Transport,
    /// Calls of side 0 go to both others at once.
    is_forked: bool,
    /// Sessions have to be refreshed, several times in a call.
    has_timers: bool,
    reliable: Reliable,
}

impl Scene {
    fn of(seed: u64) -> Self {
        let of = |shift: u64, values: [u64; 4]| values[(seed / shift % 4) as usize];
        let kind = seed / 12 % 4;
        Self {
            weather: Weather {
                lost_percent: of(1, [0, 5, 30, 60]),
                doubled_percent: [0, 20, 50][(seed % 3) as usize],
                delay_ms: [0, 30, 900][(seed / 4 % 3) as usize],
                cut_percent: of(1, [0, 1, 5, 20]),
            },
            transport: if kind == 1 {
                Transport::Tcp
            } else {
                Transport::Udp
            },
            is_forked: kind == 2,
            has_timers: of(5, [1, 0, 0, 0]) == 1,
            reliable: [Reliable::No, Reliable::Supported, Reliable::Required]
                [(seed / 7 % 3) as usize],
        }
    }

    fn invite(&self, side: usize) -> Box<OutgoingInvite> {
        let target = match side {
            0 if self.is_forked => PROXY,
            0 => PEER,
            _ => US,
        };
        let mut invite = outgoing(target);
        invite.targets[0].hop = Hop::new(self.transport, udp(target).address);
        invite.reliable = self.reliable;
        invite.session_expires = self.has_timers.then_some(Duration::from_secs(90));
        invite
    }
}

/// One run: the network, what the users want and when, and what they were told.
struct Run {
    seed: u64,
    scene: Scene,
    network: Network,
    wishes: BTreeMap<(Instant, u64), Wish>,
    count: u64,
    legs: BTreeMap<Leg, Life>,
    /// The bodies of the INFOs that were told.
    infos: BTreeSet<Bytes>,
    /// What kinds of events there were.
    kinds: BTreeSet<&'static str>,
}

#[derive(Clone, Debug, Default)]
struct Life {
    is_up: bool,
    is_over: bool,
    /// Answers of ours that may still be acknowledged.
    unacknowledged: u32,
    /// The peer's offer that is not answered yet.
    open: Option<Option<Bytes>>,
    /// Our offer that is not answered yet, and when it was made.
    ours: Option<(Bytes, Instant)>,
}

fn bye(dialog: DialogId) -> Command {
    Command::Bye {
        dialog,
        cause: None,
    }
}

/// What a side says to an offer; the offer is found in it again.
fn answer_to(offer: Option<&Bytes>) -> Bytes {
    let offer = offer.map_or(&b"nothing"[..], |offer| offer);
    [b"answer to ", offer].concat().into()
}

impl Run {
    fn new(seed: u64) -> Self {
        let scene = Scene::of(seed);
        Self {
            seed,
            scene,
            network: Network::new(seed, scene.weather),
            wishes: BTreeMap::new(),
            count: 0,
            legs: BTreeMap::new(),
            infos: BTreeSet::new(),
            kinds: BTreeSet::new(),
        }
    }

    fn wish(&mut self, delay: Duration, wish: Wish) {
        self.count += 1;
        let at = self.network.now + delay;
        self.wishes.insert((at, self.count), wish);
    }

    /// A delay that ends at a full step of the clock as often as not, so that both sides do things at once.
    fn some_time(&mut self, bound_ms: u64, step_ms: u64) -> Duration {
        let delay = self.network.chance.millis(bound_ms);
        if self.network.chance.percent(50) {
            return delay;
        }
        let at = self.network.elapsed() + delay;
        let step = u128::from(step_ms);
        let rounded = u64::try_from(at.as_millis().div_ceil(step) * step).unwrap();
        Duration::from_millis(rounded) - self.network.elapsed()
    }

    /// Both sides call each other, hang up and cancel when it pleases them, and in the end hang up what is left.
    fn run(mut self) -> Outcome {
        for call in 0..CALLS {
            let side = usize::from(call % 2 == 1);
            let dialog = DialogId(2 + 2 * call);
            let delay = self.network.chance.millis(3000);
            let invite = self.scene.invite(side);
            self.wish(
                delay,
                Wish::Command(side, Command::Invite { dialog, invite }),
            );
            if self.network.chance.percent(30) {
                let later = delay + self.some_time(4000, 500);
                let cancel = Command::Cancel {
                    dialog,
                    cause: None,
                };
                self.wish(later, Wish::Command(side, cancel));
            }
            self.legs.insert((side, dialog), Life::default());
        }
        self.wish(Duration::from_secs(240), Wish::HangUpEverything);
        let end = self.network.now + Duration::from_secs(540);
        while self.network.now < end {
            let next = self.wishes.keys().next().map_or(end, |(at, _)| *at);
            for (side, told) in self.network.run_until(next) {
                self.hear(side, told);
            }
            let now = self.network.now;
            let is_due = |at: Instant| at <= now;
            while let Some(entry) = self
                .wishes
                .first_entry()
                .filter(|wish| is_due(wish.key().0))
            {
                let wish = entry.remove();
                self.fulfil(wish);
            }
        }
        self.check();
        Outcome {
            transcript: self.network.transcript,
            kinds: self.kinds,
        }
    }

    fn life(&mut self, leg: Leg) -> &mut Life {
        let seed = self.seed;
        let life = self.legs.get_mut(&leg);
        life.unwrap_or_else(|| panic!("seed {seed}: nobody knows of {leg:?}"))
    }

    fn fulfil(&mut self, wish: Wish) {
        match wish {
            Wish::Command(side, command) => {
                if let Command::Answer { dialog, .. } = &command {
                    self.life((side, *dialog)).unacknowledged += 1;
                }
                self.network.command(side, command);
            }
            Wish::Offer(leg) => self.offer(leg),
            Wish::AnswerOffer(leg, offer) => self.answer_offer(leg, offer),
            Wish::HangUpEverything => self.hang_up_everything(),
        }
        for (side, told) in self.network.told() {
            self.hear(side, told);
        }
    }

    fn offer(&mut self, leg: Leg) {
        self.count += 1;
        let (number, now) = (self.count, self.network.now);
        let life = self.life(leg);
        if life.is_over || !life.is_up || life.ours.is_some() {
            return;
        }
        let sdp = Bytes::from(format!("offer {number} of side {}", leg.0));
        life.ours = Some((sdp.clone(), now));
        self.network
            .command(leg.0, Command::Offer { dialog: leg.1, sdp });
    }

    /// Takes an offer mostly, refuses it sometimes.
    fn answer_offer(&mut self, leg: Leg, offer: Option<Bytes>) {
        let is_taken = self.network.chance.percent(85);
        let life = self.life(leg);
        if life.is_over || life.open.as_ref() != Some(&offer) {
            return;
        }
        life.open = None;
        life.unacknowledged += u32::from(is_taken);
        let (side, dialog) = leg;
        let command = if is_taken {
            let sdp = answer_to(offer.as_ref());
            Command::AcceptOffer { dialog, sdp }
        } else {
            let status = 488;
            Command::RejectOffer {
                dialog,
                status,
                warning: None,
            }
        };
        self.network.command(side, command);
    }

    fn hang_up_everything(&mut self) {
        let now = self.network.now;
        let open = self.legs.iter().filter(|(_, life)| !life.is_over);
        let open: Vec<_> = open.map(|(leg, life)| (*leg, life.clone())).collect();
        for ((side, dialog), life) in open {
            if let Some((sdp, since)) = life.ours {
                assert!(
                    now - since < LONGEST_OFFER,
                    "seed {}: nothing came of {sdp:?} of {side} {dialog:?}",
                    self.seed
                );
            }
            self.network.command(side, bye(dialog));
            // What is refused with 603 tells no more.
            if dialog.0 % 2 == 1 && !life.is_up {
                self.end((side, dialog));
            }
        }
    }

    fn hear(&mut self, side: usize, told: Told) {
        match told {
            Told::Incoming(dialog) => {
                let known = self.legs.insert((side, dialog), Life::default());
                assert!(known.is_none(), "seed {}: {dialog:?} twice", self.seed);
                self.take_call(side, dialog);
            }
            Told::Event(dialog, event) => self.hear_event((side, dialog), event),
            Told::Answered(outcome) => panic!("nobody asked: {outcome:?}"),
        }
    }

    /// Rings, answers, refuses or forgets a call, as chance has it.
    fn take_call(&mut self, side: usize, dialog: DialogId) {
        let soon = self.network.chance.millis(500);
        self.wish(soon, Wish::Command(side, Command::Ring { dialog }));
        if self.network.chance.percent(30) {
            let then = soon + self.network.chance.millis(1000);
            let sdp = Bytes::from_static(b"early answer");
            self.wish(then, Wish::Command(side, Command::Progress { dialog, sdp }));
        }
        let later = soon + self.some_time(5000, 500);
        match self.network.chance.below(10) {
            0 => {}
            // Whether the refusal is in time or crosses a CANCEL, the dialog is over by then.
            1 | 2 => self.wish(later, Wish::Command(side, bye(dialog))),
            _ => {
                let sdp = Bytes::from_static(b"early answer");
                self.wish(later, Wish::Command(side, Command::Answer { dialog, sdp }));
            }
        }
    }

    /// A call is up: what its user wants of it.
    fn talk(&mut self, leg: Leg) {
        for _ in 0..self.network.chance.below(4) {
            let at = self.some_time(25_000, 2000);
            self.wish(at, Wish::Offer(leg));
        }
        if self.network.chance.percent(30) {
            self.count += 1;
            let info = Command::Info {
                dialog: leg.1,
                content_type: "application/dtmf-relay".to_owned(),
                body: format!("Signal={}\r\nDuration=160\r\n", self.count).into(),
            };
            let at = self.network.chance.millis(10_000);
            self.wish(at, Wish::Command(leg.0, info));
        }
        if self.network.chance.percent(45) {
            let bound = if self.scene.has_timers {
                200_000
            } else {
                25_000
            };
            let at = self.some_time(bound, 5000);
            self.wish(at, Wish::Command(leg.0, bye(leg.1)));
        }
    }

    fn hear_event(&mut self, leg: Leg, event: Event) {
        let (seed, has_timers) = (self.seed, self.scene.has_timers);
        self.kinds.insert(kind(&event));
        let life = self.life(leg);
        assert!(
            !life.is_over,
            "seed {seed}: {event:?} after the end of {leg:?}"
        );
        match event {
            Event::Answered { .. } => {
                assert!(!life.is_up, "seed {seed}: answered twice");
                life.is_up = true;
                self.talk(leg);
            }
            Event::Acked { .. } => {
                assert!(life.unacknowledged > 0, "seed {seed}: an ACK too many");
                life.unacknowledged -= 1;
                if !life.is_up {
                    life.is_up = true;
                    self.talk(leg);
                }
            }
            Event::Provisional { .. } => {
                assert!(!life.is_up, "seed {seed}: provisional when up");
            }
            Event::Offer { sdp } => {
                life.open = Some(sdp.clone());
                let delay = self.network.chance.millis(3000);
                self.wish(delay, Wish::AnswerOffer(leg, sdp));
            }
            Event::OfferAnswered { sdp } => {
                let sdp = sdp.unwrap_or_else(|| panic!("seed {seed}: an answer of nothing"));
                let is_ours = |(ours, _): &mut (Bytes, Instant)| answer_to(Some(ours)) == sdp;
                let was_ours = life.ours.take_if(is_ours).is_some();
                assert!(
                    was_ours || has_timers,
                    "seed {seed}: {sdp:?} is no answer to ours"
                );
            }
            Event::OfferRefused { .. } => {
                assert!(life.ours.take().is_some(), "seed {seed}: no offer was made");
            }
            Event::Info { body, .. } => {
                assert!(self.infos.insert(body), "seed {seed}: an INFO twice");
            }
            Event::Failed { .. }
            | Event::NoAck
            | Event::Canceled { .. }
            | Event::Bye { .. }
            | Event::Terminated => self.end(leg),
            other => panic!("seed {seed}: nobody asked for {other:?}"),
        }
    }

    fn end(&mut self, leg: Leg) {
        self.life(leg).is_over = true;
    }

    fn check(&self) {
        let seed = self.seed;
        for (index, side) in self.network.sides.iter().enumerate() {
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
        Event::Info { .. } => "info",
        Event::Terminated => "terminated",
        _ => "other",
    }
}

#[test]
fn every_call_ends_and_nothing_is_left() {
    let test = "lossy::every_call_ends_and_nothing_is_left";
    let Some(kinds) = kinds_of_all(test, SEEDS, |seed| Run::new(seed).run()) else {
        return;
    };
    let all = [
        "acked",
        "answered",
        "bye",
        "canceled",
        "failed 408",
        "failed 487",
        "failed 603",
        "failed otherwise",
        "info",
        "no ack",
        "offer",
        "offer answered",
        "offer refused",
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
    for seed in [3, 17, 26, 222] {
        assert_eq!(Run::new(seed).run(), Run::new(seed).run(), "seed {seed}");
    }
}

#[test]
fn on_a_good_network_nothing_is_sent_twice() {
    // A proxy passes on what each of its callees says.
    let is_fit = |seed: &u64| seed.is_multiple_of(12) && !Scene::of(*seed).is_forked;
    for seed in (0..SEEDS).filter(is_fit) {
        let transcript = Run::new(seed).run().transcript;
        let mut seen = transcript.clone();
        seen.iter_mut()
            .for_each(|line| *line = line.split_once(' ').expect("a time first").1.to_owned());
        seen.sort();
        let before = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), before, "seed {seed}");
    }
}
