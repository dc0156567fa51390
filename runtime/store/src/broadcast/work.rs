//! What may be asked and done with broadcasts.

use call::{AccountSid, BroadcastSid, CallSid};
use numbers::PhoneNumber;

use super::{
    Broadcast, BroadcastChange, BroadcastCursor, BroadcastOrder, BroadcastPage, Judgement,
    NewBroadcast, NewRecipient, Recipient, RecipientPage, RecipientState, Standing,
};
use crate::{CallRow, Commit, NewCall, Scope, StoreError};

/// Broadcasts and their recipients. A recipient lies sealed with the account's key.
///
/// A call of a broadcast that ends, in whichever way, is written to its recipient in the same transaction, also when the end is that a killed
/// process left it.
pub trait BroadcastStore: Send + Sync {
    /// Keeps a new draft. Fails with [`StoreError::NotPossible`] where the account has [`MAX_BROADCASTS`].
    fn create_broadcast(&self, scope: Scope, new: NewBroadcast) -> Commit<Broadcast>;

    /// Changes a draft; none if there is no such broadcast. One that was started fails with [`StoreError::NotPossible`].
    fn change_broadcast(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        change: BroadcastChange,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>>;

    /// Takes at most [`MAX_WRITTEN_AT_ONCE`] recipients into a draft; who is in it already is replaced. Fails as [`Self::change_broadcast`] does.
    fn add_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        recipients: Vec<NewRecipient>,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>>;

    /// Starts, pauses, resumes or stops; none if there is no such broadcast. Fails with [`StoreError::NotPossible`] where its state does not allow
    /// that. The order of before again changes nothing.
    fn order_broadcast(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        order: BroadcastOrder,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>>;

    /// Forgets a draft, or one that is over, and its recipients; whether there is such a broadcast. Fails with [`StoreError::NotPossible`] where
    /// somebody is still to be called.
    fn delete_broadcast(&self, scope: Scope, sid: BroadcastSid) -> Commit<bool>;

    /// One broadcast.
    fn broadcast(&self, scope: Scope, sid: BroadcastSid) -> Result<Option<Broadcast>, StoreError>;

    /// At most `limit` broadcasts, newest first, from the cursor of the page before or from the newest.
    fn broadcasts(
        &self,
        scope: Scope,
        from: Option<BroadcastCursor>,
        limit: usize,
    ) -> Result<BroadcastPage, StoreError>;

    /// One recipient.
    fn recipient(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        number: &PhoneNumber,
    ) -> Result<Option<Recipient>, StoreError>;

    /// At most `limit` recipients by their numbers, from behind this one or from the first; none if there is no such broadcast.
    fn recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        standing: Option<Standing>,
        after: Option<&PhoneNumber>,
        limit: usize,
    ) -> Result<Option<RecipientPage>, StoreError>;
}

/// What the host itself does with broadcasts, of all accounts.
pub trait BroadcastWork: BroadcastStore {
    /// Those that are begun and not completed.
    fn begun_broadcasts(&self) -> Result<Vec<Broadcast>, StoreError>;

    /// Whether recipients of deleted broadcasts are left.
    fn has_deleted_broadcasts(&self) -> Result<bool, StoreError>;

    /// Removes at most [`MAX_WRITTEN_AT_ONCE`] recipients of deleted broadcasts.
    fn sweep_broadcasts(&self) -> Commit<()>;

    /// At most `limit` recipients who may be called at this time, whoever has waited longest first.
    fn due_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        now_unix_ms: u64,
        limit: usize,
    ) -> Result<Vec<Recipient>, StoreError>;

    /// When the next recipient may be called, in milliseconds since the Unix epoch; 0 for at once, none where nobody waits.
    fn next_due(&self, sid: BroadcastSid) -> Result<Option<u64>, StoreError>;

    /// At most `limit` recipients of whom it is to be decided whether they are called again.
    fn judged_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        limit: usize,
    ) -> Result<Vec<Recipient>, StoreError>;

    /// The calls that are made or about to be.
    fn broadcast_calls(&self, sid: BroadcastSid) -> Result<Vec<CallSid>, StoreError>;

    /// Accepts calls to recipients who wait, and has them called, in one transaction. Left out are those who do not wait any more or are not due
    /// at `at_unix_ms`; all of them where the broadcast does not run.
    fn call_recipients(
        &self,
        sid: BroadcastSid,
        calls: Vec<NewCall>,
        at_unix_ms: u64,
    ) -> Commit<Vec<CallRow>>;

    /// Keeps what was decided of recipients who wait or are judged; others are left as they are. The broadcast as it then is; none if there is none.
    fn judge_recipients(
        &self,
        sid: BroadcastSid,
        judgements: Vec<(PhoneNumber, Judgement)>,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>>;
}

/// Where a recipient stands in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Due(u64),
    Calling(CallSid),
    Judged,
    Over,
}

impl From<&RecipientState> for Place {
    fn from(state: &RecipientState) -> Self {
        match state {
            RecipientState::Waiting { due_unix_ms } => Self::Due(*due_unix_ms),
            RecipientState::Calling(call) => Self::Calling(*call),
            RecipientState::Judged => Self::Judged,
            RecipientState::Reached | RecipientState::GivenUp(_) => Self::Over,
        }
    }
}

/// What the verbs need of a transaction for broadcasts.
pub(crate) trait BroadcastRows {
    /// One broadcast, of whichever account.
    fn broadcast(&self, sid: BroadcastSid) -> Result<Option<Broadcast>, StoreError>;
    /// How many an account has.
    fn broadcast_count(&self, account: AccountSid) -> Result<usize, StoreError>;
    /// Writes a broadcast.
    fn put_broadcast(&mut self, row: &Broadcast) -> Result<(), StoreError>;
    /// Removes a broadcast; its recipients are left to [`Self::sweep_recipients`].
    fn remove_broadcast(&mut self, row: &Broadcast) -> Result<(), StoreError>;
    /// Removes at most so many recipients of removed broadcasts.
    fn sweep_recipients(&mut self, limit: usize) -> Result<(), StoreError>;
    /// A recipient as they are sealed.
    fn recipient(&self, sid: BroadcastSid, number: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Writes a recipient as they are sealed, and their place.
    fn put_recipient(
        &mut self,
        sid: BroadcastSid,
        number: &PhoneNumber,
        sealed: &[u8],
        before: Option<Place>,
        after: Place,
    ) -> Result<(), StoreError>;
    /// Whom a call is made for.
    fn recipient_of_call(
        &self,
        call: CallSid,
    ) -> Result<Option<(BroadcastSid, PhoneNumber)>, StoreError>;
}
