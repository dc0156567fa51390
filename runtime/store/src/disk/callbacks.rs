//! The tables of the outbox: callbacks by id and by account, and what each call that goes on still has to tell.

use call::{AccountSid, CallSid, CallbackSubject, StatusCallback};
use redb::{Database, ReadableDatabase, ReadableTable, Table, WriteTransaction};
use serde::Deserialize;

use super::tables::{self, SidKey, decode_row, encode_as, failed, unknown_version, version};
use crate::callback_parameters::call_parameters;
use crate::callback_row::CallbackState;
use crate::{CallCallback, CallRow, CallbackRow, ProgressEvent, Scope, StoreError};

/// The version of the callbacks written today.
const VERSION: u8 = 3;
/// The version of what calls have to tell, as it is written today.
const STATE_VERSION: u8 = 2;

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
        stored.map(|stored| read(stored.value())).transpose()
    }

    fn first_version(&self) -> Result<Vec<FirstCallback>, StoreError> {
        let mut found = Vec::new();
        for row in self.rows.iter().map_err(failed)? {
            let (_, stored) = row.map_err(failed)?;
            if let (1, row) = version("callback", stored.value())? {
                found.push(decode_row("callback", row)?);
            }
        }
        Ok(found)
    }

    pub(super) fn put(&mut self, row: &CallbackRow) -> Result<(), StoreError> {
        self.rows
            .insert(row.id, &*encode_as(VERSION, row))
            .map_err(failed)?;
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
        stored.map(|stored| read_state(stored.value())).transpose()
    }

    pub(super) fn put_state(
        &mut self,
        call: CallSid,
        state: &CallbackState,
    ) -> Result<(), StoreError> {
        let stored = encode_as(STATE_VERSION, state);
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

fn read_state(stored: &[u8]) -> Result<CallbackState, StoreError> {
    const WHAT: &str = "callback state";
    match version(WHAT, stored)? {
        (STATE_VERSION, row) => decode_row(WHAT, row),
        (1, row) => decode_row::<FirstState>(WHAT, row).map(CallbackState::from),
        (version, _) => Err(unknown_version(WHAT, version)),
    }
}

/// Version 1: the end of a call told nothing of its recording.
#[derive(Deserialize)]
struct FirstState {
    callback: CallCallback,
    told: u32,
}

impl From<FirstState> for CallbackState {
    fn from(state: FirstState) -> Self {
        Self {
            callback: state.callback,
            told: state.told,
            recording: None,
        }
    }
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
        .map(|row| read(row.map_err(failed)?.1.value()))
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
            read(stored.value())
        })
        .collect()
}

fn read(stored: &[u8]) -> Result<CallbackRow, StoreError> {
    match version("callback", stored)? {
        // It starts no flow, which is its last field.
        (2, row) => decode_row("callback", &[row, &[0]].concat()),
        (VERSION, row) => decode_row("callback", row),
        (version, _) => Err(unknown_version("callback", version)),
    }
}

/// Version 1: of calls only, and without what is said, which was made of the call's row at each attempt.
#[derive(Deserialize)]
struct FirstCallback {
    id: u64,
    account: AccountSid,
    call: CallSid,
    event: ProgressEvent,
    sequence: u32,
    to: StatusCallback,
    token: [u8; 16],
    created_unix_ms: u64,
    attempts: u32,
    due_unix_ms: Option<u64>,
    error: Option<String>,
}

impl FirstCallback {
    fn about(self, call: &CallRow) -> CallbackRow {
        let at = self.created_unix_ms;
        CallbackRow {
            id: self.id,
            account: self.account,
            subject: CallbackSubject::Call(self.call),
            event: self.event.as_str().to_owned(),
            sequence: self.sequence,
            to: self.to,
            parameters: call_parameters(call, self.event, self.sequence, at),
            token: self.token,
            created_unix_ms: at,
            attempts: self.attempts,
            due_unix_ms: self.due_unix_ms,
            error: self.error,
            start: None,
        }
    }
}

/// Writes callbacks of version 1 anew.
pub(super) fn renew(database: &Database) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_quick_repair(true);
    {
        let calls = transaction.open_table(tables::CALLS).map_err(failed)?;
        let mut rows = CallbackTables::open(&transaction).map_err(failed)?;
        for old in rows.first_version()? {
            let call = tables::indexed_call(&calls, old.call)?;
            rows.put(&old.about(&call))?;
        }
    }
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use call::{CallStatus, Direction, HttpMethod};
    use redb::backends::InMemoryBackend;

    use super::*;
    use crate::Flow;

    fn call() -> CallRow {
        CallRow {
            sid: CallSid::from_bytes([1; 16]),
            account: AccountSid::from_bytes([2; 16]),
            parent: None,
            direction: Direction::OutboundApi,
            from: "1294".to_owned(),
            to: "+85512345678".to_owned(),
            flow: Flow::Component("menu".to_owned()),
            ring_timeout_s: None,
            status: CallStatus::Busy,
            due_unix_ms: None,
            attempts: 1,
            leg: None,
            created_unix_ms: 0,
            started_unix_ms: Some(0),
            answered_unix_ms: None,
            ended_unix_ms: Some(0),
            updated_unix_ms: 0,
            record: None,
            events: 3,
            settings: Default::default(),
            orders: Default::default(),
            tried: Vec::new(),
        }
    }

    #[test]
    fn callbacks_of_the_first_version_say_what_they_said() {
        let builder = redb::Builder::new();
        let database = builder.create_with_backend(InMemoryBackend::new()).unwrap();
        tables::create(&database).unwrap();
        let call = call();
        let to = StatusCallback {
            url: "https://a/status".to_owned(),
            method: HttpMethod::Post,
        };
        let event = ProgressEvent::Completed;
        let (no_due, no_error) = (None::<u64>, Some("status 500"));
        // In pairs, since postcard writes a struct and a tuple alike and serde knows tuples of twelve at most.
        let old = (
            (7_u64, call.account, call.sid, event, 3_u32, &to),
            ([9_u8; 16], 5_000_u64, 17_u32, no_due, no_error),
        );
        let transaction = database.begin_write().unwrap();
        {
            let mut calls = transaction.open_table(tables::CALLS).unwrap();
            let stored = super::super::call_rows::stored_call(&call);
            calls.insert(call.sid.as_bytes(), &*stored).unwrap();
            let mut rows = transaction.open_table(tables::CALLBACKS).unwrap();
            rows.insert(7, &*encode_as(1, &old)).unwrap();
        }
        transaction.commit().unwrap();

        renew(&database).unwrap();
        renew(&database).unwrap();
        let rows = after(&database, 0, 10).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].subject, CallbackSubject::Call(call.sid));
        assert_eq!(
            (rows[0].event.as_str(), rows[0].attempts),
            ("completed", 17)
        );
        assert_eq!(rows[0].parameter("CallStatus"), Some("busy"));
        assert_eq!(rows[0].parameter("SequenceNumber"), Some("3"));
        assert_eq!((rows[0].to.clone(), rows[0].token), (to, [9; 16]));
        assert_eq!(rows[0].error.as_deref(), Some("status 500"));
    }
}
