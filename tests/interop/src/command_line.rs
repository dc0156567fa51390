//! `jackfield COMMAND`, asked about a running server.

use std::process::Command;

use crate::rest::Rest;
use crate::server::{Server, binary};

/// Runs `jackfield ARGUMENTS` as the account of the tests; what it printed.
///
/// # Errors
/// What it said, where it fails.
///
/// # Panics
/// When it cannot be run.
pub fn run(server: &Server, arguments: &[&str]) -> Result<String, String> {
    run_as(&server.rest(), arguments)
}

/// As [`run`], with the operator's token, or another word in its place.
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// As [`run`].
pub fn run_with(server: &Server, token: &str, arguments: &[&str]) -> Result<String, String> {
    let rest = Rest {
        auth_token: token.to_owned(),
        ..server.rest()
    };
    run_as(&rest, arguments)
}

/// As [`run`], as whoever that is.
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// As [`run`].
pub fn run_as(rest: &Rest, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(binary())
        .args(arguments)
        .env("JF_SERVER", format!("http://{}", rest.address))
        .env("JF_ACCOUNT", &rest.account_sid)
        .env("JF_TOKEN", &rest.auth_token)
        .output()
        .expect("jackfield can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&[output.stdout, output.stderr].concat())),
    }
}
