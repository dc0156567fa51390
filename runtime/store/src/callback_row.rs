//! What an account's server is to be told, and what it has not been told yet.

use call::{
    AccountSid, CallCallback, CallSid, CallStatus, CallbackSubject, ProgressEvent, RecordingSid,
    StatusCallback,
};
use serde::{Deserialize, Serialize};

use crate::{CallEventKind, FlowStart};

/// Attempts at callbacks of one call that are kept: the last ones.
pub const MOST_EXCHANGES: u32 = 100;

/// What an event of a call means to who is told; none where they are not told of such.
pub(crate) const fn turn_of(kind: &CallEventKind) -> Option<ProgressEvent> {
    match kind {
        CallEventKind::Attempted(_) => Some(ProgressEvent::Initiated),
        CallEventKind::Status(CallStatus::Ringing) => Some(ProgressEvent::Ringing),
        CallEventKind::Status(CallStatus::InProgress) => Some(ProgressEvent::Answered),
        CallEventKind::Ended(_) => Some(ProgressEvent::Completed),
        CallEventKind::Accepted
        | CallEventKind::CameIn(_)
        | CallEventKind::Status(_)
        | CallEventKind::AttemptFailed(_)
        | CallEventKind::Routed(_) => None,
    }
}

/// What a call still has to tell, as its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallbackState {
    pub(crate) callback: CallCallback,
    /// How many were put into the outbox, which is the sequence number of the next.
    pub(crate) told: u32,
    /// The recording that the call's order asked for, once it has begun. The call's end is told when it is over too.
    pub(crate) recording: Option<OrderedRecording>,
}

/// A recording that the order of its call asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrderedRecording {
    pub(crate) sid: RecordingSid,
    /// Where its file will be fetched from.
    pub(crate) url: String,
}

/// A callback in the outbox. Times are in milliseconds since the Unix epoch.
///
/// It holds all that is sent: what it tells of may be gone before it is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRow {
    /// Counts up from 1 in the store.
    pub id: u64,
    /// Whose server is told.
    pub account: AccountSid,
    /// Of what.
    pub subject: CallbackSubject,
    /// Of which turn, in Twilio's word for it.
    pub event: String,
    /// Counts up from 0 within the subject.
    pub sequence: u32,
    /// Where, and how.
    pub to: StatusCallback,
    /// What is said: the names and values of a form.
    pub parameters: Vec<(String, String)>,
    /// The same in every attempt, so that who is told twice can tell.
    pub token: [u8; 16],
    /// When it happened.
    pub created_unix_ms: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; none once it is given up.
    pub due_unix_ms: Option<u64>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// The flow that is started, in place of a form that is sent.
    pub start: Option<FlowStart>,
}

impl CallbackRow {
    /// The value of one parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let (_, value) = parameters.find(|(known, _)| known == name)?;
        Some(value)
    }

    /// The call that it tells of; none where that is a conference alone.
    #[must_use]
    pub fn call(&self) -> Option<CallSid> {
        match self.subject {
            CallbackSubject::Call(call)
            | CallbackSubject::Detection(call)
            | CallbackSubject::Notification(call) => Some(call),
            _ => self.parameter("CallSid")?.parse().ok(),
        }
    }
}

/// How an attempt to deliver a callback ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// The server took it. The row goes.
    Delivered,
    /// It did not.
    Failed {
        /// How often it was tried.
        attempts: u32,
        /// When it is tried again; none if nobody tries it any more.
        due_unix_ms: Option<u64>,
        /// Why.
        error: String,
    },
}
