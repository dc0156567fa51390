//! One media thread: a wheel of 20 slots, 1 ms apart, each with the legs that send and the conferences that are mixed in it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use call::{MediaCommand, MediaEvent};
use crossbeam_queue::ArrayQueue;
use tokio::sync::mpsc;

use super::counters::{MediaCounters, ThreadCounters, add};
use super::datagrams::{Datagrams, Moment};
use super::leg::{HeardFrame, LegCore};
use super::line::LineEnd;
use super::mix::{MixCore, MixOrder};
use super::pacer::{Pacer, SLOTS, Turn};
use super::ports::{PortLease, Sockets};
use super::reaper::{Grave, Remains};
use super::tap::{Tap, TapId};
use super::tape::Tape;
use super::wire::{MAX_DATAGRAM_BYTES, Report};

/// Orders of all legs that may wait for the thread, which empties the queue at least every 20 ms. Beyond that they are
/// dropped.
const ORDERS: usize = 16_384;

/// Ticks from one look at the port of reports to the next, twice a second: a peer reports every few seconds, and what it says is measured
/// from when it came.
const REPORT_TICKS: u8 = 25;

/// Places beside those of legs: conferences that are mixed on one thread.
const MIXES: usize = 1_024;

/// A leg with its sockets and the ends of its channels.
pub(super) struct Task {
    core: LegCore,
    sockets: Sockets,
    _lease: PortLease,
    events: mpsc::Sender<MediaEvent>,
    heard: Option<mpsc::Sender<HeardFrame>>,
    closed: Arc<AtomicBool>,
    /// Ticks until the port of reports is looked at.
    reports_in: u8,
}

impl Task {
    pub(super) fn new(
        core: LegCore,
        sockets: Sockets,
        lease: PortLease,
        events: mpsc::Sender<MediaEvent>,
        heard: Option<mpsc::Sender<HeardFrame>>,
        closed: Arc<AtomicBool>,
    ) -> Self {
        Self {
            core,
            sockets,
            _lease: lease,
            events,
            heard,
            closed,
            reports_in: 0,
        }
    }
}

/// Who has a place on the wheel.
enum Tenant {
    Leg(Box<Task>),
    Mix(Box<MixCore>, Arc<AtomicBool>),
}

/// A leg's or a mix' place in its thread's table. The number tells it from those who had the place before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    index: u32,
    number: u32,
}

enum Message {
    Open(Box<Task>),
    Order(MediaCommand),
    /// Join this line, or leave the one that is joined.
    Join(Option<Box<LineEnd>>),
    /// A mix, and the flag that ends it.
    OpenMix(Box<MixCore>, Arc<AtomicBool>),
    Mix(MixOrder),
    AddTap(Box<Tap>),
    RemoveTap(TapId),
    /// Record on this.
    Record(Box<Tape>),
}

/// What the thread and those who give it orders share.
struct Shared {
    messages: ArrayQueue<(Key, Message)>,
    /// Free places of the table.
    places: ArrayQueue<u32>,
    next_number: AtomicU32,
    /// Legs that are open or about to be.
    legs: AtomicUsize,
    /// Likewise.
    mixes: AtomicUsize,
    stop: AtomicBool,
    /// Flags that were raised: a thread that has seen this number need not look at the flag of each tenant, which lies far from all else.
    closings: AtomicU64,
    counters: ThreadCounters,
}

/// The way to a media thread. Dropping it ends the thread and closes its legs.
pub(super) struct MediaThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The way to one leg on its thread.
pub(super) struct Orders {
    key: Key,
    shared: Arc<Shared>,
}

