//! A tenant's web application that validates each request with Twilio's library: `python/webhook_app.py`, `node/webhook_app.mjs`.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::needs;
use crate::process::{Process, eventually};

const LIMIT: Duration = Duration::from_secs(60);

/// Whose validator is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// That for Python.
    Python,
    /// That for Node.
    Node,
}

/// A running application. Dropping it ends the process.
#[derive(Debug)]
pub struct WebhookApp {
    process: Process,
    base: String,
    _folder: TempDir,
}

impl WebhookApp {
    /// Starts one that knows the account's token and answers these paths with these documents; with certificates it speaks TLS.
    #[must_use]
    pub fn start(
        library: Library,
        auth_token: &str,
        pages: &[(&str, &str)],
        certificates: Option<&Certificates>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the application's output");
        let scripts = needs::workspace().join("tests/interop");
        let mut command = match library {
            Library::Python => {
                let mut command = Command::new(needs::test_python());
                command.arg(scripts.join("python/webhook_app.py"));
                command
            }
            Library::Node => {
                let mut command = Command::new(needs::program("node", "nodejs"));
                command.arg(scripts.join("node/webhook_app.mjs"));
                command.arg(needs::test_node_modules());
                command
            }
        };
        let pages: serde_json::Map<_, _> = pages
            .iter()
            .map(|(path, document)| ((*path).to_owned(), json!(document)))
            .collect();
        command
            .arg(auth_token)
            .arg(Value::Object(pages).to_string());
        if let Some(certificates) = certificates {
            command.args([&certificates.certificate, &certificates.key]);
        }
        let output = folder.path().join("output.txt");
        let mut process = Process::start("webhook_app", &mut command, &output);
        let ready = process.wait_for_line("ready", LIMIT);
        let ready: Value = serde_json::from_str(&ready).expect("its first line is JSON");
        Self {
            process,
            base: ready["ready"].as_str().expect("a URL").to_owned(),
            _folder: folder,
        }
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The URL of a path with a user name and a password in it.
    #[must_use]
    pub fn url_with_password(&self, path: &str) -> String {
        self.url(path).replacen("://", "://user:secret@", 1)
    }

    /// What it was asked so far.
    ///
    /// # Panics
    /// When it wrote something else, such as an exception.
    #[must_use]
    pub fn asked(&self) -> Vec<Value> {
        let output = self.process.output();
        let lines = output
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let parsed = lines.map(|line| {
            serde_json::from_str::<Value>(line)
                .unwrap_or_else(|error| panic!("{error}: {line:?} in\n{output}"))
        });
        parsed.filter(|line| line.get("path").is_some()).collect()
    }

    /// Waits until a path was asked so often, and returns those requests.
    #[must_use]
    pub fn wait_for(&self, path: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{path} was asked {count} times"), LIMIT, || {
            let mut asked = self.asked();
            asked.retain(|request| request["path"] == path);
            (asked.len() >= count).then_some(asked)
        })
    }
}
