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
