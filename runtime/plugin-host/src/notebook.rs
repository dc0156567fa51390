//! What a story leaves behind while it runs: its journal and its log lines.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::conceal;
use crate::journal::{Entry, Writer};
use crate::log::{LogLevel, LogLimiter, LogLine, LogSink};
use crate::meter::{Limit, Meter};
use crate::state::Halt;

/// Bytes of the last words on standard error that are kept to explain a trap.
const LAST_WORDS_BYTES: usize = 512;

/// Journal and log of one story.
///
/// Shared, because the streams that WASI hands to the guest write into it too; all of them run on the story's own
/// task, so the lock is never contended.
#[derive(Clone)]
pub(crate) struct Notebook(Arc<Mutex<Pages>>);

impl fmt::Debug for Notebook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notebook").finish_non_exhaustive()
    }
}

struct Pages {
    /// None where nobody would replay it.
    journal: Option<Writer>,
    limiter: LogLimiter,
    sink: LogSink,
    meter: Meter,
    started_unix_ms: u64,
    now_unix_ms: u64,
    last_words: String,
}

/// What a story used in the end.
pub(crate) struct Usage {
    pub(crate) host_calls: u32,
    pub(crate) log_lines: u32,
    pub(crate) log_lines_dropped: u32,
    pub(crate) limits: Vec<Limit>,
}

impl Notebook {
    pub(crate) fn new(journal: Writer, sink: LogSink, meter: Meter, now_unix_ms: u64) -> Self {
        Self::with(Some(journal), sink, meter, now_unix_ms)
    }

    /// Log lines alone.
    pub(crate) fn without_journal(sink: LogSink, meter: Meter, now_unix_ms: u64) -> Self {
        Self::with(None, sink, meter, now_unix_ms)
    }

    fn with(journal: Option<Writer>, sink: LogSink, meter: Meter, now_unix_ms: u64) -> Self {
        Self(Arc::new(Mutex::new(Pages {
            journal,
            limiter: LogLimiter::default(),
            sink,
            meter,
            started_unix_ms: now_unix_ms,
            now_unix_ms,
            last_words: String::new(),
        })))
    }

    pub(crate) fn write(&self, entry: &Entry) {
        self.pages().write(entry);
    }

    /// The guest called the host.
    pub(crate) fn host_call(&self) -> Result<(), Halt> {
        let mut pages = self.pages();
        let elapsed_ms = pages.now_unix_ms.saturating_sub(pages.started_unix_ms);
        pages.meter.host_call(elapsed_ms)
    }

    /// The guest has waited.
    pub(crate) fn waited(&self) {
        self.pages().meter.waited();
    }

    /// The story came to a limit.
    pub(crate) fn reach(&self, limit: Limit) {
        self.pages().meter.reach(limit);
    }

    pub(crate) fn usage(&self) -> Usage {
        let pages = self.pages();
        let (log_lines, log_lines_dropped) = pages.limiter.counts();
        Usage {
            host_calls: pages.meter.host_calls(),
            log_lines,
            log_lines_dropped,
            limits: pages.meter.reached(),
        }
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
        if pages.limiter.counts().1 > 0 {
            pages.meter.reach(Limit::Log);
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
        pages.say_what_was_dropped();
        let journal = pages.journal.as_mut();
        journal.map_or_else(Vec::new, |journal| journal.close(end))
    }

    /// The journal as far as it has come, also when it was closed; none where there is none.
    pub(crate) fn journal(&self) -> Option<Vec<u8>> {
        self.pages()
            .journal
            .as_ref()
            .map(|journal| journal.so_far().to_vec())
    }

    /// Says what was dropped from the log: nothing more comes.
    pub(crate) fn finish(&self) {
        self.pages().say_what_was_dropped();
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn write(&mut self, entry: &Entry) {
        if let Some(journal) = &mut self.journal {
            journal.write(&conceal::entry(entry));
            if journal.is_cut() {
                self.meter.reach(Limit::Journal);
            }
        }
    }

    fn say_what_was_dropped(&mut self) {
        if let Some(notice) = self.limiter.notice(self.now_unix_ms) {
            self.pass_on(notice);
        }
    }

    fn pass_on(&mut self, line: LogLine) {
        let entry = Entry::Log(line);
        self.write(&entry);
        if let Entry::Log(line) = entry {
            (self.sink)(line);
        }
    }
}
