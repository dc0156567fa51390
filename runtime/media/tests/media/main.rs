//! Audio of anybody.

mod corpus;
mod fuzzed;
