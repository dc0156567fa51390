//! `SIPp`, run with the scenarios beside this crate.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::needs;
use crate::ports;
use crate::process::Process;

/// Calls of one scenario, not started yet; one call unless [`Self::calling`] says more.
#[derive(Debug)]
pub struct Sipp {
    scenario: &'static str,
    address: &'static str,
    media_address: Option<&'static str>,
    transport: &'static str,
    service: String,
    hold: Duration,
    calls: u32,
    calls_per_second: u32,
    values: Vec<(&'static str, String)>,
}

impl Sipp {
    /// A caller or callee of `scenarios/NAME.xml`.
    #[must_use]
    pub fn new(scenario: &'static str) -> Self {
        Self {
            scenario,
            address: "127.0.0.1",
            media_address: None,
            transport: "u1",
            service: "none".to_owned(),
            hold: Duration::from_millis(500),
            calls: 1,
            calls_per_second: 1,
            values: vec![
                ("CALLER", "+85512345678".to_owned()),
                ("FIELDS", String::new()),
            ],
        }
    }

    /// The number it calls from, in place of +85512345678.
    #[must_use]
    pub fn calling_from(mut self, number: &str) -> Self {
        let caller = self.values.iter_mut().find(|(name, _)| *name == "CALLER");
        caller.expect("every scenario has a caller").1 = number.to_owned();
        self
    }

    /// Header fields of its INVITE, or of its 200 (behind `@FIELDS@` in the scenario).
    #[must_use]
    pub fn with_fields(mut self, fields: &[&str]) -> Self {
        let lines = fields.iter().map(|field| format!("\n{field}")).collect();
        let known = self.values.iter_mut().find(|(name, _)| *name == "FIELDS");
        known.expect("every scenario has them, mostly none").1 = lines;
        self
    }

    /// The number it dials.
    #[must_use]
    pub fn dialling(mut self, number: &str) -> Self {
        self.service = number.to_owned();
        self
    }

    /// Over TCP, in one connection.
    #[must_use]
    pub fn over_tcp(mut self) -> Self {
        self.transport = "t1";
        self
    }

    /// How long the scenario's own pause lasts.
    #[must_use]
    pub fn holding(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }

    /// How many calls it makes, and how many of them it begins in a second.
    #[must_use]
    pub fn calling(mut self, calls: u32, per_second: u32) -> Self {
        (self.calls, self.calls_per_second) = (calls, per_second);
        self
    }

    /// The address of this host it speaks from, in place of 127.0.0.1.
    #[must_use]
    pub fn from_address(mut self, address: &'static str) -> Self {
        self.address = address;
        self
    }

    /// The address of this host that it takes RTP at, in place of the one that it speaks from.
    #[must_use]
    pub fn with_media_at(mut self, address: &'static str) -> Self {
        self.media_address = Some(address);
        self
    }

    /// The status that the scenario gives or expects (`@STATUS@` in it).
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.values.push(("STATUS", status.to_string()));
        self
    }

    /// What the scenario expects in the end (`@OUTCOME@` in it), such as `200 OK`.
    #[must_use]
    pub fn with_outcome(mut self, outcome: &str) -> Self {
        self.values.push(("OUTCOME", outcome.to_owned()));
        self
    }

    /// As whom it registers (`@USER@` and `@PASSWORD@` in the scenario).
    #[must_use]
    pub fn registering(mut self, user: &str, password: &str) -> Self {
        let login = [("USER", user), ("PASSWORD", password)];
        self.values
            .extend(login.map(|(name, value)| (name, value.to_owned())));
        self
    }

    /// The key it presses: one of the recordings that come with `SIPp`.
    #[must_use]
    pub fn pressing(mut self, key: char) -> Self {
        let name = match key {
            '#' => "pound".to_owned(),
            '*' => "star".to_owned(),
            digit => digit.to_string(),
        };
        let recording = recording(&format!("dtmf_2833_{name}.pcap"));
        self.values
            .push(("DIGIT_PCAP", recording.display().to_string()));
        self
    }

    /// The recording it plays: one of those that come with `SIPp`.
    #[must_use]
    pub fn playing(mut self, name: &str) -> Self {
        self.values
            .push(("AUDIO_PCAP", recording(name).display().to_string()));
        self
    }

    /// Starts it against `server` (a callee waits for its call and ignores whose it is).
    #[must_use]
    pub fn start(self, server: SocketAddr) -> RunningSipp {
        let folder = tempfile::tempdir().expect("a folder for SIPp's files");
        let scenario = self.prepare(folder.path());
        let port = ports::free();
        let media_port = ports::range(8);
        let mut command = Command::new(needs::program("sipp", "sip-tester"));
        command
            .current_dir(folder.path())
            .arg(server.to_string())
            .args([
                "-t",
                self.transport,
                "-i",
                self.address,
                "-p",
                &port.to_string(),
            ])
            .args(["-mi", self.media_address.unwrap_or(self.address)])
            .args(["-mp", &media_port.to_string()])
            .arg("-sf")
            .arg(scenario)
            .args([
                "-s",
                &self.service,
                "-m",
                &self.calls.to_string(),
                "-r",
                &self.calls_per_second.to_string(),
                "-d",
                &self.hold.as_millis().to_string(),
            ])
            .args([
                "-nostdin",
                "-trace_err",
                "-error_file",
                "errors.log",
                "-trace_msg",
                "-message_file",
                "messages.log",
            ]);
        let process = Process::start(
            self.scenario,
            &mut command,
            &folder.path().join("output.txt"),
        );
        let address = SocketAddr::new(self.address.parse().expect("an IP address"), port);
        RunningSipp {
            name: self.scenario,
            process,
            address,
            media_port,
            is_over_tcp: self.transport == "t1",
            folder,
        }
    }

