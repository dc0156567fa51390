//! Runs a built component against a scripted caller in virtual time.
//!
//! No SIP, no sockets, no waiting: a [`Script`] says what the caller does and expects, [`run`] plays it against the
//! component on the real engine and the real call core, and a [`Run`] tells what came of it. A minute of silence takes
//! no time.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use harness::Script;
//! use plugin_host::{Engine, EngineConfig};
//!
//! let engine = Engine::new(EngineConfig { max_stories: 1, cache: None })?;
//! let flow = engine.load(&std::fs::read("menu.wasm")?)?;
//! let script = Script::new().expect_answer().expect_play("menu.wav").press("1").expect_play("sales.wav");
//! println!("{}", harness::run(&flow, script)?.transcript);
//! # Ok(())
//! # }
//! ```
//!
//! Components that decide without a call are asked: [`route`] a routing policy, [`retry`](retry()) a retry strategy. A file of cases
//! ([`read_cases`]) has callers, questions, or both.

mod callee;
mod caller;
mod case;
mod coverage;
mod decisions;
mod far_ends;
mod kept;
mod kept_audio;
mod leg;
mod listener;
mod player;
mod recordings;
mod referee;
mod registered;
mod rooms;
mod run;
mod saved;
mod script;
mod sent;
mod stage;
mod transcript;
mod web;

pub use callee::Callee;
pub use case::{Case, CaseError, Cases, read_cases};
pub use coverage::Coverage;
pub use decisions::{DecisionCase, Verdict, retry, route};
pub use far_ends::SeenStream;
pub use player::{Player, Scene, Turn};
pub use referee::Referee;
pub use run::{Run, Unexpected, perform, play, run};
pub use script::{Script, xml};
