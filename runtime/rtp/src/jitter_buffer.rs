//! Evening out the arrival of packets.

mod margins;
mod store;
#[cfg(test)]
mod tests;

use margins::Margins;
use store::{Store, Stored, Waiting};

use crate::{Format, Packet};

/// What the first packet waits while nothing is known of the jitter: three packets' worth.
const FIRST_DELAY_MS: u32 = 60;

/// Kept between the slowest packet and its time, so that a delay that is just enough is left alone.
const SPARE_MS: u32 = 10;

/// The margins of packets are looked at over this long, twice.
const WINDOW_MS: u32 = 2_500;

/// How long one waits for silence before a frame of speech is dropped to shorten the delay.
const PATIENCE_MS: u32 = 4_000;

/// A gap that nothing came behind is concealed so long; then it is silence.
const CONCEALED_MS: u32 = 60;

/// After so long without a packet the stream begins anew with the next.
const IDLE_MS: u32 = 200;

/// A packet so many before the one that was played last, or fewer, is late; more is a sequence that began anew.
const OLD_PACKETS: u16 = 64;

/// A timestamp that is further away than this beyond the longest delay is a clock that jumped.
const JUMP_MS: u32 = 1_000;

/// How long packets may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayBounds {
    /// The fastest packet waits no shorter.
    pub min_ms: u32,
    /// The fastest packet waits no longer; what is slower still is lost.
    pub max_ms: u32,
}

impl Default for DelayBounds {
    /// 20 to 240 ms.
    fn default() -> Self {
        Self {
            min_ms: 20,
            max_ms: 240,
        }
    }
}

/// Plays packets out in their order and time, whatever their arrival, after a delay that follows the jitter.
///
/// - The delay grows at once when a packet comes late, as far as the bound allows. If nothing behind it was played, that packet is played
///   still; else it is dropped, and what comes next is held back.
/// - It shrinks by a frame when every packet of 2.5 s and more came a frame too early: in a pause, in a gap, where the caller says that it
///   is quiet, or after 4 s anywhere.
/// - Between talk spurts it is set to what the jitter needs.
///
/// The clock is that of [`Self::pop`], called for every 20 ms of playing: no other is needed, and one that differs from the peer's is
/// followed. Takes packets of any length up to 120 ms. Fixed size, no allocation.
#[derive(Debug, Clone)]
pub struct JitterBuffer {
    format: Format,
    bounds: DelayBounds,
    store: Store,
    playout: Option<Playout>,
    margins: Margins,
    /// Ticks until the window of the margins is over.
    window_left: u32,
    /// Ticks for which the delay has been longer than it need be.
    patience: u32,
    counts: PlayoutCounts,
}

/// Where playing is.
#[derive(Debug, Clone)]
struct Playout {
    ssrc: u32,
    /// The timestamp of the next sample to play.
    next: u32,
    /// The packet that was played last.
    played: Option<u16>,
    /// The same, but known still after a pause: what was sent before it is not played any more.
    floor: Option<u16>,
    /// Where it ended; before the first, where that begins.
    end: u32,
    /// Ticks for which nothing has waited since.
    dry: u32,
    /// Ticks to be concealed before playing goes on at `next`.
    hold: u32,
    /// Where the stream would go on if the packet that did not fit was no stray.
    stray_end: Option<u32>,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It will be played.
    Buffered,
    /// It began the playout, or moved it: what had waited was dropped.
    Restarted,
    /// It came after its time and was dropped.
    Late,
    /// One of its time waits already.
    Duplicate,
    /// Its time is far from that of the others. A second one in a row restarts the playout.
    Stray,
    /// It has no audio, more than 120 ms of it, or a length that the codec cannot have.
    Unusable,
}

/// The next piece of audio.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// To be decoded.
    Frame {
        /// Bytes of the codec.
        payload: &'a [u8],
        /// Its length on the stream's clock.
        ticks: u32,
    },
    /// Nothing came for so many ticks: to be concealed.
    Lost {
        /// On the stream's clock.
        ticks: u32,
        /// The payload that follows at once, where it waits already: it may have a copy of what was lost.
        next: Option<&'a [u8]>,
    },
    /// Nothing was sent for so many ticks: silence, or comfort noise.
    Silence {
        /// On the stream's clock.
        ticks: u32,
    },
}

