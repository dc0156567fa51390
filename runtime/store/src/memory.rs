//! A store that forgets: for simulation and tests.

mod broadcasts;
mod people;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use call::{
    AccountSid, CallRecord, CallSid, CallStatus, ConferenceSid, Detection, Exchange, KeyValueRead,
    KeyValueReply, KeyValueUsage, KeyValueWrite, QueueSid, RecordingSid, StatusCallback, StreamSid,
    page_of_keys,
};

use crate::apply::{Change, Gone};
use crate::callback_row::CallbackState;
use crate::rows::Rows;
use crate::{
    AccountStore, Applied, AuditEntry, Author, CallChange, CallEvent, CallFilter, CallRow,
    CallbackOutcome, CallbackRow, Commit, ConferenceCursor, ConferenceFilter, ConferenceNote,
    ConferencePage, ConferenceRow, Cursor, Directory, Edit, FailedAttempt, Leg, MAX_AUDIT_ENTRIES,
    MOST_EXCHANGES, NewCall, NewQueue, NewRecording, NewVersion, OperatorEdit, Page,
    ParticipantFilter, ParticipantPage, ParticipantRow, Plugin, PluginChange, PluginEvent,
    PluginOwner, PluginPage, QueueChange, QueueCursor, QueuePage, QueueRow, QueuedCall,
    RecordingCursor, RecordingEnding, RecordingFilter, RecordingPage, RecordingRow,
    RecordingStatus, RoutedBy, Scope, Sha256Digest, Store, StoreError, StreamNote, Tenants,
    UploadedPlugin, UsageCategory, UsageOfDay, apply, page, verbs,
};

/// Keeps everything in memory. Every write is done, and its commit resolved, when the verb returns.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: Mutex<MemoryRows>,
}

#[derive(Debug, Default)]
struct MemoryRows {
    directory: Arc<Directory>,
    components: BTreeMap<Sha256Digest, Vec<u8>>,
    calls: BTreeMap<CallSid, CallRow>,
    /// When each waiting call is due.
    queue: BTreeSet<(u64, CallSid)>,
    events: BTreeMap<CallSid, Vec<CallEvent>>,
    journals: BTreeMap<CallSid, Vec<u8>>,
    /// Of each call, with their sequence numbers, as they are sealed.
    exchanges: BTreeMap<CallSid, VecDeque<(u32, Vec<u8>)>>,
    recordings: BTreeMap<RecordingSid, RecordingRow>,
    conferences: BTreeMap<ConferenceSid, ConferenceRow>,
    participants: BTreeMap<(ConferenceSid, CallSid), ParticipantRow>,
    queues: BTreeMap<(AccountSid, QueueSid), QueueRow>,
    /// Of each account, by number, as they are sealed.
    people: BTreeMap<AccountSid, BTreeMap<String, Vec<u8>>>,
    kept: broadcasts::Kept,
    callbacks: BTreeMap<u64, CallbackRow>,
    callback_states: BTreeMap<CallSid, CallbackState>,
    /// The media streams whose end is still to be told.
    open_streams: BTreeSet<(CallSid, StreamSid)>,
    last_callback: u64,
    /// Of each account: what its pairs take, and the values as they are sealed.
    key_values: BTreeMap<AccountSid, (KeyValueUsage, BTreeMap<String, Vec<u8>>)>,
    /// By account, day and category: how many, and minutes.
    usage: BTreeMap<(AccountSid, u32, UsageCategory), (u64, u64)>,
    /// The oldest first.
    audit: VecDeque<AuditEntry>,
    last_audit: u64,
    plugin_events: BTreeMap<(PluginOwner, String), Vec<PluginEvent>>,
    plugin_pages: BTreeMap<(PluginOwner, String), PluginPage>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn rows(&self) -> MutexGuard<'_, MemoryRows> {
        self.rows.lock().expect("no verb panics")
    }

    fn write<T>(&self, verb: impl FnOnce(&mut dyn Rows) -> Result<T, StoreError>) -> Commit<T> {
        Commit::resolved(verb(&mut *self.rows()))
    }
}

