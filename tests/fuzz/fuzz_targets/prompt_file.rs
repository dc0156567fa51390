//! A file that a prompt is to come from.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../runtime/media/tests/media/fuzzed.rs"]
#[allow(dead_code, reason = "the other targets have the other checks")]
mod fuzzed;

fuzz_target!(|bytes: &[u8]| fuzzed::prompt_file(bytes));
