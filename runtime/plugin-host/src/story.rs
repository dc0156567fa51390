//! One story: one component instance in one store, from its start to its end.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use call::{CallError, CallInfo, Grants, StoryOutcome};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use wasmtime::Store;

use crate::allowance::Allowance;
use crate::bindings::CallFlowPre;
use crate::journal::Entry;
use crate::log::LogSink;
use crate::meter::Limit;
use crate::notebook::Notebook;
use crate::port::AnyPort;
use crate::sandbox;
use crate::state::{Halt, StoryState};

/// Bytes of the text in an [`Outcome`].
const OUTCOME_TEXT_BYTES: usize = 1024;

/// What a story is started with.
#[derive(Clone)]
pub struct StorySetup {
    /// The call it is for.
    pub info: CallInfo,
    /// What `wasi:config/store` answers with.
    pub settings: BTreeMap<String, String>,
    /// What the account grants it beyond its call. Settings that are not granted are not among [`Self::settings`].
    pub grants: Arc<Grants>,
    /// What the story's random numbers grow from. 32 random bytes, new for each story.
    pub seed: [u8; 32],
    /// The story's first time, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// The bounds it runs in.
    pub limits: Limits,
    /// What its memory comes from, where it is not alone.
    pub memory: Allowance,
    /// Where its log lines go.
    pub log: LogSink,
    /// Ends it from outside.
    pub stop: Stop,
}

/// What one story may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Linear memory, in bytes. More is refused, as a machine without memory would.
    pub memory_bytes: u64,
    /// Guest time between two waits, counted in ticks of 5 ms.
    pub cpu: Duration,
    /// Guest time of the whole story, to which each second of the call adds 10 ms.
    pub cpu_in_all: Duration,
    /// Wall-clock time between two waits in which its commands must be answered.
    pub command_wait: Duration,
    /// Calls of the host between two waits.
    pub host_calls_between_waits: u32,
    /// Calls of the host of the whole story, to which each second of the call adds 100.
    pub host_calls: u32,
    /// Commands of the whole story.
    pub commands: u32,
    /// Bytes of the journal.
    pub journal_bytes: u32,
}

impl Default for Limits {
    /// For [`crate::Class::Native`].
    fn default() -> Self {
        Self {
            memory_bytes: 32 * 1024 * 1024,
            cpu: Duration::from_millis(50),
            cpu_in_all: Duration::from_secs(1),
            command_wait: Duration::from_secs(10),
            host_calls_between_waits: 1_000,
            host_calls: 10_000,
            commands: 10_000,
            journal_bytes: 8 * 1024 * 1024,
        }
    }
}

/// How a story came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It returned. [`CallError::HungUp`] is an ordinary end.
    Finished(Result<(), CallError>),
    /// It left by `wasi:cli/exit` with this status.
    Exited(u8),
    /// It broke; says how, with its last words on standard error.
    Trapped(String),
    /// It computed for longer than [`Limits::cpu`] without waiting.
    OutOfTime,
    /// The call did not answer its commands within [`Limits::command_wait`].
    Stalled,
    /// It was ended by [`Stop::stop`].
    Stopped,
    /// It was not started: as many stories run as the engine has room for.
    NoRoom,
    /// It came to another limit that ends a story.
    Exceeded(Limit),
}

impl Outcome {
    /// The limit that ended it, if one did.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::OutOfTime => Some(Limit::Cpu),
            Self::Stalled => Some(Limit::CommandWait),
            Self::Exceeded(limit) => Some(*limit),
            _ => None,
        }
    }
}

impl From<Outcome> for StoryOutcome {
    /// What the call makes of it: a story that returned, or left with status zero, has ended; any other broke. One that was
    /// stopped broke too: the host stops only a story that misbehaves, or one whose call is over and makes nothing of it.
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Finished(returned) => Self::Returned(returned),
            Outcome::Exited(0) => Self::Returned(Ok(())),
            Outcome::Exited(_)
            | Outcome::Stopped
            | Outcome::Trapped(_)
            | Outcome::OutOfTime
            | Outcome::Stalled
            | Outcome::NoRoom
            | Outcome::Exceeded(_) => Self::Broke(outcome.to_string()),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finished(Ok(())) => f.write_str("finished"),
            Self::Finished(Err(error)) => write!(f, "finished with an error: {error}"),
            Self::Exited(status) => write!(f, "exited with status {status}"),
            Self::Trapped(why) => write!(f, "trapped: {why}"),
            Self::OutOfTime => Limit::Cpu.fmt(f),
            Self::Stalled => Limit::CommandWait.fmt(f),
            Self::Exceeded(limit) => limit.fmt(f),
            Self::Stopped => f.write_str("stopped"),
            Self::NoRoom => f.write_str("not started: no room for another story"),
        }
    }
}