impl MemoryRows {
    fn call_of(&self, scope: Scope, sid: CallSid) -> Option<&CallRow> {
        self.calls
            .get(&sid)
            .filter(|row| row.account == scope.account())
    }
}

impl AccountStore for MemoryStore {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.rows().directory)
    }

    fn accept_call(&self, scope: Scope, call: NewCall) -> Commit<CallRow> {
        self.write(|rows| verbs::accept_call(rows, scope, call))
    }

    fn call(&self, scope: Scope, sid: CallSid) -> Result<Option<CallRow>, StoreError> {
        Ok(self.rows().call_of(scope, sid).cloned())
    }

    fn calls(
        &self,
        scope: Scope,
        filter: &CallFilter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let rows = self.rows();
        let (first, before) = filter.created();
        let mut calls: Vec<&CallRow> = rows
            .calls
            .values()
            .filter(|row| {
                row.account == scope.account() && (first..before).contains(&row.created_unix_ms)
            })
            .filter(|row| from.is_none_or(|from| Cursor::at(row) < from))
            .collect();
        calls.sort_by_key(|row| std::cmp::Reverse(Cursor::at(row)));
        let calls = calls.into_iter().cloned().map(Ok);
        page::take(calls, Cursor::at, |row| filter.fits(row), limit)
    }

    fn events(&self, scope: Scope, sid: CallSid) -> Result<Option<Vec<CallEvent>>, StoreError> {
        let rows = self.rows();
        Ok(rows
            .call_of(scope, sid)
            .and_then(|_| rows.events.get(&sid))
            .cloned())
    }

    fn exchanges(&self, scope: Scope, sid: CallSid) -> Result<Vec<(u32, Exchange)>, StoreError> {
        let rows = self.rows();
        let kept = rows
            .call_of(scope, sid)
            .and_then(|_| rows.exchanges.get(&sid));
        let opened = |(sequence, sealed): &(u32, Vec<u8>)| {
            let exchange = verbs::open_exchange(&rows.directory, scope, sid, sealed)?;
            Ok((*sequence, exchange))
        };
        kept.into_iter().flatten().map(opened).collect()
    }

    fn journal(&self, scope: Scope, sid: CallSid) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.rows();
        let sealed = rows
            .call_of(scope, sid)
            .and_then(|_| rows.journals.get(&sid));
        sealed
            .map(|sealed| verbs::open_journal(&rows.directory, scope, sid, sealed))
            .transpose()
    }

    fn recording(
        &self,
        scope: Scope,
        sid: RecordingSid,
    ) -> Result<Option<RecordingRow>, StoreError> {
        let rows = self.rows();
        let row = rows.recordings.get(&sid);
        Ok(row.filter(|row| row.account == scope.account()).cloned())
    }

    fn recordings(
        &self,
        scope: Scope,
        filter: &RecordingFilter,
        from: Option<RecordingCursor>,
        limit: usize,
    ) -> Result<RecordingPage, StoreError> {
        let rows = self.rows();
        let (first, before) = filter.created();
        let mut found: Vec<&RecordingRow> = rows
            .recordings
            .values()
            .filter(|row| (first..before).contains(&row.created_unix_ms))
            .filter(|row| filter.of.is_none_or(|of| row.of == of))
            .filter(|row| from.is_none_or(|from| RecordingCursor::of(row) < from))
            .collect();
        found.sort_by_key(|row| std::cmp::Reverse(RecordingCursor::of(row)));
        let found = found.into_iter().cloned().map(Ok);
        let is_own = |row: &RecordingRow| row.account == scope.account();
        page::take(found, RecordingCursor::of, is_own, limit)
    }

    fn change_call(
        &self,
        scope: Scope,
        sid: CallSid,
        change: CallChange,
        at_unix_ms: u64,
    ) -> Commit<Option<CallRow>> {
        self.write(|rows| verbs::change_call(rows, scope, sid, change, at_unix_ms))
    }

    fn delete_call(&self, scope: Scope, sid: CallSid) -> Commit<bool> {
        self.write(|rows| verbs::delete_call(rows, scope, sid))
    }

    fn delete_recording(&self, scope: Scope, sid: RecordingSid) -> Commit<bool> {
        self.write(|rows| verbs::delete_recording(rows, scope, sid))
    }

    fn conference(
        &self,
        scope: Scope,
        sid: ConferenceSid,
    ) -> Result<Option<ConferenceRow>, StoreError> {
        let rows = self.rows();
        let row = rows.conferences.get(&sid);
        Ok(row.filter(|row| row.account == scope.account()).cloned())
    }

    fn conferences(
        &self,
        scope: Scope,
        filter: &ConferenceFilter,
        from: Option<ConferenceCursor>,
        limit: usize,
    ) -> Result<ConferencePage, StoreError> {
        let at = ConferenceCursor::of_conference;
        let rows = self.rows();
        let (first, before) = filter.created();
        let mut found: Vec<&ConferenceRow> = rows
            .conferences
            .values()
            .filter(|row| row.account == scope.account())
            .filter(|row| (first..before).contains(&row.created_unix_ms))
            .filter(|row| from.is_none_or(|from| at(row) < from))
            .collect();
        found.sort_by_key(|row| std::cmp::Reverse(at(row)));
        let found = found.into_iter().cloned().map(Ok);
        page::take(found, at, |row| filter.fits(row), limit)
    }

    fn participants(
        &self,
        scope: Scope,
        sid: ConferenceSid,
        filter: ParticipantFilter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<ParticipantPage, StoreError> {
        let all = Rows::participants(&*self.rows(), sid)?;
        page::of_participants(all, scope, filter, from, limit)
    }

    fn queue(&self, scope: Scope, sid: QueueSid) -> Result<Option<QueueRow>, StoreError> {
        let all = Rows::queues(&*self.rows(), scope.account())?;
        Ok(all.into_iter().find(|row| row.sid == sid))
    }

    fn queue_named(&self, scope: Scope, name: &str) -> Result<Option<QueueRow>, StoreError> {
        let all = Rows::queues(&*self.rows(), scope.account())?;
        Ok(all.into_iter().find(|row| row.name == name))
    }

    fn queues(
        &self,
        scope: Scope,
        from: Option<QueueCursor>,
        limit: usize,
    ) -> Result<QueuePage, StoreError> {
        page::of_queues(Rows::queues(&*self.rows(), scope.account())?, from, limit)
    }

    fn begin_queue(&self, scope: Scope, new: NewQueue) -> Commit<QueueRow> {
        self.write(|rows| verbs::begin_queue(rows, scope, new))
    }

    fn change_queue(
        &self,
        scope: Scope,
        sid: QueueSid,
        change: QueueChange,
        at_unix_ms: u64,
    ) -> Commit<Option<QueueRow>> {
        self.write(|rows| verbs::change_queue(rows, scope, sid, change, at_unix_ms))
    }

    fn delete_queue(&self, scope: Scope, sid: QueueSid) -> Commit<bool> {
        self.write(|rows| verbs::delete_queue(rows, scope, sid))
    }

    fn undelivered(
        &self,
        scope: Scope,
        after: u64,
        limit: usize,
    ) -> Result<Vec<CallbackRow>, StoreError> {
        let rows = self.rows();
        let own = rows.callbacks.range(after + 1..).map(|(_, row)| row);
        let given_up =
            own.filter(|row| row.account == scope.account() && row.due_unix_ms.is_none());
        Ok(given_up.take(limit).cloned().collect())
    }

    fn redeliver(&self, scope: Scope, id: u64, at_unix_ms: u64) -> Commit<Option<CallbackRow>> {
        self.write(|rows| verbs::redeliver(rows, scope, id, at_unix_ms))
    }

    fn edit(&self, scope: Scope, edit: Edit, author: Author) -> Commit<Arc<Directory>> {
        self.write(|rows| verbs::edit(rows, scope, edit, &author))
    }

    fn usage(&self, scope: Scope, first: u32, last: u32) -> Result<Vec<UsageOfDay>, StoreError> {
        let rows = self.rows();
        let own = rows.usage.iter();
        let own = own.filter(|((account, day, _), _)| {
            *account == scope.account() && (first..=last).contains(day)
        });
        let own = own.map(|((_, day, category), (count, minutes))| UsageOfDay {
            day: *day,
            category: *category,
            count: *count,
            minutes: *minutes,
        });
        Ok(own.collect())
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = self.rows();
        let wanted = rows.audit.iter().rev();
        let wanted = wanted.filter(|entry| before.is_none_or(|before| entry.id < before));
        Ok(wanted.take(limit).cloned().collect())
    }

    fn plugin_history(
        &self,
        owner: &PluginOwner,
        name: &str,
        before: Option<u32>,
        limit: usize,
    ) -> Result<Vec<PluginEvent>, StoreError> {
        let rows = self.rows();
        let key = (owner.clone(), name.to_owned());
        let events = rows.plugin_events.get(&key).into_iter().flatten().rev();
        let wanted = events.filter(|event| before.is_none_or(|before| event.sequence < before));
        Ok(wanted.take(limit).cloned().collect())
    }
}

