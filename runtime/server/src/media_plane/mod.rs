//! The media plane: every leg's RTP, paced on threads of its own.
//!
//! A media thread owns its legs. It never waits for anything but the next slot: no lock, no log line, no allocation
//! while audio flows. Orders reach it through a bounded queue that it empties whenever it wakes; what is to be freed
//! (legs, prompts) goes to a reaper, because freeing takes time too.
//!
//! [`LegCore`](leg::LegCore) is the part without sockets and clock: a [`wire`] to the peer, an [`ear`], a [`mouth`] and a
//! [`keypad`], and [`tap`]s for media streams.

mod background;
mod counters;
mod datagrams;
mod ear;
mod encryption;
mod keypad;
mod keys;
mod leg;
mod line;
mod measurements;
mod mix;
mod mouth;
mod pacer;
mod ports;
mod reaper;
mod relay;
mod strangers;
mod tap;
mod tape;
mod thread;
mod wire;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use call::{CallQuality, MediaCommand, MediaEvent};
use rtp::dtmf::DigitPolicy;
use rtp::rtcp::{Rtcp, RtcpConfig};
use tokio::sync::mpsc;

use crate::config::Rtp;

pub(crate) use counters::MediaCounters;
pub(crate) use encryption::encryption;
pub(crate) use leg::HeardFrame;
use leg::{Beginning, LegCore};
pub(crate) use line::{LineEnd, line};
use measurements::Measurements;
pub(crate) use mix::{Chair, Mix, MixHearing, MixTape, Speech, TapeOrder};
use ports::Ports;
use reaper::Reaper;
pub(crate) use strangers::strangers;
pub(crate) use tap::{Codes, PIECES, Piece, Tap, TapEnd, TapId, TappedFrame, Track, tap};
pub(crate) use tape::Tape;
use thread::{MediaThread, Task};
pub(crate) use wire::Patience;

/// Events that may wait for a call's actor. When they are this many, later ones wait in the leg; only digits beyond
/// another [`leg::MAX_WAITING`] are dropped, and counted.
const EVENTS: usize = 32;

/// All media threads of the process.
pub(crate) struct MediaPlane {
    threads: Box<[MediaThread]>,
    ports: Ports,
    bind: IpAddr,
    advertised: IpAddr,
    /// Where we listen for other things than media.
    own: Arc<[SocketAddr]>,
    patience: Patience,
    /// After the threads, so that it outlives them on drop.
    _reaper: Reaper,
}

/// A leg that was just opened, and where its events come out.
pub(crate) struct OpenLeg {
    pub(crate) leg: Leg,
    pub(crate) events: mpsc::Receiver<MediaEvent>,
}

/// What is peculiar to the way between a leg and its peer. The default: nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct LegSettings {
    /// Where the peer reaches our media, in place of the configured address.
    pub(crate) advertised: Option<IpAddr>,
    /// The addresses that the peer's signalling comes from, if its media address is to be learned from its packets
    /// (symmetric RTP); empty to keep to the signalled one.
    pub(crate) learns_from: Vec<IpAddr>,
    /// Who is believed about the keys that the peer presses.
    pub(crate) digits: DigitPolicy,
}

