//! Stories of hand-written components against the real engine.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(missing_docs)]

mod capabilities;
mod classes;
mod command_module;
mod decisions;
mod frozen;
mod grants;
mod guests;
mod key_values;
mod limits;
mod load;
mod official;
mod people;
mod ports;
mod replay;
mod versions;
mod zoo;
