//! A call that another call's story dialled leaves that one, and goes on as a call of its own.

use std::time::Instant;

use super::Call;
use crate::{CallRecord, CallStatus, Effect};

/// The SIP status of a conversation.
const OK: u16 = 200;

impl Call {
    /// To whoever dialled it the call has ended. What that one bounded is bounded no longer; its own limits go on.
    pub(super) fn leave_parent(&mut self, now: Instant) {
        let Some(dialled) = self.dialled else { return };
        self.emit(Effect::Unbridge);
        if dialled.asks {
            self.report(false);
        }
        let record = CallRecord {
            duration_s: self.answered_for_s(now),
            sip_status: Some(OK),
            ..CallRecord::new(CallStatus::Completed, "it was taken elsewhere")
        };
        self.tell_parent_of_end(&record);
        self.dialled = None;
        self.limit_to(now, self.limits.max_duration);
    }
}
