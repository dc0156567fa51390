//! A stream of datagrams, each behind its length, through counting and the jitter buffer.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../runtime/rtp/tests/rtp/fuzzed.rs"]
#[allow(dead_code, reason = "the other targets have the other checks")]
mod fuzzed;

fuzz_target!(|bytes: &[u8]| fuzzed::rtp(bytes));
