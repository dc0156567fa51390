//! A text that is to be spoken, plain or SSML.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../runtime/speech/tests/speech/fuzzed.rs"]
mod fuzzed;

fuzz_target!(|bytes: &[u8]| {
    fuzzed::ssml(bytes);
});
