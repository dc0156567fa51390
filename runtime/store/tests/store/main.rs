//! The store from outside: one suite over all implementations, restarts, kills.

mod agreement;
mod crash;
mod disk;
mod support;
mod verbs;
