//! The tables of the outbox: callbacks by id and by account, and what each call that goes on still has to tell.

use call::CallSid;
use redb::{Database, ReadableDatabase, ReadableTable, Table, WriteTransaction};

use super::tables::{self, SidKey, decode, encode, failed};
use crate::callback_row::CallbackState;
use crate::{CallbackRow, Scope, StoreError};

/// The tables as an open write transaction sees them.
pub(super) struct CallbackTables<'t> {
    rows: Table<'t, u64, &'static [u8]>,
    given_up: Table<'t, (SidKey, u64), ()>,
    states: Table<'t, SidKey, &'static [u8]>,
    meta: Table<'t, &'static str, u64>,
}

impl<'t> CallbackTables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            rows: transaction.open_table(tables::CALLBACKS)?,
            given_up: transaction.open_table(tables::CALLBACKS_GIVEN_UP)?,
            states: transaction.open_table(tables::CALLBACK_STATES)?,
            meta: transaction.open_table(tables::COUNTERS)?,
        })
    }

    pub(super) fn next(&mut self) -> Result<u64, StoreError> {
        let last = self.meta.get(tables::LAST_CALLBACK).map_err(failed)?;
        let next = last.map_or(0, |last| last.value()) + 1;
        self.meta
            .insert(tables::LAST_CALLBACK, next)
            .map_err(failed)?;
        Ok(next)
    }

    pub(super) fn get(&self, id: u64) -> Result<Option<CallbackRow>, StoreError> {
        let stored = self.rows.get(id).map_err(failed)?;
        stored
            .map(|stored| decode("callback", stored.value()))
            .transpose()
    }

    /// Ids and times both grow, so that what is old is in front.
    pub(super) fn old(&self, before: u64, limit: usize) -> Result<Vec<CallbackRow>, StoreError> {
        let mut given_up = Vec::new();
        for row in self.rows.iter().map_err(failed)? {
            let (_, stored) = row.map_err(failed)?;
            let row: CallbackRow = decode("callback", stored.value())?;
            if row.created_unix_ms >= before || given_up.len() == limit {
                break;
            }
            if row.due_unix_ms.is_none() {
                given_up.push(row);
            }
        }
        Ok(given_up)
    }

    pub(super) fn put(&mut self, row: &CallbackRow) -> Result<(), StoreError> {
        self.rows.insert(row.id, &*encode(row)).map_err(failed)?;
        let place = (row.account.as_bytes(), row.id);
        match row.due_unix_ms {
            Some(_) => drop(self.given_up.remove(place).map_err(failed)?),
            None => drop(self.given_up.insert(place, ()).map_err(failed)?),
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, row: &CallbackRow) -> Result<(), StoreError> {
        self.rows.remove(row.id).map_err(failed)?;
        let place = (row.account.as_bytes(), row.id);
        self.given_up.remove(place).map(drop).map_err(failed)
    }

    pub(super) fn state(&self, call: CallSid) -> Result<Option<CallbackState>, StoreError> {
        let stored = self.states.get(call.as_bytes()).map_err(failed)?;
        stored
            .map(|stored| decode("callback state", stored.value()))
            .transpose()
    }

    pub(super) fn put_state(
        &mut self,
        call: CallSid,
        state: &CallbackState,
    ) -> Result<(), StoreError> {
        let stored = encode(state);
        self.states
            .insert(call.as_bytes(), &*stored)
            .map(drop)
            .map_err(failed)
    }

    pub(super) fn remove_state(&mut self, call: CallSid) -> Result<(), StoreError> {
        self.states
            .remove(call.as_bytes())
            .map(drop)
            .map_err(failed)
    }
}

pub(super) fn one(database: &Database, id: u64) -> Result<Option<CallbackRow>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let rows = transaction.open_table(tables::CALLBACKS).map_err(failed)?;
    let stored = rows.get(id).map_err(failed)?;
    stored
        .map(|stored| decode("callback", stored.value()))
        .transpose()
}

/// At most `limit` callbacks after the one with this id, in order.
pub(super) fn after(
    database: &Database,
    id: u64,
    limit: usize,
) -> Result<Vec<CallbackRow>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let rows = transaction.open_table(tables::CALLBACKS).map_err(failed)?;
    let range = rows.range(id + 1..).map_err(failed)?;
    range
        .take(limit)
        .map(|row| decode("callback", row.map_err(failed)?.1.value()))
        .collect()
}

/// At most `limit` of an account's callbacks that nobody tries any more, oldest first, after the one with this id.
pub(super) fn given_up(
    database: &Database,
    scope: Scope,
    id: u64,
    limit: usize,
) -> Result<Vec<CallbackRow>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let places = transaction
        .open_table(tables::CALLBACKS_GIVEN_UP)
        .map_err(failed)?;
    let rows = transaction.open_table(tables::CALLBACKS).map_err(failed)?;
    let account = scope.account();
    let range = places
        .range((account.as_bytes(), id.saturating_add(1))..=(account.as_bytes(), u64::MAX))
        .map_err(failed)?;
    range
        .take(limit)
        .map(|place| {
            let (key, _) = place.map_err(failed)?;
            let id = key.value().1;
            let stored = rows.get(id).map_err(failed)?;
            let stored = stored.ok_or_else(|| {
                StoreError::Corrupt(format!("an index names callback {id}, and there is none"))
            })?;
            decode("callback", stored.value())
        })
        .collect()
}
