//! What belongs to one story while it runs: the data of its store.

use std::sync::Arc;
use std::time::Duration;

use call::{CallInfo, ConcealedKeys, DialId, Grants, QueueExit, Signalled, Transfer};
use tokio::time::Instant;
use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::allowance::Allowance;
use crate::conceal;
use crate::engine::TICK;
use crate::journal::{Entry, Header, Writer};
use crate::meter::{Limit, Meter};
use crate::notebook::Notebook;
use crate::port::AnyPort;
use crate::sandbox::{Bounds, Sandbox};
use crate::story::{Limits, StorySetup};

/// Bytes a guest may hand over in one host call.
pub(crate) const HOST_CALL_BYTES: usize = 1024 * 1024;
/// Resources (streams and their pollables) a guest may hold.
pub(crate) const MAX_RESOURCES: usize = 256;
/// Handles that the guest's own tables hold, those of resources that it makes itself included; each takes host memory.
pub(crate) const MAX_HANDLES: usize = 1_000;
/// Elements of all tables of one story together.
const MAX_TABLE_ELEMENTS: usize = 20_000;
/// Core instances of one component; one from an ordinary toolchain has three or four.
pub(crate) const MAX_CORE_INSTANCES: u32 = 20;
/// Linear memories of one component; one from an ordinary toolchain has one.
pub(crate) const MAX_MEMORIES: u32 = 4;
/// Tables of one component; one from an ordinary toolchain has two.
pub(crate) const MAX_TABLES: u32 = 8;

/// Why the host ended a guest in the middle.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    #[error("computed for too long without waiting")]
    OutOfTime,
    #[error("the call did not answer its commands in time")]
    Stalled,
    #[error("{0}")]
    Exceeded(Limit),
    #[error("exited with status {0}")]
    Exited(u8),
    #[error("slept: a story waits in `next-event` only, with a timeout")]
    Slept,
    #[error("the host answered a command with the wrong kind of reply")]
    WrongReply,
}

/// What belongs to one story while it runs.
pub(crate) struct StoryState {
    pub(crate) info: CallInfo,
    pub(crate) sandbox: Sandbox,
    pub(crate) limits: Limits,
    pub(crate) grants: Arc<Grants>,
    pub(crate) port: Box<dyn AnyPort>,
    pub(crate) commands: u32,
    /// When the story must have waited next, if it gives commands until then.
    pub(crate) patience: Instant,
    /// The story was told that the call is over.
    pub(crate) hung_up: bool,
    /// Keys that it is not told, since it asked for that.
    pub(crate) concealed: Option<ConcealedKeys>,
    /// The wish by which a dial ended: of the last one that did so.
    pub(crate) transfer: Option<(DialId, Transfer)>,
    /// How the call was taken away from its queue, and from this story.
    pub(crate) taken_away: Option<QueueExit>,
    /// What passed in SIP with whoever the last dial ended by.
    pub(crate) signalled: Option<Signalled>,
}

impl StoryState {
    pub(crate) fn new(
        component_sha256: [u8; 32],
        setup: StorySetup,
        port: Box<dyn AnyPort>,
    ) -> Self {
        let StorySetup {
            info,
            settings,
            grants,
            seed,
            started_unix_ms,
            limits,
            memory,
            log,
            stop: _,
        } = setup;
        let header = Header {
            component_sha256,
            info,
            settings,
            seed,
            started_unix_ms,
            limits,
        };
        let journal_bytes = usize::try_from(limits.journal_bytes).unwrap_or(usize::MAX);
        let notebook = Notebook::new(
            Writer::new(&conceal::header(&header), journal_bytes),
            log,
            Meter::new(limits.host_calls_between_waits, limits.host_calls),
            started_unix_ms,
        );
        let bounds = Bounds {
            memory_bytes: limits.memory_bytes,
            memory,
            cpu: limits.cpu,
            cpu_in_all: limits.cpu_in_all,
        };
        Self {
            info: header.info,
            sandbox: Sandbox::new(header.settings, seed, started_unix_ms, bounds, notebook),
            limits,
            grants,
            port,
            commands: 0,
            patience: Instant::now() + limits.command_wait,
            hung_up: false,
            concealed: None,
            transfer: None,
            taken_away: None,
            signalled: None,
        }
    }
}

/// The story's time: stands still between two events, and is coarse, so that nobody measures the host with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    started_unix_ms: u64,
    now_unix_ms: u64,
}

impl Clock {
    /// What one step of the guest's clocks is.
    pub(crate) const STEP: Duration = Duration::from_millis(10);

    pub(crate) const fn starting_at(unix_ms: u64) -> Self {
        Self {
            started_unix_ms: unix_ms,
            now_unix_ms: unix_ms,
        }
    }

    /// Moves on; a time before the last one is taken for the last one.
    pub(crate) fn set(&mut self, unix_ms: u64) {
        self.now_unix_ms = self.now_unix_ms.max(unix_ms);
    }

    pub(crate) const fn now_unix_ms(self) -> u64 {
        self.now_unix_ms
    }

    /// Since 1970, in whole steps.
    pub(crate) fn wall(self) -> Duration {
        coarse(self.now_unix_ms)
    }

    /// Since the story began, in whole steps.
    pub(crate) fn monotonic(self) -> Duration {
        coarse(self.now_unix_ms - self.started_unix_ms)
    }
}

fn coarse(ms: u64) -> Duration {
    let step = u64::try_from(Clock::STEP.as_millis()).expect("10 fits");
    Duration::from_millis(ms - ms % step)
}

