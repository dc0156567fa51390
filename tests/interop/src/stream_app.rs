//! A server of media streams: aiohttp, run through `python/stream_app.py`.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use crate::audio;
use crate::needs;
use crate::process::{Process, eventually};

/// A running server. Dropping it ends the process.
#[derive(Debug)]
pub struct StreamApp {
    process: Process,
    port: u64,
    _folder: TempDir,
}

impl StreamApp {
    /// Starts one that knows the account's token.
    #[must_use]
    pub fn start(auth_token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the server's output");
        let script = needs::workspace().join("tests/interop/python/stream_app.py");
        let mut process = Process::start(
            "stream_app.py",
            Command::new(needs::test_python())
                .arg(script)
                .arg(auth_token),
            &folder.path().join("output.txt"),
        );
        let ready = process.wait_for_line("ready", Duration::from_secs(30));
        let ready: Value = serde_json::from_str(&ready).expect("its first line is JSON");
        Self {
            process,
            port: ready["port"].as_u64().expect("a port is a number"),
            _folder: folder,
        }
    }

    /// The URL of one of its paths.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.port)
    }

    /// What it was told at this path so far.
    #[must_use]
    pub fn told(&self, path: &str) -> Vec<Value> {
        let output = self.process.output();
        output
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| {
                serde_json::from_str::<Value>(line)
                    .unwrap_or_else(|error| panic!("{error}: {line:?} in\n{output}"))
            })
            .filter(|told| told["path"] == path)
            .collect()
    }

    /// What it was told at this path, once the connection is closed.
    #[must_use]
    pub fn told_to_the_end(&self, path: &str, limit: Duration) -> Vec<Value> {
        eventually("the stream is closed", limit, || {
            let told = self.told(path);
            let is_closed = told.last().is_some_and(|last| last["event"] == "closed");
            is_closed.then_some(told)
        })
    }
}

/// The audio of one track (`inbound` or `outbound`), by the messages' timestamps: what is missing is silence.
#[must_use]
pub fn audio_of(told: &[Value], track: &str) -> Vec<i16> {
    let mut heard = Vec::new();
    for media in told.iter().map(|message| &message["media"]) {
        if media["track"] != track {
            continue;
        }
        let text = |name: &str| media[name].as_str().expect("Twilio's numbers are texts");
        let at_ms: usize = text("timestamp").parse().expect("milliseconds");
        let codes = STANDARD.decode(text("payload")).expect("Base64");
        heard.resize(at_ms * 8, 0);
        heard.extend(codes.iter().map(|code| audio::mu_law(*code)));
    }
    heard
}
