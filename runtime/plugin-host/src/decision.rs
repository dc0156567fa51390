//! Decisions: one question to a component that computes alone, and its answer.
//!
//! Each question gets a fresh instance, whose random numbers grow from the question itself: the same question to the same component has
//! the same answer, so that what was decided can be asked again later.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmtime::Store;

use crate::allowance::Allowance;
use crate::log::LogSink;
use crate::meter::Meter;
use crate::notebook::Notebook;
use crate::sandbox::{self, Bounds, Sandbox};
use crate::story::{self, Outcome};

/// What a component gets beside the question, and the bounds it decides in.
#[derive(Clone)]
pub struct DecisionSetup {
    /// What `wasi:config/store` answers with.
    pub settings: BTreeMap<String, String>,
    /// The bounds of one decision.
    pub limits: DecisionLimits,
    /// Where its log lines go.
    pub log: LogSink,
}

/// What one decision may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionLimits {
    /// Linear memory, in bytes. More is refused, as a machine without memory would. At most 32 MiB.
    pub memory_bytes: u64,
    /// Time to compute, counted in ticks of 5 ms.
    pub cpu: Duration,
    /// Calls of the host: log lines, settings, random numbers, looks at the clock.
    pub host_calls: u32,
}

impl Default for DecisionLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 32 * 1024 * 1024,
            cpu: Duration::from_millis(50),
            host_calls: 1_000,
        }
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The answer, or why there is none.
    pub result: Result<T, NoDecision>,
    /// Time its task was running: an upper bound of its CPU time.
    pub busy: Duration,
    /// The most linear memory it had, in bytes.
    pub memory_bytes: u64,
}

/// Why a component decided nothing. Whoever asked does what it would have done without the component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDecision {
    /// It returned an error.
    #[error("it does not decide: {0}")]
    Declined(String),
    /// It answered something that cannot be done.
    #[error("its answer cannot be followed: {0}")]
    Unusable(String),
    /// It broke; says how, with its last words on standard error.
    #[error("it trapped: {0}")]
    Trapped(String),
    /// It left by `wasi:cli/exit` with this status.
    #[error("it exited with status {0}")]
    Exited(u8),
    /// It computed for longer than [`DecisionLimits::cpu`].
    #[error("it computed for too long")]
    OutOfTime,
    /// It was not asked: as many guests run as the engine has room for.
    #[error("it was not asked: no room for another guest")]
    NoRoom,
}

/// One question being asked.
pub(crate) struct Sitting {
    pub(crate) store: Store<Sandbox>,
    notebook: Notebook,
}

impl Sitting {
    /// Makes what an instance needs. `question` is all that the component is asked.
    pub(crate) fn open(
        engine: &wasmtime::Engine,
        setup: DecisionSetup,
        now_unix_ms: u64,
        question: &impl Serialize,
    ) -> Self {
        let DecisionLimits {
            memory_bytes,
            cpu,
            host_calls,
        } = setup.limits;
        // It never waits.
        let meter = Meter::new(host_calls, host_calls);
        let notebook = Notebook::without_journal(setup.log, meter, now_unix_ms);
        let bounds = Bounds {
            memory_bytes,
            memory: Allowance::unbounded(),
            cpu,
            cpu_in_all: cpu,
        };
        let seed = seed(question, &setup.settings);
        let sandbox = Sandbox::new(setup.settings, seed, now_unix_ms, bounds, notebook.clone());
        Self {
            store: sandbox::store(engine, sandbox),
            notebook,
        }
    }

    /// Makes of the guest's return what came of it.
    pub(crate) fn close<T>(
        self,
        busy: Duration,
        returned: wasmtime::Result<Result<T, String>>,
    ) -> Answered<T> {
        let Self { store, notebook } = self;
        let memory_bytes = store.data().memory.peak_bytes();
        drop(store); // its streams write their last, unfinished lines
        let result = match returned {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(NoDecision::Declined(why)),
            Err(error) => Err(match story::explain(&error, &notebook) {
                Outcome::Trapped(why) => NoDecision::Trapped(why),
                Outcome::Exited(status) => NoDecision::Exited(status),
                Outcome::OutOfTime => NoDecision::OutOfTime,
                Outcome::NoRoom => NoDecision::NoRoom,
                other => NoDecision::Trapped(other.to_string()),
            }),
        };
        notebook.finish();
        Answered {
            result,
            busy,
            memory_bytes,
        }
    }
}

/// What the random numbers grow from: the question and the settings.
fn seed(question: &impl Serialize, settings: &BTreeMap<String, String>) -> [u8; 32] {
    let bytes = postcard::to_stdvec(&(question, settings)).expect("plain data has an encoding");
    Sha256::digest(bytes).into()
}