impl MediaThread {
    /// Starts a thread for so many legs at most.
    pub(super) fn start(index: usize, capacity: usize, grave: Grave) -> io::Result<Self> {
        let capacity = capacity + MIXES;
        let places = ArrayQueue::new(capacity);
        for place in 0..capacity {
            let place = u32::try_from(place).expect("there are fewer ports than 2^16");
            places.push(place).expect("there is room for every place");
        }
        let shared = Arc::new(Shared {
            messages: ArrayQueue::new(ORDERS),
            places,
            next_number: AtomicU32::new(0),
            legs: AtomicUsize::new(0),
            mixes: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            closings: AtomicU64::new(0),
            counters: ThreadCounters::default(),
        });
        let mut wheel = Wheel::new(Arc::clone(&shared), grave);
        let thread = thread::Builder::new()
            .name(format!("media-{index}"))
            .spawn(move || wheel.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Hands a leg over.
    ///
    /// # Errors
    /// `WouldBlock` when the thread has no place left, or does not take its messages.
    pub(super) fn open(&self, task: Task) -> io::Result<Orders> {
        self.move_in(&self.shared.legs, Message::Open(Box::new(task)))
    }

    /// Hands a mix over, which ends with this flag.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn open_mix(&self, mix: MixCore, closed: Arc<AtomicBool>) -> io::Result<Orders> {
        let message = Message::OpenMix(Box::new(mix), closed);
        self.move_in(&self.shared.mixes, message)
    }

    fn move_in(&self, count: &AtomicUsize, message: Message) -> io::Result<Orders> {
        let full = |what| io::Error::new(ErrorKind::WouldBlock, what);
        let index = self
            .shared
            .places
            .pop()
            .ok_or_else(|| full("the media thread is full"))?;
        let number = self.shared.next_number.fetch_add(1, Ordering::Relaxed);
        let key = Key { index, number };
        count.fetch_add(1, Ordering::Relaxed);
        if self.shared.messages.push((key, message)).is_err() {
            self.shared.release(index, count);
            return Err(full("the media thread does not keep up"));
        }
        // It sleeps without an end while it has nothing on its wheel.
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        Ok(Orders {
            key,
            shared: Arc::clone(&self.shared),
        })
    }

    pub(super) fn legs(&self) -> usize {
        self.shared.legs.load(Ordering::Relaxed)
    }

    /// Legs and mixes.
    pub(super) fn tenants(&self) -> usize {
        self.legs() + self.shared.mixes.load(Ordering::Relaxed)
    }

    pub(super) fn add_to(&self, sum: &mut MediaCounters) {
        self.shared.counters.add_to(sum);
    }
}

impl Drop for MediaThread {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was reported by its hook; there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}

impl Orders {
    /// Raises the flag of the leg or the mix that these are for: it ends within 20 ms.
    pub(super) fn close(&self, closed: &AtomicBool) {
        closed.store(true, Ordering::Release);
        self.shared.closings.fetch_add(1, Ordering::Release);
    }

    pub(super) fn give(&self, order: MediaCommand) {
        self.send(Message::Order(order));
    }

    pub(super) fn record(&self, tape: Tape) {
        self.send(Message::Record(Box::new(tape)));
    }

    pub(super) fn join(&self, line: Option<LineEnd>) {
        self.send(Message::Join(line.map(Box::new)));
    }

    pub(super) fn mix(&self, order: MixOrder) {
        self.send(Message::Mix(order));
    }

    pub(super) fn add_tap(&self, tap: Tap) {
        self.send(Message::AddTap(Box::new(tap)));
    }

    pub(super) fn remove_tap(&self, id: TapId) {
        self.send(Message::RemoveTap(id));
    }

