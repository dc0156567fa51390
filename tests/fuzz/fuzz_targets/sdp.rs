//! A session description, as an offer and as an answer.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../runtime/sdp/tests/sdp/fuzzed.rs"]
#[allow(dead_code, reason = "the other targets have the other checks")]
mod fuzzed;

fuzz_target!(|bytes: &[u8]| fuzzed::sdp(bytes));
