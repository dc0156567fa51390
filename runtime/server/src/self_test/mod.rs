//! Tests what tenants upload before it is used: the host's callers and questions, and the cases that it brings, are played against it, in a
//! process of its own: `jackfield self-test-worker`.
//!
//! The child is this program again. It limits itself before it reads anything ([`worker`]); the parent here kills it when it takes too
//! long, and reads no more than a verdict may have.

mod callers;
mod cases;
mod questions;
mod verdict;
pub(crate) mod worker;

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use plugin_host::Class;
use serde::{Deserialize, Serialize};
use store::SelfTest;
use tracing::warn;

use crate::compiler::process::{self, End};
use crate::compiler::turns::Turns;

/// From the child's start to its end.
const WALL: Duration = Duration::from_secs(15);
/// Processor time of the child, in seconds.
const CPU_S: u64 = 12;
/// Address space of the child beyond what its engine reserves: the code, the call's world, the transcript.
const MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes of a verdict that are read: JSON, which may have six bytes for one of text.
const VERDICT_BYTES: u64 = 6 * WHY_BYTES as u64 + 256;
/// Bytes of the words of a verdict.
const WHY_BYTES: usize = 4 * 1024;

/// What a worker says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
enum Verdict {
    /// It broke for no caller and at no question, and so many all in all, its cases among them, went as written.
    Passed { cases: u32 },
    /// The last of so many went wrong; says which and how, with the last lines of the transcript.
    Failed { cases: u32, why: String },
    /// The worker cannot run it, and that is not the component's fault.
    NotRun { why: String },
}

/// Starts, watches and kills the processes that test, one at a time.
pub(crate) struct Tester {
    program: PathBuf,
    /// In place of a worker's own.
    arguments: Option<Vec<OsString>>,
    wall: Duration,
    turns: Turns,
}

impl Tester {
    pub(crate) fn new() -> Self {
        Self {
            program: process::this_program(),
            arguments: None,
            wall: WALL,
            turns: Turns::default(),
        }
    }

    /// Tests a component, given with its compiled code; waits for its turn first. Call it on a thread that may block.
    pub(crate) fn test(&self, wasm: &[u8], code: &[u8]) -> SelfTest {
        let could_not = |why: String| SelfTest::CouldNotRun { why };
        let Some(_turn) = self.turns.wait() else {
            return could_not("too many uploads wait to be tested".to_owned());
        };
        let arguments = self.arguments.clone();
        let arguments = arguments.unwrap_or_else(|| worker::arguments(Class::of(wasm)));
        let length = (wasm.len() as u64).to_le_bytes();
        let input = [&length[..], wasm, code];
        let end = process::converse(&self.program, &arguments, &input, self.wall, VERDICT_BYTES);
        match end {
            Ok(end) => judge(&end, self.wall),
            Err(error) => could_not(format!("the test does not start: {error}")),
        }
    }
}

/// What a child's end says of the component.
fn judge(end: &End, wall: Duration) -> SelfTest {
    // Nobody knows how far it came.
    let failed = |why: String| SelfTest::Failed { cases: 0, why };
    let Some(status) = end.status else {
        let seconds = wall.as_secs();
        return failed(format!("the test was stopped: it took {seconds} s"));
    };
    if !status.success() {
        let last_words = String::from_utf8_lossy(&end.last_words);
        warn!(%status, "a component broke its test: {}", last_words.trim_end());
        return failed(how_it_broke(status, &last_words));
    }
    match serde_json::from_slice(&end.answer) {
        Ok(Verdict::Passed { cases }) => SelfTest::Passed { cases },
        Ok(Verdict::Failed { cases, why }) => SelfTest::Failed {
            cases,
            why: bounded(why),
        },
        Ok(Verdict::NotRun { why }) => SelfTest::CouldNotRun { why: bounded(why) },
        Err(_) => failed("the test ended without a verdict".to_owned()),
    }
}

fn how_it_broke(status: ExitStatus, last_words: &str) -> String {
    match status.signal() {
        Some(process::SIGXCPU) => format!("the test took {CPU_S} s of processor time"),
        _ if last_words.contains(process::OUT_OF_MEMORY) => {
            "the test took too much memory".to_owned()
        }
        Some(signal) => format!("the test's process ended by signal {signal}"),
        None => format!("the test's process ended: {status}"),
    }
}

/// At most [`WHY_BYTES`] of it.
fn bounded(mut why: String) -> String {
    why.truncate(why.floor_char_boundary(WHY_BYTES));
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a child that runs this shell script says of a flow. One that sleeps is not waited for.
    fn outcome(script: &str) -> SelfTest {
        let wall = if script.contains("sleep") {
            Duration::ZERO
        } else {
            Duration::from_secs(60)
        };
        let tester = Tester {
            program: PathBuf::from("/bin/sh"),
            arguments: Some(vec!["-c".into(), script.into()]),
            wall,
            turns: Turns::default(),
        };
        tester.test(&[7; 200_000], &[8; 200_000])
    }

    #[test]
    fn however_a_child_ends_there_is_a_verdict() {
        let failed = |why: &str| SelfTest::Failed {
            cases: 0,
            why: why.to_owned(),
        };
        let no_verdict = failed("the test ended without a verdict");
        for (script, expected) in [
            (
                r#"cat >/dev/null; echo '{"result":"passed","cases":2}'"#,
                SelfTest::Passed { cases: 2 },
            ),
            (
                r#"echo '{"result":"passed","cases":9}'"#,
                SelfTest::Passed { cases: 9 },
            ),
            (
                r#"echo '{"result":"failed","cases":3,"why":"it broke"}'"#,
                SelfTest::Failed {
                    cases: 3,
                    why: "it broke".to_owned(),
                },
            ),
            (
                r#"echo '{"result":"not-run","why":"no room"}'"#,
                SelfTest::CouldNotRun {
                    why: "no room".to_owned(),
                },
            ),
            (r#"echo '{"result":"well"}'"#, no_verdict.clone()),
            (r#"echo '{"result":"passed"}'"#, no_verdict.clone()),
            ("cat >/dev/null", no_verdict),
            (
                r#"echo '{"result":"passed","cases":2}'; exit 3"#,
                failed("the test's process ended: exit status: 3"),
            ),
            (
                r#"echo '{"result":"passed","cases":2}'; kill -SEGV $$"#,
                failed("the test's process ended by signal 11"),
            ),
            (
                "kill -XCPU $$",
                failed("the test took 12 s of processor time"),
            ),
            (
                "echo memory allocation of 9 bytes failed >&2; kill -ABRT $$",
                failed("the test took too much memory"),
            ),
            ("exec sleep 60", failed("the test was stopped: it took 0 s")),
        ] {
            assert_eq!(outcome(script), expected, "{script}");
        }
    }

    #[test]
    fn a_verdict_is_bounded() {
        let long = outcome(
            r#"printf '{"result":"failed","cases":1,"why":"'; head -c 20000 /dev/zero | tr '\0' x; echo '"}'"#,
        );
        let SelfTest::Failed { why, .. } = long else {
            panic!("{long:?}");
        };
        assert_eq!(why.len(), WHY_BYTES);
    }

    #[test]
    fn a_test_that_does_not_start_is_the_hosts_trouble() {
        let tester = Tester {
            program: PathBuf::from("/nonexistent/jackfield"),
            ..Tester::new()
        };
        let result = tester.test(b"", b"");
        assert!(
            matches!(&result, SelfTest::CouldNotRun { why } if why.contains("does not start")),
            "{result:?}"
        );
    }
}
