//! What tests share.

use std::time::Instant;

/// Where virtual time begins.
#[allow(
    clippy::disallowed_methods,
    reason = "an `Instant` has no other origin; only distances from it matter"
)]
pub(crate) fn origin() -> Instant {
    Instant::now()
}
