//! A call that failed over one trunk before it rang, and goes over another.

use std::sync::Arc;
use std::time::Duration;

use call::{CallRecord, CallSid, Outcome};
use dial::Input;
use store::{FailedAttempt, StoreError};
use tracing::{debug, error, info};

use super::Outbound;
use crate::clock;
use crate::services::Services;

impl Outbound {
    /// Keeps a call whose attempt failed for another of its trunks: it is in the queue on disk again. False where none is left, or it is over
    /// meanwhile; then nothing was done. [`Self::go_elsewhere`] lets it be dialled.
    pub(crate) async fn keep(
        &self,
        services: &Services,
        call: CallSid,
        failed: FailedAttempt,
    ) -> bool {
        if !self.lock().has_other_way(call) {
            return false;
        }
        info!(call.sid = %call, trunk = %failed.trunk, "goes over another trunk: {}", failed.reason);
        let kept = services.store.fail_attempt(call, failed, clock::unix_ms());
        match kept.await {
            Ok(()) => true,
            Err(StoreError::IllegalStatus { .. }) => {
                debug!(call.sid = %call, "it is over already");
                false
            }
            Err(error) => {
                error!(call.sid = %call, "cannot keep it for another trunk: {error}");
                false
            }
        }
    }

    /// Lets a call that was kept go over the next of its trunks that has room. `record`: how its attempt ended, where an INVITE left.
    pub(crate) fn go_elsewhere(self: &Arc<Self>, call: CallSid, record: Option<&CallRecord>) {
        let congested = record.filter(|record| record.outcome() == Outcome::Congestion);
        let congested = congested.map(|record| {
            let retry_after = record.retry_after_s.map(u64::from);
            retry_after.map(Duration::from_secs)
        });
        self.feed(Input::AttemptFailed { call, congested });
    }
}
