//! The table of media streams whose end is still to be told.

use call::{AccountSid, CallSid, StreamSid};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::tables::{SidKey, decode, encode, failed};
use crate::StoreError;
use crate::verbs::OpenStream;

/// Call, stream → account, `StreamTold`.
const OPEN_STREAMS: TableDefinition<'_, (SidKey, SidKey), &[u8]> =
    TableDefinition::new("open_streams");

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(OPEN_STREAMS)?;
    Ok(())
}

pub(super) fn put(transaction: &WriteTransaction, row: &OpenStream) -> Result<(), redb::Error> {
    let mut open = transaction.open_table(OPEN_STREAMS)?;
    let stored = encode(&(row.account, &row.told));
    open.insert((row.call.as_bytes(), row.stream.as_bytes()), &*stored)?;
    Ok(())
}

/// Whether it was there.
pub(super) fn remove(
    transaction: &WriteTransaction,
    call: CallSid,
    stream: StreamSid,
) -> Result<bool, redb::Error> {
    let mut open = transaction.open_table(OPEN_STREAMS)?;
    let removed = open.remove((call.as_bytes(), stream.as_bytes()))?;
    Ok(removed.is_some())
}

/// All of them: those that the last process left behind.
pub(super) fn all(database: &Database) -> Result<Vec<OpenStream>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let open = transaction.open_table(OPEN_STREAMS).map_err(failed)?;
    let rows = open.iter().map_err(failed)?;
    rows.map(|row| {
        let (key, stored) = row.map_err(failed)?;
        let (call, stream) = key.value();
        let (account, told): (AccountSid, _) = decode("open stream", stored.value())?;
        Ok(OpenStream {
            account,
            call: CallSid::from_bytes(*call),
            stream: StreamSid::from_bytes(*stream),
            told,
        })
    })
    .collect()
}
