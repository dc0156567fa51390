//! Runs a story again from its journal: the same commands, or the first difference.

use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use call::{
    AudioCommand, AudioError, AudioReply, CallError, Command, ConcealedKeys, Grants,
    KeyValueCommand, KeyValueError, KeyValueReply, PeopleCommand, PeopleError, PeopleReply,
    PinError, PinVerdict, Reply,
};
use tokio::sync::oneshot;

use crate::allowance::Allowance;
use crate::conceal;
use crate::flow::Flow;
use crate::journal::{Entry, Journal, JournalError};
use crate::log::LogLine;
use crate::meter::Limit;
use crate::port::{CallPort, Next};
use crate::redact;
use crate::story::{Outcome, Stop, StorySetup};
use crate::words;

/// A replay that came to the same end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The component is the one that wrote the journal, by its SHA-256.
    pub same_component: bool,
    /// Waits and commands that were the same.
    pub steps: usize,
    /// How it ended, both times.
    pub outcome: Outcome,
    /// What it logged this time.
    pub log: Vec<LogLine>,
}

/// The first place where a replay left its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Waits and commands that were the same before it.
    pub step: usize,
    /// What the journal has there.
    pub journal: String,
    /// What the component did.
    pub component: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            journal,
            component,
        } = self;
        write!(
            f,
            "after {step} equal steps the journal has `{journal}`, the component `{component}`"
        )
    }
}

/// A replay that did not come to the same end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The bytes are no journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal ends before its story does, so there is nothing to compare the rest with.
    #[error("the journal ends before its story does; its {steps} steps replay")]
    Incomplete {
        /// Waits and commands that were the same.
        steps: usize,
    },
    /// The component did something else than the journal says.
    #[error("{0}")]
    Differs(Difference),
}

/// Runs `flow` on what the journal says that its story was told. To be polled inside a tokio runtime with time enabled.
///
/// What a redacted journal ([`Journal::redacted`]) has no more is not compared; a story that depends on it goes another way, which
/// is a difference like any other.
///
/// # Errors
/// [`ReplayError::Differs`] names the first command, wait or end that is not the same.
pub async fn replay(flow: &Flow, journal: &[u8]) -> Result<Replay, ReplayError> {
    let journal = Journal::read(journal)?;
    let is_redacted = journal.is_redacted();
    let Journal { header, entries } = journal;
    let memory = Allowance::recorded(refusals(&entries));
    let (steps, recorded_end) = split(entries);
    let total = steps.len();
    let expected: Vec<String> = steps.iter().map(Step::words).collect();

    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&log);
    let done = Arc::new(AtomicUsize::new(0));
    let (leave, left) = oneshot::channel();
    let port = JournalPort {
        steps: steps.into_iter(),
        is_redacted,
        done: Arc::clone(&done),
        leave: Some(leave),
    };
    let setup = StorySetup {
        info: header.info,
        settings: header.settings,
        // What was refused then is in the journal.
        grants: Arc::new(Grants::everything()),
        seed: header.seed,
        started_unix_ms: header.started_unix_ms,
        limits: header.limits,
        memory,
        log: Arc::new(move |line| {
            lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }),
        stop: Stop::new(),
    };
    let component = tokio::select! {
        biased;
        Ok(instead) = left => Left::Journal(instead),
        end = flow.start(setup, port) => Left::Ended(match is_redacted {
            true => redact::outcome(end.outcome),
            false => end.outcome,
        }),
    };

    let step = done.load(Ordering::Relaxed);
    let outcome = match (component, recorded_end) {
        (Left::Ended(now), Some(then)) if step == total && now == then => now,
        // Both were ended by the host, at a moment that no step of the journal marks.
        (
            Left::Journal(_),
            Some(then @ (Outcome::Stopped | Outcome::Stalled | Outcome::Exceeded(Limit::CpuInAll))),
        ) if step == total => then,
        (Left::Journal(_), None) if step == total => {
            return Err(ReplayError::Incomplete { steps: step });
        }
        (component, recorded_end) => {
            let end = recorded_end.map_or_else(|| "nothing more".to_owned(), |end| end.to_string());
            let journal = expected.get(step).cloned().unwrap_or(end);
            return Err(ReplayError::Differs(Difference {
                step,
                journal,
                component: component.words(),
            }));
        }
    };
    let log = std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Replay {
        same_component: *flow.sha256() == header.component_sha256,
        steps: step,
        outcome,
        log,
    })
}

/// What the component did last.
enum Left {
    /// Something that the journal does not have there.
    Journal(String),
    Ended(Outcome),
}

impl Left {
    fn words(self) -> String {
        match self {
            Self::Journal(instead) => instead,
            Self::Ended(outcome) => outcome.to_string(),
        }
    }
}

/// What the story did and how it was answered.
enum Step {
    Command(Command, Result<Reply, CallError>),
    Wait(Option<u32>, Next),
    KeyValue(KeyValueCommand, Result<KeyValueReply, KeyValueError>),
    People(PeopleCommand, Result<PeopleReply, PeopleError>),
    Audio(AudioCommand, Result<AudioReply, AudioError>),
    Pin(String, Result<PinVerdict, PinError>),
}

