//! What the outbound queue holds of a call that waits.

use call::{AccountSid, CallSid};

use crate::{CallRow, QueueTerms, TrunkId};

/// What decides when, and over which trunks, a call that waits is dialled. The rest of its row is read when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedCall {
    /// Its SID.
    pub call: CallSid,
    /// Whose call it is.
    pub account: AccountSid,
    /// The caller.
    pub from: String,
    /// The called number or SIP URI.
    pub to: String,
    /// When, and before whom, it may be dialled.
    pub terms: QueueTerms,
    /// The trunks over which it was tried in vain.
    pub tried: Vec<TrunkId>,
}

impl QueuedCall {
    /// Of a call's row.
    #[must_use]
    pub fn of(row: &CallRow) -> Self {
        Self {
            call: row.sid,
            account: row.account,
            from: row.from.clone(),
            to: row.to.clone(),
            terms: row.orders.queue.clone(),
            tried: row.tried.clone(),
        }
    }
}
