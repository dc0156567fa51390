//! WASI preview 1 commands: what they give, and how they fail.

use std::time::Duration;

use plugin_host::command_module::{CommandError, CommandLimits, CommandModule};

use crate::ports::engine;

fn command(body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "path_open"
                (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00\05\00\00\00")
            (data (i32.const 16) "spoken")
            (data (i32.const 32) "out")
            (func (export "_start") {body}))"#
    ))
    .unwrap()
}

async fn run(body: &str, limits: CommandLimits) -> Result<Vec<u8>, CommandError> {
    CommandModule::load(engine(), &command(body))
        .unwrap()
        .run(&["speak", "text"], limits)
        .await
}

const WRITE: &str = "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))";
const COMPLAIN: &str =
    "(drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))";

#[tokio::test]
async fn standard_output_is_what_a_command_gives() {
    let limits = CommandLimits::default();
    assert_eq!(run(WRITE, limits).await, Ok(b"spoke".to_vec()));
    assert_eq!(
        run(&format!("{WRITE} (call $exit (i32.const 0))"), limits).await,
        Ok(b"spoke".to_vec())
    );
    // Two arguments of ten bytes, their ends included: the digit 2 goes where `s` was.
    let count = "(drop (call $sizes (i32.const 100) (i32.const 104)))
                 (i32.store8 (i32.const 16) (i32.add (i32.const 48) (i32.load (i32.const 100))))";
    assert_eq!(
        run(&format!("{count} {WRITE}"), limits).await,
        Ok(b"2poke".to_vec())
    );
}

#[tokio::test]
async fn a_command_may_leave_a_file_in_its_own_folder() {
    // Creates `out` in the first preopened folder (file 3) and writes there.
    let body = "(drop (call $open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 3) (i32.const 1)
                    (i64.const 0x1fffffff) (i64.const 0x1fffffff) (i32.const 0) (i32.const 200)))
                (drop (call $write (i32.load (i32.const 200)) (i32.const 0) (i32.const 1) (i32.const 8)))";
    let command = CommandModule::load(engine(), &command(body)).unwrap();
    let limits = CommandLimits::default();
    let left = command.run_to_file(&["speak"], "out", limits).await;
    assert_eq!(left, Ok(b"spoke".to_vec()));
    let missing = command.run_to_file(&["speak"], "other", limits).await;
    assert!(
        matches!(missing, Err(CommandError::NoOutput(_))),
        "{missing:?}"
    );
    let large = CommandLimits {
        output_bytes: 4,
        ..limits
    };
    let left = command.run_to_file(&["speak"], "out", large).await;
    assert_eq!(left, Err(CommandError::TooMuchOutput(4)));
}

#[tokio::test]
async fn a_command_that_fails_says_how() {
    let limits = CommandLimits {
        cpu: Duration::from_millis(20),
        output_bytes: 12,
        memory_bytes: 128 * 1024,
    };
    let failed = run(&format!("{COMPLAIN} (call $exit (i32.const 3))"), limits).await;
    assert_eq!(
        failed,
        Err(CommandError::Failed {
            status: 3,
            stderr: "spoke".to_owned()
        })
    );
    assert_eq!(
        run("(loop br 0)", limits).await,
        Err(CommandError::OutOfTime)
    );
    let flood = run(&WRITE.repeat(3), limits).await;
    assert_eq!(flood, Err(CommandError::TooMuchOutput(12)));
    for body in [
        "unreachable".to_owned(),
        "(if (i32.eq (memory.grow (i32.const 2)) (i32.const -1)) (then unreachable))".to_owned(),
    ] {
        assert!(
            matches!(run(&body, limits).await, Err(CommandError::Trapped(_))),
            "{body}"
        );
    }
}

#[test]
fn what_is_no_command_is_refused() {
    for wasm in [
        b"hello".to_vec(),
        wat::parse_str("(module)").unwrap(),
        wat::parse_str("(component)").unwrap(),
        wat::parse_str(r#"(module (import "env" "open" (func)) (func (export "_start")))"#)
            .unwrap(),
    ] {
        assert!(matches!(
            CommandModule::load(engine(), &wasm),
            Err(CommandError::Invalid(_))
        ));
    }
}
