//! Descriptions of anybody.

mod corpus;
mod fuzzed;