impl LegSettings {
    /// As the tenants' data has it for a trunk whose signalling, in this call, comes from these addresses.
    pub(crate) fn of(trunk: &store::Trunk, signals_from: &[IpAddr]) -> Self {
        let learns_from = if trunk.nat.symmetric_rtp {
            signals_from.to_vec()
        } else {
            Vec::new()
        };
        Self {
            advertised: trunk.nat.advertised_media,
            learns_from,
            digits: trunk.dtmf,
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
    measurements: Arc<Measurements>,
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
            bind: config.bind,
            advertised,
            own: own.into(),
            patience: config.patience(),
            _reaper: reaper,
        })
    }

    /// Opens a leg on an even port of the range, on the thread that has the fewest.
    ///
    /// # Errors
    /// `AddrInUse` if no port of the range can be bound, or what the socket says.
    pub(crate) fn open_leg(&self, settings: &LegSettings) -> io::Result<OpenLeg> {
        self.open(settings, None)
    }

    /// Opens a leg that speaks with another one of this process, at [`Self::inner_address`].
    ///
    /// # Errors
    /// As [`Self::open_leg`].
    pub(crate) fn open_inner_leg(&self) -> io::Result<OpenLeg> {
        let settings = LegSettings {
            advertised: Some(self.inner_address()),
            ..LegSettings::default()
        };
        self.open(&settings, None)
    }

    /// Where legs of this process reach one another.
    pub(crate) fn inner_address(&self) -> IpAddr {
        match self.bind {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            bound => bound,
        }
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
        self.open(&LegSettings::default(), Some(heard))
    }

    fn open(
        &self,
        settings: &LegSettings,
        heard: Option<mpsc::Sender<HeardFrame>>,
    ) -> io::Result<OpenLeg> {
        let (sockets, lease) = self.ports.bind()?;
        let advertised = settings.advertised.unwrap_or(self.advertised);
        let address = SocketAddr::new(advertised, lease.port());
        let (sender, events) = mpsc::channel(EVENTS);
        let closed = Arc::new(AtomicBool::new(false));
        let core = self.core(settings, heard.is_some())?;
        let measurements = core.measurements();
        let task = Task::new(core, sockets, lease, sender, heard, Arc::clone(&closed));
        let orders = self.thread().open(task)?;
        // RFC 3264 section 5: it must fit a signed 64-bit integer.
        let session_id = random_u64()? >> 1;
        Ok(OpenLeg {
            leg: Leg {
                address,
                own: Arc::clone(&self.own),
                session_id,
                orders,
                measurements,
                closed,
            },
            events,
        })
    }

    /// The thread that has the least to do.
    fn thread(&self) -> &MediaThread {
        let thread = self.threads.iter().min_by_key(|thread| thread.tenants());
        thread.expect("a media plane has at least one thread")
    }

    fn core(&self, settings: &LegSettings, listens: bool) -> io::Result<LegCore> {
        let now = Instant::now();
        let sender = rtp_sender()?;
        let rtcp = RtcpConfig {
            ssrc: sender.ssrc(),
            cname: canonical_name()?,
            clock_rate_hz: media::RATE_HZ,
            ntp_at_start: random_u64()?,
            seed: random_u64()?,
        };
        Ok(LegCore::new(Beginning {
            now,
            sender,
            latch: rtp::Latch::new(&settings.learns_from),
            rtcp: Rtcp::new(now, rtcp),
            patience: self.patience,
            digits: settings.digits,
            listens,
        }))
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
        self.orders.give(command);
    }

    /// Joins a line in place of the one that was joined before: the leg says into it what it hears, and says what comes out of it
    /// where no prompt and no key is due. From its next frame on; when the thread stands still it may be lost, as [`Self::send`].
    pub(crate) fn join(&self, line: LineEnd) {
        self.orders.join(Some(line));
    }

    /// Leaves the line that was joined.
    pub(crate) fn leave(&self) {
        self.orders.join(None);
    }

    /// Adds a tap, from the leg's next frame on. When the thread stands still it may be lost, as in [`Self::send`].
    pub(crate) fn add_tap(&self, tap: Tap) {
        self.orders.add_tap(tap);
    }

    /// Takes a tap out.
    pub(crate) fn remove_tap(&self, id: impl Into<TapId>) {
        self.orders.remove_tap(id.into());
    }

    /// Records: both what is heard and what is said, from the leg's next frame on. When the thread stands still the recording ends at
    /// once, with nothing in it.
    pub(crate) fn record(&self, tape: Tape) {
        self.orders.record(tape);
    }

    /// How the peer was heard so far; none if it was not.
    pub(crate) fn quality(&self) -> Option<CallQuality> {
        self.measurements.quality()
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        // A flag and no order, so that it cannot get lost in a full queue.
        self.orders.close(&self.closed);
    }
}

/// Our side of a leg's description, for a peer whose signalling comes from `peer`, who speaks these codecs. Media on loopback is
/// for peers on this machine only.
pub(crate) fn describe(leg: &Leg, peer: SocketAddr, codecs: &[sdp::Codec]) -> sdp::Local {
    sdp::Local {
        policy: sdp::AddressPolicy {
            allow_loopback: peer.ip().to_canonical().is_loopback(),
            own: Arc::clone(&leg.own),
            strangers: None,
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

/// 96 random bits as 16 letters (RFC 7022 section 4.2).
fn canonical_name() -> io::Result<[u8; 16]> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.map(|byte: u8| LETTERS[usize::from(byte % 64)]))
}

fn random_u64() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
