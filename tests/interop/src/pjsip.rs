//! PJSIP as a phone or gateway: registers, dials or waits, speaks a recording, keeps what it hears.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::Process;
use crate::{audio, needs};

/// A phone that was not started yet.
#[derive(Debug)]
pub struct Pjsip {
    arguments: Vec<String>,
    folder: TempDir,
}

impl Pjsip {
    /// A phone that speaks to `server` over UDP.
    #[must_use]
    pub fn new(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the phone's files");
        let heard = folder.path().join("heard.wav").display().to_string();
        Self {
            arguments: Vec::new(),
            folder,
        }
        .with(&["--server", &server.to_string(), "--record", &heard])
    }

    /// Over TCP.
    #[must_use]
    pub fn over_tcp(self) -> Self {
        self.with(&["--transport", "tcp"])
    }

    /// Over TLS, trusting the certificates in `ca`.
    #[must_use]
    pub fn over_tls(self, ca: &Path) -> Self {
        self.with(&["--transport", "tls", "--ca", &ca.display().to_string()])
    }

    /// Speaks SRTP with this suite or not at all.
    #[must_use]
    pub fn encrypting(self, suite: &str) -> Self {
        self.with(&["--srtp", suite])
    }

    /// Registers first, as this user of `realm`.
    #[must_use]
    pub fn registered(self, realm: &str, user: &str, password: &str) -> Self {
        self.with(&[
            "--register",
            "--domain",
            realm,
            "--user",
            user,
            "--password",
            password,
        ])
    }

    /// Dials this number.
    #[must_use]
    pub fn dialling(self, number: &str) -> Self {
        self.with(&["--call", number])
    }

    /// Waits for a call and answers it.
    #[must_use]
    pub fn waiting(self) -> Self {
        self.with(&["--wait"])
    }

    /// What it says.
    #[must_use]
    pub fn speaking(self, speech: &[i16]) -> Self {
        let path = self.folder.path().join("says.wav");
        audio::write_wav(&path, speech);
        self.with(&["--play", &path.display().to_string()])
    }

    /// The one codec it has, as PJSIP names it: `G722/16000/1`. Otherwise PCMU.
    #[must_use]
    pub fn in_codec(self, codec: &str) -> Self {
        self.with(&["--codec", codec])
    }

    /// What it does in the call, such as `3,k5,hold,1,resume`: waits, presses, holds. Then it hangs up after `hold`, unless the
    /// other side was first.
    #[must_use]
    pub fn doing(self, steps: &str, hold: Duration) -> Self {
        let seconds = hold.as_secs_f32().to_string();
        self.with(&["--steps", steps, "--hold", &seconds])
    }

    /// Starts it.
    #[must_use]
    pub fn start(self) -> RunningPjsip {
        let workspace = needs::workspace();
        let python = needs::test_python();
        let process = Process::start(
            "pjsip_phone.py",
            Command::new(python)
                .arg(workspace.join("tests/interop/python/pjsip_phone.py"))
                .args(&self.arguments),
            &self.folder.path().join("output.txt"),
        );
        RunningPjsip {
            process,
            folder: self.folder,
        }
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }
}

/// A phone at work. Dropping it ends the process.
#[derive(Debug)]
pub struct RunningPjsip {
    process: Process,
    folder: TempDir,
}

impl RunningPjsip {
    /// Waits for one of its lines, such as `registered 200` or `state CONFIRMED`.
    pub fn expect(&mut self, line: &str, limit: Duration) -> String {
        self.process.wait_for_line(line, limit)
    }

    /// Waits for its end, asserts that its call came to a regular one, and returns what it wrote and heard.
    #[must_use]
    pub fn finish(mut self, limit: Duration) -> Conversation {
        let status = self.process.wait(limit);
        let log = self.process.output();
        assert!(
            status.success(),
            "the PJSIP phone failed ({status}):\n{log}"
        );
        let heard = self.folder.path().join("heard.wav");
        Conversation {
            heard: if heard.is_file() {
                audio::read_wav(&heard)
            } else {
                Vec::new()
            },
            log,
        }
    }
}

/// One call as the phone had it.
#[derive(Debug)]
pub struct Conversation {
    /// What it heard, 8,000 samples a second.
    pub heard: Vec<i16>,
    /// What it wrote, its message trace included.
    pub log: String,
}
