//! What the dialer is told and what it says.

use store::QueuedCall;

use super::CallRequest;

impl From<QueuedCall> for CallRequest {
    /// A call that waits, and for which nobody has planned anything.
    fn from(queued: QueuedCall) -> Self {
        Self {
            call: queued.call,
            account: queued.account,
            from: queued.from,
            to: queued.to,
            terms: queued.terms,
            tried: queued.tried,
            plan: None,
        }
    }
}
