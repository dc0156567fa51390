//! Plays a script against a component.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use call::{CallRecord, Command, HttpRequest, KeyValues, People, StoryOutcome};
use plugin_host::{Allowance, Flow, Limits, LogLine, Stop, StoryEnd, StorySetup};

use crate::caller::SharedStage;
use crate::far_ends::SeenStream;
use crate::player::Player;
use crate::saved::Deeds;
use crate::script::Script;
use crate::stage::Stage;
use crate::transcript::Who;

/// What the story's random numbers grow from: the same in every run, so that runs are the same.
const SEED: [u8; 32] = [7; 32];

/// What came of a script.
#[derive(Debug, Clone)]
pub struct Run {
    /// The whole call, a line for each thing that happened, such as `   2.00 s  story   play menu.wav`.
    pub transcript: String,
    /// How the story ended, and its journal.
    pub end: StoryEnd,
    /// The call's record; none if the call was still up when the script was left.
    pub record: Option<CallRecord>,
    /// What the story asked for, in order.
    pub commands: Vec<Command>,
    /// The HTTP requests among them.
    pub requests: Vec<HttpRequest>,
    /// The media streams, in the order they were begun.
    pub streams: Vec<SeenStream>,
    /// The account's key-value pairs after the call.
    pub pairs: KeyValues,
    /// The account's people after the call.
    pub people: People,
    /// What was kept of the call's recordings as audio of the account's: how long it is, by its name.
    pub files: BTreeMap<String, Duration>,
    /// What the story logged.
    pub log: Vec<LogLine>,
    /// Virtual time from the first INVITE to the end.
    pub duration: Duration,
    pub(crate) deeds: Deeds,
}

/// The story did something else than its script says.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}\n{transcript}", transcript = run.transcript)]
pub struct Unexpected {
    /// What the script has and what the story did.
    pub why: String,
    /// The run up to there.
    pub run: Box<Run>,
}

/// Plays `script` against `flow`, on a tokio runtime of its own; where one runs already, use [`perform`].
///
/// # Errors
/// [`Unexpected`], with the transcript up to where the story left its script.
///
/// # Panics
/// When called inside a tokio runtime, or when the system gives no resources for one.
pub fn run(flow: &Flow, script: Script) -> Result<Run, Unexpected> {
    RUNTIME.with(|runtime| runtime.block_on(perform(flow, script)))
}

thread_local! {
    /// Made once for all calls of a thread: it costs more than a short call.
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime of one thread needs no more than a timer");
}

/// As [`run`], inside a tokio runtime with time enabled.
///
/// # Errors
/// [`Unexpected`], with the transcript up to where the story left its script.
pub async fn perform(flow: &Flow, script: Script) -> Result<Run, Unexpected> {
    let stop = Stop::new();
    let stage = Stage::new(script, stop.clone());
    perform_on(flow, stage, stop).await
}

/// Plays a call in which `player` decides what everybody but the story does; `script` says what the call finds, and what the
/// caller does first. Nothing is unexpected. On a tokio runtime of its own, as [`run`].
///
/// # Panics
/// As [`run`].
#[must_use]
pub fn play(flow: &Flow, script: Script, player: impl Player + 'static) -> Run {
    let stop = Stop::new();
    let stage = Stage::new(script, stop.clone()).played_by(Box::new(player));
    match RUNTIME.with(|runtime| runtime.block_on(perform_on(flow, stage, stop))) {
        Ok(run) => run,
        Err(unexpected) => *unexpected.run,
    }
}

async fn perform_on(flow: &Flow, stage: Stage, stop: Stop) -> Result<Run, Unexpected> {
    let stage = SharedStage::new(stage);
    let log = Arc::new(Mutex::new(Vec::new()));
    let setup = setup(flow.class().limits(), &stage, stop, &log);
    let end = flow.start(setup, stage.clone()).await;

    let mut stage = stage.lock();
    if stage.unexpected.is_none() {
        let words = end.outcome.to_string();
        stage.story_ended(StoryOutcome::from(end.outcome.clone()), &words);
    }
    let run = Run {
        transcript: std::mem::take(&mut stage.transcript).into_text(),
        end,
        record: stage.record().cloned(),
        commands: std::mem::take(&mut stage.commands),
        requests: std::mem::take(&mut stage.requests),
        streams: std::mem::take(&mut stage.far_ends.seen),
        pairs: stage.pairs(),
        people: stage.registered(),
        files: stage.kept_audio(),
        log: std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner)),
        duration: stage.now(),
        deeds: stage.deeds(),
    };
    match stage.unexpected.take() {
        Some(why) => Err(Unexpected {
            why,
            run: Box::new(run),
        }),
        None => Ok(run),
    }
}

fn setup(
    limits: Limits,
    stage: &SharedStage,
    stop: Stop,
    log: &Arc<Mutex<Vec<LogLine>>>,
) -> StorySetup {
    let lines = Arc::clone(log);
    let transcript = stage.clone();
    let stage = stage.lock();
    StorySetup {
        info: stage.info(),
        settings: stage.settings(),
        grants: stage.grants(),
        seed: SEED,
        started_unix_ms: stage.started_unix_ms(),
        limits,
        memory: Allowance::unbounded(),
        log: Arc::new(move |line| {
            transcript.lock().note(Who::Log, &line.message);
            lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }),
        stop,
    }
}
