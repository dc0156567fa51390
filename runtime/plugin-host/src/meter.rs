//! What a story used, and which limits it came to.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::state::Halt;

/// Host calls that each second of a call adds to [`crate::Limits::host_calls`].
const HOST_CALLS_A_SECOND: u64 = 100;

/// A limit that a story can come to. Where it does, it is ended, or refused what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Limit {
    /// [`crate::Limits::cpu`]: ended.
    Cpu,
    /// [`crate::Limits::cpu_in_all`]: ended.
    CpuInAll,
    /// [`crate::Limits::command_wait`]: ended.
    CommandWait,
    /// [`crate::Limits::host_calls_between_waits`]: ended.
    HostCallsBetweenWaits,
    /// [`crate::Limits::host_calls`]: ended.
    HostCalls,
    /// [`crate::Limits::commands`]: further ones are refused.
    Commands,
    /// [`crate::Limits::memory_bytes`]: growth is refused.
    Memory,
    /// Elements of its tables: growth is refused.
    TableElements,
    /// Lines and bytes of its log: further lines are dropped.
    Log,
    /// [`crate::Limits::journal_bytes`]: what follows is not written down.
    Journal,
    /// [`crate::StorySetup::memory`]: growth is refused.
    SharedMemory,
}

impl fmt::Display for Limit {
    /// What the story did, behind “the story”.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "computed for too long without waiting",
            Self::CpuInAll => "computed for too long in all",
            Self::CommandWait => "waited too long for the call to answer its commands",
            Self::HostCallsBetweenWaits => "made too many host calls without waiting",
            Self::HostCalls => "made too many host calls in all",
            Self::Commands => "gave too many commands",
            Self::Memory => "wanted too much memory",
            Self::TableElements => "wanted too many table elements",
            Self::Log => "logged too much",
            Self::Journal => "filled its journal",
            Self::SharedMemory => "wanted more memory than its account's flows have together",
        })
    }
}

/// Counts host calls, and keeps which limits were reached.
#[derive(Debug)]
pub(crate) struct Meter {
    between_waits: u32,
    between_waits_allowed: u32,
    host_calls: u32,
    host_calls_allowed: u32,
    reached: BTreeSet<Limit>,
}

impl Meter {
    /// For so many calls between two waits and in all.
    pub(crate) fn new(between_waits_allowed: u32, host_calls_allowed: u32) -> Self {
        Self {
            between_waits: 0,
            between_waits_allowed,
            host_calls: 0,
            host_calls_allowed,
            reached: BTreeSet::new(),
        }
    }

    /// The story calls the host, so long after it began.
    ///
    /// # Errors
    /// [`Halt::Exceeded`] once it has done so too often.
    pub(crate) fn host_call(&mut self, elapsed_ms: u64) -> Result<(), Halt> {
        self.between_waits += 1;
        self.host_calls = self.host_calls.saturating_add(1);
        let grown = elapsed_ms / 1_000 * HOST_CALLS_A_SECOND;
        let exceeded = if self.between_waits > self.between_waits_allowed {
            Limit::HostCallsBetweenWaits
        } else if u64::from(self.host_calls) > u64::from(self.host_calls_allowed) + grown {
            Limit::HostCalls
        } else {
            return Ok(());
        };
        Err(Halt::Exceeded(exceeded))
    }

    /// The story has waited.
    pub(crate) fn waited(&mut self) {
        self.between_waits = 0;
    }

    pub(crate) fn reach(&mut self, limit: Limit) {
        self.reached.insert(limit);
    }

    pub(crate) fn host_calls(&self) -> u32 {
        self.host_calls
    }

    pub(crate) fn reached(&self) -> Vec<Limit> {
        self.reached.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many calls the meter lets through.
    fn passed(meter: &mut Meter, elapsed_ms: u64) -> (u32, Limit) {
        for calls in 0.. {
            if let Err(Halt::Exceeded(limit)) = meter.host_call(elapsed_ms) {
                return (calls, limit);
            }
        }
        unreachable!("a limit is reached")
    }

    #[test]
    fn a_wait_gives_host_calls_anew() {
        let mut meter = Meter::new(5, 12);
        assert_eq!(passed(&mut meter, 0), (5, Limit::HostCallsBetweenWaits));
        meter.waited();
        assert_eq!(passed(&mut meter, 0), (5, Limit::HostCallsBetweenWaits));
        meter.waited();
        // Two were refused, and count.
        assert_eq!(passed(&mut meter, 0), (0, Limit::HostCalls));
    }

    #[test]
    fn a_longer_call_has_more_host_calls() {
        for (elapsed_ms, calls) in [(0, 10), (999, 10), (1_000, 110), (60_000, 6_010)] {
            let mut meter = Meter::new(u32::MAX, 10);
            assert_eq!(
                passed(&mut meter, elapsed_ms),
                (calls, Limit::HostCalls),
                "{elapsed_ms}"
            );
        }
    }
}
