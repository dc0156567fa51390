//! A store that forgets: for simulation and tests.

mod account_store;
mod broadcasts;
mod people;
mod rows;
mod store;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use call::{AccountSid, CallSid, ConferenceSid, KeyValueUsage, QueueSid, RecordingSid, StreamSid};

use crate::callback_row::CallbackState;
use crate::rows::Rows;
use crate::{
    AuditEntry, CallEvent, CallRow, CallbackRow, Commit, ConferenceRow, Directory, ParticipantRow,
    PluginEvent, PluginOwner, PluginPage, QueueRow, RecordingRow, Scope, Sha256Digest, StoreError,
    UsageCategory,
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
