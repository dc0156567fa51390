//! The engine: one for each process.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bounds;
use crate::cache::CodeCache;
use crate::capabilities;
use crate::flow::Flow;
use crate::interfaces::Interfaces;
use crate::retry::Strategy;
use crate::routing::Policy;
use crate::state::{MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLES};
use crate::world::{self, Linkers, LoadError};
use crate::worlds::Worlds;

/// How often a running guest is interrupted.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// The largest linear memory a slot of the pool holds, in bytes. A story's own limit is lower; a speech synthesizer with
/// its voices inside has 17 MB of data to begin with.
const MAX_MEMORY_BYTES: usize = 64 * 1024 * 1024;
/// Wasm code may use this much of a fiber's stack, in bytes; the rest is for host functions.
const WASM_STACK_BYTES: usize = 512 * 1024;
const FIBER_STACK_BYTES: usize = 1024 * 1024;
/// Elements of one table; a large Rust component has some thousands of functions in it.
const TABLE_ELEMENTS: usize = 10_000;
/// Tables a story has when its component comes from an ordinary toolchain, with one to spare.
const TABLES_A_STORY: u32 = 3;
/// Core instances of such a component, with some to spare.
const INSTANCES_A_STORY: u32 = 6;
/// Slots for command modules, beside the stories'.
const SPARE_SLOTS: u32 = 16;
/// Memory mappings one live story takes: its memory, its tables and its stack, each with their guards. Measured.
const MAPPINGS_A_STORY: u32 = 6;
/// Mappings left for the rest of the process: threads, libraries, the heap, compiled code.
const SPARE_MAPPINGS: u32 = 5_000;
/// Memory of an unused slot that is cleared by hand rather than given back, in bytes.
const KEEP_RESIDENT_BYTES: usize = 64 * 1024;

/// What an [`Engine`] is made with.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Stories that run at the same time. The pool reserves address space for as many.
    pub max_stories: u32,
    /// Where compiled code is kept; without it each start compiles anew.
    pub cache: Option<CodeCache>,
}

/// How the address space of memories is laid out. Compiled code fits one layout only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryLayout {
    /// 4 GiB for each memory, which spares the code its bounds checks.
    Wide,
    /// As much as a memory may really have: for systems that do not give that much address space (`ulimit -v`, some
    /// containers).
    Narrow,
}

/// The engine could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The pool could not be reserved, or this machine lacks something.
    #[error("cannot set up the WebAssembly engine for {max_stories} stories: {why}")]
    Setup {
        /// As asked for.
        max_stories: u32,
        /// In wasmtime's words.
        why: String,
    },
    /// The system does not let us start the thread that interrupts guests.
    #[error("cannot start the thread that interrupts guests")]
    Ticker(#[source] std::io::Error),
}

/// Compiles and runs components. One for each process; clones are the same engine.
///
/// Limits of the whole process come from here: how many stories run at once, how large a memory may be, how often a
/// guest that computes is interrupted (every 5 ms, by a thread of the engine's own).
#[derive(Clone)]
pub struct Engine {
    wasmtime: wasmtime::Engine,
    linkers: Arc<Linkers>,
    cache: Option<CodeCache>,
    ceiling: u32,
    layout: MemoryLayout,
}

