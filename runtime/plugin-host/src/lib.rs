//! Runs components: engine, worlds, capabilities, limits, journal.
//!
//! Three lifecycles, three types: [`Engine`] lives as long as the process, a [`Flow`] as long as a tenant's component
//! is loaded, and one story (a call of [`Flow::start`]) as long as its call. Whatever a guest does, its story ends with
//! a value, [`StoryEnd`]; the host goes on.

mod bindings;
mod cache;
mod capabilities;
pub mod command_module;
mod engine;
mod flow;
mod interfaces;
pub mod journal;
mod log;
mod notebook;
mod port;
mod replay;
mod state;
mod story;
pub mod words;
mod world;

pub use cache::CodeCache;
pub use engine::{Engine, EngineConfig, EngineError};
pub use flow::Flow;
pub use interfaces::Interfaces;
pub use log::{LogLevel, LogLine, LogSink};
pub use port::{CallPort, Next};
pub use replay::{Difference, Replay, ReplayError, replay};
pub use story::{Limits, Outcome, Stop, StoryEnd, StorySetup};
pub use world::LoadError;
