//! Over which trunk a call would go now, or went, and why.

use std::fmt;

use store::TrunkId;

use crate::dialer::NotNow;

/// How many trunks that were passed over are named.
const NAMED: usize = 5;

/// A trunk that may carry a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The trunk.
    pub trunk: TrunkId,
    /// Which of its prefixes the number begins with, the longest; none where it serves all numbers, or is named by a SIP URI.
    pub prefix: Option<String>,
    /// It is the account's alone.
    pub is_own: bool,
    /// Of trunks that serve a number as well, those of the lowest go first.
    pub rank: u32,
    /// Its targets do not answer.
    pub is_down: bool,
    /// Calls that it carries, both directions together.
    pub channels_used: u32,
    /// Calls that it may carry.
    pub channels: u32,
    /// Why a call would wait for it; none where it would go at once.
    pub waits: Option<String>,
}

impl Choice {
    /// Why it stands where it stands, and what would become of a call over it now, in words.
    #[must_use]
    pub fn reason(&self) -> String {
        let serves = serves(self.prefix.as_deref(), self.is_own);
        let rank = match self.rank {
            0 => String::new(),
            rank => format!("; rank {rank}"),
        };
        let (used, channels) = (self.channels_used, self.channels);
        let stands = match (&self.waits, self.is_down) {
            (_, true) => "its targets do not answer".to_owned(),
            (Some(why), false) => format!("a call would wait: {why}"),
            (None, false) => "has room".to_owned(),
        };
        format!("{serves}{rank}; {used} of {channels} channels in use; {stands}")
    }
}

/// Why the built-in order gave a call this trunk, as it stood before the call began.
#[derive(Debug)]
pub(crate) struct Because<'a> {
    /// As in [`Choice::prefix`].
    pub(crate) prefix: Option<&'a str>,
    /// It is the account's alone.
    pub(crate) is_own: bool,
    /// How many of the call's trunks are alike, itself among them, where it is taken for having the most room of them.
    pub(crate) alike: usize,
    /// Calls that it carried, and how many it could.
    pub(crate) channels: (u32, u32),
    /// Those that the call would have gone over before it.
    pub(crate) passed: Vec<(&'a TrunkId, Passed)>,
    /// No trunk of the call answers, so that this one is tried all the same.
    pub(crate) is_down: bool,
}

/// Why a call did not go over a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passed {
    /// It was tried before.
    Tried,
    /// Its targets do not answer.
    Down,
    /// It had no room.
    Full(NotNow),
}

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (used, channels) = self.channels;
        write!(
            f,
            "{}; {used} of {channels} channels in use",
            serves(self.prefix, self.is_own)
        )?;
        if self.alike > 1 {
            write!(f, "; none of {} alike has more room", self.alike)?;
        }
        if self.is_down {
            write!(f, "; none of its trunks answers")?;
        }
        for (place, (trunk, why)) in self.passed.iter().take(NAMED).enumerate() {
            let before = if place == 0 { "; passed over:" } else { "," };
            write!(f, "{before} {trunk} ({why})")?;
        }
        match self.passed.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tried => f.write_str("tried in vain"),
            Self::Down => f.write_str("its targets do not answer"),
            Self::Full(why) => why.fmt(f),
        }
    }
}

fn serves(prefix: Option<&str>, is_own: bool) -> String {
    let own = if is_own { "the account's own; " } else { "" };
    match prefix {
        Some(prefix) => format!("{own}serves numbers that begin with {prefix}"),
        None => format!("{own}serves all numbers, or is named"),
    }
}

/// Which of these a call would take now: the first that is up and has room; none where it would wait. Where all are down they are tried all
/// the same.
#[must_use]
pub fn chosen(choices: &[Choice]) -> Option<&Choice> {
    let all_down = choices.iter().all(|choice| choice.is_down);
    let mut usable = choices.iter().filter(|choice| all_down || !choice.is_down);
    usable.find(|choice| choice.waits.is_none())
}
