//! `jackfield plugin`, asked about a running server.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::server::{Server, binary};

/// Runs `jackfield plugin ARGUMENTS` for the tests' account in this folder; whether it succeeded, and what it said. What it builds lies in
/// the workspace's target folder, so that the SDK is compiled once.
///
/// # Panics
/// When it cannot be run.
#[must_use]
pub fn plugin_in(folder: &Path, server: &Server, arguments: &[&str]) -> (bool, String) {
    let rest = server.rest();
    let binary = binary();
    let output = Command::new(&binary)
        .current_dir(folder)
        .arg("plugin")
        .args(arguments)
        .env("CARGO_TARGET_DIR", binary.with_file_name("plugin-author"))
        .env("JF_SERVER", format!("http://{}", server.api))
        .env("JF_ACCOUNT", rest.account_sid)
        .env("JF_TOKEN", rest.auth_token)
        .output()
        .expect("jackfield can be run");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), text)
}

/// As [`plugin_in`], wherever the test runs.
///
/// # Panics
/// When it cannot be run.
#[must_use]
pub fn plugin(server: &Server, arguments: &[&str]) -> (bool, String) {
    plugin_in(Path::new("."), server, arguments)
}

/// As [`plugin`], and it succeeds.
///
/// # Panics
/// When it does not.
pub fn succeed(server: &Server, arguments: &[&str]) -> String {
    let (succeeded, text) = plugin(server, arguments);
    assert!(succeeded, "{arguments:?}: {text}");
    text
}

/// As [`succeed`], with `--json`.
///
/// # Panics
/// When it does not, or answers something else.
#[must_use]
pub fn json(server: &Server, arguments: &[&str]) -> Value {
    let text = succeed(server, &[arguments, &["--json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The core module of a policy or a strategy that breaks, as text. `export` is the question; its guest may say `words`, which lie at 512.
///
/// Of called numbers that begin with +1, which no test before an upload asks about, it traps for those that end in 1 and computes for ever for
/// those that end in 2. For the others `rest` decides, by `$last`: the last digit as a character, 0 for other numbers. The answer is at 264:
/// whether it is an error, then (272) which case it is, then (280) what the case holds.
#[must_use]
pub fn breaking(export: &str, words: &str, rest: &str) -> String {
    // The called number is the fourth text of the question: it lies at 24, and its length at 28.
    format!(
        r#"(module
      (memory (export "memory") 1)
      (global $next (mut i32) (i32.const 4096))
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get 3))))
      (data (i32.const 512) "{words}")
      (func (export "{export}") (param $asked i32) (result i32)
        (local $number i32) (local $last i32)
        (local.set $number (i32.load offset=24 (local.get $asked)))
        (if (i32.eq (i32.load8_u offset=1 (local.get $number)) (i32.const 49)) (then
          (local.set $last (i32.load8_u
            (i32.sub (i32.add (local.get $number) (i32.load offset=28 (local.get $asked))) (i32.const 1))))))
        (if (i32.eq (local.get $last) (i32.const 49)) (then unreachable))
        (if (i32.eq (local.get $last) (i32.const 50)) (then (loop $for_ever (br $for_ever))))
        {rest}
        (i32.const 264)))"#
    )
}
