//! What the queue and its lines look like, for who watches.

use std::sync::atomic::{AtomicU64, Ordering};

use dial::AccountWaits;
use store::TrunkId;

/// As of one moment.
pub(crate) struct Standing {
    /// The calls of all accounts that wait.
    pub(crate) waits: AccountWaits,
    pub(crate) channels: Vec<Channels>,
    /// Calls that were begun, out of the queue or by a story, since the process began.
    pub(crate) attempts: u64,
    /// Those of them that met a full line.
    pub(crate) congested: u64,
}

/// Those of a trunk, or of its numbers with a prefix.
pub(crate) struct Channels {
    pub(crate) trunk: TrunkId,
    pub(crate) prefix: Option<String>,
    pub(crate) taken: u32,
    /// What is configured, or less where the far end taught that.
    pub(crate) most: u32,
}

/// What only grows.
#[derive(Debug, Default)]
pub(super) struct Counters {
    attempts: AtomicU64,
    congested: AtomicU64,
}

impl Counters {
    pub(super) fn attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn congested(&self) {
        self.congested.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    pub(super) fn all_congested(&self) -> u64 {
        self.congested.load(Ordering::Relaxed)
    }
}
