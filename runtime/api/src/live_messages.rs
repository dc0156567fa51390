//! What the API asks of accounts' connectors for texts.

use call::{AccountSid, MessageSid, StatusCallback};

use crate::Done;

/// The connectors of accounts: web servers of theirs that take texts. None of these blocks.
pub trait LiveMessages: Send + Sync {
    /// Hands a text to the account's connector, once. Resolves with its answer; whoever is to be told is told meanwhile.
    fn send_message(&self, account: AccountSid, message: Message) -> Done<MessageOutcome>;
}

/// A text to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its SID.
    pub sid: MessageSid,
    /// One of the account's numbers.
    pub from: String,
    /// A telephone number.
    pub to: String,
    /// 1 to 1,600 characters.
    pub body: String,
    /// Who is told what became of it.
    pub status_callback: Option<StatusCallback>,
}

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageOutcome {
    /// The connector took it.
    Sent,
    /// The account has none.
    NoConnector,
    /// The connector did not take it, or could not be reached: in words for the tenant.
    Failed(String),
}