    /// Copies the scenario with its parts and values filled in: `SIPp` knows no includes, and takes some values (statuses,
    /// recordings) from the file only.
    fn prepare(&self, folder: &Path) -> PathBuf {
        let scenarios = needs::workspace().join("tests/interop/scenarios");
        let mut text = read(&scenarios.join(format!("{}.xml", self.scenario)));
        while let Some((before, rest)) = text.split_once("@part:") {
            let (name, behind) = rest.split_once('@').expect("a part's name ends in @");
            let part = read(&scenarios.join("parts").join(name).with_extension("txt"));
            text = format!("{before}{}{behind}", part.trim_end_matches('\n'));
        }
        for (name, value) in &self.values {
            text = text.replace(&format!("@{name}@"), value);
        }
        let copy = folder.join("scenario.xml");
        std::fs::write(&copy, text).unwrap_or_else(|error| panic!("{}: {error}", copy.display()));
        copy
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where `SIPp`'s package put one of its recordings.
#[must_use]
pub fn recording(name: &str) -> PathBuf {
    let folders = [
        "/usr/share/sip-tester",
        "/usr/share/sipp/pcap",
        "/usr/share/sipp",
        "/usr/local/share/sipp/pcap",
    ];
    let candidates = folders.map(|folder| format!("{folder}/{name}"));
    needs::file(&candidates.each_ref().map(String::as_str), "sip-tester")
}

/// A `SIPp` that runs its calls.
#[derive(Debug)]
pub struct RunningSipp {
    name: &'static str,
    process: Process,
    /// Where it speaks SIP.
    pub address: SocketAddr,
    /// Where it takes RTP.
    pub media_port: u16,
    is_over_tcp: bool,
    folder: TempDir,
}

impl RunningSipp {
    /// Waits until its socket is there. A callee must be before the call comes.
    #[must_use]
    pub fn listening(self) -> Self {
        crate::process::eventually("SIPp listens", Duration::from_secs(10), || {
            let is_there = match self.is_over_tcp {
                true => ports::listens(self.address.port()),
                false => std::net::UdpSocket::bind(self.address).is_err(),
            };
            is_there.then_some(())
        });
        self
    }

    /// Waits for the end of the scenario, and asserts that it ran through.
    pub fn succeed(mut self, limit: Duration) -> Messages {
        let status = self.process.wait(limit);
        let errors =
            std::fs::read_to_string(self.folder.path().join("errors.log")).unwrap_or_default();
        let text =
            std::fs::read_to_string(self.folder.path().join("messages.log")).unwrap_or_default();
        assert!(
            status.success(),
            "{} failed ({status}):\n{errors}\n{text}\n{}",
            self.name,
            self.process.output()
        );
        Messages { text }
    }
}

/// The trace of one call: each message as it was sent and received.
#[derive(Debug)]
pub struct Messages {
    text: String,
}

impl Messages {
    /// The start lines of what `SIPp` received, in order, each with its `CSeq` method: `SIP/2.0 200 OK` of `INVITE`.
    #[must_use]
    pub fn received(&self) -> Vec<(&str, &str)> {
        self.blocks(" message received ").collect()
    }

    /// How often `start_line` for a transaction of `method` was received.
    #[must_use]
    pub fn count_received(&self, start_line: &str, method: &str) -> usize {
        self.received()
            .into_iter()
            .filter(|message| *message == (start_line, method))
            .count()
    }

    /// How often a request of `method` was sent.
    #[must_use]
    pub fn count_sent(&self, method: &str) -> usize {
        self.blocks(" message sent ")
            .filter(|(line, _)| line.starts_with(method))
            .count()
    }

    /// How often `start_line` for a transaction of `method` was received after the first `sent` request had been sent.
    #[must_use]
    pub fn received_after_sent(&self, sent: &str, start_line: &str, method: &str) -> usize {
        self.blocks(" message ")
            .skip_while(|(line, _)| !line.starts_with(sent))
            .filter(|message| *message == (start_line, method))
            .count()
    }

    /// The different tags that the other side put on `To`.
    #[must_use]
    pub fn to_tags_received(&self) -> BTreeSet<&str> {
        self.text
            .lines()
            .filter_map(|line| {
                line.strip_prefix("To:")?
                    .split_once(";tag=")
                    .map(|(_, tag)| tag.trim())
            })
            .collect()
    }

    /// The whole trace, for an assertion's message.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `SIPp` separates messages by a dashed line and puts `UDP message received [528] bytes :` before each.
    fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.text
            .split("-----------------------------------------------")
            .filter(move |block| block.contains(kind))
            .map(|block| {
                let start = block
                    .lines()
                    .skip(2)
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                let sequence = block
                    .lines()
                    .find_map(|line| line.strip_prefix("CSeq:"))
                    .unwrap_or_default();
                (
                    start.trim(),
                    sequence.split_whitespace().nth(1).unwrap_or_default(),
                )
            })
    }
}
