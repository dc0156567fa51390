//! What belongs to one story while it runs: the data of its store.

use std::collections::BTreeMap;
use std::time::Duration;

use call::CallInfo;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, UpdateDeadline};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;

use crate::engine::TICK;
use crate::journal::{Entry, Header, Writer};
use crate::notebook::Notebook;
use crate::port::AnyPort;
use crate::story::{Limits, StorySetup};

/// Bytes a guest may hand over in one host call.
pub(crate) const HOST_CALL_BYTES: usize = 1024 * 1024;
/// Resources (streams and their pollables) a guest may hold.
const MAX_RESOURCES: usize = 256;
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
    #[error("the call did not answer a command in time")]
    Stalled,
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
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) limits: Limits,
    pub(crate) port: Box<dyn AnyPort>,
    pub(crate) notebook: Notebook,
    pub(crate) clock: Clock,
    pub(crate) random: ChaCha20Rng,
    pub(crate) budget: Budget,
    pub(crate) memory: MemoryLimit,
    pub(crate) commands: u32,
    /// The story was told that the call is over.
    pub(crate) hung_up: bool,
    pub(crate) table: ResourceTable,
    pub(crate) filesystem: WasiFilesystemCtx,
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
            seed,
            started_unix_ms,
            limits,
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
        let notebook = Notebook::new(Writer::new(&header, journal_bytes), log, started_unix_ms);
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self {
            info: header.info,
            settings: header.settings,
            limits,
            port,
            clock: Clock::starting_at(started_unix_ms),
            random: ChaCha20Rng::from_seed(seed),
            budget: Budget::new(limits.cpu),
            memory: MemoryLimit::new(limits.memory_bytes, notebook.clone()),
            notebook,
            commands: 0,
            hung_up: false,
            table,
            filesystem: WasiFilesystemCtx::default(),
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

/// Guest time between two waits, counted in ticks of the engine's epoch.
///
/// A tick that passed while the guest waited in the host is not the guest's: host calls say so.
#[derive(Debug)]
pub(crate) struct Budget {
    ticks: u32,
    allowed_ticks: u32,
    was_in_host: bool,
}

impl Budget {
    fn new(cpu: Duration) -> Self {
        let allowed_ticks =
            u32::try_from(cpu.as_micros().div_ceil(TICK.as_micros())).unwrap_or(u32::MAX);
        Self {
            ticks: 0,
            allowed_ticks,
            was_in_host: false,
        }
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

    /// A tick passed. Lets the other tasks of this thread run, or ends the guest.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        if std::mem::take(&mut self.was_in_host) {
            return Ok(UpdateDeadline::Continue(1));
        }
        self.ticks += 1;
        if self.ticks > self.allowed_ticks {
            return Err(Halt::OutOfTime.into());
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

/// Linear memory and tables of one story, over all its core instances.
pub(crate) struct MemoryLimit {
    bytes: usize,
    peak: usize,
    limit: usize,
    table_elements: usize,
    notebook: Notebook,
}

impl MemoryLimit {
    fn new(limit_bytes: u64, notebook: Notebook) -> Self {
        let limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
        Self {
            bytes: 0,
            peak: 0,
            limit,
            table_elements: 0,
            notebook,
        }
    }

    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak as u64
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
        if total > self.limit || maximum.is_some_and(|maximum| desired > maximum) {
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
        let mut budget = Budget::new(Duration::from_millis(10));
        for _ in 0..100 {
            budget.back_from_host();
            assert!(matches!(budget.tick(), Ok(UpdateDeadline::Continue(1))));
        }
        for _ in 0..2 {
            assert!(matches!(budget.tick(), Ok(UpdateDeadline::Yield(1))));
        }
        assert!(budget.tick().is_err());
        budget.back_from_wait();
        assert!(budget.tick().is_ok());
    }
}
