//! The table of what calls' callbacks were answered.

use call::CallSid;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::tables::{SidKey, failed};
use crate::{MOST_EXCHANGES, StoreError};

/// Call, sequence number → `Exchange`, sealed with the account's key. No version byte besides that of the seal.
const EXCHANGES: TableDefinition<'_, (SidKey, u32), &[u8]> = TableDefinition::new("exchanges");

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(EXCHANGES)?;
    Ok(())
}

/// Appends to a call's; the oldest one goes where there are too many.
pub(super) fn add(
    transaction: &WriteTransaction,
    call: CallSid,
    sealed: &[u8],
) -> Result<(), redb::Error> {
    let mut exchanges = transaction.open_table(EXCHANGES)?;
    let sid = call.as_bytes();
    let last = exchanges
        .range((sid, 0)..=(sid, u32::MAX))?
        .next_back()
        .transpose()?
        .map(|(key, _)| key.value().1);
    let next = last.map_or(0, |last| last + 1);
    exchanges.insert((sid, next), sealed)?;
    if let Some(oldest) = next.checked_sub(MOST_EXCHANGES) {
        exchanges.remove((sid, oldest))?;
    }
    Ok(())
}

/// Those of one call, in order, as they are sealed.
pub(super) fn of(database: &Database, call: CallSid) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let exchanges = transaction.open_table(EXCHANGES).map_err(failed)?;
    let sid = call.as_bytes();
    let range = exchanges
        .range((sid, 0)..=(sid, u32::MAX))
        .map_err(failed)?;
    range
        .map(|row| {
            let (key, sealed) = row.map_err(failed)?;
            Ok((key.value().1, sealed.value().to_vec()))
        })
        .collect()
}

/// Takes those of one call out.
pub(super) fn remove(transaction: &WriteTransaction, call: CallSid) -> Result<(), redb::Error> {
    let mut exchanges = transaction.open_table(EXCHANGES)?;
    let sid = call.as_bytes();
    exchanges
        .retain_in((sid, 0)..=(sid, u32::MAX), |_, _| false)
        .map_err(Into::into)
}
