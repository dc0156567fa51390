//! The layout of the database: every table, its key, its value.
//!
//! A value is one version byte and the row in postcard. As long as nothing is released there is one version of each row: one that
//! changes raises [`LAYOUT`], and databases of another layout are refused. Numbers in keys sort as numbers, texts and SIDs (16 bytes) byte
//! by byte.

use std::fmt::Display;

use call::CallSid;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{CallRow, StoreError};

/// A SID's bytes.
pub(super) type SidKey = &'static [u8; 16];

/// `"layout"` → the layout of all other tables. Absent in a new database.
const META: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");
/// Carrier id → `Carrier`.
pub(super) const CARRIERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("carriers");
/// Account → `AccountRow`: key and token sealed.
pub(super) const ACCOUNTS: TableDefinition<'_, SidKey, &[u8]> = TableDefinition::new("accounts");
/// Country, name → `Operator`.
pub(super) const OPERATORS: TableDefinition<'_, (&str, &str), &[u8]> =
    TableDefinition::new("operators");
/// Trunk id → `TrunkRow`: passwords sealed.
pub(super) const TRUNKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("trunks");
/// Owner, name → `Plugin`. The bytes lie in files beside the database.
pub(super) const PLUGINS: TableDefinition<'_, (&str, &str), &[u8]> =
    TableDefinition::new("plugins");
/// Owner, plugin, sequence number → `PluginEvent`.
pub(super) const PLUGIN_EVENTS: TableDefinition<'_, (&str, &str, u32), &[u8]> =
    TableDefinition::new("plugin_events");
/// Owner, plugin → its counts and its log, sealed: an account's with its key, a carrier's with the operator's.
pub(super) const PLUGIN_PAGES: TableDefinition<'_, (&str, &str), &[u8]> =
    TableDefinition::new("plugin_pages");
/// Carrier id, number → `Number`.
pub(super) const NUMBERS: TableDefinition<'_, (&str, &str), &[u8]> =
    TableDefinition::new("numbers");
/// Application → `Application`.
pub(super) const APPLICATIONS: TableDefinition<'_, SidKey, &[u8]> =
    TableDefinition::new("applications");
/// Caller ID → `CallerId`.
pub(super) const CALLER_IDS: TableDefinition<'_, SidKey, &[u8]> =
    TableDefinition::new("caller_ids");
/// A thing's key → `Mark`: what tenants files said of it last.
pub(super) const MARKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("marks");
/// Account, day, category → how many, and minutes.
pub(super) const USAGE: TableDefinition<'_, (SidKey, u32, u8), (u64, u64)> =
    TableDefinition::new("usage");
/// Id → `AuditEntry`.
pub(super) const AUDIT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");
/// Call → `CallRow`.
pub(super) const CALLS: TableDefinition<'_, SidKey, &[u8]> = TableDefinition::new("calls");
/// Account, created (ms), call: for lists. Calls never move in it.
pub(super) const CALLS_BY_ACCOUNT: TableDefinition<'_, (SidKey, u64, SidKey), ()> =
    TableDefinition::new("calls_by_account");
/// Call: those that a process is at work on, so that recovery need not look at all calls.
pub(super) const LIVE: TableDefinition<'_, SidKey, ()> = TableDefinition::new("live");
/// Call, sequence number → `CallEvent`.
pub(super) const EVENTS: TableDefinition<'_, (SidKey, u32), &[u8]> = TableDefinition::new("events");
/// Call → its journal, sealed with the account's key. No version byte besides that of the seal.
pub(super) const JOURNALS: TableDefinition<'_, SidKey, &[u8]> = TableDefinition::new("journals");

/// Recording → `RecordingRow`.
pub(super) const RECORDINGS: TableDefinition<'_, SidKey, &[u8]> =
    TableDefinition::new("recordings");
