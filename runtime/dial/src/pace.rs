//! The calls per second of a trunk, an account or a carrier.

use crate::token_bucket::TokenBucket;

/// A rate that is kept twice: when a call begins, which is then written down and looks for its server, and when its INVITE leaves. What lies between
/// takes as long as the disk and the name servers take, so that many which began one after the other may be ready together.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    pub(crate) begins: TokenBucket,
    pub(crate) leaves: TokenBucket,
}

impl Pace {
    /// `per_second` is above 0.
    pub(crate) fn new(per_second: f32) -> Self {
        Self {
            begins: TokenBucket::new(per_second),
            leaves: TokenBucket::new(per_second),
        }
    }

    /// Changes the rate; what began and left before still counts.
    pub(crate) fn set_rate(&mut self, per_second: f32) {
        self.begins.set_rate(per_second);
        self.leaves.set_rate(per_second);
    }

    /// Lets nobody begin before the next INVITE may leave.
    pub(crate) fn hold_back(&mut self) {
        if let Some(at) = self.leaves.ready_at() {
            self.begins.not_before(at);
        }
    }
}
