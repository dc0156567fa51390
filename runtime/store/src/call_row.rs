//! What is kept of one call.

use std::collections::BTreeMap;

use call::{
    AccountSid, CallRecord, CallSid, CallStatus, Direction, StartRecording, StatusCallback,
};
use serde::{Deserialize, Serialize};

use crate::seal::random_bytes;
use crate::{CallCallback, Flow, QueueTerms, SipCredentials, TrunkId};

/// The setting of a call that has the display name of the caller.
pub const CALLER_DISPLAY_NAME: &str = "caller-display-name";

/// A SID for a new call, with 128 random bits.
#[must_use]
pub fn random_call_sid() -> CallSid {
    CallSid::from_bytes(random_bytes())
}

/// A call that is about to be kept for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// Its SID, such as [`random_call_sid`] makes.
    pub sid: CallSid,
    /// The caller: E.164 with plus, a short code, a SIP URI, or `anonymous`.
    pub from: String,
    /// The called number or SIP URI.
    pub to: String,
    /// Who began it.
    pub direction: Direction,
    /// The call whose story dialled this one.
    pub parent: Option<CallSid>,
    /// What it does once it is up.
    pub flow: Flow,
    /// How long an outbound call may ring, in seconds; none for the default.
    pub ring_timeout_s: Option<u32>,
    /// Settings of its flow for this call alone, over those of the account.
    pub settings: BTreeMap<String, String>,
    /// Who is told of it; nobody in most cases.
    pub callback: Option<CallCallback>,
    /// Who is asked, once and as soon as it is accepted, to wake the device that it is for.
    pub notification: Option<StatusCallback>,
    /// What else was ordered.
    pub orders: CallOrders,
    /// When it was accepted or came in.
    pub created_unix_ms: u64,
}

/// What the order for an outbound call says besides whom to call. The default says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOrders {
    /// Seconds from its answer to its end, at most.
    pub time_limit_s: Option<u32>,
    /// It is recorded from its answer on.
    pub recording: Option<StartRecording>,
    /// The number that the other side sees in place of the caller's.
    pub caller_id: Option<String>,
    /// Why it is made, in words for the other side.
    pub reason: Option<String>,
    /// When, and before whom, it may be dialled.
    pub queue: QueueTerms,
    /// What is proved to the far end in place of the trunk's own; none of a call that is over.
    pub credentials: Option<SipCredentials>,
}

/// What is changed of a call that is not over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallChange {
    /// Seconds from its answer to its end, at most.
    pub time_limit_s: Option<u32>,
    /// Who is told of it from now on: of the turns of before, or of its end.
    pub callback: Option<StatusCallback>,
}

/// Where a call's SIP dialog runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The SIP peer.
    pub trunk: TrunkId,
    /// The `Call-ID` of the dialog.
    pub sip_call_id: String,
}

/// One call, as far as it has come. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRow {
    /// Its SID.
    pub sid: CallSid,
    /// Whose call it is.
    pub account: AccountSid,
    /// The call whose story dialled this one.
    pub parent: Option<CallSid>,
    /// Who began it.
    pub direction: Direction,
    /// The caller.
    pub from: String,
    /// The called number or SIP URI.
    pub to: String,
    /// What it does once it is up.
    pub flow: Flow,
    /// How long an outbound call may ring, in seconds; none for the default.
    pub ring_timeout_s: Option<u32>,
    /// How far it has come. A call whose INVITE is on its way is still `queued` here, as it is at Twilio.
    pub status: CallStatus,
    /// When it may be dialled; none unless it waits in the outbound queue.
    pub due_unix_ms: Option<u64>,
    /// How many times it was dialled.
    pub attempts: u32,
    /// The dialog of the last attempt, or of the inbound call.
    pub leg: Option<Leg>,
    /// When it was accepted or came in.
    pub created_unix_ms: u64,
    /// When it was first dialled, or came in.
    pub started_unix_ms: Option<u64>,
    /// When it was answered.
    pub answered_unix_ms: Option<u64>,
    /// When it ended.
    pub ended_unix_ms: Option<u64>,
    /// When anything of it was last written.
    pub updated_unix_ms: u64,
    /// How it ended; none while it has not.
    pub record: Option<CallRecord>,
    /// How many events are kept of it, which is the sequence number of the next.
    pub events: u32,
    /// Settings of its flow for this call alone, over those of the account.
    pub settings: BTreeMap<String, String>,
    /// What else was ordered.
    pub orders: CallOrders,
    /// The trunks over which it was tried in vain, the first in front. It is tried over none of them again.
    pub tried: Vec<TrunkId>,
}

/// An attempt to dial a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// On which leg.
    pub leg: Leg,
    /// Why the built-in order chose its trunk, in words; none where a routing policy chose.
    pub because: Option<String>,
}

impl From<Leg> for Attempt {
    /// One of which nobody says why.
    fn from(leg: Leg) -> Self {
        Self { leg, because: None }
    }
}

/// An attempt that came to nothing before it rang, so that the call is tried over another trunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Over which trunk.
    pub trunk: TrunkId,
    /// The final SIP status; none where no INVITE left, because the trunk's servers could not be found.
    pub sip_status: Option<u16>,
    /// Why, in words.
    pub reason: String,
    /// Where no INVITE left: why the built-in order chose the trunk, as in [`Attempt::because`].
    pub because: Option<String>,
}

/// Which way a routing policy has planned for a call, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutedBy {
    /// The name of the plugin.
    pub plugin: String,
    /// Its version.
    pub version: u32,
    /// The trunks, the first choice in front, each with the reason in the policy's words.
    pub attempts: Vec<(TrunkId, String)>,
}

impl CallRow {
    /// Whether a process was at work on the call when the row was written: neither waiting nor over.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.due_unix_ms.is_none() && !self.status.is_final()
    }
}

/// One thing that happened to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEvent {
    /// Counts up from 0 within the call.
    pub sequence: u32,
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// What.
    pub kind: CallEventKind,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallEventKind {
    /// An outbound call was accepted into the queue.
    Accepted,
    /// An inbound call came in on this leg.
    CameIn(Leg),
    /// An outbound call is being dialled.
    Attempted(Attempt),
    /// The call came further.
    Status(CallStatus),
    /// The call is over.
    Ended(CallRecord),
    /// An attempt failed, and the call waits for another of its trunks.
    AttemptFailed(FailedAttempt),
    /// A routing policy has chosen its trunks.
    Routed(RoutedBy),
}