/// Account, begun (ms), recording: for lists.
pub(super) const RECORDINGS_BY_ACCOUNT: TableDefinition<'_, (SidKey, u64, SidKey), ()> =
    TableDefinition::new("recordings_by_account");
/// Call or conference, begun (ms), recording: for lists.
pub(super) const RECORDINGS_BY_CALL: TableDefinition<'_, (SidKey, u64, SidKey), ()> =
    TableDefinition::new("recordings_by_call");
/// Recording: those that have not ended.
pub(super) const LIVE_RECORDINGS: TableDefinition<'_, SidKey, ()> =
    TableDefinition::new("live_recordings");

/// Conference → `ConferenceRow`.
pub(super) const CONFERENCES: TableDefinition<'_, SidKey, &[u8]> =
    TableDefinition::new("conferences");
/// Account, begun (ms), conference: for lists.
pub(super) const CONFERENCES_BY_ACCOUNT: TableDefinition<'_, (SidKey, u64, SidKey), ()> =
    TableDefinition::new("conferences_by_account");
/// Conference: those that are not over.
pub(super) const LIVE_CONFERENCES: TableDefinition<'_, SidKey, ()> =
    TableDefinition::new("live_conferences");
/// Conference, call → `ParticipantRow`, while the call is in it.
pub(super) const PARTICIPANTS: TableDefinition<'_, (SidKey, SidKey), &[u8]> =
    TableDefinition::new("participants");

/// Account, queue → `QueueRow`: where callers wait. The queue of outbound calls is elsewhere (`waiting.rs`).
pub(super) const CALL_QUEUES: TableDefinition<'_, (SidKey, SidKey), &[u8]> =
    TableDefinition::new("call_queues");

/// Id → `CallbackRow`: the outbox, in the order in which it was written.
pub(super) const CALLBACKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("callbacks");
/// Account, id: the callbacks that nobody tries any more.
pub(super) const CALLBACKS_GIVEN_UP: TableDefinition<'_, (SidKey, u64), ()> =
    TableDefinition::new("callbacks_given_up");
/// Call → who is told of it, while it goes on.
pub(super) const CALLBACK_STATES: TableDefinition<'_, SidKey, &[u8]> =
    TableDefinition::new("callback_states");
/// What was counted last, by name.
pub(super) const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");
/// The counter of callbacks' ids.
pub(super) const LAST_CALLBACK: &str = "callback";
/// Account, key → its value, sealed with the account's key. No version byte besides that of the seal.
pub(super) const KEY_VALUES: TableDefinition<'_, (SidKey, &str), &[u8]> =
    TableDefinition::new("key_values");
/// Account → pairs, and bytes of their keys and values.
pub(super) const KEY_VALUE_USAGE: TableDefinition<'_, SidKey, (u64, u64)> =
    TableDefinition::new("key_value_usage");

/// The one layout that this program reads and writes.
pub(super) const LAYOUT: u32 = 6;

/// The version byte of every row.
const ROW_VERSION: u8 = 1;

