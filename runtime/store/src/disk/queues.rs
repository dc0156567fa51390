//! The table of queues: by account, a thousand of each at most.

use call::{AccountSid, QueueSid};
use redb::{Database, ReadableDatabase, ReadableTable, Table, WriteTransaction};

use super::tables::{self, SidKey, decode, encode, failed};
use crate::{QueueRow, StoreError};

/// The queues of an account as an open write transaction sees them.
pub(super) fn of_transaction(
    transaction: &WriteTransaction,
    account: AccountSid,
) -> Result<Vec<QueueRow>, StoreError> {
    of_account(&open(transaction)?, account)
}

pub(super) fn put(transaction: &WriteTransaction, row: &QueueRow) -> Result<(), StoreError> {
    let key = (row.account.as_bytes(), row.sid.as_bytes());
    open(transaction)?
        .insert(key, &*encode(row))
        .map(drop)
        .map_err(failed)
}

pub(super) fn remove(
    transaction: &WriteTransaction,
    account: AccountSid,
    sid: QueueSid,
) -> Result<(), StoreError> {
    let key = (account.as_bytes(), sid.as_bytes());
    open(transaction)?.remove(key).map(drop).map_err(failed)
}

/// The queues of an account.
pub(super) fn read(database: &Database, account: AccountSid) -> Result<Vec<QueueRow>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction
        .open_table(tables::CALL_QUEUES)
        .map_err(failed)?;
    of_account(&table, account)
}

fn of_account(
    table: &impl ReadableTable<(SidKey, SidKey), &'static [u8]>,
    account: AccountSid,
) -> Result<Vec<QueueRow>, StoreError> {
    let account = account.as_bytes();
    let range = table
        .range((account, &[0; 16])..=(account, &[0xff; 16]))
        .map_err(failed)?;
    range
        .map(|row| decode("queue", row.map_err(failed)?.1.value()))
        .collect()
}

fn open(
    transaction: &WriteTransaction,
) -> Result<Table<'_, (SidKey, SidKey), &'static [u8]>, StoreError> {
    transaction.open_table(tables::CALL_QUEUES).map_err(failed)
}