/// What is left of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryEnd {
    /// How it ended.
    pub outcome: Outcome,
    /// See [`crate::journal`]; complete even where the story broke.
    pub journal: Vec<u8>,
    /// Commands it gave.
    pub commands: u32,
    /// Time its task was running, host calls included: an upper bound of its CPU time.
    pub busy: Duration,
    /// Guest time, in whole ticks of 5 ms that it was found computing at: what [`Limits::cpu_in_all`] is about.
    pub cpu: Duration,
    /// The most linear memory it had, in bytes.
    pub memory_bytes: u64,
    /// Calls of the host, commands and waits included.
    pub host_calls: u32,
    /// Lines that it wrote to its log.
    pub log_lines: u32,
    /// Lines that were dropped because there were too many.
    pub log_lines_dropped: u32,
    /// The limits it came to: those that ended it, and those at which it was refused something.
    pub limits: Vec<Limit>,
}

/// Ends a story from outside, at once and wherever it is, and reads its journal while it runs. Clones are of the same one.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<StopState>);

#[derive(Debug, Default)]
struct StopState {
    asked: AtomicBool,
    wake: Notify,
    /// Of the story, once it runs.
    notebook: OnceLock<Notebook>,
}

impl Stop {
    /// For one story.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the story with [`Outcome::Stopped`]; before its start too.
    pub fn stop(&self) {
        self.0.asked.store(true, Ordering::Release);
        self.0.wake.notify_one();
    }

    /// The story's journal as far as it has come; none before its start.
    #[must_use]
    pub fn journal(&self) -> Option<Vec<u8>> {
        self.0.notebook.get()?.journal()
    }

    async fn asked(&self) {
        // `notify_one` keeps a permit, so an ask between the load and the wait is not lost.
        while !self.0.asked.load(Ordering::Acquire) {
            self.0.wake.notified().await;
        }
    }
}

/// Runs one story in a fresh instance.
pub(crate) async fn run(
    engine: &wasmtime::Engine,
    flow: &CallFlowPre<StoryState>,
    component_sha256: [u8; 32],
    setup: StorySetup,
    port: Box<dyn AnyPort>,
) -> StoryEnd {
    let stop = setup.stop.clone();
    let state = StoryState::new(component_sha256, setup, port);
    let notebook = state.sandbox.notebook.clone();
    // One that is there already is of this story's own clone.
    let _ = stop.0.notebook.set(notebook.clone());
    let mut store = sandbox::store(engine, state);

    let mut busy = Duration::ZERO;
    let result = timed(&mut busy, until(stop.asked(), tell(&mut store, flow))).await;
    let commands = store.data().commands;
    let memory_bytes = store.data().sandbox.memory.peak_bytes();
    let cpu = store.data().sandbox.budget.spent();
    drop(store); // its streams write their last, unfinished lines
    let outcome = match result {
        None => Outcome::Stopped,
        Some(Ok(returned)) => Outcome::Finished(returned),
        Some(Err(error)) => explain(&error, &notebook),
    };
    if let Some(limit) = outcome.limit() {
        notebook.reach(limit);
    }
    let journal = notebook.close(&Entry::Ended(outcome.clone()));
    let usage = notebook.usage();
    StoryEnd {
        outcome,
        journal,
        commands,
        busy,
        cpu,
        memory_bytes,
        host_calls: usage.host_calls,
        log_lines: usage.log_lines,
        log_lines_dropped: usage.log_lines_dropped,
        limits: usage.limits,
    }
}

async fn tell(
    store: &mut Store<StoryState>,
    flow: &CallFlowPre<StoryState>,
) -> wasmtime::Result<Result<(), CallError>> {
    let instance = flow.instantiate_async(&mut *store).await?;
    let returned = instance
        .jackfield_call_story()
        .call_run(&mut *store)
        .await?;
    Ok(returned.map_err(CallError::from))
}

pub(crate) fn explain(error: &wasmtime::Error, notebook: &Notebook) -> Outcome {
    match error.downcast_ref::<Halt>() {
        Some(Halt::OutOfTime) => return Outcome::OutOfTime,
        Some(Halt::Stalled) => return Outcome::Stalled,
        Some(Halt::Exited(status)) => return Outcome::Exited(*status),
        Some(Halt::Exceeded(limit)) => return Outcome::Exceeded(*limit),
        Some(Halt::Slept | Halt::WrongReply) | None => {}
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Outcome::NoRoom;
    }
    let mut text = error.root_cause().to_string();
    let last_words = notebook.last_words();
    if !last_words.is_empty() {
        text.push_str("; its last words: ");
        text.push_str(&last_words);
    }
    text.truncate(text.floor_char_boundary(OUTCOME_TEXT_BYTES));
    Outcome::Trapped(text)
}

/// The value of `future`, or none when `stopped` came first.
async fn until<T>(stopped: impl Future<Output = ()>, future: impl Future<Output = T>) -> Option<T> {
    let mut stopped = pin!(stopped);
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        if stopped.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Adds up the time that `future` is being polled.
pub(crate) async fn timed<T>(busy: &mut Duration, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        let began = Instant::now();
        let polled = future.as_mut().poll(context);
        *busy += began.elapsed();
        polled
    })
    .await
}
