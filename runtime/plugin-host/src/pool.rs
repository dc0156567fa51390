//! One class's engine: what code is compiled with, and the pool its stories live in.

use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::capabilities;
use crate::class::Class;
use crate::state::{MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLES};
use crate::world::Linkers;

/// Memory of an unused slot that is cleared by hand rather than given back, in bytes.
const KEEP_RESIDENT_BYTES: usize = 64 * 1024;

/// How the address space of memories is laid out. Compiled code fits one layout only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryLayout {
    /// 4 GiB for each memory, which spares the code its bounds checks.
    Wide,
    /// As much as a memory may really have: for systems that do not give that much address space (`ulimit -v`, some
    /// containers).
    Narrow,
}

/// One class's engine, with the room for its stories.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) class: Class,
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) linkers: Arc<Linkers>,
    pub(crate) layout: MemoryLayout,
}

impl Pool {
    /// Reserves room for so many stories.
    pub(crate) fn new(class: Class, stories: u32) -> wasmtime::Result<Self> {
        let (wasmtime, layout) = make(class, stories)?;
        let mut linkers = Linkers {
            call_flow: Linker::new(&wasmtime),
            alone: Linker::new(&wasmtime),
        };
        capabilities::link_call_flow(&mut linkers.call_flow)?;
        capabilities::link_sandbox(&mut linkers.alone)?;
        if class == Class::Interpreted {
            capabilities::link_no_network(&mut linkers.call_flow)?;
            capabilities::link_no_network(&mut linkers.alone)?;
        }
        Ok(Self {
            class,
            wasmtime,
            linkers: Arc::new(linkers),
            layout,
        })
    }
}

fn make(class: Class, stories: u32) -> wasmtime::Result<(wasmtime::Engine, MemoryLayout)> {
    let pooled = |layout| {
        let mut config = code_config(class, layout);
        let strategy = InstanceAllocationStrategy::Pooling(pool(class, stories));
        config.allocation_strategy(strategy);
        Ok((wasmtime::Engine::new(&config)?, layout))
    };
    pooled(MemoryLayout::Wide).or_else(|error: wasmtime::Error| {
        tracing::warn!(%error, %class, "not enough address space for the fast memory layout: guests will run somewhat slower");
        pooled(MemoryLayout::Narrow)
    })
}

/// An engine that only compiles: it reserves nothing.
pub(crate) fn compiler(class: Class, layout: MemoryLayout) -> wasmtime::Result<wasmtime::Engine> {
    wasmtime::Engine::new(&code_config(class, layout))
}

/// All that compiled code depends on.
fn code_config(class: Class, layout: MemoryLayout) -> Config {
    let bounds = class.bounds();
    let mut config = Config::new();
    if layout == MemoryLayout::Narrow {
        config.memory_reservation(bounds.slot_bytes as u64);
        config.memory_guard_size(64 * 1024);
    }
    config.epoch_interruption(true);
    config.max_wasm_stack(bounds.wasm_stack_bytes);
    config.async_stack_size(bounds.fiber_stack_bytes);
    // The same journal must give the same story on every machine.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    // What call flows have no use for is not there to be attacked.
    config.wasm_memory64(false);
    config.wasm_tail_call(false);
    config.wasm_custom_page_sizes(false);
    config.concurrency_support(false);
    config
}

fn pool(class: Class, stories: u32) -> PoolingAllocationConfig {
    let bounds = class.bounds();
    let slots = stories.saturating_add(bounds.spare_slots);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(stories);
    pool.total_stacks(slots);
    pool.total_memories(slots);
    pool.total_tables(slots.saturating_mul(bounds.tables_a_story));
    pool.total_core_instances(slots.saturating_mul(bounds.instances_a_story));
    pool.max_core_instances_per_component(MAX_CORE_INSTANCES);
    pool.max_memories_per_component(MAX_MEMORIES);
    pool.max_tables_per_component(MAX_TABLES);
    pool.max_memory_size(bounds.slot_bytes);
    pool.table_elements(bounds.table_elements);
    pool.linear_memory_keep_resident(KEEP_RESIDENT_BYTES);
    pool.table_keep_resident(KEEP_RESIDENT_BYTES);
    pool
}