/// Packets and changes since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlayoutCounts {
    /// Packets that were played, in part at least.
    pub played: u64,
    /// Packets that were not there when their time came. Those of them that came later are counted as late too.
    pub missing: u64,
    /// Packets that came after their time.
    pub late: u64,
    /// Packets of a time that waited already.
    pub duplicates: u64,
    /// Packets that were dropped to keep the delay within its bounds.
    pub discarded: u64,
    /// How often the delay grew.
    pub grown: u64,
    /// How often the delay shrank.
    pub shrunk: u64,
}

impl JitterBuffer {
    /// An empty buffer.
    #[must_use]
    pub fn new(format: Format, bounds: DelayBounds) -> Self {
        Self {
            format,
            bounds,
            store: Store::new(),
            playout: None,
            margins: Margins::default(),
            window_left: format.ticks(WINDOW_MS),
            patience: 0,
            counts: PlayoutCounts::default(),
        }
    }

    /// Forgets all but the counts: the codec changed.
    pub fn reset(&mut self, format: Format) {
        self.format = format;
        self.store.clear();
        self.playout = None;
        self.margins = Margins::default();
        self.window_left = format.ticks(WINDOW_MS);
        self.patience = 0;
    }

    /// Takes a packet of audio that [`crate::Reception::take`] did not find to be a duplicate.
    pub fn push(&mut self, packet: &Packet<'_>) -> Arrival {
        let Some(ticks) = self.format.duration(packet.payload) else {
            return Arrival::Unusable;
        };
        let Some(playout) = self
            .playout
            .as_mut()
            .filter(|playout| playout.ssrc == packet.ssrc)
        else {
            return self.restart(packet, ticks);
        };
        if playout.dry >= self.format.ticks(IDLE_MS) {
            if playout.is_old(packet) {
                self.counts.late += 1;
                return Arrival::Late;
            }
            let floor = playout.floor;
            let arrival = self.restart(packet, ticks);
            if let Some(playout) = &mut self.playout {
                playout.floor = floor;
            }
            return arrival;
        }
        let is_old = playout.is_old(packet);
        let margin = packet.timestamp.wrapping_sub(playout.next).cast_signed();
        if margin.unsigned_abs() > self.format.ticks(self.bounds.max_ms + JUMP_MS) {
            let end = packet.timestamp.wrapping_add(ticks);
            let before = playout.stray_end.replace(end);
            let follows = before
                .is_some_and(|end| packet.timestamp.wrapping_sub(end) < self.format.ticks(JUMP_MS));
            return if follows {
                self.restart(packet, ticks)
            } else {
                Arrival::Stray
            };
        }
        playout.stray_end = None;
        self.margins.take(margin);
        if self.begins_spurt(packet) {
            self.retime(margin);
        } else if (margin < 0 || is_old) && !self.make_time(packet, ticks, margin) {
            self.counts.late += 1;
            return Arrival::Late;
        }
        self.store(packet, ticks)
    }

