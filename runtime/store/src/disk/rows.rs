//! The rows of one redb transaction.

use std::sync::Arc;

use call::{AccountSid, CallSid, ConferenceSid, KeyValueUsage, QueueSid, RecordingSid, StreamSid};
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition,
    WriteTransaction,
};

use super::account_row::AccountRow;
use super::audit;
use super::callbacks::CallbackTables;
use super::components::ComponentFolder;
use super::conferences::ConferenceTables;
use super::exchanges;
use super::farewells;
use super::key_values;
use super::open_streams;
use super::plugin_pages;
use super::plugins;
use super::queues;
use super::recordings::RecordingTables;
use super::tables::{self, SidKey, decode, encode, failed};
use super::trunk_row::TrunkRow;
use super::usage;
use super::waiting::WaitingTable;
use crate::apply::{Change, Gone};
use crate::callback_row::CallbackState;
use crate::rows::Rows;
use crate::seal::OperatorKey;
use crate::verbs::OpenStream;
use crate::{
    AuditEntry, CallEvent, CallRow, CallbackRow, ConferenceRow, Directory, Farewell,
    ParticipantRow, PluginPage, QueueRow, RecordingRow, Sha256Digest, StoreError, UsageCategory,
};

/// The rows as an open write transaction sees them.
pub(super) struct DiskRows<'t> {
    pub(super) transaction: &'t WriteTransaction,
    calls: Table<'t, SidKey, &'static [u8]>,
    calls_by_account: Table<'t, (SidKey, u64, SidKey), ()>,
    waiting: WaitingTable<'t>,
    live: Table<'t, SidKey, ()>,
    events: Table<'t, (SidKey, u32), &'static [u8]>,
    journals: Table<'t, SidKey, &'static [u8]>,
    recordings: RecordingTables<'t>,
    conferences: ConferenceTables<'t>,
    callbacks: CallbackTables<'t>,
    directory: Arc<Directory>,
    /// Bytes of components that may go when the transaction is through.
    pub(super) forgotten: Vec<Sha256Digest>,
    components: &'t ComponentFolder,
    key: &'t OperatorKey,
}

