//! Two endpoints and the network between them: it loses, doubles, delays and so reorders, as its seed says.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jackfield_sip::{Config, Input};

use crate::host::{Host, PEER, US, origin, udp};

/// A small generator for tests (SplitMix64): a seed is a whole run.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

/// How bad the network is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) lost_percent: u64,
    pub(crate) doubled_percent: u64,
    pub(crate) delay_ms: u64,
}

/// Side 0 is at [`US`], side 1 at [`PEER`].
pub(crate) struct Pair {
    pub(crate) sides: [Host; 2],
    pub(crate) now: Instant,
    start: Instant,
    in_flight: BinaryHeap<Reverse<(Instant, u64, usize, Bytes)>>,
    sequence: u64,
    pub(crate) chance: Chance,
    pub(crate) weather: Weather,
    /// Everything that reached a side, with its time: two runs of one seed have the same.
    pub(crate) transcript: Vec<String>,
}

const ADDRESSES: [&str; 2] = [US, PEER];

impl Pair {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        let now = origin();
        let byte = seed.to_le_bytes()[0];
        let side = |index: usize| {
            let config = Config::new(ADDRESSES[index].parse().unwrap());
            Host::with(
                config,
                byte.wrapping_mul(2).wrapping_add(u8::from(index == 1)),
                now,
            )
        };
        Self {
            sides: [side(0), side(1)],
            now,
            start: now,
            in_flight: BinaryHeap::new(),
            sequence: 0,
            chance: Chance::new(seed),
            weather,
            transcript: Vec::new(),
        }
    }

    /// Hands over what a side sent to the network.
    pub(crate) fn flush(&mut self, side: usize) {
        for (destination, bytes) in self.sides[side].transmitted() {
            let receiver = ADDRESSES
                .iter()
                .position(|address| destination == udp(address));
            let Some(receiver) = receiver else {
                panic!("sent to nobody: {destination}")
            };
            let copies = match () {
                () if self.chance.percent(self.weather.lost_percent) => 0,
                () if self.chance.percent(self.weather.doubled_percent) => 2,
                () => 1,
            };
            for _ in 0..copies {
                let arrival = self.now + self.chance.millis(self.weather.delay_ms + 1);
                self.sequence += 1;
                self.in_flight
                    .push(Reverse((arrival, self.sequence, receiver, bytes.clone())));
            }
        }
    }

    /// The time of the next thing that happens by itself, not after `until`.
    fn next_event(&self, until: Instant) -> Option<Instant> {
        let arrival = self.in_flight.peek().map(|Reverse((at, ..))| *at);
        let deadlines = self
            .sides
            .iter()
            .filter_map(|side| side.endpoint.deadline());
        arrival
            .into_iter()
            .chain(deadlines)
            .min()
            .filter(|at| *at <= until)
    }

    /// Lets time pass on both sides and on the link; stops early when a side has something to tell.
    pub(crate) fn run_until(&mut self, until: Instant) -> Vec<(usize, Told)> {
        while let Some(at) = self.next_event(until) {
            self.now = at.max(self.now);
            self.step();
            let told = self.told();
            if !told.is_empty() {
                return told;
            }
        }
        self.now = until;
        Vec::new()
    }

    fn step(&mut self) {
        for side in 0..2 {
            self.sides[side].now = self.now;
            if self.sides[side]
                .endpoint
                .deadline()
                .is_some_and(|deadline| deadline <= self.now)
            {
                self.sides[side].feed(Input::Timeout);
                self.flush(side);
            }
        }
        if self
            .in_flight
            .peek()
            .is_some_and(|Reverse((at, ..))| *at <= self.now)
        {
            let Some(Reverse((_, _, receiver, bytes))) = self.in_flight.pop() else {
                return;
            };
            let elapsed = self.now.duration_since(self.start).as_millis();
            self.transcript.push(format!(
                "{elapsed} {receiver} {}",
                String::from_utf8_lossy(&bytes)
            ));
            let from = udp(ADDRESSES[1 - receiver]);
            self.sides[receiver].feed(Input::Received { from, bytes });
            self.flush(receiver);
        }
    }

    /// Gives a command to a side.
    pub(crate) fn command(&mut self, side: usize, command: jackfield_sip::Command) {
        self.sides[side].now = self.now;
        self.sides[side].command(command);
        self.flush(side);
    }

    /// What the sides told since the last look.
    pub(crate) fn told(&mut self) -> Vec<(usize, Told)> {
        let mut told = Vec::new();
        for (index, side) in self.sides.iter_mut().enumerate() {
            told.extend(
                side.incoming()
                    .into_iter()
                    .map(|incoming| (index, Told::Incoming(incoming.dialog))),
            );
            told.extend(
                side.all_events()
                    .into_iter()
                    .map(|(dialog, event)| (index, Told::Event(dialog, event))),
            );
            let answered = side.all_answered().into_iter();
            told.extend(answered.map(|(_, outcome)| (index, Told::Answered(outcome))));
        }
        told
    }
}

/// What a side tells its user.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Incoming(jackfield_sip::DialogId),
    Event(jackfield_sip::DialogId, jackfield_sip::Event),
    Answered(jackfield_sip::Outcome),
}
