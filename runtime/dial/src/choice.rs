//! Over which trunk a call would go now, and why.

use store::TrunkId;

/// A trunk that may carry a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The trunk.
    pub trunk: TrunkId,
    /// Which of its prefixes the number begins with, the longest; none where it serves all numbers, or is named by a SIP URI.
    pub prefix: Option<String>,
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
        let serves = match &self.prefix {
            Some(prefix) => format!("serves numbers that begin with {prefix}"),
            None => "serves all numbers, or is named".to_owned(),
        };
        let (used, channels) = (self.channels_used, self.channels);
        let stands = match (&self.waits, self.is_down) {
            (_, true) => "its targets do not answer".to_owned(),
            (Some(why), false) => format!("a call would wait: {why}"),
            (None, false) => "has room".to_owned(),
        };
        format!("{serves}; {used} of {channels} channels in use; {stands}")
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
