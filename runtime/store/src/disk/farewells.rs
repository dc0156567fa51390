//! The table of what ends the dialogs of calls whose process is gone.

use call::CallSid;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::tables::{self, SidKey, decode, encode, failed};
use crate::{CallRow, Farewell, StoreError};

/// Call → `Farewell`.
const FAREWELLS: TableDefinition<'_, SidKey, &[u8]> = TableDefinition::new("farewells");

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(FAREWELLS)?;
    Ok(())
}

pub(super) fn put(
    transaction: &WriteTransaction,
    call: CallSid,
    farewell: &Farewell,
) -> Result<(), redb::Error> {
    let mut farewells = transaction.open_table(FAREWELLS)?;
    farewells.insert(call.as_bytes(), &*encode(farewell))?;
    Ok(())
}

pub(super) fn remove(transaction: &WriteTransaction, call: CallSid) -> Result<(), redb::Error> {
    transaction.open_table(FAREWELLS)?.remove(call.as_bytes())?;
    Ok(())
}

/// All of them, with their calls: those that the processes before left behind. That of a call which was deleted since is left out.
pub(super) fn all(database: &Database) -> Result<Vec<(CallRow, Farewell)>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let farewells = transaction.open_table(FAREWELLS).map_err(failed)?;
    let calls = transaction.open_table(tables::CALLS).map_err(failed)?;
    let mut all = Vec::new();
    for row in farewells.iter().map_err(failed)? {
        let (sid, stored) = row.map_err(failed)?;
        let call = tables::read_call(&calls, CallSid::from_bytes(*sid.value()))?;
        let farewell = decode("farewell", stored.value())?;
        all.extend(call.map(|call| (call, farewell)));
    }
    Ok(all)
}