impl<'t> DiskRows<'t> {
    pub(super) fn open(
        transaction: &'t WriteTransaction,
        directory: Arc<Directory>,
        components: &'t ComponentFolder,
        key: &'t OperatorKey,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            transaction,
            calls: transaction.open_table(tables::CALLS).map_err(failed)?,
            calls_by_account: transaction
                .open_table(tables::CALLS_BY_ACCOUNT)
                .map_err(failed)?,
            waiting: WaitingTable::open(transaction).map_err(failed)?,
            live: transaction.open_table(tables::LIVE).map_err(failed)?,
            events: transaction.open_table(tables::EVENTS).map_err(failed)?,
            journals: transaction.open_table(tables::JOURNALS).map_err(failed)?,
            recordings: RecordingTables::open(transaction).map_err(failed)?,
            conferences: ConferenceTables::open(transaction).map_err(failed)?,
            callbacks: CallbackTables::open(transaction).map_err(failed)?,
            directory,
            forgotten: Vec::new(),
            components,
            key,
        })
    }

    fn put_change(&self, change: &Change) -> Result<(), redb::Error> {
        let transaction = self.transaction;
        match change {
            Change::Operator(row) => {
                let key = (row.id.country.as_str(), row.id.name.as_str());
                transaction
                    .open_table(tables::OPERATORS)?
                    .insert(key, &*encode(&**row))?;
            }
            Change::Carrier(row) => {
                transaction
                    .open_table(tables::CARRIERS)?
                    .insert(row.id.0.as_str(), &*encode(&**row))?;
            }
            Change::Account(row) => {
                let sealed = AccountRow::seal(row, self.key);
                transaction
                    .open_table(tables::ACCOUNTS)?
                    .insert(row.sid.as_bytes(), &*encode(&sealed))?;
            }
            Change::Trunk(row) => {
                let sealed = TrunkRow::seal(row, self.key);
                transaction
                    .open_table(tables::TRUNKS)?
                    .insert(row.id.0.as_str(), &*encode(&sealed))?;
            }
            Change::Plugin(plugin, events) => plugins::put(transaction, plugin, events)?,
            Change::Number(row) => {
                let key = (row.carrier.0.as_str(), row.number.as_str());
                transaction
                    .open_table(tables::NUMBERS)?
                    .insert(key, &*encode(&**row))?;
            }
            Change::Application(row) => {
                transaction
                    .open_table(tables::APPLICATIONS)?
                    .insert(row.sid.as_bytes(), &*encode(&**row))?;
            }
            Change::CallerId(row) => {
                transaction
                    .open_table(tables::CALLER_IDS)?
                    .insert(row.sid.as_bytes(), &*encode(&**row))?;
            }
            Change::Mark(key, mark) => {
                transaction
                    .open_table(tables::MARKS)?
                    .insert(key.as_str(), &*encode(mark))?;
            }
            Change::Gone(gone) => self.remove(gone)?,
        }
        Ok(())
    }

    fn remove(&self, gone: &Gone) -> Result<(), redb::Error> {
        let transaction = self.transaction;
        match gone {
            Gone::Carrier(id) => drop(
                transaction
                    .open_table(tables::CARRIERS)?
                    .remove(id.0.as_str())?,
            ),
            Gone::Account(sid) => drop(
                transaction
                    .open_table(tables::ACCOUNTS)?
                    .remove(sid.as_bytes())?,
            ),
            Gone::Trunk(id) => drop(
                transaction
                    .open_table(tables::TRUNKS)?
                    .remove(id.0.as_str())?,
            ),
            Gone::Number(carrier, number) => drop(
                transaction
                    .open_table(tables::NUMBERS)?
                    .remove((carrier.0.as_str(), number.as_str()))?,
            ),
            Gone::Application(sid) => drop(
                transaction
                    .open_table(tables::APPLICATIONS)?
                    .remove(sid.as_bytes())?,
            ),
            Gone::CallerId(sid) => drop(
                transaction
                    .open_table(tables::CALLER_IDS)?
                    .remove(sid.as_bytes())?,
            ),
            Gone::Plugin(owner, name) => plugins::remove(transaction, owner, name)?,
        }
        Ok(())
    }
}

