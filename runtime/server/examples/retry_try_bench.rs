//! How fast a retry strategy is tried on calls that are over.
//!
//! `cargo run --release -p jackfield --example retry_try_bench COMPONENT [PEOPLE]`
//!
//! One thread plays PEOPLE (10,000) by a strategy, such as that of `examples/plugins/office-hours-retry`, and by the usual rules, as `jackfield retry try`
//! does: three calls each, busy, not answered, and answered in one case of two. What the server's answers cost to read is not in it.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::time::Instant;

use call::{CallRecord, CallStatus};
use dial::back_test::{Totals, by_usual_rules};
use dial::retry::{Attempt, Wish};
use plugin_host::attempts::{OutboundCall, Priority};
use plugin_host::{Engine, EngineConfig};
use store::TrunkId;

#[allow(
    dead_code,
    reason = "the server asks with the same words, and needs more of them"
)]
#[path = "../src/retry/question.rs"]
mod question;
#[path = "../src/retry/trial.rs"]
mod trial;

const MINUTE: u64 = 60_000;
/// A Monday in 2026, UTC.
const BEGAN: u64 = 1_767_614_400_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let component = arguments.next().expect("the file of a component");
    let people: u64 = arguments
        .next()
        .map_or(10_000, |text| text.parse().expect("PEOPLE is a number"));
    let engine = Engine::new(EngineConfig {
        max_stories: 1,
        cache: None,
    })
    .expect("an engine");
    let wasm = std::fs::read(&component).expect("the component can be read");
    let worlds = engine.worlds(&wasm).expect("the component loads");
    let strategy = worlds.retry_strategy.expect("it is a retry strategy");
    let mut trial = trial::Trial::new(strategy, BTreeMap::new());
    let wish = Wish::default();

    let began = Instant::now();
    let (mut by_strategy, mut usual) = (Totals::default(), Totals::default());
    for number in 0..people {
        let past = past(number);
        let played = trial.play(&call(number), &past, &wish).await;
        by_strategy.add(played.expect("somebody was called").attempts());
        let played = by_usual_rules(&past, &wish);
        usual.add(played.expect("somebody was called").attempts());
    }
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "figures to be shown")]
    let pace = |count: u64| count as f64 / took;
    println!(
        "people               {people}, in {took:.1} s: {:.0} a second",
        pace(people)
    );
    println!(
        "questions            {}: {:.0} a second",
        trial.questions,
        pace(trial.questions)
    );
    println!("undecided            {}", trial.undecided);
    println!(
        "reached              {} by the strategy, {} by the usual rules",
        by_strategy.reached, usual.reached
    );
}

fn call(number: u64) -> OutboundCall {
    OutboundCall {
        call_sid: format!("CA{number:032x}"),
        account_sid: format!("AC{:032x}", 1),
        caller: "1294".to_owned(),
        callee: format!("+85512{number:06}"),
        operator: None,
        priority: Priority::Ordinary,
        purpose: None,
    }
}

fn past(number: u64) -> Vec<Attempt> {
    let last = match number % 2 {
        0 => CallStatus::Completed,
        _ => CallStatus::NoAnswer,
    };
    let ends = [CallStatus::Busy, CallStatus::NoAnswer, last];
    let calls = ends.into_iter().zip(0_u64..).map(|(status, nth)| Attempt {
        started_unix_ms: BEGAN + nth * 16 * MINUTE,
        ended_unix_ms: BEGAN + (nth * 16 + 1) * MINUTE,
        trunk: Some(TrunkId("north".to_owned())),
        record: CallRecord::new(status, ""),
    });
    calls.collect()
}
