//! What the verbs need of a transaction. The one place where both implementations differ.

use std::sync::Arc;

use call::{AccountSid, CallSid, ConferenceSid, KeyValueUsage, QueueSid, RecordingSid, StreamSid};

use crate::apply::Change;
use crate::broadcast::BroadcastRows;
use crate::callback_row::CallbackState;
use crate::people::PersonRows;
use crate::verbs::OpenStream;
use crate::{
    AuditEntry, CallEvent, CallRow, CallbackRow, ConferenceRow, Directory, Farewell,
    ParticipantRow, PluginPage, QueueRow, RecordingRow, Sha256Digest, StoreError, UsageCategory,
};

/// The rows of one open transaction.
///
/// A verb checks everything before it writes anything, so a verb that is refused leaves nothing behind although its
/// transaction, which it shares with others, is committed.
pub(crate) trait Rows: PersonRows + BroadcastRows {
    /// The directory as this transaction has made it.
    fn directory(&self) -> Arc<Directory>;
    /// Replaces the directory; `changes` are the rows in which the new one differs.
    fn set_directory(&mut self, directory: Directory, changes: &[Change])
    -> Result<(), StoreError>;
    /// A hash of what a tenants file says, which may hold passwords: nobody without the operator's key can find that by trying.
    fn keyed_digest(&self, text: &[u8]) -> Sha256Digest;
    /// Appends to the audit log under the next id, and lets the oldest entry go where there are too many.
    fn add_audit(&mut self, entry: AuditEntry) -> Result<(), StoreError>;
    /// Counts one more call or recording of an account on a day.
    fn add_usage(
        &mut self,
        account: AccountSid,
        day: u32,
        category: UsageCategory,
        minutes: u64,
    ) -> Result<(), StoreError>;
    /// Keeps the bytes of a component under their hash.
    fn keep_component(&mut self, sha256: Sha256Digest, bytes: &[u8]) -> Result<(), StoreError>;
    /// Lets the bytes of components go once the transaction is through, unless a plugin still has them.
    fn forget_components(&mut self, forgotten: Vec<Sha256Digest>);
    /// Writes the page of a plugin that is there.
    fn put_plugin_page(&mut self, page: &PluginPage) -> Result<(), StoreError>;
    /// One call, of whichever account.
    fn call(&self, sid: CallSid) -> Result<Option<CallRow>, StoreError>;
    /// Writes a call's row and its places in every index; `before` is the row it replaces.
    fn put_call(&mut self, before: Option<&CallRow>, after: &CallRow) -> Result<(), StoreError>;
    /// Takes a call that is over out of every table but those of recordings and callbacks.
    fn remove_call(&mut self, row: &CallRow) -> Result<(), StoreError>;
    /// Appends to a call's events.
    fn add_event(&mut self, sid: CallSid, event: &CallEvent) -> Result<(), StoreError>;
    /// Appends to what a call's callbacks were answered, as it is sealed; the oldest one goes where there are too many.
    fn add_exchange(&mut self, sid: CallSid, sealed: &[u8]) -> Result<(), StoreError>;
    /// Keeps a call's journal as it is sealed.
    fn put_journal(&mut self, sid: CallSid, sealed: &[u8]) -> Result<(), StoreError>;
    /// One recording, of whichever account.
    fn recording(&self, sid: RecordingSid) -> Result<Option<RecordingRow>, StoreError>;
    /// Writes a recording's row and its places in every index; `before` is the row it replaces.
    fn put_recording(
        &mut self,
        before: Option<&RecordingRow>,
        after: &RecordingRow,
    ) -> Result<(), StoreError>;
    /// Takes a recording's row and its places in every index out.
    fn remove_recording(&mut self, row: &RecordingRow) -> Result<(), StoreError>;
    /// One conference, of whichever account.
    fn conference(&self, sid: ConferenceSid) -> Result<Option<ConferenceRow>, StoreError>;
    /// Writes a conference's row and its places in every index; `before` is the row it replaces.
    fn put_conference(
        &mut self,
        before: Option<&ConferenceRow>,
        after: &ConferenceRow,
    ) -> Result<(), StoreError>;
    /// Who is in a conference.
    fn participants(&self, sid: ConferenceSid) -> Result<Vec<ParticipantRow>, StoreError>;
    /// Writes a participant's row.
    fn put_participant(&mut self, row: &ParticipantRow) -> Result<(), StoreError>;
    /// Takes a participant's row out.
    fn remove_participant(&mut self, sid: ConferenceSid, call: CallSid) -> Result<(), StoreError>;
    /// The queues of an account.
    fn queues(&self, account: AccountSid) -> Result<Vec<QueueRow>, StoreError>;
    /// Writes a queue's row.
    fn put_queue(&mut self, row: &QueueRow) -> Result<(), StoreError>;
    /// Takes a queue's row out.
    fn remove_queue(&mut self, account: AccountSid, sid: QueueSid) -> Result<(), StoreError>;
    /// Writes what ends a call's dialog.
    fn put_farewell(&mut self, call: CallSid, farewell: &Farewell) -> Result<(), StoreError>;
    /// Takes it out, where it is.
    fn remove_farewell(&mut self, call: CallSid) -> Result<(), StoreError>;
    /// Writes a media stream whose end is still to be told.
    fn put_open_stream(&mut self, row: &OpenStream) -> Result<(), StoreError>;
    /// Takes a media stream out whose end is told; whether it was there.
    fn remove_open_stream(&mut self, call: CallSid, stream: StreamSid) -> Result<bool, StoreError>;
    /// The id of the next callback; each is given once.
    fn next_callback(&mut self) -> Result<u64, StoreError>;
    /// One callback of the outbox, of whichever account.
    fn callback(&self, id: u64) -> Result<Option<CallbackRow>, StoreError>;
    /// At most `limit` callbacks that were given up, of those that are in front of the first one which was written at this time or later.
    fn old_callbacks(
        &self,
        before_unix_ms: u64,
        limit: usize,
    ) -> Result<Vec<CallbackRow>, StoreError>;
    /// Writes a callback, and its place among those given up.
    fn put_callback(&mut self, row: &CallbackRow) -> Result<(), StoreError>;
    /// Takes a callback and its place out.
    fn remove_callback(&mut self, row: &CallbackRow) -> Result<(), StoreError>;
    /// Who is told of a call that goes on; none where nobody is.
    fn callback_state(&self, call: CallSid) -> Result<Option<CallbackState>, StoreError>;
    /// Writes who is told of a call.
    fn put_callback_state(
        &mut self,
        call: CallSid,
        state: &CallbackState,
    ) -> Result<(), StoreError>;
    /// Nobody is told of a call any more.
    fn remove_callback_state(&mut self, call: CallSid) -> Result<(), StoreError>;
    /// What an account's key-value pairs take.
    fn key_value_usage(&self, account: AccountSid) -> Result<KeyValueUsage, StoreError>;
    /// A value as it is sealed.
    fn key_value(&self, account: AccountSid, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Writes a value as it is sealed, or takes it out, and what the account's pairs take from now on.
    fn put_key_value(
        &mut self,
        account: AccountSid,
        key: &str,
        sealed: Option<&[u8]>,
        usage: KeyValueUsage,
    ) -> Result<(), StoreError>;
}
