//! Who is to hear a broadcast, and how the calls to them ended.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use call::{CallRecord, CallSid, CallStatus};
use numbers::PhoneNumber;
use serde::{Deserialize, Serialize};

use super::BroadcastRules;
use crate::{StoreError, TrunkId};

/// Somebody who is to hear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecipient {
    /// Where they are called.
    pub number: PhoneNumber,
    /// What they speak.
    pub language: Option<String>,
    /// Where they live, as [`crate::Person`] has it.
    pub areas: Vec<String>,
    /// What the message may be made of.
    pub fields: BTreeMap<String, String>,
}

/// How a call to a recipient ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptOutcome {
    /// The message was heard.
    Reached,
    /// Somebody answered, and the call was over before the message was.
    CutShort,
    /// They are on the telephone.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// There was no room on the way.
    Congestion,
    /// They, or a network on the way, are switched off.
    Unreachable,
    /// They or a network did not take the call.
    Rejected,
    /// Nobody has that number.
    Unallocated,
    /// We took the call back.
    Canceled,
    /// Anything else.
    Failed,
    /// It is not known: our process died.
    Lost,
}

impl AttemptOutcome {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Reached,
        Self::CutShort,
        Self::Busy,
        Self::NoAnswer,
        Self::Congestion,
        Self::Unreachable,
        Self::Rejected,
        Self::Unallocated,
        Self::Canceled,
        Self::Failed,
        Self::Lost,
    ];

    /// In one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::CutShort => "cut-short",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Congestion => "congestion",
            Self::Unreachable => "unreachable",
            Self::Rejected => "rejected",
            Self::Unallocated => "unallocated",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A call to a recipient that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientAttempt {
    /// The call.
    pub call: CallSid,
    /// When it was dialled, or accepted where it never was, in milliseconds since the Unix epoch.
    pub started_unix_ms: u64,
    /// When it was over, in milliseconds since the Unix epoch.
    pub ended_unix_ms: u64,
    /// The trunk that it went over; none where it was not dialled.
    pub trunk: Option<TrunkId>,
    /// How it ended, for the broadcast.
    pub outcome: AttemptOutcome,
    /// How it ended, as a call; without its quality.
    pub record: CallRecord,
}

/// Where a recipient stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecipientState {
    /// Is to be called.
    Waiting {
        /// Not before, in milliseconds since the Unix epoch.
        due_unix_ms: u64,
    },
    /// This call is made, or about to be.
    Calling(CallSid),
    /// A call was in vain, and it is to be decided whether there is another.
    Judged,
    /// The message was heard.
    Reached,
    /// There is no further call; says why.
    GivenUp(String),
}

impl RecipientState {
    /// In one word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Calling(_) => "calling",
            Self::Judged => "judged",
            Self::Reached => "reached",
            Self::GivenUp(_) => "given-up",
        }
    }
}

/// One recipient of a broadcast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Where they are called.
    pub number: PhoneNumber,
    /// What they speak.
    pub language: Option<String>,
    /// Where they live, as [`crate::Person`] has it.
    pub areas: Vec<String>,
    /// What the message may be made of.
    pub fields: BTreeMap<String, String>,
    /// Where they stand.
    pub state: RecipientState,
    /// The calls that are over, the first in front.
    pub attempts: Vec<RecipientAttempt>,
}

/// The words of [`RecipientState`], to ask for those that stand so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing(&'static str);

impl FromStr for Standing {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = ["waiting", "calling", "judged", "reached", "given-up"];
        all.into_iter()
            .find(|word| *word == text)
            .map(Self)
            .ok_or(())
    }
}

impl Standing {
    /// Whether a recipient stands so.
    #[must_use]
    pub fn fits(self, state: &RecipientState) -> bool {
        state.as_str() == self.0
    }
}

/// What was decided of a recipient whom a call has not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// They are called again, not before this time in milliseconds since the Unix epoch.
    Again(u64),
    /// They are not; says why.
    GiveUp(String),
}

/// A page of recipients, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientPage {
    /// Who stand as was asked for.
    pub recipients: Vec<Recipient>,
    /// The next page begins behind this number, if there may be more. A page can be short, or empty, and yet have a next.
    pub next: Option<PhoneNumber>,
}

/// How a call ended for a broadcast.
pub(crate) fn outcome(rules: &BroadcastRules, record: &CallRecord) -> AttemptOutcome {
    let is_lost = record.host_reason() == Some(crate::verbs::NODE_LOST);
    if record.status == CallStatus::Completed {
        let was_heard = match rules.reached_after_s {
            Some(seconds) => record.duration_s >= seconds,
            None => false,
        };
        return match was_heard || record.end_reason == call::HUNG_UP_BY_US {
            true => AttemptOutcome::Reached,
            false => AttemptOutcome::CutShort,
        };
    }
    if is_lost {
        return AttemptOutcome::Lost;
    }
    match record.outcome() {
        // An unanswered call has no such outcome.
        call::Outcome::Answered | call::Outcome::Failed => AttemptOutcome::Failed,
        call::Outcome::Busy => AttemptOutcome::Busy,
        call::Outcome::NoAnswer => AttemptOutcome::NoAnswer,
        call::Outcome::Canceled => AttemptOutcome::Canceled,
        call::Outcome::Congestion => AttemptOutcome::Congestion,
        call::Outcome::Unreachable => AttemptOutcome::Unreachable,
        call::Outcome::Rejected => AttemptOutcome::Rejected,
        call::Outcome::Unallocated => AttemptOutcome::Unallocated,
    }
}

/// Recipients that one page looks at before it ends early.
const VISITED: usize = 10_000;

/// Takes the first `limit` who stand so out of a broadcast's recipients, which come by their numbers.
pub(crate) fn page(
    all: impl Iterator<Item = Result<Recipient, StoreError>>,
    standing: Option<Standing>,
    limit: usize,
) -> Result<RecipientPage, StoreError> {
    let mut recipients = Vec::new();
    let mut last: Option<PhoneNumber> = None;
    for (visited, recipient) in all.enumerate() {
        if recipients.len() == limit || visited == VISITED {
            return Ok(RecipientPage {
                recipients,
                next: last,
            });
        }
        let recipient = recipient?;
        last = Some(recipient.number.clone());
        if standing.is_none_or(|standing| standing.fits(&recipient.state)) {
            recipients.push(recipient);
        }
    }
    Ok(RecipientPage {
        recipients,
        next: None,
    })
}
