//! What the dialer is told, and what it says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{AccountSid, CallSid};
use store::{Directory, Priority, QueueTerms, QueuedCall, TrunkId};

use crate::plan::PlannedAttempt;
use crate::policy::Refusal;

/// How many calls may wait. How many of one account, its `outbound.max_waiting` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Of all accounts together.
    pub all: usize,
}

impl Default for QueueLimits {
    /// A million.
    fn default() -> Self {
        Self {
            all: store::MOST_WAITING as usize,
        }
    }
}

/// A call that the store has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// Its SID.
    pub call: CallSid,
    /// Whose call it is.
    pub account: AccountSid,
    /// The caller ID: a number of the account.
    pub from: String,
    /// The called number or SIP URI.
    pub to: String,
    /// When, and before whom. A class above what its account may have counts as the highest that it may.
    pub terms: QueueTerms,
    /// The trunks over which it was tried in vain: it goes over none of them again.
    pub tried: Vec<TrunkId>,
    /// What a routing policy has planned for it; none where it was not asked, or did not decide: then the built-in order holds.
    pub plan: Option<Vec<PlannedAttempt>>,
}

impl CallRequest {
    /// What was planned for it on this trunk.
    #[must_use]
    pub fn planned(&self, trunk: &TrunkId) -> Option<PlannedAttempt> {
        let mut plan = self.plan.iter().flatten();
        plan.find(|attempt| attempt.trunk == *trunk).cloned()
    }
}

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

/// What the clocks say: one that never goes back, and the one on the wall, which somebody may set.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For rates and pauses.
    pub instant: Instant,
    /// For what is ordered by date: milliseconds since the Unix epoch.
    pub unix_ms: u64,
}

/// What the dialer is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A call waits to be dialled. One that the dialer knows already is ignored.
    Accepted(CallRequest),
    /// A call is not wanted any more. One that does not wait is left alone: its actor hangs it up.
    Cancel(CallSid),
    /// The calls of an account that wait are not wanted any more: those of one class, or all. None of them is dialled from now on; this takes some of
    /// them out.
    CancelAll {
        /// The account.
        account: AccountSid,
        /// The class.
        class: Option<Priority>,
    },
    /// More of them are taken out. It is given for as long as [`Dialer::is_canceling`] says that some are left: no deadline asks for it.
    CancelMore {
        /// The account.
        account: AccountSid,
        /// The class.
        class: Option<Priority>,
    },
    /// A call that was attempted, or was begun at once, is on disk and knows its server: its INVITE is to leave. It waits for [`Output::Leave`], or
    /// is ended.
    Ready(CallSid),
    /// A call that was attempted, or took a channel, is over.
    Ended(CallSid),
    /// A call that was attempted is over: the far end had no room for it.
    Congested {
        /// The call.
        call: CallSid,
        /// How long the far end wants to be left alone (RFC 3261 section 20.33).
        retry_after: Option<Duration>,
    },
    /// A call that was attempted failed before it rang, and goes over another of its trunks: it waits for one at its old place. One for
    /// which no trunk is left is refused; see [`Dialer::has_other_way`].
    AttemptFailed {
        /// The call.
        call: CallSid,
        /// The far end had no room for it, and wants to be left alone for that long, if it says so.
        congested: Option<Option<Duration>>,
    },
    /// A call that is to be attempted goes over these trunks, the first choice in front, and over no other: a routing policy has planned it. Its
    /// INVITE has not left. Those that the policy for all forbids are left out.
    Planned {
        /// The call.
        call: CallSid,
        /// Each trunk once.
        plan: Vec<PlannedAttempt>,
    },
    /// A call that is to be attempted goes as the built-in order has it: its routing policy was asked, and did not decide. Its INVITE has not left.
    Undecided(CallSid),
    /// A call that is to be attempted waits. Its INVITE has not left.
    PutOff {
        /// The call.
        call: CallSid,
        /// Until when, in milliseconds since the Unix epoch.
        until_unix_ms: u64,
    },
    /// These trunks are those whose targets do not answer. Waiting calls find other ways where they have them.
    Down(BTreeSet<TrunkId>),
    /// Accounts, trunks or limits have changed. Waiting calls are judged anew.
    Directory(Arc<Directory>),
    /// The deadline has come.
    Timeout,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Begin this call now. It holds a channel until [`Input::Ended`], and its INVITE leaves at [`Self::Leave`].
    Attempt {
        /// The call.
        call: CallSid,
        /// Whose call it is.
        account: AccountSid,
        /// Over which trunk.
        trunk: TrunkId,
        /// What was planned for it there.
        planned: Option<PlannedAttempt>,
        /// Why the built-in order chose the trunk, in words; none where a routing policy did.
        because: Option<String>,
    },
    /// Let the INVITE of this call leave now: it was [ready](Input::Ready), and has a start of its trunk, its account and its carrier.
    Leave(CallSid),
    /// End this call as failed; it was not dialled.
    Refuse {
        /// The call.
        call: CallSid,
        /// Whose call it is.
        account: AccountSid,
        /// Why.
        reason: Refusal,
    },
    /// End this call as failed: its time was over before it could be dialled.
    Expire {
        /// The call.
        call: CallSid,
        /// Whose call it is.
        account: AccountSid,
    },
    /// End this call as canceled; it was not dialled.
    Canceled {
        /// The call.
        call: CallSid,
        /// Whose call it is.
        account: AccountSid,
    },
}

/// What has no room for one more call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// All channels of the trunk are taken.
    #[error("all channels of the trunk are taken")]
    Trunk,
    /// All channels of the account are taken.
    #[error("all channels of the account are taken")]
    Account,
    /// All channels of the part of the trunk that leads to the number are taken.
    #[error("all channels of the trunk for this number are taken")]
    Part,
}

/// Why a call that does not queue cannot be dialled now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The policy forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no channel.
    #[error(transparent)]
    Full(#[from] Full),
    /// Too many calls began in the last second; this one may begin then.
    #[error("too many calls begin in a second")]
    NotBefore(Instant),
}