/// The layout of a database; none for a new one.
pub(super) fn layout(database: &Database) -> Result<Option<u32>, redb::Error> {
    match database.begin_read()?.open_table(META) {
        Ok(meta) => Ok(meta.get("layout")?.map(|layout| layout.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the tables that are not there yet, in one transaction.
pub(super) fn create(database: &Database) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // A start that is killed before anything else is written leaves no repair to the next one.
    transaction.set_quick_repair(true);
    transaction.open_table(META)?.insert("layout", LAYOUT)?;
    transaction.open_table(OPERATORS)?;
    transaction.open_table(CARRIERS)?;
    transaction.open_table(ACCOUNTS)?;
    transaction.open_table(TRUNKS)?;
    transaction.open_table(PLUGINS)?;
    transaction.open_table(PLUGIN_EVENTS)?;
    transaction.open_table(PLUGIN_PAGES)?;
    transaction.open_table(NUMBERS)?;
    transaction.open_table(APPLICATIONS)?;
    transaction.open_table(CALLER_IDS)?;
    transaction.open_table(MARKS)?;
    transaction.open_table(USAGE)?;
    transaction.open_table(AUDIT)?;
    transaction.open_table(CALLS)?;
    transaction.open_table(CALLS_BY_ACCOUNT)?;
    super::waiting::WaitingTable::open(&transaction)?;
    transaction.open_table(LIVE)?;
    transaction.open_table(EVENTS)?;
    transaction.open_table(JOURNALS)?;
    transaction.open_table(RECORDINGS)?;
    transaction.open_table(RECORDINGS_BY_ACCOUNT)?;
    transaction.open_table(RECORDINGS_BY_CALL)?;
    transaction.open_table(LIVE_RECORDINGS)?;
    transaction.open_table(CONFERENCES)?;
    transaction.open_table(CONFERENCES_BY_ACCOUNT)?;
    transaction.open_table(LIVE_CONFERENCES)?;
    transaction.open_table(PARTICIPANTS)?;
    transaction.open_table(CALL_QUEUES)?;
    super::exchanges::create(&transaction)?;
    super::open_streams::create(&transaction)?;
    super::farewells::create(&transaction)?;
    super::people::create(&transaction)?;
    super::broadcasts::create(&transaction)?;
    transaction.open_table(CALLBACKS)?;
    transaction.open_table(CALLBACKS_GIVEN_UP)?;
    transaction.open_table(CALLBACK_STATES)?;
    transaction.open_table(COUNTERS)?;
    transaction.open_table(KEY_VALUES)?;
    transaction.open_table(KEY_VALUE_USAGE)?;
    Ok(transaction.commit()?)
}

/// A row as it is stored.
pub(super) fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    postcard::to_extend(row, vec![ROW_VERSION])
        .expect("a row of texts, numbers and lists always has a form in postcard")
}

/// Reads what [`encode`] wrote; `what` names the row in the error.
pub(super) fn decode<T: DeserializeOwned>(what: &str, stored: &[u8]) -> Result<T, StoreError> {
    let corrupt = |why: &dyn Display| StoreError::Corrupt(format!("{what}: {why}"));
    match stored.split_first() {
        Some((&ROW_VERSION, row)) => postcard::from_bytes(row).map_err(|error| corrupt(&error)),
        Some((version, _)) => Err(corrupt(&format_args!(
            "version {version} is unknown to this program"
        ))),
        None => Err(corrupt(&"empty")),
    }
}

/// One call, of whichever account.
pub(super) fn read_call(
    calls: &impl ReadableTable<SidKey, &'static [u8]>,
    sid: CallSid,
) -> Result<Option<CallRow>, StoreError> {
    let stored = calls.get(sid.as_bytes()).map_err(failed)?;
    stored
        .map(|stored| decode("call", stored.value()))
        .transpose()
}

/// A call that an index says is there.
pub(super) fn indexed_call(
    calls: &impl ReadableTable<SidKey, &'static [u8]>,
    sid: CallSid,
) -> Result<CallRow, StoreError> {
    read_call(calls, sid)?.ok_or_else(|| {
        StoreError::Corrupt(format!("an index names {sid}, and there is no such call"))
    })
}

/// What an error of redb means to whoever asked.
pub(super) fn failed(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(what) => StoreError::Corrupt(what),
        error => StoreError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written_and_one_of_another_version_is_not_guessed_at() {
        let row = ("1294".to_owned(), 7_u64);
        let mut stored = encode(&row);
        assert_eq!(decode::<(String, u64)>("row", &stored).unwrap(), row);
        for version in [0, ROW_VERSION + 1, 255] {
            stored[0] = version;
            let error = decode::<(String, u64)>("row", &stored).unwrap_err();
            let expected = format!("row: version {version} is unknown");
            assert!(error.to_string().contains(&expected), "{error}");
        }
        assert!(decode::<(String, u64)>("row", &[]).is_err());
    }
}
