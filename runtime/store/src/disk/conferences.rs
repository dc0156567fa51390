//! The tables of conferences: rows, lists, which of them go on, and who is in them.

use call::{CallSid, ConferenceSid};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, WriteTransaction};

use super::tables::{self, SidKey, decode, encode, failed};
use crate::{
    ConferenceCursor, ConferenceFilter, ConferencePage, ConferenceRow, ConferenceStatus, Cursor,
    ParticipantFilter, ParticipantPage, ParticipantRow, Scope, StoreError, page,
};

/// The tables as an open write transaction sees them.
pub(super) struct ConferenceTables<'t> {
    rows: Table<'t, SidKey, &'static [u8]>,
    by_account: Table<'t, (SidKey, u64, SidKey), ()>,
    live: Table<'t, SidKey, ()>,
    participants: Table<'t, (SidKey, SidKey), &'static [u8]>,
}

impl<'t> ConferenceTables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            rows: transaction.open_table(tables::CONFERENCES)?,
            by_account: transaction.open_table(tables::CONFERENCES_BY_ACCOUNT)?,
            live: transaction.open_table(tables::LIVE_CONFERENCES)?,
            participants: transaction.open_table(tables::PARTICIPANTS)?,
        })
    }

    pub(super) fn get(&self, sid: ConferenceSid) -> Result<Option<ConferenceRow>, StoreError> {
        read(&self.rows, sid)
    }

    pub(super) fn put(
        &mut self,
        before: Option<&ConferenceRow>,
        after: &ConferenceRow,
    ) -> Result<(), StoreError> {
        self.write(before, after).map_err(failed)
    }

    fn write(
        &mut self,
        before: Option<&ConferenceRow>,
        after: &ConferenceRow,
    ) -> Result<(), redb::Error> {
        let sid = after.sid.as_bytes();
        self.rows.insert(sid, &*encode(after))?;
        if before.is_none() {
            let place = (after.account.as_bytes(), after.created_unix_ms, sid);
            self.by_account.insert(place, ())?;
            self.live.insert(sid, ())?;
        }
        if after.status == ConferenceStatus::Completed {
            self.live.remove(sid)?;
        }
        Ok(())
    }

    pub(super) fn participants(
        &self,
        sid: ConferenceSid,
    ) -> Result<Vec<ParticipantRow>, StoreError> {
        participants_of(&self.participants, sid)
    }

    pub(super) fn put_participant(&mut self, row: &ParticipantRow) -> Result<(), StoreError> {
        let key = (row.conference.as_bytes(), row.participant.call.as_bytes());
        self.participants
            .insert(key, &*encode(row))
            .map(drop)
            .map_err(failed)
    }

    pub(super) fn remove_participant(
        &mut self,
        sid: ConferenceSid,
        call: CallSid,
    ) -> Result<(), StoreError> {
        let key = (sid.as_bytes(), call.as_bytes());
        self.participants.remove(key).map(drop).map_err(failed)
    }
}

fn read(
    rows: &impl ReadableTable<SidKey, &'static [u8]>,
    sid: ConferenceSid,
) -> Result<Option<ConferenceRow>, StoreError> {
    let stored = rows.get(sid.as_bytes()).map_err(failed)?;
    stored
        .map(|stored| decode("conference", stored.value()))
        .transpose()
}

/// Who is in a conference, in the order of their SIDs.
fn participants_of(
    participants: &impl ReadableTable<(SidKey, SidKey), &'static [u8]>,
    sid: ConferenceSid,
) -> Result<Vec<ParticipantRow>, StoreError> {
    let sid = sid.as_bytes();
    let range = participants
        .range((sid, &[0; 16])..=(sid, &[0xff; 16]))
        .map_err(failed)?;
    range
        .map(|row| decode("participant", row.map_err(failed)?.1.value()))
        .collect()
}

/// One conference of this account.
pub(super) fn one(
    database: &Database,
    scope: Scope,
    sid: ConferenceSid,
) -> Result<Option<ConferenceRow>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let row = read(&open(&transaction)?, sid)?;
    Ok(row.filter(|row| row.account == scope.account()))
}

/// A page of this account's conferences.
pub(super) fn list(
    database: &Database,
    scope: Scope,
    filter: &ConferenceFilter,
    from: Option<ConferenceCursor>,
    limit: usize,
) -> Result<ConferencePage, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let rows = open(&transaction)?;
    let index = transaction
        .open_table(tables::CONFERENCES_BY_ACCOUNT)
        .map_err(failed)?;
    let account = scope.account();
    let (first, before) = filter.created();
    let end = from.map_or((before, [0; 16]), |from| {
        (from.created_unix_ms, *from.sid.as_bytes()).min((before, [0; 16]))
    });
    let (lowest, highest) = (
        (account.as_bytes(), first, &[0; 16]),
        (account.as_bytes(), end.0, &end.1),
    );
    let places = (lowest < highest).then(|| index.range(lowest..highest));
    let places = places.transpose().map_err(failed)?;
    let found = places.into_iter().flat_map(redb::Range::rev).map(|place| {
        let (key, _) = place.map_err(failed)?;
        let sid = ConferenceSid::from_bytes(*key.value().2);
        read(&rows, sid)?.ok_or_else(|| {
            StoreError::Corrupt(format!(
                "an index names {sid}, and there is no such conference"
            ))
        })
    });
    page::take(
        found,
        ConferenceCursor::of_conference,
        |row| filter.fits(row),
        limit,
    )
}

/// A page of who is in one of this account's conferences.
pub(super) fn participants(
    database: &Database,
    scope: Scope,
    sid: ConferenceSid,
    filter: ParticipantFilter,
    from: Option<Cursor>,
    limit: usize,
) -> Result<ParticipantPage, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction
        .open_table(tables::PARTICIPANTS)
        .map_err(failed)?;
    page::of_participants(participants_of(&table, sid)?, scope, filter, from, limit)
}

/// Those that a process was at work on, of whichever account.
pub(super) fn live(database: &Database) -> Result<Vec<ConferenceSid>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let live = transaction
        .open_table(tables::LIVE_CONFERENCES)
        .map_err(failed)?;
    let sid = |place: Result<(redb::AccessGuard<'_, SidKey>, _), _>| {
        let (key, _): (_, redb::AccessGuard<'_, ()>) = place.map_err(failed)?;
        Ok(ConferenceSid::from_bytes(*key.value()))
    };
    live.iter().map_err(failed)?.map(sid).collect()
}

fn open(
    transaction: &ReadTransaction,
) -> Result<redb::ReadOnlyTable<SidKey, &'static [u8]>, StoreError> {
    transaction.open_table(tables::CONFERENCES).map_err(failed)
}
