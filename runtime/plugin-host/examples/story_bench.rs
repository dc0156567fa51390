//! What a story costs: CPU from nothing to its first wait, and memory while it waits.
//!
//! `cargo run --release -p jackfield-plugin-host --example story_bench [STORIES]`
//!
//! One thread starts STORIES (10,000) instances of the bundled menu, one after the other, each until it waits for its
//! first event; then it looks at its own resident memory; then it ends them all. CPU time is that thread's, from
//! `/proc/thread-self/schedstat`; a round of 200 stories goes before and is not counted.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use call::{AccountSid, CallError, CallInfo, CallSid, Command, Direction, PlaybackId, Reply};
use plugin_host::{CallPort, Engine, EngineConfig, Flow, Limits, Next, Stop, StoryEnd, StorySetup};
use tokio::task::JoinHandle;

const STARTED_UNIX_MS: u64 = 1_767_225_600_000;

/// Accepts everything and never tells anything.
struct Silent;

impl CallPort for Silent {
    async fn command(&mut self, command: Command) -> Result<Reply, CallError> {
        Ok(match command {
            Command::Play { .. } => Reply::Playback(PlaybackId(1)),
            _ => Reply::Done,
        })
    }

    async fn next_event(&mut self, _: Option<Duration>) -> Next {
        pending().await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let stories = std::env::args()
        .nth(1)
        .map_or(10_000, |text| text.parse().expect("STORIES is a number"));
    let engine = Engine::new(EngineConfig {
        max_stories: stories,
        cache: None,
    })
    .expect("an engine");
    let stories = stories.min(engine.ceiling());
    let flow = engine.load(bundled::MENU).expect("the bundled menu loads");
    end(start(&flow, 200).await).await;

    let (cpu_before, memory_before) = (cpu(), resident_kib());
    let running = start(&flow, stories).await;
    let (cpu_started, memory) = (cpu(), resident_kib() - memory_before);
    end(running).await;
    let count = u64::from(stories);
    println!("stories                        {stories}");
    println!(
        "CPU from nothing to first wait {:.1} us",
        micros(cpu_started - cpu_before) / f64::from(stories)
    );
    println!(
        "CPU from there to the end      {:.1} us",
        micros(cpu() - cpu_started) / f64::from(stories)
    );
    println!(
        "resident memory a story        {:.1} KiB",
        memory as f64 / count as f64
    );
}

/// Starts so many stories and lets each run to its first wait.
async fn start(flow: &Flow, stories: u32) -> Vec<(Stop, JoinHandle<StoryEnd>)> {
    let mut running = Vec::new();
    for _ in 0..stories {
        let stop = Stop::new();
        running.push((stop.clone(), tokio::spawn(flow.start(setup(stop), Silent))));
        tokio::task::yield_now().await;
    }
    running
}

async fn end(running: Vec<(Stop, JoinHandle<StoryEnd>)>) {
    for (stop, story) in running {
        assert!(!story.is_finished(), "it waits");
        stop.stop();
        story.await.expect("a story does not panic");
    }
}

fn setup(stop: Stop) -> StorySetup {
    StorySetup {
        info: CallInfo {
            call_sid: CallSid::from_bytes([1; 16]),
            account_sid: AccountSid::from_bytes([2; 16]),
            caller: "+15550100".to_owned(),
            callee: "+15550199".to_owned(),
            direction: Direction::Inbound,
            parent_call_sid: None,
            sip_call_id: "bench@localhost".to_owned(),
        },
        settings: BTreeMap::new(),
        seed: [7; 32],
        started_unix_ms: STARTED_UNIX_MS,
        limits: Limits::default(),
        log: Arc::new(|_| {}),
        stop,
    }
}

/// This thread's time on a processor.
fn cpu() -> Duration {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with schedstat");
    let nanoseconds = text.split(' ').next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.expect("its first field is a number"))
}

fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("VmRSS");
    line.trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("VmRSS is a number")
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
