//! What the callers of many calls heard and did: what no call reached is what no case tests.

use std::collections::BTreeMap;
use std::fmt;

use call::{
    Command, ConferenceCommand, Event, HangUpCause, HttpRequest, MediaSource, QueueCommand,
    RecordingCommand, StoryFlow,
};
use plugin_host::Outcome;
use plugin_host::journal::{Entry, Journal, JournalError};

use crate::Run;

/// How often each thing came about, by its kind (`plays`, `says`, …) and its name.
///
/// Kinds: `plays`, `says`, `presses`, `asks` (method and URL of a request, without the query), `dials`, `refers`, `joins`, `queues`, `streams`,
/// `records`, `logs`; `keys`, as `what was heard last: keys`; `ends`, how stories and calls ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<String, BTreeMap<String, u64>>,
    cases: u64,
}

impl Coverage {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts what came about in a run.
    ///
    /// # Errors
    /// When the run's journal cannot be read, which a story cannot bring about.
    pub fn add(&mut self, run: &Run) -> Result<(), JournalError> {
        self.cases += 1;
        let journal = Journal::read(&run.end.journal)?;
        let mut branch = Branch::default();
        for entry in &journal.entries {
            match entry {
                Entry::Command {
                    command,
                    result: Ok(_),
                } => {
                    if let Some((kind, name)) = named(command) {
                        branch.close(self);
                        branch.hear(kind, &name);
                        self.count(kind, &name);
                    }
                }
                Entry::Next {
                    event: Some(Event::Digit(key)),
                    ..
                } => branch.keys.push(*key),
                Entry::Next {
                    event: Some(Event::HungUp(cause)),
                    ..
                } => branch.hung_up = Some(*cause),
                Entry::Log(line) => self.count("logs", &line.message),
                _ => {}
            }
        }
        branch.close(self);
        self.count("ends", &end(&run.end.outcome, branch.hung_up));
        Ok(())
    }

    /// Takes in what an earlier run reached, so that [`Self::missed`] has it where this one did not.
    pub fn expect(&mut self, earlier: &Self) {
        for (kind, names) in &earlier.counts {
            for name in names.keys() {
                self.expect_one(kind, name);
            }
        }
    }

    /// As [`Self::expect`], of one thing: a prompt in a folder, say.
    pub fn expect_one(&mut self, kind: &str, name: &str) {
        let names = self.counts.entry(kind.to_owned()).or_default();
        names.entry(name.to_owned()).or_default();
    }

    /// What was expected and no run reached: kind and name.
    pub fn missed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all()
            .filter(|(.., count)| *count == 0)
            .map(|(kind, name, _)| (kind, name))
    }

    /// Kind, name and count of all.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let kinds = self.counts.iter();
        kinds.flat_map(|(kind, names)| {
            let names = names.iter();
            names.map(move |(name, count)| (kind.as_str(), name.as_str(), *count))
        })
    }

    /// The counts by kind and name, to be kept.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<String, BTreeMap<String, u64>> {
        &self.counts
    }

    /// What was kept: see [`Self::counts`].
    #[must_use]
    pub fn of(counts: BTreeMap<String, BTreeMap<String, u64>>) -> Self {
        Self { counts, cases: 0 }
    }

    fn count(&mut self, kind: &str, name: &str) {
        let names = self.counts.entry(kind.to_owned()).or_default();
        *names.entry(name.to_owned()).or_default() += 1;
    }
}

/// A line for each thing, such as `    3  plays  menu.wav`; then what was missed.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "In {} calls:", self.cases)?;
        for (kind, name, count) in self.all().filter(|(.., count)| *count > 0) {
            writeln!(f, "{count:>6}  {kind:<8} {name}")?;
        }
        let missed = self.missed().count();
        if missed > 0 {
            writeln!(f, "In none of them ({missed}):")?;
        }
        for (kind, name) in self.missed() {
            writeln!(f, "        {kind:<8} {name}")?;
        }
        Ok(())
    }
}

/// The keys that were pressed after something was heard.
#[derive(Default)]
struct Branch {
    heard: Option<String>,
    keys: String,
    hung_up: Option<HangUpCause>,
}

impl Branch {
    fn hear(&mut self, kind: &str, name: &str) {
        if matches!(kind, "plays" | "says") {
            self.heard = Some(name.to_owned());
        }
    }

    fn close(&mut self, coverage: &mut Coverage) {
        let keys = std::mem::take(&mut self.keys);
        if !keys.is_empty() {
            let heard = self.heard.as_deref().unwrap_or("nothing heard");
            coverage.count("keys", &format!("{heard}: {keys}"));
        }
    }
}

/// What the other side, or somebody else, notices of a command.
fn named(command: &Command) -> Option<(&'static str, String)> {
    Some(match command {
        Command::Play {
            source: MediaSource::Url(name) | MediaSource::File(name),
            ..
        } => ("plays", without_query(name).to_owned()),
        Command::Say { speech, .. } => ("says", speech.text.clone()),
        Command::Press(keys) => ("presses", keys.clone()),
        Command::Http(request) => ("asks", asked(request)),
        Command::Dial(request) | Command::DialWith { request, .. } => {
            let targets: Vec<&str> = request.targets.iter().map(|target| &*target.to).collect();
            ("dials", targets.join(", "))
        }
        Command::Refer(request) => ("refers", request.target.clone()),
        Command::ContinueWith(next) => (
            "continues",
            match &next.story {
                StoryFlow::Component(name) => name.clone(),
                StoryFlow::VoiceUrl(link) => without_query(&link.url).to_owned(),
                StoryFlow::Twiml(_) => "a document".to_owned(),
            },
        ),
        Command::Conference(
            ConferenceCommand::Join { name, .. } | ConferenceCommand::JoinWith { name, .. },
        ) => ("joins", name.clone()),
        Command::Queue(
            QueueCommand::Wait { name, .. }
            | QueueCommand::Serve { name }
            | QueueCommand::ServeWith { name, .. },
        ) => ("queues", name.clone()),
        Command::StartStream(request) => ("streams", without_query(&request.url).to_owned()),
        Command::Recording(RecordingCommand::Start(_)) => ("records", "a recording".to_owned()),
        _ => return None,
    })
}

fn asked(request: &HttpRequest) -> String {
    let method = request.method.as_str();
    format!("{method} {}", without_query(&request.url))
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

fn end(outcome: &Outcome, hung_up: Option<HangUpCause>) -> String {
    let cause = match hung_up {
        None | Some(HangUpCause::Local) => "the flow hung up",
        Some(HangUpCause::Remote) => "the other side hung up",
        Some(HangUpCause::Cancelled) => "the caller gave up",
        Some(HangUpCause::Api) => "the API hung up",
        Some(HangUpCause::Limit | HangUpCause::Lost | HangUpCause::Shutdown) => {
            "the runtime hung up"
        }
    };
    match outcome {
        Outcome::Finished(Ok(()) | Err(call::CallError::HungUp)) | Outcome::Stopped => {
            cause.to_owned()
        }
        outcome => format!("the flow {outcome}"),
    }
}
