//! What a number of runs came to.

use std::ops::AddAssign;

/// What a number of runs came to.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) attempts: u64,
    pub(super) reached: u64,
    pub(super) given_up: u64,
    pub(super) taken_back: u64,
    pub(super) expired: u64,
    pub(super) congested: u64,
    pub(super) refused: u64,
    pub(super) crashes: u64,
    pub(super) jumps: u64,
    pub(super) failures: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.reached += other.reached;
        self.given_up += other.given_up;
        self.taken_back += other.taken_back;
        self.expired += other.expired;
        self.congested += other.congested;
        self.refused += other.refused;
        self.crashes += other.crashes;
        self.jumps += other.jumps;
        self.failures += other.failures;
    }
}

impl Totals {
    /// Whether everything that may happen has happened often.
    pub(super) fn has_seen_all(&self) -> bool {
        let all = [
            self.attempts,
            self.reached,
            self.given_up,
            self.taken_back,
            self.expired,
            self.congested,
            self.refused,
            self.crashes,
            self.jumps,
            self.failures,
        ];
        all.into_iter().all(|count| count > 50)
    }
}