    fn send(&self, message: Message) {
        if self.shared.messages.push((self.key, message)).is_err() {
            add(&self.shared.counters.dropped_orders, 1);
        }
    }
}

impl Shared {
    /// `count`: that of what had the place.
    fn release(&self, index: u32, count: &AtomicUsize) {
        // The queue has room for every place.
        let _ = self.places.push(index);
        count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The thread's own: its legs and when each is due.
struct Wheel {
    shared: Arc<Shared>,
    grave: Grave,
    /// By [`Key::index`].
    table: Box<[Option<Resident>]>,
    /// Indices into the table.
    slots: [Vec<u32>; SLOTS],
    /// [`Shared::closings`] when the tenants of each slot were last asked; none when they must be.
    asked: [Option<u64>; SLOTS],
    datagrams: Datagrams,
}

/// A tenant in its place.
struct Resident {
    /// [`Key::number`].
    number: u32,
    tenant: Tenant,
}

impl Resident {
    fn leg(&mut self) -> Option<&mut Task> {
        match &mut self.tenant {
            Tenant::Leg(task) => Some(task),
            Tenant::Mix(..) => None,
        }
    }

    fn mix(&mut self) -> Option<&mut MixCore> {
        match &mut self.tenant {
            Tenant::Mix(core, _) => Some(core),
            Tenant::Leg(_) => None,
        }
    }
}

impl Wheel {
    fn new(shared: Arc<Shared>, grave: Grave) -> Self {
        let capacity = shared.places.capacity();
        Self {
            shared,
            grave,
            table: (0..capacity).map(|_| None).collect(),
            slots: std::array::from_fn(|_| Vec::with_capacity(capacity.div_ceil(SLOTS))),
            asked: [None; SLOTS],
            datagrams: Datagrams::new(),
        }
    }

    fn run(&mut self) {
        let mut pacer = Pacer::new(Instant::now());
        while !self.shared.stop.load(Ordering::Acquire) {
            if self.slots.iter().all(Vec::is_empty) && self.shared.messages.is_empty() {
                thread::park();
                pacer.resume(Instant::now());
            }
            let now = Instant::now();
            let due = pacer.due();
            if due > now {
                thread::sleep(due - now);
            }
            self.take_messages();
            let now = Instant::now();
            self.take_turn(pacer.begin(now));
            pacer.end(|slot| !self.slots[slot].is_empty());
        }
    }

    fn take_messages(&mut self) {
        // What comes in meanwhile waits for the next turn: whoever sends without end cannot hold the thread here.
        for _ in 0..self.shared.messages.len() {
            let Some((key, message)) = self.shared.messages.pop() else {
                return;
            };
            let place = &mut self.table[key.index as usize];
            // The flag that closes a leg may be seen before the leg's last orders: they find another one, or none.
            let resident = place.as_mut().filter(|one| one.number == key.number);
            match message {
                Message::Open(task) => self.move_in(key, Tenant::Leg(task)),
                Message::OpenMix(mix, closed) => self.move_in(key, Tenant::Mix(mix, closed)),
                Message::Order(order) => {
                    if let Some(task) = resident.and_then(Resident::leg) {
                        task.core.order(order);
                    }
                }
                Message::Join(line) => {
                    let left = match resident.and_then(Resident::leg) {
                        Some(task) => task.core.join(line),
                        None => line,
                    };
                    if let Some(left) = left {
                        self.grave.bury(Remains::Line(left));
                    }
                }
                Message::Record(tape) => {
                    let left = match resident.and_then(Resident::leg) {
                        Some(task) => task.core.record(tape),
                        None => Some(tape),
                    };
                    if let Some(left) = left {
                        self.grave.bury(Remains::Tape(left));
                    }
                }
                Message::Mix(order) => {
                    let remains = resident
                        .and_then(Resident::mix)
                        .and_then(|mix| mix.order(order));
                    if let Some(remains) = remains {
                        self.grave.bury(Remains::OfMix(remains));
                    }
                }
                Message::AddTap(tap) => {
                    let spare = match resident.and_then(Resident::leg) {
                        Some(task) => task.core.add_tap(tap),
                        None => Some(tap),
                    };
                    self.grave.bury_tap(spare);
                }
                Message::RemoveTap(id) => {
                    if let Some(task) = resident.and_then(Resident::leg) {
                        self.grave.bury_tap(task.core.remove_tap(id));
                    }
                }
            }
        }
    }

    fn move_in(&mut self, key: Key, tenant: Tenant) {
        let number = key.number;
        self.table[key.index as usize] = Some(Resident { number, tenant });
        let slots = self.slots.iter_mut().zip(&mut self.asked);
        let (slot, asked) = slots
            .min_by_key(|(slot, _)| slot.len())
            .expect("the wheel has slots");
        slot.push(key.index);
        // Its flag may have been raised before it came.
        *asked = None;
    }

    fn take_turn(&mut self, turn: Turn) {
        if self.slots[turn.slot].is_empty() {
            return;
        }
        let counters = &self.shared.counters;
        counters.slot_began(turn.lateness);
        add(&counters.skipped_rounds, turn.missed_rounds);
        let closings = Some(self.shared.closings.load(Ordering::Acquire));
        let asks = self.asked[turn.slot] != closings;
        self.asked[turn.slot] = closings;
        let mut at = 0;
        while let Some(&index) = self.slots[turn.slot].get(at) {
            let Some(Resident { tenant, .. }) = &mut self.table[index as usize] else {
                unreachable!("a slot names tenants of the table");
            };
            if asks && tenant.is_closed() {
                self.slots[turn.slot].swap_remove(at);
                self.close(index);
                continue;
            }
            match tenant {
                Tenant::Leg(task) => {
                    let moment = Moment::now();
                    task.receive(moment, &mut self.datagrams, &self.shared.counters);
                    task.tick(moment.now, turn.round, &self.shared.counters, &self.grave);
                }
                Tenant::Mix(mix, _) => {
                    mix.tick();
                    if let Some(remains) = mix.poll_tape() {
                        self.grave.bury(Remains::OfMix(remains));
                    }
                    let counters = &self.shared.counters;
                    add(&counters.dropped_frames, mix.take_dropped_frames());
                }
            }
            at += 1;
        }
    }

    /// The place first: the port comes free with the task, and who gets it must find a place.
    fn close(&mut self, index: u32) {
        let Some(Resident { tenant, .. }) = self.table[index as usize].take() else {
            return;
        };
        match tenant {
            Tenant::Leg(mut task) => {
                task.say_goodbye();
                self.shared.release(index, &self.shared.legs);
                self.grave.bury(Remains::Leg(task));
            }
            Tenant::Mix(mix, _) => {
                self.shared.release(index, &self.shared.mixes);
                self.grave.bury(Remains::Mix(mix));
            }
        }
    }
}

impl Tenant {
    fn is_closed(&self) -> bool {
        let closed = match self {
            Self::Leg(task) => &task.closed,
            Self::Mix(_, closed) => closed,
        };
        closed.load(Ordering::Acquire)
    }
}

impl Task {
    /// One leg's 20 ms after [`Self::receive`]: send one packet, hand over what is to be told and what is spent.
    fn tick(&mut self, now: Instant, round: u64, counters: &ThreadCounters, grave: &Grave) {
        self.send(now, round, counters);
        self.tell(counters);
        while let Some(sound) = self.core.poll_spent() {
            grave.bury(Remains::Sound(sound));
        }
        while let Some(tape) = self.core.poll_tape() {
            grave.bury(Remains::Tape(tape));
        }
    }

    /// Reads what came.
    fn receive(&mut self, moment: Moment, datagrams: &mut Datagrams, counters: &ThreadCounters) {
        for came in datagrams.read(&self.sockets.rtp, moment) {
            counters.took(self.core.receive(came.arrival, came.source, came.bytes));
        }
        if self.reports_in == 0 {
            self.reports_in = REPORT_TICKS;
            for came in datagrams.read(&self.sockets.rtcp, moment) {
                counters.took(
                    self.core
                        .receive_report(came.arrival, came.source, came.bytes),
                );
            }
        }
        self.reports_in -= 1;
        add(&counters.lost, self.core.take_lost());
    }

    fn send(&mut self, now: Instant, round: u64, counters: &ThreadCounters) {
        let mut datagram = [0; MAX_DATAGRAM_BYTES];
        if let Some((length, remote)) = self.core.tick(now, round, &mut datagram) {
            self.send_packet(&datagram[..length], remote, counters);
        }
        while let Some((length, remote)) = self.core.relay(&mut datagram) {
            self.send_packet(&datagram[..length], remote, counters);
        }
        if let Some(report) = self.core.report(&mut datagram) {
            self.send_report(report, &datagram);
        }
    }

    fn send_packet(&self, packet: &[u8], remote: SocketAddr, counters: &ThreadCounters) {
        let sent = self.sockets.rtp.send_to(packet, remote);
        let counter = if sent.is_ok() {
            &counters.sent
        } else {
            &counters.send_errors
        };
        add(counter, 1);
    }

    fn say_goodbye(&mut self) {
        let mut datagram = [0; MAX_DATAGRAM_BYTES];
        if let Some(report) = self.core.goodbye(&mut datagram) {
            self.send_report(report, &datagram);
        }
    }

    /// A report that is lost is followed by others.
    fn send_report(&self, report: Report, datagram: &[u8; MAX_DATAGRAM_BYTES]) {
        let socket = if report.is_muxed {
            &self.sockets.rtp
        } else {
            &self.sockets.rtcp
        };
        let _ = socket.send_to(&datagram[..report.length], report.to);
    }

    fn tell(&mut self, counters: &ThreadCounters) {
        while self.core.has_event() {
            // Full: the events wait in the leg. Closed: the call is over and the leg about to be.
            let Ok(place) = self.events.try_reserve() else {
                break;
            };
            if let Some(event) = self.core.poll_event() {
                place.send(event);
            }
        }
        add(&counters.dropped_events, self.core.take_dropped_events());
        add(&counters.dropped_frames, self.core.take_dropped_frames());
        let (relayed, transcoded) = self.core.take_bridged();
        add(&counters.relayed, relayed);
        add(&counters.transcoded, transcoded);
        if let (Some(listener), Some(frame)) = (&self.heard, self.core.heard())
            && listener.try_send(*frame).is_err()
        {
            add(&counters.dropped_frames, 1);
        }
    }
}

#[cfg(test)]
mod tests;
