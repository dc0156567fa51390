//! Broadcasts: one message to many, and what came of it for each of them.

mod flow_start;
mod operators;
mod recipient;
mod work;

use std::collections::BTreeMap;

use call::{AccountSid, BroadcastSid, StatusCallback};
use serde::{Deserialize, Serialize};

pub use self::flow_start::FlowStart;
pub use self::operators::{ByOperator, OperatorCounts};
pub use self::recipient::{
    AttemptOutcome, Judgement, NewRecipient, Recipient, RecipientAttempt, RecipientPage,
    RecipientState, Standing,
};
pub(crate) use self::recipient::{outcome, page};
pub(crate) use self::work::{BroadcastRows, Place};
pub use self::work::{BroadcastStore, BroadcastWork};
use crate::seal::random_bytes;
use crate::{Cursor, Page, QueueTerms, WebhookMethod};

/// The most broadcasts of one account.
pub const MAX_BROADCASTS: usize = 1_000;
/// The most recipients of one broadcast.
pub const MAX_RECIPIENTS: u64 = 1_000_000;
/// The most recipients that one write may take.
pub const MAX_WRITTEN_AT_ONCE: usize = 1_000;

/// The `end_reason` of a call that the host itself took out of the queue because its broadcast is halted: it has not happened.
pub const RECALLED: &str = "taken back while it waited";

/// What the `end_reason` of a call begins with that the account's own routing policy refused: an attempt, though nobody was dialled.
pub const REFUSED_BY_POLICY: &str = "refused by the routing policy";

/// A SID for a new broadcast, with 128 random bits.
#[must_use]
pub fn random_broadcast_sid() -> BroadcastSid {
    BroadcastSid::from_bytes(random_bytes())
}

/// What is heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// A file of the account's media for each language.
    Audio {
        /// By language.
        files: BTreeMap<String, String>,
        /// For whoever speaks none of these.
        fallback: Option<String>,
    },
    /// A document, in which `{{name}}` stands for a field of the person.
    Twiml(String),
    /// A web server gives the documents; it is told the person's fields in the query.
    Url {
        /// `http` or `https`.
        url: String,
        /// How the first document is asked for.
        method: WebhookMethod,
    },
    /// A call flow, whose settings have the person's fields.
    Plugin(String),
}

/// What is ordered of a broadcast beside its message and who gets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BroadcastRules {
    /// When its calls are made, and before whom.
    pub terms: QueueTerms,
    /// How often somebody is called, at most; none for the usual number.
    pub max_attempts: Option<u32>,
    /// Seconds from the end of a call to the next one to the same person; none for the usual time.
    pub gap_s: Option<u32>,
    /// Somebody is reached who listened this many seconds; none: who heard the message to its end.
    pub reached_after_s: Option<u32>,
    /// How long a call may ring, in seconds; none for the default.
    pub ring_timeout_s: Option<u32>,
    /// Who is told of each person that was reached.
    pub webhook: Option<StatusCallback>,
}

/// A broadcast that is about to be kept for the first time, as a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBroadcast {
    /// Its SID, such as [`random_broadcast_sid`] makes.
    pub sid: BroadcastSid,
    /// What people call it.
    pub name: String,
    /// The caller that is shown: a number of the account.
    pub from: String,
    /// What is heard.
    pub message: Message,
    /// What else is ordered.
    pub rules: BroadcastRules,
    /// The flow that is started for each person that was reached.
    pub flow_start: Option<FlowStart>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_unix_ms: u64,
}

/// What is to be different about a draft. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BroadcastChange {
    /// What people call it.
    pub name: Option<String>,
    /// The caller that is shown.
    pub from: Option<String>,
    /// What is heard.
    pub message: Option<Message>,
    /// What else is ordered.
    pub rules: Option<BroadcastRules>,
    /// The flow that is started for each person that was reached, or that there is none any more.
    pub flow_start: Option<Option<FlowStart>>,
}

