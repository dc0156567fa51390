//! Datagrams of anybody, and what it costs to take them.

mod allocations;
mod corpus;
mod fuzzed;
