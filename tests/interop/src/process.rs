//! A peer's process: bounded in time, ended by its own handle, its output kept.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::needs;

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts `command` with nothing on its standard input and both outputs in the file `output`.
    pub fn start(name: &str, command: &mut Command, output: &Path) -> Self {
        let file =
            File::create(output).unwrap_or_else(|error| panic!("{}: {error}", output.display()));
        let copy = file.try_clone().expect("a file handle can be copied");
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            name: name.to_owned(),
            child,
            output: output.to_owned(),
        }
    }

    /// Waits for its end. Panics with the output when `limit` is over.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self
                .child
                .try_wait()
                .expect("a child of ours can be waited for")
            {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "{} still runs after {limit:?}:\n{}",
                self.name,
                self.output()
            );
            sleep(LOOK_AGAIN);
        }
    }

    /// Waits until `text` is in the output, and returns the line that holds it. Panics with the output when the process ends
    /// before, or `limit` is over.
    pub fn wait_for_line(&mut self, text: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        loop {
            let ended = self
                .child
                .try_wait()
                .expect("a child of ours can be waited for");
            let output = self.output();
            // A line counts once it is whole.
            if let Some(line) = output
                .split_inclusive('\n')
                .find(|line| line.ends_with('\n') && line.contains(text))
            {
                return line.trim().to_owned();
            }
            assert!(
                ended.is_none(),
                "{} ended ({ended:?}) without `{text}`:\n{output}",
                self.name
            );
            assert!(
                Instant::now() < deadline,
                "{} wrote no `{text}` in {limit:?}:\n{output}",
                self.name
            );
            sleep(LOOK_AGAIN);
        }
    }

    /// The memory it holds, in KiB.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or_else(|| panic!("no VmRSS in {status}"))
    }

    /// How many files and sockets it has open.
    #[must_use]
    pub fn open_files(&self) -> usize {
        let path = format!("/proc/{}/fd", self.child.id());
        let files = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        files.count()
    }

    /// Lets it have at most so many files and sockets open.
    pub fn limit_open_files(&self, limit: usize) {
        let status = Command::new(needs::program("prlimit", "util-linux"))
            .args(["--pid", &self.child.id().to_string()])
            .arg(format!("--nofile={limit}:{limit}"))
            .status()
            .expect("prlimit runs");
        assert!(status.success(), "prlimit: {status}");
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{} cannot be signalled",
            self.name
        );
    }

    /// Ends it without asking (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().expect("a running program can be killed");
        self.child.wait().expect("and is gone then");
    }

    /// What it wrote so far, on both outputs.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.output).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks `probe` again and again until it has an answer. Panics with `what` when `limit` is over.
pub fn eventually<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        sleep(LOOK_AGAIN);
    }
}
