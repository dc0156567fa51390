//! The tables of recordings: rows, lists, and which of them go on.

use call::{AccountSid, CallSid, RecordingOf, RecordingSid, RecordingSource, RecordingTracks};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, WriteTransaction};

use serde::{Deserialize, Serialize};

use super::tables::{self, SidKey, decode_row, encode_as, failed, unknown_version, version};
use crate::{
    RecordingCursor, RecordingFilter, RecordingPage, RecordingRow, RecordingStatus, RecordingTold,
    Scope, StoreError, page,
};

/// The version of the rows written today.
const VERSION: u8 = 3;

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
        self.rows.insert(sid, &*encode_as(VERSION, after))?;
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
    stored.map(|stored| read_row(stored.value())).transpose()
}

fn read_row(stored: &[u8]) -> Result<RecordingRow, StoreError> {
    match version("recording", stored)? {
        (VERSION, row) => decode_row("recording", row),
        (2, row) => decode_row::<SecondRecording>("recording", row).map(RecordingRow::from),
        (1, row) => decode_row::<FirstRecording>("recording", row).map(RecordingRow::from),
        (version, _) => Err(unknown_version("recording", version)),
    }
}

/// Version 1: nobody was told, and whose voice it is was not kept.
#[derive(Deserialize)]
struct FirstRecording {
    sid: RecordingSid,
    account: AccountSid,
    call: CallSid,
    source: RecordingSource,
    channels: u16,
    rate_hz: u32,
    status: RecordingStatus,
    duration_ms: u64,
    file_bytes: u64,
    created_unix_ms: u64,
    updated_unix_ms: u64,
}

impl From<FirstRecording> for RecordingRow {
    fn from(row: FirstRecording) -> Self {
        Self {
            sid: row.sid,
            account: row.account,
            of: row.call.into(),
            source: row.source,
            channels: row.channels,
            rate_hz: row.rate_hz,
            status: row.status,
            duration_ms: row.duration_ms,
            file_bytes: row.file_bytes,
            created_unix_ms: row.created_unix_ms,
            updated_unix_ms: row.updated_unix_ms,
            tracks: RecordingTracks::Both,
            told: None,
        }
    }
}

/// Version 2: calls alone were recorded.
#[derive(Serialize, Deserialize)]
struct SecondRecording {
    sid: RecordingSid,
    account: AccountSid,
    call: CallSid,
    source: RecordingSource,
    channels: u16,
    rate_hz: u32,
    status: RecordingStatus,
    duration_ms: u64,
    file_bytes: u64,
    created_unix_ms: u64,
    updated_unix_ms: u64,
    tracks: RecordingTracks,
    told: Option<RecordingTold>,
}

impl From<SecondRecording> for RecordingRow {
    fn from(row: SecondRecording) -> Self {
        Self {
            sid: row.sid,
            account: row.account,
            of: row.call.into(),
            source: row.source,
            channels: row.channels,
            rate_hz: row.rate_hz,
            status: row.status,
            duration_ms: row.duration_ms,
            file_bytes: row.file_bytes,
            created_unix_ms: row.created_unix_ms,
            updated_unix_ms: row.updated_unix_ms,
            tracks: row.tracks,
            told: row.told,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::super::tables::encode;
    use super::*;

    #[test]
    fn rows_of_the_first_version_are_read() {
        let (sid, account, call) = ([1; 16], [2; 16], [3; 16]);
        let (sid, account) = (
            RecordingSid::from_bytes(sid),
            AccountSid::from_bytes(account),
        );
        let call = CallSid::from_bytes(call);
        let (source, status) = (
            RecordingSource::StartCallRecordingApi,
            RecordingStatus::Completed,
        );
        let stored = encode(&(
            (sid, account, call, source, 2_u16, 8_000_u32),
            (status, 1_500_u64, 48_044_u64, 10_u64, 20_u64),
        ));
        let row = read_row(&stored).unwrap();
        assert_eq!((row.sid, row.account), (sid, account));
        assert_eq!(row.of, call.into());
        assert_eq!((row.source, row.status), (source, status));
        assert_eq!((row.duration_ms, row.file_bytes), (1_500, 48_044));
        assert_eq!((row.updated_unix_ms, row.told.clone()), (20, None));
        assert_eq!(read_row(&encode_as(VERSION, &row)).unwrap(), row);
        assert!(read_row(&[4, 0]).is_err());
    }

    #[test]
    fn rows_of_the_second_version_are_read() {
        let before = SecondRecording {
            sid: RecordingSid::from_bytes([1; 16]),
            account: AccountSid::from_bytes([2; 16]),
            call: CallSid::from_bytes([3; 16]),
            source: RecordingSource::OutboundApi,
            channels: 1,
            rate_hz: 16_000,
            status: RecordingStatus::Paused,
            duration_ms: 0,
            file_bytes: 0,
            created_unix_ms: 10,
            updated_unix_ms: 20,
            tracks: RecordingTracks::Callee,
            told: None,
        };
        let row = read_row(&encode_as(2, &before)).unwrap();
        assert_eq!(row, RecordingRow::from(before));
        assert_eq!(row.of, CallSid::from_bytes([3; 16]).into());
        assert_eq!(row.tracks, RecordingTracks::Callee);
    }
}
