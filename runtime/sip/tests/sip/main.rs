//! The endpoint as its users and peers see it: datagrams and commands in, datagrams and events out, on simulated time.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that cannot set up its case fails the test"
)]

mod arbitrary;
mod auth;
mod busy;
mod challenged;
mod corpus;
mod digest_header;
mod documented;
mod failover;
mod forking_proxy;
mod fuzzed;
mod golden;
mod host;
mod incoming;
mod info;
mod lossy;
mod network;
mod offer;
mod outgoing;
mod prack;
mod reason;
mod refer;
mod register;
mod registration;
mod reinvite;
mod remains;
mod screening;
mod seeds;
mod session_timer;
mod smuggling;
mod stream;
mod torture;
mod transfer;
mod update;
