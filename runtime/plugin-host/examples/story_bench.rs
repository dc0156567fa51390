//! What a story costs: time from nothing to its first command, CPU to its first wait, memory while it waits; and what a call of
//! the host costs.
//!
//! `cargo run --release -p jackfield-plugin-host --example story_bench [STORIES]`
//!
//! One thread starts STORIES (10,000) instances of the bundled menu, one after the other, each until it waits for its
//! first event; then it looks at its own resident memory; then it ends them all. CPU time is that thread's, from
//! `/proc/thread-self/schedstat`; a round of 200 stories goes before and is not counted. The time to the first command is the
//! median of all stories, by the clock. A call of the host is a part of 100,000 of one guest that does nothing else.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use call::{AccountSid, CallError, CallInfo, CallSid, Command, Direction, PlaybackId, Reply};
use plugin_host::{
    Allowance, CallPort, Engine, EngineConfig, Flow, Limits, Next, Outcome, Stop, StoryEnd,
    StorySetup,
};
use tokio::task::JoinHandle;

const STARTED_UNIX_MS: u64 = 1_767_225_600_000;

/// Host calls of one guest.
const HOST_CALLS: u32 = 100_000;

/// Accepts everything and never tells anything. Keeps how long the first command took.
struct Silent {
    began: Option<Instant>,
    firsts: Firsts,
}

type Firsts = Arc<Mutex<Vec<Duration>>>;

impl Silent {
    fn new(firsts: &Firsts) -> Self {
        Self {
            began: Some(Instant::now()),
            firsts: Arc::clone(firsts),
        }
    }
}

impl CallPort for Silent {
    async fn command(&mut self, command: Command) -> Result<Reply, CallError> {
        if let Some(began) = self.began.take() {
            let mut firsts = self.firsts.lock().unwrap_or_else(PoisonError::into_inner);
            firsts.push(began.elapsed());
        }
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
    end(start(&flow, 200, &Firsts::default()).await).await;

    let firsts = Firsts::default();
    let (cpu_before, memory_before) = (cpu(), resident_kib());
    let running = start(&flow, stories, &firsts).await;
    let (cpu_started, memory) = (cpu(), resident_kib() - memory_before);
    end(running).await;
    let count = u64::from(stories);
    println!("stories                        {stories}");
    println!(
        "from nothing to first command  {:.1} us",
        micros(median(&firsts))
    );
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
    for (what, import, call) in [
        ("the clock", NOW, "(drop (call $now))"),
        (
            "a command",
            ECHO,
            "(call $echo (i32.const 1) (i32.const 128))",
        ),
    ] {
        let nothing = flood(&engine, import, "").await;
        let cost = flood(&engine, import, call).await.saturating_sub(nothing);
        println!(
            "a host call: {what}         {:.3} us",
            micros(cost) / f64::from(HOST_CALLS)
        );
    }
}

const NOW: &str = r#"(import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $now (result i64)))"#;
const ECHO: &str = r#"(import "jackfield:call/control@0.1.0" "echo" (func $echo (param i32 i32)))"#;

/// CPU of a story that does `call` in a loop.
async fn flood(engine: &Engine, import: &str, call: &str) -> Duration {
    let text = format!(
        r#"(module
            {import}
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
            (func (export "jackfield:call/story@0.1.0#run") (result i32)
                (local $left i32)
                (local.set $left (i32.const {HOST_CALLS}))
                (loop $again
                    {call}
                    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
                (i32.const 64)))"#
    );
    let wasm = zoo::component(&text).expect("the text above is a component");
    let flow = engine.load(&wasm).expect("it runs calls");
    let before = cpu();
    let end = flow
        .start(setup(Stop::new()), Silent::new(&Firsts::default()))
        .await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    cpu() - before
}

fn median(durations: &Firsts) -> Duration {
    let mut durations = durations
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    durations.sort_unstable();
    durations[durations.len() / 2]
}

/// Starts so many stories and lets each run to its first wait.
async fn start(flow: &Flow, stories: u32, firsts: &Firsts) -> Vec<(Stop, JoinHandle<StoryEnd>)> {
    let mut running = Vec::new();
    for _ in 0..stories {
        let stop = Stop::new();
        running.push((
            stop.clone(),
            tokio::spawn(flow.start(setup(stop), Silent::new(firsts))),
        ));
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
        grants: Arc::new(call::Grants::everything()),
        seed: [7; 32],
        started_unix_ms: STARTED_UNIX_MS,
        memory: Allowance::unbounded(),
        limits: Limits {
            cpu: Duration::from_secs(60),
            cpu_in_all: Duration::from_secs(60),
            host_calls_between_waits: u32::MAX,
            host_calls: u32::MAX,
            commands: u32::MAX,
            ..Limits::default()
        },
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