impl Rows for DiskRows<'_> {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    fn set_directory(
        &mut self,
        directory: Directory,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        changes
            .iter()
            .try_for_each(|change| self.put_change(change))
            .map_err(failed)?;
        self.directory = Arc::new(directory);
        Ok(())
    }

    fn keyed_digest(&self, text: &[u8]) -> Sha256Digest {
        self.key.keyed_digest(text)
    }

    fn add_audit(&mut self, entry: AuditEntry) -> Result<(), StoreError> {
        audit::add(self.transaction, entry).map_err(failed)
    }

    fn add_usage(
        &mut self,
        account: AccountSid,
        day: u32,
        category: UsageCategory,
        minutes: u64,
    ) -> Result<(), StoreError> {
        usage::add(self.transaction, account, day, category, minutes).map_err(failed)
    }

    fn keep_component(&mut self, sha256: Sha256Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.components.keep(sha256, bytes)
    }

    fn forget_components(&mut self, forgotten: Vec<Sha256Digest>) {
        self.forgotten.extend(forgotten);
    }

    fn call(&self, sid: CallSid) -> Result<Option<CallRow>, StoreError> {
        tables::read_call(&self.calls, sid)
    }

    fn put_call(&mut self, before: Option<&CallRow>, after: &CallRow) -> Result<(), StoreError> {
        let sid = after.sid.as_bytes();
        self.calls.insert(sid, &*encode(after)).map_err(failed)?;
        if before.is_none() {
            let place = (after.account.as_bytes(), after.created_unix_ms, sid);
            self.calls_by_account.insert(place, ()).map_err(failed)?;
        }
        self.waiting.put(before, after)?;
        match (before.is_some_and(CallRow::is_live), after.is_live()) {
            (false, true) => drop(self.live.insert(sid, ()).map_err(failed)?),
            (true, false) => drop(self.live.remove(sid).map_err(failed)?),
            _ => {}
        }
        Ok(())
    }

    fn remove_call(&mut self, row: &CallRow) -> Result<(), StoreError> {
        let sid = row.sid.as_bytes();
        let place = (row.account.as_bytes(), row.created_unix_ms, sid);
        self.calls.remove(sid).map_err(failed)?;
        self.calls_by_account.remove(place).map_err(failed)?;
        self.journals.remove(sid).map_err(failed)?;
        exchanges::remove(self.transaction, row.sid).map_err(failed)?;
        farewells::remove(self.transaction, row.sid).map_err(failed)?;
        for sequence in 0..row.events {
            self.events.remove((sid, sequence)).map_err(failed)?;
        }
        Ok(())
    }

    fn add_event(&mut self, sid: CallSid, event: &CallEvent) -> Result<(), StoreError> {
        self.events
            .insert((sid.as_bytes(), event.sequence), &*encode(event))
            .map(drop)
            .map_err(failed)
    }

    fn add_exchange(&mut self, sid: CallSid, sealed: &[u8]) -> Result<(), StoreError> {
        exchanges::add(self.transaction, sid, sealed).map_err(failed)
    }

    fn put_journal(&mut self, sid: CallSid, sealed: &[u8]) -> Result<(), StoreError> {
        self.journals
            .insert(sid.as_bytes(), sealed)
            .map(drop)
            .map_err(failed)
    }

    fn recording(&self, sid: RecordingSid) -> Result<Option<RecordingRow>, StoreError> {
        self.recordings.get(sid)
    }

    fn put_recording(
        &mut self,
        before: Option<&RecordingRow>,
        after: &RecordingRow,
    ) -> Result<(), StoreError> {
        self.recordings.put(before, after)
    }

    fn remove_recording(&mut self, row: &RecordingRow) -> Result<(), StoreError> {
        self.recordings.remove(row)
    }

    fn conference(&self, sid: ConferenceSid) -> Result<Option<ConferenceRow>, StoreError> {
        self.conferences.get(sid)
    }

    fn put_conference(
        &mut self,
        before: Option<&ConferenceRow>,
        after: &ConferenceRow,
    ) -> Result<(), StoreError> {
        self.conferences.put(before, after)
    }

    fn participants(&self, sid: ConferenceSid) -> Result<Vec<ParticipantRow>, StoreError> {
        self.conferences.participants(sid)
    }

    fn put_participant(&mut self, row: &ParticipantRow) -> Result<(), StoreError> {
        self.conferences.put_participant(row)
    }

    fn remove_participant(&mut self, sid: ConferenceSid, call: CallSid) -> Result<(), StoreError> {
        self.conferences.remove_participant(sid, call)
    }

    fn queues(&self, account: AccountSid) -> Result<Vec<QueueRow>, StoreError> {
        queues::of_transaction(self.transaction, account)
    }

    fn put_queue(&mut self, row: &QueueRow) -> Result<(), StoreError> {
        queues::put(self.transaction, row)
    }

    fn remove_queue(&mut self, account: AccountSid, sid: QueueSid) -> Result<(), StoreError> {
        queues::remove(self.transaction, account, sid)
    }

    fn put_farewell(&mut self, call: CallSid, farewell: &Farewell) -> Result<(), StoreError> {
        farewells::put(self.transaction, call, farewell).map_err(failed)
    }

    fn remove_farewell(&mut self, call: CallSid) -> Result<(), StoreError> {
        farewells::remove(self.transaction, call).map_err(failed)
    }

    fn put_open_stream(&mut self, row: &OpenStream) -> Result<(), StoreError> {
        open_streams::put(self.transaction, row).map_err(failed)
    }

    fn remove_open_stream(&mut self, call: CallSid, stream: StreamSid) -> Result<bool, StoreError> {
        open_streams::remove(self.transaction, call, stream).map_err(failed)
    }

    fn next_callback(&mut self) -> Result<u64, StoreError> {
        self.callbacks.next()
    }

    fn callback(&self, id: u64) -> Result<Option<CallbackRow>, StoreError> {
        self.callbacks.get(id)
    }

    fn old_callbacks(&self, before: u64, limit: usize) -> Result<Vec<CallbackRow>, StoreError> {
        self.callbacks.old(before, limit)
    }

    fn put_callback(&mut self, row: &CallbackRow) -> Result<(), StoreError> {
        self.callbacks.put(row)
    }

    fn remove_callback(&mut self, row: &CallbackRow) -> Result<(), StoreError> {
        self.callbacks.remove(row)
    }

    fn callback_state(&self, call: CallSid) -> Result<Option<CallbackState>, StoreError> {
        self.callbacks.state(call)
    }

    fn put_callback_state(
        &mut self,
        call: CallSid,
        state: &CallbackState,
    ) -> Result<(), StoreError> {
        self.callbacks.put_state(call, state)
    }

    fn remove_callback_state(&mut self, call: CallSid) -> Result<(), StoreError> {
        self.callbacks.remove_state(call)
    }

    fn put_plugin_page(&mut self, page: &PluginPage) -> Result<(), StoreError> {
        plugin_pages::put(self.transaction, &self.directory, self.key, page)
    }

    fn key_value_usage(&self, account: AccountSid) -> Result<KeyValueUsage, StoreError> {
        key_values::usage(self.transaction, account)
    }

    fn key_value(&self, account: AccountSid, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        key_values::sealed(self.transaction, account, key)
    }

    fn put_key_value(
        &mut self,
        account: AccountSid,
        key: &str,
        sealed: Option<&[u8]>,
        usage: KeyValueUsage,
    ) -> Result<(), StoreError> {
        key_values::put(self.transaction, account, key, sealed, usage).map_err(failed)
    }
}