impl Step {
    fn words(&self) -> String {
        match self {
            Self::Command(command, _) => words::command(command),
            Self::Wait(timeout_ms, _) => words::wait(*timeout_ms),
            Self::KeyValue(command, _) => words::key_value(command),
            Self::People(command, _) => words::people(command),
            Self::Audio(command, _) => words::audio(command),
            Self::Pin(secret, _) => words::pin(secret),
        }
    }
}

/// What the story got no memory for, whatever refused it.
fn refusals(entries: &[Entry]) -> Vec<(u64, u64)> {
    let refused = entries.iter().filter_map(|entry| match entry {
        Entry::MemoryRefused { current, desired } => Some((*current, *desired)),
        _ => None,
    });
    refused.collect()
}

/// The steps that a story takes, and its end, if the journal has it in full.
fn split(entries: Vec<Entry>) -> (Vec<Step>, Option<Outcome>) {
    let mut steps = Vec::new();
    for entry in entries {
        match entry {
            Entry::Command { command, result } => steps.push(Step::Command(command, result)),
            Entry::Next {
                timeout_ms,
                event,
                now_unix_ms,
            } => {
                steps.push(Step::Wait(timeout_ms, Next { event, now_unix_ms }));
            }
            Entry::KeyValue { command, result } => steps.push(Step::KeyValue(command, result)),
            Entry::People { command, result } => steps.push(Step::People(command, result)),
            Entry::Audio { command, result } => steps.push(Step::Audio(command, result)),
            Entry::Pin { secret, result } => steps.push(Step::Pin(secret, result)),
            Entry::Log(_) | Entry::MemoryRefused { .. } | Entry::Redacted => {}
            Entry::Cut => return (steps, None),
            Entry::Ended(outcome) => return (steps, Some(outcome)),
        }
    }
    (steps, None)
}

/// Answers as the journal says, for as long as the story does what it says.
struct JournalPort {
    steps: std::vec::IntoIter<Step>,
    is_redacted: bool,
    done: Arc<AtomicUsize>,
    leave: Option<oneshot::Sender<String>>,
}

impl JournalPort {
    /// The story left the journal: say so, and let it wait until it is dropped.
    async fn leave<T>(&mut self, instead: String) -> T {
        if let Some(leave) = self.leave.take() {
            let _ = leave.send(instead); // nobody listens once the replay was dropped
        }
        pending().await
    }

    fn step_done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl CallPort for JournalPort {
    async fn command(&mut self, command: Command) -> Result<Reply, CallError> {
        let command = conceal::command(command);
        let compared = match self.is_redacted {
            true => redact::command(command),
            false => command,
        };
        match self.steps.next() {
            Some(Step::Command(recorded, result)) if recorded == compared => {
                self.step_done();
                result
            }
            _ => self.leave(words::command(&compared)).await,
        }
    }

    async fn next_event(&mut self, timeout: Option<Duration>) -> Next {
        let timeout_ms =
            timeout.map(|timeout| u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX));
        match self.steps.next() {
            Some(Step::Wait(recorded, next)) if recorded == timeout_ms => {
                self.step_done();
                next
            }
            _ => self.leave(words::wait(timeout_ms)).await,
        }
    }

    async fn key_value(
        &mut self,
        command: KeyValueCommand,
    ) -> Result<KeyValueReply, KeyValueError> {
        let compared = match self.is_redacted {
            true => redact::key_value(command),
            false => command,
        };
        match self.steps.next() {
            Some(Step::KeyValue(recorded, result)) if recorded == compared => {
                self.step_done();
                result
            }
            _ => self.leave(words::key_value(&compared)).await,
        }
    }

    async fn people(&mut self, command: PeopleCommand) -> Result<PeopleReply, PeopleError> {
        let compared = match self.is_redacted {
            true => redact::people(command),
            false => command,
        };
        match self.steps.next() {
            Some(Step::People(recorded, result)) if recorded == compared => {
                self.step_done();
                result
            }
            _ => self.leave(words::people(&compared)).await,
        }
    }

    async fn audio(&mut self, command: AudioCommand) -> Result<AudioReply, AudioError> {
        let compared = match self.is_redacted {
            true => redact::audio(command),
            false => command,
        };
        match self.steps.next() {
            Some(Step::Audio(recorded, result)) if recorded == compared => {
                self.step_done();
                result
            }
            _ => self.leave(words::audio(&compared)).await,
        }
    }

    /// What was typed is not in the journal: what came of it is.
    async fn check_pin(
        &mut self,
        secret: String,
        _: ConcealedKeys,
    ) -> Result<PinVerdict, PinError> {
        match self.steps.next() {
            Some(Step::Pin(recorded, result)) if recorded == secret => {
                self.step_done();
                result
            }
            _ => self.leave(words::pin(&secret)).await,
        }
    }
}
