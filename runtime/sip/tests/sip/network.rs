//! Endpoints and the network between them: it loses, doubles, delays and so reorders datagrams, and cuts connections, as its
//! seed says.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jackfield_sip::{Command, Config, DialogId, Event, Hop, Input, Outcome, Transport};

use crate::forking_proxy::ForkingProxy;
use crate::host::{Host, PEER, Sent, US, origin, udp};
use crate::seeds;

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
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Of datagrams.
    pub(crate) lost_percent: u64,
    /// Of datagrams.
    pub(crate) doubled_percent: u64,
    /// At most; each message has its own, but on a connection none overtakes another.
    pub(crate) delay_ms: u64,
    /// Of messages on a connection: it is cut when they are to be sent, and what is on its way is lost.
    pub(crate) cut_percent: u64,
}

/// Where the second of two peers is whom a proxy calls at once.
pub(crate) const OTHER_PEER: &str = "10.0.0.3:5060";

/// The proxy that calls both peers.
pub(crate) const PROXY: &str = "10.0.0.9:5060";

/// Where side 0, 1, and 2 are.
const ADDRESSES: [&str; 3] = [US, PEER, OTHER_PEER];

/// A message on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Parcel {
    arrival: Instant,
    /// Of parcels that arrive at one time the first sent is the first.
    number: u64,
    receiver: Receiver,
    from: Hop,
    bytes: Bytes,
    connection: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Receiver {
    Side(usize),
    Proxy,
}

/// A TCP connection from one side to another.
struct Connection {
    /// The one that opened it, and the one that listens.
    sides: [usize; 2],
    /// Their ends.
    ends: [Hop; 2],
    is_up: bool,
    /// When the last message arrives at either.
    last_arrival: [Instant; 2],
}

/// Side 0 is at [`US`], side 1 at [`PEER`], side 2 at [`OTHER_PEER`].
pub(crate) struct Network {
    pub(crate) sides: Vec<Host>,
    pub(crate) now: Instant,
    start: Instant,
    in_flight: BinaryHeap<Reverse<Parcel>>,
    connections: Vec<Connection>,
    proxy: ForkingProxy,
    sequence: u64,
    pub(crate) chance: Chance,
    pub(crate) weather: Weather,
    /// Everything that reached somebody, with its time: two runs of one seed have the same.
    pub(crate) transcript: Vec<String>,
    /// It is printed as it grows.
    is_watched: bool,
}

