//! What the host asks of the store in memory.

use std::ops::Bound;
use std::sync::Arc;

use call::{
    CallRecord, CallSid, CallStatus, Detection, Exchange, KeyValueRead, KeyValueReply,
    KeyValueWrite, RecordingSid, StatusCallback, page_of_keys,
};

use super::MemoryStore;
use crate::rows::Rows;
use crate::{
    Applied, Attempt, Author, CallRow, CallbackOutcome, CallbackRow, Commit, ConferenceNote,
    Directory, FailedAttempt, Farewell, Leg, NewCall, NewRecording, NewVersion, OperatorEdit,
    Plugin, PluginChange, PluginOwner, PluginPage, QueuedCall, RecordingEnding, RecordingRow,
    RecordingStatus, RoutedBy, Scope, Sha256Digest, Store, StoreError, StreamNote, Tenants,
    UploadedPlugin, apply, verbs,
};

impl Store for MemoryStore {
    fn apply(&self, tenants: Tenants) -> Commit<Applied> {
        self.write(|rows| apply::apply(rows, &tenants))
    }

    fn administer(&self, edit: OperatorEdit, author: Author) -> Commit<Arc<Directory>> {
        self.write(|rows| verbs::administer(rows, edit, &author))
    }

    fn begin_attempt(&self, sid: CallSid, attempt: Attempt, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::begin_attempt(rows, sid, attempt, at_unix_ms))
    }

    fn fail_attempt(&self, sid: CallSid, failed: FailedAttempt, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::fail_attempt(rows, sid, failed, at_unix_ms))
    }

    fn undo_attempt(&self, sid: CallSid, failed: FailedAttempt, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::undo_attempt(rows, sid, failed, at_unix_ms))
    }

    fn note_route(&self, sid: CallSid, routed: RoutedBy, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::note_route(rows, sid, routed, at_unix_ms))
    }

    fn begin_inbound(&self, scope: Scope, call: NewCall, leg: Leg) -> Commit<()> {
        self.write(|rows| verbs::begin_inbound(rows, scope, call, leg))
    }

    fn begin_dialled(&self, scope: Scope, call: NewCall, attempt: Attempt) -> Commit<CallRow> {
        self.write(|rows| verbs::begin_dialled(rows, scope, call, attempt))
    }

    fn dial_again(
        &self,
        sid: CallSid,
        failed: FailedAttempt,
        attempt: Attempt,
        at_unix_ms: u64,
    ) -> Commit<CallRow> {
        self.write(|rows| verbs::dial_again(rows, sid, failed, attempt, at_unix_ms))
    }

    fn set_status(&self, sid: CallSid, status: CallStatus, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::set_status(rows, sid, status, at_unix_ms))
    }

    fn note_farewell(&self, sid: CallSid, farewell: Farewell) -> Commit<()> {
        self.write(|rows| verbs::note_farewell(rows, sid, &farewell))
    }

    fn forget_farewell(&self, sid: CallSid) -> Commit<()> {
        self.write(|rows| rows.remove_farewell(sid))
    }

    fn finish_call(
        &self,
        sid: CallSid,
        record: CallRecord,
        at_unix_ms: u64,
        journal: Option<Vec<u8>>,
    ) -> Commit<()> {
        self.write(|rows| verbs::finish_call(rows, sid, record, at_unix_ms, journal.as_deref()))
    }

    fn begin_recording(&self, scope: Scope, new: NewRecording) -> Commit<RecordingRow> {
        self.write(|rows| verbs::begin_recording(rows, scope, new))
    }

    fn set_recording_status(
        &self,
        sid: RecordingSid,
        status: RecordingStatus,
        at_unix_ms: u64,
    ) -> Commit<()> {
        self.write(|rows| verbs::set_recording_status(rows, sid, status, at_unix_ms))
    }

    fn finish_recording(
        &self,
        sid: RecordingSid,
        ending: RecordingEnding,
        at_unix_ms: u64,
    ) -> Commit<()> {
        self.write(|rows| verbs::finish_recording(rows, sid, ending, at_unix_ms))
    }

    fn note_conference(&self, scope: Scope, note: ConferenceNote) -> Commit<()> {
        self.write(|rows| verbs::note_conference(rows, scope, note))
    }

    fn note_stream(&self, scope: Scope, note: StreamNote) -> Commit<()> {
        self.write(|rows| verbs::note_stream(rows, scope, note))
    }

    fn tell_detection(
        &self,
        call: CallSid,
        to: StatusCallback,
        detection: Detection,
        at_unix_ms: u64,
    ) -> Commit<()> {
        self.write(|rows| verbs::tell_detection(rows, call, to, detection, at_unix_ms))
    }

    fn live_recordings(&self) -> Result<Vec<RecordingRow>, StoreError> {
        let rows = self.rows();
        let live = rows.recordings.values();
        Ok(live.filter(|row| !row.status.is_final()).cloned().collect())
    }

    fn queued(&self, visit: &mut dyn FnMut(u64, QueuedCall)) -> Result<(), StoreError> {
        let waiting: Vec<QueuedCall> = {
            let rows = self.rows();
            rows.queue
                .iter()
                .filter_map(|(_, sid)| rows.calls.get(sid))
                .map(QueuedCall::of)
                .collect()
        };
        for (place, call) in (0..).zip(waiting) {
            visit(place, call);
        }
        Ok(())
    }

    fn callbacks_after(&self, id: u64, limit: usize) -> Result<Vec<CallbackRow>, StoreError> {
        let rows = self.rows();
        let after = rows.callbacks.range(id + 1..).take(limit);
        Ok(after.map(|(_, row)| row.clone()).collect())
    }

    fn callback(&self, id: u64) -> Result<Option<CallbackRow>, StoreError> {
        Ok(self.rows().callbacks.get(&id).cloned())
    }

    fn forget_callbacks(&self, before_unix_ms: u64, limit: usize) -> Commit<usize> {
        self.write(|rows| verbs::forget_callbacks(rows, before_unix_ms, limit))
    }

    fn settle_callback(
        &self,
        id: u64,
        outcome: CallbackOutcome,
        tried: Option<Exchange>,
    ) -> Commit<()> {
        self.write(|rows| verbs::settle_callback(rows, id, outcome, tried))
    }

    fn upload_plugin(&self, new: NewVersion) -> Commit<UploadedPlugin> {
        self.write(|rows| verbs::upload_plugin(rows, new))
    }

    fn change_plugin(
        &self,
        owner: PluginOwner,
        name: String,
        change: PluginChange,
        who: String,
        at_unix_ms: u64,
    ) -> Commit<Arc<Plugin>> {
        self.write(|rows| verbs::change_plugin(rows, &owner, &name, change, &who, at_unix_ms))
    }

    fn keep_plugin_pages(&self, pages: Vec<PluginPage>) -> Commit<()> {
        self.write(|rows| verbs::keep_plugin_pages(rows, &pages))
    }

    fn plugin_pages(&self) -> Result<Vec<PluginPage>, StoreError> {
        Ok(self.rows().plugin_pages.values().cloned().collect())
    }

    fn component_bytes(&self, sha256: Sha256Digest) -> Result<Vec<u8>, StoreError> {
        let bytes = self.rows().components.get(&sha256).cloned();
        bytes.ok_or_else(|| StoreError::Corrupt(format!("component {sha256} is not kept")))
    }

    fn read_key_value(
        &self,
        scope: Scope,
        read: KeyValueRead,
    ) -> Result<KeyValueReply, StoreError> {
        read.check()?;
        let rows = self.rows();
        let sealed = |key: &str| rows.key_value(scope.account(), key);
        match read {
            KeyValueRead::Get(key) => {
                let value = sealed(&key)?
                    .map(|sealed| verbs::open_key_value(&rows.directory, scope, &key, &sealed));
                Ok(KeyValueReply::Value(value.transpose()?))
            }
            KeyValueRead::Exists(key) => Ok(KeyValueReply::Exists(sealed(&key)?.is_some())),
            KeyValueRead::List { after } => {
                let after = after.map_or(Bound::Unbounded, Bound::Excluded);
                let pairs = rows.key_values.get(&scope.account());
                let keys = pairs.map(|(_, pairs)| pairs.range((after, Bound::Unbounded)));
                page_of_keys(keys.into_iter().flatten().map(|(key, _)| Ok(key.clone())))
            }
        }
    }

    fn write_key_value(&self, scope: Scope, write: KeyValueWrite) -> Commit<KeyValueReply> {
        self.write(|rows| verbs::write_key_value(rows, scope, write))
    }
}
