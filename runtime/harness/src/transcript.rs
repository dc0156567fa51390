//! A call, line by line.

use std::fmt::Write;
use std::time::Duration;

/// Who did what is in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Story,
    Call,
    Caller,
    Other,
    Log,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Story => "story",
            Self::Call => "call",
            Self::Caller => "caller",
            Self::Other => "other",
            Self::Log => "log",
        }
    }
}

/// Lines such as `  2.00 s  story   play menu.wav`.
#[derive(Debug, Default)]
pub(crate) struct Transcript(String);

impl Transcript {
    pub(crate) fn add(&mut self, at: Duration, who: Who, what: &str) {
        let seconds = at.as_secs_f64();
        let who = who.name();
        writeln!(self.0, "{seconds:7.2} s  {who:<7} {what}").expect("a String takes every text");
    }

    /// What was written after the first `bytes`.
    pub(crate) fn since(&self, bytes: usize) -> &str {
        self.0.get(bytes..).unwrap_or_default()
    }

    /// In bytes.
    pub(crate) fn length(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
