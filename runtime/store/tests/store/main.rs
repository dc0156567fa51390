//! The store from outside: one suite over all implementations, restarts, kills.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod agreement;
mod broadcasts;
mod callbacks;
mod callbacks_of_streams;
mod conferences;
mod crash;
mod disk;
mod edits;
mod farewells;
mod key_values;
mod people;
mod plugins;
mod queues;
mod recordings;
mod support;
mod things;
mod verbs;
