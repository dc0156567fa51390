//! Makes random modules for the zoo: `jackfield-smith COUNT FILE`.

use std::io::Write;

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};

/// Bytes of chance that a module is made of.
const BYTES: usize = 768;

/// What a module may import: a part of the world `call-flow`.
const IMPORTS: &str = r#"(module
    (import "jackfield:call/control@0.1.0" "answer" (func (param i32)))
    (import "jackfield:call/control@0.1.0" "hang-up" (func (param i32)))
    (import "jackfield:call/control@0.1.0" "echo" (func (param i32 i32)))
    (import "jackfield:call/control@0.1.0" "play" (func (param i32 i32 i32 i32 i32)))
    (import "jackfield:call/control@0.1.0" "stop-playback" (func (param i32 i32)))
    (import "jackfield:call/control@0.1.0" "next-event" (func (param i32 i32 i32)))
    (import "jackfield:call/control@0.1.0" "info" (func (param i32)))
    (import "wasi:config/store@0.2.0-rc.1" "get" (func (param i32 i32 i32)))
    (import "wasi:logging/logging@0.1.0-draft" "log" (func (param i32 i32 i32 i32 i32)))
    (import "wasi:cli/stdout@0.2.6" "get-stdout" (func (result i32)))
    (import "wasi:clocks/monotonic-clock@0.2.6" "now" (func (result i64)))
    (import "wasi:random/random@0.2.6" "get-random-u64" (func (result i64))))"#;

/// What it exports.
const EXPORTS: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "jackfield:call/story@0.1.0#run") (result i32) unreachable))"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(count), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: jackfield-smith COUNT FILE".into());
    };
    let count: u64 = count.parse()?;
    let (imports, exports) = (wat::parse_str(IMPORTS)?, wat::parse_str(EXPORTS)?);
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for seed in 0..count {
        let chance = chance(seed);
        let config = Config {
            available_imports: Some(imports.clone()),
            exports: Some(exports.clone()),
            max_memories: 1,
            max_memory32_bytes: 4 * 1024 * 1024,
            max_table_elements: 1_000,
            // The engine has no `externref`.
            reference_types_enabled: false,
            gc_enabled: false,
            memory64_enabled: false,
            tail_call_enabled: false,
            threads_enabled: false,
            exceptions_enabled: false,
            ..Config::default()
        };
        let module = Module::new(config, &mut Unstructured::new(&chance))?.to_bytes();
        file.write_all(&u32::try_from(module.len())?.to_be_bytes())?;
        file.write_all(&module)?;
    }
    Ok(file.flush()?)
}

/// Random bytes from a seed: SplitMix64.
fn chance(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(BYTES);
    while bytes.len() < BYTES {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes
}