impl Engine {
    /// Makes the engine and starts its ticker.
    ///
    /// Where the system's limit on memory mappings allows fewer stories than asked for, the engine has room for fewer:
    /// see [`Self::ceiling`].
    ///
    /// # Errors
    /// When the pool cannot be reserved even in its frugal form, or no thread can be started.
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        let ceiling = config.max_stories.min(mapping_ceiling());
        if ceiling < config.max_stories {
            tracing::warn!(
                asked = config.max_stories,
                ceiling,
                "vm.max_map_count allows fewer stories than asked for: raise it to {}",
                needed_mappings(config.max_stories),
            );
        }
        let (wasmtime, layout) = make(ceiling).map_err(|error| EngineError::Setup {
            max_stories: ceiling,
            why: format!("{error:#}"),
        })?;
        start_ticker(&wasmtime).map_err(EngineError::Ticker)?;
        let mut linkers = Linkers {
            call_flow: Linker::new(&wasmtime),
            alone: Linker::new(&wasmtime),
        };
        capabilities::link_call_flow(&mut linkers.call_flow)
            .and_then(|()| capabilities::link_sandbox(&mut linkers.alone))
            .expect("each interface is linked once");
        Ok(Self {
            wasmtime,
            linkers: Arc::new(linkers),
            cache: config.cache,
            ceiling,
            layout,
        })
    }

    /// What code must be compiled for.
    #[must_use]
    pub fn layout(&self) -> MemoryLayout {
        self.layout
    }

    /// How many stories can run at the same time: what was asked for, or less where the system's `vm.max_map_count`
    /// would be reached before. Admit no more calls than this.
    #[must_use]
    pub fn ceiling(&self) -> u32 {
        self.ceiling
    }

    /// Compiles a component, or takes it from the cache, and checks it against the world `call-flow`.
    ///
    /// Takes from milliseconds to seconds of CPU: call it on a thread that may block.
    ///
    /// # Errors
    /// [`LoadError`] in words for whoever uploaded it.
    pub fn load(&self, wasm: &[u8]) -> Result<Flow, LoadError> {
        self.call_flow(self.load_or(wasm, |sha256| self.compile(wasm, sha256))?)
    }

    /// As [`Self::load`], for a component of somebody who is not trusted: it is compiled elsewhere (see [`crate::compile`])
    /// unless the cache has it. `compile` gives the code that [`crate::compile::code`] read from an answer.
    ///
    /// # Errors
    /// [`LoadError`] in words for whoever uploaded it.
    pub fn load_by(
        &self,
        wasm: &[u8],
        compile: impl FnOnce(&[u8]) -> Result<Vec<u8>, LoadError>,
    ) -> Result<Flow, LoadError> {
        self.call_flow(self.load_or(wasm, |sha256| self.take(compile(wasm)?, sha256))?)
    }

    /// As [`Self::load`], for all that the component can do: under each of its worlds.
    ///
    /// # Errors
    /// [`LoadError`]; also when it exports none of the worlds of this host.
    pub fn worlds(&self, wasm: &[u8]) -> Result<Worlds, LoadError> {
        let (component, sha256) = self.load_or(wasm, |sha256| self.compile(wasm, sha256))?;
        self.bind(&component, sha256)
    }

    fn call_flow(&self, (component, sha256): (Component, [u8; 32])) -> Result<Flow, LoadError> {
        match self.bind(&component, sha256)?.call_flow {
            Some(flow) => Ok(flow),
            None => Err(world::no_call_flow(&self.wasmtime, &component)),
        }
    }

    /// Binds a component under each of its worlds.
    fn bind(&self, component: &Component, sha256: [u8; 32]) -> Result<Worlds, LoadError> {
        let bound = world::check(&self.wasmtime, &self.linkers, component)?;
        let engine = || self.wasmtime.clone();
        Ok(Worlds {
            call_flow: bound
                .call_flow
                .map(|flow| Flow::new(engine(), flow, sha256)),
            routing_policy: bound
                .routing_policy
                .map(|policy| Policy::new(engine(), policy)),
            retry_strategy: bound
                .retry_strategy
                .map(|strategy| Strategy::new(engine(), strategy)),
        })
    }

    /// A component of the cache, or else what `compile` makes of it.
    fn load_or(
        &self,
        wasm: &[u8],
        compile: impl FnOnce(&[u8; 32]) -> Result<Component, LoadError>,
    ) -> Result<(Component, [u8; 32]), LoadError> {
        world::check_kind(wasm)?;
        let sha256: [u8; 32] = Sha256::digest(wasm).into();
        let kept = self.cache.as_ref();
        let component = match kept.and_then(|cache| cache.component(&self.wasmtime, &sha256)) {
            Some(component) => component,
            None => {
                bounds::check(wasm)?;
                compile(&sha256)?
            }
        };
        Ok((component, sha256))
    }

    /// What a component imports and exports, whether it fits or not.
    ///
    /// # Errors
    /// [`LoadError`] if it is no component that can be compiled.
    pub fn inspect(&self, wasm: &[u8]) -> Result<Interfaces, LoadError> {
        world::check_kind(wasm)?;
        let component = Component::new(&self.wasmtime, wasm)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        Ok(Interfaces::of(&self.wasmtime, &component))
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.wasmtime
    }

    pub(crate) fn cache(&self) -> Option<&CodeCache> {
        self.cache.as_ref()
    }

    fn compile(&self, wasm: &[u8], sha256: &[u8; 32]) -> Result<Component, LoadError> {
        let component = Component::new(&self.wasmtime, wasm)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            cache.keep_component(&self.wasmtime, sha256, &component);
        }
        Ok(component)
    }

    /// Takes code over that was compiled elsewhere.
    #[allow(unsafe_code)]
    fn take(&self, code: Vec<u8>, sha256: &[u8; 32]) -> Result<Component, LoadError> {
        // SAFETY: the code comes through a pipe from this same program, which ended well, and `deserialize` refuses what
        // another version or other settings made. What a compiler writes that somebody took over while it was fed is beyond
        // this check: see the decision on compiling uploads.
        let component = unsafe { Component::deserialize(&self.wasmtime, &code) }
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            cache.keep_code(&self.wasmtime, sha256, code);
        }
        Ok(component)
    }
}

