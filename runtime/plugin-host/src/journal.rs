//! A call's journal: all that its story was told and all that it asked for.
//!
//! Four bytes of magic and version, then a [`Header`] and [`Entry`] after [`Entry`] in postcard's encoding, to the end.
//! With the same component it is enough to run the story again (see [`crate::replay`]): settings and random numbers
//! follow from the header, time from the events.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use call::{
    AudioCommand, AudioError, AudioReply, CallError, CallInfo, Command, Event, KeyValueCommand,
    KeyValueError, KeyValueReply, PeopleCommand, PeopleError, PeopleReply, PinError, PinVerdict,
    Reply,
};
use serde::{Deserialize, Serialize};

use crate::log::LogLine;
use crate::story::{Limits, Outcome};
use crate::words;

pub use crate::redact::redact_bundle;

/// `JFJ` and the format's version.
const MAGIC: [u8; 4] = *b"JFJ\x02";

/// What a story starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// SHA-256 of the component, as it was uploaded.
    pub component_sha256: [u8; 32],
    /// The call.
    pub info: CallInfo,
    /// The flow's settings.
    pub settings: BTreeMap<String, String>,
    /// What the story's random numbers grow from.
    pub seed: [u8; 32],
    /// The story's first time, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// The bounds it ran in.
    pub limits: Limits,
}

/// One thing that passed between a story and its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// The story asked for something and got an answer.
    Command {
        /// What it asked.
        command: Command,
        /// What it got.
        result: Result<Reply, CallError>,
    },
    /// The story waited.
    Next {
        /// How long it was ready to wait; none for ever.
        timeout_ms: Option<u32>,
        /// What came; none when the time was over.
        event: Option<Event>,
        /// The story's clock from here on, in milliseconds since 1970.
        now_unix_ms: u64,
    },
    /// A line went to the tenant's log.
    Log(LogLine),
    /// The story wanted more memory than it may have, and did not get it.
    MemoryRefused {
        /// What it had, in bytes.
        current: u64,
        /// What it wanted.
        desired: u64,
    },
    /// The journal reached its own limit. What came after is not in it, the end excepted.
    Cut,
    /// The story is over.
    Ended(Outcome),
    /// Comes first in a journal that was redacted: see [`Journal::redacted`].
    Redacted,
    /// The story asked for key-value pairs of its account, or changed one.
    KeyValue {
        /// What it asked.
        command: KeyValueCommand,
        /// What it got.
        result: Result<KeyValueReply, KeyValueError>,
    },
    /// The story asked for people of its account, or changed one.
    People {
        /// What it asked.
        command: PeopleCommand,
        /// What it got.
        result: Result<PeopleReply, PeopleError>,
    },
    /// The story prepared what its call recorded, or kept it.
    Audio {
        /// What it asked.
        command: AudioCommand,
        /// What it got.
        result: Result<AudioReply, AudioError>,
    },
    /// The story asked who calls. What was typed is not written down.
    Pin {
        /// The name of the secret.
        secret: String,
        /// What came of it.
        result: Result<PinVerdict, PinError>,
    },
}

/// One entry in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Waits and commands are counted, from 1 on; what merely happened meanwhile is not.
    pub step: Option<usize>,
    /// Since the story's first time.
    pub at: Duration,
    /// Such as `play menu.wav: playback 1`.
    pub words: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step.map_or_else(String::new, |step| step.to_string());
        let seconds = self.at.as_secs_f64();
        write!(f, "{step:>5} {seconds:>8.2} s  {}", self.words)
    }
}

impl Entry {
    fn words(&self) -> String {
        match self {
            Self::Command { command, result } => {
                format!("{}: {}", words::command(command), words::result(result))
            }
            Self::Next {
                timeout_ms, event, ..
            } => {
                let event = event
                    .as_ref()
                    .map_or_else(|| "nothing".to_owned(), words::event);
                format!("{}: {event}", words::wait(*timeout_ms))
            }
            Self::KeyValue { command, result } => {
                let answer = words::key_value_result(result);
                format!("{}: {answer}", words::key_value(command))
            }
            Self::People { command, result } => {
                let answer = words::people_result(result);
                format!("{}: {answer}", words::people(command))
            }
            Self::Audio { command, result } => {
                format!("{}: {}", words::audio(command), words::audio_result(result))
            }
            Self::Pin { secret, result } => {
                format!("{}: {}", words::pin(secret), words::pin_result(result))
            }
            Self::Log(line) => format!("log: {}", line.message),
            Self::MemoryRefused { current, desired } => {
                format!("refused to let its memory grow from {current} to {desired} bytes")
            }
            Self::Cut => "the journal is full: what follows is missing".to_owned(),
            Self::Ended(outcome) => format!("the story {outcome}"),
            Self::Redacted => {
                "redacted: digits, numbers and texts are placeholders; it does not replay exactly"
                    .to_owned()
            }
        }
    }
}

