//! What the API asks of the calls that wait or are up.

use std::collections::BTreeMap;
use std::time::Duration;

use call::{AccountSid, CallSid};
use dial::{AccountWaits, Choice, Refusal};
use store::{CallRow, Flow, Priority, StoreError};

use crate::Done;

/// A place in the queue of calls that wait. Dropping it gives it back.
pub type Place = Box<dyn Send>;

/// The calls that wait to be dialled, and those that are up. None of these blocks.
pub trait LiveCalls: Send + Sync {
    /// A place in the queue for one more call of the account, which is its until it is dropped: when the call [waits](Self::accepted), or is not
    /// accepted. Without one a new call is refused with 429.
    fn take_place(&self, account: AccountSid) -> Option<Place>;

    /// A call was accepted and is on disk: it waits to be dialled.
    fn accepted(&self, call: &CallRow);

    /// How many calls of the account wait.
    fn waits(&self, account: AccountSid) -> AccountWaits;

    /// Over which trunks a call of the account would go now, the first choice in front.
    ///
    /// # Errors
    /// Why it may not be made at all.
    fn explain_route(
        &self,
        account: AccountSid,
        from: &str,
        to: &str,
    ) -> Result<Vec<Choice>, Refusal>;

    /// What the account's routing policy would make of such a call now; none where it has none, or such a call may not be made.
    fn ask_policy(&self, account: AccountSid, from: &str, to: &str) -> Done<Option<PolicyAnswer>>;

    /// Cancels the account's calls that wait, those of one class or all. Resolves once their ends are on disk: how many they were.
    fn cancel_waiting(&self, account: AccountSid, class: Option<Priority>) -> Done<usize>;

    /// Accounts were made or changed: who may call whom is judged anew.
    fn directory_changed(&self);

    /// A callback waits in the outbox.
    fn callbacks_wait(&self);

    /// The journals of a call of this account that is up, as far as they have come. None if there is no such call: it is on disk then, if it
    /// was one.
    fn journal(&self, account: AccountSid, call: CallSid) -> Done<Option<Vec<u8>>>;

    /// Ends a call of this account. Resolves once the end is on disk (a call that waited) or on its way (a call that is up).
    fn end(&self, account: AccountSid, call: CallSid, how: End) -> Done<Result<(), EndError>>;

    /// Gives a call of this account that is up another flow in place of the one that runs. False if there is no such call.
    fn redirect(
        &self,
        account: AccountSid,
        call: CallSid,
        flow: Flow,
        settings: BTreeMap<String, String>,
    ) -> bool;

    /// A call of this account that is up may last so long from its answer on. Nothing happens where there is no such call.
    fn limit(&self, account: AccountSid, call: CallSid, longest: Duration);
}

/// What a routing policy says of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyAnswer {
    /// The name of the plugin.
    pub plugin: String,
    /// Its version.
    pub version: u32,
    /// What it decides, or why it decides nothing, and the built-in order holds.
    pub decision: Result<PolicyDecision, String>,
}

/// What becomes of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyDecision {
    /// It is tried so, one after the other.
    Attempts(Vec<PolicyAttempt>),
    /// It waits.
    Wait {
        /// Until when, in milliseconds since the Unix epoch; none for a while.
        until_unix_ms: Option<u64>,
        /// Why.
        reason: String,
    },
    /// It is not dialled; says why.
    Refuse(String),
}

/// One attempt that it plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyAttempt {
    /// Over which trunk.
    pub trunk: String,
    /// The number as it is dialled, where it says so.
    pub dialled: Option<String>,
    /// The number that is shown, where it is another one.
    pub caller_id: Option<String>,
    /// Seconds that it may ring, where it says so.
    pub ring_timeout_s: Option<u32>,
    /// Why.
    pub reason: String,
}

/// How a call is to be ended: the `Status` of Twilio's update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `canceled`: only if it is not answered yet.
    Cancel,
    /// `completed`: whatever it does.
    Complete,
}

/// Why a call was not ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndError {
    /// It is over already, or was answered and should only be cancelled.
    #[error("the call is not in a state to be ended so")]
    WrongState,
    /// The end could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}
