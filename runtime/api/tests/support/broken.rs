//! A store whose disk fails: it keeps no call, and is too busy to read.

use std::sync::Arc;

use call::{AccountSid, CallSid, ConferenceSid, Exchange, QueueSid, RecordingSid};
use store::{
    AccountStore, AuditEntry, Author, CallChange, CallEvent, CallFilter, CallRow, CallbackRow,
    Commit, ConferenceCursor, ConferenceFilter, ConferencePage, ConferenceRow, Cursor, Directory,
    Edit, MemoryStore, NewCall, NewQueue, Page, ParticipantFilter, ParticipantPage, PluginEvent,
    PluginOwner, QueueChange, QueueCursor, QueuePage, QueueRow, RecordingCursor, RecordingFilter,
    RecordingPage, RecordingRow, Scope, StoreError, UsageOfDay,
};

use super::NOBODY_SID;

/// A store that keeps nothing: whoever asks is nobody it knows.
pub(crate) struct Broken(pub(crate) Arc<MemoryStore>);

impl AccountStore for Broken {
    fn directory(&self) -> Arc<Directory> {
        self.0.directory()
    }

    fn accept_call(&self, _: Scope, call: NewCall) -> Commit<CallRow> {
        let nobody: AccountSid = NOBODY_SID.parse().unwrap();
        self.0.accept_call(Scope::of_host(nobody), call)
    }

    fn call(&self, _: Scope, _: CallSid) -> Result<Option<CallRow>, StoreError> {
        Err(StoreError::Corrupt("bytes nobody should see".to_owned()))
    }

    fn calls(
        &self,
        _: Scope,
        _: &CallFilter,
        _: Option<Cursor>,
        _: usize,
    ) -> Result<Page, StoreError> {
        Err(StoreError::Busy)
    }

    fn events(&self, _: Scope, sid: CallSid) -> Result<Option<Vec<CallEvent>>, StoreError> {
        Err(StoreError::UnknownCall(sid))
    }

    fn exchanges(&self, _: Scope, _: CallSid) -> Result<Vec<(u32, Exchange)>, StoreError> {
        Err(StoreError::Busy)
    }

    fn journal(&self, _: Scope, sid: CallSid) -> Result<Option<Vec<u8>>, StoreError> {
        Err(StoreError::UnknownCall(sid))
    }

    fn recording(&self, _: Scope, _: RecordingSid) -> Result<Option<RecordingRow>, StoreError> {
        Err(StoreError::Busy)
    }

    fn recordings(
        &self,
        _: Scope,
        _: &RecordingFilter,
        _: Option<RecordingCursor>,
        _: usize,
    ) -> Result<RecordingPage, StoreError> {
        Err(StoreError::Busy)
    }

    fn change_call(
        &self,
        scope: Scope,
        sid: CallSid,
        change: CallChange,
        at_unix_ms: u64,
    ) -> Commit<Option<CallRow>> {
        self.0.change_call(scope, sid, change, at_unix_ms)
    }

    fn delete_call(&self, scope: Scope, sid: CallSid) -> Commit<bool> {
        self.0.delete_call(scope, sid)
    }

    fn delete_recording(&self, scope: Scope, sid: RecordingSid) -> Commit<bool> {
        self.0.delete_recording(scope, sid)
    }

    fn conference(&self, _: Scope, _: ConferenceSid) -> Result<Option<ConferenceRow>, StoreError> {
        Err(StoreError::Busy)
    }

    fn conferences(
        &self,
        _: Scope,
        _: &ConferenceFilter,
        _: Option<ConferenceCursor>,
        _: usize,
    ) -> Result<ConferencePage, StoreError> {
        Err(StoreError::Busy)
    }

    fn participants(
        &self,
        _: Scope,
        _: ConferenceSid,
        _: ParticipantFilter,
        _: Option<Cursor>,
        _: usize,
    ) -> Result<ParticipantPage, StoreError> {
        Err(StoreError::Busy)
    }

    fn queue(&self, _: Scope, _: QueueSid) -> Result<Option<QueueRow>, StoreError> {
        Err(StoreError::Busy)
    }

    fn queue_named(&self, _: Scope, _: &str) -> Result<Option<QueueRow>, StoreError> {
        Err(StoreError::Busy)
    }

    fn queues(&self, _: Scope, _: Option<QueueCursor>, _: usize) -> Result<QueuePage, StoreError> {
        Err(StoreError::Busy)
    }

    fn begin_queue(&self, scope: Scope, new: NewQueue) -> Commit<QueueRow> {
        self.0.begin_queue(scope, new)
    }

    fn change_queue(
        &self,
        scope: Scope,
        sid: QueueSid,
        change: QueueChange,
        at_unix_ms: u64,
    ) -> Commit<Option<QueueRow>> {
        self.0.change_queue(scope, sid, change, at_unix_ms)
    }

    fn delete_queue(&self, scope: Scope, sid: QueueSid) -> Commit<bool> {
        self.0.delete_queue(scope, sid)
    }

    fn undelivered(&self, _: Scope, _: u64, _: usize) -> Result<Vec<CallbackRow>, StoreError> {
        Err(StoreError::Busy)
    }

    fn redeliver(&self, scope: Scope, id: u64, at_unix_ms: u64) -> Commit<Option<CallbackRow>> {
        self.0.redeliver(scope, id, at_unix_ms)
    }

    fn edit(&self, scope: Scope, edit: Edit, author: Author) -> Commit<Arc<Directory>> {
        self.0.edit(scope, edit, author)
    }

    fn usage(&self, _: Scope, _: u32, _: u32) -> Result<Vec<UsageOfDay>, StoreError> {
        Err(StoreError::Busy)
    }

    fn audit(&self, _: Option<u64>, _: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Err(StoreError::Busy)
    }

    fn plugin_history(
        &self,
        _: &PluginOwner,
        _: &str,
        _: Option<u32>,
        _: usize,
    ) -> Result<Vec<PluginEvent>, StoreError> {
        Err(StoreError::Busy)
    }
}
