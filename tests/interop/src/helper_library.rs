//! The official helper libraries of Twilio, run through the scripts in `python/` and `node/`.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::needs;
use crate::process::Process;
use crate::rest::Rest;

/// Runs `python/SCRIPT` for this API user to its end, and returns the JSON object of each line it printed.
#[must_use]
pub fn run(script: &str, user: &Rest, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(needs::test_python());
    command.arg(needs::workspace().join("tests/interop/python").join(script));
    see_through(script, command, user, arguments)
}

/// The same for `node/SCRIPT`.
#[must_use]
pub fn run_in_node(script: &str, user: &Rest, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(needs::program("node", "nodejs"));
    command
        .arg(needs::workspace().join("tests/interop/node").join(script))
        .arg(needs::test_node_modules());
    see_through(script, command, user, arguments)
}

fn see_through(script: &str, mut command: Command, user: &Rest, arguments: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder for the script's output");
    let mut process = Process::start(
        script,
        command
            .args([
                &format!("http://{}", user.address),
                &user.account_sid,
                &user.auth_token,
            ])
            .args(arguments),
        &folder.path().join("output.txt"),
    );
    let status = process.wait(Duration::from_secs(90));
    let output = process.output();
    assert!(status.success(), "{script} failed ({status}):\n{output}");
    output
        .lines()
        .map(|line| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error}: {line:?} in\n{output}"))
        })
        .collect()
}