fn make(stories: u32) -> wasmtime::Result<(wasmtime::Engine, MemoryLayout)> {
    let pooled = |layout| {
        let mut config = code_config(layout);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(stories)));
        Ok((wasmtime::Engine::new(&config)?, layout))
    };
    pooled(MemoryLayout::Wide).or_else(|error: wasmtime::Error| {
        tracing::warn!(%error, "not enough address space for the fast memory layout: guests will run somewhat slower");
        pooled(MemoryLayout::Narrow)
    })
}

/// An engine that only compiles: it reserves nothing.
pub(crate) fn compiler(layout: MemoryLayout) -> wasmtime::Result<wasmtime::Engine> {
    wasmtime::Engine::new(&code_config(layout))
}

/// All that compiled code depends on.
fn code_config(layout: MemoryLayout) -> Config {
    let mut config = Config::new();
    if layout == MemoryLayout::Narrow {
        config.memory_reservation(MAX_MEMORY_BYTES as u64);
        config.memory_guard_size(64 * 1024);
    }
    config.epoch_interruption(true);
    config.max_wasm_stack(WASM_STACK_BYTES);
    config.async_stack_size(FIBER_STACK_BYTES);
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

fn pool(stories: u32) -> PoolingAllocationConfig {
    let slots = stories.saturating_add(SPARE_SLOTS);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(stories);
    pool.total_stacks(slots);
    pool.total_memories(slots);
    pool.total_tables(slots.saturating_mul(TABLES_A_STORY));
    pool.total_core_instances(slots.saturating_mul(INSTANCES_A_STORY));
    pool.max_core_instances_per_component(MAX_CORE_INSTANCES);
    pool.max_memories_per_component(MAX_MEMORIES);
    pool.max_tables_per_component(MAX_TABLES);
    pool.max_memory_size(MAX_MEMORY_BYTES);
    pool.table_elements(TABLE_ELEMENTS);
    pool.linear_memory_keep_resident(KEEP_RESIDENT_BYTES);
    pool.table_keep_resident(KEEP_RESIDENT_BYTES);
    pool
}

/// Counts the engine's epoch up for as long as the engine lives.
fn start_ticker(engine: &wasmtime::Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("guest-ticker".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => break,
                }
            }
        })?;
    Ok(())
}

/// How many stories the system's limit on memory mappings allows; where it has none, as many as one likes.
fn mapping_ceiling() -> u32 {
    std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .map_or(u32::MAX, stories_within)
}

const fn stories_within(mappings: u32) -> u32 {
    mappings.saturating_sub(SPARE_MAPPINGS) / MAPPINGS_A_STORY
}

const fn needed_mappings(stories: u32) -> u32 {
    stories
        .saturating_mul(MAPPINGS_A_STORY)
        .saturating_add(SPARE_MAPPINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_bound_the_stories() {
        for (mappings, stories) in [(65_530, 10_088), (262_144, 42_857), (5_000, 0), (0, 0)] {
            assert_eq!(stories_within(mappings), stories);
            assert!(needed_mappings(stories) <= mappings.max(SPARE_MAPPINGS));
        }
    }

    #[test]
    fn an_engine_has_room_for_no_more_than_was_asked() {
        let engine = Engine::new(EngineConfig {
            max_stories: 3,
            cache: None,
        })
        .unwrap();
        assert_eq!(engine.ceiling(), 3);
    }
}
