//! The tables of recordings: rows, lists, and which of them go on.

use call::{RecordingOf, RecordingSid};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, WriteTransaction};

use super::tables::{self, SidKey, decode, encode, failed};
use crate::{
    RecordingCursor, RecordingFilter, RecordingPage, RecordingRow, Scope, StoreError, page,
};

/// The tables as an open write transaction sees them.
pub(super) struct RecordingTables<'t> {
    rows: Table<'t, SidKey, &'static [u8]>,
    by_account: Table<'t, (SidKey, u64, SidKey), ()>,
    /// By call or conference.
    by_subject: Table<'t, (SidKey, u64, SidKey), ()>,
    live: Table<'t, SidKey, ()>,
}

impl<'t> RecordingTables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            rows: transaction.open_table(tables::RECORDINGS)?,
            by_account: transaction.open_table(tables::RECORDINGS_BY_ACCOUNT)?,
            by_subject: transaction.open_table(tables::RECORDINGS_BY_CALL)?,
            live: transaction.open_table(tables::LIVE_RECORDINGS)?,
        })
    }

    pub(super) fn get(&self, sid: RecordingSid) -> Result<Option<RecordingRow>, StoreError> {
        read(&self.rows, sid)
    }

    pub(super) fn put(
        &mut self,
        before: Option<&RecordingRow>,
        after: &RecordingRow,
    ) -> Result<(), StoreError> {
        self.write(before, after).map_err(failed)
    }

    fn write(
        &mut self,
        before: Option<&RecordingRow>,
        after: &RecordingRow,
    ) -> Result<(), redb::Error> {
        let sid = after.sid.as_bytes();
        self.rows.insert(sid, &*encode(after))?;
        if before.is_none() {
            let at = after.created_unix_ms;
            self.by_account
                .insert((after.account.as_bytes(), at, sid), ())?;
            self.by_subject.insert((subject(&after.of), at, sid), ())?;
        }
        if after.status.is_final() {
            self.live.remove(sid)?;
        } else {
            self.live.insert(sid, ())?;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, row: &RecordingRow) -> Result<(), StoreError> {
        self.erase(row).map_err(failed)
    }

    fn erase(&mut self, row: &RecordingRow) -> Result<(), redb::Error> {
        let (sid, at) = (row.sid.as_bytes(), row.created_unix_ms);
        self.rows.remove(sid)?;
        self.by_account.remove((row.account.as_bytes(), at, sid))?;
        self.by_subject.remove((subject(&row.of), at, sid))?;
        self.live.remove(sid)?;
        Ok(())
    }
}

/// In keys of the index. Calls and conferences share it: their SIDs are random bits, and rows are compared besides.
const fn subject(of: &RecordingOf) -> &[u8; 16] {
    match of {
        RecordingOf::Call(sid) => sid.as_bytes(),
        RecordingOf::Conference(sid) => sid.as_bytes(),
    }
}

fn read(
    rows: &impl ReadableTable<SidKey, &'static [u8]>,
    sid: RecordingSid,
) -> Result<Option<RecordingRow>, StoreError> {
    let stored = rows.get(sid.as_bytes()).map_err(failed)?;
    stored
        .map(|stored| decode("recording", stored.value()))
        .transpose()
}

fn indexed(
    rows: &impl ReadableTable<SidKey, &'static [u8]>,
    sid: RecordingSid,
) -> Result<RecordingRow, StoreError> {
    read(rows, sid)?.ok_or_else(|| {
        StoreError::Corrupt(format!(
            "an index names {sid}, and there is no such recording"
        ))
    })
}

/// One recording of this account.
pub(super) fn one(
    database: &Database,
    scope: Scope,
    sid: RecordingSid,
) -> Result<Option<RecordingRow>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let row = read(&open(&transaction)?, sid)?;
    Ok(row.filter(|row| row.account == scope.account()))
}

/// A page of this account's recordings, or of one call of it.
pub(super) fn list(
    database: &Database,
    scope: Scope,
    filter: &RecordingFilter,
    from: Option<RecordingCursor>,
    limit: usize,
) -> Result<RecordingPage, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let rows = open(&transaction)?;
    let (index, owner) = match &filter.of {
        Some(of) => (tables::RECORDINGS_BY_CALL, *subject(of)),
        None => (tables::RECORDINGS_BY_ACCOUNT, *scope.account().as_bytes()),
    };
    let index = transaction.open_table(index).map_err(failed)?;
    let (first, before) = filter.created();
    let end = from.map_or((before, [0; 16]), |from| {
        (from.created_unix_ms, *from.sid.as_bytes()).min((before, [0; 16]))
    });
    let (lowest, highest) = ((&owner, first, &[0; 16]), (&owner, end.0, &end.1));
    let places = (lowest < highest).then(|| index.range(lowest..highest));
    let places = places.transpose().map_err(failed)?;
    let found = places.into_iter().flat_map(redb::Range::rev).map(|place| {
        let (key, _) = place.map_err(failed)?;
        indexed(&rows, RecordingSid::from_bytes(*key.value().2))
    });
    let is_own = |row: &RecordingRow| {
        row.account == scope.account() && filter.of.is_none_or(|of| row.of == of)
    };
    page::take(found, RecordingCursor::of, is_own, limit)
}

/// Those that a process was at work on, of whichever account.
pub(super) fn live(database: &Database) -> Result<Vec<RecordingRow>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let rows = open(&transaction)?;
    let live = transaction
        .open_table(tables::LIVE_RECORDINGS)
        .map_err(failed)?;
    let row = |place: Result<(redb::AccessGuard<'_, SidKey>, _), _>| {
        let (key, _): (_, redb::AccessGuard<'_, ()>) = place.map_err(failed)?;
        indexed(&rows, RecordingSid::from_bytes(*key.value()))
    };
    live.iter().map_err(failed)?.map(row).collect()
}

fn open(
    transaction: &ReadTransaction,
) -> Result<redb::ReadOnlyTable<SidKey, &'static [u8]>, StoreError> {
    transaction.open_table(tables::RECORDINGS).map_err(failed)
}