/// A journal that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// What the story started with.
    pub header: Header,
    /// In the order they happened.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// Reads a whole journal.
    ///
    /// # Errors
    /// [`JournalError`] when the bytes are none, or end within an entry.
    pub fn read(bytes: &[u8]) -> Result<Self, JournalError> {
        let body = bytes
            .strip_prefix(&MAGIC[..3])
            .ok_or(JournalError::NotAJournal)?;
        let (version, body) = body.split_first().ok_or(JournalError::NotAJournal)?;
        if *version != MAGIC[3] {
            return Err(JournalError::UnknownVersion(*version));
        }
        let (header, mut rest) = take(body, bytes.len())?;
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let (entry, after) = take(rest, bytes.len())?;
            entries.push(entry);
            rest = after;
        }
        Ok(Self { header, entries })
    }

    /// The journal as bytes again: what [`Self::read`] takes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(&self.header, usize::MAX);
        for entry in &self.entries {
            writer.write(entry);
        }
        writer.bytes
    }

    /// The journal in words, a line for each entry.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        let started = self.header.started_unix_ms;
        let mut now = started;
        let mut steps = 0;
        self.entries.iter().map(move |entry| {
            let is_step = matches!(
                entry,
                Entry::Command { .. }
                    | Entry::Next { .. }
                    | Entry::KeyValue { .. }
                    | Entry::People { .. }
                    | Entry::Audio { .. }
                    | Entry::Pin { .. }
            );
            let step = is_step.then(|| {
                steps += 1;
                steps
            });
            if let Entry::Next { now_unix_ms, .. } = entry {
                now = *now_unix_ms;
            }
            Line {
                step,
                at: Duration::from_millis(now.saturating_sub(started)),
                words: entry.words(),
            }
        })
    }

    /// The commands alone, in order.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Command { command, .. } => Some(command),
            _ => None,
        })
    }
}

/// The journals of one call's stories as one text to keep: each with its length in bytes before it (32 bits, big endian). A
/// call has more than one where its flow broke and another story took over.
#[must_use]
pub fn bundle(journals: &[Vec<u8>]) -> Vec<u8> {
    let mut bundle = Vec::with_capacity(journals.iter().map(|journal| 4 + journal.len()).sum());
    for journal in journals {
        let length = u32::try_from(journal.len()).expect("a journal is limited to some megabytes");
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(journal);
    }
    bundle
}

/// The journals of [`bundle`], in order.
///
/// # Errors
/// [`JournalError::Broken`] when the bytes end within a journal.
pub fn unbundle(bundle: &[u8]) -> Result<Vec<&[u8]>, JournalError> {
    let mut journals = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let broken = JournalError::Broken {
            at: bundle.len() - rest.len(),
        };
        let (length, after) = rest.split_first_chunk::<4>().ok_or(broken.clone())?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| broken.clone())?;
        let (journal, after) = after.split_at_checked(length).ok_or(broken)?;
        journals.push(journal);
        rest = after;
    }
    Ok(journals)
}

fn take<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    whole: usize,
) -> Result<(T, &'a [u8]), JournalError> {
    postcard::take_from_bytes(bytes).map_err(|_| JournalError::Broken {
        at: whole - bytes.len(),
    })
}

/// The bytes are no journal that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Not one, or sealed still.
    #[error("this is not a journal: it does not begin with `JFJ`")]
    NotAJournal,
    /// From a newer runtime, or an older one.
    #[error("the journal has version {0}: this runtime reads version {expected}", expected = MAGIC[3])]
    UnknownVersion(u8),
    /// Cut off or damaged.
    #[error("the journal is damaged at byte {at}")]
    Broken {
        /// Where the entry begins that could not be read.
        at: usize,
    },
}

/// Writes one journal, never longer than its limit and the end.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    limit: usize,
    cut: bool,
}

impl Writer {
    pub(crate) fn new(header: &Header, limit: usize) -> Self {
        let mut writer = Self {
            bytes: MAGIC.to_vec(),
            limit: usize::MAX,
            cut: false,
        };
        writer.append(header);
        writer.limit = limit;
        writer
    }

    pub(crate) fn write(&mut self, entry: &Entry) {
        if self.cut {
            return;
        }
        let before = self.bytes.len();
        self.append(entry);
        if self.bytes.len() > self.limit {
            self.bytes.truncate(before);
            self.append(&Entry::Cut);
            self.cut = true;
        }
    }

    /// Something was left out because the journal is full.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Writes the end, which always finds room: the whole journal.
    pub(crate) fn close(&mut self, end: &Entry) -> Vec<u8> {
        self.append(end);
        self.bytes.clone()
    }

    /// What was written.
    pub(crate) fn so_far(&self) -> &[u8] {
        &self.bytes
    }

    fn append<T: Serialize>(&mut self, value: &T) {
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(value, bytes)
            .expect("a Vec takes every byte, and these types have no length unknown");
    }
}

#[cfg(test)]
pub(crate) mod tests;
