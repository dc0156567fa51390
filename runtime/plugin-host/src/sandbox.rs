//! What every guest has, whatever its world: settings, a log, time, chance, and bounds.

use std::collections::BTreeMap;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::sockets::WasiSocketsCtx;

use crate::allowance::Allowance;
use crate::notebook::Notebook;
use crate::state::{Budget, Clock, HOST_CALL_BYTES, MAX_HANDLES, MAX_RESOURCES, MemoryLimit};

/// What every guest has, whatever its world.
pub(crate) struct Sandbox {
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) notebook: Notebook,
    pub(crate) clock: Clock,
    pub(crate) random: ChaCha20Rng,
    pub(crate) budget: Budget,
    pub(crate) memory: MemoryLimit,
    pub(crate) table: ResourceTable,
    pub(crate) filesystem: WasiFilesystemCtx,
    pub(crate) network: WasiSocketsCtx,
}

/// What bounds a guest.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Linear memory, in bytes.
    pub(crate) memory_bytes: u64,
    /// What it comes from.
    pub(crate) memory: Allowance,
    /// Guest time between two waits.
    pub(crate) cpu: Duration,
    /// Guest time in all, to which each second of its clock adds 10 ms.
    pub(crate) cpu_in_all: Duration,
}

impl Sandbox {
    /// `seed` is what its random numbers grow from, `now_unix_ms` its first time.
    pub(crate) fn new(
        settings: BTreeMap<String, String>,
        seed: [u8; 32],
        now_unix_ms: u64,
        bounds: Bounds,
        notebook: Notebook,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self {
            settings,
            clock: Clock::starting_at(now_unix_ms),
            random: ChaCha20Rng::from_seed(seed),
            budget: Budget::new(bounds.cpu, bounds.cpu_in_all),
            memory: MemoryLimit::new(bounds.memory_bytes, bounds.memory, notebook.clone()),
            notebook,
            table,
            filesystem: WasiFilesystemCtx::default(),
            network: WasiSocketsCtx::default(),
        }
    }

    /// The guest calls the host: every function that it can call says so.
    ///
    /// # Errors
    /// When it has done so too often.
    pub(crate) fn host_call(&self) -> wasmtime::Result<()> {
        Ok(self.notebook.host_call()?)
    }

    /// The guest has waited: what it may do between two waits begins anew.
    pub(crate) fn begin_anew(&mut self) {
        self.budget.back_from_wait();
        self.notebook.waited();
    }

    /// A tick of the engine passed while the guest ran.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.budget.tick(self.clock.monotonic())
    }
}

impl crate::bindings::routing::attempts::Host for Sandbox {}

/// Data of a store that has a sandbox in it.
pub(crate) trait HasSandbox: Send + 'static {
    fn sandbox(&mut self) -> &mut Sandbox;
}

impl HasSandbox for Sandbox {
    fn sandbox(&mut self) -> &mut Sandbox {
        self
    }
}

/// A store in which the sandbox's bounds hold.
pub(crate) fn store<T: HasSandbox>(engine: &wasmtime::Engine, data: T) -> Store<T> {
    let mut store = Store::new(engine, data);
    store.limiter(|data| &mut data.sandbox().memory);
    store.set_hostcall_fuel(HOST_CALL_BYTES);
    store.set_max_component_handles(MAX_HANDLES);
    store.epoch_deadline_callback(|mut context| context.data_mut().sandbox().tick());
    store.set_epoch_deadline(1);
    store
}