/// Reads everything that tenants files have loaded.
pub(super) fn load_directory(
    database: &Database,
    key: &OperatorKey,
) -> Result<Directory, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let mut directory = Directory::default();
    each(&transaction, tables::OPERATORS, |stored| {
        let row = decode("operator", stored)?;
        directory.take(Change::Operator(Arc::new(row)));
        Ok(())
    })?;
    each(&transaction, tables::CARRIERS, |stored| {
        let row = decode("carrier", stored)?;
        directory.take(Change::Carrier(Arc::new(row)));
        Ok(())
    })?;
    each(&transaction, tables::ACCOUNTS, |stored| {
        let row = decode::<AccountRow>("account", stored)?.open(key)?;
        directory.take(Change::Account(Arc::new(row)));
        Ok(())
    })?;
    each(&transaction, tables::TRUNKS, |stored| {
        let row = decode::<TrunkRow>("trunk", stored)?.open(key)?;
        directory.take(Change::Trunk(Arc::new(row)));
        Ok(())
    })?;
    each(&transaction, tables::PLUGINS, |stored| {
        let row = decode("plugin", stored)?;
        directory.take(Change::Plugin(Arc::new(row), Vec::new()));
        Ok(())
    })?;
    each(&transaction, tables::NUMBERS, |stored| {
        let row = decode("number", stored)?;
        directory.take(Change::Number(Arc::new(row)));
        Ok(())
    })?;
    each(&transaction, tables::APPLICATIONS, |stored| {
        let row = decode("application", stored)?;
        directory.take(Change::Application(Arc::new(row)));
        Ok(())
    })?;
    each(&transaction, tables::CALLER_IDS, |stored| {
        let row = decode("caller ID", stored)?;
        directory.take(Change::CallerId(Arc::new(row)));
        Ok(())
    })?;
    let marks = transaction.open_table(tables::MARKS).map_err(failed)?;
    for mark in marks.iter().map_err(failed)? {
        let (key, stored) = mark.map_err(failed)?;
        let mark = decode("mark", stored.value())?;
        directory.take(Change::Mark(key.value().to_owned(), mark));
    }
    Ok(directory.indexed())
}

/// Shows every value of a table.
fn each<K: redb::Key + 'static>(
    transaction: &ReadTransaction,
    table: TableDefinition<'_, K, &'static [u8]>,
    mut take: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let table = transaction.open_table(table).map_err(failed)?;
    for row in table.iter().map_err(failed)? {
        let (_, stored) = row.map_err(failed)?;
        take(stored.value())?;
    }
    Ok(())
}
