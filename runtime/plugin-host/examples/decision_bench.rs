//! What a decision costs: a fresh instance for each question.
//!
//! `cargo run --release -p jackfield-plugin-host --example decision_bench COMPONENT [QUESTIONS]`
//!
//! One thread asks a routing policy, such as that of `examples/plugins/least-cost-routing`, QUESTIONS (20,000) times about a call and ten
//! trunks, one after the other. Time is the thread's on a processor, from `/proc/thread-self/schedstat`; 500 questions go before and are
//! not counted.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plugin_host::attempts::{OutboundCall, Priority};
use plugin_host::routing::{Channels, Decision, Health, Policy, Recent, Request, Trunk};
use plugin_host::{DecisionLimits, DecisionSetup, Engine, EngineConfig};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let component = arguments.next().expect("the file of a component");
    let questions: u32 = arguments
        .next()
        .map_or(20_000, |text| text.parse().expect("QUESTIONS is a number"));
    let engine = Engine::new(EngineConfig {
        max_stories: 4,
        cache: None,
    })
    .expect("an engine");
    let wasm = std::fs::read(&component).expect("the component can be read");
    let worlds = engine.worlds(&wasm).expect("the component loads");
    let policy = worlds.routing_policy.expect("it is a routing policy");

    ask(&policy, 500).await;
    let before = cpu();
    let busy = ask(&policy, questions).await;
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(questions);
    println!("questions            {questions}");
    println!("CPU a question       {:.1} us", each(cpu() - before));
    println!("instance and guest   {:.1} us", each(busy));
}

async fn ask(policy: &Policy, questions: u32) -> Duration {
    let trunks: Vec<_> = (0..10).map(trunk).collect();
    let mut busy = Duration::ZERO;
    for number in 0..questions {
        let answered = policy.route(&request(number), &trunks, setup()).await;
        let decision = answered.result.expect("a decision");
        assert!(matches!(decision, Decision::Attempts(attempts) if attempts.len() == 10));
        busy += answered.busy;
    }
    busy
}

fn request(number: u32) -> Request {
    Request {
        call: OutboundCall {
            call_sid: format!("CA{number:032x}"),
            account_sid: format!("AC{:032x}", 1),
            caller: "1294".to_owned(),
            callee: format!("+85512{number:06}"),
            operator: None,
            priority: Priority::Ordinary,
            purpose: None,
        },
        attempts: Vec::new(),
        now_unix_ms: 1_795_377_600_000,
    }
}

fn trunk(number: u32) -> Trunk {
    Trunk {
        id: format!("trunk-{number}"),
        prefixes: vec!["+855".to_owned()],
        health: Health::Up,
        channels: Channels {
            used: number,
            limit: 30,
        },
        prefix_channels: Vec::new(),
        starts_left: 10,
        closed_until_unix_ms: None,
        recent: Recent::default(),
        prices: Vec::new(),
        labels: BTreeMap::new(),
    }
}

fn setup() -> DecisionSetup {
    DecisionSetup {
        settings: BTreeMap::new(),
        limits: DecisionLimits::default(),
        log: Arc::new(|_| {}),
    }
}

/// This thread's time on a processor.
fn cpu() -> Duration {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with schedstat");
    let nanoseconds = text.split(' ').next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.expect("its first field is a number"))
}
