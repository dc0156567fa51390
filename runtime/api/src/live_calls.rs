//! What the API asks of the calls that wait or are up.

use std::collections::BTreeMap;
use std::time::Duration;

use call::{AccountSid, CallSid};
use dial::{AccountWaits, Choice, Refusal};
use store::{CallRow, Flow, Priority, StoreError};

use crate::Done;

/// The calls that wait to be dialled, and those that are up. None of these blocks.
pub trait LiveCalls: Send + Sync {
    /// Whether one more call of the account may wait in the queue. Without room a new call is refused with 429.
    fn has_room(&self, account: AccountSid) -> bool;

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

    /// Cancels the account's calls that wait, those of one class or all. Resolves once their ends are on disk: how many they were.
    fn cancel_waiting(&self, account: AccountSid, class: Option<Priority>) -> Done<usize>;

    /// Accounts were made or changed: who may call whom is judged anew.
    fn directory_changed(&self);

    /// A callback waits in the outbox.
    fn callbacks_wait(&self);

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
