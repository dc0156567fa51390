//! The dialer from outside: rows of inputs and outputs, and a seeded simulation on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod departures;
mod failover;
mod far_end;
mod load;
mod random;
mod reasons;
mod routes;
mod rows;
mod simulation;
mod stopped;
mod storm;
mod terms;
mod warned;
mod world;
