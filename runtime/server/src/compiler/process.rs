//! A child that is this program again: fed, listened to, and killed when it takes too long.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often the parent looks whether the child has ended.
const LOOK: Duration = Duration::from_millis(5);
/// Bytes of its standard error that are kept for the log.
const LAST_WORDS_BYTES: u64 = 4 * 1024;
/// What the Rust runtime says when it gets no memory.
pub(crate) const OUT_OF_MEMORY: &str = "memory allocation of";
/// Ends a child whose processor time is over.
pub(crate) const SIGXCPU: i32 = 24;

/// What came of a child.
pub(crate) struct End {
    /// None when it was killed because its time was over.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) answer: Vec<u8>,
    pub(crate) last_words: Vec<u8>,
}

/// This very program, also when its file was replaced meanwhile.
pub(crate) fn this_program() -> PathBuf {
    if cfg!(target_os = "linux") {
        return PathBuf::from("/proc/self/exe");
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("jackfield"))
}

/// Starts a child, writes `input` to it, one part after the other, takes the answer, at most `answer_bytes`, and sees to it that the
/// child ends within `wall`.
///
/// # Errors
/// When it does not start.
pub(crate) fn converse(
    program: &Path,
    arguments: &[OsString],
    input: &[&[u8]],
    wall: Duration,
    answer_bytes: u64,
) -> std::io::Result<End> {
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let deadline = Instant::now() + wall;
    let mut stdin = child.stdin.take().expect("it is piped");
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = child.stderr.take().expect("it is piped");
    thread::scope(|scope| {
        // A child that refuses early does not read to the end; what it answers counts.
        scope.spawn(move || input.iter().try_for_each(|part| stdin.write_all(part)));
        let answer = scope.spawn(|| read_at_most(stdout, answer_bytes));
        let last_words = scope.spawn(|| read_at_most(stderr, LAST_WORDS_BYTES));
        let status = wait_until(&mut child, deadline);
        let text = |thread: thread::ScopedJoinHandle<'_, Vec<u8>>| {
            thread.join().expect("reading does not panic")
        };
        Ok(End {
            status,
            answer: text(answer),
            last_words: text(last_words),
        })
    })
}

/// What a pipe gives, up to so many bytes; after that it is closed, and who writes on ends by that.
fn read_at_most(pipe: impl Read, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A pipe that breaks belongs to a child that did not end well, which its status says.
    let _ = pipe.take(limit).read_to_end(&mut bytes);
    bytes
}

/// How the child ended, or none when it had to be killed.
fn wait_until(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => thread::sleep(LOOK),
            Err(_) => break,
        }
    }
    // Whatever this says, the child is not waited for any longer.
    let _ = child.kill();
    let _ = child.wait();
    None
}
