//! SSML as strangers write it.

mod corpus;
mod fuzzed;
