//! Runs components: engine, worlds, capabilities, limits, journal.
//!
//! Three lifecycles, three types: [`Engine`] lives as long as the process, a [`Flow`] as long as a tenant's component
//! is loaded, and one story (a call of [`Flow::start`]) as long as its call. Whatever a guest does, its story ends with
//! a value, [`StoryEnd`]; the host goes on.
//!
//! Beside calls there are decisions: a [`routing::Policy`] chooses trunks, a [`retry::Strategy`] says when to try again. One
//! question, one answer ([`Answered`]), no call and no journal. One component may be all three: [`Worlds`].

mod allowance;
mod asks;
pub mod attempts;
mod bindings;
mod bounds;
mod cache;
mod capabilities;
mod cases;
mod class;
pub mod command_module;
pub mod compile;
mod conceal;
mod decision;
mod engine;
mod fit;
mod flow;
mod interfaces;
pub mod journal;
mod log;
mod meter;
mod notebook;
mod parts;
mod pool;
mod port;
mod redact;
mod replay;
pub mod retry;
pub mod routing;
mod sandbox;
mod state;
mod story;
pub mod told;
mod versions;
mod wit_files;
pub mod words;
mod world;
mod worlds;

pub use allowance::Allowance;
pub use asks::{asks, check, require, self_test_settings, with_asks};
pub use cache::CodeCache;
pub use cases::{CaseFile, cases, with_cases};
pub use class::Class;
pub use decision::{Answered, DecisionLimits, DecisionSetup, NoDecision};
pub use engine::{Engine, EngineConfig, EngineError};
pub use flow::Flow;
pub use interfaces::Interfaces;
pub use log::{LogLevel, LogLine, LogSink};
pub use meter::Limit;
pub use pool::MemoryLayout;
pub use port::{CallPort, Next};
pub use replay::{Difference, Replay, ReplayError, replay};
pub use story::{Limits, Outcome, Stop, StoryEnd, StorySetup};
pub use wit_files::{WitFile, wit_files};
pub use world::LoadError;
pub use worlds::Worlds;
