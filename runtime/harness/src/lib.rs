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

mod callee;
mod caller;
mod case;
mod far_ends;
mod leg;
mod recordings;
mod rooms;
mod run;
mod script;
mod sent;
mod stage;
mod transcript;

pub use callee::Callee;
pub use case::{Case, CaseError, read_cases};
pub use far_ends::SeenStream;
pub use run::{Run, Unexpected, perform, run};
pub use script::{Script, xml};