impl Store for MemoryStore {
    fn apply(&self, tenants: Tenants) -> Commit<Applied> {
        self.write(|rows| apply::apply(rows, &tenants))
    }

    fn administer(&self, edit: OperatorEdit, author: Author) -> Commit<Arc<Directory>> {
        self.write(|rows| verbs::administer(rows, edit, &author))
    }

    fn begin_attempt(&self, sid: CallSid, leg: Leg, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::begin_attempt(rows, sid, leg, at_unix_ms))
    }

    fn fail_attempt(&self, sid: CallSid, failed: FailedAttempt, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::fail_attempt(rows, sid, failed, at_unix_ms))
    }

    fn note_route(&self, sid: CallSid, routed: RoutedBy, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::note_route(rows, sid, routed, at_unix_ms))
    }

    fn begin_inbound(&self, scope: Scope, call: NewCall, leg: Leg) -> Commit<()> {
        self.write(|rows| verbs::begin_inbound(rows, scope, call, leg))
    }

    fn begin_dialled(&self, scope: Scope, call: NewCall, leg: Leg) -> Commit<CallRow> {
        self.write(|rows| verbs::begin_dialled(rows, scope, call, leg))
    }

    fn dial_again(
        &self,
        sid: CallSid,
        failed: FailedAttempt,
        leg: Leg,
        at_unix_ms: u64,
    ) -> Commit<CallRow> {
        self.write(|rows| verbs::dial_again(rows, sid, failed, leg, at_unix_ms))
    }

    fn set_status(&self, sid: CallSid, status: CallStatus, at_unix_ms: u64) -> Commit<()> {
        self.write(|rows| verbs::set_status(rows, sid, status, at_unix_ms))
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

impl Rows for MemoryRows {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    fn set_directory(
        &mut self,
        directory: Directory,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        for change in changes {
            match change {
                Change::Plugin(plugin, events) => {
                    let key = (plugin.owner.clone(), plugin.name.clone());
                    let history = self.plugin_events.entry(key).or_default();
                    history.extend(events.iter().cloned());
                }
                Change::Gone(Gone::Plugin(owner, name)) => {
                    let key = (owner.clone(), name.clone());
                    self.plugin_events.remove(&key);
                    self.plugin_pages.remove(&key);
                }
                _ => {}
            }
        }
        self.directory = Arc::new(directory);
        Ok(())
    }

    fn keyed_digest(&self, text: &[u8]) -> Sha256Digest {
        Sha256Digest::of(text)
    }

    fn add_audit(&mut self, entry: AuditEntry) -> Result<(), StoreError> {
        self.last_audit += 1;
        self.audit.push_back(AuditEntry {
            id: self.last_audit,
            ..entry
        });
        if self.audit.len() as u64 > MAX_AUDIT_ENTRIES {
            self.audit.pop_front();
        }
        Ok(())
    }

    fn add_usage(
        &mut self,
        account: AccountSid,
        day: u32,
        category: UsageCategory,
        minutes: u64,
    ) -> Result<(), StoreError> {
        let usage = self.usage.entry((account, day, category)).or_default();
        usage.0 += 1;
        usage.1 += minutes;
        Ok(())
    }

    fn keep_component(&mut self, sha256: Sha256Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.components.insert(sha256, bytes.to_vec());
        Ok(())
    }

    fn forget_components(&mut self, forgotten: Vec<Sha256Digest>) {
        for sha256 in forgotten {
            if !self.directory.has_component(sha256) {
                self.components.remove(&sha256);
            }
        }
    }

    fn call(&self, sid: CallSid) -> Result<Option<CallRow>, StoreError> {
        Ok(self.calls.get(&sid).cloned())
    }

    fn put_call(&mut self, before: Option<&CallRow>, after: &CallRow) -> Result<(), StoreError> {
        if let Some(due) = before.and_then(|before| before.due_unix_ms) {
            self.queue.remove(&(due, after.sid));
        }
        if let Some(due) = after.due_unix_ms {
            self.queue.insert((due, after.sid));
        }
        self.calls.insert(after.sid, after.clone());
        Ok(())
    }

    fn remove_call(&mut self, row: &CallRow) -> Result<(), StoreError> {
        self.calls.remove(&row.sid);
        self.events.remove(&row.sid);
        self.journals.remove(&row.sid);
        self.exchanges.remove(&row.sid);
        Ok(())
    }

    fn add_event(&mut self, sid: CallSid, event: &CallEvent) -> Result<(), StoreError> {
        self.events.entry(sid).or_default().push(event.clone());
        Ok(())
    }

    fn add_exchange(&mut self, sid: CallSid, sealed: &[u8]) -> Result<(), StoreError> {
        let kept = self.exchanges.entry(sid).or_default();
        let next = kept.back().map_or(0, |(last, _)| last + 1);
        kept.push_back((next, sealed.to_vec()));
        if next >= MOST_EXCHANGES {
            kept.pop_front();
        }
        Ok(())
    }

    fn put_journal(&mut self, sid: CallSid, sealed: &[u8]) -> Result<(), StoreError> {
        self.journals.insert(sid, sealed.to_vec());
        Ok(())
    }

    fn recording(&self, sid: RecordingSid) -> Result<Option<RecordingRow>, StoreError> {
        Ok(self.recordings.get(&sid).cloned())
    }

    fn put_recording(
        &mut self,
        _before: Option<&RecordingRow>,
        after: &RecordingRow,
    ) -> Result<(), StoreError> {
        self.recordings.insert(after.sid, after.clone());
        Ok(())
    }

    fn remove_recording(&mut self, row: &RecordingRow) -> Result<(), StoreError> {
        self.recordings.remove(&row.sid);
        Ok(())
    }

    fn conference(&self, sid: ConferenceSid) -> Result<Option<ConferenceRow>, StoreError> {
        Ok(self.conferences.get(&sid).cloned())
    }

    fn put_conference(
        &mut self,
        _before: Option<&ConferenceRow>,
        after: &ConferenceRow,
    ) -> Result<(), StoreError> {
        self.conferences.insert(after.sid, after.clone());
        Ok(())
    }

    fn participants(&self, sid: ConferenceSid) -> Result<Vec<ParticipantRow>, StoreError> {
        let all = self.participants.values();
        Ok(all.filter(|row| row.conference == sid).cloned().collect())
    }

    fn put_participant(&mut self, row: &ParticipantRow) -> Result<(), StoreError> {
        let key = (row.conference, row.participant.call);
        self.participants.insert(key, row.clone());
        Ok(())
    }

    fn remove_participant(&mut self, sid: ConferenceSid, call: CallSid) -> Result<(), StoreError> {
        self.participants.remove(&(sid, call));
        Ok(())
    }

    fn queues(&self, account: AccountSid) -> Result<Vec<QueueRow>, StoreError> {
        let all = self.queues.values();
        Ok(all.filter(|row| row.account == account).cloned().collect())
    }

    fn put_queue(&mut self, row: &QueueRow) -> Result<(), StoreError> {
        self.queues.insert((row.account, row.sid), row.clone());
        Ok(())
    }

    fn remove_queue(&mut self, account: AccountSid, sid: QueueSid) -> Result<(), StoreError> {
        self.queues.remove(&(account, sid));
        Ok(())
    }

    fn put_open_stream(&mut self, row: &verbs::OpenStream) -> Result<(), StoreError> {
        self.open_streams.insert((row.call, row.stream));
        Ok(())
    }

    fn remove_open_stream(&mut self, call: CallSid, stream: StreamSid) -> Result<bool, StoreError> {
        Ok(self.open_streams.remove(&(call, stream)))
    }

    fn next_callback(&mut self) -> Result<u64, StoreError> {
        self.last_callback += 1;
        Ok(self.last_callback)
    }

    fn callback(&self, id: u64) -> Result<Option<CallbackRow>, StoreError> {
        Ok(self.callbacks.get(&id).cloned())
    }

    fn put_callback(&mut self, row: &CallbackRow) -> Result<(), StoreError> {
        self.callbacks.insert(row.id, row.clone());
        Ok(())
    }

    fn remove_callback(&mut self, row: &CallbackRow) -> Result<(), StoreError> {
        self.callbacks.remove(&row.id);
        Ok(())
    }

    fn callback_state(&self, call: CallSid) -> Result<Option<CallbackState>, StoreError> {
        Ok(self.callback_states.get(&call).cloned())
    }

    fn put_callback_state(
        &mut self,
        call: CallSid,
        state: &CallbackState,
    ) -> Result<(), StoreError> {
        self.callback_states.insert(call, state.clone());
        Ok(())
    }

    fn remove_callback_state(&mut self, call: CallSid) -> Result<(), StoreError> {
        self.callback_states.remove(&call);
        Ok(())
    }

    fn put_plugin_page(&mut self, page: &PluginPage) -> Result<(), StoreError> {
        let key = (page.owner.clone(), page.name.clone());
        self.plugin_pages.insert(key, page.clone());
        Ok(())
    }

    fn key_value_usage(&self, account: AccountSid) -> Result<KeyValueUsage, StoreError> {
        let pairs = self.key_values.get(&account);
        Ok(pairs.map_or_else(KeyValueUsage::default, |(usage, _)| *usage))
    }

    fn key_value(&self, account: AccountSid, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let pairs = self.key_values.get(&account);
        Ok(pairs.and_then(|(_, pairs)| pairs.get(key).cloned()))
    }

    fn put_key_value(
        &mut self,
        account: AccountSid,
        key: &str,
        sealed: Option<&[u8]>,
        usage: KeyValueUsage,
    ) -> Result<(), StoreError> {
        let (kept, pairs) = self.key_values.entry(account).or_default();
        *kept = usage;
        match sealed {
            Some(sealed) => pairs.insert(key.to_owned(), sealed.to_vec()),
            None => pairs.remove(key),
        };
        Ok(())
    }
}
