//! The media plane: every leg's RTP, paced on threads of its own.
//!
//! A media thread owns its legs. It never waits for anything but the next slot: no lock, no log line, no allocation
//! while audio flows. Orders reach it through a bounded queue that it empties whenever it wakes; what is to be freed
//! (legs, prompts) goes to a reaper, because freeing takes time too.
//!
//! [`LegCore`](leg::LegCore) is the part without sockets and clock: what a leg sends, and what it makes of what it hears.

mod counters;
mod ear;
mod leg;
mod pacer;
mod ports;
mod reaper;
mod thread;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use call::{MediaCommand, MediaEvent};
use tokio::sync::mpsc;

use crate::config::Rtp;

pub(crate) use counters::MediaCounters;
pub(crate) use leg::HeardFrame;
use leg::{LegCore, Order};
use ports::Ports;
use reaper::Reaper;
use thread::{MediaThread, Task};

/// Events that may wait for a call's actor. When they are this many, later ones wait in the leg; only digits beyond
/// another [`leg::MAX_WAITING`] are dropped, and counted.
const EVENTS: usize = 32;

/// All media threads of the process.
pub(crate) struct MediaPlane {
    threads: Box<[MediaThread]>,
    ports: Ports,
    advertised: IpAddr,
    /// Where we listen for other things than media.
    own: Arc<[SocketAddr]>,
    /// After the threads, so that it outlives them on drop.
    _reaper: Reaper,
}

/// A leg that was just opened, and where its events come out.
pub(crate) struct OpenLeg {
    pub(crate) leg: Leg,
    pub(crate) events: mpsc::Receiver<MediaEvent>,
}

/// What lies between a leg and its peer. The default: nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nat {
    /// Where the peer reaches our media, in place of the configured address.
    pub(crate) advertised: Option<IpAddr>,
    /// The addresses that the peer's signalling comes from, if its media address is to be learned from its packets
    /// (symmetric RTP); empty to keep to the signalled one.
    pub(crate) learns_from: Vec<IpAddr>,
}

impl Nat {
    /// As the tenants' data has it for a trunk whose signalling, in this call, comes from these addresses.
    pub(crate) fn of(trunk: &store::Nat, signals_from: &[IpAddr]) -> Self {
        let learns_from = if trunk.symmetric_rtp {
            signals_from.to_vec()
        } else {
            Vec::new()
        };
        Self {
            advertised: trunk.advertised_media,
            learns_from,
        }
    }
}

/// The way to one leg. Dropping it closes the leg.
pub(crate) struct Leg {
    /// Where peers reach it.
    address: SocketAddr,
    /// [`MediaPlane::own`].
    own: Arc<[SocketAddr]>,
    session_id: u64,
    orders: thread::Orders,
    closed: Arc<AtomicBool>,
}

impl MediaPlane {
    /// Starts the threads. `own`: where the process listens for other things than media; no peer's media is sent there.
    ///
    /// # Errors
    /// If the range holds no even port, or a thread cannot be started.
    pub(crate) fn start(config: &Rtp, own: &[SocketAddr]) -> io::Result<Self> {
        let ports = Ports::new(config.bind, config.port_min, config.port_max)?;
        let threads = config.threads.max(1);
        let capacity = ports.count().div_ceil(threads);
        let reaper = Reaper::start()?;
        let threads = (0..threads)
            .map(|index| MediaThread::start(index, capacity, reaper.grave()))
            .collect::<io::Result<_>>()?;
        let advertised = config.advertised.unwrap_or(config.bind);
        Ok(Self {
            threads,
            ports,
            advertised,
            own: own.into(),
            _reaper: reaper,
        })
    }

    /// Opens a leg on an even port of the range, on the thread that has the fewest.
    ///
    /// # Errors
    /// `AddrInUse` if no port of the range can be bound, or what the socket says.
    pub(crate) fn open_leg(&self, nat: &Nat) -> io::Result<OpenLeg> {
        self.open(nat, None)
    }

    /// Opens a leg and hands over what it hears, a frame every 20 ms from the first `Connect` on. When `heard` is full
    /// frames are dropped, and counted.
    ///
    /// # Errors
    /// As [`Self::open_leg`].
    pub(crate) fn open_listening_leg(
        &self,
        heard: mpsc::Sender<HeardFrame>,
    ) -> io::Result<OpenLeg> {
        self.open(&Nat::default(), Some(heard))
    }

    fn open(&self, nat: &Nat, heard: Option<mpsc::Sender<HeardFrame>>) -> io::Result<OpenLeg> {
        let (socket, lease) = self.ports.bind()?;
        let advertised = nat.advertised.unwrap_or(self.advertised);
        let address = SocketAddr::new(advertised, lease.port());
        let (sender, events) = mpsc::channel(EVENTS);
        let closed = Arc::new(AtomicBool::new(false));
        let latch = rtp::Latch::new(&nat.learns_from);
        let core = LegCore::new(rtp_sender()?, latch, heard.is_some());
        let task = Task::new(core, socket, lease, sender, heard, Arc::clone(&closed));
        let thread = self.threads.iter().min_by_key(|thread| thread.legs());
        let thread = thread.expect("a media plane has at least one thread");
        let orders = thread.open(task)?;
        // RFC 3264 section 5: it must fit a signed 64-bit integer.
        let session_id = random_u64()? >> 1;
        Ok(OpenLeg {
            leg: Leg {
                address,
                own: Arc::clone(&self.own),
                session_id,
                orders,
                closed,
            },
            events,
        })
    }

    /// What all threads did so far.
    pub(crate) fn counters(&self) -> MediaCounters {
        let mut sum = MediaCounters::default();
        for thread in &self.threads {
            sum.legs += thread.legs();
            thread.add_to(&mut sum);
        }
        sum
    }
}

impl Leg {
    /// Hands a command over; takes effect at the leg's next frame. Never waits: when 16,384 orders wait for the thread
    /// (it stands still then) this one is dropped, and counted.
    pub(crate) fn send(&self, command: MediaCommand) {
        self.orders.give(Order::Media(command));
    }

    /// Presses a key for 100 ms, after those pressed before. Nothing if the peer takes no telephone events.
    pub(crate) fn press(&self, key: char) {
        self.orders.give(Order::Press(key));
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        // A flag and no order, so that it cannot get lost in a full queue.
        self.closed.store(true, Ordering::Release);
    }
}

/// Our side of a leg's description, for a peer whose signalling comes from `peer`, who speaks these codecs. Media on loopback is
/// for peers on this machine only.
pub(crate) fn describe(leg: &Leg, peer: SocketAddr, codecs: &[sdp::Codec]) -> sdp::Local {
    sdp::Local {
        policy: sdp::AddressPolicy {
            allow_loopback: peer.ip().to_canonical().is_loopback(),
            own: Arc::clone(&leg.own),
        },
        codecs: codecs.to_vec(),
        comfort_noise: true,
        ..sdp::Local::new(leg.address, leg.session_id)
    }
}

/// A stream that begins at random (RFC 3550 section 5.1).
fn rtp_sender() -> io::Result<rtp::Sender> {
    let (first, second) = (random_u64()?, random_u64()?);
    Ok(rtp::Sender::new(
        first as u32,
        (first >> 32) as u16,
        second as u32,
    ))
}

fn random_u64() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
