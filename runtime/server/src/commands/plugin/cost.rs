//! `jackfield plugin cost`.

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use call::{
    AccountSid, CallError, CallInfo, CallSid, Command, DialId, Direction, Grants, ListeningId,
    PlaybackId, RecordingCommand, RecordingId, Reply, RequestId, StreamId,
};
use plugin_host::{
    Allowance, CallPort, Class, Engine, EngineConfig, Flow, Next, Stop, StoryEnd, StorySetup,
    compile,
};
use tokio::task::JoinHandle;

/// Stories that wait at the same time.
const STORIES: u32 = 16;
const ROUNDS: u32 = 20;
const KIB: f64 = 1024.0;

/// Measures what a call flow costs, and tells it. Only on Linux, which counts a thread's processor time and a process's memory.
pub(super) fn cost(component: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let wasm =
        fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    let class = Class::of(&wasm);
    let engine = Engine::new(EngineConfig {
        max_stories: STORIES,
        cache: None,
    })?
    .with_interpreters(STORIES)?;
    let layout = engine.layout(class).context("it has room for both")?;

    let began = cpu()?;
    let code = compile::code(compile::answer(class, layout, &wasm))?;
    let compiling = cpu()?.saturating_sub(began);
    let code_bytes = code.len();
    let flow = engine
        .load_by(&wasm, |_| Ok(code))
        .with_context(|| format!("{} cannot run calls", component.display()))?;
    let stories = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?
        .block_on(measure(&flow))?;

    let mib = |bytes: usize| bytes as f64 / (KIB * KIB);
    writeln!(out, "class      {class}")?;
    writeln!(out, "component  {:.2} MiB", mib(wasm.len()))?;
    writeln!(
        out,
        "compiling  {:.2} s of processor time",
        compiling.as_secs_f64()
    )?;
    writeln!(out, "code       {:.2} MiB", mib(code_bytes))?;
    writeln!(
        out,
        "a story    {:.3} ms from nothing to its first wait",
        stories.to_first_wait.as_secs_f64() * 1e3
    )?;
    writeln!(
        out,
        "           {:.0} KiB of memory while it waits, of a linear memory of {:.0} KiB",
        stories.resident_bytes as f64 / KIB,
        stories.linear_bytes as f64 / KIB
    )?;
    Ok(())
}

/// What a story costs.
struct Stories {
    /// The median of all.
    to_first_wait: Duration,
    /// What is its own, and not shared with others of the same component; the average.
    resident_bytes: u64,
    /// The most linear memory that one had.
    linear_bytes: u64,
}

/// Starts [`STORIES`] stories, one after the other, each until it waits for its first event, and ends them; [`ROUNDS`] times.
/// The first round, which brings the code into memory, is not counted.
async fn measure(flow: &Flow) -> anyhow::Result<Stories> {
    end(start(flow).await).await?;
    let before = proportional_bytes()?;
    let running = start(flow).await;
    let resident_bytes = proportional_bytes()?.saturating_sub(before) / u64::from(STORIES);
    let mut ends = end(running).await?;
    for _ in 1..ROUNDS {
        ends.extend(end(start(flow).await).await?);
    }
    // A processor counts a thread's time by ticks that are far longer than this, so it is told by the clock; the median leaves
    // out those that were interrupted.
    let mut times: Vec<_> = ends.iter().map(|end| end.busy).collect();
    times.sort_unstable();
    Ok(Stories {
        to_first_wait: times[times.len() / 2],
        resident_bytes,
        linear_bytes: ends.iter().map(|end| end.memory_bytes).max().unwrap_or(0),
    })
}

type Running = Vec<(Stop, JoinHandle<StoryEnd>)>;

async fn start(flow: &Flow) -> Running {
    let mut running = Vec::new();
    for _ in 0..STORIES {
        let stop = Stop::new();
        let story = flow.start(setup(flow, stop.clone()), Silent);
        running.push((stop, tokio::spawn(story)));
        tokio::task::yield_now().await;
    }
    running
}

async fn end(running: Running) -> anyhow::Result<Vec<StoryEnd>> {
    let mut ends = Vec::new();
    for (stop, story) in running {
        let is_over = story.is_finished();
        stop.stop();
        let end = story.await?;
        if is_over {
            bail!(
                "the flow does not wait for anything, so there is nothing to measure: the story {}",
                end.outcome
            );
        }
        ends.push(end);
    }
    Ok(ends)
}

fn setup(flow: &Flow, stop: Stop) -> StorySetup {
    StorySetup {
        info: CallInfo {
            call_sid: CallSid::from_bytes([1; 16]),
            account_sid: AccountSid::from_bytes([2; 16]),
            caller: "+15550100".to_owned(),
            callee: "+15550199".to_owned(),
            direction: Direction::Inbound,
            parent_call_sid: None,
            sip_call_id: "cost@localhost".to_owned(),
        },
        settings: BTreeMap::new(),
        grants: Arc::new(Grants::everything()),
        seed: [7; 32],
        started_unix_ms: crate::clock::unix_ms(),
        limits: flow.class().limits(),
        memory: Allowance::unbounded(),
        log: Arc::new(|_| {}),
        stop,
    }
}

/// Accepts everything and never tells anything.
struct Silent;

impl CallPort for Silent {
    async fn command(&mut self, command: Command) -> Result<Reply, CallError> {
        Ok(match command {
            Command::Play { .. } | Command::Say { .. } | Command::Press(_) => {
                Reply::Playback(PlaybackId(1))
            }
            Command::Http(_) => Reply::Request(RequestId(1)),
            Command::Dial(_) | Command::DialWith { .. } => Reply::Dial(DialId(1)),
            Command::StartStream(_) => Reply::Stream(StreamId(1)),
            Command::Recording(RecordingCommand::Start(_)) => Reply::Recording(RecordingId(1)),
            Command::Listen(_) => Reply::Listening(ListeningId(1)),
            _ => Reply::Done,
        })
    }

    async fn next_event(&mut self, _: Option<Duration>) -> Next {
        pending().await
    }
}

/// This thread's time on a processor.
fn cpu() -> anyhow::Result<Duration> {
    let text = read("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().and_then(|field| field.parse().ok());
    Ok(Duration::from_nanos(nanoseconds.context(
        "/proc/thread-self/schedstat has no number in front",
    )?))
}

/// Memory of this process, of what it shares only its part: pages that stories share count once.
fn proportional_bytes() -> anyhow::Result<u64> {
    let text = read("/proc/self/smaps_rollup")?;
    let kib: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB"))
        .and_then(|number| number.parse().ok())
        .context("/proc/self/smaps_rollup has no Pss")?;
    Ok(kib * 1024)
}

fn read(file: &str) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {file}: this needs Linux"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_flow_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("menu.wasm");
        fs::write(&file, bundled::MENU).unwrap();
        let mut out = Vec::new();
        cost(&file, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in [
            "class      native",
            "compiling  ",
            "first wait",
            "KiB of memory",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let (_, linear) = text.split_once("a linear memory of ").unwrap();
        let kib: u32 = linear.trim().trim_end_matches(" KiB").parse().unwrap();
        assert!(
            (1_024..=32 * 1_024).contains(&kib),
            "Rust's stack alone has 1 MiB: {text}"
        );
    }
}
