//! What a story leaves behind while it runs: its journal and its log lines.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::journal::{Entry, Writer};
use crate::log::{LogLevel, LogLimiter, LogLine, LogSink};

/// Bytes of the last words on standard error that are kept to explain a trap.
const LAST_WORDS_BYTES: usize = 512;

/// Journal and log of one story.
///
/// Shared, because the streams that WASI hands to the guest write into it too; all of them run on the story's own
/// task, so the lock is never contended.
#[derive(Clone)]
pub(crate) struct Notebook(Arc<Mutex<Pages>>);

struct Pages {
    journal: Writer,
    limiter: LogLimiter,
    sink: LogSink,
    now_unix_ms: u64,
    last_words: String,
}

impl Notebook {
    pub(crate) fn new(journal: Writer, sink: LogSink, now_unix_ms: u64) -> Self {
        Self(Arc::new(Mutex::new(Pages {
            journal,
            limiter: LogLimiter::default(),
            sink,
            now_unix_ms,
            last_words: String::new(),
        })))
    }

    pub(crate) fn write(&self, entry: &Entry) {
        self.pages().journal.write(entry);
    }

    /// The story's clock moved.
    pub(crate) fn set_now(&self, now_unix_ms: u64) {
        self.pages().now_unix_ms = now_unix_ms;
    }

    pub(crate) fn log(&self, level: LogLevel, context: &str, message: &str) {
        let mut pages = self.pages();
        let line = LogLine {
            level,
            context: context.to_owned(),
            message: message.to_owned(),
            at_unix_ms: pages.now_unix_ms,
        };
        for line in pages.limiter.admit(line) {
            pages.pass_on(line);
        }
    }

    /// Keeps what the guest said last on standard error: where it traps, that is why.
    pub(crate) fn keep_last_words(&self, line: &str) {
        let mut pages = self.pages();
        if !pages.last_words.is_empty() {
            pages.last_words.push(' ');
        }
        pages.last_words.push_str(line);
        let excess = pages.last_words.len().saturating_sub(LAST_WORDS_BYTES);
        let cut = pages.last_words.ceil_char_boundary(excess);
        pages.last_words.drain(..cut);
    }

    pub(crate) fn last_words(&self) -> String {
        self.pages().last_words.clone()
    }

    /// Says what was dropped from the log, writes the end and gives the journal away.
    pub(crate) fn close(&self, end: &Entry) -> Vec<u8> {
        let mut pages = self.pages();
        let now_unix_ms = pages.now_unix_ms;
        if let Some(notice) = pages.limiter.notice(now_unix_ms) {
            pages.pass_on(notice);
        }
        pages.journal.close(end)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn pass_on(&mut self, line: LogLine) {
        let entry = Entry::Log(line);
        self.journal.write(&entry);
        if let Entry::Log(line) = entry {
            (self.sink)(line);
        }
    }
}
