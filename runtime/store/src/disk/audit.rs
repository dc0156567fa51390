//! The table of the audit log.

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::tables::{self, decode, encode, failed};
use crate::{AuditEntry, MAX_AUDIT_ENTRIES, StoreError};

/// Appends under the next id; the oldest entry goes where there are too many.
pub(super) fn add(transaction: &WriteTransaction, entry: AuditEntry) -> Result<(), redb::Error> {
    let mut entries = transaction.open_table(tables::AUDIT)?;
    let last = entries.last()?.map_or(0, |(id, _)| id.value());
    let entry = AuditEntry {
        id: last + 1,
        ..entry
    };
    entries.insert(entry.id, &*encode(&entry))?;
    if let Some(oldest) = entry.id.checked_sub(MAX_AUDIT_ENTRIES) {
        entries.remove(oldest)?;
    }
    Ok(())
}

/// At most `limit` entries, the newest first, from before that id or from the newest.
pub(super) fn list(
    database: &Database,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<AuditEntry>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let entries = transaction.open_table(tables::AUDIT).map_err(failed)?;
    let newest_first = entries
        .range(..before.unwrap_or(u64::MAX))
        .map_err(failed)?
        .rev();
    newest_first
        .take(limit)
        .map(|row| decode("audit entry", row.map_err(failed)?.1.value()))
        .collect()
}
