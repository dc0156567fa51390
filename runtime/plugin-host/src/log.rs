//! A story's lines in its tenant's log, within bounds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Lines a story may write in one second of its clock.
const LINES_A_SECOND: u32 = 100;
/// Bytes of one line; what is longer is cut.
const LINE_BYTES: usize = 4 * 1024;
/// Bytes of all lines of one story.
const STORY_BYTES: usize = 1024 * 1024;
/// Context of the lines that the host itself writes.
const HOST_CONTEXT: &str = "jackfield";

/// How grave a line is. `wasi:logging`'s levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

/// One line of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How grave it is.
    pub level: LogLevel,
    /// The guest's word for where it comes from; `stdout`, `stderr` for what it printed.
    pub context: String,
    /// At most 4 KiB, without control characters.
    pub message: String,
    /// The story's clock, in milliseconds since 1970.
    pub at_unix_ms: u64,
}

/// Where a story's lines go. Called on the thread that runs the story: it must not wait.
pub type LogSink = Arc<dyn Fn(LogLine) + Send + Sync>;

/// Lets lines through as far as the bounds allow, and says how many it dropped.
#[derive(Debug, Default)]
pub(crate) struct LogLimiter {
    second: u64,
    lines: u32,
    bytes: usize,
    dropped: u32,
    admitted_in_all: u32,
    dropped_in_all: u32,
}

impl LogLimiter {
    /// The lines that go out because this one came in: itself, one about dropped ones, both, or none.
    pub(crate) fn admit(&mut self, line: LogLine) -> impl Iterator<Item = LogLine> + use<> {
        let second = line.at_unix_ms / 1_000;
        let mut notice = None;
        if second != self.second {
            self.second = second;
            self.lines = 0;
            notice = self.notice(line.at_unix_ms);
        }
        let line = clean(&line);
        let size = line.context.len() + line.message.len();
        let admitted = self.lines < LINES_A_SECOND && self.bytes + size <= STORY_BYTES;
        if admitted {
            self.lines += 1;
            self.bytes += size;
            self.admitted_in_all += 1;
        } else {
            self.dropped += 1;
            self.dropped_in_all += 1;
        }
        notice.into_iter().chain(admitted.then_some(line))
    }

    /// The guest's lines that were let through, and those that were dropped, in all.
    pub(crate) fn counts(&self) -> (u32, u32) {
        (self.admitted_in_all, self.dropped_in_all)
    }

    /// The line that says how many were dropped since the last such line.
    pub(crate) fn notice(&mut self, at_unix_ms: u64) -> Option<LogLine> {
        let dropped = std::mem::take(&mut self.dropped);
        (dropped > 0).then(|| LogLine {
            level: LogLevel::Warn,
            context: HOST_CONTEXT.to_owned(),
            message: format!("dropped {dropped} lines"),
            at_unix_ms,
        })
    }
}

fn clean(line: &LogLine) -> LogLine {
    LogLine {
        level: line.level,
        context: clean_text(&line.context),
        message: clean_text(&line.message),
        at_unix_ms: line.at_unix_ms,
    }
}

/// Escapes control characters and cuts at [`LINE_BYTES`].
fn clean_text(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(LINE_BYTES));
    for character in text.chars() {
        if cleaned.len() + character.len_utf8() > LINE_BYTES {
            cleaned.push('…');
            break;
        }
        if character.is_control() && character != '\t' {
            cleaned.extend(character.escape_default());
        } else {
            cleaned.push(character);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str, at_unix_ms: u64) -> LogLine {
        LogLine {
            level: LogLevel::Info,
            context: String::new(),
            message: message.to_owned(),
            at_unix_ms,
        }
    }

    #[test]
    fn a_second_has_a_hundred_lines_and_the_next_says_what_was_dropped() {
        let mut limiter = LogLimiter::default();
        let first: usize = (0..130)
            .map(|_| limiter.admit(line("x", 5_000)).count())
            .sum();
        assert_eq!(first, 100);
        let next: Vec<_> = limiter
            .admit(line("y", 6_000))
            .map(|line| line.message)
            .collect();
        assert_eq!(next, ["dropped 30 lines", "y"]);
        assert_eq!(limiter.notice(6_000), None);
    }

    #[test]
    fn a_story_has_a_mebibyte_of_lines() {
        let mut limiter = LogLimiter::default();
        let text = "x".repeat(LINE_BYTES);
        let admitted: usize = (0..300)
            .map(|second| {
                limiter
                    .admit(line(&text, second * 1_000))
                    .filter(|l| l.context.is_empty())
                    .count()
            })
            .sum();
        assert_eq!(admitted, 256);
    }

    #[test]
    fn control_characters_are_escaped_and_long_lines_cut() {
        for (text, cleaned) in [
            ("plain", "plain".to_owned()),
            ("two\nlines\r", "two\\nlines\\r".to_owned()),
            ("\u{1b}[31mred", "\\u{1b}[31mred".to_owned()),
            ("tab\tstays", "tab\tstays".to_owned()),
            (
                "é".repeat(3_000).as_str(),
                format!("{}…", "é".repeat(2_048)),
            ),
        ] {
            assert_eq!(clean_text(text), cleaned);
        }
    }
}