    /// The next piece, of at most `max_ticks` where the codec can be cut; 20 ms are [`Format::frame_ticks`]. Call it again with what is
    /// left until 20 ms are full. `is_quiet`: what was decoded last was so quiet that a frame can be left out unheard.
    pub fn pop(&mut self, max_ticks: u32, is_quiet: bool) -> Output<'_> {
        let Some(playout) = &mut self.playout else {
            return Output::Silence { ticks: max_ticks };
        };
        if playout.hold > 0 {
            let ticks = playout.hold.min(max_ticks);
            playout.hold -= ticks;
            return Output::Lost { ticks, next: None };
        }
        self.shrink_if_due(max_ticks, is_quiet);
        self.drop_passed();
        match self.gap() {
            Some(0) => self.play(max_ticks),
            Some(gap) => self.pass(gap, max_ticks),
            None => self.run_dry(max_ticks),
        }
    }

    /// How long the fastest packet of the last seconds waited.
    #[must_use]
    pub fn delay_ms(&self) -> u32 {
        let most = self.margins.most().unwrap_or(0).max(0);
        self.format.ms(most.cast_unsigned()).min(self.bounds.max_ms)
    }

    /// Counts since the beginning.
    #[must_use]
    pub const fn counts(&self) -> PlayoutCounts {
        self.counts
    }

    /// What the jitter needs, within the bounds.
    fn target(&self) -> u32 {
        let wanted = match self.margins.spread() {
            Some(spread) => self.format.ms(spread) + SPARE_MS,
            None => FIRST_DELAY_MS,
        };
        self.format
            .ticks(wanted.max(self.bounds.min_ms).min(self.bounds.max_ms))
    }

    fn restart(&mut self, packet: &Packet<'_>, ticks: u32) -> Arrival {
        let target = self.target();
        self.store.clear();
        self.margins = Margins::default();
        self.margins.take(target.cast_signed());
        self.window_left = self.format.ticks(WINDOW_MS);
        self.patience = 0;
        self.playout = Some(Playout {
            ssrc: packet.ssrc,
            next: packet.timestamp.wrapping_sub(target),
            played: None,
            floor: None,
            end: packet.timestamp,
            dry: 0,
            hold: 0,
            stray_end: None,
        });
        self.store(packet, ticks);
        Arrival::Restarted
    }

    /// Whether this is the first packet after a pause: nothing waits, and nothing is being concealed.
    fn begins_spurt(&self, packet: &Packet<'_>) -> bool {
        let concealed = if packet.marker { 0 } else { CONCEALED_MS };
        self.store.is_empty()
            && self.playout.as_ref().is_some_and(|playout| {
                playout.dry > self.format.ticks(concealed) && !playout.is_old(packet)
            })
    }

    /// Between talk spurts the delay may be what the jitter needs, but not so short that this packet, which has that margin, is late.
    fn retime(&mut self, margin: i32) {
        let (target, most) = (
            self.target().cast_signed(),
            self.margins.most().unwrap_or(margin),
        );
        let shift = target.saturating_sub(most).max(-margin);
        self.margins.shift(shift);
        if let Some(playout) = &mut self.playout {
            playout.next = playout.next.wrapping_sub(shift.cast_unsigned());
            playout.hold = 0;
        }
    }

    /// A packet is late by so many ticks: lets everything wait longer, as far as the bound allows. Whether some of this packet can be
    /// played still.
    fn make_time(&mut self, packet: &Packet<'_>, ticks: u32, margin: i32) -> bool {
        let most = self.margins.most().unwrap_or(0);
        let room = self
            .format
            .ticks(self.bounds.max_ms)
            .cast_signed()
            .saturating_sub(most)
            .max(0);
        let frame = self.format.frame_ticks();
        let late = margin.min(0).unsigned_abs();
        let growth = (late.div_ceil(frame) * frame).min(room.cast_unsigned());
        let Some(playout) = &mut self.playout else {
            return false;
        };
        let is_last = !playout.is_old(packet);
        if is_last {
            // Not before what was played.
            let back = growth.min(late);
            playout.next = playout.next.wrapping_sub(back);
            playout.hold = playout.hold.saturating_add(growth - back);
        } else {
            playout.hold = playout.hold.saturating_add(growth);
        }
        if growth > 0 {
            self.margins.shift(growth.cast_signed());
            self.counts.grown += 1;
        }
        let behind = packet.timestamp.wrapping_sub(playout.next).cast_signed();
        let ends_in = behind.saturating_add(ticks.cast_signed());
        is_last && ends_in > 0 && (behind >= 0 || self.format.is_divisible())
    }

    fn store(&mut self, packet: &Packet<'_>, ticks: u32) -> Arrival {
        match self
            .store
            .insert(packet.timestamp, ticks, packet.sequence, packet.payload)
        {
            Stored::Duplicate => {
                self.counts.duplicates += 1;
                Arrival::Duplicate
            }
            Stored::Waits { dropped } => {
                self.counts.discarded += u64::from(dropped);
                self.catch_up(packet.timestamp);
                Arrival::Buffered
            }
        }
    }

    /// More waits than may: plays on from where the newest packet waits as long as it may.
    fn catch_up(&mut self, newest: u32) {
        let longest = self.format.ticks(self.bounds.max_ms);
        let Some(playout) = &mut self.playout else {
            return;
        };
        let wait = newest.wrapping_sub(playout.next).cast_signed();
        let excess = wait.saturating_sub(longest.cast_signed());
        if excess <= 0 {
            return;
        }
        playout.next = playout.next.wrapping_add(excess.cast_unsigned());
        self.margins.shift(-excess);
        self.counts.shrunk += 1;
        let next = playout.next;
        while self
            .store
            .front()
            .is_some_and(|front| is_passed(front, next))
        {
            self.store.drop_front();
            self.counts.discarded += 1;
        }
    }

    /// Leaves a frame out if all that came lately came that much too early, and it is not heard or has been so for long.
    fn shrink_if_due(&mut self, max_ticks: u32, is_quiet: bool) {
        let Some(step) = self.step() else {
            self.patience = 0;
            return;
        };
        self.patience = self.patience.saturating_add(max_ticks);
        let is_patient = self.patience < self.format.ticks(PATIENCE_MS);
        if is_patient && !is_quiet && self.gap().is_none_or(|gap| gap == 0) {
            return;
        }
        self.patience = 0;
        self.margins.shift(-step.cast_signed());
        self.counts.shrunk += 1;
        if let Some(playout) = &mut self.playout {
            playout.next = playout.next.wrapping_add(step);
        }
    }

    /// By how much the delay may shrink: a frame, or the whole packet that is next where it cannot be cut.
    fn step(&self) -> Option<u32> {
        let front = self.store.front()?;
        let frame = self.format.frame_ticks();
        let step = if self.format.is_divisible() {
            frame
        } else {
            front.ticks
        };
        let (least, most) = (self.margins.least()?, self.margins.most()?);
        let needed = step.cast_signed();
        let is_early = least >= needed + self.format.ticks(SPARE_MS).cast_signed();
        let stays_long = most - needed >= self.format.ticks(self.bounds.min_ms).cast_signed();
        (is_early && stays_long).then_some(step)
    }

    /// Drops what ends before the next sample, and cuts or plays from its beginning what begins before it.
    fn drop_passed(&mut self) {
        let Some(playout) = &mut self.playout else {
            return;
        };
        while let Some(front) = self.store.front().copied() {
            let begins_in = front.timestamp.wrapping_sub(playout.next).cast_signed();
            if is_passed(&front, playout.next) {
                self.store.drop_front();
                self.counts.discarded += 1;
            } else if begins_in >= 0 {
                return;
            } else if self.format.is_divisible() {
                self.store.take(self.format, begins_in.unsigned_abs());
            } else {
                playout.next = front.timestamp;
            }
        }
    }

    /// Ticks until the next packet begins; none if none waits.
    fn gap(&self) -> Option<u32> {
        let next = self.playout.as_ref()?.next;
        let begins_in = self
            .store
            .front()?
            .timestamp
            .wrapping_sub(next)
            .cast_signed();
        Some(begins_in.max(0).cast_unsigned())
    }

    fn play(&mut self, max_ticks: u32) -> Output<'_> {
        let (Some(playout), Some((payload, taken))) =
            (&mut self.playout, self.store.take(self.format, max_ticks))
        else {
            return Output::Silence { ticks: max_ticks };
        };
        playout.next = taken.end();
        playout.end = taken.end();
        playout.dry = 0;
        playout.floor = Some(taken.sequence);
        let before = playout.played.replace(taken.sequence);
        if before != Some(taken.sequence) {
            self.counts.played += 1;
            let ahead = before.map_or(1, |before| taken.sequence.wrapping_sub(before));
            self.counts.missing += u64::try_from(ahead.cast_signed() - 1).unwrap_or(0);
        }
        self.window_left = self.window_left.saturating_sub(taken.ticks);
        if self.window_left == 0 {
            self.window_left = self.format.ticks(WINDOW_MS);
            self.margins.roll();
        }
        Output::Frame {
            payload,
            ticks: taken.ticks,
        }
    }

    /// Passes over a gap before a packet that waits.
    fn pass(&mut self, gap: u32, max_ticks: u32) -> Output<'_> {
        let ticks = gap.min(max_ticks);
        let (Some(playout), Some(front)) = (&mut self.playout, self.store.front()) else {
            return Output::Silence { ticks };
        };
        playout.next = playout.next.wrapping_add(ticks);
        match playout.played {
            Some(before) if front.sequence != before.wrapping_add(1) => Output::Lost {
                ticks,
                next: self.store.front_payload().filter(|_| ticks == gap),
            },
            _ => Output::Silence { ticks }, // nothing is missing: the peer paused, or has not begun
        }
    }

    /// Nothing waits.
    fn run_dry(&mut self, ticks: u32) -> Output<'_> {
        let Some(playout) = &mut self.playout else {
            return Output::Silence { ticks };
        };
        if playout.dry < self.format.ticks(IDLE_MS) {
            playout.next = playout.next.wrapping_add(ticks);
            playout.dry += ticks;
        }
        if playout.dry <= self.format.ticks(CONCEALED_MS) {
            Output::Lost { ticks, next: None }
        } else {
            Output::Silence { ticks }
        }
    }
}

impl Playout {
    /// Whether a packet was sent before the one that was played last, and not long before.
    fn is_old(&self, packet: &Packet<'_>) -> bool {
        self.floor
            .is_some_and(|floor| floor.wrapping_sub(packet.sequence) < OLD_PACKETS)
    }
}

/// Whether nothing of a packet is left to play.
fn is_passed(waiting: &Waiting, next: u32) -> bool {
    waiting.end().wrapping_sub(next).cast_signed() <= 0
}