/// How far a broadcast has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BroadcastState {
    /// It is written; nobody is called.
    Draft,
    /// People are called.
    Running,
    /// Nobody is called until it goes on.
    Paused,
    /// Somebody has ended it.
    Stopped,
    /// Nobody is left to be called.
    Completed,
}

impl BroadcastState {
    /// In one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Completed => "completed",
        }
    }
}

/// What is ordered of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BroadcastOrder {
    /// People are to be called.
    Start,
    /// Nobody is to be called for now.
    Pause,
    /// It goes on.
    Resume,
    /// Nobody is to be called any more.
    Stop,
}

impl BroadcastOrder {
    /// The state that it leads to, from this one.
    ///
    /// # Errors
    /// In words: why it cannot be.
    pub(crate) fn from(self, state: BroadcastState) -> Result<BroadcastState, String> {
        match (self, state) {
            (Self::Start, BroadcastState::Draft)
            | (Self::Resume, BroadcastState::Paused | BroadcastState::Running) => {
                Ok(BroadcastState::Running)
            }
            (Self::Pause, BroadcastState::Running | BroadcastState::Paused) => {
                Ok(BroadcastState::Paused)
            }
            (
                Self::Stop,
                BroadcastState::Running | BroadcastState::Paused | BroadcastState::Stopped,
            ) => Ok(BroadcastState::Stopped),
            (Self::Start, _) => Err(format!(
                "the broadcast was started before: it is {}",
                state.as_str()
            )),
            (_, BroadcastState::Draft) => {
                Err("the broadcast is a draft: start it first".to_owned())
            }
            (..) => Err(format!("the broadcast is {}", state.as_str())),
        }
    }
}

/// How many recipients stand where, and how calls ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BroadcastCounts {
    /// Not called yet.
    pub waiting: u64,
    /// Not reached yet, and called again later.
    pub again: u64,
    /// Being called, or about to be.
    pub calling: u64,
    /// Called in vain, and not decided yet whether again.
    pub judged: u64,
    /// Who heard the message.
    pub reached: u64,
    /// Who will not be called any more.
    pub given_up: u64,
    /// Calls that are over, by how they ended.
    pub outcomes: BTreeMap<AttemptOutcome, u64>,
}

impl BroadcastCounts {
    /// All recipients.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.left() + self.reached + self.given_up
    }

    /// Who is neither reached nor given up.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.waiting + self.again + self.calling + self.judged
    }

    /// Calls that are over.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.outcomes.values().sum()
    }
}

/// One broadcast. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// Its SID.
    pub sid: BroadcastSid,
    /// Whose it is.
    pub account: AccountSid,
    /// What people call it.
    pub name: String,
    /// The caller that is shown.
    pub from: String,
    /// What is heard.
    pub message: Message,
    /// What else is ordered.
    pub rules: BroadcastRules,
    /// How far it has come.
    pub state: BroadcastState,
    /// What came of it so far.
    pub counts: BroadcastCounts,
    /// When it was made.
    pub created_unix_ms: u64,
    /// When it was started.
    pub started_unix_ms: Option<u64>,
    /// When it was stopped, or the last one was called.
    pub ended_unix_ms: Option<u64>,
    /// When anything of it was last written.
    pub updated_unix_ms: u64,
    /// The flow that is started for each person that was reached.
    pub flow_start: Option<FlowStart>,
    /// What came of it so far, by the recipients' network operators.
    pub by_operator: ByOperator,
}

impl Broadcast {
    /// Whether there may be something left to do.
    #[must_use]
    pub const fn has_work(&self) -> bool {
        match self.state {
            BroadcastState::Draft | BroadcastState::Completed => false,
            BroadcastState::Stopped => self.counts.left() > 0,
            BroadcastState::Running | BroadcastState::Paused => true,
        }
    }
}

/// Where the next page of broadcasts begins.
pub type BroadcastCursor = Cursor<BroadcastSid>;

/// A page of broadcasts.
pub type BroadcastPage = Page<Broadcast, BroadcastSid>;
