//! A value of a header field: an address, a `Via`, a `CSeq`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../runtime/sip/tests/sip/fuzzed.rs"]
#[allow(dead_code, reason = "the other targets have the other checks")]
mod fuzzed;

fuzz_target!(|bytes: &[u8]| fuzzed::values(bytes));