/// Guest time, between two waits and in all, counted in ticks of the engine's epoch.
///
/// A tick that passed while the guest waited in the host is not the guest's: host calls say so.
#[derive(Debug)]
pub(crate) struct Budget {
    ticks: u32,
    allowed_ticks: u32,
    ticks_in_all: u32,
    allowed_in_all: u32,
    was_in_host: bool,
}

impl Budget {
    /// A call of so long adds one tick to what a story may compute in all: one part in a hundred.
    const GROWS_EVERY: Duration = Duration::from_millis(500);

    pub(crate) fn new(cpu: Duration, cpu_in_all: Duration) -> Self {
        let ticks = |time: Duration| {
            u32::try_from(time.as_micros().div_ceil(TICK.as_micros())).unwrap_or(u32::MAX)
        };
        Self {
            ticks: 0,
            allowed_ticks: ticks(cpu),
            ticks_in_all: 0,
            allowed_in_all: ticks(cpu_in_all),
            was_in_host: false,
        }
    }

    /// Guest time so far.
    pub(crate) fn spent(&self) -> Duration {
        TICK * self.ticks_in_all
    }

    /// The guest comes back from a host call that may have taken its time.
    pub(crate) fn back_from_host(&mut self) {
        self.was_in_host = true;
    }

    /// The guest comes back from a wait: its time starts anew.
    pub(crate) fn back_from_wait(&mut self) {
        self.ticks = 0;
        self.was_in_host = true;
    }

    /// A tick passed, so long after the story began. Lets the other tasks of this thread run, or ends the guest.
    pub(crate) fn tick(&mut self, elapsed: Duration) -> wasmtime::Result<UpdateDeadline> {
        if std::mem::take(&mut self.was_in_host) {
            return Ok(UpdateDeadline::Continue(1));
        }
        self.ticks += 1;
        self.ticks_in_all += 1;
        if self.ticks > self.allowed_ticks {
            return Err(Halt::OutOfTime.into());
        }
        let grown = elapsed.as_millis() / Self::GROWS_EVERY.as_millis();
        if u128::from(self.ticks_in_all) > u128::from(self.allowed_in_all) + grown {
            return Err(Halt::Exceeded(Limit::CpuInAll).into());
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

/// Linear memory and tables of one story, over all its core instances.
pub(crate) struct MemoryLimit {
    bytes: usize,
    peak: usize,
    limit: usize,
    allowance: Allowance,
    table_elements: usize,
    notebook: Notebook,
}

impl MemoryLimit {
    pub(crate) fn new(limit_bytes: u64, allowance: Allowance, notebook: Notebook) -> Self {
        let limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
        Self {
            bytes: 0,
            peak: 0,
            limit,
            allowance,
            table_elements: 0,
            notebook,
        }
    }

    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak as u64
    }

    /// The limit that this growth comes to, if it comes to one. Else it is taken.
    fn take(
        &self,
        total: usize,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Option<Limit> {
        let (current, needed) = (current as u64, desired as u64);
        let was_refused = self.allowance.was_refused(current, needed);
        let is_beyond_its_own = maximum.is_some_and(|maximum| desired > maximum);
        if was_refused || is_beyond_its_own || total > self.limit {
            return Some(Limit::Memory);
        }
        (!self.allowance.take(current, needed)).then_some(Limit::SharedMemory)
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.allowance.give_back(self.bytes as u64);
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.bytes.saturating_add(desired.saturating_sub(current));
        if let Some(limit) = self.take(total, current, desired, maximum) {
            self.notebook.reach(limit);
            self.notebook.write(&Entry::MemoryRefused {
                current: current as u64,
                desired: desired as u64,
            });
            return Ok(false);
        }
        self.bytes = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        if total > MAX_TABLE_ELEMENTS {
            self.notebook.reach(Limit::TableElements);
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_coarse_and_never_go_back() {
        let mut clock = Clock::starting_at(1_004);
        for (set, wall_ms, monotonic_ms) in [
            (1_004, 1_000, 0),
            (1_013, 1_010, 0),
            (1_014, 1_010, 10),
            (900, 1_010, 10),
            (2_009, 2_000, 1_000),
        ] {
            clock.set(set);
            assert_eq!(
                (clock.wall().as_millis(), clock.monotonic().as_millis()),
                (wall_ms, monotonic_ms),
                "{set}"
            );
        }
    }

    #[test]
    fn ticks_in_the_host_are_not_the_guests() {
        let mut budget = Budget::new(Duration::from_millis(10), Duration::from_secs(1));
        let tick = |budget: &mut Budget| budget.tick(Duration::ZERO);
        for _ in 0..100 {
            budget.back_from_host();
            assert!(matches!(tick(&mut budget), Ok(UpdateDeadline::Continue(1))));
        }
        for _ in 0..2 {
            assert!(matches!(tick(&mut budget), Ok(UpdateDeadline::Yield(1))));
        }
        assert!(tick(&mut budget).is_err());
        budget.back_from_wait();
        assert!(tick(&mut budget).is_ok());
    }

    #[test]
    fn waits_do_not_give_the_whole_storys_time_anew_but_the_call_does() {
        for (elapsed_s, ticks) in [(0, 20), (1, 22), (100, 220)] {
            let mut budget = Budget::new(Duration::from_millis(50), Duration::from_millis(100));
            let elapsed = Duration::from_secs(elapsed_s);
            let mut passed = 0;
            let end = loop {
                if passed % 5 == 0 {
                    budget.back_from_wait();
                    let _ = budget.tick(elapsed); // the one that passed while it waited
                }
                match budget.tick(elapsed) {
                    Ok(_) => passed += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!(passed, ticks, "{elapsed_s} s");
            assert!(matches!(
                end.downcast_ref(),
                Some(Halt::Exceeded(Limit::CpuInAll))
            ));
        }
    }
}
