//! The rows in memory, as the verbs read and write them.

use std::sync::Arc;

use call::{AccountSid, CallSid, ConferenceSid, KeyValueUsage, QueueSid, RecordingSid, StreamSid};

use super::MemoryRows;
use crate::apply::{Change, Gone};
use crate::callback_row::CallbackState;
use crate::rows::Rows;
use crate::{
    AuditEntry, CallEvent, CallRow, CallbackRow, ConferenceRow, Directory, Farewell,
    MAX_AUDIT_ENTRIES, MOST_EXCHANGES, ParticipantRow, PluginPage, QueueRow, RecordingRow,
    Sha256Digest, StoreError, UsageCategory, verbs,
};

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

    /// Only a next process would read it, and there is none.
    fn put_farewell(&mut self, _call: CallSid, _farewell: &Farewell) -> Result<(), StoreError> {
        Ok(())
    }

    fn remove_farewell(&mut self, _call: CallSid) -> Result<(), StoreError> {
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

    fn old_callbacks(&self, before: u64, limit: usize) -> Result<Vec<CallbackRow>, StoreError> {
        let rows = self.callbacks.values();
        let old = rows.take_while(|row| row.created_unix_ms < before);
        let given_up = old.filter(|row| row.due_unix_ms.is_none());
        Ok(given_up.take(limit).cloned().collect())
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
