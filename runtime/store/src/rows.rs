//! What the verbs need of a transaction. The one place where both implementations differ.

use std::sync::Arc;

use call::{CallSid, RecordingSid};

use crate::apply::Change;
use crate::{CallEvent, CallRow, Directory, RecordingRow, Sha256Digest, StoreError};

/// The rows of one open transaction.
///
/// A verb checks everything before it writes anything, so a verb that is refused leaves nothing behind although its
/// transaction, which it shares with others, is committed.
pub(crate) trait Rows {
    /// The directory as this transaction has made it.
    fn directory(&self) -> Arc<Directory>;
    /// Replaces the directory; `changes` are the rows in which the new one differs.
    fn set_directory(&mut self, directory: Directory, changes: &[Change])
    -> Result<(), StoreError>;
    /// Keeps the bytes of a component under their hash.
    fn keep_component(&mut self, sha256: Sha256Digest, bytes: &[u8]) -> Result<(), StoreError>;
    /// One call, of whichever account.
    fn call(&self, sid: CallSid) -> Result<Option<CallRow>, StoreError>;
    /// Writes a call's row and its places in every index; `before` is the row it replaces.
    fn put_call(&mut self, before: Option<&CallRow>, after: &CallRow) -> Result<(), StoreError>;
    /// Appends to a call's events.
    fn add_event(&mut self, sid: CallSid, event: &CallEvent) -> Result<(), StoreError>;
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
}