impl Network {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        let now = origin();
        let byte = seed.to_le_bytes()[0];
        let side = |index: u8| {
            let config = Config::new(ADDRESSES[usize::from(index)].parse().unwrap());
            Host::with(config, byte.wrapping_mul(3).wrapping_add(index), now)
        };
        Self {
            sides: (0..3).map(side).collect(),
            now,
            start: now,
            in_flight: BinaryHeap::new(),
            connections: Vec::new(),
            proxy: ForkingProxy::default(),
            sequence: 0,
            chance: Chance::new(seed),
            weather,
            transcript: Vec::new(),
            is_watched: seeds::watched().is_some(),
        }
    }

    /// How long it has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Hands over what a side sent to the network, until it has nothing more to send.
    fn flush(&mut self, side: usize) {
        loop {
            let sent = self.sides[side].all_transmitted();
            if sent.is_empty() {
                return;
            }
            for Sent {
                to,
                otherwise,
                bytes,
            } in sent
            {
                match to.transport {
                    Transport::Udp => {
                        let receiver = receiver_at(to);
                        let receiver = receiver.unwrap_or_else(|| panic!("sent to nobody: {to}"));
                        self.carry(udp(ADDRESSES[side]), receiver, &bytes);
                    }
                    _ => self.carry_over_connection(side, to, otherwise, bytes),
                }
            }
        }
    }

    /// Sends a datagram on its way, or not, or twice.
    fn carry(&mut self, from: Hop, receiver: Receiver, bytes: &Bytes) {
        let copies = match () {
            () if self.chance.percent(self.weather.lost_percent) => 0,
            () if self.chance.percent(self.weather.doubled_percent) => 2,
            () => 1,
        };
        for _ in 0..copies {
            let arrival = self.now + self.chance.millis(self.weather.delay_ms + 1);
            self.post(arrival, receiver, from, bytes.clone(), None);
        }
    }

    fn post(
        &mut self,
        arrival: Instant,
        receiver: Receiver,
        from: Hop,
        bytes: Bytes,
        connection: Option<usize>,
    ) {
        self.sequence += 1;
        self.in_flight.push(Reverse(Parcel {
            arrival,
            number: self.sequence,
            receiver,
            from,
            bytes,
            connection,
        }));
    }

    /// Sends a message over the connection that is there, or over a new one where somebody listens.
    fn carry_over_connection(
        &mut self,
        side: usize,
        to: Hop,
        otherwise: Option<Hop>,
        bytes: Bytes,
    ) {
        let connection = self
            .connection(side, to)
            .or_else(|| self.connection(side, otherwise?));
        let Some(id) = connection else {
            return self.sides[side].feed(Input::Unreachable { to });
        };
        if self.chance.percent(self.weather.cut_percent) {
            self.cut(id);
            // Whether the sender learns of it in time is chance, too.
            if self.chance.percent(50) {
                self.sides[side].feed(Input::Unreachable { to });
            }
            return;
        }
        let delay = self.chance.millis(self.weather.delay_ms + 1);
        let connection = &mut self.connections[id];
        let end = usize::from(connection.sides[1] == side);
        let last = &mut connection.last_arrival[1 - end];
        *last = (*last).max(self.now + delay);
        let (arrival, from) = (*last, connection.ends[end]);
        let receiver = Receiver::Side(connection.sides[1 - end]);
        self.post(arrival, receiver, from, bytes, Some(id));
    }

    /// The connection of a side to that remote end.
    fn connection(&mut self, side: usize, to: Hop) -> Option<usize> {
        let is_it = |connection: &Connection| {
            let ends = connection.sides.iter().zip([1, 0]);
            connection.is_up
                && ends
                    .into_iter()
                    .any(|(one, other)| *one == side && connection.ends[other] == to)
        };
        let found = self.connections.iter().position(is_it);
        found.or_else(|| self.open(side, to))
    }

    fn open(&mut self, side: usize, to: Hop) -> Option<usize> {
        let Some(Receiver::Side(listener)) = receiver_at(to) else {
            return None;
        };
        let mut end = udp(ADDRESSES[side]);
        end.transport = to.transport;
        let port = 40_000 + self.connections.len();
        end.address.set_port(u16::try_from(port).unwrap());
        self.connections.push(Connection {
            sides: [side, listener],
            ends: [end, to],
            is_up: true,
            last_arrival: [self.now; 2],
        });
        Some(self.connections.len() - 1)
    }

    /// Ends a connection. Both sides are told, whoever was at it.
    fn cut(&mut self, id: usize) {
        let connection = &mut self.connections[id];
        connection.is_up = false;
        let (sides, ends) = (connection.sides, connection.ends);
        self.in_flight
            .retain(|Reverse(parcel)| parcel.connection != Some(id));
        for (side, hop) in [(sides[0], ends[1]), (sides[1], ends[0])] {
            self.sides[side].now = self.now;
            self.sides[side].feed(Input::Closed { hop });
        }
    }

    /// The time of the next thing that happens by itself, not after `until`.
    fn next_event(&self, until: Instant) -> Option<Instant> {
        let arrival = self.in_flight.peek().map(|Reverse(parcel)| parcel.arrival);
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

    /// Lets time pass on all sides and between them; stops early when a side has something to tell.
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
        for side in 0..self.sides.len() {
            self.sides[side].now = self.now;
            let deadline = self.sides[side].endpoint.deadline();
            if deadline.is_some_and(|deadline| deadline <= self.now) {
                self.sides[side].feed(Input::Timeout);
                self.flush(side);
            }
        }
        let next = self.in_flight.peek().map(|Reverse(parcel)| parcel.arrival);
        if next.is_some_and(|arrival| arrival <= self.now)
            && let Some(Reverse(parcel)) = self.in_flight.pop()
        {
            self.deliver(parcel);
        }
        // A cut connection may have made any side speak.
        (0..self.sides.len()).for_each(|side| self.flush(side));
    }

    fn deliver(&mut self, parcel: Parcel) {
        let Parcel {
            receiver,
            from,
            bytes,
            ..
        } = parcel;
        let elapsed = self.elapsed().as_millis();
        let text = String::from_utf8_lossy(&bytes);
        let line = format!("{elapsed} {from} to {receiver:?}: {text}");
        if self.is_watched {
            println!("{line}");
        }
        self.transcript.push(line);
        match receiver {
            Receiver::Side(side) => self.sides[side].feed(Input::Received { from, bytes }),
            Receiver::Proxy => {
                for (to, bytes) in self.proxy.receive(from, &bytes) {
                    let receiver = receiver_at(to).expect("the proxy knows where its peers are");
                    self.carry(udp(PROXY), receiver, &bytes);
                }
            }
        }
    }

    /// Gives a command to a side.
    pub(crate) fn command(&mut self, side: usize, command: Command) {
        self.sides[side].now = self.now;
        self.sides[side].command(command);
        (0..self.sides.len()).for_each(|side| self.flush(side));
    }

    /// What the sides told since the last look.
    pub(crate) fn told(&mut self) -> Vec<(usize, Told)> {
        let mut told = Vec::new();
        for (index, side) in self.sides.iter_mut().enumerate() {
            let incoming = side.incoming().into_iter();
            told.extend(incoming.map(|incoming| (index, Told::Incoming(incoming.dialog))));
            let events = side.all_events().into_iter();
            told.extend(events.map(|(dialog, event)| (index, Told::Event(dialog, event))));
            let answered = side.all_answered().into_iter();
            told.extend(answered.map(|(_, outcome)| (index, Told::Answered(outcome))));
        }
        told
    }
}

fn receiver_at(to: Hop) -> Option<Receiver> {
    let is_at = |address: &str| to.address == udp(address).address;
    if is_at(PROXY) {
        return Some(Receiver::Proxy);
    }
    let side = ADDRESSES.iter().position(|address| is_at(address));
    side.map(Receiver::Side)
}

/// What a side tells its user.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Incoming(DialogId),
    Event(DialogId, Event),
    Answered(Outcome),
}
