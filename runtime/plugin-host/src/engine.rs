//! The engine: one for each process.

use std::time::Duration;

use call::Grants;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use crate::asks::asks;
use crate::bounds;
use crate::cache::CodeCache;
use crate::class::Class;
use crate::flow::Flow;
use crate::interfaces::Interfaces;
use crate::pool::{MemoryLayout, Pool};
use crate::retry::Strategy;
use crate::routing::Policy;
use crate::world::{self, LoadError};
use crate::worlds::Worlds;

/// How often a running guest is interrupted.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// Memory mappings one live story takes: its memory, its tables and its stack, each with their guards. Measured.
const MAPPINGS_A_STORY: u32 = 6;
/// Mappings left for the rest of the process: threads, libraries, the heap, compiled code.
const SPARE_MAPPINGS: u32 = 5_000;
/// What an [`Engine`] is made with.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Stories of native components that run at the same time. The pool reserves address space for as many.
    pub max_stories: u32,
    /// Where compiled code is kept; without it each start compiles anew.
    pub cache: Option<CodeCache>,
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
    native: Pool,
    interpreted: Option<Pool>,
    cache: Option<CodeCache>,
    ceiling: u32,
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
        Ok(Self {
            native: pool(Class::Native, ceiling)?,
            interpreted: None,
            cache: config.cache,
            ceiling,
        })
    }

    /// Takes interpreters too, with room for so many stories of their own: each may take 256 MiB. Without this they are refused.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_interpreters(self, max_stories: u32) -> Result<Self, EngineError> {
        Ok(Self {
            interpreted: Some(pool(Class::Interpreted, max_stories)?),
            ..self
        })
    }

    /// What code of a class must be compiled for; none for a class that is not taken.
    #[must_use]
    pub fn layout(&self, class: Class) -> Option<MemoryLayout> {
        Some(self.pool(class)?.layout)
    }

    /// How many stories of native components can run at the same time: what was asked for, or less where the system's `vm.max_map_count`
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
        self.call_flow(&self.load_or(wasm, |pool, sha256| self.compile(pool, wasm, sha256))?)
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
        self.call_flow(&self.load_or(wasm, |pool, sha256| self.take(pool, compile(wasm)?, sha256))?)
    }

    /// As [`Self::load`], for all that the component can do: under each of its worlds.
    ///
    /// # Errors
    /// [`LoadError`]; also when it exports none of the worlds of this host.
    pub fn worlds(&self, wasm: &[u8]) -> Result<Worlds, LoadError> {
        self.load_or(wasm, |pool, sha256| self.compile(pool, wasm, sha256))?
            .bind()
    }

    /// As [`Self::worlds`], for a component of somebody who is not trusted: see [`Self::load_by`].
    ///
    /// # Errors
    /// [`LoadError`]; also when it exports none of the worlds of this host.
    pub fn worlds_by(
        &self,
        wasm: &[u8],
        compile: impl FnOnce(&[u8]) -> Result<Vec<u8>, LoadError>,
    ) -> Result<Worlds, LoadError> {
        self.load_or(wasm, |pool, sha256| self.take(pool, compile(wasm)?, sha256))?
            .bind()
    }

    fn call_flow(&self, loaded: &Loaded<'_>) -> Result<Flow, LoadError> {
        match loaded.bind()?.call_flow {
            Some(flow) => Ok(flow),
            None => Err(world::no_call_flow(
                &loaded.pool.wasmtime,
                &loaded.component,
            )),
        }
    }

    /// A component of the cache, or else what `compile` makes of it.
    fn load_or(
        &self,
        wasm: &[u8],
        compile: impl FnOnce(&Pool, &[u8; 32]) -> Result<Component, LoadError>,
    ) -> Result<Loaded<'_>, LoadError> {
        let pool = self.pool_for(wasm)?;
        let sha256: [u8; 32] = Sha256::digest(wasm).into();
        let kept = self.cache.as_ref();
        let component = match kept.and_then(|cache| cache.component(&pool.wasmtime, &sha256)) {
            Some(component) => component,
            None => {
                bounds::check(pool.class, wasm)?;
                compile(pool, &sha256)?
            }
        };
        Ok(Loaded {
            pool,
            component,
            sha256,
            asks: asks(wasm)?,
        })
    }

    fn pool(&self, class: Class) -> Option<&Pool> {
        match class {
            Class::Native => Some(&self.native),
            Class::Interpreted => self.interpreted.as_ref(),
        }
    }

    /// The pool of a component's class, once its kind and size are those of one.
    fn pool_for(&self, wasm: &[u8]) -> Result<&Pool, LoadError> {
        world::check_kind(wasm)?;
        self.pool(Class::of(wasm))
            .ok_or(LoadError::NoInterpreters { bytes: wasm.len() })
    }

    /// What a component imports and exports, whether it fits or not.
    ///
    /// # Errors
    /// [`LoadError`] if it is no component that can be compiled.
    pub fn inspect(&self, wasm: &[u8]) -> Result<Interfaces, LoadError> {
        let pool = self.pool_for(wasm)?;
        let component = Component::new(&pool.wasmtime, wasm)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        Ok(Interfaces::of(&pool.wasmtime, &component))
    }

    /// That of the native class, in which the runtime's own modules run too.
    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.native.wasmtime
    }

    pub(crate) fn cache(&self) -> Option<&CodeCache> {
        self.cache.as_ref()
    }

    fn compile(&self, pool: &Pool, wasm: &[u8], sha256: &[u8; 32]) -> Result<Component, LoadError> {
        let component = Component::new(&pool.wasmtime, wasm)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            cache.keep_component(&pool.wasmtime, sha256, &component);
        }
        Ok(component)
    }

    /// Takes code over that was compiled elsewhere.
    #[allow(unsafe_code)]
    fn take(&self, pool: &Pool, code: Vec<u8>, sha256: &[u8; 32]) -> Result<Component, LoadError> {
        // SAFETY: the code comes through a pipe from this same program, which ended well, and `deserialize` refuses what
        // another version or other settings made. What a compiler writes that somebody took over while it was fed is beyond
        // this check: see the decision on compiling uploads.
        let component = unsafe { Component::deserialize(&pool.wasmtime, &code) }
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            cache.keep_code(&pool.wasmtime, sha256, code);
        }
        Ok(component)
    }
}

/// A component with the pool that it runs in.
struct Loaded<'a> {
    pool: &'a Pool,
    component: Component,
    sha256: [u8; 32],
    asks: Grants,
}

impl Loaded<'_> {
    /// Binds it under each of its worlds.
    fn bind(&self) -> Result<Worlds, LoadError> {
        let bound = world::check(self.pool, &self.component)?;
        let engine = || self.pool.wasmtime.clone();
        Ok(Worlds {
            call_flow: bound.call_flow.map(|flow| {
                let asks = self.asks.clone();
                Flow::new(engine(), self.pool.class, flow, self.sha256, asks)
            }),
            routing_policy: bound
                .routing_policy
                .map(|policy| Policy::new(engine(), policy)),
            retry_strategy: bound
                .retry_strategy
                .map(|strategy| Strategy::new(engine(), strategy)),
            asks: self.asks.clone(),
        })
    }
}

/// A pool whose guests are interrupted.
fn pool(class: Class, stories: u32) -> Result<Pool, EngineError> {
    let pool = Pool::new(class, stories).map_err(|error| EngineError::Setup {
        max_stories: stories,
        why: format!("{error:#}"),
    })?;
    start_ticker(&pool.wasmtime).map_err(EngineError::Ticker)?;
    Ok(pool)
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
